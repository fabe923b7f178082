package when

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Ages says how an age is typed, for help texts.
const Ages = "90d, 26w, 1y, 1y30d or 36h"

// Age is how old something is, as it was typed; it is a pflag.Value. Years are
// those of the calendar.
type Age struct {
	text  string
	years int
	rest  time.Duration
}

// Set reads years, then a distance in time; either may be missing.
func (a *Age) Set(text string) error {
	rest, years := text, 0
	if y, after, ok := strings.Cut(text, "y"); ok {
		n, err := strconv.ParseUint(y, 10, 31)
		if err != nil {
			return notAge(text)
		}
		years, rest = int(min(n, math.MaxInt16)), after
	}
	var d time.Duration
	if rest != "" || years == 0 {
		var err error
		if d, err = distance(rest); err != nil {
			return notAge(text)
		}
	}
	if years == 0 && d == 0 {
		return fmt.Errorf("%q is no age; the least is 1s", text)
	}
	*a = Age{text, years, d}
	return nil
}

func notAge(text string) error {
	return fmt.Errorf("%q is not an age; write numbers with the units y, w, d, h, m and s, in that order, such as %s", text, Ages)
}

// String is the age as it was typed.
func (a *Age) String() string { return a.text }

// Type names the value in usage texts.
func (a *Age) Type() string { return "AGE" }

// Given reports whether anything was typed.
func (a *Age) Given() bool { return a.text != "" }

// Before is the moment of that age, seen from now: no earlier than the first
// that a store can hold.
func (a *Age) Before(now time.Time) Moment {
	return momentOf(now.UTC().AddDate(-a.years, 0, 0).Add(-a.rest))
}
