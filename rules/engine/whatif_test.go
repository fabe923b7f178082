package engine_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// checkWhatIf proposes a state, then records it and works out from scratch what all
// rules say of all resources.
func (w *world) checkWhatIf(r *rand.Rand) string {
	w.Helper()
	// A store does not take again what it was told of a moment already.
	w.clock.Advance(time.Second)
	w.settle()
	k := someOf(r, resourceKeys...)
	o := history.Observation{Key: k, CapturedAt: history.MomentOf(w.clock.Now()), State: content{
		V: fmt.Sprint("D", r.Uint64()), Bears: []string{someOf(r, "p", "q")}, Refers: [][2]string{{someOf(r, "p", "q"), ""}},
	}.state()}
	switch r.IntN(8) {
	case 0, 1:
		o.State = history.State{Deleted: true}
	case 2: // as it is
		reader, err := w.store.AsOf(w.ctx, history.At{Captured: o.CapturedAt})
		if err != nil {
			w.Fatal(err)
		}
		items, err := reader.Get(w.ctx, []history.Key{k}, history.FieldsAll)
		if err != nil {
			w.Fatal(err)
		}
		o.State = items[0].State
		o.State.Deleted = !items[0].Exists()
	}
	told := w.whatIf(k, o.State)
	before := w.standing()
	w.record(o)
	w.settle()
	after := w.standing()
	want := effects{}
	for of := range maps.Keys(joined(before, after)) {
		switch now, then := before[of], after[of]; {
		case strings.HasSuffix(of, fmt.Sprint(" on ", k)):
			want[of] = [2]rules.Verdict{now, then}
		case now != then:
			want[of] = [2]rules.Verdict{now, then}
		}
	}
	if d := cmp.Diff(want, told); d != "" {
		w.Fatalf("%v would be %s (-recorded +what-if):\n%s", k, o.State.Configuration, d)
	}
	return fmt.Sprint("propose and record ", k)
}

// effects are verdicts by rule and resource: now, and then.
type effects map[string][2]rules.Verdict

// whatIf is what a proposal would do: all that is said of its resource, and what
// changes of others. It must be the same whether it is known what verdicts look at,
// or all are asked.
func (w *world) whatIf(k history.Key, state history.State) effects {
	w.Helper()
	reader, err := w.store.AsOf(w.ctx, history.At{})
	if err != nil {
		w.Fatal(err)
	}
	list, err := engine.LoadRulings(w.ctx, reader, w.language)
	if err != nil {
		w.Fatal(err)
	}
	if err := w.engine.WaitDependants(w.ctx); err != nil {
		w.Fatal(err)
	}
	would, err := w.session().WhatIf(w.ctx, k, state, w.linker())
	if err != nil {
		w.Fatal(err)
	}
	prospects, err := would.Prospects(w.ctx, list)
	if err != nil {
		w.Fatal(err)
	}
	of := map[bool]effects{}
	for _, asked := range []bool{false, true} {
		var by engine.Dependants = func(r *engine.Ruling, looks []engine.Look) ([]history.Key, bool) {
			keys, known := w.engine.Dependants(r, looks)
			if !known {
				w.Fatalf("nobody knows what looks at others of rule %s", r.Name)
			}
			return keys, known
		}
		if asked {
			by = nil
		}
		found, err := would.Effects(w.ctx, list, by)
		if err != nil || found.Missing != "" {
			w.Fatal(err, found)
		}
		of[asked] = effects{}
		for i, e := range found.List {
			if i > 0 && found.List[i-1].Key.Compare(e.Key) > 0 {
				w.Fatalf("%v comes before %v", found.List[i-1].Key, e.Key)
			}
			of[asked][fmt.Sprint(engine.RuleKey(e.Owner, e.Rule), " on ", e.Key)] = [2]rules.Verdict{e.Now, e.Then}
		}
		for _, p := range prospects {
			of[asked][fmt.Sprint(engine.RuleKey(p.Owner, p.Rule), " on ", k)] = [2]rules.Verdict{p.Now, p.Then}
		}
	}
	if d := cmp.Diff(of[true], of[false]); d != "" {
		w.Fatalf("%v would be %s (-all were asked +as is known):\n%s", k, state.Configuration, d)
	}
	return of[false]
}

