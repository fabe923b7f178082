package historytest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
)

var firstLinker, secondLinker = Linker("first"), Linker("second")

// links reads all links that a query asks for, in the order of Compare.
func (r *rig) links(at history.At, q history.LinkQuery) []history.Linked {
	r.Helper()
	list, more, err := r.asOf(at).Links(ctx, q)
	if err != nil || more {
		r.Fatalf("links %+v at %+v: more: %t, %v", q, at, more, err)
	}
	want := slices.SortedFunc(slices.Values(list), history.Linked.Compare)
	if !sameLinks(list, want) {
		r.Fatalf("links %+v at %+v are not in the order of their terms: %+v", q, at, list)
	}
	return want
}

// sameLinked ends the test unless links are the same, in the same order.
func sameLinked(r *rig, what string, got, want []history.Linked) {
	r.Helper()
	if !slices.Equal(got, want) {
		same(r, what, got, want)
	}
}

// toldLinks tells links: "p@1..4 b:q=detail@3..", a refers to p from 1 to 4, and
// b to q, with a detail, from 3 on.
func toldLinks(links []history.Linked) string {
	var list []string
	for _, l := range links {
		word := l.Term
		if l.Key.ID != "a" {
			word = l.Key.ID + ":" + word
		}
		if l.Detail != "" {
			word += "=" + l.Detail
		}
		word += "@" + seconds(l.From) + ".."
		if l.To != history.Newest {
			word += seconds(l.To)
		}
		list = append(list, word)
	}
	return strings.Join(list, " ")
}

// referred tells what was ever referred to, as known at a revision.
func (r *rig) referred(known history.Revision) string {
	r.Helper()
	return toldLinks(r.links(history.At{Known: known}, history.LinkQuery{Refers: true, Ever: true}))
}

// fit ends the test unless, at every revision kept and every moment at which
// anything begins or ends, the links are those of the versions.
func (r *rig) fit(by history.Linker) {
	r.Helper()
	var floors history.Floors
	if p, ok := r.store.(history.Pruner); ok {
		var err error
		if floors, err = p.Floors(ctx); err != nil {
			r.Fatal(err)
		}
	}
	typ := key("").Type // of whatever the cases record
	for known := max(1, floors.RevisionOf(typ)); known <= r.head().Revision; known++ {
		moments := []history.Moment{history.Newest}
		for _, l := range r.links(history.At{Known: known}, history.LinkQuery{Ever: true}) {
			moments = append(moments, l.From-1, l.From, l.To-1, l.To)
		}
		slices.Sort(moments)
		for _, m := range slices.Compact(moments) {
			if m < floors.Of(typ) {
				continue
			}
			if err := fits(r.store, history.At{Captured: m, Known: known}, by, floors.Of(typ)); err != nil {
				r.Fatal(err)
			}
		}
	}
}

// fits compares the links at a moment, and all as known then, with those that the
// versions have above a floor.
func fits(s history.Store, at history.At, by history.Linker, floor history.Moment) error {
	newest, err := s.AsOf(ctx, history.At{Known: at.Known})
	if err != nil {
		return err
	}
	items, _, err := newest.Items(ctx, history.Query{Deleted: true, Fields: history.FieldsKey})
	if err != nil {
		return err
	}
	var ever, then []history.Linked
	for _, i := range items {
		versions, _, err := newest.History(ctx, i.Key, history.HistoryQuery{})
		if err != nil {
			return err
		}
		slices.Reverse(versions)
		ever = append(ever, linksOf(by, versions, floor)...)
	}
	slices.SortFunc(ever, history.Linked.Compare)
	for _, l := range ever {
		if lasts(l, at.Captured) {
			then = append(then, l)
		}
	}

	reader, err := s.AsOf(ctx, at)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		q    history.LinkQuery
		want []history.Linked
	}{{history.LinkQuery{Ever: true}, ever}, {history.LinkQuery{}, then}} {
		got, more, err := reader.Links(ctx, c.q)
		if err != nil {
			return err
		}
		if more || !sameLinks(got, c.want) {
			return fmt.Errorf("links %+v at %+v, more: %t (-versions +links):\n%s", c.q, at, more, difference(c.want, got))
		}
	}
	return nil
}

// linkScript is a script of which the links are told: every state refers to its
// own words.
type linkScript struct {
	name   string
	do     string
	links  string // that were ever, as known at the end
	before string // and as known before the last step; "" = not looked at
}

