package when

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Known is the second axis of a question as it was typed: a revision in decimal
// or a moment of recording. It is a pflag.Value; its text is what the API takes,
// empty where nothing was typed:
// all that is known.
type Known string

// ParseKnown reads a revision, or a moment as [Parse] does.
func ParseKnown(text string, now time.Time) (Known, error) {
	if text != "" && strings.Trim(text, "0123456789") == "" {
		if _, err := strconv.ParseUint(text, 10, 64); err != nil {
			return "", fmt.Errorf("%s is no revision: it is too large", text)
		}
		return Known(text), nil
	}
	m, err := Parse(text, now)
	if err != nil {
		return "", fmt.Errorf("%w; or a revision", err)
	}
	return Known(m.String()), nil
}

// String is the text the API takes.
func (k Known) String() string { return string(k) }

// Set reads what stands after a flag.
func (k *Known) Set(text string) (err error) {
	*k, err = ParseKnown(text, time.Now())
	return err
}

// Type names the value in usage texts.
func (k *Known) Type() string { return "REV|TIME" }
