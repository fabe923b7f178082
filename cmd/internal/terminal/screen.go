// Package terminal knows what may be written to a terminal, and how: colours,
// width, and stored text that must not reach it raw.
package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Screen says what the reader of an output sees. The zero Screen is a file or a
// pipe: no colours, no width.
type Screen struct {
	Terminal bool
	Color    bool
	Width    int // in columns; 0 = unlimited
}

// Of looks at an output. Colours are for terminals, unless NO_COLOR is set
// (https://no-color.org) or the terminal is a dumb one.
func Of(w io.Writer) Screen {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return Screen{}
	}
	s := Screen{
		Terminal: true,
		Color:    os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		s.Width = width
	}
	return s
}

// Style is how a piece of text looks.
type Style string

// The styles. They use the terminal's own palette, so that they fit its theme.
const (
	Plain  Style = ""
	Bold   Style = "\x1b[1m"
	Dim    Style = "\x1b[2m"
	Red    Style = "\x1b[31m"
	Green  Style = "\x1b[32m"
	Yellow Style = "\x1b[33m"
	Cyan   Style = "\x1b[36m"
)

// Paint returns text in a style, if the screen has colours. The text must be
// clean.
func (s Screen) Paint(style Style, text string) string {
	if !s.Color || style == Plain || text == "" {
		return text
	}
	return string(style) + text + "\x1b[0m"
}
