package rulefile

import (
	"os"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/internal/node"
)

// Document is one rule of a file.
type Document struct {
	Rule  rules.Rule  // in normal form
	Cases *node.Value // nil: none are in the file
	value node.Value
}

// Read reads a file: see Parse.
func Read(file string) ([]*Document, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, text)
}

// Parse reads the rules of a text, of which there is one at least. The file's name
// is for errors, which are history.Invalid. Rules are normalised and validated; their
// expressions are not compiled.
func Parse(file string, text []byte) ([]*Document, error) {
	return parse(file, text, (*rules.Rule).Validate)
}

// ParseAs is Parse of rules that are changed before they are validated: given a name,
// or arguments that they have not.
func ParseAs(file string, text []byte, change func(*rules.Rule)) ([]*Document, error) {
	return parse(file, text, func(r *rules.Rule) error {
		change(r)
		r.Normalize()
		return r.Validate()
	})
}

// ParseDefinitions reads managed rules: each has an identifier and a judgement.
func ParseDefinitions(file string, text []byte) ([]*Document, error) {
	return parse(file, text, func(r *rules.Rule) error {
		own := *r
		if own.Identifier = ""; r.Identifier == "" {
			return &history.Error{Kind: history.Invalid, Field: "identifier", Text: "is required of a managed rule"}
		}
		return own.Validate()
	})
}

func parse(file string, text []byte, validate func(*rules.Rule) error) ([]*Document, error) {
	values, err := node.Documents(file, text)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, history.Errorf(history.Invalid, "%s holds no rule", file)
	}
	all := make([]*Document, len(values))
	named := make(map[string]*Document)
	for i, v := range values {
		d := &Document{value: v}
		if err := d.read(); err != nil {
			return nil, err
		}
		d.Rule.Normalize()
		if err := validate(&d.Rule); err != nil {
			return nil, v.Place(err)
		}
		if other := named[d.Rule.Name]; other != nil {
			return nil, v.Errorf("is the second rule named %s; the first is at %s", d.Rule.Name, other.value.At())
		}
		named[d.Rule.Name], all[i] = d, d
	}
	return all, nil
}

// Place adds file, line and column to an error about a field of the rule, such as
// one of its expressions.
func (d *Document) Place(err error) error { return d.value.Place(err) }

// At is where the rule begins: file, line and column.
func (d *Document) At() string { return d.value.At() }
