package managed

import (
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Language reads recorded rules and makes them ready, managed or not.
type Language struct{}

// Read is the rule that a version of a resource is, and from when it is effective:
// see rules.Read.
func (Language) Read(i *history.Item) (rules.Rule, history.Moment, error) {
	r, _, from, err := rules.Read(i)
	if err != nil {
		return rules.Rule{}, 0, err
	}
	return *r, from, nil
}

// Compile makes a rule ready.
func (Language) Compile(r *rules.Rule) (rules.Judge, error) { return Compile(r) }
