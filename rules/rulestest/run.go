package rulestest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Result is what became of a case.
type Result struct {
	Case   *Case
	Got    rules.Verdict
	Failed string // why the case failed; empty: it passed
}

// Compile makes a rule ready: cel.Compile, or managed.Compile.
type Compile func(*rules.Rule) (rules.Judge, error)

// Run runs the cases of a rule in their order. Its error is of the rule, which does
// not compile, or of a case that is not sound, such as an argument that the rule does
// not take; it tells the place.
func Run(ctx context.Context, compile Compile, rule *rules.Rule, cases []*Case) ([]Result, error) {
	named := make(map[string]bool)
	var plain rules.Judge // without arguments of a case; required ones may be in all cases
	var all []Result
	for _, c := range cases {
		if named[c.Name] {
			return nil, history.Errorf(history.Invalid, "%s: is the second case named %q", c.At, c.Name)
		}
		named[c.Name] = true
		judge := plain
		if judge == nil || len(c.Params) > 0 {
			var err error
			if judge, err = compile(c.given(rule)); err != nil {
				return nil, c.place(err)
			}
		}
		if len(c.Params) == 0 {
			plain = judge
		}
		got, err := c.judge(ctx, rule, judge)
		if err != nil {
			return nil, err
		}
		all = append(all, Result{c, got, c.failure(got)})
	}
	if len(cases) == 0 {
		_, err := compile(rule)
		return nil, err
	}
	return all, nil
}

// given is the rule with the arguments of the case.
func (c *Case) given(rule *rules.Rule) *rules.Rule {
	r := *rule
	if len(c.Params) > 0 {
		r.Arguments = make(map[string]string, len(c.Params))
		maps.Copy(r.Arguments, rule.Arguments)
		maps.Copy(r.Arguments, c.Params)
	}
	return &r
}

// place tells where the case gives an argument that the rule does not take; any other
// error is the rule's own.
func (c *Case) place(err error) error {
	var e *history.Error
	if !errors.As(err, &e) {
		return err
	}
	name, ok := strings.CutPrefix(e.Field, "inputParameters.")
	if !ok {
		return err
	}
	own := *e
	own.Field = "params." + name
	return c.value.Place(&own)
}

func (c *Case) judge(ctx context.Context, rule *rules.Rule, judge rules.Judge) (rules.Verdict, error) {
	item, world, err := c.build(rule)
	if err != nil {
		return rules.Verdict{}, err
	}
	if !rule.Scope.Selects(item.Key, item.State.Tags) {
		return rules.Annotate(rules.NotApplicable, "the item is not in the rule's scope"), nil
	}
	return judge.Judge(ctx, &rules.Subject{Item: item, Now: c.Now, Others: world, Moment: history.MomentOf(c.Now)})
}

func (c *Case) failure(got rules.Verdict) string {
	switch {
	case got.Compliance != c.Expect && got.Annotation != "":
		return fmt.Sprintf("expected %s, got %s: %s", c.Expect, got.Compliance, got.Annotation)
	case got.Compliance != c.Expect:
		return fmt.Sprintf("expected %s, got %s", c.Expect, got.Compliance)
	case !strings.Contains(got.Annotation, c.Annotation):
		return fmt.Sprintf("expected an annotation with %q, got %q", c.Annotation, got.Annotation)
	}
	return ""
}
