package historytest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/varvehq/varve/history"
)

// The terms that model states bear and refer to: some begin others, some go on
// where others end, some are long, and bytes of every kind stand in them.
var (
	longTerm   = strings.Repeat("long", 512)
	modelTerms = []string{"a", "ab", "a\x00", "a\x00b", "a\x01", "a\xff", "a\xff\xff", "\xff", "\xff\xff", longTerm, longTerm + "er", "hub"}
)

// modelLinks are the links in the states of letters.
var modelLinks = map[string]linking{
	"A": {
		Bears: []string{"a", "ab", longTerm}, Refers: [][2]string{{"hub", "x"}, {"a\x00b", ""}, {"a", "to itself"}},
		Second: &linking{Refers: [][2]string{{"hub", "z"}}},
	},
	"B": {
		Bears: []string{"a\x01", "\xff"}, Refers: [][2]string{{"hub", "x"}, {"hub", "y\x00"}, {"ab", ""}, {longTerm, strings.Repeat("detail", 20)}},
	},
	"C": {
		Bears: []string{"a", "a\xff\xff"}, Refers: [][2]string{{"hub", "y"}, {"\xff\xff", "\xff"}, {"\xff", ""}},
		Second: &linking{Bears: []string{"ab"}, Refers: [][2]string{{"hub", "z"}}},
	},
	"D": {Bears: []string{"hub", "a\x00"}, Refers: [][2]string{{longTerm + "er", ""}, {"a\xff", "x"}}},
}

// modelLinker is the linker of a name, which reads what it has read before, of the
// few states of a model, from memory.
func modelLinker(name string) history.Linker {
	return &remembering{Linker: Linker(name), links: map[string][]history.Link{}}
}

type remembering struct {
	history.Linker
	mu    sync.Mutex
	links map[string][]history.Link // by key and state
}

func (m *remembering) Links(k history.Key, s *history.State) []history.Link {
	in := string(s.AppendContent([]byte(strings.Join([]string{k.Account, k.Region, k.Type, k.ID, ""}, "\x00"))))
	m.mu.Lock()
	defer m.mu.Unlock()
	links, ok := m.links[in]
	if !ok {
		links = m.Linker.Links(k, s)
		m.links[in] = links
	}
	return slices.Clone(links)
}

// compareLinks asks for links at random: whole, twice, and in pages.
func (a *actor) compareLinks(s source) { a.compareLinksAt(a.at(s), a.makeLinkQuery(s), s.below(5)) }

func (a *actor) makeLinkQuery(s source) history.LinkQuery {
	q := history.LinkQuery{Ever: s.below(2) == 0}
	switch s.below(4) {
	case 0:
		q.Bears = true
	case 1:
		q.Refers = true
	case 2:
		q.Bears, q.Refers = true, true
	}
	switch s.below(3) {
	case 0:
		for range 1 + s.below(4) {
			q.Terms = append(q.Terms, pick(s, modelTerms))
		}
		q.Terms = append(q.Terms, "nobody's")
		q.Prefix = "ignored"
	case 1:
		q.Prefix = pick(s, modelTerms)
		q.Prefix = q.Prefix[:len(q.Prefix)-s.below(2)]
	}
	if s.below(4) == 0 {
		q.After = pick(s, modelTerms)
	}
	return q
}

// compareLinksAt compares the answer to a query, and its pages of a size.
func (a *actor) compareLinksAt(at history.At, q history.LinkQuery, limit int) {
	r := a.reader(at)
	if r == nil {
		return
	}
	what := fmt.Sprintf("links %.200q at %+v", fmt.Sprintf("%+v", q), at)
	got, more, err := r.Links(ctx, q)
	if a.o.refuses(at, modelTypes...) {
		sameError(what+" below a floor", err, history.Compacted)
		return
	}
	check(err)
	if at.Known == 0 {
		return // an empty store answers as known now
	}
	all := a.o.links(at, q)
	want, _ := pageOf(all, q.After, 0)
	if more || !sameLinks(got, want) {
		fail("%s: more %t (-want +got):\n%s", what, more, difference(want, got))
	}
	again, _, err := r.Links(ctx, q)
	check(err)
	if !slices.Equal(got, again) {
		fail("%s: the same call gives another order (-first +second):\n%s", what, difference(got, again))
	}

	for q.Limit = limit; limit > 0; {
		page, more, err := r.Links(ctx, q)
		check(err)
		want, wantMore := pageOf(all, q.After, limit)
		if more != wantMore || !sameLinks(page, want) {
			fail("%s: page of %d after %.50q: more %t, want %t (-want +got):\n%s", what, limit, q.After, more, wantMore, difference(want, page))
		}
		if len(page) > len(got) || !slices.Equal(page, got[:len(page)]) {
			fail("%s: page of %d after %.50q is in another order (-whole +page):\n%s", what, limit, q.After, difference(got, page))
		}
		if got = got[len(page):]; !more {
			break
		}
		q.After = page[len(page)-1].Term
	}
}