// standing are the verdicts now, worked out from scratch.
func (w *world) standing() map[string]rules.Verdict {
	w.Helper()
	all, now := map[string]rules.Verdict{}, history.MomentOf(w.clock.Now())
	for of, list := range w.expected() {
		for _, i := range list {
			if i.From <= now && now < i.To {
				all[of] = i.Verdict
			}
		}
	}
	return all
}

func joined[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// hubWorld has a hub that many resources refer to, and a rule that looks at what
// resources refer to.
func hubWorld(t testing.TB, users int) (w *world, hub history.Key) {
	w = memoryWorld(t)
	w.start()
	t.Cleanup(func() { w.stop() })
	hub = history.Key{Account: "1", Type: "T", ID: "hub"}
	w.record(history.Observation{Key: hub, CapturedAt: at(0), State: content{V: "A", Bears: []string{"p"}}.state()})
	w.put(ruleA, definition{From: at(0), Rule: rules.Rule{Compliant: "related", Scope: rules.Scope{Types: []string{"V"}}}})
	for n := range users {
		w.record(history.Observation{
			Key: history.Key{Account: "1", Type: "V", ID: fmt.Sprint(n)}, CapturedAt: at(0),
			State: content{V: "A", Refers: [][2]string{{"p", ""}}}.state(),
		})
	}
	w.settle()
	return w, hub
}

// TestEffectsAreCut: what is left out is told.
func TestEffectsAreCut(t *testing.T) {
	const users = engine.MostEffects + 5
	w, hub := hubWorld(t, users)
	list := []*engine.Ruling{w.ruling(ruleA)}
	would, err := w.session().WhatIf(w.ctx, hub, history.State{Deleted: true}, linker)
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]engine.Dependants{"Known": w.engine.Dependants, "Asked": nil} {
		t.Run(name, func(t *testing.T) {
			found, err := would.Effects(t.Context(), list, of)
			if err != nil || len(found.List) != engine.MostEffects || found.Judged != engine.MostEffects+1 || !strings.Contains(found.Missing, "1000 verdicts on others are told") {
				t.Errorf("%d of %d, %q, %v", len(found.List), found.Judged, found.Missing, err)
			}
		})
	}

	// One that is known to look at nothing that is touched is not judged.
	lone := history.Key{Account: "1", Type: "T", ID: "lone"}
	if would, err = w.session().WhatIf(w.ctx, lone, content{V: "A", Bears: []string{"q"}}.state(), linker); err != nil {
		t.Fatal(err)
	}
	found, err := would.Effects(t.Context(), list, w.engine.Dependants)
	if err != nil || len(found.List) != 0 || found.Judged != 0 || found.Missing != "" {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestDependantsOfAnotherRule: what is known of a rule is not taken for what is asked
// about one of the same name.
func TestDependantsOfAnotherRule(t *testing.T) {
	w, hub := hubWorld(t, 1)
	other := engine.Proposed(rules.Owner{}, rules.Rule{Name: ruleA.ID, Compliant: "inventory"}, judges["inventory"])
	if keys, known := w.engine.Dependants(other, []engine.Look{{Key: hub}}); known {
		t.Errorf("it looks at the hub by %v", keys)
	}
	same := engine.Proposed(rules.Owner{}, w.ruling(ruleA).Versions[0].Rule, judges["related"])
	if keys, known := w.engine.Dependants(same, []engine.Look{{Key: hub}}); !known || len(keys) != 1 {
		t.Errorf("%v, %v", keys, known)
	}
}
