package historytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
)

// relinked opens the store again with another linker.
func (r *rig) relinked(by history.Linker) {
	r.Helper()
	if r.b.Relinked == nil {
		r.Skip("this backend cannot be opened with another linker")
	}
	r.store = r.b.Relinked(r.T, r.store, by)
}

// relink has the store read all links anew.
func (r *rig) relink() {
	r.Helper()
	var last uint64
	err := r.store.(history.Relinker).Relink(ctx, func(done, total uint64) {
		if done < last || done > total {
			r.Errorf("progress: %d of %d resources after %d", done, total, last)
		}
		last = done
	})
	if err != nil {
		r.Fatalf("relink: %v", err)
	}
}

// underWay reports whether an answer is Unavailable because links are being read
// anew, which must say how far it has come.
func underWay(r *rig, err error) bool {
	r.Helper()
	if !errors.Is(err, history.Unavailable) {
		return false
	}
	var e *history.Error
	if !errors.As(err, &e) {
		r.Fatalf("%v is no *history.Error", err)
	}
	done, err1 := strconv.ParseUint(e.Meta["done"], 10, 64)
	total, err2 := strconv.ParseUint(e.Meta["total"], 10, 64)
	if err1 != nil || err2 != nil || done > total {
		r.Fatalf("unavailable with %v, want the share that is done", e.Meta)
	}
	return true
}

// awaitLinks asks until the links are read anew, which a store that was opened
// under other tables does by itself.
func (r *rig) awaitLinks() {
	r.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		_, _, err := r.asOf(history.At{}).Links(ctx, history.LinkQuery{Terms: []string{"nobody's"}})
		switch {
		case err == nil:
			return
		case !underWay(r, err):
			r.Fatal(err)
		case time.Since(began) > 6*patience:
			r.Fatalf("still %v", err)
		}
	}
}

// likeFresh compares every link, as known at revisions, with those of a store in
// which the same was recorded.
func (r *rig) likeFresh(fresh *rig, known []history.Revision) {
	r.Helper()
	for _, rev := range known {
		for _, q := range []history.LinkQuery{{Ever: true}, {}} {
			at := history.At{Captured: at(3), Known: rev}
			sameLinked(r, fmt.Sprintf("links %+v at %+v", q, at), r.links(at, q), fresh.links(at, q))
		}
	}
}

// revisions lists those known.
func (r *rig) revisions() (list []history.Revision) {
	r.Helper()
	for rev := range r.head().Revision {
		list = append(list, rev+1)
	}
	return list
}

// storied records a little of everything that links depend on.
func storied(r *rig) {
	r.play("p@1 p,q@3 -@5 p@7 q@4 b:p@2 [6 b:p@6] b:q@1 b:s@8 c:p@2 c:-@3 c:p@9")
	r.link("d", 1, linking{
		Refers: [][2]string{{"hub", "x"}}, Bears: []string{"t"}, Second: &linking{Refers: [][2]string{{"hub", "y"}}},
	})
	r.link("d", 4, linking{Refers: [][2]string{{"hub", "x"}}, Second: &linking{Bears: []string{"t"}}})
	r.link("d", 2, linking{Second: &linking{Refers: [][2]string{{"hub", "y"}}}})
	if e, ok := r.store.(history.Eraser); ok {
		if err := errors.Join(e.Erase(ctx, key("a"), 2), e.Erase(ctx, key("d"), 3)); err != nil {
			r.Fatal(err)
		}
	}
}

var relinkCases = []namedCase{
	{"AnswersAsIfAllWereRecordedUnderTheNewTables", func(r *rig) {
		fresh := newRigWith(r.T, r.b, Options{StoreID: testStore, Linker: secondLinker})
		storied(r)
		storied(fresh)
		first := r.links(history.At{}, history.LinkQuery{Ever: true})
		r.relinked(secondLinker)
		r.relink()
		r.again(func() {
			r.likeFresh(fresh, r.revisions())
			r.fit(secondLinker)
		})
		r.relinked(firstLinker)
		r.relink()
		sameLinked(r, "links of the old tables", r.links(history.At{}, history.LinkQuery{Ever: true}), first)
		r.fit(firstLinker)
	}},
	{"AboveTheFloorAlone", func(r *rig) {
		fresh := newRigWith(r.T, r.b, Options{StoreID: testStore, Linker: secondLinker})
		for _, s := range []*rig{r, fresh} {
			storied(s)
			s.play("c:-@10 p@11")
			s.forget(3)
			s.play("b:p@5 q@12")
		}
		r.relinked(secondLinker)
		r.relink()
		r.again(func() {
			newest := r.head().Revision
			r.likeFresh(fresh, []history.Revision{newest - 2, newest - 1, newest})
			r.fit(secondLinker)
		})
	}},
	{"WhileRecordingGoesOn", relinkWhileRecording},
	{"CutShortIsDoneByTheNextCall", func(r *rig) {
		storied(r)
		r.herd(700, at(1)) // gone at 6
		r.relinked(secondLinker)
		cutShort(r)
		r.relink()
		r.again(func() {
			if err := fits(r.store, history.At{Captured: at(3)}, secondLinker, 0); err != nil {
				r.Fatal(err)
			}
		})
	}},
	{"CutShortByACrashIsDoneByTheNextOpening", func(r *rig) {
		storied(r)
		r.herd(700, at(1)) // gone at 6
		r.relinked(secondLinker)
		cutShort(r)
		r.kill()
		r.play("p@2")
		r.relink()
		if err := fits(r.store, history.At{Captured: at(3)}, secondLinker, 0); err != nil {
			r.Fatal(err)
		}
	}},
	{"BackToTheOldTablesMidway", func(r *rig) {
		storied(r)
		r.herd(700, at(1)) // gone at 6
		r.relinked(secondLinker)
		r.play("p@2")
		r.relinked(firstLinker)
		r.play("q@3")
		r.relink()
		if err := fits(r.store, history.At{Captured: at(3)}, firstLinker, 0); err != nil {
			r.Fatal(err)
		}
	}},
	{"TheSameTablesAnswerAtOnce", func(r *rig) {
		storied(r)
		want := r.links(history.At{}, history.LinkQuery{Ever: true})
		r.relinked(Linker("first"))
		sameLinked(r, "links", r.links(history.At{}, history.LinkQuery{Ever: true}), want)
	}},
	{"AgainChangesNothing", func(r *rig) {
		storied(r)
		r.relinked(firstLinker)
		want := r.links(history.At{}, history.LinkQuery{Ever: true})
		r.relink()
		r.again(func() {
			sameLinked(r, "links", r.links(history.At{}, history.LinkQuery{Ever: true}), want)
			r.fit(firstLinker)
		})
	}},
	{"WhatWasRecordedWithoutALinkerIsReadToo", func(r *rig) {
		storied(r)
		r.relinked(nil)
		equal(r, "links without a linker", len(r.links(history.At{}, history.LinkQuery{Ever: true})), 0)
		r.play("q@2 e:p@1 b:-@20")
		r.relinked(firstLinker)
		r.relink()
		r.again(func() { r.fit(firstLinker) })
	}},
}

