package filter

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// touches is what changed(pointer) becomes: it needs the paths of the event, which
// a function does not see. No expression can spell it.
const touches = "@touches"

// changedMacro makes changed(pointer) of touches(paths, pointer), with the paths
// of the event whatever a loop around it calls its variable.
func changedMacro() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Macros(cel.GlobalMacro("changed", 1, func(make cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
			return make.NewCall(touches, make.NewIdent(".paths"), args[0]), nil
		})),
		cel.Function(touches, cel.Overload("touches_list_string",
			[]*cel.Type{cel.ListType(cel.StringType), cel.StringType}, cel.BoolType,
			cel.BinaryBinding(func(paths, pointer ref.Val) ref.Val {
				p, ok := pointer.(types.String)
				list, isList := paths.(traits.Lister)
				if !ok || !isList {
					return types.MaybeNoSuchOverloadErr(paths)
				}
				return types.Bool(touched(list.Value().([]string), string(p)))
			}))),
	}
}

// touched reports whether one of the paths is the pointer, or lies below it, or
// above it: what lies above was put there or taken away whole.
func touched(paths []string, pointer string) bool {
	for _, path := range paths {
		if within(path, pointer) || within(pointer, path) {
			return true
		}
	}
	return false
}

// within reports whether a place is another one or lies below it.
func within(place, other string) bool {
	rest, ok := strings.CutPrefix(place, other)
	return ok && (rest == "" || rest[0] == '/')
}
