package rules

import (
	"fmt"
	"time"

	"github.com/varvehq/varve/history"
)

// String is change, periodic or both.
func (t Trigger) String() string {
	switch t {
	case OnChange:
		return "change"
	case Periodic:
		return "periodic"
	case OnChange | Periodic:
		return "both"
	}
	return fmt.Sprintf("Trigger(%d)", uint8(t))
}

// ParseTrigger reads what String writes.
func ParseTrigger(text string) (Trigger, error) {
	for _, t := range []Trigger{OnChange, Periodic, OnChange | Periodic} {
		if text == t.String() {
			return t, nil
		}
	}
	return 0, invalid("trigger", text, "is none; there are change, periodic and both")
}

// String is detective, proactive or both.
func (m Mode) String() string {
	switch m {
	case Detective:
		return "detective"
	case Proactive:
		return "proactive"
	case Detective | Proactive:
		return "both"
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// ParseMode reads what String writes.
func ParseMode(text string) (Mode, error) {
	for _, m := range []Mode{Detective, Proactive, Detective | Proactive} {
		if text == m.String() {
			return m, nil
		}
	}
	return 0, invalid("mode", text, "is none; there are detective, proactive and both")
}

// Severities are all of them, the worst last.
func Severities() []Severity {
	return []Severity{SeverityLow, SeverityMedium, SeverityHigh, SeverityCritical}
}

// ParseSeverity accepts the severities.
func ParseSeverity(text string) (Severity, error) {
	for _, s := range Severities() {
		if text == string(s) {
			return s, nil
		}
	}
	return "", invalid("severity", text, "is none; there are low, medium, high and critical")
}

// periods are AWS Config's words for how often a rule is evaluated.
var periods = map[string]time.Duration{
	"One_Hour": time.Hour, "Three_Hours": 3 * time.Hour, "Six_Hours": 6 * time.Hour,
	"Twelve_Hours": 12 * time.Hour, "TwentyFour_Hours": 24 * time.Hour,
}

// Bounds of a period.
const (
	DefaultPeriod = 24 * time.Hour
	minPeriod     = time.Minute
	maxPeriod     = 366 * 24 * time.Hour
)

// ParsePeriod reads a period: a duration such as 6h or 30m, or AWS Config's words,
// such as TwentyFour_Hours.
func ParsePeriod(text string) (time.Duration, error) {
	d, known := periods[text]
	if !known {
		var err error
		if d, err = time.ParseDuration(text); err != nil {
			return 0, invalid("period", text, "is none; write it as 24h or 30m, or as AWS Config does: One_Hour, Three_Hours, Six_Hours, Twelve_Hours, TwentyFour_Hours")
		}
	}
	return d, checkPeriod(d)
}

// PeriodWord is AWS Config's word for a period; empty if it has none.
func PeriodWord(d time.Duration) string {
	for word, known := range periods {
		if known == d {
			return word
		}
	}
	return ""
}

func checkPeriod(d time.Duration) error {
	if d < minPeriod || d > maxPeriod || d%time.Minute != 0 {
		return invalid("period", d.String(), "is not allowed; a period is whole minutes, from 1m to 8784h")
	}
	return nil
}

// Known reports whether c is a verdict.
func (c Compliance) Known() bool {
	switch c {
	case Compliant, NonCompliant, NotApplicable, InsufficientData, Error:
		return true
	}
	return false
}

// ParseCompliance accepts the verdicts.
func ParseCompliance(text string) (Compliance, error) {
	if c := Compliance(text); c.Known() {
		return c, nil
	}
	return "", invalid("compliance", text, "is none; there are COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE, INSUFFICIENT_DATA and ERROR")
}

// MaxAnnotation is how many characters an annotation has at most.
const MaxAnnotation = 256

// Annotate is a verdict whose annotation is cut to what is allowed, in valid UTF-8.
func Annotate(c Compliance, annotation string) Verdict {
	return Verdict{c, shorten(annotation, MaxAnnotation)}
}

// shorten cuts a text to a number of characters, the last of which then tells so.
func shorten(text string, most int) string {
	n := 0
	cut := 0
	for i := range text {
		if n == most-1 {
			cut = i
		}
		if n++; n > most {
			return toValid(text[:cut]) + "…"
		}
	}
	return toValid(text)
}

func invalid(field, value, text string) *history.Error {
	if value != "" {
		value = fmt.Sprintf("%q", shorten(value, 80))
	}
	return &history.Error{Kind: history.Invalid, Field: field, Value: value, Text: text}
}
