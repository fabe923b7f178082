package diff

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// appendToken adds one reference token to a JSON pointer (RFC 6901).
func appendToken(pointer []byte, token string) []byte {
	pointer = append(pointer, '/')
	for i := range len(token) {
		switch token[i] {
		case '~':
			pointer = append(pointer, "~0"...)
		case '/':
			pointer = append(pointer, "~1"...)
		default:
			pointer = append(pointer, token[i])
		}
	}
	return pointer
}

// appendIndex adds an array index to a JSON pointer.
func appendIndex(pointer []byte, i int) []byte {
	return strconv.AppendInt(append(pointer, '/'), int64(i), 10)
}

var unescapeToken = strings.NewReplacer("~1", "/", "~0", "~")

// splitPointer returns the decoded reference tokens of a JSON pointer. The empty
// pointer, which means the whole document, has none.
func splitPointer(pointer string) ([]string, error) {
	if pointer == "" {
		return nil, nil
	}
	if pointer[0] != '/' {
		return nil, fmt.Errorf("%w: pointer %q does not begin with a slash", ErrPatch, pointer)
	}
	if !utf8.ValidString(pointer) {
		return nil, fmt.Errorf("%w: pointer %q is not UTF-8", ErrPatch, pointer)
	}
	tokens := strings.Split(pointer[1:], "/")
	for i, token := range tokens {
		for rest := token; ; {
			at := strings.IndexByte(rest, '~')
			if at < 0 {
				break
			}
			if at+1 == len(rest) || rest[at+1] != '0' && rest[at+1] != '1' {
				return nil, fmt.Errorf("%w: pointer %q has a bare tilde", ErrPatch, pointer)
			}
			rest = rest[at+2:]
		}
		tokens[i] = unescapeToken.Replace(token)
	}
	return tokens, nil
}

// arrayIndex reads a reference token as an index into an array of n elements.
// Only the plain decimal form counts: no sign, no leading zero.
func arrayIndex(token string, n int) (int, error) {
	i, err := strconv.Atoi(token)
	if err != nil || strconv.Itoa(i) != token || i < 0 {
		return 0, fmt.Errorf("%w: %q is not an array index", ErrPath, token)
	}
	if i >= n {
		return 0, fmt.Errorf("%w: index %d in an array of %d", ErrPath, i, n)
	}
	return i, nil
}
