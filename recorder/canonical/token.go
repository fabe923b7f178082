package canonical

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// cut ends the source before its first byte that is not UTF-8. What is left is
// then read without another thought for it, and whoever meets the end too early
// learns from unexpected that a bad byte is the reason.
func (s *scanner) cut() {
	if utf8.Valid(s.src) {
		return
	}
	i := 0
	for {
		r, n := utf8.DecodeRune(s.src[i:])
		if r == utf8.RuneError && n == 1 {
			s.src, s.bad = s.src[:i], s.src[i:]
			return
		}
		i += n
	}
}

// peek returns the next byte to read, and at the one at offset i. Both return 0,
// which has no meaning in JSON, at the end.
func (s *scanner) peek() byte { return s.at(s.pos) }

func (s *scanner) at(i int) byte {
	if i < len(s.src) {
		return s.src[i]
	}
	return 0
}

// space leaves out the white space at s.pos. It is small enough to be inlined:
// mostly there is none.
func (s *scanner) space() {
	if s.pos < len(s.src) && s.src[s.pos] <= ' ' {
		s.skip()
	}
}

func (s *scanner) skip() {
	end := s.pos
	for end < len(s.src) {
		if c := s.src[end]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			break
		}
		end++
	}
	if s.quiet {
		s.pos = end
		return
	}
	s.flush(s.pos)
	s.resume(end)
}

// flush copies the source up to offset end to the output. What stands between
// there and the offset at which to resume is left out or has been respelt.
func (s *scanner) flush(end int) {
	if len(s.out) == s.base {
		s.out = slices.Grow(s.out, len(s.src)-s.done)
	}
	s.out = append(s.out, s.src[s.done:end]...)
}

func (s *scanner) resume(pos int) {
	s.pos, s.done = pos, pos
	s.shift = len(s.out) - s.base - pos
}

// place returns the place in the text of the byte at offset i of the source,
// which must not be before the last resume.
func (s *scanner) place(i int) int32 { return int32(i + s.shift) }

// untouched reports, after document, whether the text is the source itself and
// in order.
func (s *scanner) untouched() bool {
	return s.done == 0 && len(s.jumbled) == 0
}

func (s *scanner) literal(word string) error {
	rest := s.src[s.pos:]
	if !bytes.HasPrefix(rest, []byte(word)) {
		i := 0
		for i < len(rest) && rest[i] == word[i] {
			i++
		}
		return s.unexpected(s.pos+i, word)
	}
	s.pos += len(word)
	return nil
}

// number reads a number, which stays as it is:
//
//	-? (0 | [1-9] [0-9]*) ([.] [0-9]+)? ([eE] [+-]? [0-9]+)?
func (s *scanner) number() error {
	i := s.pos
	if s.at(i) == '-' {
		i++
	}
	whole := s.digits(i)
	if s.at(i) == '0' {
		whole = i + 1
	}
	if whole == i {
		return s.unexpected(i, "a digit")
	}

	i = whole
	if s.at(i) == '.' {
		i++
		fraction := s.digits(i)
		if fraction == i {
			return s.unexpected(i, "a digit")
		}
		i = fraction
	}
	if c := s.at(i); c == 'e' || c == 'E' {
		i++
		if c := s.at(i); c == '+' || c == '-' {
			i++
		}
		exponent := s.digits(i)
		if exponent == i {
			return s.unexpected(i, "a digit")
		}
		i = exponent
	}
	s.pos = i
	return nil
}

// digits returns the offset behind the digits that begin at i.
func (s *scanner) digits(i int) int {
	for i < len(s.src) && '0' <= s.src[i] && s.src[i] <= '9' {
		i++
	}
	return i
}
