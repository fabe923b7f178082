package historytest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/varvehq/varve/history"
)

var contextCases = []namedCase{
	{"CancelledAppendRecordsNothing", func(r *rig) {
		done, cancel := context.WithCancel(ctx)
		cancel()
		_, err := r.store.Append(done, history.Batch{Observations: []history.Observation{observe("a", "A", at(1))}})
		if !errors.Is(err, context.Canceled) {
			r.Fatalf("append: %v", err)
		}
		equal(r, "revision", r.head().Revision, 0)
	}},
	{"CancelledLeavesNoLock", func(r *rig) {
		done, cancel := context.WithCancel(ctx)
		cancel()
		reader := r.asOf(history.At{})
		for range 3 {
			_, _ = r.store.Append(done, history.Batch{Observations: []history.Observation{observe("a", "A", at(1))}})
			_, _ = r.store.OpenRun(done, history.Run{ID: "r"})
			_, _ = r.store.CloseRun(done, "r", history.Complete, "")
			_, _ = r.store.Run(done, "r")
			_, _, _ = r.store.Runs(done, "", 1)
			_, _ = r.store.AsOf(done, history.At{})
			_, _ = r.store.KnownAt(done, at(1))
			_, _, _ = r.store.Changes(done, "", 1, 0)
			_, _ = r.store.PositionAt(done, at(1))
			_, _ = r.store.Head(done)
			_, _ = reader.Get(done, []history.Key{key("a")}, history.FieldsAll)
			_, _, _ = reader.History(done, key("a"), history.HistoryQuery{})
			_, _, _ = reader.Items(done, history.Query{})
			_, _ = reader.Count(done, history.Query{}, history.ByType)
			_, _ = reader.Find(done, "T", "a")
			_, _, _ = reader.Links(done, history.LinkQuery{})
		}
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			_, _ = r.store.Append(ctx, history.Batch{Observations: []history.Observation{observe("b", "A", at(1))}})
		}()
		select {
		case <-finished:
			equal(r, "version", r.get("b", history.At{Captured: at(1)}).Version, 1)
		case <-time.After(patience):
			r.Fatal("append hangs")
		}
	}},
}

var closeCases = []namedCase{
	{"LaterCallsAreUnavailable", func(r *rig) {
		r.see("a", "A", at(1))
		r.open(history.Run{ID: "r", Moment: at(5)})
		s, reader := r.store, r.asOf(history.At{})
		if err := s.Close(); err != nil {
			r.Fatal(err)
		}
		calls := map[string]func() error{
			"Append": func() error {
				_, err := s.Append(ctx, history.Batch{Observations: []history.Observation{observe("a", "B", at(2))}})
				return err
			},
			"OpenRun":    func() error { _, err := s.OpenRun(ctx, history.Run{ID: "s"}); return err },
			"CloseRun":   func() error { _, err := s.CloseRun(ctx, "r", history.Complete, ""); return err },
			"Run":        func() error { _, err := s.Run(ctx, "r"); return err },
			"Runs":       func() error { _, _, err := s.Runs(ctx, "", 1); return err },
			"AsOf":       func() error { _, err := s.AsOf(ctx, history.At{}); return err },
			"KnownAt":    func() error { _, err := s.KnownAt(ctx, history.Newest); return err },
			"Changes":    func() error { _, _, err := s.Changes(ctx, "", 1, 0); return err },
			"PositionAt": func() error { _, err := s.PositionAt(ctx, 1); return err },
			"Head":       func() error { _, err := s.Head(ctx); return err },
			"Get":        func() error { _, err := reader.Get(ctx, []history.Key{key("a")}, history.FieldsAll); return err },
			"Version":    func() error { _, err := reader.Version(ctx, key("a"), 1); return err },
			"History":    func() error { _, _, err := reader.History(ctx, key("a"), history.HistoryQuery{}); return err },
			"Items":      func() error { _, _, err := reader.Items(ctx, history.Query{}); return err },
			"Count":      func() error { _, err := reader.Count(ctx, history.Query{}, history.ByNothing); return err },
			"Links":      func() error { _, _, err := reader.Links(ctx, history.LinkQuery{}); return err },
			"Find":       func() error { _, err := reader.Find(ctx, key("a").Type, "a"); return err },
		}
		if p, ok := s.(history.Pruner); ok {
			calls["Floors"] = func() error { _, err := p.Floors(ctx); return err }
			calls["Prune"] = func() error { _, err := p.Prune(ctx, history.PruneRequest{Floor: at(1)}); return err }
			calls["PruneDry"] = func() error { _, err := p.Prune(ctx, history.PruneRequest{Floor: at(1), DryRun: true}); return err }
		}
		if e, ok := s.(history.Eraser); ok {
			calls["Erase"] = func() error { return e.Erase(ctx, key("a"), 1) }
		}
		if f, ok := s.(history.Folder); ok {
			calls["Fold"] = func() error { _, err := f.Fold(ctx, history.Newest); return err }
		}
		if l, ok := s.(history.Relinker); ok {
			calls["Relink"] = func() error { return l.Relink(ctx, nil) }
		}
		if d, ok := s.(history.Documents); ok {
			calls["Document"] = func() error { _, err := d.Document(ctx, "c", "a"); return err }
			calls["Documents"] = func() error { _, _, err := d.Documents(ctx, "c", "", 0); return err }
			calls["PutDocuments"] = func() error { _, err := d.PutDocuments(ctx, []history.DocumentWrite{write("c", "a", "")}); return err }
		}
		for name, call := range calls {
			refused(r, name, call(), history.Unavailable)
		}
		if err := s.Close(); err != nil {
			r.Fatalf("close again: %v", err)
		}
		r.store = r.b.Open(r.T, Options{Now: r.clock.Now, StoreID: testStore}) // for the cleanup
	}},
	{"WakesWaitingReaders", func(r *rig) {
		s := r.store
		done := make(chan error)
		for range 3 {
			go func() {
				_, _, err := s.Changes(ctx, "", 1, time.Hour)
				done <- err
			}()
		}
		if err := s.Close(); err != nil {
			r.Fatal(err)
		}
		for range 3 {
			select {
			case err := <-done:
				refused(r, "changes", err, history.Unavailable)
			case <-time.After(patience):
				r.Fatal("still waiting")
			}
		}
		r.store = r.b.Open(r.T, Options{Now: r.clock.Now, StoreID: testStore})
	}},
	{"EverythingIsThereAfterReopen", func(r *rig) { outlives(r, r.reopen) }},
	{"StoreIDOutlastsReopen", func(r *rig) {
		before := r.head()
		r.reopen()
		same(r, "head", r.head(), before)
		equal(r, "id", before.StoreID, testStore)
	}},
}

