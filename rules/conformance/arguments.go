package conformance

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/varvehq/varve/history/words"
	"github.com/varvehq/varve/rules"
)

// maxArguments bounds arguments that are given as one text, in bytes.
const maxArguments = 16 << 10

// argumentNames finds the arguments that the managed rule does not take, in every
// branch: they are a mistake whatever values there are.
func (l *loader) argumentNames(n *yaml.Node, declared []rules.Parameter) error {
	if n == nil {
		return nil
	}
	if name, argument, ok := call(n); ok {
		if name != "Fn::If" {
			return nil
		}
		for _, branch := range argument.Content[1:] {
			if err := l.argumentNames(branch, declared); err != nil {
				return err
			}
		}
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i < len(n.Content); i += 2 {
		if err := l.argumentName(n.Content[i], n.Content[i].Value, declared); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) argumentName(n *yaml.Node, name string, declared []rules.Parameter) error {
	var names []string
	for _, p := range declared {
		if p.Name == name {
			return nil
		}
		names = append(names, p.Name)
	}
	return l.problem(n, "is no parameter of the managed rule%s", words.Remedy(name, names))
}

// ruleArguments reads the arguments: a mapping, or a text that holds one as JSON.
func (l *loader) ruleArguments(rule *Rule, n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return l.argumentText(rule, n)
	}
	if _, err := l.fields(n); err != nil {
		return err
	}
	rule.Arguments = make(map[string]string, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		value, err := l.text(n.Content[i+1])
		if err != nil {
			return err
		}
		if len(value) > maxValue {
			return l.problem(n.Content[i+1], "has %d bytes; at most %d are allowed", len(value), maxValue)
		}
		rule.Arguments[n.Content[i].Value] = value
	}
	return nil
}

func (l *loader) argumentText(rule *Rule, n *yaml.Node) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(n.Value), &all); err != nil || len(n.Value) > maxArguments {
		return l.problem(n, "must be a mapping of names to values, or the JSON text of one")
	}
	rule.Arguments = make(map[string]string, len(all))
	for name, raw := range all {
		var text string
		switch {
		case raw[0] == '{' || raw[0] == '[' || raw[0] == 'n':
			return l.problem(n, "has an argument %s that is no text, number or boolean", printable(name))
		case json.Unmarshal(raw, &text) != nil:
			text = string(raw)
		}
		rule.Arguments[name] = text
	}
	return nil
}

// checkArguments holds the arguments to what the managed rule declares. A required
// one that is not given is a reason why the rule is not judged.
func (l *loader) checkArguments(r resource, rule *Rule, declared []rules.Parameter) (reason string, err error) {
	at := r.key
	if f, err := l.fields(r.properties); err == nil && f["InputParameters"] != nil {
		at = f["InputParameters"]
	}
	for name := range rule.Arguments {
		if err := l.argumentName(at, name, declared); err != nil {
			return "", err
		}
	}
	var lacking []string
	for _, p := range declared {
		text := rule.Arguments[p.Name]
		if text == "" {
			if p.Required && p.Default == nil {
				lacking = append(lacking, p.Name)
			}
			continue
		}
		if _, err := p.Type.Parse(text); err != nil {
			return "", l.problem(l.argument(at, p.Name), "is %q, which %v; the parameter is of type %s", shorten(text, 80), err, p.Type)
		}
	}
	switch len(lacking) {
	case 0:
		return "", nil
	case 1:
		return fmt.Sprintf("the managed rule's parameter %s is required, and has no value", lacking[0]), nil
	}
	return fmt.Sprintf("the managed rule's parameters %s are required, and have no values", strings.Join(lacking, ", ")), nil
}

// argument is where an argument is given, if it is given plainly.
func (l *loader) argument(n *yaml.Node, name string) *yaml.Node {
	if n.Kind == yaml.MappingNode {
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return n.Content[i+1]
			}
		}
	}
	return n
}
