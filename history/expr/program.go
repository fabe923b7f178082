package expr

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

// Program is a compiled condition. Its methods are safe for concurrent use.
type Program struct {
	text    string
	program cel.Program
	brief   cel.Program // for as long as nobody needs to look at the clock; nil: there are no loops
	source  *ast.SourceInfo
	limits  Limits
	names   []string
}

// Check looks at the tree of an expression that is sound as far as types go. It
// returns what is wrong, if anything, and the id of the node where.
type Check func(root ast.NavigableExpr) (id int64, problem string)

// Condition compiles an expression that is true or false. Its error is
// history.Invalid or history.TooLarge about the field, and shows the place; its
// Meta has line and column, from 1. No text is no expression.
func (e *Env) Condition(field, text string, checks ...Check) (*Program, error) {
	return e.compile(field, text, append([]Check{offered, sound, isCondition}, checks...))
}

func (e *Env) compile(field, text string, checks []Check) (*Program, error) {
	if err := e.fits(field, text); err != nil {
		return nil, err
	}
	checked, issues := e.cel.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, e.refusal(field, text, issues)
	}
	tree := checked.NativeRep()
	root := ast.NavigateAST(tree)
	for _, check := range checks {
		if id, problem := check(root); problem != "" {
			at := tree.SourceInfo().GetStartLocation(id)
			return nil, refusal(field, text, []problemAt{{at.Line(), at.Column(), problem}})
		}
	}

	options := append(patterns(root), cel.EvalOptions(cel.OptOptimize))
	if makes(root) {
		calc := types.NewSizeCalculator(types.SizeCalculatorMaxDepth(maxNesting), types.SizeCalculatorMaxTraversal(maxRange))
		options = append(options, cel.MemoryTracking(types.MemoryTrackerSizeCalculator(calc)), cel.MemoryLimit(maxMade))
	}
	p := &Program{text: text, source: tree.SourceInfo(), limits: e.limits, names: mentioned(root)}
	var err error
	if len(ast.MatchDescendants(root, ast.KindMatcher(ast.ComprehensionKind))) > 0 {
		p.brief, err = e.cel.Program(checked, append(options, cel.CostLimit(min(briefSteps, e.limits.Steps)))...)
	}
	if err == nil {
		p.program, err = e.cel.Program(checked, append(options, cel.CostLimit(e.limits.Steps), cel.InterruptCheckFrequency(everySteps))...)
	}
	if err != nil {
		return nil, refusal(field, text, []problemAt{{1, 0, err.Error()}})
	}
	return p, nil
}

