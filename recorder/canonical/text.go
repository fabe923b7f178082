package canonical

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendString appends text as a canonical JSON string, quotes included, to dst
// and returns the longer slice. Text that is not UTF-8 is refused with an
// [*Error] of kind InvalidUTF8; dst is then returned as it was.
func AppendString(dst []byte, text string) ([]byte, error) {
	for i, r := range text {
		if r != utf8.RuneError {
			continue
		}
		if _, n := utf8.DecodeRuneInString(text[i:]); n == 1 {
			return dst, notUTF8(i, text[i])
		}
	}

	dst = append(dst, '"')
	done := 0
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' {
			dst = append(dst, text[done:i]...)
			dst = appendEscape(dst, c)
			done = i + 1
		}
	}
	dst = append(dst, text[done:]...)
	return append(dst, '"'), nil
}

// str reads a string and respells it unless its escapes are canonical. It
// reports whether the string has any escapes.
func (s *scanner) str() (escaped bool, err error) {
	canonical := true
	src := s.src
	for i := s.pos + 1; ; {
		// This is plain, spelt out: the call would cost as much as the work.
		for i+8 <= len(src) {
			if found := special(binary.LittleEndian.Uint64(src[i:])); found != 0 {
				i += bits.TrailingZeros64(found) / 8
				break
			}
			i += 8
		}

		switch c := s.at(i); {
		case c == '"':
			if canonical || s.quiet {
				s.pos = i + 1
			} else {
				s.respell(i + 1)
			}
			return escaped, nil

		case c == '\\':
			escaped = true
			if c := s.at(i + 1); shortEscapes[c] != 0 {
				canonical = canonical && c != '/'
				i += 2
				continue
			}
			r, n := unescape(src[i:])
			if n == 0 {
				return false, s.badEscape(i)
			}
			canonical = canonical && isCanonicalEscape(r, src[i:i+n])
			i += n

		case c < ' ': // also at the end of the source
			return false, s.openString(i)

		default: // one of the last bytes, too few for a word
			i++
		}
	}
}

// respell writes the string from s.pos to end with canonical escapes.
func (s *scanner) respell(end int) {
	s.flush(s.pos)
	done := s.pos
	for i := s.pos + 1; ; {
		i += plain(s.src[i:end])
		if i == end-1 {
			break
		}
		s.out = append(s.out, s.src[done:i]...)
		r, n := unescape(s.src[i:end])
		if r < ' ' || r == '"' || r == '\\' {
			s.out = appendEscape(s.out, byte(r))
		} else {
			s.out = utf8.AppendRune(s.out, r)
		}
		i += n
		done = i
	}
	s.out = append(s.out, s.src[done:end]...)
	s.resume(end)
}

// appendUnescaped appends what the inside of a valid string stands for.
func appendUnescaped(dst, inside []byte) []byte {
	done := 0
	for i := 0; ; {
		i += plain(inside[i:])
		if i == len(inside) {
			break
		}
		dst = append(dst, inside[done:i]...)
		r, n := unescape(inside[i:])
		dst = utf8.AppendRune(dst, r)
		i += n
		done = i
	}
	return append(dst, inside[done:]...)
}

// plain returns how many bytes of text come before the first special one.
func plain(text []byte) int {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		if found := special(binary.LittleEndian.Uint64(text[i:])); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for i < len(text) && text[i] >= ' ' && text[i] != '"' && text[i] != '\\' {
		i++
	}
	return i
}

// One and the top bit in each of the eight bytes of a word.
const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// special looks at eight bytes of text for those that end a string or want a
// closer look: double quotes, backslashes and control characters. The lowest bit
// set in its result is the top bit of the first of them; none means there is none.
//
// Subtracting sets the top bit of a byte that is smaller than the subtrahend. A
// borrow can also set that of the byte above, never of one below, so the lowest
// is right. Bytes that had the top bit from the start, those of characters beyond
// ASCII, do not count.
func special(word uint64) uint64 {
	control := word - ' '*ones
	quote := (word ^ '"'*ones) - ones
	backslash := (word ^ '\\'*ones) - ones
	return (control | quote | backslash) &^ word & tops
}

// shortEscapes has, by the letter behind the backslash, the character that an
// escape of two bytes stands for.
var shortEscapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// unescape returns the character for which the escape at the beginning of text
// stands and the length of the escape, or the length 0 if it stands for none.
// The two halves of a surrogate pair are one escape of 12 bytes.
func unescape(text []byte) (r rune, n int) {
	if len(text) < 2 {
		return 0, 0
	}
	if c := shortEscapes[text[1]]; c != 0 {
		return rune(c), 2
	}
	r = codeUnit(text)
	if r < 0 {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	r = utf16.DecodeRune(r, codeUnit(text[6:]))
	if r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// codeUnit returns the value of the \uXXXX at the beginning of text, or -1.
func codeUnit(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	unit := rune(0)
	for _, c := range text[2:6] {
		digit := hexDigit(c)
		if digit < 0 {
			return -1
		}
		unit = unit<<4 | digit
	}
	return unit
}

func hexDigit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c && c <= 'f':
		return rune(c - 'a' + 10)
	case 'A' <= c && c <= 'F':
		return rune(c - 'A' + 10)
	}
	return -1
}

// isCanonicalEscape reports whether appendEscape writes r as this escape.
func isCanonicalEscape(r rune, escape []byte) bool {
	switch r {
	case '\b', '\f', '\n', '\r', '\t', '"', '\\':
		return len(escape) == 2
	}
	return r < ' ' && (escape[5] < 'A' || 'F' < escape[5])
}

// appendEscape appends the shortest escape of a character that needs one.
func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}
