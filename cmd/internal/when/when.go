// Package when reads the moments that people type: RFC 3339, a date, a distance
// back from now, or now.
package when

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/history"
)

// Forms says what can be typed, for help texts.
const Forms = "RFC 3339 (2026-07-18T12:00:00Z), a date (2026-07-18: midnight UTC), -90m, -2h, -3d, -1w or now"

// Moment is a moment as it was typed; it is a pflag.Value. The zero Moment means
// that nothing was typed, which every question reads as the newest state. "now"
// is another thing: this very moment, by the clock of this computer.
type Moment struct {
	time  time.Time
	given bool
}

// first is the first moment that a store can hold. As a question, every moment
// before it is the same: before everything.
var first = history.FirstMoment.Time()

func momentOf(t time.Time) Moment {
	if t.Before(first) {
		t = first
	}
	return Moment{time: t.UTC(), given: true}
}

// Parse reads a moment; distances are counted back from now. What lies before
// the first moment of a store becomes that one.
func Parse(text string, now time.Time) (Moment, error) {
	if text == "now" {
		return momentOf(now), nil
	}
	if back, ok := strings.CutPrefix(text, "-"); ok {
		d, err := distance(back)
		if err != nil {
			return Moment{}, fmt.Errorf("%q is not a distance in time: %w", text, err)
		}
		return momentOf(now.Add(-d)), nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t, err = time.Parse(time.RFC3339Nano, strings.ToUpper(text))
	}
	switch {
	case err != nil:
		return Moment{}, fmt.Errorf("%q is not a moment; write %s", text, Forms)
	case strings.HasPrefix(text, "0000"): // a slip, or what another program writes for none
		return Moment{}, fmt.Errorf("%q is not a moment: there is no year 0; write %s", text, Forms)
	}
	return momentOf(t), nil
}

// units in falling order, as they must stand in a distance.
var units = []struct {
	name   string
	length time.Duration
}{
	{"w", 7 * 24 * time.Hour},
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
}

// distance reads whole numbers with units, largest first, such as 1d12h.
func distance(text string) (time.Duration, error) {
	var sum time.Duration
	rest, from := text, 0
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("a whole number and a unit are expected at %q", rest)
		}
		rest = rest[digits:]

		unit := from
		for unit < len(units) && !strings.HasPrefix(rest, units[unit].name) {
			unit++
		}
		if unit == len(units) {
			return 0, fmt.Errorf("units are w, d, h, m and s, largest first, each at most once")
		}
		length := units[unit].length
		if n > int64((math.MaxInt64-sum)/length) {
			return 0, fmt.Errorf("it is too long")
		}
		sum += time.Duration(n) * length
		rest, from = rest[1:], unit+1
	}
	if text == "" {
		return 0, fmt.Errorf("a whole number and a unit are expected")
	}
	return sum, nil
}

// Given reports whether anything was typed.
func (m Moment) Given() bool { return m.given }

// BeforeAll reports whether the moment is the first that a store can hold, or
// was before it.
func (m Moment) BeforeAll() bool { return m.given && m.time.Equal(first) }

// Timestamp is the moment as the API takes it; nil is the newest state.
func (m Moment) Timestamp() *timestamppb.Timestamp {
	if !m.given {
		return nil
	}
	return timestamppb.New(m.time)
}

// String is RFC 3339, or "" where nothing was typed.
func (m Moment) String() string {
	if !m.given {
		return ""
	}
	return m.time.Format(time.RFC3339Nano)
}

// Set reads what stands after a flag.
func (m *Moment) Set(text string) (err error) {
	*m, err = Parse(text, time.Now())
	return err
}

// Type names the value in usage texts.
func (m *Moment) Type() string { return "TIME" }
