package node

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/varvehq/varve/history"
)

// Place adds to an error about a field below the value where that field stands. A
// field that is not there is sought where it should be. What an error says of line
// and column within a text, in its Meta, is reckoned to the file's.
func (v Value) Place(err error) error {
	var e *history.Error
	if !errors.As(err, &e) || e.Field == "" || e.Meta["file"] != "" {
		return err
	}
	at, found := v.find(e.Field)
	if short, ok := strings.CutPrefix(e.Field, "scope."); ok && !found { // resourceTypes may stand outside
		at, _ = v.find(short)
	}
	line, column := at.node.Line, at.node.Column
	if l, bad := strconv.Atoi(e.Meta["line"]); bad == nil {
		c, _ := strconv.Atoi(e.Meta["column"])
		line, column = at.within(l, c)
	}
	path := e.Field
	if v.path != "" {
		path = v.path + "." + path
	}
	p := problem(v.file, line, column, path, e.Value, e.Text)
	p.Kind, p.Err = e.Kind, e.Err
	return p
}

// Reject is an error about the value itself, with what another says of it.
func (v Value) Reject(err error) error {
	var e *history.Error
	if !errors.As(err, &e) || e.Meta["file"] != "" {
		return err
	}
	return problem(v.file, v.node.Line, v.node.Column, v.path, e.Value, e.Text)
}

// find is the value at a path of keys, or the last one on the way to it.
func (v Value) find(path string) (at Value, found bool) {
	members, err := v.Members()
	if err != nil {
		return v, false
	}
	for _, m := range members {
		if m.Key == path {
			return m.Value, true
		}
		if rest, ok := strings.CutPrefix(path, m.Key+"."); ok {
			return m.find(rest)
		}
	}
	return v, false
}

// within is where in the file a line and a column of a text are, both from 1.
func (v Value) within(line, column int) (int, int) {
	n := v.real()
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		rows := bytes.Split(v.text, []byte("\n"))
		first := n.Line // the indicator's, so that it is the index of the next
		for first < len(rows) && len(bytes.TrimSpace(rows[first])) == 0 {
			first++
		}
		indent := 0
		if first < len(rows) {
			indent = len(rows[first]) - len(bytes.TrimLeft(rows[first], " "))
		}
		return n.Line + line, indent + column
	case line > 1:
		return n.Line + line - 1, column
	case n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		column++
	}
	return n.Line, n.Column + column - 1
}

// At is file, line and column, as editors read them.
func (v Value) At() string {
	return fmt.Sprintf("%s:%d:%d", v.file, v.node.Line, v.node.Column)
}
