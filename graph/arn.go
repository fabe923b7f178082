package graph

import (
	"io/fs"
	"strings"
)

// arnShape tells how ARNs of one service whose resource begins alike are read.
type arnShape struct {
	prefix string // of the resource part, such as "subnet/"
	kind   byte   // as of a Term, or 0 where such ARNs name no resource
	typ    string
	cut    string // the rest of the resource begins with one of these bytes and belongs to a part of it
}

// loadARNs reads service, prefix of the resource, form (id, name, arn, none),
// type, and the bytes at which the resource ends.
func (t *tables) loadARNs(dir fs.FS) error {
	rows, err := readTable(dir, "arns.tsv", 3, 5)
	if err != nil {
		return err
	}
	t.arns = map[string][]arnShape{}
	for i := range rows {
		c := rows[i].cells
		s := arnShape{prefix: c[1], typ: c[3], cut: c[4]}
		switch c[2] {
		case "id":
			s.kind = 'i'
		case "name":
			s.kind = 'n'
			t.byName[s.typ] = true
		case "arn":
			s.kind = 'g'
		case "none":
		default:
			return rows[i].errorf("form %q is neither id, name, arn nor none", c[2])
		}
		if (s.kind == 'i' || s.kind == 'n') == (s.typ == "") {
			return rows[i].errorf("a form and a type that do not go together")
		}
		t.arns[c[0]] = append(t.arns[c[0]], s)
	}
	return nil
}

// arn reads an ARN. As a rule it stands for itself; the table has those by
// which a resource is known that has another id, and those that go on to name
// a part of the resource: a version, an object in a bucket, a stream of a log.
func (t *tables) arn(s string) (identifier, bool) {
	// arn:partition:service:region:account:resource
	var at [5]int
	n := 0
	for i := 0; i < len(s) && n < 5; i++ {
		if s[i] == ':' {
			at[n] = i
			n++
		}
	}
	if n < 5 || at[1] == at[0]+1 || at[2] == at[1]+1 || at[4] == len(s)-1 {
		return identifier{}, false
	}
	id := identifier{
		kind: 'g', text: s,
		region:  s[at[2]+1 : at[3]],
		account: s[at[3]+1 : at[4]],
	}
	resource := s[at[4]+1:]
	for _, shape := range t.arns[s[at[1]+1:at[2]]] {
		rest, ok := strings.CutPrefix(resource, shape.prefix)
		if !ok {
			continue
		}
		if shape.cut != "" {
			if i := strings.IndexAny(rest, shape.cut); i >= 0 {
				rest = rest[:i]
			}
		}
		id.kind, id.typ = shape.kind, shape.typ
		switch {
		case id.kind == 0 || rest == "":
			return identifier{}, false
		case id.kind == 'g':
			id.text = s[:at[4]+1+len(shape.prefix)+len(rest)]
		default:
			id.text = rest
		}
		break
	}
	if !clean(id.text) {
		return identifier{}, false
	}
	if id.kind == 'g' {
		id.account, id.region = "", "" // the text says them, and is unique
	}
	return id, true
}

// clean reports whether an identifier holds no wildcard, placeholder, blank or
// escape: text that means many things, or none yet.
func clean(s string) bool {
	for i := range len(s) {
		if unclean[s[i]] {
			return false
		}
	}
	return true
}

var unclean = func() (set [256]bool) {
	for _, c := range []byte("*? \"\\\n{}<>,") {
		set[c] = true
	}
	return set
}()
