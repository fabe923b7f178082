package filter

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/expr"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// Filter is a compiled filter. The zero Filter matches everything. Its methods
// are safe for concurrent use.
type Filter struct {
	condition  *expr.Program
	asksChange bool // mentions what Decide knows
}

// Compile reads a filter; no text, or nothing but blanks, matches everything. Its
// error is history.Invalid or history.TooLarge for the field filter, shows the
// place, and tells line and column in Meta.
func Compile(text string) (*Filter, error) {
	if strings.TrimSpace(text) == "" {
		return &Filter{}, nil
	}
	env, err := environment()
	if err != nil {
		return nil, err
	}
	condition, err := env.Condition("filter", text, knownKinds, pointers)
	if err != nil {
		return nil, err
	}
	return &Filter{condition, slices.ContainsFunc(condition.Mentions(), func(name string) bool { return ofChange[name] })}, nil
}

// environment is the same for all filters, and takes some milliseconds to make.
var environment = sync.OnceValues(func() (*expr.Env, error) {
	return expr.NewEnv(expr.Limits{}, declarations()...)
})

// String is the text; empty if the filter matches everything.
func (f *Filter) String() string {
	if f.condition == nil {
		return ""
	}
	return f.condition.String()
}

// Match reports whether the filter chooses an event. An event that has not what
// the filter asks for does not match. If it cannot be decided the event matches,
// and undecided says why; so it is if ctx is done. What the filter does not come
// to is neither decoded nor compared, and what it does come to is remembered by
// the event for others.
func (f *Filter) Match(ctx context.Context, e *feed.Event) (matched bool, undecided error) {
	if f.condition == nil {
		return true, nil
	}
	holds, err := f.condition.Holds(ctx, event{e})
	switch {
	case err == nil:
		return holds, nil
	case expr.Absent(err):
		return false, nil
	}
	return true, fmt.Errorf("the filter could not be decided: %w", err)
}

var kinds = []string{history.Created.String(), history.Updated.String(), history.Deleted.String()}

// knownKinds refuses kinds that no event has: kind == "modified".
func knownKinds(root ast.NavigableExpr) (int64, string) {
	isKind := func(e ast.NavigableExpr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == "kind" && !local(e) }
	for _, kind := range ast.MatchDescendants(root, isKind) {
		call, ok := kind.Parent()
		if !ok || call.Kind() != ast.CallKind {
			continue
		}
		switch call.AsCall().FunctionName() {
		case operators.Equals, operators.NotEquals, operators.In:
		default:
			continue
		}
		for _, operand := range call.Children() {
			words := []ast.NavigableExpr{operand}
			if operand.Kind() == ast.ListKind {
				words = operand.Children()
			}
			for _, w := range words {
				if w.Kind() != ast.LiteralKind {
					continue
				}
				if word, ok := w.AsLiteral().(types.String); ok && !slices.Contains(kinds, string(word)) {
					return w.ID(), fmt.Sprintf("no change is of kind %q; there are %s", string(word), strings.Join(kinds, ", "))
				}
			}
		}
	}
	return 0, ""
}

// local reports whether a loop around a name gives it another meaning.
func local(name ast.NavigableExpr) bool {
	for e, ok := name.Parent(); ok; e, ok = e.Parent() {
		if e.Kind() == ast.ComprehensionKind {
			if c := e.AsComprehension(); c.IterVar() == name.AsIdent() || c.IterVar2() == name.AsIdent() || c.AccuVar() == name.AsIdent() {
				return true
			}
		}
	}
	return false
}

// pointers refuses what is no JSON pointer: changed("configuration.state").
func pointers(root ast.NavigableExpr) (int64, string) {
	for _, e := range ast.MatchDescendants(root, ast.FunctionMatcher(touches)) {
		arg := e.AsCall().Args()[1]
		if arg.Kind() != ast.LiteralKind {
			continue
		}
		if p, ok := arg.AsLiteral().(types.String); ok && p != "" && p[0] != '/' {
			example := "/" + strings.ReplaceAll(string(p), ".", "/")
			return arg.ID(), "a JSON pointer begins with a slash: " + strconv.Quote(example)
		}
	}
	return 0, ""
}
