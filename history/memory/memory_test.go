package memory_test

import (
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/historytest"
	"github.com/varvehq/varve/history/memory"
)

// backend is a memory store: it outlives neither Close nor a crash.
var backend = historytest.Backend{
	Open: func(_ testing.TB, o historytest.Options) history.Store {
		return memory.New(memory.Options{Now: o.Now, FutureSlack: o.FutureSlack, StoreID: o.StoreID, Linker: o.Linker})
	},
}

func TestSuite(t *testing.T) { historytest.Run(t, backend) }

func TestModel(t *testing.T) { historytest.Model(t, backend, 50, 60) }

func BenchmarkStore(b *testing.B) { historytest.Bench(b, backend) }
