package historytest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/varvehq/varve/history"
)

// link records that a resource bears and refers to terms.
func (r *rig) link(id string, n int, l linking) history.Result {
	r.Helper()
	return r.record(history.Observation{Key: key(id), CapturedAt: at(n), State: history.State{Configuration: l.configuration()}})
}

// linkedIDs lists the ids of links, as they come.
func linkedIDs(links []history.Linked) string {
	var list []string
	for _, l := range links {
		list = append(list, l.Key.ID)
	}
	return strings.Join(list, " ")
}

var linkCases = []namedCase{
	{"NoneOfReservedTypes", func(r *rig) {
		for _, typ := range []string{"T", "Varve::T"} {
			r.record(history.Observation{Key: history.Key{Type: typ, ID: typ}, CapturedAt: at(1), State: letter("A")})
		}
		list, _, err := r.asOf(history.At{}).Links(ctx, history.LinkQuery{Terms: []string{"A"}})
		if err != nil || len(list) != 1 || list[0].Key.ID != "T" {
			r.Fatalf("%+v, %v", list, err)
		}
	}},
	{"AnEmptyStoreHasNone", func(r *rig) {
		for _, at := range []history.At{{}, {Captured: at(3)}} {
			equal(r, "links", len(r.links(at, history.LinkQuery{Ever: true})), 0)
			equal(r, "links at a moment", len(r.links(at, history.LinkQuery{})), 0)
		}
	}},
	{"WithoutALinkerThereAreNone", func(r *rig) {
		r = newRigWith(r.T, r.b, Options{StoreID: testStore})
		r.play("p@1 q@3")
		r.again(func() { equal(r, "links", len(r.links(history.At{}, history.LinkQuery{Ever: true})), 0) })
	}},
	{"AtTheBordersOfSpans", func(r *rig) {
		r.play("p@1 p,q@3 -@5 p@7")
		r.again(func() {
			for _, c := range []struct {
				moment history.Moment
				want   string
			}{
				{1, ""}, {at(1) - 1, ""}, {at(1), "p@1..5"}, {at(3) - 1, "p@1..5"}, {at(3), "p@1..5 q@3..5"}, {at(5) - 1, "p@1..5 q@3..5"},
				{at(5), ""}, {at(7) - 1, ""}, {at(7), "p@7.."}, {history.LastMoment, "p@7.."}, {history.Newest, "p@7.."}, {0, "p@7.."},
			} {
				got := toldLinks(r.links(history.At{Captured: c.moment}, history.LinkQuery{Refers: true}))
				equal(r, fmt.Sprint("at ", int64(c.moment)), got, c.want)
			}
			equal(r, "as known then", toldLinks(r.links(history.At{Captured: at(5), Known: 2}, history.LinkQuery{Refers: true})), "p@1.. q@3..")
		})
	}},
	{"ErasedVersionHasNoneAndItsNeighboursKeepTheirs", func(r *rig) {
		r.play("p@1 p,q@3 p,q,s@5")
		r.erase("a", 2)
		r.again(func() {
			equal(r, "links", r.referred(0), "p@1..3 p@5.. q@5.. s@5..")
			equal(r, "as known before", r.referred(2), "p@1..3")
			equal(r, "at its moment", len(r.links(history.At{Captured: at(4)}, history.LinkQuery{})), 0)
			r.fit(firstLinker)
		})
		r.play("p@4 q@3 q@2") // others that were not erased
		r.again(func() { r.fit(firstLinker) })
	}},
	{"AVersionThatIsBornErasedHasNone", func(r *rig) {
		r.play("p@1 p@9")
		r.erase("a", 1)
		r.play("q@4")
		r.again(func() {
			equal(r, "links", r.referred(0), "q@4..9")
			equal(r, "as known before", r.referred(2), "")
			r.fit(firstLinker)
		})
	}},
	{"AResumedVersionTakesThemFromAnEqualOne", func(r *rig) {
		r.play("p@1 p@3 q@4 p@9")
		r.erase("a", 1)
		r.play("s@2")
		r.again(func() {
			equal(r, "links", r.referred(0), "p@3..4 p@9.. q@4..9 s@2..3")
			r.fit(firstLinker)
		})
	}},
	{"PrunedAreCutAtTheFloor", func(r *rig) {
		r.play("p@1 p,q@3 p,s@7 b:w@2 b:q@4")
		r.forget(5)
		r.again(func() {
			equal(r, "links", r.referred(0), "p@5.. q@5..7 b:q@5.. s@7..")
			equal(r, "at the floor", toldLinks(r.links(history.At{Captured: at(5)}, history.LinkQuery{Refers: true})), "p@5.. q@5..7 b:q@5..")
			r.fit(firstLinker)
		})
		r.play("p@6 q@5") // late, above it
		r.again(func() { r.fit(firstLinker) })
	}},
	{"EarlierBeliefsAboveTheRevisionFloorKeepThem", func(r *rig) {
		r.play("p@1 s@9")
		recorded := r.now()
		r.play("q@5")
		r.prune(history.PruneRequest{Floor: at(6), Recorded: recorded})
		r.again(func() {
			equal(r, "links", r.referred(0), "q@6..9 s@9..")
			equal(r, "as known before", r.referred(2), "p@6..9 s@9..")
			r.fit(firstLinker)
		})
	}},
	{"WhatGoesEntirelyHasNone", func(r *rig) {
		r.play("p@1 -@3 b:p@1")
		equal(r, "resources", r.forget(4).Resources, 1)
		r.again(func() { equal(r, "links", r.referred(0), "b:p@4..") })
		r.play("q@6") // of the new resource of that key
		r.again(func() {
			equal(r, "links", r.referred(0), "b:p@4.. q@6..")
			r.fit(firstLinker)
		})
	}},
	{"QuestionsBelowTheFloorOfAnyTypeAreRefused", func(r *rig) {
		r.record(history.Observation{Key: history.Key{Type: "T", ID: "t"}, CapturedAt: at(1), State: letter("p")})
		r.play("p@1 q@3")
		reader := r.asOf(history.At{Captured: at(2)})
		r.prune(history.PruneRequest{Floor: at(2) + 1, Type: key("a").Type})
		for _, q := range []history.LinkQuery{{}, {Ever: true}, {Terms: []string{"p"}}, {Prefix: "p"}} {
			_, _, err := reader.Links(ctx, q)
			refused(r, fmt.Sprintf("links %+v of a reader from before", q), err, history.Compacted)
		}
		equal(r, "at the floor", toldLinks(r.links(history.At{Captured: at(2) + 1}, history.LinkQuery{Refers: true})), "t:p@1.. p@2.000001..3")
		r.prune(history.PruneRequest{Floor: at(4), Type: "T", Recorded: r.now()})
		_, _, err := r.asOf(history.At{Known: 2}).Links(ctx, history.LinkQuery{})
		refused(r, "links known below the revision floor of a type", err, history.Compacted)
	}},
	{"TermsThatBeginOthers", func(r *rig) {
		terms := slices.Clone(modelTerms)
		terms = append(terms, "A", "aa", "b", "\x00", "\x01", "\x7f", "\x80", "a\x00\xff", "a\x01\x00", "\xff\x00", longTerm[:len(longTerm)-1])
		slices.Sort(terms)
		for i, term := range terms {
			r.link(fmt.Sprint(i), 1, linking{Bears: []string{term}, Refers: [][2]string{{term, ""}, {term, "\x00"}, {term, "\xff\x00"}}})
		}
		r.again(func() {
			all := func(yes func(term string) bool) string {
				var list []string
				for i, term := range terms {
					if yes(term) {
						list = append(list, fmt.Sprint(i))
					}
				}
				return strings.Join(list, " ")
			}
			prefixes := append([]string{longTerm[:1000], "first:", "zz"}, terms...)
			for i, term := range terms {
				got := r.links(history.At{}, history.LinkQuery{Terms: []string{term}})
				equal(r, fmt.Sprintf("linked with %.20q", term), linkedIDs(got), fmt.Sprintf("%[1]d %[1]d %[1]d %[1]d", i))
				equal(r, "details", fmt.Sprintf("%q %q %q %q", got[0].Detail, got[1].Detail, got[2].Detail, got[3].Detail), `"" "" "\x00" "\xff\x00"`)
				after := r.links(history.At{}, history.LinkQuery{Terms: terms, After: term, Bears: true})
				equal(r, fmt.Sprintf("after %.20q", term), linkedIDs(after), all(func(t string) bool { return t > term }))
			}
			for _, prefix := range prefixes {
				begins := func(t string) bool { return strings.HasPrefix(t, prefix) }
				got := r.links(history.At{}, history.LinkQuery{Prefix: prefix, Bears: true})
				got = slices.DeleteFunc(got, func(l history.Linked) bool { return strings.HasPrefix(l.Term, "first:") })
				equal(r, fmt.Sprintf("with the prefix %.20q", prefix), linkedIDs(got), all(begins))
			}
			r.fit(firstLinker)
		})
	}},
	{"LongerOnesThanAreTakenAreLeftOut", func(r *rig) {
		term, detail := strings.Repeat("t", history.MaxTerm), strings.Repeat("d", history.MaxDetail)
		r.link("a", 1, linking{
			Bears:  []string{term, term + "t", strings.Repeat("\x00", history.MaxTerm), strings.Repeat("\xff", history.MaxTerm)},
			Refers: [][2]string{{"t", detail}, {"t", detail + "d"}, {"t", "d"}, {term + "t", ""}, {term, detail}},
		})
		r.again(func() {
			var got []string
			for _, l := range r.links(history.At{}, history.LinkQuery{}) {
				if !strings.HasPrefix(l.Term, "first:") {
					got = append(got, fmt.Sprintf("%t %.1q %d %d", l.Bears, l.Term, len(l.Term), len(l.Detail)))
				}
			}
			want := []string{
				`true "\x00" 4096 0`, `false "t" 1 1`, `false "t" 1 65536`, `true "t" 4096 0`, `false "t" 4096 65536`, `true "\xff" 4096 0`,
			}
			equal(r, "kept", strings.Join(got, ", "), strings.Join(want, ", "))
			equal(r, "found", len(r.links(history.At{}, history.LinkQuery{Terms: []string{term, term + "t"}})), 2)
			equal(r, "found by its beginning", len(r.links(history.At{}, history.LinkQuery{Prefix: term})), 2)
		})
	}},
	{"DetailsTellLinksApart", func(r *rig) {
		r.link("a", 1, linking{Bears: []string{"t"}, Refers: [][2]string{{"t", "p"}, {"t", ""}, {"t", "q"}, {"t", "p"}}})
		r.link("b", 2, linking{Refers: [][2]string{{"t", "p"}, {"u", "p"}}})
		r.link("a", 3, linking{Bears: []string{"t"}, Refers: [][2]string{{"t", "q"}, {"t", "r"}}})
		r.again(func() {
			equal(r, "borne", toldLinks(r.links(history.At{}, history.LinkQuery{Terms: []string{"t"}, Bears: true, Ever: true})), "t@1..")
			equal(r, "referred", r.referred(0), "t@1..3 t=p@1..3 b:t=p@2.. t=q@1.. t=r@3.. b:u=p@2..")
		})
	}},
	{"BorneReferredOrBoth", func(r *rig) {
		r.link("a", 1, linking{Bears: []string{"t"}})
		r.link("b", 1, linking{Refers: [][2]string{{"t", ""}}})
		for _, c := range []struct {
			q    history.LinkQuery
			want string
		}{
			{history.LinkQuery{Bears: true}, "a"}, {history.LinkQuery{Refers: true}, "b"},
			{history.LinkQuery{}, "a b"}, {history.LinkQuery{Bears: true, Refers: true}, "a b"},
		} {
			c.q.Terms = []string{"t"}
			equal(r, fmt.Sprintf("%+v", c.q), linkedIDs(r.links(history.At{}, c.q)), c.want)
			c.q.Terms, c.q.Prefix = nil, "t"
			equal(r, fmt.Sprintf("%+v", c.q), linkedIDs(r.links(history.At{}, c.q)), c.want)
		}
	}},
	{"TermsInAnyOrderAndTwice", func(r *rig) {
		r.play("p,q,s@1 b:q@1")
		got := r.links(history.At{}, history.LinkQuery{Terms: []string{"s", "q", "nobody's", "s", "q"}, Prefix: "p", Refers: true})
		equal(r, "links", toldLinks(got), "q@1.. b:q@1.. s@1..")
	}},
	{"PagesMeetAndNoTermIsParted", func(r *rig) {
		for n := range 9 {
			r.see(fmt.Sprint("r", n), []string{"hub,p", "hub", "hub,p,q", "s"}[n%4], at(n))
		}
		r.play("r0:hub@20 r3:-@30")
		r.again(func() {
			for _, q := range []history.LinkQuery{
				{}, {Ever: true}, {Refers: true}, {Refers: true, Ever: true}, {Prefix: "first:"}, {Terms: []string{"s", "hub", "q", "p"}, Ever: true},
			} {
				reader := r.asOf(history.At{})
				whole, more, err := reader.Links(ctx, q)
				if err != nil || more {
					r.Fatalf("%+v: more: %t, %v", q, more, err)
				}
				for q.Limit = 1; q.Limit <= len(whole)+1; q.Limit++ {
					var got []history.Linked
					q.After = ""
					for more := true; more; {
						page, next, err := reader.Links(ctx, q)
						if err != nil || len(page) == 0 {
							r.Fatalf("%+v: %d links, %v", q, len(page), err)
						}
						want, wantMore := pageOf(whole, q.After, q.Limit)
						equal(r, fmt.Sprintf("%+v", q), toldLinks(page), toldLinks(want))
						equal(r, fmt.Sprintf("%+v: more", q), next, wantMore)
						got, q.After, more = append(got, page...), page[len(page)-1].Term, next
					}
					equal(r, fmt.Sprintf("%+v", q), toldLinks(got), toldLinks(whole))
				}
			}
		})
	}},
	{"PagingStableUnderAppend", func(r *rig) {
		r.play("k,p@1 b:p,q@1 c:s@1")
		reader := r.asOf(history.At{})
		q := history.LinkQuery{Refers: true, Limit: 2}
		first, more, err := reader.Links(ctx, q)
		if err != nil {
			r.Fatal(err)
		}
		equal(r, "first page", fmt.Sprint(toldLinks(first), more), "k@1.. p@1.. b:p@1..true")
		r.play("d:p,q,s@0 c:-@2 q@1 b:-@9")
		q.After = "p"
		second, more, err := reader.Links(ctx, q)
		if err != nil {
			r.Fatal(err)
		}
		equal(r, "second page", fmt.Sprint(toldLinks(second), more), "b:q@1.. c:s@1..false")
	}},
	{"HoldAfterACrash", func(r *rig) {
		r.play("p@1 p,q@3 b:q@2 b:p@5")
		for _, step := range []string{"q@4", "b:-@7", "s@2", "b:s@7"} {
			r.step(0, step)
			want := r.referred(0)
			r.kill()
			equal(r, "links", r.referred(0), want)
		}
		r.fit(firstLinker)
	}},
	{"AHubNowThenAndAsKnownThen", hubThenAndNow},
	{"AnswersStayWhileMoreIsRecorded", linksWhileRecording},
}

