package when

import (
	"fmt"
	"strings"
	"time"
)

// State is one side of a comparison as it was typed: a version such as v3, or a
// moment. It is a pflag.Value; its text is what the API takes, empty for the
// newest state.
type State struct {
	text  string
	given bool
}

// ParseState reads a version, or a moment as [Parse] does.
func ParseState(text string, now time.Time) (State, error) {
	if number, ok := strings.CutPrefix(text, "v"); ok && number != "" && strings.Trim(number, "0123456789") == "" {
		return State{text: text, given: true}, nil
	}
	m, err := Parse(text, now)
	if err != nil {
		return State{}, fmt.Errorf("%w; or a version such as v3", err)
	}
	t, fixed := m.Fixed()
	if !fixed {
		return State{given: true}, nil
	}
	return State{text: t.Format(time.RFC3339Nano), given: true}, nil
}

// Given reports whether anything was typed.
func (s State) Given() bool { return s.given }

// String is the text the API takes.
func (s State) String() string { return s.text }

// Set reads what stands after a flag.
func (s *State) Set(text string) (err error) {
	*s, err = ParseState(text, time.Now())
	return err
}

// Type names the value in usage texts.
func (s *State) Type() string { return "TIME|vN" }
