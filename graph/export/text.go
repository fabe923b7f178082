package export

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible makes every character of a text one that is seen.
func visible(text string) string {
	return escape(text, func(r rune) bool { return acts(r) || unicode.Is(unicode.Noncharacter_Code_Point, r) })
}

// forXML leaves in a text what XML can hold.
func forXML(text string) string {
	return escape(text, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
	})
}

// escape writes some characters, and bytes that are none, as escapes.
func escape(text string, which func(rune) bool) string {
	if utf8.ValidString(text) && strings.IndexFunc(text, which) < 0 {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case !which(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// acts reports whether a terminal does something else with r than show it.
func acts(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

// calm writes characters on which a terminal acts in the form that a document has
// for any character; line feeds stay.
func calm(document []byte, form string) []byte {
	acting := func(r rune) bool { return r != '\n' && acts(r) }
	if bytes.IndexFunc(document, acting) < 0 {
		return document
	}
	var b bytes.Buffer
	for _, r := range string(document) {
		if acting(r) {
			fmt.Fprintf(&b, form, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.Bytes()
}
