package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/rules"
)

// TestTheFutureComesByItself runs on the clock on the wall, which nobody moves.
func TestTheFutureComesByItself(t *testing.T) {
	w := memoryWorld(t)
	w.store = memory.New(memory.Options{Linker: linker})
	w.now = time.Now
	w.start()
	t.Cleanup(func() { w.stop() })
	soon := history.MomentOf(time.Now().Add(50 * time.Millisecond))
	w.record(history.Observation{Key: bucket, CapturedAt: soon + 20_000, State: content{V: "A"}.state()})
	w.put(ruleA, definition{From: soon, Rule: rules.Rule{Compliant: "self"}})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for after := history.Position(""); ; {
		changes, next, err := w.store.Changes(ctx, after, 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if c.Key.Type != rules.TypeVerdict {
				continue
			}
			if c.CapturedAt != soon+20_000 || c.RecordedAt < c.CapturedAt {
				t.Errorf("%+v", c)
			}
			return
		}
		after = next
	}
}

func TestPruned(t *testing.T) {
	w := worldWith(t, boltWorld, "self")
	for n, v := range []string{"A", "BB", "C", "DD"} {
		w.version(bucket, n*100, v, "")
	}
	w.settle()
	floor := at(250)
	if _, err := w.store.(history.Pruner).Prune(w.ctx, history.PruneRequest{Floor: floor, Recorded: history.MomentOf(w.clock.Now())}); err != nil {
		t.Fatal(err)
	}
	// What is left is judged on, by old rules and new ones.
	w.version(bucket, 400, "E", "")
	w.put(history.Key{Type: rules.TypeRule, ID: "b"}, definition{From: at(0), Rule: rules.Rule{Compliant: "self"}})
	if got, want := w.timelineOf("a", bucket), "200 NON_COMPLIANT 300; 300 COMPLIANT 400; 400 NON_COMPLIANT now; "; got != want {
		t.Errorf("an old rule: %s, want %s", got, want)
	}
	if got, want := w.timelineOf("b", bucket), "250 NON_COMPLIANT 300; 300 COMPLIANT 400; 400 NON_COMPLIANT now; "; got != want {
		t.Errorf("a new rule: %s, want %s", got, want)
	}
	w.stop()
	w.store = w.open()
	before, err := w.store.Head(w.ctx)
	if err != nil {
		t.Fatal(err)
	}
	w.start()
	w.settle()
	after, err := w.store.Head(w.ctx)
	if err != nil || after.Revision != before.Revision {
		t.Errorf("a start recorded %d observations, %v", after.Revision-before.Revision, err)
	}
}

func TestErased(t *testing.T) {
	w := worldWith(t, boltWorld, "self")
	for n, v := range []string{"A", "BB", "C"} {
		w.version(bucket, n*100, v, "")
	}
	w.settle()
	if err := w.store.(history.Eraser).Erase(w.ctx, bucket, 2); err != nil {
		t.Fatal(err)
	}
	w.version(bucket, 50, "D", "") // what follows is judged again
	w.put(history.Key{Type: rules.TypeRule, ID: "b"}, definition{From: at(0), Rule: rules.Rule{Compliant: "self"}})
	if got, want := w.timelineOf("a", bucket), "0 NON_COMPLIANT 50; 50 NON_COMPLIANT 100; 100 COMPLIANT 200; 200 NON_COMPLIANT now; "; got != want {
		t.Errorf("what was recorded before: %s, want %s", got, want)
	}
	if got, want := w.timelineOf("b", bucket), "0 NON_COMPLIANT 50; 50 NON_COMPLIANT 100; 100 INSUFFICIENT_DATA 200; 200 NON_COMPLIANT now; "; got != want {
		t.Errorf("a new rule: %s, want %s", got, want)
	}
}
