package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/words"
)

// Bounds of a template, as AWS documents them.
const (
	MaxTemplate = 300 << 10 // bytes of a template read from a file or object
	MaxBody     = 51_200    // bytes of a template inside a request: the front door's to ask for
	maxDepth    = 64        // of nesting, where real ones have 12
)

// document is a template as it was written, in long forms only.
type document struct {
	root   *yaml.Node
	places map[*yaml.Node]place
}

// place is where a node hangs.
type place struct {
	parent *yaml.Node
	key    string // empty: its parent's own place
}

// parse reads a template of YAML that has nothing which CloudFormation would not
// take: no aliases, merge keys, nulls, duplicate keys and odd tags.
func parse(template []byte) (*document, error) {
	if len(template) > MaxTemplate {
		return nil, &history.Error{Kind: history.TooLarge, Field: "template",
			Text: fmt.Sprintf("has %d bytes, at most %d are read; make two packs of it", len(template), MaxTemplate)}
	}
	if !utf8.Valid(template) {
		return nil, &history.Error{Kind: history.Invalid, Field: "template", Text: "is not valid UTF-8"}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(template))
	var file yaml.Node
	switch err := decoder.Decode(&file); {
	case errors.Is(err, io.EOF):
		return nil, &history.Error{Kind: history.Invalid, Field: "template", Text: "is empty"}
	case err != nil:
		return nil, syntaxError(err)
	}
	d := &document{root: file.Content[0], places: make(map[*yaml.Node]place)}

	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, syntaxError(err)
	default:
		d.places[&second] = place{}
		return nil, d.problem(&second, "begins a second document; a template is one")
	}
	return d, d.plain(d.root, 0)
}

var syntaxLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?`)

func syntaxError(err error) *history.Error {
	text := err.Error()
	m := syntaxLine.FindStringSubmatch(text)
	e := &history.Error{Kind: history.Invalid, Field: "template", Text: "is no YAML: " + text}
	if m == nil {
		return e
	}
	e.Text = "is no YAML: " + text[len(m[0]):]
	if m[1] != "" {
		e.Text = "is no YAML from about line " + m[1] + " on: " + text[len(m[0]):]
		e.Meta = map[string]string{"line": m[1]}
	}
	return e
}

// plain checks a node and all below it, writes short forms out in long ones, and
// notes where each node hangs.
func (d *document) plain(n *yaml.Node, depth int) error {
	if depth > maxDepth {
		return d.problem(n, "is nested more than %d deep", maxDepth)
	}
	if n.Kind == yaml.AliasNode {
		return d.problem(n, "is an alias, which templates have not; write the value out")
	}
	if name, short := strings.CutPrefix(n.Tag, "!"); short && !strings.HasPrefix(name, "!") && name != "" {
		d.writeOut(n, name)
	}
	switch tag := n.ShortTag(); {
	case tag == "!!null":
		return d.problem(n, "has no value; leave the key out, or write '' for an empty text")
	case n.Kind == yaml.ScalarNode && tag == "!!binary", n.Kind == yaml.MappingNode && tag != "!!map", n.Kind == yaml.SequenceNode && tag != "!!seq":
		return d.problem(n, "has the tag %s, which templates have not", tag)
	}

	switch n.Kind {
	case yaml.SequenceNode:
		for i, child := range n.Content {
			d.places[child] = place{n, strconv.Itoa(i)}
			if err := d.plain(child, depth+1); err != nil {
				return err
			}
		}
	case yaml.MappingNode:
		return d.plainMapping(n, depth)
	}
	return nil
}

func (d *document) plainMapping(n *yaml.Node, depth int) error {
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		d.places[key] = place{n, key.Value}
		d.places[value] = place{n, key.Value}
		switch {
		case key.Kind != yaml.ScalarNode || strings.HasPrefix(key.Tag, "!") && !strings.HasPrefix(key.Tag, "!!"):
			return d.problem(key, "has a key that is no text")
		case key.Tag == "!!merge":
			return d.problem(key, "is a merge key, which templates have not; write the keys out")
		case key.Tag == "!!null":
			return d.problem(key, "has an empty key")
		}
		if line, twice := seen[key.Value]; twice {
			return d.problem(key, "is given twice, first in line %d", line)
		}
		seen[key.Value] = key.Line
		if err := d.plain(value, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// writeOut makes !If […] the mapping {Fn::If: […]}, in its place.
func (d *document) writeOut(n *yaml.Node, name string) {
	if name != "Ref" && name != "Condition" {
		name = "Fn::" + name
	}
	argument := *n
	argument.Tag = map[yaml.Kind]string{yaml.ScalarNode: "!!str", yaml.SequenceNode: "!!seq", yaml.MappingNode: "!!map"}[n.Kind]
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Line: n.Line, Column: n.Column}
	*n = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{key, &argument}, Line: n.Line, Column: n.Column}
}

// path is where a node hangs, as Resources.Name.Properties.
func (d *document) path(n *yaml.Node) string {
	var keys []string
	for n != nil {
		at := d.places[n]
		if at.key != "" {
			keys = append(keys, printable(at.key))
		}
		n = at.parent
	}
	if len(keys) == 0 {
		return "template"
	}
	slices.Reverse(keys)
	return strings.Join(keys, ".")
}

// printable is a key as it may stand in a line of text.
func printable(key string) string {
	if key = shorten(key, 80); strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(key)
	}
	return key
}

// problem is an error about a node. The text goes on after its path and place.
func (d *document) problem(n *yaml.Node, format string, args ...any) *history.Error {
	return &history.Error{
		Kind: history.Invalid, Field: d.path(n),
		Text: fmt.Sprintf("(line %d, column %d) ", n.Line, n.Column) + fmt.Sprintf(format, args...),
		Meta: map[string]string{"line": strconv.Itoa(n.Line), "column": strconv.Itoa(n.Column)},
	}
}

// note is a remark about a node.
func (d *document) note(n *yaml.Node, format string, args ...any) Note {
	return Note{Field: d.path(n), Line: n.Line, Column: n.Column, Text: fmt.Sprintf(format, args...)}
}

// fields gives the values of a mapping that has none but known keys; of any
// mapping if none are given.
func (d *document) fields(n *yaml.Node, known ...string) (map[string]*yaml.Node, error) {
	if n.Kind != yaml.MappingNode {
		return nil, d.problem(n, "must be a mapping of keys to values, and is %s", kindName(n))
	}
	all := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if len(known) > 0 && !slices.Contains(known, key.Value) {
			return nil, d.problem(key, "is not known here%s", words.Remedy(key.Value, known))
		}
		all[key.Value] = n.Content[i+1]
	}
	return all, nil
}

// list gives the elements of a sequence, of which there are between least and most.
func (d *document) list(n *yaml.Node, least, most int) ([]*yaml.Node, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, d.problem(n, "must be a list, and is %s", kindName(n))
	}
	if len(n.Content) < least || len(n.Content) > most {
		if least == most {
			return nil, d.problem(n, "has %d elements; it must have %d", len(n.Content), least)
		}
		return nil, d.problem(n, "has %d elements; it must have %d to %d", len(n.Content), least, most)
	}
	return n.Content, nil
}

// texts gives the texts of a list.
func (d *document) texts(n *yaml.Node, most int) ([]string, error) {
	elements, err := d.list(n, 0, most)
	if err != nil {
		return nil, err
	}
	all := make([]string, len(elements))
	for i, e := range elements {
		if all[i], err = d.text(e); err != nil {
			return nil, err
		}
	}
	return all, nil
}

var (
	decimal  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
	yes      = regexp.MustCompile(`^(true|True|TRUE|yes|Yes|YES|on|On|ON)$`)
	no       = regexp.MustCompile(`^(false|False|FALSE|no|No|NO|off|Off|OFF)$`)
	quotable = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
)

// text makes a scalar the text that AWS makes of it: what is quoted stays as it is,
// a boolean (of YAML 1.1, which CloudFormation reads) becomes true or false, a
// number its digits. A number in a form that changes on the way is refused.
func (d *document) text(n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode {
		return "", d.problem(n, "must be a text, number or boolean, and is %s", kindName(n))
	}
	if n.Style&quotable != 0 || n.Style&yaml.TaggedStyle != 0 && n.Tag == "!!str" {
		return n.Value, nil
	}
	switch tag := n.ShortTag(); {
	case yes.MatchString(n.Value):
		return "true", nil
	case no.MatchString(n.Value):
		return "false", nil
	case (tag == "!!int" || tag == "!!float") && !decimal.MatchString(n.Value):
		return "", d.problem(n, "is a number in a form that changes when it is read (%s); quote it to have it as it is", shorten(n.Value, 80))
	}
	return n.Value, nil
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a text"
}

// shorten cuts a text to a number of characters.
func shorten(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
