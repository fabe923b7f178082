package expr

import (
	"context"
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// Text compiles an expression that is a text; else it is as Condition.
func (e *Env) Text(field, text string, checks ...Check) (*Program, error) {
	return e.compile(field, text, append([]Check{offered, sound, isText}, checks...))
}

// Text evaluates an expression that Env.Text compiled; else it is as Holds.
func (p *Program) Text(ctx context.Context, vars cel.Activation) (string, error) {
	result, err := p.evaluate(ctx, vars)
	if err != nil {
		return "", err
	}
	s, ok := result.(types.String)
	if !ok {
		return "", p.failure(absent(fmt.Sprintf("no such overload: a text that is %T", result)))
	}
	return string(s), nil
}

func isText(root ast.NavigableExpr) (int64, string) {
	switch t := root.Type(); t.Kind() {
	case types.StringKind:
		return 0, ""
	case types.DynKind:
		return root.ID(), "this may be of any type; make it a text with string()"
	default:
		return root.ID(), fmt.Sprintf("this is of type %s, not a text", cel.FormatCELType(t))
	}
}
