// Package walk steps through JSON in canonical form. It trusts its input: what
// has not passed package canonical may send it anywhere but out of bounds.
package walk

import (
	"bytes"
	"iter"

	"github.com/go-json-experiment/json/jsontext"
)

// Object yields the members of an object in their order: the key, unescaped,
// and the value as it stands. Of any other value it yields nothing. Keys and
// values are parts of doc, but for a key that has escapes.
func Object(doc []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		if len(doc) < 2 || doc[0] != '{' {
			return
		}
		for i := 1; i < len(doc) && doc[i] == '"'; i++ {
			colon := skip(doc, i)
			if colon >= len(doc) {
				return
			}
			end := skip(doc, colon+1)
			if end > len(doc) || !yield(unquote(doc[i:colon]), doc[colon+1:end]) {
				return
			}
			i = end // at the comma or the closing brace
		}
	}
}

// Array yields the elements of an array. Of any other value it yields nothing.
func Array(doc []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(doc) < 2 || doc[0] != '[' || doc[1] == ']' {
			return
		}
		for i := 1; i < len(doc); i++ {
			end := skip(doc, i)
			if end > len(doc) || end == i || !yield(doc[i:end]) {
				return
			}
			i = end // at the comma or the closing bracket
		}
	}
}

// Member returns the value of a member of an object, nil if there is none. The
// key must be ASCII: the search ends at the first key that sorts behind it.
func Member(doc []byte, key string) []byte {
	for k, v := range Object(doc) {
		switch {
		case string(k) == key:
			return v
		case string(k) > key:
			return nil
		}
	}
	return nil
}

// Text returns the string that a JSON string stands for, and whether doc is one.
func Text(doc []byte) (string, bool) {
	if len(doc) < 2 || doc[0] != '"' {
		return "", false
	}
	return string(unquote(doc)), true
}

// unquote returns the inside of a string, unescaped.
func unquote(quoted []byte) []byte {
	if len(quoted) < 2 {
		return nil
	}
	inside := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside
	}
	text, _ := jsontext.AppendUnquote(nil, quoted)
	return text
}

// skip returns the offset behind the value that begins at offset i.
func skip(doc []byte, i int) int {
	if i >= len(doc) {
		return len(doc) + 1
	}
	switch doc[i] {
	case '"':
		return skipString(doc, i)
	case '{', '[':
		for depth := 0; i < len(doc); {
			switch doc[i] {
			case '"':
				i = skipString(doc, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return len(doc) + 1
	}
	for i < len(doc) && doc[i] != ',' && doc[i] != '}' && doc[i] != ']' {
		i++
	}
	return i
}

// skipString looks for the closing quote: the first one before which the number
// of backslashes is even.
func skipString(doc []byte, i int) int {
	for from := i + 1; from < len(doc); {
		n := bytes.IndexByte(doc[from:], '"')
		if n < 0 {
			break
		}
		quote := from + n
		backslashes := 0
		for doc[quote-1-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return quote + 1
		}
		from = quote + 1
	}
	return len(doc) + 1
}