var crashCases = []namedCase{
	{"AcknowledgedIsThere", func(r *rig) { outlives(r, r.kill) }},
	{"AgainAndAgain", func(r *rig) {
		var follow history.Position
		read := 0
		for i := range 12 {
			r.clock.Advance(time.Second)
			r.see("a", string("ABC"[i%3]), at(20-i*i%17))
			told, fed := r.told("a", 0), r.toldFeed()
			r.kill()
			equal(r, "history", r.told("a", 0), told)
			equal(r, "feed", r.toldFeed(), fed)
			list, next, err := r.store.Changes(ctx, follow, 100, 0) // a follower loses nothing
			if err != nil {
				r.Fatal(err)
			}
			follow, read = next, read+len(list)
			equal(r, "changes followed", read, len(r.feed()))
		}
	}},
	{"OpenRunKeepsWhatItSaw", func(r *rig) {
		r.play("A@1 b:A@1")
		r.open(history.Run{ID: "r", Moment: at(5)})
		r.in("r", observe("a", "A", 0))
		before := r.run("r")
		r.kill()
		same(r, "run", r.run("r"), before)
		r.close("r", history.Complete)
		r.kill()
		equal(r, "a", r.told("a", 0), "v1 A@1..5")
		equal(r, "b", r.told("b", 0), "v1 A@1 v2 -@5")
	}},
}

// outlives compares every answer before and after the store is opened again.
func outlives(r *rig, again func()) {
	r.record(full())
	r.play("A@1 A@9 b:A@3 C@5 [7 b:A@7] D@2 c:-@4 [8 b:B@8]x")
	r.open(history.Run{ID: "open", Moment: at(20)})
	answers := func() []any {
		var list []any
		head := r.head()
		list = append(list, head, r.feed(), r.run("open"))
		runs, _, err := r.store.Runs(ctx, "", 100)
		if err != nil {
			r.Fatal(err)
		}
		list = append(list, runs)
		for known := history.Revision(1); known <= head.Revision; known++ {
			for m := range 12 {
				list = append(list, r.items(history.At{Captured: at(m), Known: known}, history.Query{Deleted: true}))
			}
			for _, id := range []string{"a", "b", "c", full().Key.ID} {
				list = append(list, r.history(key(id), known))
			}
		}
		return list
	}
	before := answers()
	again()
	for i, after := range answers() {
		same(r, fmt.Sprint("answer ", i), after, before[i])
	}
	equal(r, "next version", r.see("a", "E", at(30)).Version, r.history(key("a"), 0)[0].Version)
}
