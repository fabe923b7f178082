package rulestest

import (
	"fmt"
	"os"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/internal/node"
)

// Case is one resource and what a rule must say of it.
type Case struct {
	Name       string
	Rule       string // name; empty: the only one
	Now        time.Time
	Params     map[string]string
	Expect     rules.Compliance
	Annotation string // a part of it; empty: any
	At         string // file, line and column

	value           node.Value
	item, inventory *node.Value
}

var caseKeys = []string{"case", "rule", "now", "params", "item", "inventory", "expect", "annotation"}

// Read reads the cases of a file.
func Read(file string) ([]*Case, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, text)
}

// Parse reads cases from a text; the file's name is for errors, which are
// history.Invalid with line and column.
func Parse(file string, text []byte) ([]*Case, error) {
	documents, err := node.Documents(file, text)
	if err != nil {
		return nil, err
	}
	var all []*Case
	for _, d := range documents {
		cases, err := Cases(d)
		if err != nil {
			return nil, err
		}
		all = append(all, cases...)
	}
	return all, nil
}

// Cases reads the list of cases that stands in a rule's file.
func Cases(list node.Value) ([]*Case, error) {
	elements, err := list.Elements()
	if err != nil {
		return nil, err
	}
	all := make([]*Case, len(elements))
	for i, v := range elements {
		if all[i], err = newCase(v); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// defaultNow is a moment that rules without a clock do not see.
var defaultNow = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newCase(v node.Value) (*Case, error) {
	members, err := v.Known(caseKeys...)
	if err != nil {
		return nil, err
	}
	for _, required := range []string{"case", "item", "expect"} {
		if _, ok := members[required]; !ok {
			return nil, v.Errorf("has no %s, which is required", required)
		}
	}
	c := &Case{Now: defaultNow, At: v.At(), value: v}
	for key, to := range map[string]*string{"case": &c.Name, "rule": &c.Rule, "annotation": &c.Annotation} {
		if m, ok := members[key]; ok {
			if *to, err = m.Text(); err != nil {
				return nil, err
			}
		}
	}
	expect, err := members["expect"].Text()
	if err != nil {
		return nil, err
	}
	if c.Expect, err = rules.ParseCompliance(expect); err != nil {
		return nil, members["expect"].Reject(err)
	}
	if m, ok := members["now"]; ok {
		if c.Now, err = timeOf(m); err != nil {
			return nil, err
		}
	}
	if m, ok := members["params"]; ok {
		if c.Params, err = texts(m); err != nil {
			return nil, err
		}
	}
	item := members["item"]
	c.item = &item
	if m, ok := members["inventory"]; ok {
		c.inventory = &m
	}
	return c, nil
}

func texts(v node.Value) (map[string]string, error) {
	members, err := v.Members()
	if err != nil {
		return nil, err
	}
	all := make(map[string]string, len(members))
	for _, m := range members {
		if all[m.Key], err = m.Text(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func timeOf(v node.Value) (time.Time, error) {
	text, err := v.Text()
	if err != nil {
		return time.Time{}, err
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil && history.MomentOf(t).Valid() {
			return t.UTC(), nil
		}
	}
	return time.Time{}, v.Reject(&history.Error{Value: fmt.Sprintf("%q", text), Text: "is no time; write it as 2026-01-31T12:00:00Z or 2026-01-31"})
}
