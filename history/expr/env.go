package expr

import (
	"cmp"
	"fmt"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
)

// Limits bound expressions; zero values stand for the defaults.
type Limits struct {
	Text  int           // bytes of an expression; 16 KiB
	Steps uint64        // of one evaluation, as cel-go counts costs; 1,000,000
	Time  time.Duration // of one evaluation; one second
}

// Bounds that are nobody's business to set.
const (
	maxNesting = 64
	maxNodes   = 10_000
	maxRange   = 100_000 // elements of lists.range
	maxMade    = 4 << 20 // values, about, in a list or map that an expression makes
	briefSteps = 5_000   // that no deadline is set for
	everySteps = 1       // turns of a loop between two looks at the clock
)

// notOffered are functions whose cost is known only when it has been paid, and has
// no bound that a document would not exceed.
var notOffered = map[string]string{
	"replace":  "compare the text as it is",
	"join":     "compare the elements",
	"format":   "compare the values themselves",
	"distinct": "use exists or all",
	"flatten":  "use exists within exists",
}

// Env is what expressions may mention. Its methods are safe for concurrent use.
type Env struct {
	cel    *cel.Env
	limits Limits
}

// NewEnv makes an environment of declarations: cel.Variable and cel.Function,
// [Type.Declare], cel.Macros. Its error is a mistake in them.
func NewEnv(limits Limits, declarations ...cel.EnvOption) (*Env, error) {
	limits = Limits{
		Text:  cmp.Or(limits.Text, 16<<10),
		Steps: cmp.Or(limits.Steps, 1_000_000),
		Time:  cmp.Or(limits.Time, time.Second),
	}
	env, err := cel.NewEnv(append([]cel.EnvOption{
		cel.ParserRecursionLimit(maxNesting),
		cel.ParserExpressionSizeLimit(limits.Text),
		cel.ExpressionNodeLimit(maxNodes),
		cel.ASTValidators(cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals()),
		cel.EnableIdentifierEscapeSyntax(),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.OptionalTypes(),
		ext.Bindings(), ext.Strings(), ext.Math(), ext.Network(), ext.TwoVarComprehensions(),
		ext.Lists(ext.ListsVersion(3), ext.ListsMaxRangeSize(maxRange)),
	}, declarations...)...)
	if err != nil {
		return nil, fmt.Errorf("expr: %w", err)
	}
	return &Env{env, limits}, nil
}