// hubThenAndNow has thousands refer to one term, drop it, take it up again and
// say it otherwise, a part of it learnt late.
func hubThenAndNow(r *rig) {
	referrers := 3000
	if testing.Short() {
		referrers = 1000
	}
	by := modelLinker("first") // the documents are few
	r = newRigWith(r.T, r.b, Options{StoreID: testStore, Linker: by})
	versions := []int{0, 1, 3, 4, 5, 2} // as they are recorded
	item := func(n, v int) history.Item {
		l := linking{State: fmt.Sprint("other", v), Refers: [][2]string{{"hub", fmt.Sprint("/", (v+n%2)/2)}}}
		if (n+v)%6 == 0 {
			l.Refers = nil
		}
		return history.Item{
			Key: key(fmt.Sprintf("%04d", n)), Version: uint32(v + 1), CapturedAt: at(10*v) + history.Moment(n%7),
			State: history.State{Configuration: l.configuration()},
		}
	}
	known := make([]history.Revision, len(versions))
	for i, v := range versions {
		for n := 0; n < referrers; n += 1000 {
			var b history.Batch
			for j := range 1000 {
				o := item(n+j, v)
				b.Observations = append(b.Observations, history.Observation{Key: o.Key, CapturedAt: o.CapturedAt, State: o.State})
			}
			r.append(b)
		}
		known[i] = r.head().Revision
	}
	r.again(func() {
		for _, i := range []int{1, 4, 5} {
			recorded := slices.Sorted(slices.Values(versions[:i+1]))
			var ever []history.Linked
			for n := range referrers {
				var items []history.Item
				for _, v := range recorded {
					items = append(items, item(n, v))
				}
				for _, l := range linksOf(by, items, 0) {
					if l.Term == "hub" {
						ever = append(ever, l)
					}
				}
			}
			slices.SortFunc(ever, history.Linked.Compare)
			for _, m := range []history.Moment{at(20) + 3, at(25), at(35), history.Newest} {
				var want []history.Linked
				for _, l := range ever {
					if lasts(l, m) {
						want = append(want, l)
					}
				}
				got := r.links(history.At{Captured: m, Known: known[i]}, history.LinkQuery{Terms: []string{"hub"}})
				if !slices.Equal(got, want) {
					r.Fatalf("%d links at %v known at %d, want %d", len(got), m, known[i], len(want))
				}
			}
			got := r.links(history.At{Known: known[i]}, history.LinkQuery{Prefix: "hu", Ever: true})
			if !slices.Equal(got, ever) {
				r.Fatalf("%d links that ever were known at %d, want %d", len(got), known[i], len(ever))
			}
		}
	})
}

