package canonical

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Kind says why a document was refused. The list is closed.
type Kind string

const (
	// Syntax is a breach of the JSON grammar, including an empty document, one
	// that ends early and one that is followed by more data.
	Syntax Kind = "Syntax"

	// DuplicateKey is a key that an object gives twice, perhaps spelt with
	// different escapes.
	DuplicateKey Kind = "DuplicateKey"

	// InvalidUTF8 is a byte that is no part of UTF-8 text.
	InvalidUTF8 Kind = "InvalidUTF8"

	// LoneSurrogate is an escape of one half of a surrogate pair.
	LoneSurrogate Kind = "LoneSurrogate"

	// TooDeep is nesting beyond [Limits.MaxDepth].
	TooDeep Kind = "TooDeep"

	// TooLarge is a source beyond [Limits.MaxBytes].
	TooLarge Kind = "TooLarge"
)

// Error says where and why a document was refused. It has no field name of its
// own; the caller, who knows which field the document came from, puts that in
// front:
//
//	configuration: duplicate key "a" at /spec/0 (byte 17): also given at byte 11; keep one of them
//
// Values are not quoted, because they may be secrets: the text shows the keys on
// the way to the place and at most the one character or escape that is wrong.
type Error struct {
	Kind Kind

	// Pointer is the RFC 6901 JSON pointer of the innermost value that was
	// being read, for a DuplicateKey of the object that has it. It is empty at
	// the top level, and complete however long it is.
	Pointer string

	// Offset counts the bytes of the source before the place.
	Offset int

	// Problem names what was found, Remedy what would be accepted.
	Problem string
	Remedy  string
}

// Error returns the problem, its place and the remedy in one line, with a long
// pointer shortened in its middle.
func (e *Error) Error() string {
	switch {
	case e.Kind == TooLarge:
		return e.Problem + ": " + e.Remedy
	case e.Pointer == "":
		return fmt.Sprintf("%s at top level (byte %d): %s", e.Problem, e.Offset, e.Remedy)
	}
	return fmt.Sprintf("%s at %s (byte %d): %s", e.Problem, printable(shorten(e.Pointer)), e.Offset, e.Remedy)
}

// unexpected refuses what stands at offset i of the source, where want would
// have been right.
func (s *scanner) unexpected(i int, want string) error {
	want = "expected " + want
	switch {
	case i < len(s.src):
		r, _ := utf8.DecodeRune(s.src[i:])
		if r == '\ufeff' && i == 0 {
			return &Error{Kind: Syntax, Problem: "byte order mark U+FEFF", Remedy: "leave it out"}
		}
		return &Error{Kind: Syntax, Offset: i, Problem: "unexpected " + strconv.QuoteRune(r), Remedy: want}
	case len(s.bad) > 0:
		return notUTF8(i, s.bad[0])
	case i == s.start:
		return &Error{Kind: Syntax, Offset: i, Problem: "document is empty", Remedy: want}
	}
	return &Error{Kind: Syntax, Offset: i, Problem: "document ends early", Remedy: want}
}

func notUTF8(i int, c byte) error {
	return &Error{
		Kind:    InvalidUTF8,
		Offset:  i,
		Problem: fmt.Sprintf("invalid UTF-8 byte 0x%02x", c),
		Remedy:  "encode text as UTF-8, and other bytes as base64",
	}
}

// openString refuses a string that is still open at offset i.
func (s *scanner) openString(i int) error {
	if i >= len(s.src) {
		return s.unexpected(i, "a closing double quote")
	}
	c := s.src[i]
	return &Error{
		Kind:    Syntax,
		Offset:  i,
		Problem: fmt.Sprintf("control character 0x%02x in a string", c),
		Remedy:  "write it as " + string(appendEscape(nil, c)),
	}
}

// badEscape refuses the backslash at offset i, of which unescape made nothing.
func (s *scanner) badEscape(i int) error {
	if codeUnit(s.src[i:]) >= 0 {
		return &Error{
			Kind:    LoneSurrogate,
			Offset:  i,
			Problem: "lone surrogate " + string(s.src[i:i+6]),
			Remedy:  "escape both halves of the pair, high before low, or write the character itself",
		}
	}
	if s.at(i+1) != 'u' {
		return s.unexpected(i+1, `one of "\/bfnrtu after a backslash`)
	}
	i += 2
	for hexDigit(s.at(i)) >= 0 {
		i++
	}
	return s.unexpected(i, `four hexadecimal digits after \u`)
}

func (s *scanner) duplicate(first, second *member) error {
	return &Error{
		Kind:    DuplicateKey,
		Offset:  int(second.at),
		Problem: "duplicate key " + strconv.Quote(shorten(string(s.name(second)))),
		Remedy:  fmt.Sprintf("also given at byte %d; keep one of them", first.at),
	}
}

func (s *scanner) tooDeep() error {
	return &Error{
		Kind:    TooDeep,
		Offset:  s.pos,
		Problem: fmt.Sprintf("nesting deeper than %d levels", s.lim.MaxDepth),
		Remedy:  "flatten the document or raise the limit",
	}
}

func (s *scanner) tooLarge() error {
	return &Error{
		Kind:    TooLarge,
		Offset:  s.lim.MaxBytes,
		Problem: fmt.Sprintf("document of %d bytes is larger than %d bytes", len(s.src), s.lim.MaxBytes),
		Remedy:  "split the document or raise the limit",
	}
}

// within notes that err arose in the value of this key or index. The tokens
// arrive from the inside out and are joined once, by located: a pointer can be
// as long as the document, too long to be copied at every level.
func (s *scanner) within(token string, err error) error {
	s.path = append(s.path, token)
	return err
}

// located completes err with the pointer that within has collected.
func (s *scanner) located(err error) error {
	var pointer strings.Builder
	escaper := strings.NewReplacer("~", "~0", "/", "~1")
	for i := len(s.path) - 1; i >= 0; i-- {
		pointer.WriteByte('/')
		pointer.WriteString(escaper.Replace(s.path[i]))
	}

	var e *Error
	if errors.As(err, &e) {
		e.Pointer = pointer.String()
	}
	return err
}

// shorten leaves out the middle of a text that would crowd a line.
func shorten(text string) string {
	const most = 120
	if len(text) <= most {
		return text
	}

	head, tail := most/2, len(text)-most/2
	for !utf8.RuneStart(text[head]) {
		head--
	}
	for !utf8.RuneStart(text[tail]) {
		tail++
	}
	return text[:head] + "…" + text[tail:]
}

// printable quotes a text that could break out of its line or its sentence.
func printable(text string) string {
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' || r == '"' }
	if strings.ContainsFunc(text, odd) {
		return strconv.Quote(text)
	}
	return text
}
