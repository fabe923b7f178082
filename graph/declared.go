package graph

import "io/fs"

// pair is who declares what of which type.
type pair struct{ owner, verb, target string }

// declared is the edge that a declared relationship tells.
type declared struct {
	name    string
	inverse bool // the target is the user
}

// loadDeclared reads what the relationships that AWS declares mean, where that
// is not to be seen from their verbs: owner's type, verb in the user's wording,
// target's type, name of the edge, and the user.
func (t *tables) loadDeclared(dir fs.FS) error {
	rows, err := readTable(dir, "declared.tsv", 5, 5)
	if err != nil {
		return err
	}
	t.declared = make(map[pair]declared, len(rows))
	for i := range rows {
		c := rows[i].cells
		p, d := pair{c[0], c[1], c[2]}, declared{c[3], c[4] == "target"}
		verb, inverse := t.parse(p.verb)
		if p.verb = verb; inverse {
			p.verb = "-" + verb
		}
		switch {
		case c[4] != "owner" && c[4] != "target":
			return rows[i].errorf("user %q is neither owner nor target", c[4])
		case t.declared[p] != declared{}:
			return rows[i].errorf("%s, %s, %s is there twice", p.owner, p.verb, p.target)
		}
		if user, _ := t.wording(d.name); user == "" {
			return rows[i].errorf("no name")
		}
		t.declared[p] = d
	}
	return nil
}

// meaning tells what edge a declared relationship of an owner's type is.
func (t *tables) meaning(owner, name, target string) declared {
	verb, inverse := t.parse(name)
	p := pair{owner, verb, target}
	if inverse {
		p.verb = "-" + verb
	}
	if d, ok := t.declared[p]; ok {
		return d
	}
	return declared{verb, inverse}
}
