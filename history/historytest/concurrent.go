package historytest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/varvehq/varve/history"
)

// Goroutines of these cases report with Error, never Fatal.
var concurrentCases = []namedCase{
	{"OneResourceManyWriters", func(r *rig) {
		const writers, each = 8, 25
		var group sync.WaitGroup
		results := make([][]history.Result, writers)
		for w := range writers {
			group.Go(func() {
				for i := range each {
					receipt, err := r.store.Append(ctx, history.Batch{Observations: []history.Observation{
						observe("a", fmt.Sprintf("%d.%d", w, i), at(i*writers+w)),
					}})
					if err != nil {
						r.Error(err)
						return
					}
					results[w] = append(results[w], receipt.Results[0])
				}
			})
		}
		group.Wait()
		numbers, revisions, sequences := map[uint32]bool{}, map[history.Revision]bool{}, map[history.Seq]bool{}
		for _, list := range results {
			for i, result := range list {
				if result.Err != nil || result.Unchanged {
					r.Fatalf("%+v", result)
				}
				numbers[result.Version], revisions[result.Revision], sequences[result.Seq] = true, true, true
				if i > 0 && (result.Revision <= list[i-1].Revision || result.Version <= list[i-1].Version) {
					r.Fatalf("a writer's own order is lost: %+v, %+v", list[i-1], result)
				}
			}
		}
		equal(r, "version numbers", len(numbers), writers*each)
		equal(r, "revisions", len(revisions), writers*each)
		equal(r, "sequences", len(sequences), writers*each)
		equal(r, "newest revision", r.head().Revision, writers*each)
		for i, v := range slices.Backward(r.history(key("a"), 0)) {
			want := writers*each - 1 - i
			equal(r, "captured", v.CapturedAt, at(want))
			equal(r, "state", string(v.State.Configuration), string(letter(fmt.Sprintf("%d.%d", want%writers, want/writers)).Configuration))
		}
	}},
	{"ManyWritersDenseFeed", func(r *rig) {
		const writers, each = 8, 20
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				for i := range each {
					_, err := r.store.Append(ctx, history.Batch{Observations: []history.Observation{
						observe(fmt.Sprint(w), fmt.Sprint(i), at(i)), observe(fmt.Sprint(w), fmt.Sprint(i), at(i)+1), observe(fmt.Sprint("x", w), fmt.Sprint(i), at(i)),
					}})
					if err != nil {
						r.Error(err)
					}
				}
			})
		}
		// A follower reads along, in pages.
		var followed []history.Change
		group.Go(func() {
			var after history.Position
			for len(followed) < 2*writers*each {
				list, next, err := r.store.Changes(ctx, after, 7, patience)
				if err != nil || len(list) == 0 {
					r.Errorf("follow after %d: %d changes, %v", len(followed), len(list), err)
					return
				}
				followed, after = append(followed, list...), next
			}
		})
		group.Wait()
		for i, c := range followed {
			equal(r, "sequence", c.Seq, history.Seq(i+1))
			if i > 0 && c.Revision <= followed[i-1].Revision {
				r.Fatalf("revisions go back at %d", c.Seq)
			}
		}
		same(r, "feed", r.feed(), followed)
		equal(r, "newest revision", r.head().Revision, 3*writers*each)
	}},
	{"MixedBatchesDoNotDeadlock", func(r *rig) {
		// The writers name the same resources in orders that cross.
		const writers, resources, each = 6, 8, 10
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				for i := range each {
					var b history.Batch
					for n := range resources {
						id := (n*(w+1) + i) % resources
						if w%2 == 1 {
							id = resources - 1 - id
						}
						b.Observations = append(b.Observations, observe(fmt.Sprint(id), fmt.Sprint(w, i), at(i*writers+w)))
					}
					if _, err := r.store.Append(ctx, b); err != nil {
						r.Error(err)
					}
				}
			})
		}
		finished := make(chan struct{})
		go func() { group.Wait(); close(finished) }()
		select {
		case <-finished:
		case <-time.After(6 * patience):
			r.Fatal("the writers wait for each other")
		}
		equal(r, "newest revision", r.head().Revision, writers*resources*each)
	}},
	{"ExpectVersionIsALock", func(r *rig) {
		const writers, each = 6, 10
		var group sync.WaitGroup
		var conflicts atomic.Int64
		for range writers {
			group.Go(func() {
				for done := 0; done < each; {
					reader, err := r.store.AsOf(ctx, history.At{})
					if err != nil {
						r.Error(err)
						return
					}
					items, err := reader.Get(ctx, []history.Key{key("a")}, history.FieldsAll)
					if err != nil {
						r.Error(err)
						return
					}
					now := items[0].Version
					o := observe("a", fmt.Sprint(now+1), at(int(now)+1))
					o.Expect = &now
					receipt, err := r.store.Append(ctx, history.Batch{Observations: []history.Observation{o}})
					switch {
					case err != nil:
						r.Error(err)
						return
					case receipt.Results[0].Err == nil:
						done++
					case errors.Is(receipt.Results[0].Err, history.Conflict):
						conflicts.Add(1)
					default:
						r.Error(receipt.Results[0].Err)
						return
					}
				}
			})
		}
		group.Wait()
		i := r.get("a", history.At{})
		equal(r, "version", i.Version, writers*each)
		equal(r, "state", string(i.State.Configuration), string(letter(fmt.Sprint(writers*each)).Configuration))
		r.Logf("%d conflicts", conflicts.Load())
	}},
	{"OneOpManySenders", func(r *rig) {
		const senders = 8
		b := history.Batch{Op: history.OpID{5}, Observations: []history.Observation{observe("a", "A", at(1)), observe("a", "B", at(2))}}
		receipts := make([]history.Receipt, senders)
		var group sync.WaitGroup
		for i := range senders {
			group.Go(func() {
				var err error
				if receipts[i], err = r.store.Append(ctx, b); err != nil {
					r.Error(err)
				}
			})
		}
		group.Wait()
		for _, receipt := range receipts {
			same(r, "receipt", receipt, receipts[0])
		}
		equal(r, "revision", r.head().Revision, 2)
		equal(r, "history", r.told("a", 0), "v1 A@1 v2 B@2")
	}},
	{"ReadersSeeNoTornAnswer", func(r *rig) {
		// One writer splits, extends and joins the runs of a few resources.
		// Whatever a reader finds must hang together, and be found again.
		const rounds, readers = 150, 6
		r.see("0", "A", at(1))
		var group sync.WaitGroup
		stop := make(chan struct{})
		for seed := range readers {
			group.Go(func() {
				draw := rand.New(rand.NewPCG(uint64(seed), 1))
				for {
					select {
					case <-stop:
						return
					default:
					}
					if err := untorn(r.store, key(fmt.Sprint(draw.IntN(3))), at(draw.IntN(60))); err != nil {
						r.Error(err)
						return
					}
				}
			})
		}
		draw := rand.New(rand.NewPCG(7, 7))
		for i := range rounds {
			var b history.Batch
			for range 1 + draw.IntN(4) {
				b.Observations = append(b.Observations, observe(fmt.Sprint(draw.IntN(3)), string("AB-"[draw.IntN(3)]), at(draw.IntN(60))))
			}
			if _, err := r.store.Append(ctx, b); err != nil {
				r.Error(err)
			}
			if i%25 == 24 {
				id := history.RunID(fmt.Sprint("r", i))
				r.open(history.Run{ID: id, Moment: at(draw.IntN(60))})
				r.close(id, history.CompleteForced)
			}
		}
		close(stop)
		group.Wait()
	}},
	{"CompletionIsSeenWholeOrNotAtAll", func(r *rig) {
		const n = 60
		r.herd(n, at(1))
		stop := make(chan struct{})
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					reader, err := r.store.AsOf(ctx, history.At{})
					if err != nil {
						r.Error(err)
						return
					}
					groups, err := reader.Count(ctx, history.Query{}, history.ByNothing)
					if err != nil || len(groups) > 1 || len(groups) == 1 && groups[0].Count != n {
						r.Errorf("counted %v, %v", groups, err)
						return
					}
				}
			})
		}
		for i := range 8 {
			id := history.RunID(fmt.Sprint("r", i))
			r.open(history.Run{ID: id, Moment: at(10 * (i + 1))})
			if run, err := r.store.CloseRun(ctx, id, history.CompleteForced, ""); err != nil || run.Deleted != n {
				r.Errorf("deleted %d, %v", run.Deleted, err)
			}
			// They come back in a run of their own: one by one in the feed,
			// so the readers look at a moment when nobody knew.
			if i == 0 {
				close(stop)
				group.Wait()
			}
			r.herd(n, at(10*(i+1)+5))
		}
	}},
	{"RunsAndWritersTogether", func(r *rig) {
		const runs, each = 6, 15
		var group sync.WaitGroup
		for n := range runs {
			group.Go(func() {
				id := history.RunID(fmt.Sprint("r", n))
				if _, err := r.store.OpenRun(ctx, history.Run{ID: id, Moment: at(100)}); err != nil {
					r.Error(err)
					return
				}
				for i := range each {
					o := observe(fmt.Sprintf("%d-%d", n, i), "A", at(50))
					if _, err := r.store.Append(ctx, history.Batch{Run: id, Observations: []history.Observation{o}}); err != nil {
						r.Error(err)
					}
				}
				if _, err := r.store.CloseRun(ctx, id, history.CompleteForced, ""); err != nil {
					r.Error(err)
				}
			})
		}
		group.Wait()
		// Each run missed what the others saw: in the end all are gone at 100,
		// however the runs overlapped.
		equal(r, "alive before", len(r.items(history.At{Captured: at(99)}, history.Query{})), runs*each)
		equal(r, "alive after", len(r.items(history.At{Captured: at(100)}, history.Query{})), 0)
	}},
}

