package historytest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/varvehq/varve/history"
)

// patience is how long a case waits for what must happen at once.
const patience = time.Minute

// Answers to earlier revisions never change.
var knownCases = []namedCase{
	{"OldRevisionsNeverChange", func(r *rig) {
		said := r.play("A@4 A@2 B@6 C@3 [5] A@5 -@5 B@5 A@9 [7] b:A@1 [8 b:A@8] C@6 A@6 [3] D@7 -@1 x@3 A@3")
		for known, then := range said {
			equal(r, fmt.Sprintf("history known at %d", known), r.told("a", known), then)
		}
	}},
	{"BeforeTheFirstRevisionNothing", func(r *rig) {
		r.see("b", "A", at(1))
		r.see("a", "A", at(1))
		equal(r, "version", r.get("a", history.At{Known: 1}).Version, 0)
		equal(r, "history", r.told("a", 1), "")
		equal(r, "inventory", ids(r.items(history.At{Known: 1}, history.Query{})), "b")
	}},
	{"BothAxesTogether", func(r *rig) {
		r.play("A@1 C@9 B@5")
		for _, c := range []struct {
			captured int
			known    history.Revision
			want     uint32
		}{
			{0, 3, 0}, {1, 1, 1}, {5, 1, 1}, {9, 1, 1}, {5, 2, 1}, {9, 2, 2}, {5, 3, 3}, {8, 3, 3}, {9, 3, 2},
		} {
			got := r.get("a", history.At{Captured: at(c.captured), Known: c.known})
			equal(r, fmt.Sprintf("%+v", c), got.Version, c.want)
		}
	}},
	{"AbsorbedRowsStayVisibleToEarlierKnowledgeOnly", func(r *rig) {
		r.play("A@4 A@2")
		equal(r, "then", r.told("a", 1), "v1 A@4")
		equal(r, "now", r.told("a", 2), "v2 A@2..4")
	}},
	{"LastSeenIsOfWhatWasKnown", func(r *rig) {
		r.play("A@1 A@9 A@5 B@3")
		equal(r, "at 1", r.told("a", 1), "v1 A@1")
		equal(r, "at 2", r.told("a", 2), "v1 A@1..9")
		equal(r, "at 4", r.told("a", 4), "v1 A@1 v2 B@3 v3 A@5..9")
	}},
	{"ReaderStaysBoundWhileTheStoreGoesOn", func(r *rig) {
		r.play("A@1 A@9")
		reader := r.asOf(history.At{})
		r.play("B@5 C@10 b:A@1")
		items, _, err := reader.History(ctx, key("a"), history.HistoryQuery{})
		if err != nil {
			r.Fatal(err)
		}
		equal(r, "versions", len(items), 1)
		equal(r, "last seen", items[0].LastSeenAt, at(9))
		keys, err := reader.Find(ctx, key("b").Type, "b")
		if err != nil {
			r.Fatal(err)
		}
		equal(r, "found", len(keys), 0)
	}},
	{"ReaderTellsItsMoment", func(r *rig) {
		r.play("A@1 B@2")
		equal(r, "zero", r.asOf(history.At{}).At(), history.At{Captured: history.Newest, Known: 2})
		given := history.At{Captured: at(1), Known: 1}
		equal(r, "given", r.asOf(given).At(), given)
	}},
	{"RevisionNotYetGivenIsRefused", func(r *rig) {
		_, err := r.store.AsOf(ctx, history.At{Known: 1})
		refused(r, "empty store", err, history.Future)
		r.see("a", "A", at(1))
		_, err = r.store.AsOf(ctx, history.At{Known: 2})
		refused(r, "next revision", err, history.Future)
	}},
	{"AtAMoment", func(r *rig) {
		known := func(m history.Moment) history.Revision {
			r.Helper()
			got, err := r.store.KnownAt(ctx, m)
			if err != nil {
				r.Fatal(err)
			}
			return got
		}
		equal(r, "empty store", known(history.Newest), 0)
		r.append(history.Batch{Observations: []history.Observation{observe("a", "A", at(1)), observe("b", "A", at(1))}})
		first := history.MomentOf(r.clock.Now())
		r.clock.Advance(time.Second)
		r.see("a", "B", at(2))
		r.clock.Advance(time.Second)
		r.see("a", "B", at(3)) // a sighting has a revision too
		r.clock.Advance(time.Second)
		r.open(history.Run{ID: "r", Moment: at(9)})
		r.close("r", history.Complete)
		for _, c := range []struct {
			moment history.Moment
			want   history.Revision
		}{
			{-1, 0}, {1, 0}, {first - 1, 0}, {first, 2}, {first + 999_999, 2}, {first + 1_000_000, 3},
			{first + 2_000_000, 4}, {first + 2_999_999, 4}, {first + 3_000_000, 5}, {history.LastMoment, 5}, {history.Newest, 5},
		} {
			equal(r, fmt.Sprint("known at ", c.moment), known(c.moment), c.want)
		}
	}},
}

