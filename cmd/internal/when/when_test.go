package when_test

import (
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/cmd/internal/when"
)

var noon = time.Date(2026, 7, 18, 12, 0, 0, 0, time.UTC)

// firstText is the first moment that a store can hold.
const firstText = "1970-01-01T00:00:00.000001Z"

func TestParse(t *testing.T) {
	tests := []struct{ text, want string }{
		{"2026-07-18T12:00:00Z", "2026-07-18T12:00:00Z"},
		{"2026-07-18t12:00:00z", "2026-07-18T12:00:00Z"},
		{"2026-07-18T14:00:00+02:00", "2026-07-18T12:00:00Z"},
		{"2026-07-18T12:00:00.123456Z", "2026-07-18T12:00:00.123456Z"},
		{"2026-07-18", "2026-07-18T00:00:00Z"},
		{"-2h", "2026-07-18T10:00:00Z"},
		{"-0s", "2026-07-18T12:00:00Z"},
		{"-90m", "2026-07-18T10:30:00Z"},
		{"-3d", "2026-07-15T12:00:00Z"},
		{"-1w", "2026-07-11T12:00:00Z"},
		{"-1d12h", "2026-07-17T00:00:00Z"},
		{"-1w2d3h4m5s", "2026-07-09T08:55:55Z"},
		{"now", "2026-07-18T12:00:00Z"},
		{"0001-01-01", firstText},
		{"0001-01-01T00:00:00Z", firstText},
		{"1969-12-31", firstText},
		{"1970-01-01", firstText},
		{"1970-01-01T00:00:00.000001Z", firstText},
		{"1970-01-01T00:00:00.000002Z", "1970-01-01T00:00:00.000002Z"},
		{"-9999w", firstText},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			m, err := when.Parse(tt.text, noon)
			if err != nil {
				t.Fatal(err)
			}
			if m.String() != tt.want || !m.Given() {
				t.Errorf("got %s, want %s", m, tt.want)
			}
			if got := m.Timestamp().AsTime().Format(time.RFC3339Nano); got != tt.want {
				t.Errorf("timestamp %s, want %s", got, tt.want)
			}
			if m.BeforeAll() != (tt.want == firstText) {
				t.Errorf("before all: %t", m.BeforeAll())
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", "-", "yesterday", "2026", "2026-13-01", "2026-07-18T12:00:00", "2026-07-18 12:00:00Z",
		"-h", "-2", "-2x", "-2h3", "-2h1d", "-1h1h", "-1.5h", "--2h", "+2h", "2h", "-9999999w", "-9223372036854775808s", "NOW",
		"v3", "17", "0000-01-01", "0000-12-31T12:00:00Z",
	} {
		t.Run(text, func(t *testing.T) {
			if m, err := when.Parse(text, noon); err == nil {
				t.Errorf("taken for %s", m)
			} else if !strings.Contains(err.Error(), "\""+text+"\"") {
				t.Errorf("the error does not name the text: %v", err)
			}
		})
	}
}

func TestZeroMoment(t *testing.T) {
	var m when.Moment
	if m.Given() || m.BeforeAll() || m.String() != "" || m.Timestamp() != nil {
		t.Errorf("the zero moment is not empty: %q", m.String())
	}
}

func TestParseKnown(t *testing.T) {
	for text, want := range map[string]string{
		"17":                   "17",
		"18446744073709551615": "18446744073709551615",
		"2026-07-18":           "2026-07-18T00:00:00Z",
		"-2h":                  "2026-07-18T10:00:00Z",
		"now":                  "2026-07-18T12:00:00Z",
		"0001-01-01":           firstText,
	} {
		if k, err := when.ParseKnown(text, noon); err != nil || k.String() != want {
			t.Errorf("%s: got %q, %v; want %q", text, k, err, want)
		}
	}
	for _, text := range []string{"", "18446744073709551616", "v3", "17 ", "yesterday"} {
		if k, err := when.ParseKnown(text, noon); err == nil {
			t.Errorf("%q: taken for %q", text, k)
		}
	}
}

func TestParseState(t *testing.T) {
	for text, want := range map[string]string{
		"v3":         "v3",
		"2026-07-18": "2026-07-18T00:00:00Z",
		"-3d":        "2026-07-15T12:00:00Z",
		"now":        "2026-07-18T12:00:00Z",
		"0001-01-01": firstText,
	} {
		if s, err := when.ParseState(text, noon); err != nil || s.String() != want || !s.Given() {
			t.Errorf("%s: got %q, %v; want %q", text, s, err, want)
		}
	}
	for _, text := range []string{"", "v", "v-1", "3", "v3a", "V3"} {
		if s, err := when.ParseState(text, noon); err == nil {
			t.Errorf("%q: taken for %q", text, s)
		}
	}
}
