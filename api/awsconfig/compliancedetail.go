package awsconfig

import (
	"context"
	"errors"
	"slices"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// Pages of results.
const (
	detailsPage        = 10
	detailsPageUnasked = 100 // of what has no limit to be asked for
)

func (d *Door) getComplianceDetailsByConfigRule(ctx context.Context, c Caller, in *shape.GetComplianceDetailsByConfigRuleInput) (*shape.GetComplianceDetailsByConfigRuleOutput, error) {
	j, at, err := d.judgedPage(ctx, c, in, in.NextToken)
	if err != nil {
		return nil, err
	}
	rule, err := j.rules.find(in.ConfigRuleName)
	if err != nil {
		return nil, err
	}
	size := pageOf(in.Limit, detailsPage)
	var list []engine.Result
	looked, place := 0, readWholeKey(at.after)
	more := false
	err = j.ofRule(ctx, rule, "", place, func(v *engine.Result) (bool, error) {
		if more = len(list) == size || looked == mostLookedAt; more {
			return false, nil
		}
		looked++
		place = &v.Recorded
		if shown(in.ComplianceTypes, v.Compliance) {
			list = append(list, *v)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	out := &shape.GetComplianceDetailsByConfigRuleOutput{}
	if out.EvaluationResults, err = j.results(ctx, rule, list); err != nil {
		return nil, err
	}
	if more {
		out.NextToken = next(c, in, cursor{known: j.known(), after: wholeKey(*place)})
	}
	return out, nil
}

// shown reports whether results of a verdict are: where none is asked for, all but
// those that the rule does not apply to, since NOT_APPLICABLE takes a result away.
func shown(asked []string, is rules.Compliance) bool {
	if len(asked) == 0 {
		return is != rules.NotApplicable
	}
	return slices.Contains(asked, compliance(is))
}

// results are those of one rule as AWS Config tells them.
func (j *judged) results(ctx context.Context, r *ruleSeen, list []engine.Result) ([]shape.EvaluationResult, error) {
	put, err := j.lastPut(ctx, r, list)
	if err != nil {
		return nil, err
	}
	out := make([]shape.EvaluationResult, len(list))
	for i := range list {
		v := &list[i]
		one := shape.EvaluationResult{
			EvaluationResultIdentifier: &shape.EvaluationResultIdentifier{
				EvaluationResultQualifier: &shape.EvaluationResultQualifier{
					ConfigRuleName: r.name, ResourceType: v.Key.Type, ResourceID: v.Key.ID, EvaluationMode: detective,
				},
				OrderingTimestamp: v.At,
			},
			ComplianceType: compliance(v.Compliance), ResultRecordedTime: v.Learned, ConfigRuleInvokedTime: v.Learned,
			Annotation: annotation(v),
		}
		if p := put[v.Key]; p != nil {
			one.EvaluationResultIdentifier.OrderingTimestamp = p.CapturedAt
			one.ResultRecordedTime, one.ConfigRuleInvokedTime = p.RecordedAt, p.RecordedAt
		}
		if r.byFunction() {
			if one.ResultToken, err = j.d.resultToken(ctx, r, v.Key); err != nil {
				return nil, err
			}
		}
		out[i] = one
	}
	return out, nil
}

// annotation is that of a result; it tells too who has waived it, which AWS Config
// knows nothing of.
func annotation(v *engine.Result) string {
	text := v.Annotation
	if w := v.Waived; w != nil {
		text = "waived by " + w.Name + " (" + w.Reason + "): " + text
	}
	return rules.Annotate(v.Compliance, text).Annotation
}

// lastPut are the evaluations, put last, that results of a rule evaluated elsewhere
// say what they say for: a result stays as long as the same is put again.
func (j *judged) lastPut(ctx context.Context, r *ruleSeen, list []engine.Result) (map[history.Key]*history.Item, error) {
	if !r.External || len(list) == 0 {
		return nil, nil
	}
	keys := make([]history.Key, len(list))
	for i := range list {
		keys[i] = engine.EvaluationKey(r.Owner, r.Recorded(), list[i].Key)
	}
	items, err := j.r.Get(ctx, keys, history.FieldsHead)
	if err != nil {
		return nil, err
	}
	put := map[history.Key]*history.Item{}
	for i := range items {
		if items[i].Exists() && items[i].CapturedAt <= j.now { // one for the future is not it yet
			put[list[i].Key] = &items[i]
		}
	}
	return put, nil
}

func (d *Door) getComplianceDetailsByResource(ctx context.Context, c Caller, in *shape.GetComplianceDetailsByResourceInput) (*shape.GetComplianceDetailsByResourceOutput, error) {
	switch {
	case in.ResourceEvaluationID != "":
		return d.proposedDetails(ctx, c, in)
	case in.ResourceType == "" || in.ResourceID == "":
		return nil, refuse("InvalidParameterValueException", "Provide resourceType and resourceId, or resourceEvaluationId")
	}
	at, err := d.resumeDetails(c, in)
	if err != nil {
		return nil, err
	}
	j, err := d.judged(ctx, c, at)
	if err != nil {
		return nil, err
	}
	k, ok, err := c.find(ctx, j.r, in.ResourceType, in.ResourceID)
	switch {
	case err != nil:
		return nil, invalidParameter(err)
	case !ok: // it may be evaluated elsewhere
		k = history.Key{Account: c.Account, Region: c.Region, Type: in.ResourceType, ID: in.ResourceID}
	}
	byRule := map[*ruleSeen]engine.Result{}
	err = j.view.Each(ctx, engine.Question{
		Type: k.Type, ID: k.ID, Account: k.Account, HasAccount: true, Region: k.Region, HasRegion: true,
	}, func(v *engine.Result) (bool, error) {
		r := j.rules.byName[nameOf(v.Owner, v.Rule)]
		if r == nil || r.Owner != v.Owner || !shown(in.ComplianceTypes, v.Compliance) {
			return true, nil
		}
		withdrawn, err := j.withdrawn(ctx, r, j.state(r), v.Revision, v.Key)
		if err == nil && !withdrawn {
			byRule[r] = *v
		}
		return true, err
	})
	if err != nil {
		return nil, err
	}
	out := &shape.GetComplianceDetailsByResourceOutput{}
	for _, r := range after(j.rules.list, at.after) {
		v, ok := byRule[r]
		if !ok {
			continue
		}
		if n := len(out.EvaluationResults); n == detailsPageUnasked {
			out.NextToken = next(c, in, cursor{known: j.known(), after: nameOfResult(&out.EvaluationResults[n-1])})
			break
		}
		list, err := j.results(ctx, r, []engine.Result{v})
		if err != nil {
			return nil, err
		}
		out.EvaluationResults = append(out.EvaluationResults, list...)
	}
	return out, nil
}

func nameOfResult(r *shape.EvaluationResult) string {
	return r.EvaluationResultIdentifier.EvaluationResultQualifier.ConfigRuleName
}

// resumeDetails is resume for an operation that has no exception for tokens.
func (d *Door) resumeDetails(c Caller, in *shape.GetComplianceDetailsByResourceInput) (cursor, error) {
	at, err := resume(c, in, in.NextToken)
	var e *Exception
	if errors.As(err, &e) {
		return at, refuse("InvalidParameterValueException", "%s", e.Message)
	}
	return at, err
}
