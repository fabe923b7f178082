package when_test

import (
	"testing"
	"time"

	"github.com/varvehq/varve/cmd/internal/when"
)

func TestAge(t *testing.T) {
	now := time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"90d":    "2027-12-01T12:00:00Z",
		"1y":     "2027-03-01T12:00:00Z", // there is no 29 February
		"4y":     "2024-02-29T12:00:00Z",
		"1y1d":   "2027-02-28T12:00:00Z",
		"2w":     "2028-02-15T12:00:00Z",
		"1d12h":  "2028-02-28T00:00:00Z",
		"900y":   "1970-01-01T00:00:00.000001Z", // the first that a store can hold
		"36h30m": "2028-02-27T23:30:00Z",
	} {
		var a when.Age
		if err := a.Set(text); err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := a.Before(now).String(); got != want || a.String() != text || !a.Given() {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"", "0d", "0y", "-1d", "y", "1y-1d", "90", "1d1y", "1.5y", "d", "99999999999999999999d", "2026-01-01", "now"} {
		var a when.Age
		if err := a.Set(text); err == nil {
			t.Errorf("%q was taken for %s", text, a.Before(now))
		}
	}
}
