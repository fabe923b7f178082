package graph

import (
	"io/fs"
	"slices"
	"strings"
)

// verb is the name of a relationship, as either side tells it.
type verb struct{ user, used string }

// Wording gives both wordings of a relationship: the user's, by which
// relationships are named here, and that of the used one. A name which is no
// verb of the tables is worded alike on both sides.
func Wording(name string) (user, used string) { return theTables.wording(name) }

func (t *tables) wording(name string) (user, used string) {
	for i := range t.verbs {
		if t.verbs[i].user == name {
			return name, t.verbs[i].used
		}
	}
	return name, name
}

// loadWordings reads the user's wording and that of the used one; the latter is
// empty where it is the same.
func (t *tables) loadWordings(dir fs.FS) error {
	rows, err := readTable(dir, "wordings.tsv", 1, 2)
	if err != nil {
		return err
	}
	for i := range rows {
		v := verb{rows[i].cells[0], rows[i].cells[1]}
		if v.used == "" {
			v.used = v.user
		}
		if slices.ContainsFunc(t.verbs, func(o verb) bool { return o.user == v.user }) {
			return rows[i].errorf("%q is worded twice", v.user)
		}
		t.verbs = append(t.verbs, v)
	}
	for _, s := range t.shapes {
		if s.name != "" && !slices.ContainsFunc(t.verbs, func(v verb) bool { return v.user == s.name }) {
			return s.row.errorf("relationship %q is not in wordings.tsv, or in its used one's wording", s.name)
		}
	}
	return nil
}

// parse takes the name of a declared relationship to pieces: the verb in the
// user's wording, and whether the name was in the used one's. AWS's older types
// append a noun to the verb ("Is attached to Instance"), the later ones a blank.
// A name that begins with no verb of the tables is its own verb.
func (t *tables) parse(name string) (string, bool) {
	name = strings.TrimSpace(name)
	for i := range t.verbs {
		if v := &t.verbs[i]; beginsWith(name, v.user) {
			return v.user, false
		}
	}
	for i := range t.verbs {
		if v := &t.verbs[i]; beginsWith(name, v.used) {
			return v.user, true
		}
	}
	if name == "" {
		return "Is associated with", false
	}
	return name, false
}

func beginsWith(name, verb string) bool {
	rest, ok := strings.CutPrefix(name, verb)
	return ok && (rest == "" || rest[0] == ' ')
}