// untorn checks that one reader's answers about one resource hang together.
func untorn(s history.Store, k history.Key, moment history.Moment) error {
	reader, err := s.AsOf(ctx, history.At{Captured: moment})
	if err != nil {
		return err
	}
	list, _, err := reader.History(ctx, k, history.HistoryQuery{})
	if err != nil {
		return err
	}
	var there history.Item
	there.Key = k
	until := history.Newest
	for i, v := range list {
		if v.Until != until || v.Revision > reader.At().Known || v.CapturedAt > until ||
			i > 0 && v.Hash == list[i-1].Hash || v.LastSeenAt < v.CapturedAt || v.LastSeenAt > v.Until {
			return fmt.Errorf("known at %d: v%d does not fit its neighbours: %+v", reader.At().Known, v.Version, list)
		}
		until = v.CapturedAt
		if there.Version == 0 && v.CapturedAt <= moment {
			there = v
		}
	}
	again, err := s.AsOf(ctx, reader.At())
	if err != nil {
		return err
	}
	for _, r := range []history.Reader{reader, again} {
		items, err := r.Get(ctx, []history.Key{k}, history.FieldsAll)
		if err != nil {
			return err
		}
		if d := difference(there, items[0]); d != "" {
			return fmt.Errorf("%v at %v, known at %d (-history +get):\n%s", k, moment, reader.At().Known, d)
		}
		rest, _, err := r.History(ctx, k, history.HistoryQuery{})
		if err != nil {
			return err
		}
		if d := difference(list, rest); d != "" {
			return fmt.Errorf("history of %v known at %d (-first +again):\n%s", k, reader.At().Known, d)
		}
	}
	return nil
}
