package feed_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

type ctx = context.Context

// Whatever came later, an event has the versions that stood side by side in the
// whole history of its resource when the change was recorded.
func TestVersionsAsTheyStoodThen(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 10
	}
	onBackends(t, func(t *testing.T, r *rig) {
		for seed := range seeds {
			r := &rig{TB: t, store: r.store}
			random := rand.New(rand.NewPCG(seed, 0))
			id := func() string { return string(rune('a'+seed%26)) + fmt.Sprint(seed, "-", random.IntN(3)) }
			r.source = feed.NewSource(r.store, feed.Options{CacheBytes: 1 << (12 + random.IntN(12)), PageBytes: 1 + random.IntN(4000)})
			head, err := r.store.Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			begin, read := head.Position, head.Position
			var want []*feed.Event
			for step := range 40 {
				moment := at(100 + random.IntN(8))
				if random.IntN(6) > 0 {
					r.record(id(), string("ABC-"[random.IntN(4)]), moment, "")
				} else {
					name := history.RunID(fmt.Sprint("run-", seed, "-", step))
					if _, err := r.store.OpenRun(t.Context(), history.Run{ID: name, Moment: moment}); err != nil {
						t.Fatal(err)
					}
					if random.IntN(2) == 0 {
						r.record(id(), string("ABC-"[random.IntN(4)]), moment, name)
					}
					want, read = r.then(want, read)
					if _, err := r.store.CloseRun(t.Context(), name, history.CompleteForced, ""); err != nil {
						t.Fatal(err)
					}
				}
				want, read = r.then(want, read)
			}
			for limit := range 3 {
				got := r.events(r.source, begin, 1+limit*30)
				if len(got) != len(want) {
					t.Fatalf("seed %d: %d events, want %d", seed, len(got), len(want))
				}
				for i, e := range got {
					for _, d := range []string{
						cmp.Diff(want[i].Change, e.Change), cmp.Diff(want[i].Before, e.Before), cmp.Diff(want[i].After, e.After),
					} {
						if d != "" {
							t.Fatalf("seed %d, change %d of %s: %s", seed, e.Seq, e.Key, d)
						}
					}
				}
			}
		}
	})
}

// then notes for the changes that just came, all of one revision, between which
// versions of the whole history they stand.
func (r *rig) then(want []*feed.Event, read history.Position) ([]*feed.Event, history.Position) {
	changes, next, err := r.store.Changes(r.Context(), read, 1000, 0)
	if err != nil {
		r.Fatal(err)
	}
	now, err := r.store.AsOf(r.Context(), history.At{})
	if err != nil {
		r.Fatal(err)
	}
	for _, c := range changes {
		all, _, err := now.History(r.Context(), c.Key, history.HistoryQuery{})
		if err != nil {
			r.Fatal(err)
		}
		e := &feed.Event{Change: c}
		for i, item := range all {
			if item.Version != c.Version {
				continue
			}
			if e.After = item; i+1 < len(all) {
				e.Before = all[i+1]
			}
		}
		if e.After.Version == 0 || e.After.Revision != c.Revision {
			r.Fatalf("change %d: version %d is not of its revision", c.Seq, c.Version)
		}
		want = append(want, e)
	}
	return want, next
}

func TestManyReadersReadOnce(t *testing.T) {
	onBackends(t, func(t *testing.T, r *rig) {
		const changes, readers = 60, 16
		for i := range changes {
			r.record(fmt.Sprint(i), "A", at(i), "")
		}
		store := &counting{Store: r.store, reads: map[history.Key]int{}}
		source := feed.NewSource(store, feed.Options{})
		var all sync.WaitGroup
		for range readers {
			all.Go(func() { wantDense(t, r.events(source, "", 25), changes) })
		}
		all.Wait()
		for k, n := range store.reads {
			if n != 1 {
				t.Errorf("%s was read %d times", k, n)
			}
		}
		if len(store.reads) != changes {
			t.Errorf("%d resources were read", len(store.reads))
		}
	})
}

func TestWaitsForTheFirst(t *testing.T) {
	onBackends(t, func(t *testing.T, r *rig) {
		got := make(chan []*feed.Event)
		for range 3 {
			go func() {
				events, _, err := r.source.Events(t.Context(), "", 10, time.Hour)
				if err != nil {
					t.Error(err)
				}
				got <- events
			}()
		}
		r.record("a", "A", at(1), "")
		for range 3 {
			wantDense(t, <-got, 1)
		}
	})
}

