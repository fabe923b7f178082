package node

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// Bounds of what aliases can blow up.
const (
	maxNodes = 1_000_000
	maxDepth = 512
)

// JSON is the value as canonical JSON: no digit of a number is lost, and what YAML
// takes for a time is a text.
func (v Value) JSON() ([]byte, error) {
	b := budget{nodes: maxNodes}
	text, err := v.append(nil, &b)
	if err != nil {
		return nil, err
	}
	text, err = jsontext.AppendFormat(nil, text, jsontext.AllowDuplicateNames(false), jsontext.AllowInvalidUTF8(false),
		jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false), jsontext.ReorderRawObjects(true))
	if err != nil {
		return nil, v.Errorf("cannot be written as JSON: %v", err)
	}
	return text, nil
}

type budget struct{ nodes, depth int }

func (v Value) append(text []byte, b *budget) ([]byte, error) {
	if b.nodes--; b.nodes < 0 {
		return nil, v.Errorf("has more than %d values", maxNodes)
	}
	if b.depth++; b.depth > maxDepth {
		return nil, v.Errorf("is nested deeper than %d", maxDepth)
	}
	defer func() { b.depth-- }()
	switch v.real().Kind {
	case yaml.MappingNode:
		members, err := v.Members()
		if err != nil {
			return nil, err
		}
		text = append(text, '{')
		for i, m := range members {
			if i > 0 {
				text = append(text, ',')
			}
			if text, err = jsontext.AppendQuote(text, m.Key); err != nil {
				return nil, m.Wrong("is no text: " + err.Error())
			}
			if text, err = m.append(append(text, ':'), b); err != nil {
				return nil, err
			}
		}
		return append(text, '}'), nil
	case yaml.SequenceNode:
		elements, err := v.Elements()
		if err != nil {
			return nil, err
		}
		text = append(text, '[')
		for i, e := range elements {
			if i > 0 {
				text = append(text, ',')
			}
			if text, err = e.append(text, b); err != nil {
				return nil, err
			}
		}
		return append(text, ']'), nil
	}
	return v.scalar(text)
}

func (v Value) scalar(text []byte) ([]byte, error) {
	n := v.real()
	switch n.ShortTag() {
	case "!!null":
		return append(text, "null"...), nil
	case "!!bool":
		b, err := v.Bool()
		return strconv.AppendBool(text, b), err
	case "!!int", "!!float":
		if number := jsontext.Value(n.Value); number.IsValid() && number.Kind() == '0' {
			return append(text, number...), nil
		}
		return nil, v.wrong("is no number as JSON writes them; put it in quotes if it is a text")
	case "!!str", "!!timestamp":
		quoted, err := jsontext.AppendQuote(text, n.Value)
		if err != nil {
			return nil, v.Errorf("is no text: %v", err)
		}
		return quoted, nil
	}
	return nil, v.wrong("has a tag that is not read; leave it out")
}
