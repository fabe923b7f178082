package cel

import (
	gocel "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/varvehq/varve/history/expr"
)

var conditionType = expr.NewType("condition",
	said("operator", func(c *condition) string { return c.operator }),
	said("key", func(c *condition) string { return c.key }),
	texts("values", func(c *condition) []string { return c.values }),
)

var statementType = expr.NewType("statement",
	said("sid", func(s *statement) string { return s.sid }),
	said("effect", func(s *statement) string { return s.effect }),
	texts("actions", func(s *statement) []string { return s.actions }),
	texts("notActions", func(s *statement) []string { return s.notActions }),
	texts("resources", func(s *statement) []string { return s.resources }),
	texts("notResources", func(s *statement) []string { return s.notResources }),
	texts("principals", func(s *statement) []string { return s.principals }),
	texts("notPrincipals", func(s *statement) []string { return s.notPrincipals }),
	field("conditions", gocel.ListType(conditionType.CEL()), func(s *statement) ref.Val {
		all := make([]ref.Val, len(s.conditions))
		for i := range all {
			all[i] = conditionType.Value(&s.conditions[i])
		}
		return types.NewRefValList(types.DefaultTypeAdapter, all)
	}),
	field("public", gocel.BoolType, func(s *statement) ref.Val { return types.Bool(s.isPublic()) }),
)

func texts[T any](name string, get func(*T) []string) expr.Field[T] {
	return field(name, gocel.ListType(gocel.StringType), func(of *T) ref.Val {
		return types.NewStringList(types.DefaultTypeAdapter, get(of))
	})
}

// perStatement is about how many steps it takes to read one.
const perStatement = 50

// maxPattern bounds the patterns that are matched, in bytes.
const maxPattern = 4096

// policies are functions of IAM policies.
func policies() []gocel.EnvOption {
	tells := func(name string, holds func(s *statement, text string) bool) gocel.EnvOption {
		return method(name, takes(statementType.CEL(), gocel.StringType), gocel.BoolType, func(args ...ref.Val) ref.Val {
			s, ok := args[0].Value().(*statement)
			text, isText := args[1].(types.String)
			switch {
			case !ok || !isText:
				return types.NoSuchOverloadErr()
			case len(text) > maxPattern:
				return types.NewErr("a text of %d bytes is not matched; at most %d are", len(text), maxPattern)
			}
			return types.Bool(holds(s, string(text)))
		})
	}
	return []gocel.EnvOption{
		costly("iam.statements", takes(gocel.DynType), gocel.ListType(statementType.CEL()), func(args ...ref.Val) ref.Val {
			statements, err := statementsOf(args[0])
			if err != nil {
				return types.WrapErr(err)
			}
			all := make([]ref.Val, len(statements))
			for i, s := range statements {
				all[i] = statementType.Value(s)
			}
			return types.NewRefValList(types.DefaultTypeAdapter, all)
		}, cost.Scale(cost.Length(cost.Result()), perStatement)),
		tells("allows", func(s *statement, action string) bool { return s.effect == "Allow" && s.about(action) }),
		tells("denies", func(s *statement, action string) bool { return s.effect == "Deny" && s.about(action) }),
		tells("covers", (*statement).covers),
		function("iam.match", takes(gocel.StringType, gocel.StringType), gocel.BoolType, func(args ...ref.Val) ref.Val {
			pattern, ok := args[0].(types.String)
			text, isText := args[1].(types.String)
			switch {
			case !ok || !isText:
				return types.NoSuchOverloadErr()
			case len(pattern) > maxPattern || len(text) > maxPattern:
				return types.NewErr("a text of more than %d bytes is not matched", maxPattern)
			}
			return types.Bool(wild(string(pattern), string(text)))
		}),
	}
}
