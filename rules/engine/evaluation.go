package engine

import (
	"context"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// NotEvaluated annotates the verdict on a recorded resource in the scope of a rule
// that is evaluated elsewhere, on which no evaluation was put.
const NotEvaluated = "no evaluation was put"

// PutEvaluation records verdicts on rules that are evaluated elsewhere. Each holds
// for its resource from its moment (zero: now) until another is put for a later
// one, as long as the resource lives in the rule's scope; one that is not recorded,
// such as an account, always does. Invalid names what one of them lacks, and nothing
// is recorded.
func PutEvaluation(ctx context.Context, s history.Store, list ...rules.Evaluation) error {
	head, err := s.Head(ctx)
	if err != nil {
		return err
	}
	var b history.Batch
	for i := range list {
		e := &list[i]
		if err := checkEvaluation(e); err != nil {
			return err
		}
		r := Record{Owner: e.Owner, Rule: e.Rule, Key: e.Key, Verdict: rules.Annotate(e.Compliance, e.Annotation)}
		b.Observations = append(b.Observations, history.Observation{
			Key: EvaluationKey(e.Owner, e.Rule, e.Key), CapturedAt: e.At, State: r.state(head.Revision),
		})
	}
	receipt, err := s.Append(ctx, b)
	if err != nil {
		return err
	}
	for _, r := range receipt.Results {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

func checkEvaluation(e *rules.Evaluation) error {
	if err := rules.CheckRecordedName("rule", e.Rule); err != nil {
		return err
	}
	if _, err := rules.ParseCompliance(string(e.Compliance)); err != nil {
		return err
	}
	return e.Key.Validate()
}
