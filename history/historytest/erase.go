package historytest

import (
	"errors"
	"fmt"

	"github.com/varvehq/varve/history"
)

func (r *rig) erase(id string, version uint32) {
	r.Helper()
	e, ok := r.store.(history.Eraser)
	if !ok {
		r.Skip("this backend does not erase")
	}
	if err := e.Erase(ctx, key(id), version); err != nil {
		r.Fatalf("erase version %d of %s: %v", version, id, err)
	}
}

func (r *rig) fold(before history.Moment) uint64 {
	r.Helper()
	f, ok := r.store.(history.Folder)
	if !ok {
		r.Skip("this backend does not fold")
	}
	n, err := f.Fold(ctx, before)
	if err != nil {
		r.Fatal(err)
	}
	return n
}

var eraseCases = []namedCase{
	{"LeavesATombstone", func(r *rig) {
		o := observe("a", "B", at(3))
		o.Origin = history.Origin{Provider: "p", Source: "s", Cause: history.Cause{Actor: "somebody"}, Extras: []byte(`{"x":1}`)}
		o.State.Tags = map[string]string{"k": "v"}
		r.play("A@1")
		r.record(o)
		r.play("C@5")
		was := r.get("a", history.At{Captured: at(3)})
		r.erase("a", 2)
		r.again(func() {
			want := was
			want.Erased, want.State, want.Origin = true, history.State{}, history.Origin{}
			same(r, "tombstone", r.get("a", history.At{Captured: at(3)}), want)
			equal(r, "history", r.told("a", 0), "v1 A@1 v2 ?@3 v3 C@5")
			equal(r, "as known before", r.told("a", 2), "v1 A@1 v2 ?@3")
			equal(r, "by tag", len(r.items(history.At{Captured: at(3)}, history.Query{Tags: o.State.Tags})), 0)
			equal(r, "by name", len(r.items(history.At{Captured: at(3)}, history.Query{Name: o.State.Name})), 0)
			equal(r, "inventory", ids(r.items(history.At{Captured: at(3)}, history.Query{})), "a")
		})
	}},
	{"NeighboursKeepTheirs", func(r *rig) {
		for n := range 80 {
			r.see("a", fmt.Sprint(n), at(n))
		}
		for _, n := range []uint32{1, 2, 40, 33, 32, 64, 80} {
			r.erase("a", n)
		}
		r.again(func() {
			for i, item := range r.history(key("a"), 0) {
				n := 79 - i
				want := string(letter(fmt.Sprint(n)).Configuration)
				if item.Erased {
					want = ""
				}
				equal(r, fmt.Sprint("version ", n+1), string(item.State.Configuration), want)
			}
		})
	}},
	{"AnEqualObservationIsStillEqual", func(r *rig) {
		r.play("A@1")
		r.erase("a", 1)
		equal(r, "unchanged", r.see("a", "A", at(4)).Unchanged, true)
		equal(r, "unchanged", r.see("a", "A", at(1)).Unchanged, true)
		equal(r, "history", r.told("a", 0), "v1 ?@1..4")
	}},
	{"AgainChangesNothing", func(r *rig) {
		r.play("A@1 B@2")
		r.erase("a", 1)
		r.erase("a", 1)
		r.again(func() { equal(r, "history", r.told("a", 0), "v1 ?@1 v2 B@2") })
	}},
	{"ErrNotFound", func(r *rig) {
		e, ok := r.store.(history.Eraser)
		if !ok {
			r.Skip("this backend does not erase")
		}
		r.play("A@1")
		for _, c := range []struct {
			id      string
			version uint32
		}{{"a", 0}, {"a", 2}, {"b", 1}} {
			if err := e.Erase(ctx, key(c.id), c.version); !errors.Is(err, history.NotFound) {
				r.Errorf("%v: %v", c, err)
			}
		}
	}},
	{"AResumedVersionTakesFromAnEqualOne", func(r *rig) {
		r.play("A@1 A@3 B@4 A@9")
		r.erase("a", 1)
		r.play("C@2")
		r.again(func() { equal(r, "history", r.told("a", 0), "v1 ?@1 v4 C@2 v5 A@3 v2 B@4 v3 A@9") })
	}},
	{"AResumedVersionIsBornErased", func(r *rig) {
		r.play("A@1 A@9")
		r.erase("a", 1)
		r.play("B@4")
		r.again(func() { equal(r, "history", r.told("a", 0), "v1 ?@1 v2 B@4 v3 ?@9") })
	}},
	{"ADeletionStaysADeletion", func(r *rig) {
		r.play("A@1 x@3")
		r.erase("a", 2)
		r.again(func() {
			equal(r, "status", r.toldStatus("a"), "ResourceDiscovered ResourceDeletedNotRecorded")
			equal(r, "inventory", ids(r.items(history.At{}, history.Query{})), "")
		})
	}},
	{"APrunedVersionIsNotFound", func(r *rig) {
		r.play("A@1 B@3 C@5")
		r.erase("a", 2)
		r.forget(4)
		r.again(func() { equal(r, "history", r.told("a", 0), "v2 ?@3 v3 C@5") })
		err := r.store.(history.Eraser).Erase(ctx, key("a"), 1)
		refused(r, "erase what was pruned", err, history.NotFound)
	}},
	{"HoldsAfterACrash", func(r *rig) {
		r.play("A@1 B@2")
		r.erase("a", 2)
		r.kill()
		equal(r, "history", r.told("a", 0), "v1 A@1 v2 ?@2")
	}},
}

