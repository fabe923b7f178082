package historytest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/varvehq/varve/history"
)

// prune prunes: what was captured before the moment goes, and with it, unless
// recorded says less, all beliefs held before now.
func (r *rig) prune(q history.PruneRequest) history.Pruned {
	r.Helper()
	p, ok := r.store.(history.Pruner)
	if !ok {
		r.Skip("this backend does not prune")
	}
	dry := q
	dry.DryRun = true
	would, err := p.Prune(ctx, dry)
	if err != nil {
		r.Fatalf("prune %+v: %v", dry, err)
	}
	pruned, err := p.Prune(ctx, q)
	if err != nil {
		r.Fatalf("prune %+v: %v", q, err)
	}
	same(r, "what a dry run foretells", would, pruned)
	floors, err := p.Floors(ctx)
	if err != nil {
		r.Fatal(err)
	}
	same(r, "floors", floors, pruned.Floors)
	return pruned
}

// forget prunes what was captured before a moment, and all that was believed
// before now.
func (r *rig) forget(n int) history.Pruned {
	r.Helper()
	return r.prune(history.PruneRequest{Floor: at(n), Recorded: r.now()})
}

func (r *rig) now() history.Moment { return history.MomentOf(r.clock.Now()) }

// again checks now, and after reopening the store where it outlives Close.
func (r *rig) again(check func()) {
	r.Helper()
	check()
	if r.b.Reopen != nil {
		r.reopen()
		check()
	}
}

