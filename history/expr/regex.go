package expr

import (
	"fmt"
	"regexp"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// A pattern runs in time linear in the text, but nothing stops it once it runs:
// twenty nanoseconds for a byte and an instruction of its program, at worst.
const (
	maxPattern = 500     // instructions of a pattern's program
	maxMatched = 8 << 20 // bytes of a text times instructions, of all calls in a text together
)

// pattern is a compiled pattern and how many instructions its program has.
type pattern struct {
	*regexp.Regexp
	size int
}

func compile(text string) (*pattern, error) {
	size, err := types.RegexProgramSize(text)
	if err != nil {
		return nil, err
	}
	re, err := types.CompileRegexWithLimit(text, maxPattern)
	return &pattern{re, size}, err
}

// patterns compiles patterns that are literals once, with the expression, and
// those made of values when they are met.
func patterns(root ast.NavigableExpr) []cel.ProgramOption {
	most := maxMatched / max(1, len(ast.MatchDescendants(root, ast.FunctionMatcher(overloads.Matches))))
	literal := func(overload string) *interpreter.RegexOptimization {
		return &interpreter.RegexOptimization{
			Function: overloads.Matches, OverloadID: overload, RegexIndex: 1,
			Factory: func(call interpreter.InterpretableCall, text string) (interpreter.InterpretableCall, error) {
				p, err := compile(text)
				if err != nil {
					return nil, err
				}
				return newMatch(call, most, func(string) (*pattern, error) { return p, nil }), nil
			},
		}
	}
	return []cel.ProgramOption{
		cel.CustomDecoratorV2(func(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
			call, ok := i.(interpreter.InterpretableCall)
			if !ok || call.Function() != overloads.Matches || len(call.Args()) != 2 {
				return i, nil
			}
			return newMatch(call, most, compile), nil
		}),
		cel.OptimizeRegex(literal(overloads.Matches), literal(overloads.MatchesString)),
	}
}

// newMatch is a call of matches(text, pattern) which takes at most so many bytes
// times instructions.
func newMatch(call interpreter.InterpretableCall, most int, compile func(string) (*pattern, error)) interpreter.InterpretableCall {
	return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), func(values ...ref.Val) ref.Val {
		text, isText := values[0].(types.String)
		pattern, isPattern := values[1].(types.String)
		if !isText || !isPattern {
			return types.WrapErr(absent("no such overload: matches"))
		}
		p, err := compile(string(pattern))
		if err != nil {
			return types.WrapErr(err)
		}
		if most := most / p.size; len(text) > most {
			return types.WrapErr(fmt.Errorf("a text of %d bytes is not matched with this pattern; at most %d are", len(text), most))
		}
		return types.Bool(p.MatchString(string(text)))
	})
}

// sound refuses patterns that do not compile.
func sound(root ast.NavigableExpr) (int64, string) {
	for _, e := range ast.MatchDescendants(root, ast.FunctionMatcher(overloads.Matches)) {
		args := e.AsCall().Args()
		last := args[len(args)-1]
		if last.Kind() != ast.LiteralKind {
			continue
		}
		if pattern, ok := last.AsLiteral().(types.String); ok {
			if _, err := compile(string(pattern)); err != nil {
				return last.ID(), err.Error()
			}
		}
	}
	return 0, ""
}
