package cel

import (
	"fmt"
	"math"
	"time"

	gocel "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// layouts are how AWS writes times, in UTC where they do not say; ISO 8601 also with
// +0000 and without a zone.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02",
	"January 2, 2006 3:04:05 PM", "Jan 2, 2006 3:04:05 PM", "Jan 2, 2006, 3:04:05 PM",
}

// since is what ageInDays becomes: it needs the clock. No expression can spell it.
const since = "@since"

// times are functions of moments.
func times() []gocel.EnvOption {
	return []gocel.EnvOption{
		function("timeOf", takes(gocel.DynType), gocel.TimestampType, func(args ...ref.Val) ref.Val {
			t, err := timeOf(args[0])
			if err != nil {
				return types.WrapErr(err)
			}
			return types.Timestamp{Time: t}
		}),
		gocel.Macros(gocel.GlobalMacro("ageInDays", 1, func(make gocel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *gocel.Error) {
			return make.NewCall(since, args[0], make.NewIdent(".now")), nil
		})),
		function(since, takes(gocel.DynType, gocel.TimestampType), gocel.IntType, func(args ...ref.Val) ref.Val {
			t, err := timeOf(args[0])
			if err != nil {
				return types.WrapErr(err)
			}
			now, ok := args[1].(types.Timestamp)
			if !ok {
				return types.NoSuchOverloadErr()
			}
			return types.Int(math.Floor(now.Sub(t).Hours() / 24))
		}),
	}
}

func timeOf(v ref.Val) (time.Time, error) {
	switch v := unopt(v).(type) {
	case nil:
		return time.Time{}, fmt.Errorf("there is no time to read")
	case types.Timestamp:
		return v.Time, nil
	case types.String:
		for _, layout := range layouts {
			if t, err := time.Parse(layout, string(v)); err == nil {
				return t.UTC(), nil
			}
		}
		return time.Time{}, fmt.Errorf("%.60q is no time", string(v))
	case types.Int:
		return epoch(float64(v))
	case types.Double:
		return epoch(float64(v))
	default:
		return time.Time{}, fmt.Errorf("a %s is no time", v.Type().TypeName())
	}
}

// epoch reads seconds, or milliseconds where seconds would be after the year 5000.
func epoch(n float64) (time.Time, error) {
	if math.Abs(n) >= 1e11 {
		n /= 1000
	}
	if !(math.Abs(n) < 1e11) {
		return time.Time{}, fmt.Errorf("%g is no time", n)
	}
	whole, fraction := math.Modf(n)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC().Round(time.Microsecond), nil
}