// cutShort begins to read links anew, and stops at the first progress.
func cutShort(r *rig) {
	r.Helper()
	done, cancel := context.WithCancel(ctx)
	defer cancel()
	err := r.store.(history.Relinker).Relink(done, func(uint64, uint64) { cancel() })
	if err != nil && !errors.Is(err, context.Canceled) {
		r.Fatalf("relink that is cut short: %v", err)
	}
}

// relinkWhileRecording records, early and late, while the links of an estate are
// read anew; answers are Unavailable or right.
func relinkWhileRecording(r *rig) {
	resources, rounds := 5000, 60
	if testing.Short() {
		resources = 1500
	}
	first, second := modelLinker("first"), modelLinker("second") // the documents are few
	r = newRigWith(r.T, r.b, Options{StoreID: testStore, Linker: first})
	fresh := newRigWith(r.T, r.b, Options{StoreID: testStore, Linker: second})
	state := func(n int) history.State {
		return history.State{Configuration: linking{
			Refers: [][2]string{{"hub", fmt.Sprint(n % 3)}}, Bears: []string{fmt.Sprint("t", n%50)}, State: fmt.Sprint("other", n%7),
			Second: &linking{Refers: [][2]string{{"hub", fmt.Sprint("second", n%2)}}},
		}.configuration()}
	}
	var batches []history.Batch
	for v := range 3 {
		for from := 0; from < resources>>(2*v); from += 500 {
			var b history.Batch
			for n := from; n < from+500; n++ {
				b.Observations = append(b.Observations, history.Observation{Key: key(fmt.Sprint(n)), CapturedAt: at(10 * v), State: state(n + v)})
			}
			batches = append(batches, b)
		}
	}
	loaded := len(batches)
	for round := range rounds {
		var b history.Batch
		for i := range 20 {
			n := (round*37 + i*101) % (resources + 10)
			o := history.Observation{Key: key(fmt.Sprint(n)), CapturedAt: at(round%30 + 1), State: state(n + round)}
			if i%9 == 8 {
				o.State = letter("-")
			}
			b.Observations = append(b.Observations, o)
		}
		batches = append(batches, b)
	}

	known := []history.Revision{1}
	for _, b := range batches {
		fresh.append(b)
	}
	for _, b := range batches[:loaded] {
		r.append(b)
	}
	r.relinked(second)
	var asked, early int
	for round, b := range batches[loaded:] {
		r.append(b)
		if round%3 != 0 {
			continue
		}
		now := r.asOf(history.At{})
		if round == rounds/2 {
			known = append(known, now.At().Known)
		}
		asked++
		q := history.LinkQuery{Terms: []string{fmt.Sprint("t", round%50), "hub"}[:1+round%2], Ever: round%4 < 2}
		got, _, err := now.Links(ctx, q)
		if err != nil && underWay(r, err) {
			early++
			continue
		}
		if err != nil {
			r.Fatal(err)
		}
		slices.SortFunc(got, history.Linked.Compare)
		sameLinked(r, fmt.Sprintf("links %+v at %+v", q, now.At()), got, fresh.links(now.At(), q))
	}
	r.Logf("%d of %d questions came too early", early, asked)
	known = append(known, r.head().Revision)
	equal(r, "newest revision", r.head().Revision, fresh.head().Revision)
	r.again(func() { // what was opened may be a copy that came without links
		r.awaitLinks()
		r.likeFresh(fresh, known)
	})
	r.relink()
	r.likeFresh(fresh, known)
}
