package cel

import (
	gocel "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

func declarations() []gocel.EnvOption {
	all := []gocel.EnvOption{
		resourceType.Declare(), relationshipType.Declare(), statementType.Declare(), conditionType.Declare(),
		gocel.Variable("resource", resourceType.CEL()),
		gocel.Variable("config", gocel.DynType),
		gocel.Variable("supplement", gocel.DynType),
		gocel.Variable("params", gocel.MapType(gocel.StringType, gocel.DynType)),
		gocel.Variable("now", gocel.TimestampType),
	}
	for _, more := range [][]gocel.EnvOption{others(), networks(), groups(), policies(), grants(), values(), times()} {
		all = append(all, more...)
	}
	return all
}

// onSubject makes name(x) of resource.name(x).
func onSubject(name string) gocel.MacroFactory {
	return func(make gocel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *gocel.Error) {
		return make.NewMemberCall(name, make.NewIdent(".resource"), args[0]), nil
	}
}

// function declares a function of one form, whose cost grows with the size of its
// first argument.
func function(name string, args []*gocel.Type, result *gocel.Type, call functions.FunctionOp) gocel.EnvOption {
	return costly(name, args, result, call, cost.Const(1))
}

// costly declares a function that costs more.
func costly(name string, args []*gocel.Type, result *gocel.Type, call functions.FunctionOp, more cost.QuantityExpr) gocel.EnvOption {
	return priced(name, args, result, call, cost.Sum(more, cost.StringScan(cost.Length(cost.Arg(0)))))
}

// fixed declares a function whose cost is the same whatever it is given.
func fixed(name string, args []*gocel.Type, result *gocel.Type, call functions.FunctionOp) gocel.EnvOption {
	return priced(name, args, result, call, cost.Const(1))
}

func priced(name string, args []*gocel.Type, result *gocel.Type, call functions.FunctionOp, price cost.QuantityExpr) gocel.EnvOption {
	id := "varve_" + name
	return options(
		gocel.Function(name, gocel.Overload(id, args, result, gocel.FunctionBinding(call))),
		gocel.CostModel(cost.Overload(id, cost.EvalCost(price))),
	)
}

// method declares a function on a value.
func method(name string, args []*gocel.Type, result *gocel.Type, call functions.FunctionOp) gocel.EnvOption {
	return gocel.Function(name, gocel.MemberOverload("varve_"+args[0].TypeName()+"_"+name, args, result, gocel.FunctionBinding(call)))
}

func options(all ...gocel.EnvOption) gocel.EnvOption {
	return func(e *gocel.Env) (*gocel.Env, error) {
		var err error
		for _, o := range all {
			if e, err = o(e); err != nil {
				return nil, err
			}
		}
		return e, nil
	}
}

// Types of arguments.
func takes(types ...*gocel.Type) []*gocel.Type { return types }

// unopt is what an optional value holds; nil: nothing, or null.
func unopt(v ref.Val) ref.Val {
	if o, ok := v.(*types.Optional); ok {
		if !o.HasValue() {
			return nil
		}
		v = o.GetValue()
	}
	if v == types.NullValue {
		return nil
	}
	return v
}
