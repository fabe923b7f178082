package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// newest is a view of what is known now.
func (w *world) view(at history.At) *engine.View {
	w.Helper()
	v, err := engine.NewView(w.ctx, w.store, at, history.MomentOf(w.clock.Now()))
	if err != nil {
		w.Fatal(err)
	}
	return v
}

func (w *world) session() *engine.Session {
	w.Helper()
	s, err := engine.NewSession(w.ctx, w.store, w.graph, nil, 0, history.MomentOf(w.clock.Now()))
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w *world) ruling(k history.Key) *engine.Ruling {
	w.Helper()
	r, err := w.store.AsOf(w.ctx, history.At{})
	if err != nil {
		w.Fatal(err)
	}
	ruling, err := engine.LoadRuling(w.ctx, r, language{}, k, nil)
	if err != nil {
		w.Fatal(err)
	}
	return ruling
}

// checkAnswers compares answers at a random moment with what brute force says, and
// what would be with what then is.
func (w *world) checkAnswers(r *rand.Rand, want map[string][]engine.Interval) {
	w.Helper()
	now := history.MomentOf(w.clock.Now())
	moment := at(r.IntN(int((now-at(0))/second) + 1))
	w.checkResults(moment, want)
	w.checkBacktest(r, now, want)
}

func (w *world) checkResults(moment history.Moment, want map[string][]engine.Interval) {
	w.Helper()
	view := w.view(history.At{Captured: moment})
	got := map[string]string{}
	var after *history.Key
	for more := true; more; {
		var list []engine.Result
		var err error
		if list, more, err = view.Results(w.ctx, engine.Question{After: after, Limit: 3}); err != nil {
			w.Fatal(err)
		}
		for i := range list {
			l := &list[i]
			if after != nil && after.Compare(l.Recorded) >= 0 {
				w.Fatalf("%v comes after %v", l.Recorded, *after)
			}
			after = &l.Recorded
			got[fmt.Sprint(engine.RuleKey(l.Owner, l.Rule), " on ", l.Key)] = fmt.Sprint(l.Verdict, l.Version, l.Since, l.FirstSeen)
		}
	}
	expected := map[string]string{}
	for name, list := range want {
		for _, i := range list {
			if i.From > moment || moment >= i.To {
				continue
			}
			first := i.From
			for _, o := range list {
				if o.Compliance == i.Compliance {
					first = min(first, o.From)
				}
			}
			expected[name] = fmt.Sprint(i.Verdict, i.Version, i.From, first)
		}
	}
	if d := cmp.Diff(expected, got); d != "" {
		w.Fatalf("results at %v (-brute force +answered):\n%s", moment, d)
	}
	for _, k := range resourceKeys {
		var got, expected []string
		list, err := view.OfResource(w.ctx, k)
		if err != nil {
			w.Fatal(err)
		}
		for _, h := range list {
			got = append(got, fmt.Sprint(engine.RuleKey(h.Owner, h.Rule), " on ", h.Key)+fmt.Sprint(unopened(h.Intervals)))
		}
		for _, rule := range []history.Key{ruleKeys[0], ruleKeys[1], ruleKeys[3], ruleKeys[2], ruleKeys[4]} {
			if name := fmt.Sprint(rule, " on ", k); want[name] != nil {
				expected = append(expected, name+fmt.Sprint(want[name]))
			}
		}
		if d := cmp.Diff(expected, got); d != "" {
			w.Fatalf("of %v (-brute force +answered):\n%s", k, d)
		}
	}
}

