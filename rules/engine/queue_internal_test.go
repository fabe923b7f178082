package engine

import (
	"testing"

	"github.com/varvehq/varve/history"
)

// TestTheEarliestBatchWaits asks for a resource in one batch, and then in the one
// before: what the earlier one asked for is lost by whoever stops when that counts as
// done, and goes on behind it.
func TestTheEarliestBatchWaits(t *testing.T) {
	q := newQueue(Through{})
	at := func(m history.Moment) func(*Through) { return func(t *Through) { t.Time = m } }
	earlier, later := q.open(at(1)), q.open(at(2))
	k, rule := history.Key{Type: "T", ID: "a"}, history.Key{Type: "R", ID: "r"}
	q.add(later, k, nil, 5, true)
	q.add(earlier, k, &rule, 3, false)
	q.release(earlier)
	q.release(later)
	if through := q.evaluated(); through.Time != 0 {
		t.Errorf("evaluated through %d while a resource waits", through.Time)
	}
	list, err := q.take(t.Context(), 10, 1)
	if err != nil || len(list) != 1 || list[0].all != 5 || list[0].some[rule] != 3 {
		t.Fatal(list, err)
	}
	q.done(list)
	if through := q.evaluated(); through.Time != 2 {
		t.Errorf("evaluated through %d, want 2", through.Time)
	}
}
