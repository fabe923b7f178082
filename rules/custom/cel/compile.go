package cel

import (
	"context"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types/ref"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/expr"
	"github.com/varvehq/varve/rules"
)

// Limits of one evaluation of one expression.
const (
	maxSteps = 2_000_000
	maxTime  = 5 * time.Second
)

// judge is a compiled rule.
type judge struct {
	applicable, compliant, annotation *expr.Program // applicable and annotation: nil for none
	otherwise                         string        // the annotation without an expression
	params                            ref.Val
	needs                             rules.Needs
}

// Compile makes a rule that is valid and has an expression ready. Its error is
// history.Invalid or history.TooLarge about applicable, compliant or annotation, with
// the place in its text and Meta, or about an argument.
func Compile(r *rules.Rule) (rules.Judge, error) {
	switch {
	case r.External:
		return nil, &history.Error{Kind: history.Invalid, Field: "external", Text: "says that verdicts are put; there is nothing to compute"}
	case strings.TrimSpace(r.Compliant) == "":
		return nil, &history.Error{Kind: history.Invalid, Field: "compliant", Text: "is required: an expression that is true of what complies"}
	}
	values, err := rules.Bind(r.Parameters, r.Arguments)
	if err != nil {
		return nil, err
	}
	env, err := environment()
	if err != nil {
		return nil, err
	}

	j := &judge{params: paramsOf(values), otherwise: sentence(r)}
	checks := []expr.Check{declared(r.Parameters), j.mentions}
	if j.compliant, err = env.Condition("compliant", r.Compliant, checks...); err != nil {
		return nil, err
	}
	if strings.TrimSpace(r.Applicable) != "" {
		if j.applicable, err = env.Condition("applicable", r.Applicable, checks...); err != nil {
			return nil, err
		}
	}
	if strings.TrimSpace(r.Annotation) != "" {
		if j.annotation, err = env.Text("annotation", r.Annotation, checks...); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// environment is the same for all rules, and takes some milliseconds to make.
var environment = sync.OnceValues(func() (*expr.Env, error) {
	return expr.NewEnv(expr.Limits{Steps: maxSteps, Time: maxTime}, declarations()...)
})

// sentence says why not where no expression does.
func sentence(r *rules.Rule) string {
	first, _, _ := strings.Cut(strings.TrimSpace(r.Description), "\n")
	if first == "" {
		return "does not comply with " + r.Name
	}
	return "does not comply: " + first
}

// mentions notes what a rule looks at beside the resource; it finds no fault.
func (j *judge) mentions(root ast.NavigableExpr) (int64, string) {
	ast.MatchDescendants(root, func(e ast.NavigableExpr) bool {
		switch e.Kind() {
		case ast.IdentKind:
			j.needs.Clock = j.needs.Clock || strings.TrimPrefix(e.AsIdent(), ".") == "now"
		case ast.CallKind:
			switch e.AsCall().FunctionName() {
			case "related", "referrers", "inventory":
				j.needs.Others = true
			}
		}
		return false
	})
	return 0, ""
}

// Needs says what a verdict may depend on beside the resource itself.
func (j *judge) Needs() rules.Needs { return j.needs }

// Judge gives the verdict.
func (j *judge) Judge(ctx context.Context, s *rules.Subject) (rules.Verdict, error) {
	switch {
	case s.Item.Erased:
		return rules.Annotate(rules.InsufficientData, "the content of this version was erased"), nil
	case s.Item.State.Configuration == nil && s.Item.Status == history.StatusNotRecorded:
		return rules.Annotate(rules.InsufficientData, "the configuration was not recorded"), nil
	}
	e := &evaluation{ctx: ctx, subject: s, params: j.params}
	e.self = &seen{s.Item, e}

	if j.applicable != nil {
		applies, err := j.applicable.Holds(ctx, e)
		if failed := e.interrupted(); failed != nil {
			return rules.Verdict{}, failed
		}
		if err != nil {
			return rules.Annotate(rules.Error, "applicable: "+err.Error()), nil
		}
		if !applies {
			return rules.Verdict{Compliance: rules.NotApplicable}, nil
		}
	}
	complies, err := j.compliant.Holds(ctx, e)
	if failed := e.interrupted(); failed != nil {
		return rules.Verdict{}, failed
	}
	switch {
	case err != nil:
		return rules.Annotate(rules.Error, "compliant: "+err.Error()), nil
	case complies:
		return rules.Verdict{Compliance: rules.Compliant}, nil
	case j.annotation == nil:
		return rules.Annotate(rules.NonCompliant, j.otherwise), nil
	}
	why, err := j.annotation.Text(ctx, e)
	if failed := e.interrupted(); failed != nil {
		return rules.Verdict{}, failed
	}
	if err != nil || why == "" {
		why = j.otherwise
	}
	return rules.Annotate(rules.NonCompliant, why), nil
}

// interrupted is why a verdict cannot be given at all.
func (e *evaluation) interrupted() error {
	if e.failed != nil {
		return e.failed
	}
	return e.ctx.Err()
}
