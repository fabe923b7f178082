package when

import (
	"fmt"
	"strings"
	"time"
)

// State is one side of a comparison as it was typed: a version such as v3, or a
// moment. It is a pflag.Value; its text is what the API takes, empty
// where nothing was typed: the newest state.
type State string

// ParseState reads a version, or a moment as [Parse] does.
func ParseState(text string, now time.Time) (State, error) {
	if number, ok := strings.CutPrefix(text, "v"); ok && number != "" && strings.Trim(number, "0123456789") == "" {
		return State(text), nil
	}
	m, err := Parse(text, now)
	if err != nil {
		return "", fmt.Errorf("%w; or a version such as v3", err)
	}
	return State(m.String()), nil
}

// Given reports whether anything was typed.
func (s State) Given() bool { return s != "" }

// String is the text the API takes.
func (s State) String() string { return string(s) }

// Set reads what stands after a flag.
func (s *State) Set(text string) (err error) {
	*s, err = ParseState(text, time.Now())
	return err
}

// Type names the value in usage texts.
func (s *State) Type() string { return "TIME|vN" }