var pruneCases = []namedCase{
	{"TheVersionAtTheFloorStays", func(r *rig) {
		r.play("A@1 B@3 C@5 B@7 B@8")
		p := r.forget(6)
		equal(r, "versions", p.Versions, 2)
		r.again(func() {
			equal(r, "history", r.told("a", 0), "v3 C@5 v4 B@7..8")
			equal(r, "status", r.toldStatus("a"), "OK OK")
			r.coherentFrom(key("a"), at(6))
		})
	}},
	{"TheFirstVersionStaysDiscovered", func(r *rig) {
		r.play("A@1 -@3 B@5 C@7")
		r.forget(6)
		r.again(func() { equal(r, "status", r.toldStatus("a"), "ResourceDiscovered OK") })
	}},
	{"WhatBeginsAtTheFloorHidesWhatWasBefore", func(r *rig) {
		r.play("A@1 B@6")
		r.forget(6)
		r.again(func() {
			equal(r, "history", r.told("a", 0), "v2 B@6")
			equal(r, "status", r.toldStatus("a"), "OK")
		})
	}},
	{"QuestionsBelowTheFloorAreRefused", func(r *rig) {
		r.play("A@1 B@3 C@5")
		reader := r.asOf(history.At{Captured: at(2)})
		r.forget(4)
		_, err := r.store.AsOf(ctx, history.At{Captured: at(4) - 1})
		refused(r, "as of a moment below the floor", err, history.Compacted)
		_, err = reader.Get(ctx, []history.Key{key("a")}, history.FieldsAll)
		refused(r, "a reader from before", err, history.Compacted)
		_, _, err = reader.Items(ctx, history.Query{})
		refused(r, "its items", err, history.Compacted)
		_, err = reader.Find(ctx, key("a").Type, "a")
		refused(r, "what it finds", err, history.Compacted)
		equal(r, "at the floor", r.get("a", history.At{Captured: at(4)}).Version, 2)
		items, _, err := r.asOf(history.At{}).History(ctx, key("a"), history.HistoryQuery{From: at(1)})
		if err != nil {
			r.Fatal(err)
		}
		equal(r, "history from below the floor", len(items), 2)
		_, err = r.asOf(history.At{}).Version(ctx, key("a"), 1)
		refused(r, "a pruned version", err, history.NotFound)
	}},
	{"CapturesBelowTheFloorAreRefused", func(r *rig) {
		r.play("A@1 B@3")
		r.forget(4)
		refused(r, "a capture below the floor", r.try(observe("a", "C", at(4)-1)).Err, history.Compacted)
		refused(r, "one of a new resource", r.try(observe("b", "C", at(1))).Err, history.Compacted)
		equal(r, "a capture at the floor", r.see("a", "C", at(4)).Version, 3)
	}},
	{"EarlierBeliefsAreRefused", func(r *rig) {
		r.play("A@1 B@3 C@5")
		recorded := r.now()
		r.play("A@7")
		r.prune(history.PruneRequest{Floor: at(4), Recorded: recorded})
		r.again(func() {
			_, err := r.store.AsOf(ctx, history.At{Known: 2})
			refused(r, "known at a pruned revision", err, history.Compacted)
			equal(r, "known at the floor", r.told("a", 3), "v2 B@3 v3 C@5")
			_, err = r.store.KnownAt(ctx, recorded-1)
			refused(r, "what was known before", err, history.Compacted)
			known, err := r.store.KnownAt(ctx, recorded)
			if err != nil {
				r.Fatal(err)
			}
			equal(r, "what was known then", known, 3)
		})
	}},
	{"BeliefsAfterTheRevisionFloorHoldTheirVersions", func(r *rig) {
		said := r.play("A@1 B@3 C@5")
		p := r.prune(history.PruneRequest{Floor: at(6)}) // long before anything was recorded
		equal(r, "versions", p.Versions, 0)
		equal(r, "changes", p.Changes, 0)
		for known := range said {
			got := r.get("a", history.At{Captured: at(6), Known: known})
			equal(r, fmt.Sprint("believed at ", known), got.Version, uint32(known))
		}
	}},
	{"TheFeedBeginsAtItsFloor", func(r *rig) {
		r.play("A@1 B@3")
		middle := r.head().Position
		recorded := r.now()
		r.play("C@5 b:A@5")
		start, err := r.store.PositionAt(ctx, 1)
		if err != nil {
			r.Fatal(err)
		}
		p := r.prune(history.PruneRequest{Floor: at(4), Recorded: recorded})
		equal(r, "changes", p.Changes, 2)
		r.again(func() {
			equal(r, "feed", r.toldFeed(), "v3 updated, b:v1 created")
			equal(r, "resumed", len(r.changes(middle)), 2)
			_, _, err := r.store.Changes(ctx, start, 10, 0)
			refused(r, "a position whose next change is gone", err, history.Compacted)
			first, err := r.store.PositionAt(ctx, 1)
			if err != nil {
				r.Fatal(err)
			}
			equal(r, "the position of all that is kept", first, middle)
		})
	}},
	{"DeletedBelowTheFloorGoesEntirely", func(r *rig) {
		r.play("A@1 A@2 -@3 b:A@1")
		p := r.forget(4)
		equal(r, "resources", p.Resources, 1)
		equal(r, "versions", p.Versions, 2)
		equal(r, "sightings", p.Sightings, 1)
		r.again(func() {
			equal(r, "inventory", ids(r.items(history.At{}, history.Query{Deleted: true})), "b")
			equal(r, "history", r.told("a", 0), "")
			keys, err := r.asOf(history.At{}).Find(ctx, key("a").Type, "a")
			if err != nil || len(keys) > 0 {
				r.Fatalf("found %v, %v", keys, err)
			}
			equal(r, "resources ever", r.head().Resources, 2)
		})
		result := r.see("a", "B", at(9))
		equal(r, "version of the new resource", result.Version, 1)
		equal(r, "kind", result.Kind, history.Created)
		r.again(func() { equal(r, "history", r.told("a", 0), "v1 B@9") })
	}},
	{"TheFeedStillTellsOfWhatWent", func(r *rig) {
		r.play("A@1 -@3")
		r.prune(history.PruneRequest{Floor: at(4), Type: key("a").Type, Recorded: r.now()})
		r.again(func() {
			equal(r, "history", r.told("a", 0), "")
			equal(r, "feed", r.toldFeed(), "v1 created, v2 deleted")
		})
		r.see("a", "B", at(9))
		equal(r, "feed", r.toldFeed(), "v1 created, v2 deleted, v1 created")
		r.forget(5)
		r.again(func() { equal(r, "feed of what is kept", r.toldFeed(), "") })
	}},
	{"DeletedButSeenLaterStays", func(r *rig) {
		r.play("A@1 -@3 -@6 b:A@1 b:-@3 b:B@7")
		equal(r, "resources", r.forget(4).Resources, 0)
		equal(r, "history", r.told("a", 0), "v2 -@3..6")
		equal(r, "history of b", r.told("b", 0), "v2 -@3 v3 B@7")
	}},
	{"AliveInABeliefStays", func(r *rig) {
		r.play("A@1")
		recorded := r.now()
		r.play("-@3")
		equal(r, "resources", r.prune(history.PruneRequest{Floor: at(4), Recorded: recorded}).Resources, 0)
		equal(r, "believed", r.get("a", history.At{Known: 1}).Version, 1)
		equal(r, "resources", r.forget(4).Resources, 1)
	}},
	{"ADeletionThatWasTakenAwayHoldsNothing", func(r *rig) {
		r.play("A@1 [8] -@3") // the run deleted it at 8; then it turned out to be gone before
		equal(r, "history", r.told("a", 0), "v1 A@1 v3 -@3")
		equal(r, "resources", r.forget(4).Resources, 1)
	}},
	{"LateCapturesArePlannedAsBefore", func(r *rig) {
		r.play("A@1 B@2 B@4 A@9 B@11")
		r.forget(5)
		r.play("B@7 A@8 C@10 B@6 C@5")
		r.again(func() {
			equal(r, "history", r.told("a", 0), "v7 C@5 v8 B@6..7 v5 A@8..9 v6 C@10 v4 B@11")
		})
	}},
	{"TheLastSightingBelowTheFloorStays", func(r *rig) {
		r.play("A@1 A@2 A@3")
		p := r.forget(5)
		equal(r, "sightings", p.Sightings, 1)
		r.again(func() { equal(r, "history", r.told("a", 0), "v1 A@1..3") })
	}},
	{"WhatARunBelowSawStaysKnown", func(r *rig) {
		r.play("A@1 b:A@1 [3 A@3 b:A@3] [4 A@4]")
		r.forget(6)
		r.again(func() {
			equal(r, "history", r.told("a", 0), "v1 A@1..4")
			equal(r, "history of b", r.told("b", 0), "")
		})
		r.play("B@8 A@7")
		equal(r, "no run below deletes anew", r.told("a", 0), "v1 A@1..7 v2 B@8")
	}},
	{"DerivedDeletionsBelowStay", func(r *rig) {
		r.play("A@1 [3] A@9")
		r.forget(6)
		equal(r, "history", r.told("a", 0), "v2 -@3 v3 A@9")
		r.play("A@7")
		r.again(func() {
			equal(r, "history", r.told("a", 0), "v2 -@3 v4 A@7..9")
			equal(r, "status", r.toldStatus("a"), "ResourceDeleted ResourceDiscovered")
		})
	}},
	{"ADeletionAtTheFloorCanBeTakenAway", func(r *rig) {
		r.play("A@1 [6] B@9")
		r.forget(6)
		equal(r, "history", r.told("a", 0), "v2 -@6 v3 B@9")
		r.play("A@6")
		r.again(func() {
			equal(r, "history", r.told("a", 0), "v4 A@1..6 v3 B@9")
			r.coherentFrom(key("a"), at(6))
		})
	}},
	{"ARunBelowDeletesNothing", func(r *rig) {
		r.see("a", "A", at(1))
		r.see("b", "A", at(1))
		r.open(history.Run{ID: "low", Moment: at(3)})
		r.in("low", observe("b", "A", at(3)))
		r.forget(5)
		refused(r, "an observation in it", r.in("low", observe("b", "A", 0))[0].Err, history.Compacted)
		run := r.close("low", history.CompleteForced)
		equal(r, "deleted", run.Deleted, 0)
		r.again(func() { equal(r, "history", r.told("a", 0), "v1 A@1") })
		r.see("a", "B", at(7))
		equal(r, "history", r.told("a", 0), "v1 A@1 v2 B@7")
		_, err := r.store.OpenRun(ctx, history.Run{ID: "lower", Moment: at(4)})
		refused(r, "another run below", err, history.Compacted)
	}},
	{"OneTypeAlone", func(r *rig) {
		other := history.Observation{Key: history.Key{Type: "T", ID: "x"}, CapturedAt: at(1), State: letter("A")}
		r.record(other)
		r.play("A@1 B@3")
		p := r.prune(history.PruneRequest{Floor: at(4), Type: key("a").Type, Recorded: r.now()})
		equal(r, "versions", p.Versions, 1)
		equal(r, "feed", len(r.feed()), 3)
		r.again(func() {
			reader := r.asOf(history.At{Captured: at(2)})
			items, err := reader.Get(ctx, []history.Key{other.Key}, history.FieldsAll)
			if err != nil {
				r.Fatal(err)
			}
			equal(r, "the other type", items[0].Version, 1)
			for what, err := range map[string]error{
				"get":     second(reader.Get(ctx, []history.Key{other.Key, key("a")}, history.FieldsAll)),
				"count":   second(reader.Count(ctx, history.Query{}, history.ByType)),
				"version": second(reader.Version(ctx, key("a"), 2)),
				"find":    second(reader.Find(ctx, key("a").Type, "a")),
			} {
				refused(r, what, err, history.Compacted)
			}
			groups, err := reader.Count(ctx, history.Query{Type: "T"}, history.ByType)
			if err != nil || len(groups) != 1 {
				r.Fatalf("count of the other type: %v, %v", groups, err)
			}
			_, _, err = reader.Items(ctx, history.Query{})
			refused(r, "items of all types", err, history.Compacted)
		})
		equal(r, "a capture of the other type", r.record(history.Observation{Key: other.Key, CapturedAt: at(2), State: letter("B")}).Version, 2)
		refused(r, "a capture of this type", r.try(observe("a", "C", at(2))).Err, history.Compacted)
	}},
	{"FloorsNeverSink", func(r *rig) {
		r.play("A@1 B@3 C@5 A@7")
		high := r.forget(6)
		low := r.prune(history.PruneRequest{Floor: at(2)})
		same(r, "floors", low.Floors, high.Floors)
		same(r, "dropped", history.Pruned{Floors: low.Floors}, low)
		low = r.prune(history.PruneRequest{Floor: at(2), Type: key("a").Type})
		same(r, "floors", low.Floors, high.Floors)
	}},
	{"TheFutureCannotBePruned", func(r *rig) {
		p, ok := r.store.(history.Pruner)
		if !ok {
			r.Skip("this backend does not prune")
		}
		for what, q := range map[string]history.PruneRequest{
			"floor": {Floor: r.now() + 1}, "recorded": {Floor: at(1), Recorded: r.now() + 1},
		} {
			_, err := p.Prune(ctx, q)
			refused(r, what, err, history.Future)
		}
		_, err := p.Prune(ctx, history.PruneRequest{})
		refused(r, "no floor", err, history.Invalid)
	}},
	{"ProgressReachesTheEnd", func(r *rig) {
		var b history.Batch
		for n := range 700 {
			b.Observations = append(b.Observations, observe(fmt.Sprint(n), "A", at(1)), observe(fmt.Sprint(n), "B", at(2)))
		}
		r.append(b)
		var before uint64
		p := r.prune(history.PruneRequest{Floor: at(3), Recorded: r.now(), Progress: func(done, total uint64) {
			if done <= before%700 || done > total || total != 700 {
				r.Fatalf("%d of %d after %d", done, total, before)
			}
			before = done
		}})
		equal(r, "versions", p.Versions, 700)
		equal(r, "resources looked at", before, 700)
	}},
	{"BesideWritersAndReaders", pruneBesideWriters},
}

