package cel

import (
	"fmt"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/varvehq/varve/history/expr"
	"github.com/varvehq/varve/history/words"
	"github.com/varvehq/varve/rules"
)

func paramsOf(values map[string]any) ref.Val { return types.DefaultTypeAdapter.NativeToValue(values) }

// declared refuses the mention of a parameter that the rule does not declare.
func declared(parameters []rules.Parameter) expr.Check {
	names := make([]string, len(parameters))
	known := make(map[string]bool, len(parameters))
	for i, p := range parameters {
		names[i], known[p.Name] = p.Name, true
	}
	return func(root ast.NavigableExpr) (id int64, problem string) {
		ast.MatchDescendants(root, func(e ast.NavigableExpr) bool {
			if name, ok := paramOf(e); ok && !known[name] && problem == "" {
				id, problem = e.ID(), fmt.Sprintf("the rule declares no parameter %s%s", name, words.Remedy(name, names))
			}
			return false
		})
		return id, problem
	}
}

// paramOf is the parameter that an expression takes: params.x, has(params.x),
// params["x"], params.?x, params[?"x"].
func paramOf(e ast.NavigableExpr) (string, bool) {
	isParams := func(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == "params" }
	switch e.Kind() {
	case ast.SelectKind:
		return e.AsSelect().FieldName(), isParams(e.AsSelect().Operand())
	case ast.CallKind:
		call := e.AsCall()
		switch call.FunctionName() {
		case operators.Index, operators.OptIndex, operators.OptSelect:
		default:
			return "", false
		}
		args := call.Args()
		if len(args) != 2 || !isParams(args[0]) || args[1].Kind() != ast.LiteralKind {
			return "", false
		}
		name, ok := args[1].AsLiteral().(types.String)
		return string(name), ok
	}
	return "", false
}
