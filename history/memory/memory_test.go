package memory_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/historytest"
	"github.com/varvehq/varve/history/memory"
)

// backend is a memory store: it outlives neither Close nor a crash.
var backend = historytest.Backend{
	Open: func(_ testing.TB, o historytest.Options) history.Store {
		by := &changing{}
		by.linker.Store(&o.Linker)
		return relinkable{by, memory.New(memory.Options{Now: o.Now, FutureSlack: o.FutureSlack, StoreID: o.StoreID, Linker: by})}
	},
	Relinked: func(_ testing.TB, s history.Store, l history.Linker) history.Store {
		s.(relinkable).by.linker.Store(&l)
		return s
	},
}

// relinkable is a store that reads links only when it is asked for them: its
// linker may change while it is open, and is then asked for all of them.
type relinkable struct {
	by *changing
	*memory.Store
}

func (r relinkable) Relink(ctx context.Context, progress func(done, total uint64)) error {
	head, err := r.Head(ctx)
	if progress != nil {
		progress(head.Resources, head.Resources)
	}
	return err
}

// changing is a linker that can be changed for another one, or none.
type changing struct {
	linker atomic.Pointer[history.Linker]
}

func (c *changing) Tables() string {
	if l := *c.linker.Load(); l != nil {
		return l.Tables()
	}
	return ""
}

func (c *changing) Links(k history.Key, s *history.State) []history.Link {
	if l := *c.linker.Load(); l != nil {
		return l.Links(k, s)
	}
	return nil
}

func TestSuite(t *testing.T) { historytest.Run(t, backend) }

func TestModel(t *testing.T) { historytest.Model(t, backend, 50, 60) }

func BenchmarkStore(b *testing.B) { historytest.Bench(b, backend) }