func second[T any](_ T, err error) error { return err }

// coherentFrom is coherent above a floor.
func (r *rig) coherentFrom(k history.Key, floor history.Moment) {
	r.Helper()
	versions := r.history(k, 0)
	slices.Reverse(versions)
	for _, v := range versions {
		for _, m := range []history.Moment{v.CapturedAt - 1, v.CapturedAt, v.CapturedAt + 1, floor} {
			if m < floor {
				continue
			}
			want := place(versions, m)
			got, err := r.asOf(history.At{Captured: m}).Get(ctx, []history.Key{k}, history.FieldsAll)
			if err != nil {
				r.Fatal(err)
			}
			same(r, fmt.Sprintf("%v at %v", k, m), got[0], want)
		}
	}
}

// pruneBesideWriters prunes all the time while resources are recorded, deleted
// and recorded anew. Whatever was acknowledged at the end is there, nothing
// alive goes, and readers are told the truth or Compacted.
func pruneBesideWriters(r *rig) {
	const writers, rounds = 4, 120
	if _, ok := r.store.(history.Pruner); !ok {
		r.Skip("this backend does not prune")
	}
	var group, pruning sync.WaitGroup
	done := make(chan struct{})
	r.clock.Advance(time.Hour)
	pruning.Go(func() {
		for n := 0; ; n++ {
			q := history.PruneRequest{Floor: at(n % rounds), Recorded: r.now()}
			if n%3 == 0 {
				q.Type = key("a").Type
			}
			if _, err := r.store.(history.Pruner).Prune(ctx, q); err != nil {
				r.Error(err)
				return
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for w := range writers {
		group.Go(func() {
			for n := range rounds {
				// Captures lie above the highest floor there is.
				m := at(rounds + n)
				state := fmt.Sprint(n)
				if n%5 == 4 {
					state = "-"
				}
				receipt, err := r.store.Append(ctx, history.Batch{Observations: []history.Observation{
					observe(fmt.Sprint("stays-", w), fmt.Sprint(n), m), observe(fmt.Sprint("goes-", w), state, m),
				}})
				if err != nil || receipt.Results[0].Err != nil || receipt.Results[1].Err != nil {
					r.Errorf("append: %v %v", receipt, err)
					return
				}
				reader, err := r.store.AsOf(ctx, history.At{})
				if err != nil {
					r.Error(err)
					return
				}
				items, err := reader.Get(ctx, []history.Key{key(fmt.Sprint("stays-", w)), key(fmt.Sprint("goes-", w))}, history.FieldsAll)
				if errors.Is(err, history.Compacted) {
					continue // more was recorded since, and the revision pruned
				}
				if err != nil {
					r.Error(err)
					return
				}
				if items[0].CapturedAt != m || items[1].Exists() != (state != "-") {
					r.Errorf("recorded at %v and got %+v", m, items)
				}
			}
		})
	}
	group.Wait()
	close(done)
	pruning.Wait()
	for w := range writers {
		equal(r, "newest", r.get(fmt.Sprint("stays-", w), history.At{}).CapturedAt, at(2*rounds-1))
		last := r.get(fmt.Sprint("goes-", w), history.At{})
		equal(r, "alive at the end", last.Exists(), false)
	}
	r.forget(2 * rounds)
	for w := range writers {
		equal(r, "gone", r.get(fmt.Sprint("goes-", w), history.At{}).Version, 0)
		equal(r, "versions that stay", len(r.history(key(fmt.Sprint("stays-", w)), 0)), 1)
	}
}
