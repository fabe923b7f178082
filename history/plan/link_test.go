package plan_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// linksOf gives each state links of which some are shared with others.
func linksOf(r *plan.Row) ([]history.Link, error) {
	n := int(r.Hash[0])
	var links []history.Link
	for term := range 3 {
		if n>>term&1 == 1 {
			links = append(links, history.Link{Term: fmt.Sprint(term), Bears: n == 3})
		}
	}
	return history.NormalizeLinks(links), nil
}

func TestLinkSpans(t *testing.T) {
	t.Run("SayAtEveryMomentWhatTheVersionSays", rapid.MakeCheck(func(t *rapid.T) {
		var r resource
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			at := history.Moment(rapid.IntRange(1, 8).Draw(t, "at"))
			if rapid.IntRange(0, 4).Draw(t, "what") == 0 {
				r.miss(t, at)
				continue
			}
			r.observe(t, at, rapid.IntRange(0, 7).Draw(t, "state"))
		}
		spans, err := plan.LinkSpans(r.Rows, linksOf)
		if err != nil {
			t.Fatal(err)
		}
		moments := []history.Moment{history.Newest}
		for at := range history.Moment(10) {
			moments = append(moments, at)
		}
		for known := history.Revision(1); known <= r.rev; known++ {
			for _, at := range moments {
				want := map[history.Link]bool{}
				if p := plan.Locate(r.Rows, at, known); p.Row != nil && !p.Row.Deleted {
					links, _ := linksOf(p.Row)
					for _, l := range links {
						want[l] = true
					}
				}
				for i := range spans {
					s := &spans[i]
					if _, in := s.Linked(history.Key{}, history.At{Captured: at, Known: known}, false, 0); in {
						if !want[s.Link] {
							t.Fatalf("at %v known at %d: %+v is told once too often", at, known, s)
						}
						delete(want, s.Link)
					}
				}
				if len(want) > 0 {
					t.Fatalf("at %v known at %d: %v is not told by %+v", at, known, want, spans)
				}
			}
			ends := map[string]bool{} // of the spans known then
			for i := range spans {
				if s := &spans[i]; s.Visible(known) {
					ends[fmt.Sprint(s.Link, s.To)] = true
				}
			}
			for i := range spans {
				if s := &spans[i]; s.Visible(known) && ends[fmt.Sprint(s.Link, s.From)] {
					t.Fatalf("known at %d: %+v begins where another ends", known, s)
				}
			}
		}
	}))
	t.Run("StayOneThroughVersionsThatKeepTheLink", func(t *testing.T) {
		rows := []*plan.Row{
			{Start: 1, Rank: 1, Opened: 1, Number: 1, Hash: hash(2)},
			{Start: 2, Rank: 2, Opened: 2, Number: 2, Hash: hash(6)},
			{Start: 3, Rank: 3, Opened: 3, Number: 3, Hash: hash(4)},
		}
		spans, err := plan.LinkSpans(rows, linksOf)
		want := []plan.LinkSpan{
			{Link: history.Link{Term: "1"}, From: 1, To: history.Newest, Opened: 1, Closed: 3},
			{Link: history.Link{Term: "1"}, From: 1, To: 3, Opened: 3},
			{Link: history.Link{Term: "2"}, From: 2, To: history.Newest, Opened: 2},
		}
		if fmt.Sprint(spans) != fmt.Sprint(want) || err != nil {
			t.Errorf("spans are\n%+v, want\n%+v (%v)", spans, want, err)
		}
	})
}