// checkBacktest compares a back-test of a recorded rule with the intervals that it
// has, cut to the span.
func (w *world) checkBacktest(r *rand.Rand, now history.Moment, want map[string][]engine.Interval) {
	w.Helper()
	if now == at(0) {
		return
	}
	rule := someOf(r, ruleKeys...)
	ruling := w.ruling(rule)
	if ruling == nil {
		return
	}
	from := at(r.IntN(int((now - at(0)) / second)))
	to := from + second*history.Moment(1+r.IntN(int((now-from)/second)))
	got, expected := map[string][]engine.Interval{}, map[string][]engine.Interval{}
	_, err := w.session().Backtest(w.ctx, ruling, from, to, 2, func(e *engine.Exposure) error {
		var exposed time.Duration
		for _, i := range e.Intervals {
			if i.Compliance == rules.NonCompliant {
				exposed += time.Duration(i.To-i.From) * time.Microsecond
			}
		}
		if exposed != e.Exposed || (e.First != nil) != (exposed > 0) {
			w.Errorf("%v: exposed for %v, intervals say %v", e.Key, e.Exposed, exposed)
		}
		got[fmt.Sprint(rule, " on ", e.Key)] = e.Intervals
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	for name, list := range want {
		if !strings.HasPrefix(name, fmt.Sprint(rule, " on ")) {
			continue
		}
		for _, i := range list {
			if i.From, i.To = max(i.From, from), min(i.To, to); i.From < i.To {
				expected[name] = append(expected[name], i)
			}
		}
	}
	if d := cmp.Diff(expected, got); d != "" {
		w.Fatalf("back-test of %v over %v to %v (-brute force +answered):\n%s", rule, from, to, d)
	}
}

var (
	bucket = history.Key{Account: "1", Type: "T", ID: "bucket"}
	ruleA  = history.Key{Type: rules.TypeRule, ID: "a"}
)

// put records a rule.
func (w *world) put(k history.Key, d definition) {
	w.Helper()
	d.Rule.Name = k.ID
	w.record(history.Observation{Key: k, State: d.state()})
}

// put records a version of a resource.
func (w *world) version(k history.Key, n int, v string, cause string) {
	w.Helper()
	o := history.Observation{Key: k, CapturedAt: at(n), State: content{V: v}.state()}
	o.Origin.Cause.Actor = cause
	w.record(o)
}

func worldWith(t *testing.T, open func(testing.TB) *world, judge string) *world {
	w := open(t)
	w.clock.Advance(time.Hour)
	w.start()
	t.Cleanup(func() { w.stop() })
	w.put(ruleA, definition{From: at(0), Rule: rules.Rule{Compliant: judge, Severity: rules.SeverityHigh}})
	return w
}

func TestWaiver(t *testing.T) {
	w := worldWith(t, memoryWorld, "self")
	w.version(bucket, 1, "A", "")
	w.version(history.Key{Account: "2", Type: "T", ID: "other"}, 1, "A", "")
	waiver := engine.Waiver{Waiver: rules.Waiver{
		Name: "accepted", Rules: []string{"a"}, Scope: rules.Scope{Accounts: []string{"1"}, TagKey: "v", TagValue: "A"},
		Reason: "a test", Author: "somebody", Expires: at(2 * 3600),
	}}
	o, err := waiver.Observation(rules.Owner{})
	if err != nil {
		t.Fatal(err)
	}
	w.record(o)
	w.settle()
	waived := func(at history.At) string {
		t.Helper()
		list, _, err := w.view(at).Results(w.ctx, engine.Question{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for i := range list {
			if list[i].Compliance != rules.NonCompliant {
				t.Fatalf("%+v", list[i])
			}
			if list[i].Waived != nil {
				if d := cmp.Diff(&waiver, list[i].Waived); d != "" {
					t.Fatalf("(-put +read):\n%s", d)
				}
				names = append(names, list[i].Key.ID)
			}
		}
		return fmt.Sprintf("%d%v", len(list), names)
	}
	if got := waived(history.At{}); got != "2[bucket]" {
		t.Errorf("now: %s", got)
	}
	if got := waived(history.At{Captured: at(3599)}); got != "2[]" {
		t.Errorf("before it was put: %s", got)
	}
	if got := waived(history.At{Captured: at(7199)}); got != "2[bucket]" {
		t.Errorf("just before its expiry: %s", got)
	}
	var accounts []string
	err = w.view(history.At{}).Each(w.ctx, engine.Question{Limit: 1}, func(r *engine.Result) (bool, error) {
		accounts = append(accounts, r.Key.Account)
		return len(accounts) < 2, nil
	})
	if err != nil || fmt.Sprint(accounts) != "[1 2]" {
		t.Errorf("each: %v, %v", accounts, err)
	}
	w.clock.Advance(time.Hour)
	if got := waived(history.At{}); got != "2[]" {
		t.Errorf("after its expiry: %s", got)
	}
	w.record(history.Observation{Key: o.Key, CapturedAt: at(5000), State: history.State{Deleted: true}})
	if got := waived(history.At{Captured: at(5000)}); got != "2[]" {
		t.Errorf("after its deletion: %s", got)
	}

	waiver.Expires, o = 0, history.Observation{}
	if o, err = waiver.Observation(rules.Owner{Account: "1"}); err != nil {
		t.Fatal(err)
	}
	w.record(o)
	if got := waived(history.At{}); got != "2[]" {
		t.Errorf("by one of another owner than the rule's: %s", got)
	}
}

func TestQuestionsSelect(t *testing.T) {
	w := worldWith(t, boltWorld, "self")
	w.put(history.Key{Account: "1", Type: rules.TypeRule, ID: "b"}, definition{From: at(0), Rule: rules.Rule{Compliant: "self"}})
	for _, k := range []history.Key{
		{Account: "1", Type: "T", ID: "x"}, {Account: "1", Type: "T", ID: "y"}, {Account: "2", Type: "T", ID: "x"},
		{Account: "1", Type: "U", ID: "u"}, {Account: "2", Region: "r", Type: "U", ID: "v"}, {Account: "1", Type: "U", ID: "w"},
	} {
		w.version(k, 1, map[string]string{"T": "A", "U": "CC"}[k.Type], "")
	}
	w.settle()
	owned := rules.Owner{Account: "1"}
	for _, c := range []struct {
		name string
		q    engine.Question
		want string
	}{
		{"All", engine.Question{}, "ax ay au aw bx by bu bw ax av"},
		{"Rule", engine.Question{Rule: "b"}, "bx by bu bw"},
		{"RuleOfAnOwner", engine.Question{Rule: "b", Owner: &owned}, "bx by bu bw"},
		{"RuleOfAnotherOwner", engine.Question{Rule: "b", Owner: &rules.Owner{}}, ""},
		{"RuleOfAnOwnerAndType", engine.Question{Rule: "b", Owner: &owned, Type: "U"}, "bu bw"},
		{"Owner", engine.Question{Owner: &owned}, "bx by bu bw"},
		{"Type", engine.Question{Type: "U"}, "au aw bu bw av"},
		{"Resource", engine.Question{Type: "T", ID: "x"}, "ax bx ax"},
		{"ResourceInAnAccount", engine.Question{Type: "T", ID: "x", Account: "2"}, "ax"},
		{"ID", engine.Question{ID: "x"}, "ax bx ax"},
		{"Region", engine.Question{Region: "r"}, "av"},
		{"NoRegion", engine.Question{HasRegion: true, Rule: "a"}, "ax ay au aw ax"},
		{"Compliance", engine.Question{Compliance: []rules.Compliance{rules.NonCompliant}}, "ax ay bx by ax"},
		{"Waived", engine.Question{Waived: new(true)}, ""},
		{"NotWaived", engine.Question{Waived: new(false), Rule: "b"}, "bx by bu bw"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for limit := range 4 {
				c.q.After, c.q.Limit = nil, limit
				var got []string
				for more := true; more; {
					var list []engine.Result
					var err error
					if list, more, err = w.view(history.At{}).Results(w.ctx, c.q); err != nil {
						t.Fatal(err)
					}
					for i := range list {
						got = append(got, list[i].Rule+list[i].Key.ID)
						c.q.After = &list[i].Recorded
					}
				}
				if text := strings.Join(got, " "); text != c.want {
					t.Errorf("%d at once: %s, want %s", limit, text, c.want)
				}
			}
		})
	}
	t.Run("OfARule", func(t *testing.T) {
		var got []string
		var after *history.Key
		for more := true; more; {
			var list []engine.History
			var err error
			if list, more, err = w.view(history.At{}).OfRule(w.ctx, owned, "b", after, 3); err != nil {
				t.Fatal(err)
			}
			for i := range list {
				got = append(got, fmt.Sprint(list[i].Key.ID, len(list[i].Intervals)))
				after = &list[i].Recorded
			}
		}
		if text := strings.Join(got, " "); text != "x1 y1 u1 w1" {
			t.Error(text)
		}
	})
}

func TestBisect(t *testing.T) {
	bisect := func(t *testing.T, w *world) *engine.Culprit {
		t.Helper()
		w.settle()
		c, err := w.session().Bisect(w.ctx, w.ruling(ruleA), bucket, 0, history.Newest)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	t.Run("FindsTheVersion", func(t *testing.T) {
		w := worldWith(t, memoryWorld, "self")
		w.version(bucket, 1, "AA", "")
		w.version(bucket, 5, "BB", "")
		w.version(bucket, 9, "C", "mallory")
		w.version(bucket, 12, "AA", "")
		w.version(bucket, 15, "E", "")
		c := bisect(t, w)
		if c.What != engine.ByResource || c.At != at(9) || c.Before.Compliance != rules.Compliant || len(c.Changes) != 1 {
			t.Fatalf("%+v", c)
		}
		d := c.Changes[0]
		if d.After.Origin.Cause.Actor != "mallory" || d.Before.Version != 2 || d.After.Version != 3 || len(d.Patch) != 1 || d.Patch[0].Path != "/v" {
			t.Fatalf("%+v", d)
		}
		_, err := w.session().Bisect(w.ctx, w.ruling(ruleA), bucket, at(5), at(8))
		if !errors.Is(err, history.NotFound) {
			t.Fatal(err)
		}
	})
	t.Run("FindsTheRule", func(t *testing.T) {
		w := worldWith(t, memoryWorld, "unknown")
		w.version(bucket, 1, "A", "")
		w.put(ruleA, definition{From: at(4), Rule: rules.Rule{Compliant: "self"}})
		if c := bisect(t, w); c.What != engine.ByRule || c.At != at(4) || c.Version != 2 || c.Before.Compliance != rules.Error {
			t.Fatalf("%+v", c)
		}
	})
	t.Run("FindsTheNeighbour", func(t *testing.T) {
		w := worldWith(t, memoryWorld, "inventory")
		u := history.Key{Type: "U", ID: "u"}
		w.version(bucket, 1, "A", "")
		w.version(u, 3, "A", "") // "u=A ", even
		w.version(u, 6, "BB", "eve")
		c := bisect(t, w)
		if c.What != engine.ByOther || c.At != at(6) || len(c.Changes) != 1 || c.Changes[0].After.Key != u || c.Changes[0].After.Origin.Cause.Actor != "eve" {
			t.Fatalf("%+v", c)
		}
	})
	t.Run("FindsTheClock", func(t *testing.T) {
		w := worldWith(t, memoryWorld, "clock")
		w.put(ruleA, definition{From: at(0), Rule: rules.Rule{Compliant: "clock", Period: period}})
		w.version(bucket, 1, "AA", "")
		c := bisect(t, w)
		if c.What != engine.ByClock || c.At%history.Moment(period.Microseconds()) != 0 || c.At < at(1+21) || c.At > at(1+21+7) {
			t.Fatalf("%+v", c)
		}
	})
}

func TestExternalRule(t *testing.T) {
	w := worldWith(t, memoryWorld, "self")
	w.put(ruleA, definition{From: at(0), Rule: rules.Rule{External: true}})
	w.version(bucket, 1, "A", "")
	w.settle()
	evaluate := func(n int, c rules.Compliance) {
		t.Helper()
		err := engine.PutEvaluation(context.Background(), w.store, rules.Evaluation{
			Rule: "a", Key: bucket, At: at(n), Verdict: rules.Verdict{Compliance: c, Annotation: "from outside"},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
	}
	evaluate(9, rules.NonCompliant)
	evaluate(5, rules.Compliant)
	evaluate(9, rules.Compliant)
	evaluate(9, rules.NonCompliant)
	w.record(history.Observation{Key: bucket, CapturedAt: at(20), State: history.State{Deleted: true}})
	w.settle()
	r, err := w.store.AsOf(w.ctx, history.At{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := engine.Intervals(w.ctx, r, engine.VerdictKey(rules.Owner{}, "a", bucket))
	var got string
	for _, i := range list {
		got += fmt.Sprintf("%d%s%d ", int64((i.From-at(0))/second), i.Compliance, int64((i.To-at(0))/second))
	}
	if want := "1INSUFFICIENT_DATA5 5COMPLIANT9 9NON_COMPLIANT20 "; err != nil || got != want {
		t.Fatalf("%s, %v; want %s", got, err, want)
	}
	for field, e := range map[string]rules.Evaluation{
		"compliance": {Rule: "a", Key: bucket, At: at(1), Verdict: rules.Verdict{Compliance: "FINE"}},
		"id":         {Rule: "a", At: at(1), Key: history.Key{Type: "T"}, Verdict: rules.Verdict{Compliance: rules.Compliant}},
		"rule":       {Key: bucket, At: at(1), Verdict: rules.Verdict{Compliance: rules.Compliant}},
	} {
		var bad *history.Error
		if err := engine.PutEvaluation(context.Background(), w.store, e); !errors.As(err, &bad) || bad.Kind != history.Invalid || bad.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
