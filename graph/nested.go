package graph

import (
	"bytes"
	"net/url"
	"strings"
)

// nested looks for identifiers in a string which itself is a document: a policy,
// the definition of a state machine, as JSON or percent-encoded. What is found
// has the string as its source. Such a document need not be canonical, nor even
// whole: it is enough to know its strings.
func (x *extractor) nested(raw []byte) {
	var text []byte
	switch {
	case raw[0] == '{' || raw[0] == '[' || raw[0] == '\\' || raw[0] == ' ':
		if bytes.IndexByte(raw, '"') < 0 || !promising(raw) {
			return
		}
		x.scratch = unescape(x.scratch[:0], raw)
		text = x.scratch
		// Some documents were escaped twice on their way.
		if bytes.HasPrefix(text, []byte(`{\"`)) {
			text = unescape(nil, text)
		}
	case raw[0] == '%' && (bytes.HasPrefix(raw, []byte("%7B")) || bytes.HasPrefix(raw, []byte("%7b"))):
		plain, err := url.PathUnescape(string(raw))
		if err != nil {
			return
		}
		text = []byte(plain)
	default:
		return
	}
	if text = bytes.TrimLeft(text, " \t\r\n"); len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return
	}
	for {
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			return
		}
		end := stringEnd(text, i+1)
		if end >= len(text) {
			return
		}
		value := text[i+1 : end]
		text = text[end+1:]
		if rest := bytes.TrimLeft(text, " \t\r\n"); len(rest) > 0 && rest[0] == ':' {
			continue // the name of a member
		}
		if plausible(value) {
			x.insideString(string(value))
		}
	}
}

// promising tells whether a document is worth the reading: a policy, or one in
// which ARNs stand.
func promising(raw []byte) bool {
	return bytes.Contains(raw, []byte("arn:")) || bytes.Contains(raw, []byte(`Statement\"`))
}

// insideString notes a reference that stands in a document inside a string.
// UIDs there are mostly those of statements and requests.
func (x *extractor) insideString(text string) {
	if len(text) == 36 && text[8] == '-' && !strings.Contains(text, ":") {
		return
	}
	if id, ok := x.t.identify(text); ok {
		x.reference(id)
	}
}