func TestPageEndsEarlyWhenEventsAreLarge(t *testing.T) {
	onBackends(t, func(t *testing.T, r *rig) {
		for i := range 100 {
			o := history.Observation{Key: key(fmt.Sprint(i)), CapturedAt: at(i), State: letter("A")}
			o.State.Configuration = []byte(`"` + strings.Repeat("x", 50_000) + `"`)
			if _, err := r.store.Append(t.Context(), history.Batch{Observations: []history.Observation{o}}); err != nil {
				t.Fatal(err)
			}
		}
		source := feed.NewSource(r.store, feed.Options{PageBytes: 1_000_000})
		page, _, err := source.Events(t.Context(), "", 1000, 0)
		if err != nil || len(page) < 20 || len(page) > 24 {
			t.Fatalf("%d events in a page, %v", len(page), err)
		}
		wantDense(t, r.events(source, "", 1000), 100)
		tiny := feed.NewSource(r.store, feed.Options{PageBytes: 1})
		if page, _, err = tiny.Events(t.Context(), page[0].Position, 1000, 0); err != nil || len(page) == 0 {
			t.Fatalf("%d events in a page, %v", len(page), err)
		}
	})
}

func TestAt(t *testing.T) {
	onBackends(t, func(t *testing.T, r *rig) {
		r.record("a", "A", at(1), "")
		r.record("a", "B", at(2), "")
		for _, seq := range []history.Seq{1, 2} {
			e, err := r.source.At(t.Context(), seq)
			if err != nil || e.Seq != seq || e.After.Version != uint32(seq) {
				t.Errorf("%d: %+v, %v", seq, e, err)
			}
		}
		for _, seq := range []history.Seq{0, 3, 4, 1 << 60} {
			if _, err := r.source.At(t.Context(), seq); !errors.Is(err, history.NotFound) {
				t.Errorf("%d: %v", seq, err)
			}
		}
		r.prune(history.PruneRequest{Floor: at(3), Recorded: history.Moment(r.now.Load())})
		if _, err := r.source.At(t.Context(), 1); !errors.Is(err, history.Compacted) {
			t.Errorf("pruned: %v", err)
		}
	})
}

func (r *rig) prune(p history.PruneRequest) {
	r.Helper()
	if _, err := r.store.(history.Pruner).Prune(r.Context(), p); err != nil {
		r.Fatal(err)
	}
}

// What is told of a change does not outlast what was pruned, though it was kept.
func TestPruned(t *testing.T) {
	for _, kept := range []bool{false, true} {
		name := map[bool]string{false: "Unread", true: "ReadBefore"}[kept]
		t.Run(name, func(t *testing.T) {
			onBackends(t, func(t *testing.T, r *rig) {
				for i, l := range []string{"A", "B", "C", "D"} {
					r.record("a", l, at(i+1), "")
				}
				// The last belief about the versions below the floor is the newest one, so
				// the changes stay; those versions do not.
				if kept {
					wantDense(t, r.events(r.source, "", 100), 4)
				}
				r.prune(history.PruneRequest{Floor: at(3), Type: "T"})
				events := r.events(r.source, "", 100)
				wantDense(t, events, 4)
				for i, e := range events {
					pruned := i < 3 // the third stands at the floor: what preceded it is gone
					if e.Compacted != pruned || (e.After.Version == 0) != pruned || e.After.Key != key("a") {
						t.Errorf("change %d: compacted %t, after %+v", e.Seq, e.Compacted, e.After)
					}
					d, err := e.Difference()
					if err != nil || len(d.Paths) == 0 != pruned || len(d.Configuration) == 0 != pruned {
						t.Errorf("change %d: %+v, %v", e.Seq, d, err)
					}
				}
				r.prune(history.PruneRequest{Floor: at(3), Type: "T", Recorded: history.Moment(r.now.Load())})
				for _, e := range r.events(r.source, "", 100) {
					if e.Seq < 4 && !e.Compacted {
						t.Errorf("change %d is told whole", e.Seq)
					}
				}
			})
		})
	}
}

func TestErased(t *testing.T) {
	onBackends(t, func(t *testing.T, r *rig) {
		for i, l := range []string{"A", "B", "C", "-"} {
			r.record("a", l, at(i+1), "")
		}
		wantDense(t, r.events(r.source, "", 100), 4)
		r.erase("a", 2)
		r.source.Forget()
		events := r.events(r.source, "", 100)
		for i, e := range events {
			hides := i == 1 || i == 2
			if got := e.Before.Erased || e.After.Erased; got != hides {
				t.Errorf("change %d: erased %t", e.Seq, got)
			}
			d, err := e.Difference()
			if err != nil || (len(d.Configuration) == 0) != hides || (len(d.Paths) == 0) != hides {
				t.Errorf("change %d: %+v, %v", e.Seq, d, err)
			}
			if strings.Contains(string(e.Before.State.Configuration)+string(e.After.State.Configuration), `"B"`) {
				t.Errorf("change %d tells what was erased", e.Seq)
			}
		}
	})
}

