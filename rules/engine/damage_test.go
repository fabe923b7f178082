package engine_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// lossy is a store in which one resource is damaged.
type lossy struct {
	*mortal
	damaged history.Key
}

func (l *lossy) AsOf(ctx context.Context, at history.At) (history.Reader, error) {
	r, err := l.mortal.AsOf(ctx, at)
	return &lossyReader{r, l.damaged}, err
}

type lossyReader struct {
	history.Reader
	damaged history.Key
}

var errLoss = history.Errorf(history.DataLoss, "damaged")

func (r *lossyReader) Get(ctx context.Context, keys []history.Key, f history.Fields) ([]history.Item, error) {
	if f != history.FieldsKey && slices.Contains(keys, r.damaged) {
		return nil, errLoss
	}
	return r.Reader.Get(ctx, keys, f)
}

func (r *lossyReader) History(ctx context.Context, k history.Key, q history.HistoryQuery) ([]history.Item, bool, error) {
	if k == r.damaged {
		return nil, false, errLoss
	}
	return r.Reader.History(ctx, k, q)
}

// TestDamagedHoldsNobodyUp changes a resource that cannot be read while rules look at
// what is around others: what changes behind it is judged.
func TestDamagedHoldsNobodyUp(t *testing.T) {
	w := memoryWorld(t)
	w.clock.Advance(time.Hour)
	whole := w.store
	damaged, sound := resourceKeys[0], resourceKeys[1]
	w.store = &lossy{&mortal{Store: whole, Pruner: whole.(history.Pruner)}, damaged}
	w.start()
	t.Cleanup(func() { w.stop() })
	w.put(ruleA, definition{From: at(0), Rule: rules.Rule{Compliant: "related"}})
	w.settle()
	w.version(damaged, 100, "A", "")
	w.version(sound, 101, "A", "")
	w.store = whole // to be asked by the test
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if len(w.intervals(0)) > 0 {
			return
		}
		if time.Since(begin) > time.Minute {
			t.Fatal("what changed behind a damaged resource is not judged: ", w.engine.Failing())
		}
	}
}
