package diff

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// A KeyRule says what identifies the elements of an array. Names of object keys
// in it are compared without regard to case, hyphens, underscores and blanks, so
// that one rule holds for ipProtocol, IpProtocol and ip_protocol.
type KeyRule struct {
	// Type is the resource type the rule is for. It may end in an asterisk, for
	// any ending; empty means all.
	Type string

	// Array names the arrays: the last object keys on the way to it, separated by
	// slashes, an asterisk for any one key. Elements of arrays on the way do not
	// count: containers/ports means the ports of every container. Empty means all.
	Array string

	// Keys together identify an element. A key may lead into an object, as in
	// metadata/name. A key with a question mark at its end may be missing, as long
	// as not all are.
	Keys []string
}

// fits tells whether the rule is for the array that these object keys lead to.
func (r KeyRule) fits(resourceType string, keys []string) bool {
	if prefix, ok := strings.CutSuffix(r.Type, "*"); ok {
		if !strings.HasPrefix(resourceType, prefix) {
			return false
		}
	} else if r.Type != "" && r.Type != resourceType {
		return false
	}

	for rest, i := r.Array, len(keys)-1; rest != ""; i-- {
		if i < 0 {
			return false
		}
		slash := strings.LastIndexByte(rest, '/')
		if want := rest[slash+1:]; want != "*" && !sameName(want, keys[i]) {
			return false
		}
		rest = rest[:max(slash, 0)]
	}
	return len(r.Keys) > 0
}

// sameName compares names without regard to case, hyphens, underscores and blanks.
func sameName(a, b string) bool {
	skip := func(s string) string { return strings.TrimLeft(s, "-_ ") }
	for {
		a, b = skip(a), skip(b)
		if a == "" || b == "" {
			return a == b
		}
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		if x != y && unicode.ToLower(x) != unicode.ToLower(y) {
			return false
		}
		a, b = a[n:], b[m:]
	}
}

//go:embed keys.txt
var keysText string

// builtin reads the table in keys.txt: the rules that name arrays, and the usual
// names for any array. A mistake in it is a mistake in the program.
var builtin = sync.OnceValues(func() (rules, usual []KeyRule) {
	for line := range strings.Lines(keysText) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		r := KeyRule{fields[0], fields[1], strings.Split(fields[2], ",")}
		if r.Array == "*" {
			usual = append(usual, KeyRule{Type: r.Type, Keys: r.Keys})
		} else {
			rules = append(rules, r)
		}
	}
	return rules, usual
})
