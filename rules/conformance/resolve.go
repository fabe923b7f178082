package conformance

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// resolver puts values in the place of functions. What it walks has been checked.
type resolver struct {
	*document
	values     map[string]*string // by the name that Ref has; nil: there is none
	conditions map[string]*yaml.Node
	truths     map[string]outcome // of conditions evaluated before; running: being evaluated now
	missed     map[string]bool    // names without a value that something needed
	bytes      int                // made of texts
}

// outcome is what became of a condition.
type outcome struct {
	running bool
	true    bool
	err     error
}

// maxMade bounds what a template is blown up to by its parameters, in bytes.
const maxMade = 4 << 20

// missing says that something needs a value which there is not.
type missing struct{ name string }

func (m *missing) Error() string {
	switch name := printable(m.name); {
	case strings.HasPrefix(m.name, "Fn::"):
		return name + " is not evaluated here"
	case m.name == "AWS::AccountId" || m.name == "AWS::Region" || m.name == "AWS::Partition":
		return name + " has no value: the pack is put for no single account and region"
	case strings.HasPrefix(m.name, "AWS::") || strings.Contains(m.name, "."):
		return name + " has no value here"
	default:
		return "the pack's parameter " + name + " has no value, and no default: give it one"
	}
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
	case ok && name == "Fn::Join":
		return r.join(n, argument)
	case ok && name == "Fn::Sub":
		return r.sub(n, argument)
	case ok:
		return nil, &missing{name}
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
	value, err := r.lookup(name)
	if err != nil {
		return nil, err
	}
	return r.made(n, value)
}

func (r *resolver) lookup(name string) (string, error) {
	value := r.values[name]
	if value == nil {
		r.missed[name] = true
		return "", &missing{name}
	}
	return *value, nil
}

// made is a text in the place of a function.
func (r *resolver) made(n *yaml.Node, text string) (*yaml.Node, error) {
	if r.bytes += len(text); r.bytes > maxMade {
		return nil, r.problem(n, "makes the pack larger than %d bytes", maxMade)
	}
	made := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: text, Line: n.Line, Column: n.Column}
	r.places[made] = r.places[n]
	return made, nil
}

// join puts texts together.
func (r *resolver) join(n, argument *yaml.Node) (*yaml.Node, error) {
	delimiter, err := r.text(argument.Content[0])
	if err != nil {
		return nil, err
	}
	list, err := r.value(argument.Content[1])
	if err != nil {
		return nil, err
	}
	texts, err := r.texts(list, len(list.Content))
	if err != nil {
		return nil, err
	}
	return r.made(n, strings.Join(texts, delimiter))
}

// sub puts values in the place of variables.
func (r *resolver) sub(n, argument *yaml.Node) (*yaml.Node, error) {
	template, own := argument, map[string]*yaml.Node{}
	if argument.Kind == yaml.SequenceNode {
		template = argument.Content[0]
		variables, err := r.value(argument.Content[1])
		if err != nil {
			return nil, err
		}
		if own, err = r.fields(variables); err != nil {
			return nil, err
		}
	}
	text, err := r.text(template)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for rest := text; ; {
		at := variable.FindStringSubmatchIndex(rest)
		if at == nil {
			b.WriteString(rest)
			return r.made(n, b.String())
		}
		b.WriteString(rest[:at[0]])
		value, err := r.variable(strings.TrimSpace(rest[at[2]:at[3]]), own)
		if err != nil {
			return nil, err
		}
		if b.WriteString(value); b.Len() > maxMade {
			return nil, r.problem(n, "makes the pack larger than %d bytes", maxMade)
		}
		rest = rest[at[1]:]
	}
}

// variable is the value of a variable: its own, or that of a parameter.
func (r *resolver) variable(name string, own map[string]*yaml.Node) (string, error) {
	if literal, ok := strings.CutPrefix(name, "!"); ok {
		return "${" + literal + "}", nil
	}
	if value := own[name]; value != nil {
		return r.text(value)
	}
	return r.lookup(name)
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