var feedCases = []namedCase{
	{"DenseAndOnePositionPerObservation", func(r *rig) {
		r.play("A@1 B@6 A@9 C@3 -@4 b:A@1 [5 b:A@5] A@9 A@2 [7]")
		var revision history.Revision
		var recorded history.Moment
		positions := map[history.Position]bool{}
		for i, c := range r.feed() {
			equal(r, "sequence", c.Seq, history.Seq(i+1))
			if c.Revision < revision || c.RecordedAt < recorded {
				r.Fatalf("change %d goes back: %+v", i, c)
			}
			revision, recorded = c.Revision, c.RecordedAt
			if positions[c.Position] {
				r.Fatalf("position of change %d was given before", i)
			}
			positions[c.Position] = true
		}
		equal(r, "end of the feed", r.changes(r.head().Position) == nil, true)
	}},
	{"TellsWhatTheReceiptTold", func(r *rig) {
		for i, o := range []history.Observation{
			observe("a", "A", at(5)), observe("a", "-", at(9)), observe("a", "B", at(3)), observe("b", "-", at(3)), observe("a", "A", at(10)),
		} {
			r.clock.Advance(time.Second)
			got := r.record(o)
			c := r.feed()[i]
			want := history.Change{
				Seq: got.Seq, Position: c.Position, Revision: got.Revision, RecordedAt: history.MomentOf(r.clock.Now()),
				Kind: got.Kind, Late: got.Late, Key: o.Key, Version: got.Version, CapturedAt: got.CapturedAt,
			}
			same(r, fmt.Sprint("change ", i), c, want)
			equal(r, "sequence", got.Seq, history.Seq(i+1))
		}
	}},
	{"ResumedAndAbsorbedRowsHaveNone", func(r *rig) {
		r.play("A@1 A@9 B@5 A@7") // v3 resumes at 9, v4 absorbs it
		equal(r, "history", r.told("a", 0), "v1 A@1 v2 B@5 v4 A@7..9")
		equal(r, "feed", r.toldFeed(), "v1 created, v2 updated late, v4 updated late")
	}},
	{"ResumesAnywhere", func(r *rig) {
		r.play("A@1 B@2 C@3 b:A@1 A@4")
		all := r.feed()
		for i, c := range all {
			same(r, fmt.Sprint("after change ", i), r.changes(c.Position), all[i+1:])
			for limit := 1; limit <= len(all); limit++ {
				list, next, err := r.store.Changes(ctx, c.Position, limit, 0)
				if err != nil {
					r.Fatal(err)
				}
				end := min(i+1+limit, len(all))
				same(r, "page", list, all[i+1:end])
				same(r, "rest", r.changes(next), all[end:])
			}
		}
	}},
	{"ResumesAfterReopen", func(r *rig) {
		r.play("A@1 B@2 C@3")
		all := r.feed()
		r.reopen()
		same(r, "feed", r.feed(), all)
		same(r, "after the first", r.changes(all[0].Position), all[1:])
		r.play("D@9")
		equal(r, "next sequence", r.changes(all[2].Position)[0].Seq, 4)
	}},
	{"EmptyPositionIsMadeExplicit", func(r *rig) {
		list, start, err := r.store.Changes(ctx, "", 10, 0)
		if err != nil || len(list) > 0 || start == "" {
			r.Fatalf("%d changes, position %q, %v", len(list), start, err)
		}
		equal(r, "end of an empty feed", r.head().Position, start)
		r.play("A@1")
		equal(r, "changes since", len(r.changes(start)), 1)
	}},
	{"SnapshotThenTailHasNoGap", func(r *rig) {
		r.play("A@1 b:A@1 c:A@1")
		head := r.head()
		reader := r.asOf(history.At{Known: head.Revision})
		r.play("B@2 d:A@1 b:-@5")
		state := map[string]uint32{}
		items, _, err := reader.Items(ctx, history.Query{Deleted: true})
		if err != nil {
			r.Fatal(err)
		}
		for _, i := range items {
			state[i.Key.ID] = i.Version
		}
		for _, c := range r.changes(head.Position) {
			state[c.Key.ID] = c.Version
		}
		for _, i := range r.items(history.At{}, history.Query{Deleted: true}) {
			equal(r, "version of "+i.Key.ID, state[i.Key.ID], i.Version)
		}
	}},
	{"WaitWakesUpAtACommit", func(r *rig) {
		after := r.head().Position
		type answer struct {
			list []history.Change
			err  error
		}
		answers := make(chan answer)
		for range 3 {
			go func() {
				list, _, err := r.store.Changes(ctx, after, 10, time.Hour)
				answers <- answer{list, err}
			}()
		}
		r.see("a", "A", at(1))
		for range 3 {
			select {
			case a := <-answers:
				if a.err != nil || len(a.list) != 1 || a.list[0].Key != key("a") {
					r.Fatalf("%+v, %v", a.list, a.err)
				}
			case <-time.After(patience):
				r.Fatal("still waiting")
			}
		}
	}},
	{"WaitSleepsThroughSightings", func(r *rig) {
		r.see("a", "A", at(1))
		after := r.head().Position
		done := make(chan int)
		go func() {
			list, _, _ := r.store.Changes(ctx, after, 10, time.Hour)
			done <- len(list)
		}()
		r.see("a", "A", at(2))
		r.see("a", "B", at(3))
		select {
		case n := <-done:
			equal(r, "changes", n, 1)
		case <-time.After(patience):
			r.Fatal("still waiting")
		}
	}},
	{"WaitEnds", func(r *rig) {
		list, next, err := r.store.Changes(ctx, "", 10, time.Millisecond)
		if err != nil || len(list) > 0 {
			r.Fatalf("%v, %v", list, err)
		}
		equal(r, "position", next, r.head().Position)
	}},
	{"WaitEndsWithItsContext", func(r *rig) {
		waiting, cancel := context.WithCancel(ctx)
		done := make(chan error)
		go func() {
			_, _, err := r.store.Changes(waiting, "", 10, time.Hour)
			done <- err
		}()
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) {
				r.Fatal(err)
			}
		case <-time.After(patience):
			r.Fatal("still waiting")
		}
	}},
}

