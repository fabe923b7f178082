package terminal

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns stored text as it may stand on a terminal: characters that a
// terminal acts on, or that change the order in which it shows the others, are
// written as escapes (\n, \u001b).
func Clean(text string) string {
	if clean(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case acts(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func clean(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] >= 0x7f {
			return utf8.ValidString(text) && strings.IndexFunc(text, acts) < 0
		}
	}
	return true
}

// CleanLines is Clean for text of several lines, which stays in lines.
func CleanLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = Clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

// CleanJSON returns JSON which means the same and may stand on a terminal. JSON
// itself escapes the control characters below the space; what is left can only
// stand inside strings, where an escape says the same.
func CleanJSON(text []byte) []byte {
	acting := func(r rune) bool { return r != '\n' && acts(r) }
	if bytes.IndexFunc(text, acting) < 0 {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		if acting(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.Bytes()
}

// acts reports whether a terminal does something else with r than show it. All
// such characters lie in the basic plane.
func acts(r rune) bool {
	switch {
	case unicode.IsControl(r), // with C1, which some terminals obey
		r == 0x61c, r == 0x200e, r == 0x200f, // marks of direction
		0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069, // overrides and isolates
		r == 0x2028, r == 0x2029: // separators
		return true
	}
	return false
}