// Whatever is recorded, pruned and erased, what is kept is what a source tells that
// has kept nothing.
func TestKeptIsAsFresh(t *testing.T) {
	onBackends(t, func(t *testing.T, r *rig) {
		random := rand.New(rand.NewPCG(7, 0))
		compacted, erased := 0, 0
		for step := range 300 {
			id := string("abc"[random.IntN(3)])
			switch random.IntN(20) {
			case 0:
				r.prune(history.PruneRequest{Floor: at(100 + step - 40), Type: []string{"T", ""}[random.IntN(2)],
					Recorded: history.Moment(r.now.Load() * int64(random.IntN(2)))})
			case 1, 2:
				if err := r.store.(history.Eraser).Erase(t.Context(), key(id), 1+uint32(random.IntN(30))); err != nil && !errors.Is(err, history.NotFound) {
					t.Fatal(err)
				}
				r.source.Forget()
			default:
				r.record(id, string("ABC-"[random.IntN(4)]), at(100+step-random.IntN(5)), "")
			}
			fresh := r.events(feed.NewSource(r.store, feed.Options{}), "", 1000)
			kept := r.events(r.source, "", 1000)
			if len(fresh) != len(kept) {
				t.Fatalf("step %d: %d events, want %d", step, len(kept), len(fresh))
			}
			for i, want := range fresh {
				got := kept[i]
				if !reflect.DeepEqual([]any{got.Change, got.Before, got.After, got.Compacted}, []any{want.Change, want.Before, want.After, want.Compacted}) {
					t.Fatalf("step %d, change %d: got %+v, want %+v", step, want.Seq, got, want)
				}
				if want.Compacted {
					compacted++
				}
				if want.Before.Erased {
					erased++
				}
			}
		}
		if compacted == 0 || erased == 0 {
			t.Errorf("%d events were compacted, %d erased: nothing is tested", compacted, erased)
		}
	})
}

func (r *rig) erase(id string, version uint32) {
	r.Helper()
	if err := r.store.(history.Eraser).Erase(r.Context(), key(id), version); err != nil {
		r.Fatal(err)
	}
}

// A version that is erased while somebody reads it is not kept.
func TestErasedWhileItIsRead(t *testing.T) {
	onBackends(t, func(t *testing.T, r *rig) {
		r.record("a", "A", at(1), "")
		reading, goOn := make(chan struct{}), make(chan struct{})
		var held atomic.Bool
		store := &counting{Store: r.store, reads: map[history.Key]int{}, hold: func() {
			if held.CompareAndSwap(false, true) {
				close(reading)
				<-goOn
			}
		}}
		source := feed.NewSource(store, feed.Options{})
		first := make(chan []*feed.Event)
		go func() { first <- r.events(source, "", 10) }()
		<-reading
		r.erase("a", 1)
		source.Forget()
		if e := r.events(source, "", 10)[0]; !e.After.Erased { // the first is still under way
			t.Error("what was erased is told")
		}
		close(goOn)
		<-first
		if e := r.events(source, "", 10)[0]; !e.After.Erased {
			t.Error("what was erased is kept")
		}
	})
}

// A reader who goes away takes nobody with him.
func TestReaderWhoLeaves(t *testing.T) {
	onBackends(t, func(t *testing.T, r *rig) {
		r.record("a", "A", at(1), "")
		reading, goOn := make(chan struct{}, 8), make(chan struct{})
		store := &counting{Store: r.store, reads: map[history.Key]int{}, hold: func() {
			reading <- struct{}{}
			<-goOn
		}}
		source := feed.NewSource(store, feed.Options{})
		stayed := make(chan []*feed.Event)
		leaving, leave := context.WithCancel(t.Context())
		go func() { _, _, _ = source.Events(leaving, "", 1, 0) }()
		<-reading
		go func() { stayed <- r.events(source, "", 1) }()
		leave()
		waiting, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := source.Events(waiting, "", 1, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("waits for another reader though it was cancelled: %v", err)
		}
		close(goOn)
		wantDense(t, <-stayed, 1)
	})
}

// unknown is a store whose feed has kinds of tomorrow.
type unknown struct{ history.Store }

func (u unknown) Changes(ctx ctx, after history.Position, limit int, wait time.Duration) ([]history.Change, history.Position, error) {
	list, next, err := u.Store.Changes(ctx, after, limit, wait)
	for i := range list {
		list[i].Kind = 99
	}
	return list, next, err
}

func TestUnknownKindsPassThrough(t *testing.T) {
	onBackends(t, func(t *testing.T, r *rig) {
		r.record("a", "A", at(1), "")
		e := r.events(feed.NewSource(unknown{r.store}, feed.Options{}), "", 10)[0]
		d, err := e.Difference()
		if e.Kind != 99 || e.Seq != 1 || e.Key != key("a") || e.After.Version != 0 || e.Compacted || err != nil || d.Paths != nil {
			t.Errorf("%+v, %+v, %v", e, d, err)
		}
	})
}
