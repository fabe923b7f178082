package engine_test

import (
	"context"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// An account that nobody records is judged by a rule that is evaluated elsewhere,
// from its first evaluation to the end of the rule.
func TestExternalRuleOnWhatIsNotRecorded(t *testing.T) {
	w := worldWith(t, memoryWorld, "self")
	account := history.Key{Account: "1", Type: rules.AccountType, ID: "1"}
	external := definition{From: at(0), Rule: rules.Rule{External: true, Scope: rules.Scope{Types: []string{rules.AccountType}}}}
	w.put(ruleA, external)
	w.settle()
	evaluate := func(n int, c rules.Compliance) {
		t.Helper()
		err := engine.PutEvaluation(context.Background(), w.store, rules.Evaluation{
			Rule: "a", Key: account, At: at(n), Verdict: rules.Verdict{Compliance: c},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
	}
	verdicts := func() string { return w.timelineOf("a", account) }
	evaluate(5, rules.NonCompliant)
	evaluate(3, rules.Compliant)
	if got, want := verdicts(), "3 COMPLIANT 5; 5 NON_COMPLIANT now; "; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	timeline, err := w.session().Timeline(w.ctx, w.ruling(ruleA), account, 0)
	if err != nil || len(timeline.Intervals) != 2 || timeline.Intervals[0].From != at(3) {
		t.Errorf("worked out in full: %+v, %v", timeline, err)
	}

	t.Run("RuleIsDeleted", func(t *testing.T) {
		w.record(history.Observation{Key: ruleA, CapturedAt: at(8), State: history.State{Deleted: true}})
		w.settle()
		if got, want := verdicts(), "3 COMPLIANT 5; 5 NON_COMPLIANT 8; "; got != want {
			t.Errorf("%s; want %s", got, want)
		}
	})
	t.Run("RuleIsPutAgain", func(t *testing.T) {
		external.From = at(9)
		w.put(ruleA, external)
		w.settle()
		if got, want := verdicts(), "3 COMPLIANT 5; 5 NON_COMPLIANT 8; 9 NON_COMPLIANT now; "; got != want {
			t.Errorf("%s; want %s", got, want)
		}
	})
	t.Run("AccountIsRecorded", func(t *testing.T) {
		w.record(history.Observation{Key: account, CapturedAt: at(10), State: content{V: "A"}.state()})
		w.settle()
		if got, want := verdicts(), "3 COMPLIANT 5; 5 NON_COMPLIANT 8; 9 NON_COMPLIANT now; "; got != want {
			t.Errorf("%s; want %s", got, want)
		}
	})
	t.Run("AccountIsGone", func(t *testing.T) {
		w.record(history.Observation{Key: account, CapturedAt: at(12), State: history.State{Deleted: true}})
		w.settle()
		if got, want := verdicts(), "3 COMPLIANT 5; 5 NON_COMPLIANT 8; 9 NON_COMPLIANT 12; "; got != want {
			t.Errorf("%s; want %s", got, want)
		}
	})
}

func TestEvaluateAnew(t *testing.T) {
	w := worldWith(t, memoryWorld, "self")
	w.put(ruleA, definition{From: at(0), Rule: rules.Rule{Compliant: "self"}})
	w.version(bucket, 1, "A", "")
	w.settle()
	before := w.engine.Counters().Evaluations
	w.clock.Advance(10 * 1e9)
	w.engine.EvaluateAnew(ruleA, history.Key{Type: rules.TypeRule, ID: "unknown"})
	if err := w.engine.WaitTime(w.ctx, history.MomentOf(w.clock.Now())); err != nil {
		t.Fatal(err)
	}
	if n := w.engine.Counters().Evaluations - before; n != 1 {
		t.Errorf("%d evaluations, want 1", n)
	}
	if got := w.timelineOf("a", bucket); got == "" {
		t.Error("no verdict is left")
	}
}
