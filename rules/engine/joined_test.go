package engine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// TestAbsenceIsTakenBack judges a resource whose neighbour a run has found gone before
// it came. Evidence at the very moment of the run then says that the neighbour was as
// before: the version that this makes begins long before anything is otherwise.
func TestAbsenceIsTakenBack(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *world{"Memory": memoryWorld, "Graph": graphWorld} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			w.clock.Advance(time.Hour)
			w.start()
			t.Cleanup(func() { w.stop() })
			w.put(ruleA, definition{From: at(0), Rule: rules.Rule{Compliant: "related"}})
			user, used := resourceKeys[0], resourceKeys[1]
			refers := content{V: "A", Refers: [][2]string{{"q", ""}}}.state()
			bears := content{V: "A", Bears: []string{"q"}}.state()
			w.record(history.Observation{Key: used, CapturedAt: at(100), State: bears})
			w.settle()
			run, err := w.store.OpenRun(w.ctx, history.Run{ID: "run", Moment: at(200), Scope: history.Scope{Types: []string{"T"}, Accounts: []string{"1"}}})
			if err != nil {
				t.Fatal(err)
			}
			if run, err = w.store.CloseRun(w.ctx, run.ID, history.Complete, ""); err != nil || run.Deleted != 1 {
				t.Fatal(run, err)
			}
			w.record(history.Observation{Key: user, CapturedAt: at(300), State: refers})
			w.settle()
			gone := w.intervals(0)
			w.record(history.Observation{Key: used, CapturedAt: at(200), State: bears})
			w.settle()
			back := w.intervals(0)
			if diff := cmp.Diff(w.expected(), back); diff != "" {
				t.Error(diff)
			}
			if cmp.Equal(gone, back) {
				t.Error("the absence changed no verdict")
			}
		})
	}
}
