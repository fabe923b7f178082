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
	"github.com/varvehq/varve/history/memo"
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
	parts                             *parts // of a resource that the verdict depends on; nil: all there is, and more
	known                             *memo.Cache[digest, rules.Verdict]
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
	reading := expr.Reading{Members: permissionMembers}
	checks := []expr.Check{declared(r.Parameters), j.mentions, reading.Check}
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
	if j.parts = partsOf(reading.Paths()); j.parts != nil && j.needs == (rules.Needs{}) {
		j.known = memo.New[digest, rules.Verdict](knownBytes)
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
	case s.Item.Lost:
		return rules.Annotate(rules.InsufficientData, "the content of this version was lost to damage"), nil
	case s.Item.Erased:
		return rules.Annotate(rules.InsufficientData, "the content of this version was erased"), nil
	case s.Item.State.Configuration == nil && s.Item.Status == history.StatusNotRecorded:
		return rules.Annotate(rules.InsufficientData, "the configuration was not recorded"), nil
	}
	if j.known == nil {
		v, _, err := j.judge(ctx, s)
		return v, err
	}
	read, ok := j.parts.digest(s.Item)
	if ok {
		if v, found := j.known.Get(read); found {
			return v, nil
		}
	}
	v, lasting, err := j.judge(ctx, s)
	if ok && lasting && err == nil {
		v.Annotation = strings.Clone(v.Annotation) // it may be a part of the document
		j.known.Put(read, v, len(v.Annotation))
	}
	return v, err
}

// judge evaluates; lasting tells whether it will always come to that.
func (j *judge) judge(ctx context.Context, s *rules.Subject) (v rules.Verdict, lasting bool, err error) {
	e := &evaluation{ctx: ctx, subject: s, params: j.params}
	e.self = &seen{s.Item, e}

	if j.applicable != nil {
		applies, err := j.applicable.Holds(ctx, e)
		if failed := e.interrupted(); failed != nil {
			return rules.Verdict{}, false, failed
		}
		if err != nil {
			return rules.Annotate(rules.Error, "applicable: "+err.Error()), !expr.Passing(err), nil
		}
		if !applies {
			return rules.Verdict{Compliance: rules.NotApplicable}, true, nil
		}
	}
	complies, err := j.compliant.Holds(ctx, e)
	if failed := e.interrupted(); failed != nil {
		return rules.Verdict{}, false, failed
	}
	switch {
	case err != nil:
		return rules.Annotate(rules.Error, "compliant: "+err.Error()), !expr.Passing(err), nil
	case complies:
		return rules.Verdict{Compliance: rules.Compliant}, true, nil
	case j.annotation == nil:
		return rules.Annotate(rules.NonCompliant, j.otherwise), true, nil
	}
	why, err := j.annotation.Text(ctx, e)
	if failed := e.interrupted(); failed != nil {
		return rules.Verdict{}, false, failed
	}
	if err != nil || why == "" {
		why = j.otherwise
	}
	return rules.Annotate(rules.NonCompliant, why), !expr.Passing(err), nil
}

// interrupted is why a verdict cannot be given at all.
func (e *evaluation) interrupted() error {
	if e.failed != nil {
		return e.failed
	}
	return e.ctx.Err()
}
