package awsconfig

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/internal/walk"
)

// clock reads the times of one item in all the ways that they are written.
type clock struct {
	state []byte // configurationStateId, if the item has one

	// The offset of a zone that has no name, once it is known.
	known  bool
	offset time.Duration
}

// moment reads a time: a number of epoch seconds or a text.
func (c *clock) moment(field string, raw []byte) (history.Moment, error) {
	text, isText := walk.Text(raw)
	e := &history.Error{Kind: history.Invalid, Field: field, Value: shorten(string(raw))}
	if !isText && raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, wrongKind(field, raw, "a time")
	}

	var m history.Moment
	if !isText {
		micros, ok := epochMicroseconds(string(raw))
		if !ok {
			e.Text = "lies outside the years 1970 to 9999; numbers are seconds since 1970, with a fraction if need be"
			return 0, e
		}
		m = history.Moment(micros)
	} else {
		t, ok := c.parse(text)
		if !ok {
			e.Text = "is not an ISO 8601 time; write 2006-01-02T15:04:05.000Z"
			return 0, e
		}
		m = history.MomentOf(t)
	}
	if !m.Valid() {
		e.Text = "lies outside the years 1970 to 9999"
		return 0, e
	}
	return m, nil
}

func (c *clock) parse(text string) (time.Time, bool) {
	if strings.HasPrefix(text, "datetime.datetime(") {
		return c.python(text)
	}
	if len(text) > len("2006-01-02") && text[len("2006-01-02")] == ' ' {
		text = strings.Replace(text, " ", "T", 1)
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

var pythonTime = regexp.MustCompile(`^datetime\.datetime\(([0-9]{1,4}(?:, [0-9]{1,6}){2,6})(?:, tzinfo=(.{1,64}))?\)$`)

// python reads what Python's repr makes of a time.
func (c *clock) python(text string) (time.Time, bool) {
	match := pythonTime.FindStringSubmatch(text)
	if match == nil {
		return time.Time{}, false
	}
	var n [7]int // year, month, day, hour, minute, second, microsecond
	for i, digits := range strings.Split(match[1], ", ") {
		n[i], _ = strconv.Atoi(digits)
	}
	t := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], n[6]*1000, time.UTC)
	if t.Year() != n[0] || int(t.Month()) != n[1] || t.Day() != n[2] || t.Hour() != n[3] || t.Minute() != n[4] || t.Second() != n[5] {
		return time.Time{}, false
	}
	return t.Add(-c.zone(match[2], t)), true
}

var pythonOffset = regexp.MustCompile(`^tzoffset\((?:None|'[^']*'), (-?[0-9]{1,6})\)$`)

// zone returns the offset of a zone as Python's repr writes it, of which local
// time is one that only configurationStateId can tell.
func (c *clock) zone(name string, local time.Time) time.Duration {
	if match := pythonOffset.FindStringSubmatch(name); match != nil {
		seconds, _ := strconv.Atoi(match[1])
		return time.Duration(seconds) * time.Second
	}
	if strings.Contains(strings.ToLower(name), "utc") {
		return 0
	}
	if !c.known {
		c.known = true
		c.offset = c.offsetOf(local)
	}
	return c.offset
}

// offsetOf compares a capture time of unknown offset with configurationStateId.
func (c *clock) offsetOf(local time.Time) time.Duration {
	digits, isText := walk.Text(c.state)
	if !isText {
		digits = string(c.state)
	}
	ms, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0
	}
	const widest = 15 * time.Hour
	offset := local.Truncate(time.Millisecond).Sub(time.UnixMilli(ms))
	if offset < -widest || offset > widest || offset%(15*time.Minute) != 0 {
		return 0
	}
	return offset
}

// epochMicroseconds reads a JSON number of seconds, exactly but for what is
// finer than a microsecond. It fails for what no moment can be.
func epochMicroseconds(number string) (int64, bool) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(number), "e")
	shift := 6
	if exponent != "" {
		e, err := strconv.Atoi(exponent)
		if err != nil || e < -64 || e > 64 {
			return 0, false
		}
		shift += e
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	point := len(whole) + shift // digits before it are whole microseconds
	switch {
	case strings.HasPrefix(number, "-") || point < 0:
		return 0, false
	case point <= len(digits):
		digits = digits[:point]
	default:
		digits += strings.Repeat("0", point-len(digits))
	}
	micros, err := strconv.ParseInt(digits, 10, 64)
	return micros, err == nil
}

func shorten(s string) string {
	const most = 80
	if len(s) > most {
		return fmt.Sprintf("%s…", strings.ToValidUTF8(s[:most], ""))
	}
	return s
}

// format writes a moment as AWS does, with milliseconds, and with microseconds
// where there are any.
func format(m history.Moment) string {
	if m%1000 == 0 {
		return m.Time().Format("2006-01-02T15:04:05.000Z")
	}
	return m.Time().Format("2006-01-02T15:04:05.000000Z")
}
