package conformance

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// resolver puts values in the place of functions. What it walks has been checked.
type resolver struct {
	*document
	values     map[string]*string // by the name that Ref has; nil: there is none
	conditions map[string]*yaml.Node
	truths     map[string]outcome // of conditions evaluated before; running: being evaluated now
	missed     map[string]bool    // names without a value that something needed
}

// outcome is what became of a condition.
type outcome struct {
	running bool
	true    bool
	err     error
}

// missing says that something needs a value which there is not.
type missing struct{ name string }

func (m *missing) Error() string {
	switch m.name {
	case accountID, region:
		return fmt.Sprintf("%s has no value: the pack is put for no single account and region", m.name)
	}
	return fmt.Sprintf("the pack's parameter %s has no value, and no default: give it one", printable(m.name))
}

// value gives a node without functions: nil for AWS::NoValue. Its error is
// *missing, or a problem with a condition.
func (r *resolver) value(n *yaml.Node) (*yaml.Node, error) {
	switch name, argument, ok := call(n); {
	case ok && name == "Ref":
		return r.ref(n, argument.Value)
	case ok && name == "Fn::If":
		parts := argument.Content
		holds, err := r.condition(parts[0].Value)
		switch {
		case err != nil:
			return nil, err
		case holds:
			return r.value(parts[1])
		}
		return r.value(parts[2])
	}
	if n.Kind == yaml.ScalarNode {
		return n, nil
	}

	// A copy has the place of what it was made from.
	made := *n
	made.Content = nil
	r.places[&made] = r.places[n]
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			continue
		}
		value, err := r.value(child)
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue
		}
		if n.Kind == yaml.MappingNode {
			made.Content = append(made.Content, n.Content[i-1])
		}
		made.Content = append(made.Content, value)
	}
	return &made, nil
}

func (r *resolver) ref(n *yaml.Node, name string) (*yaml.Node, error) {
	if name == noValue {
		return nil, nil
	}
	value := r.values[name]
	if value == nil {
		r.missed[name] = true
		return nil, &missing{name}
	}
	made := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: *value, Line: n.Line, Column: n.Column}
	r.places[made] = r.places[n]
	return made, nil
}

// condition tells whether the condition of a name holds.
func (r *resolver) condition(name string) (bool, error) {
	was, known := r.truths[name]
	switch {
	case was.running:
		return false, r.problem(r.conditions[name], "depends on itself")
	case known:
		var m *missing
		if errors.As(was.err, &m) {
			r.missed[m.name] = true
		}
		return was.true, was.err
	}
	r.truths[name] = outcome{running: true}
	holds, err := r.truth(r.conditions[name])
	r.truths[name] = outcome{true: holds, err: err}
	return holds, err
}

func (r *resolver) truth(n *yaml.Node) (bool, error) {
	argument := n.Content[1]
	switch n.Content[0].Value {
	case "Condition":
		return r.condition(argument.Value)
	case "Fn::Equals":
		var sides [2]string
		for i, part := range argument.Content {
			value, err := r.value(part)
			if err != nil {
				return false, err
			}
			if sides[i], err = r.text(value); err != nil {
				return false, err
			}
		}
		return sides[0] == sides[1], nil
	case "Fn::Not":
		holds, err := r.truth(argument.Content[0])
		return !holds && err == nil, err
	case "Fn::And":
		for _, part := range argument.Content {
			if holds, err := r.truth(part); err != nil || !holds {
				return false, err
			}
		}
		return true, nil
	default: // Fn::Or
		for _, part := range argument.Content {
			if holds, err := r.truth(part); err != nil || holds {
				return holds, err
			}
		}
		return false, nil
	}
}
