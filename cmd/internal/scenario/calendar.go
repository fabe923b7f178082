package scenario

import (
	"slices"
	"time"
)

// at reads a moment as facts.go and the timelines write it.
func at(text string) time.Time {
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return moment
}

// stamp writes a moment; every one is in whole seconds, hence of one width.
func stamp(moment time.Time) string {
	return moment.UTC().Format(time.RFC3339)
}

// weekdays lists the midnights of the ninety days which fall on the weekdays
// given.
func weekdays(on ...time.Weekday) []time.Time {
	var out []time.Time
	for day := at(Start); day.Before(at(End)); day = day.AddDate(0, 0, 1) {
		if slices.Contains(on, day.Weekday()) {
			out = append(out, day)
		}
	}
	return out
}

// releaseDays are the weekdays given without those on which nothing is
// released: the week of the summer sale, and the Monday after the outage.
func releaseDays(on ...time.Weekday) []time.Time {
	return slices.DeleteFunc(weekdays(on...), frozen)
}

const (
	saleBegins = "2026-06-29T05:00:00Z"
	saleEnds   = "2026-07-04T05:00:00Z"
)

func frozen(day time.Time) bool {
	sale := !day.Before(at("2026-06-29T00:00:00Z")) && day.Before(at(saleEnds))
	return sale || day.Equal(at("2026-07-20T00:00:00Z"))
}

// around is a moment of a day some minutes and seconds after the hour: people
// are not punctual, and which minute it is follows from the name.
func around(day time.Time, hour int, name string) time.Time {
	minutes := pick(50, "minute", name, stamp(day))
	seconds := pick(60, "second", name, stamp(day))
	return day.Add(time.Duration(hour)*time.Hour +
		time.Duration(minutes)*time.Minute +
		time.Duration(seconds)*time.Second)
}
