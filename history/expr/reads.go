package expr

import (
	"encoding/binary"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Path is a way into a variable: its name, and the names of members from there on.
type Path []string

// within reports whether whoever reads q reads p too.
func (p Path) within(q Path) bool { return len(q) <= len(p) && slices.Equal(p[:len(q)], q) }

// Reading gathers what expressions read: the result of an evaluation is the same, and
// so are its failures, wherever the values at all paths are. What it does not
// understand reads all of the variables that it mentions.
type Reading struct {
	// Members are functions that read no more of their first argument than members
	// of these names.
	Members map[string][]string

	paths []Path
}

// Paths are those that were gathered, in order, none within another. A path of one
// name is all of a variable.
func (r *Reading) Paths() []Path {
	slices.SortFunc(r.paths, func(a, b Path) int { return slices.Compare(a, b) })
	var all []Path
	for _, p := range r.paths {
		if n := len(all); n == 0 || !p.within(all[n-1]) {
			all = append(all, p)
		}
	}
	return all
}

// Check gathers what an expression reads; it finds no fault.
func (r *Reading) Check(root ast.NavigableExpr) (int64, string) {
	r.expr(root, nil)
	return 0, ""
}

// expr goes through an expression in which some names are those of loops.
func (r *Reading) expr(e ast.Expr, local []string) {
	if p, ok := r.way(e, local); ok {
		r.paths = append(r.paths, p)
		return
	}
	switch e.Kind() {
	case ast.SelectKind:
		r.expr(e.AsSelect().Operand(), local)
	case ast.CallKind:
		r.call(e.AsCall(), local)
	case ast.ListKind:
		r.each(e.AsList().Elements(), local)
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			r.each([]ast.Expr{entry.AsMapEntry().Key(), entry.AsMapEntry().Value()}, local)
		}
	case ast.StructKind:
		for _, field := range e.AsStruct().Fields() {
			r.expr(field.AsStructField().Value(), local)
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		r.each([]ast.Expr{c.IterRange(), c.AccuInit()}, local)
		// What a loop goes through is read already, whatever becomes of its elements.
		after := append(slices.Clip(local), c.AccuVar())
		r.expr(c.Result(), after)
		inside := append(after, c.IterVar())
		if c.HasIterVar2() {
			inside = append(inside, c.IterVar2())
		}
		r.each([]ast.Expr{c.LoopCondition(), c.LoopStep()}, inside)
	}
}

func (r *Reading) each(all []ast.Expr, local []string) {
	for _, e := range all {
		r.expr(e, local)
	}
}

func (r *Reading) call(c ast.CallExpr, local []string) {
	if c.IsMemberFunction() {
		r.expr(c.Target(), local)
		r.each(c.Args(), local)
		return
	}
	args := c.Args()
	if members, ok := r.Members[c.FunctionName()]; ok && len(args) > 0 {
		if of, ok := r.way(args[0], local); ok {
			for _, name := range members {
				r.paths = append(r.paths, append(slices.Clip(of), name))
			}
			args = args[1:]
		}
	}
	r.each(args, local)
}

// way is the path that an expression takes, if it is no more than that: a.b,
// has(a.b), a["b"], a.?b, a[?"b"].
func (r *Reading) way(e ast.Expr, local []string) (Path, bool) {
	switch e.Kind() {
	case ast.IdentKind:
		name, global := strings.CutPrefix(e.AsIdent(), ".")
		return Path{name}, global || !slices.Contains(local, name)
	case ast.SelectKind:
		s := e.AsSelect()
		return r.member(s.Operand(), s.FieldName(), local)
	case ast.CallKind:
		c := e.AsCall()
		switch c.FunctionName() {
		case operators.Index, operators.OptIndex, operators.OptSelect:
		default:
			return nil, false
		}
		args := c.Args()
		if len(args) != 2 || args[1].Kind() != ast.LiteralKind {
			return nil, false
		}
		if name, ok := args[1].AsLiteral().(types.String); ok {
			return r.member(args[0], string(name), local)
		}
		// An element of a list, which is read as a whole.
		return r.way(args[0], local)
	}
	return nil, false
}

func (r *Reading) member(of ast.Expr, name string, local []string) (Path, bool) {
	p, ok := r.way(of, local)
	return append(slices.Clip(p), name), ok
}

// AppendPart appends all that a document holds along a path, whatever the case of the
// names: two documents of which the same is appended are the same to whoever reads no
// more than the path, by exact names or by [AnyCase]. The value is one that [Decode]
// made of an object, of a list or of null; false: it is another.
func AppendPart(b []byte, v ref.Val, path []string) ([]byte, bool) {
	switch v := v.(type) {
	case *object:
		return v.in.appendPart(b, v.at, path), true
	case *list:
		return v.in.appendPart(b, v.at, path), true
	case types.Null:
		return append(b, partNothing), true
	}
	return b, false
}

// Marks of what follows.
const (
	partEnd     = iota // of the members
	partWhole          // the value's text
	partMember         // a name and a part of its value, more members or the end
	partNothing        // no document
)

func (d *document) appendPart(b []byte, at uint32, path []string) []byte {
	n := &d.nodes[at]
	if n.kind == ofClosed && len(path) > 0 {
		if inner, err := d.opened(at); err == nil {
			return inner.appendPart(b, 0, path)
		}
	}
	if len(path) == 0 || !n.isObject() {
		return appendText(append(b, partWhole), d.raw(at))
	}
	for _, place := range d.inner(n) {
		if name := d.string(place); anyCase(name, path[0]) {
			b = appendText(append(b, partMember), name)
			b = d.appendPart(b, place+1, path[1:])
		}
	}
	return append(b, partEnd)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
