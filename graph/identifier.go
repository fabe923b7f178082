package graph

import (
	"bytes"
	"io/fs"
	"strings"
)

// identifier is what a text with the shape of one stands for.
type identifier struct {
	kind    byte   // as of a Term; 0: nothing
	typ     string // with kinds i and n
	before  string // what stands before the text
	text    string // id, name, or the identifier in its one spelling
	account string
	region  string
	reach   Reach
}

// is reports whether s is the text of i.
func (i *identifier) is(s string) bool {
	n := len(i.before)
	return len(s) == n+len(i.text) && s[n:] == i.text && s[:n] == i.before
}

// term makes the term of it.
func (i *identifier) term() Term {
	switch i.kind {
	case 'i':
		return IDTerm(i.typ, i.text)
	case 'n':
		return NameTerm(i.typ, i.text)
	}
	return GlobalTerm(i.text)
}

// Identify tells whether text as a whole has the shape of an identifier that
// names a resource without further knowledge: an ARN, a self link, a full
// resource name, an id with a provider's prefix, a UID. It returns the term
// such a resource bears, and the account and region which the text itself gives.
func Identify(text string) (term Term, account, region string, ok bool) {
	id, ok := theTables.identify(text)
	if !ok {
		return "", "", "", false
	}
	return id.term(), id.account, id.region, true
}

const shortestIdentifier = 8

// identify is asked for every string there is: what is none must be found out
// from its first bytes and its length.
func (t *tables) identify(s string) (identifier, bool) {
	n := len(s)
	if n < shortestIdentifier || n > maxIdentifier {
		return identifier{}, false
	}
	switch s[0] {
	case 'a':
		if strings.HasPrefix(s, "arn:") {
			return t.arn(s)
		}
	case 'h':
		if strings.HasPrefix(s, "https://") {
			return t.link(s)
		}
	case '/':
		switch {
		case s[1] == '/':
			return fullName(s)
		case len(s) > 15 && strings.EqualFold(s[:15], "/subscriptions/"):
			return azureID(s)
		}
	case 'p', 'o', 'f':
		if id, ok := t.relativeName(s); ok {
			return id, true
		}
	case 's':
		if email, ok := strings.CutPrefix(s, "serviceAccount:"); ok {
			return serviceAccount(email)
		}
	}
	switch {
	case n == 36 && s[8] == '-' && isUID(s):
		return identifier{kind: 'g', text: strings.ToLower(s)}, true
	case n > 9 && s[n-9] == '-' && isHex(s[n-8:]):
		return t.prefixed(s, s[:n-9])
	case n > 18 && s[n-18] == '-' && isHex(s[n-17:]):
		return t.prefixed(s, s[:n-18])
	case n > 25 && strings.HasSuffix(s, ".gserviceaccount.com"):
		return serviceAccount(s)
	}
	return identifier{}, false
}

// maxIdentifier is the length beyond which nothing is an identifier.
const maxIdentifier = 2048

func (t *tables) prefixed(s, prefix string) (identifier, bool) {
	typ := t.ids[prefix]
	if typ == "" {
		return identifier{}, false
	}
	return identifier{kind: 'i', typ: typ, text: s}, true
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isUID reports whether s, of 36 bytes, is a UUID in groups of 8-4-4-4-12.
// The one of zeros, and others of a single digit, stand for nothing.
func isUID(s string) bool {
	same := true
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			same = same && c == s[0]
		default:
			return false
		}
	}
	return !same
}

// azureID is an id of Azure's resource manager, which knows no case.
func azureID(s string) (identifier, bool) {
	if strings.ContainsAny(s, " \n\"{") || strings.Count(s, "/") < 4 {
		return identifier{}, false
	}
	return identifier{kind: 'g', text: strings.ToLower(strings.TrimSuffix(s, "/"))}, true
}

// plausible tells from the first byte and the length what cannot be an
// identifier, for those who have bytes.
func plausible(s []byte) bool {
	n := len(s)
	switch {
	case n < shortestIdentifier || n > maxIdentifier:
		return false
	case n > 9 && s[n-9] == '-', n > 18 && s[n-18] == '-', n == 36 && s[8] == '-':
		return true
	}
	switch s[0] {
	case 'a':
		return s[1] == 'r' && s[2] == 'n' && s[3] == ':'
	case 'h':
		return s[4] == 's' && s[5] == ':'
	case '/':
		return s[1] == '/' || s[1]|0x20 == 's'
	case 'p':
		return s[1] == 'r' && s[7] == 's'
	case 'o':
		return s[1] == 'r' && s[2] == 'g' && s[3] == 'a'
	case 'f':
		return s[1] == 'o' && s[2] == 'l' && s[3] == 'd'
	case 's':
		if s[7] == 'A' {
			return true
		}
	}
	return n > 25 && s[n-1] == 'm' && bytes.HasSuffix(s, []byte(".gserviceaccount.com"))
}

// loadIdentifiers reads the prefixes of ids, the ARNs that are told otherwise
// than as they stand, and the collections of relative resource names.
func (t *tables) loadIdentifiers(dir fs.FS) error {
	t.ids = map[string]string{}
	rows, err := readTable(dir, "prefixes.tsv", 2, 2)
	if err != nil {
		return err
	}
	for i := range rows {
		if t.ids[rows[i].cells[0]] != "" {
			return rows[i].errorf("prefix %q is there twice", rows[i].cells[0])
		}
		t.ids[rows[i].cells[0]] = rows[i].cells[1]
	}
	if err := t.loadARNs(dir); err != nil {
		return err
	}
	t.google = map[string]string{}
	if rows, err = readTable(dir, "collections.tsv", 2, 2); err != nil {
		return err
	}
	for i := range rows {
		t.google[rows[i].cells[0]] = rows[i].cells[1]
	}
	return nil
}
