package graph_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
)

// TestAround holds what is around resources, in random histories, against
// relationships; until when it is so, against the moments until then; and where a
// change may make it otherwise, against every change that does.
func TestAround(t *testing.T) {
	seeds := 3
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			w := world{t: t, s: memory.New(memory.Options{Linker: graph.Linker{}}), rnd: rand.New(rand.NewPCG(uint64(seed), 11))}
			w.record(50)
			head, err := w.s.Head(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			items, _, err := w.reader(history.At{Captured: history.Newest}).Items(context.Background(), history.Query{Deleted: true, Fields: history.FieldsKey})
			if err != nil {
				t.Fatal(err)
			}
			var keys []history.Key
			for _, i := range items {
				keys = append(keys, i.Key)
			}
			for _, d := range []graph.Direction{graph.Outgoing, graph.Incoming} {
				w.checkUntil(keys, d, head.Revision)
				w.checkTouched(keys, d)
			}
		})
	}
}

func (w *world) around(k history.Key, d graph.Direction, at history.At) graph.Around {
	w.t.Helper()
	a, err := graph.At(w.reader(at)).Around(context.Background(), k, d)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) checkUntil(keys []history.Key, d graph.Direction, known history.Revision) {
	w.t.Helper()
	for _, k := range keys {
		for day1 := range 11 {
			at := epoch + history.Moment(day1)*day
			self := w.version(k, history.At{Captured: at})
			if !self.Exists() {
				continue
			}
			a := w.around(k, d, history.At{Captured: at, Known: known})
			var want []history.Key
			list, _, err := graph.At(w.reader(history.At{Captured: at})).Relationships(context.Background(), k, graph.Query{Direction: d})
			if err != nil {
				w.t.Fatal(err)
			}
			for _, r := range list {
				if r.From == k {
					r.From = r.To
				}
				want = append(want, r.From)
			}
			slices.SortFunc(want, history.Key.Compare)
			if diff := cmp.Diff(slices.Compact(want), a.Keys); diff != "" && len(want)+len(a.Keys) > 0 {
				w.t.Fatalf("%v of %v at %v (-relationships +around):\n%s", d, k, at, diff)
			}
			for day2 := day1 + 1; day2 < 11; day2++ {
				later := epoch + history.Moment(day2)*day
				if later >= a.Until || w.version(k, history.At{Captured: later}).Version != self.Version {
					break
				}
				if diff := cmp.Diff(a.Keys, w.around(k, d, history.At{Captured: later}).Keys); diff != "" {
					w.t.Fatalf("%v of %v at %v is told to hold until %v (-then +at %v):\n%s", d, k, at, a.Until, later, diff)
				}
			}
		}
	}
}

func (w *world) version(k history.Key, at history.At) history.Item {
	w.t.Helper()
	items, err := w.reader(at).Get(context.Background(), []history.Key{k}, history.FieldsAll)
	if err != nil {
		w.t.Fatal(err)
	}
	return items[0]
}

func (w *world) checkTouched(keys []history.Key, d graph.Direction) {
	w.t.Helper()
	changes, _, err := w.s.Changes(context.Background(), "", 1000, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	missed, touched := 0, 0
	for _, c := range changes {
		if c.Revision == 1 {
			continue
		}
		before, after := history.At{Captured: c.CapturedAt, Known: c.Revision - 1}, history.At{Captured: c.CapturedAt, Known: c.Revision}
		state := func(at history.At) *history.State {
			i := w.version(c.Key, at)
			if !i.Exists() {
				return nil
			}
			return &i.State
		}
		places := graph.Touched(c.Key, state(before), state(after))
		for _, k := range keys {
			if k == c.Key {
				continue
			}
			a := w.around(k, d, before)
			hit := slices.ContainsFunc(a.Places, func(p string) bool { return slices.Contains(places, p) })
			if hit {
				touched++
			}
			if !slices.Equal(a.Keys, w.around(k, d, after).Keys) && !hit {
				missed++
				w.t.Errorf("%v of %v: %v changes it, but touches %v, not %v", d, k, c.Key, places, a.Places)
			}
		}
	}
	if touched == 0 || touched == len(changes)*len(keys) || missed > 0 {
		w.t.Errorf("%d of %d touched, %d missed", touched, len(changes)*len(keys), missed)
	}
}