// linksWhileRecording reads links while versions come and go: what was answered
// fits the versions, and is answered again later.
func linksWhileRecording(r *rig) {
	const rounds, readers = 150, 3
	type answer struct {
		at    history.At
		q     history.LinkQuery
		links []history.Linked
	}
	states := []string{"p", "p,q", "q,s", "-", "hub,p", "hub"}
	r.see("0", "p", at(1))
	answers := make([][]answer, readers)
	var group sync.WaitGroup
	stop, answered := make(chan struct{}), make(chan struct{})
	for n := range readers {
		group.Go(func() {
			draw := rand.New(rand.NewPCG(uint64(n), 2))
			for {
				reader, err := r.store.AsOf(ctx, history.At{Captured: at(draw.IntN(60))})
				if err != nil {
					r.Error(err)
					return
				}
				q := history.LinkQuery{Ever: draw.IntN(2) == 0, Terms: []string{"hub", "q"}[draw.IntN(2):]}
				links, _, err := reader.Links(ctx, q)
				if err != nil {
					r.Error(err)
					return
				}
				answers[n] = append(answers[n], answer{reader.At(), q, links})
				if err := fits(r.store, reader.At(), firstLinker, 0); err != nil {
					r.Error(err)
					return
				}
				select {
				case <-stop:
					return
				case answered <- struct{}{}:
				}
			}
		})
	}
	gone := make(chan struct{})
	go func() { group.Wait(); close(gone) }()
	draw := rand.New(rand.NewPCG(8, 8))
	for i := range rounds {
		var b history.Batch
		for range 1 + draw.IntN(4) {
			b.Observations = append(b.Observations, observe(fmt.Sprint(draw.IntN(8)), states[draw.IntN(len(states))], at(draw.IntN(60))))
		}
		if _, err := r.store.Append(ctx, b); err != nil {
			r.Error(err)
		}
		if i%25 == 24 {
			id := history.RunID(fmt.Sprint("r", i))
			r.open(history.Run{ID: id, Moment: at(draw.IntN(60))})
			r.close(id, history.CompleteForced)
		}
		if i%2 == 0 { // not all at once
			select {
			case <-answered:
			case <-gone:
			}
		}
	}
	close(stop)
	<-gone
	all := slices.Concat(answers...)
	r.Logf("%d answers over %d revisions", len(all), r.head().Revision)
	r.again(func() {
		for _, a := range all {
			got, _, err := r.asOf(a.at).Links(ctx, a.q)
			if err != nil {
				r.Fatal(err)
			}
			sameLinked(r, fmt.Sprintf("links %+v at %+v, asked again", a.q, a.at), got, a.links)
		}
	})
}