// linkScripted makes named cases of scripts. Each is asked what it answered after
// every step as well, and whether links and versions say the same.
func linkScripted(scripts []linkScript) []namedCase {
	cases := make([]namedCase, 0, len(scripts))
	for _, s := range scripts {
		cases = append(cases, namedCase{s.name, func(r *rig) {
			said := map[history.Revision]string{}
			var before, newest history.Revision
			for i, step := range steps(s.do) {
				r.step(i, step)
				before, newest = newest, r.head().Revision
				said[newest] = r.referred(newest)
			}
			r.again(func() {
				equal(r, "links after "+s.do, r.referred(0), s.links)
				if s.before != "" {
					equal(r, "links before the last step of "+s.do, r.referred(before), s.before)
				}
				for known, then := range said {
					equal(r, fmt.Sprintf("links as known at revision %d of %s", known, s.do), r.referred(known), then)
				}
				r.fit(firstLinker)
			})
		}})
	}
	return cases
}

var linkScripts = []linkScript{
	{
		name: "KeptThroughVersionsIsOneSpan",
		do:   "p@1 p,q@3 p,s@5 s@7", links: "p@1..7 q@3..5 s@5..", before: "p@1.. q@3..5 s@5..",
	}, {
		name: "LateCaptureThatDropsItCutsItForLaterKnowledgeOnly",
		do:   "p@1 s@9 q@5", links: "p@1..5 q@5..9 s@9..", before: "p@1..9 s@9..",
	}, {
		name: "LateCaptureThatKeepsItCutsNothing",
		do:   "p@1 s@9 p,q@5", links: "p@1..9 q@5..9 s@9..", before: "p@1..9 s@9..",
	}, {
		name: "LateCaptureThatBringsItJoinsWhatFollows",
		do:   "q@1 p@9 p,s@5", links: "p@5.. q@1..5 s@5..9", before: "p@9.. q@1..9",
	}, {
		name: "ResumedVersionResumesIt",
		do:   "p@1 p@9 q@5", links: "p@1..5 p@9.. q@5..9", before: "p@1..",
	}, {
		name: "ResumedVersionResumesWhatTheLateOneDropped",
		do:   "p,q@1 p,q@9 p@5", links: "p@1.. q@1..5 q@9..", before: "p@1.. q@1..",
	}, {
		name: "ExtendedBackwardsIsOneSpan",
		do:   "p@5 p@2", links: "p@2..", before: "p@5..",
	}, {
		name: "DroppedAndTakenUpAgainIsTwoSpans",
		do:   "p@1 q@3 p@5", links: "p@1..3 p@5.. q@3..5",
	}, {
		name: "DeletionEndsIt",
		do:   "p@1 p,q@3 -@5", links: "p@1..5 q@3..5", before: "p@1.. q@3..",
	}, {
		name: "RecreationBeginsAnew",
		do:   "p@1 -@3 p@5", links: "p@1..3 p@5..", before: "p@1..3",
	}, {
		name: "LateDeletionPartsIt",
		do:   "p@1 p@9 -@5", links: "p@1..5 p@9..", before: "p@1..",
	}, {
		name: "DeletionOfTheUnknownHasNone",
		do:   "-@3 p@1", links: "p@1..3",
	}, {
		name: "MissedByARunEndsIt",
		do:   "p@1 [5]", links: "p@1..5", before: "p@1..",
	}, {
		name: "MissedByARunAndSeenLaterBeginsAnew",
		do:   "p@1 p@7 [5]", links: "p@1..5 p@7..", before: "p@1..",
	}, {
		name: "DeletionOfARunTakenAwayJoinsIt",
		do:   "p@1 p@7 [5] p@5", links: "p@1..", before: "p@1..5 p@7..",
	}, {
		name: "AbortedRunEndsNothing",
		do:   "p@1 [5]x", links: "p@1..",
	}, {
		name: "OfTwoStatesOfAMomentTheLaterRecordedSaysIt",
		do:   "p@3 q@3", links: "q@3..", before: "p@3..",
	}, {
		name: "AVersionThatLastsNoTimeCutsNothing",
		do:   "p@1 q@3 p,s@3", links: "p@1.. s@3..", before: "p@1..3 q@3..",
	}, {
		name: "SightingsChangeNothing",
		do:   "p@1 p@5 p@3", links: "p@1..", before: "p@1..",
	}, {
		name: "NotRecordedRefersToNothing",
		do:   "p@1 n@3 p@5", links: "p@1..3 p@5..",
	}, {
		name: "EachResourceHasItsOwn",
		do:   "p@1 b:p@2 -@3 b:p,q@4 b:-@6", links: "p@1..3 b:p@2..6 b:q@4..6", before: "p@1..3 b:p@2.. b:q@4..",
	},
}
