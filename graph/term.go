package graph

import "strings"

// Term is a text under which live versions are found. Its first byte tells what
// kind of text follows:
//
//	i TYPE NUL ID       the resource of that type and id; every resource bears its own without saying so
//	n TYPE NUL NAME     a short name of a resource of that type, unique in its account and region at best;
//	                    its id is one without saying so
//	g TEXT              an identifier that stands for itself anywhere: an ARN, a full resource name, a UID
//	l SCOPE NUL KEY=V   a label which a selector may ask for inside a scope
//	l SCOPE NUL         whoever can be selected inside the scope
//
// Types hold no NUL (history.Key.Validate), so that terms never collide.
type Term string

// IDTerm is borne by the resource of that type and id.
func IDTerm(typ, id string) Term { return Term("i" + typ + "\x00" + id) }

// NameTerm is borne by resources of that type which go by that short name.
func NameTerm(typ, name string) Term { return Term("n" + typ + "\x00" + name) }

// GlobalTerm is borne by whatever has that identifier. Identifiers that are
// written in several ways are told in one: see Identify.
func GlobalTerm(identifier string) Term { return Term("g" + identifier) }

// LabelTerm is borne by what has that label and can be selected in that scope.
func LabelTerm(scope, key, value string) Term {
	return Term("l" + scope + "\x00" + key + "=" + value)
}

// ScopeTerm is borne by whatever can be selected in that scope: the term of
// selectors that ask for no label.
func ScopeTerm(scope string) Term { return Term("l" + scope + "\x00") }

// resource tells the type and id of the resources that bear t without saying so.
func (t Term) resource() (typ, id string, ok bool) {
	if len(t) == 0 || t[0] != 'i' && t[0] != 'n' {
		return "", "", false
	}
	return strings.Cut(string(t[1:]), "\x00")
}

// Parts are what a term says, one or two of them.
type Parts struct {
	Type         string // of a resource, with ID or ResourceName
	ID           string
	ResourceName string // a short name
	Identifier   string // that stands for itself: an ARN, a full resource name, a UID
	Scope        string // of a label, or of whatever can be selected
}

// Parts takes a term apart.
func (t Term) Parts() Parts {
	if t == "" {
		return Parts{}
	}
	text := string(t[1:])
	first, rest, _ := strings.Cut(text, "\x00")
	switch t[0] {
	case 'i':
		return Parts{Type: first, ID: rest}
	case 'n':
		return Parts{Type: first, ResourceName: rest}
	case 'g':
		return Parts{Identifier: text}
	case 'l':
		return Parts{Scope: first}
	}
	return Parts{}
}

// String is for people: the NUL becomes a blank.
func (t Term) String() string { return strings.ReplaceAll(string(t), "\x00", " ") }

// selects reports whether t is the term of a selector.
func (t Term) selects() bool { return len(t) > 0 && t[0] == 'l' }
