package conformance

import (
	"errors"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// remediation keeps a resource that is one, unless its condition is false. What has
// no value, or is a function that is not known, stays as it is.
func (l *loader) remediation(r resource) error {
	if n := r.attributes["Condition"]; n != nil {
		holds, reason, err := l.holds(n)
		if err != nil {
			return err
		}
		if !holds && reason == "" {
			l.pack.Notes = append(l.pack.Notes, l.note(n, "is false (%s), so the remediation is left out", printable(n.Value)))
			return nil
		}
	}
	f, err := l.fields(r.properties, "ConfigRuleName", "ResourceType", "TargetId", "TargetType", "TargetVersion", "Parameters",
		"ExecutionControls", "Automatic", "MaximumAutomaticAttempts", "RetryAttemptSeconds")
	if err != nil {
		return err
	}
	m := Remediation{LogicalID: r.id}
	for _, part := range []struct {
		key string
		to  *string
	}{{"ConfigRuleName", &m.Rule}, {"TargetType", &m.TargetType}, {"TargetId", &m.TargetID}} {
		if f[part.key] == nil {
			return l.problem(r.properties, "has no %s", part.key)
		}
		value, err := l.shown(f[part.key])
		if err != nil {
			return err
		}
		if value == nil || value.Kind != yaml.ScalarNode {
			continue // a reference without a value: to be seen in the properties
		}
		if *part.to, err = l.text(value); err != nil {
			return err
		}
	}
	properties, err := l.shown(r.properties)
	if err != nil {
		return err
	}
	m.Properties = appendJSON(nil, properties)
	l.pack.Remediations = append(l.pack.Remediations, m)
	return nil
}

// shown is a node with its values as far as there are any; nil for AWS::NoValue.
func (l *loader) shown(n *yaml.Node) (*yaml.Node, error) {
	name, _, function := call(n)
	if function {
		value, err := l.resolver.value(n)
		var m *missing
		if err == nil || !errors.As(err, &m) {
			return value, err
		}
	}
	if n.Kind == yaml.ScalarNode || function && name != "Fn::If" {
		return n, nil
	}
	made := *n
	made.Content = nil
	l.places[&made] = l.places[n]
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			continue
		}
		value, err := l.shown(child)
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

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// appendJSON writes a node as JSON, numbers and booleans as such.
func appendJSON(b jsontext.Value, n *yaml.Node) jsontext.Value {
	switch n.Kind {
	case yaml.MappingNode:
		b = append(b, '{')
		for i := 0; i < len(n.Content); i += 2 {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(quote(b, n.Content[i].Value), ':')
			b = appendJSON(b, n.Content[i+1])
		}
		return append(b, '}')
	case yaml.SequenceNode:
		b = append(b, '[')
		for i, child := range n.Content {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, child)
		}
		return append(b, ']')
	}
	plain := n.Style&quotable == 0 && n.Style&yaml.TaggedStyle == 0
	tag := n.ShortTag()
	switch {
	case plain && yes.MatchString(n.Value):
		return append(b, "true"...)
	case plain && no.MatchString(n.Value):
		return append(b, "false"...)
	case plain && (tag == "!!int" || tag == "!!float") && jsonNumber.MatchString(n.Value):
		return append(b, n.Value...)
	}
	return quote(b, n.Value)
}

// quote appends a text as JSON. Templates are valid UTF-8.
func quote(b jsontext.Value, text string) jsontext.Value {
	b, _ = jsontext.AppendQuote(b, text)
	return b
}