// mentioned are the names that stand in an expression, those of its loops
// included.
func mentioned(root ast.NavigableExpr) (names []string) {
	for _, e := range ast.MatchDescendants(root, ast.KindMatcher(ast.IdentKind)) {
		names = append(names, e.AsIdent())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Mentions are the variables that stand in the condition, and perhaps other names.
func (p *Program) Mentions() []string { return p.names }

// Decide evaluates the condition where vars resolves some variables to an unknown
// value of CEL, and tells whether the others are enough to say whether it holds.
// Where they are, Holds says the same, whatever those are.
func (p *Program) Decide(vars cel.Activation) (holds, decided bool) {
	v, _, err := p.program.Eval(vars)
	b, ok := v.(types.Bool)
	return bool(b), ok && err == nil
}

// String is the text.
func (p *Program) String() string { return p.text }

// Holds evaluates the condition. An error says that it could not be evaluated to
// its end, and where in the text that was seen; see [Absent]. What vars resolves is
// asked for only when the evaluation comes to it, once for each mention.
func (p *Program) Holds(ctx context.Context, vars cel.Activation) (bool, error) {
	result, err := p.evaluate(ctx, vars)
	if err != nil {
		return false, err
	}
	b, ok := result.(types.Bool)
	if !ok {
		return false, p.failure(absent(fmt.Sprintf("no such overload: a condition that is %T", result)))
	}
	return bool(b), nil
}

// evaluate comes to the same end whether it is brief or not. A deadline takes longer
// to set than most conditions take.
func (p *Program) evaluate(ctx context.Context, vars cel.Activation) (any, error) {
	err := ctx.Err()
	if err != nil {
		return nil, &evaluation{err: err}
	}
	var v any
	if p.brief == nil { // every step is counted before the next, and their number is bounded by the text
		v, _, err = p.program.Eval(vars)
	} else if v, _, err = p.brief.Eval(vars); exceeds(err) {
		within, cancel := context.WithTimeoutCause(ctx, p.limits.Time, errTime)
		defer cancel()
		v, _, err = p.program.ContextEval(within, vars)
	}
	if err != nil {
		return nil, p.failure(err)
	}
	return v, nil
}

var errTime = errors.New("out of time")

// Passing reports whether an evaluation failed because of the time that it took, or of
// its context: another one may end otherwise. Whatever else an evaluation ends with,
// it does so each time.
func Passing(err error) bool {
	return errors.Is(err, errTime) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// evaluation is the failure of an evaluation.
type evaluation struct {
	where string
	err   error
}

// Error is where and what.
func (e *evaluation) Error() string { return e.where + e.err.Error() }

func (e *evaluation) Unwrap() error { return e.err }

// exceeds reports whether an evaluation ended for the number of its steps.
func exceeds(err error) bool {
	var cancelled interpreter.EvalCancelledError
	return errors.As(err, &cancelled) && cancelled.Cause == interpreter.CostLimitExceeded
}

func (p *Program) failure(err error) error {
	var cancelled interpreter.EvalCancelledError
	var at *types.Err
	switch {
	case errors.Is(err, errTime):
		return &evaluation{err: tooLong(p.limits.Time)}
	case exceeds(err):
		return &evaluation{err: fmt.Errorf("takes more than %d steps", p.limits.Steps)}
	case errors.As(err, &cancelled) && cancelled.Cause == interpreter.MemoryLimitExceeded:
		return &evaluation{err: errors.New("makes too large a value")}
	case errors.As(err, &at) && at.NodeID() > 0:
		l := p.source.GetStartLocation(at.NodeID())
		return &evaluation{where: fmt.Sprintf("line %d, column %d: ", l.Line(), l.Column()+1), err: err}
	}
	return &evaluation{err: err}
}

// tooLong is the time that an evaluation may take.
type tooLong time.Duration

func (t tooLong) Error() string        { return fmt.Sprintf("takes longer than %v", time.Duration(t)) }
func (t tooLong) Is(target error) bool { return target == errTime }

func isCondition(root ast.NavigableExpr) (int64, string) {
	switch t := root.Type(); t.Kind() {
	case types.BoolKind:
		return 0, ""
	case types.DynKind:
		return root.ID(), "this may be of any type; compare it, with == true for instance"
	default:
		return root.ID(), fmt.Sprintf("this is of type %s, not true or false", cel.FormatCELType(t))
	}
}

func offered(root ast.NavigableExpr) (int64, string) {
	for _, call := range ast.MatchDescendants(root, ast.KindMatcher(ast.CallKind)) {
		name := call.AsCall().FunctionName()
		if instead, ok := notOffered[name]; ok {
			return call.ID(), fmt.Sprintf("%s is not offered here; %s", name, instead)
		}
	}
	return 0, ""
}

// makes reports whether an expression makes lists, maps or texts that are larger
// than what it finds.
func makes(root ast.NavigableExpr) bool {
	return len(ast.MatchDescendants(root, func(e ast.NavigableExpr) bool {
		switch e.Kind() {
		case ast.CallKind:
			return e.AsCall().FunctionName() == operators.Add
		case ast.ListKind, ast.MapKind:
			return !ast.ConstantValueMatcher()(e)
		case ast.ComprehensionKind:
			k := e.AsComprehension().AccuInit().Kind()
			return k == ast.ListKind || k == ast.MapKind
		}
		return false
	})) > 0
}
