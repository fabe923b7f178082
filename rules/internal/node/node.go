// Package node reads YAML strictly: keys that are not known are refused, and every
// error tells file, line and column.
package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/words"
)

// Value is a place in a YAML text.
type Value struct {
	file string
	text []byte
	path string // of keys and indexes, for people
	node *yaml.Node
}

// Documents reads the documents of a YAML text, without those that hold nothing.
func Documents(file string, text []byte) ([]Value, error) {
	var all []Value
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var document yaml.Node
		switch err := d.Decode(&document); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, unreadable(file, err)
		}
		v := Value{file, text, "", document.Content[0]}
		if !v.Null() {
			all = append(all, v)
		}
	}
}

var lineOf = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func unreadable(file string, err error) error {
	m := lineOf.FindStringSubmatch(err.Error())
	if m == nil {
		m = []string{"", ""}
	}
	line, _ := strconv.Atoi(m[1])
	return problem(file, max(line, 1), 1, "", "", "is no YAML: "+strings.TrimPrefix(err.Error(), m[0]))
}

func problem(file string, line, column int, path, value, text string) *history.Error {
	return &history.Error{
		Kind: history.Invalid, Field: strings.TrimSuffix(fmt.Sprintf("%s:%d:%d: %s", file, line, column, path), " "),
		Value: value, Text: text,
		Meta: map[string]string{"file": file, "line": strconv.Itoa(line), "column": strconv.Itoa(column)},
	}
}

// Errorf is an error, history.Invalid, about the value.
func (v Value) Errorf(format string, args ...any) error {
	return problem(v.file, v.node.Line, v.node.Column, v.path, "", fmt.Sprintf(format, args...))
}

func (v Value) wrong(text string) error {
	shown := v.node.Value
	if len(shown) > 80 {
		shown = strings.ToValidUTF8(shown[:80], "") + "…"
	}
	return problem(v.file, v.node.Line, v.node.Column, v.path, strconv.Quote(shown), text)
}

func (v Value) child(name string, n *yaml.Node) Value {
	if v.path != "" {
		name = v.path + "." + name
	}
	return Value{v.file, v.text, name, n}
}

// real is the value itself where an alias stands for it.
func (v Value) real() *yaml.Node {
	n := v.node
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// Node is the value in the YAML library's form, and Line the line it begins in.
func (v Value) Node() *yaml.Node { return v.real() }

// Path is where the value is, in keys and indexes.
func (v Value) Path() string { return v.path }

// Null reports whether there is nothing, or null.
func (v Value) Null() bool {
	n := v.real()
	return n.Kind == 0 || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// Member is one key of a mapping with what it stands for.
type Member struct {
	Key string
	Value
	at *yaml.Node // the key
}

// Wrong is an error about the key.
func (m Member) Wrong(text string) error {
	return problem(m.file, m.at.Line, m.at.Column, m.path, "", text)
}

// Members are the members of a mapping in their order; a key that stands twice is
// refused, and so are keys that are no text and merged mappings.
func (v Value) Members() ([]Member, error) {
	n := v.real()
	if n.Kind != yaml.MappingNode {
		return nil, v.Errorf("is %s; a mapping of keys to values is wanted", kind(n))
	}
	var all []Member
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		m := Member{key.Value, v.child(key.Value, n.Content[i+1]), key}
		switch {
		case key.Kind != yaml.ScalarNode:
			return nil, m.Wrong("is " + kind(key) + ", which is no key")
		case key.ShortTag() == "!!merge":
			return nil, m.Wrong("merges another mapping, which is not read; write its keys out")
		case seen[key.Value]:
			return nil, m.Wrong("is given twice")
		}
		seen[key.Value] = true
		all = append(all, m)
	}
	return all, nil
}

// Known are the members of a mapping by their keys, of which there are no others
// than the known ones. Members that are null are left out.
func (v Value) Known(known ...string) (map[string]Value, error) {
	members, err := v.Members()
	if err != nil {
		return nil, err
	}
	all := make(map[string]Value, len(members))
	for _, m := range members {
		if !slices.Contains(known, m.Key) {
			return nil, m.Wrong("is no key that is known" + words.Remedy(m.Key, known))
		}
		if !m.Null() {
			all[m.Key] = m.Value
		}
	}
	return all, nil
}

// Elements are those of a list.
func (v Value) Elements() ([]Value, error) {
	n := v.real()
	if n.Kind != yaml.SequenceNode {
		return nil, v.Errorf("is %s; a list is wanted", kind(n))
	}
	all := make([]Value, len(n.Content))
	for i, e := range n.Content {
		all[i] = Value{v.file, v.text, fmt.Sprintf("%s[%d]", v.path, i), e}
	}
	return all, nil
}

// Text is a scalar as it is written: a text, and also a number, true or false.
func (v Value) Text() (string, error) {
	n := v.real()
	if n.Kind != yaml.ScalarNode || v.Null() || n.ShortTag() == "!!binary" {
		return "", v.Errorf("is %s; a text is wanted", kind(n))
	}
	return n.Value, nil
}

// Texts is a list of texts, or a text alone.
func (v Value) Texts() ([]string, error) {
	if v.real().Kind == yaml.ScalarNode {
		text, err := v.Text()
		return []string{text}, err
	}
	elements, err := v.Elements()
	if err != nil {
		return nil, err
	}
	all := make([]string, len(elements))
	for i, e := range elements {
		if all[i], err = e.Text(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Bool is true or false.
func (v Value) Bool() (bool, error) {
	n := v.real()
	var b bool
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(&b) != nil {
		return false, v.wrong("is not true or false")
	}
	return b, nil
}

func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		switch n.ShortTag() {
		case "!!null":
			return "empty"
		case "!!str":
			return "a text"
		}
		return "the value " + n.Value
	}
	return "nothing"
}
