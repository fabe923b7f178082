package diff

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// escape writes everything that is not plainly visible as JSON escapes: control
// characters, line and paragraph separators, marks of direction, characters
// without a glyph. What is not UTF-8 becomes the replacement character.
func escape(text string) string {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }
	if !strings.ContainsFunc(text, hidden) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == utf8.RuneError || !hidden(r):
			out.WriteRune(r)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\t':
			out.WriteString(`\t`)
		case r == '\r':
			out.WriteString(`\r`)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

// show makes a value fit a line.
func show(text string, width int) string { return cut(text, 0, width) }

// showPair makes two values fit a line. If they are long, it shows both from
// shortly before the place where they part.
func showPair(a, b string, width int) (string, string) {
	from := 0
	if !fits(a, width) || !fits(b, width) {
		from = backUp(a, commonPrefix(a, b), width/3)
	}
	return cut(a, from, width), cut(b, from, width)
}

// cut shows a text from an offset on, in so many characters, with a mark where
// something is missing and the size of the whole.
func cut(text string, from, width int) string {
	shown, rest := take(text[from:], width)
	if from == 0 && rest == "" {
		return escape(shown)
	}
	out := escape(shown)
	if from > 0 {
		out = "…" + out
	}
	if rest != "" {
		out += "…"
	}
	return out + " (" + size(len(text)) + ")"
}

// take splits a text after so many characters. A few more are let through if
// that is all.
func take(text string, width int) (head, rest string) {
	const few = 12
	n, end := 0, len(text)
	for i := range text {
		if n == width {
			end = i
		}
		if n == width+few {
			return text[:end], text[end:]
		}
		n++
	}
	return text, ""
}

func fits(text string, width int) bool {
	_, rest := take(text, width)
	return rest == ""
}

// commonPrefix is the length of what two texts begin with, in whole characters.
func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && n < len(a) && !utf8.RuneStart(a[n]) {
		n--
	}
	return n
}

// backUp goes back so many characters from an offset, and to the beginning if
// little is left before it.
func backUp(text string, from, chars int) int {
	const little = 12
	for ; chars > 0 && from > 0; chars-- {
		_, n := utf8.DecodeLastRuneInString(text[:from])
		from -= n
	}
	if from <= little {
		return 0
	}
	return from
}

// size is a number of bytes for people.
func size(n int) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
