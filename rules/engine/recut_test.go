package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// committing tells after every commit what is known then.
type committing struct {
	*memory.Store
	told func(known history.Revision)
}

func (c *committing) Append(ctx context.Context, b history.Batch) (history.Receipt, error) {
	receipt, err := c.Store.Append(ctx, b)
	if err == nil {
		c.told(receipt.Revision)
	}
	return receipt, err
}

// TestRecutIsSeenAsAWhole: whatever one reads, a timeline is as before a change of what
// it follows from or as after it.
func TestRecutIsSeenAsAWhole(t *testing.T) {
	const resources, versions = 7, 400
	w := newWorld(t, links{})
	w.clock.Advance(2 * time.Hour)
	store := &committing{Store: memory.New(memory.Options{Now: w.clock.Now, Linker: linker}), told: func(history.Revision) {}}
	w.store = store
	w.start()
	t.Cleanup(func() { w.stop() })
	var keys []history.Key
	for r := range resources {
		keys = append(keys, history.Key{Account: "1", Type: "T", ID: fmt.Sprint(r)})
		for v := range versions {
			w.version(keys[r], v*10, []string{"A", "BB"}[v%2], "")
		}
	}
	w.settle()

	var mu sync.Mutex
	seen := map[string]map[int]bool{}
	store.told = func(known history.Revision) {
		r, err := store.AsOf(w.ctx, history.At{Known: known})
		if err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, k := range keys {
			list, err := engine.Intervals(w.ctx, r, engine.VerdictKey(rules.Owner{}, ruleA.ID, k))
			if err != nil {
				t.Error(err)
			}
			if seen[k.ID] == nil {
				seen[k.ID] = map[int]bool{}
			}
			seen[k.ID][len(list)] = true
		}
	}
	w.put(ruleA, definition{From: at(0), Rule: rules.Rule{Compliant: "self"}})
	w.settle()
	w.put(ruleA, definition{From: at(5), Rule: rules.Rule{Compliant: "fine"}}) // all are compliant from then on
	w.settle()
	for id, lengths := range seen {
		for n := range lengths {
			if n != 0 && n != versions && n != 2 {
				t.Errorf("%s was seen with %d intervals", id, n)
			}
		}
		if len(lengths) != 3 {
			t.Errorf("%s was seen in %d states: %v", id, len(lengths), lengths)
		}
	}
}