var foldCases = []namedCase{
	{"TheFirstAndTheLastStay", func(r *rig) {
		r.play("A@1 A@3 A@5 A@7 A@9 B@11 B@12 B@13 B@14")
		equal(r, "dropped", r.fold(r.now()+1), 3)
		r.again(func() { equal(r, "history", r.told("a", 0), "v1 A@1..9 v2 B@11..14") })
		r.play("C@4")
		r.again(func() { equal(r, "resumed at what is left", r.told("a", 0), "v1 A@1..3 v3 C@4 v4 A@9 v2 B@11..14") })
	}},
	{"NobodyResumesAtWhatIsGone", func(r *rig) {
		r.play("A@1 A@3 A@5 A@7 A@9 A@2") // the last is late: the writer has read it all
		equal(r, "dropped", r.fold(r.now()+1), 3)
		r.play("C@4")
		r.again(func() { equal(r, "history", r.told("a", 0), "v1 A@1..2 v2 C@4 v3 A@9") })
	}},
	{"WhatWasRecordedLaterStays", func(r *rig) {
		r.play("A@1 A@3 A@5 A@7")
		before := r.now()
		r.play("A@9 A@11")
		equal(r, "dropped", r.fold(before), 0) // two were recorded before it
		equal(r, "dropped", r.fold(before+1), 1)
		r.play("B@10")
		equal(r, "history", r.told("a", 0), "v1 A@1..9 v2 B@10 v3 A@11")
	}},
	{"WhatHoldsADeletionOffStays", func(r *rig) {
		r.play("A@1 A@3 A@5 A@7 [5]")
		equal(r, "dropped", r.fold(r.now()+1), 0)
		r.play("A@6 A@4")
		equal(r, "dropped", r.fold(r.now()+1), 2)
		r.again(func() { equal(r, "history", r.told("a", 0), "v1 A@1..7") })
		r.play("A@8")
		equal(r, "history", r.told("a", 0), "v1 A@1..8")
	}},
	{"WhatRunsSawStays", func(r *rig) {
		r.play("A@1 [3 A@3] [5 A@5] [7 A@7]")
		equal(r, "dropped", r.fold(r.now()+1), 0)
		r.play("B@4")
		equal(r, "history", r.told("a", 0), "v1 A@1..3 v2 B@4 v3 A@5..7")
	}},
}