// lineage is what a fresh store's positions are written with.
func lineage(h history.Head) history.Lineage {
	l := history.Lineage{StoreID: h.StoreID}
	for ; l.Incarnation < 10; l.Incarnation++ {
		if _, err := l.Seq(h.Position, math.MaxUint64); err == nil {
			break
		}
	}
	return l
}

var positionCases = []namedCase{
	{"AtAMoment", func(r *rig) {
		start := r.head().RecordedAt
		equal(r, "empty store", start, 0)
		r.play("A@1 A@2 B@3 C@4") // recorded at 3601 to 3604; the second is a sighting
		all := r.feed()
		for _, c := range []struct {
			moment history.Moment
			first  int
		}{
			{-1, 0}, {1, 0}, {at(3601), 0}, {at(3601) + 1, 1}, {at(3602), 1}, {at(3603), 1}, {at(3604), 2}, {at(3604) + 1, 3}, {history.Newest, 3},
		} {
			position, err := r.store.PositionAt(ctx, c.moment)
			if err != nil {
				r.Fatal(err)
			}
			same(r, fmt.Sprint("changes since ", c.moment), r.changes(position), all[c.first:])
		}
		end, err := r.store.PositionAt(ctx, history.Newest)
		if err != nil {
			r.Fatal(err)
		}
		equal(r, "end of the feed", end, r.head().Position)
	}},
	{"ForeignStoreRefused", func(r *rig) {
		other := r.b.Open(r.T, Options{Now: r.clock.Now, StoreID: [16]byte{'o', 't', 'h', 'e', 'r'}})
		defer func() { _ = other.Close() }()
		if _, err := other.Append(ctx, history.Batch{Observations: []history.Observation{observe("a", "A", at(1))}}); err != nil {
			r.Fatal(err)
		}
		head, err := other.Head(ctx)
		if err != nil {
			r.Fatal(err)
		}
		r.see("a", "A", at(1))
		_, _, err = r.store.Changes(ctx, head.Position, 10, 0)
		refused(r, "position of another store", err, history.ForeignToken)
	}},
	{"AheadRefused", func(r *rig) {
		r.see("a", "A", at(1))
		_, _, err := r.store.Changes(ctx, lineage(r.head()).Position(2), 10, 0)
		refused(r, "position not yet given", err, history.ForeignToken)
	}},
	{"OtherIncarnationRefused", func(r *rig) {
		r.see("a", "A", at(1))
		restored := lineage(r.head())
		restored.Incarnation++
		_, _, err := r.store.Changes(ctx, restored.Position(1), 10, 0)
		refused(r, "position of another incarnation", err, history.ForeignToken)
	}},
	{"DamagedRefused", func(r *rig) {
		r.see("a", "A", at(1))
		good := r.head().Position
		raw, err := base64.RawURLEncoding.DecodeString(string(good))
		if err != nil {
			r.Fatal(err)
		}
		bad := []history.Position{"0", "now", good + "A", good[:len(good)-1], "\x00"}
		for i := range raw {
			raw[i] ^= 1
			bad = append(bad, history.Position(base64.RawURLEncoding.EncodeToString(raw)))
			raw[i] ^= 1
		}
		for _, p := range bad {
			_, _, err := r.store.Changes(ctx, p, 10, 0)
			refused(r, fmt.Sprintf("position %q", p), err, history.ForeignToken)
		}
	}},
}
