package graph

import (
	"context"
	"slices"

	"github.com/varvehq/varve/history"
)

// Around are the resources on one side of another, with what it takes to know
// when they are others.
type Around struct {
	Keys   []history.Key  // sorted, each once
	Places []string       // see Touched
	Until  history.Moment // as known to the reader they may be others from then on; Newest: never
}

// A spot is one side of a term, told as a place: b, the live resources that bear it; f, those that
// refer to it as something they use; u, those that refer to it as their user.
type spot struct {
	side byte
	term Term
}

func (p spot) String() string { return string(p.side) + string(p.term) }

// Around tells what a resource uses (Outgoing) or what uses it (Incoming), by
// whichever relationships. What it says of itself is taken as it stands: who
// follows it asks again when the resource changes. Of what does not live there is
// nothing around.
func (g *Graph) Around(ctx context.Context, k history.Key, d Direction) (Around, error) {
	a := Around{Until: history.Newest}
	s := g.session(ctx)
	if err := s.read([]history.Key{k}); err != nil {
		return a, err
	}
	c := s.claims[k]
	if c == nil {
		return a, nil
	}
	relationships, err := s.around([]history.Key{k}, d)
	if err != nil {
		return a, err
	}
	for i := range relationships {
		r := &relationships[i]
		switch {
		case r.From == k && r.To != k && d != Incoming:
			a.Keys = append(a.Keys, r.To)
		case r.To == k && r.From != k && d != Outgoing:
			a.Keys = append(a.Keys, r.From)
		}
	}
	a.Keys = distinct(a.Keys)

	places := spotsAround(k, c, d)
	for _, p := range places {
		a.Places = append(a.Places, p.String())
	}
	a.Until, err = s.until(places)
	return a, err
}

// spotsAround are the places that decide who is on one side of a resource: of
// those that it names the bearers, of those that name it who does. Others that
// bear its terms decide as well on whether it is meant.
func spotsAround(k history.Key, c *Claims, d Direction) []spot {
	var list []spot
	for i := range c.References {
		r := &c.References[i]
		if d == Both || r.Inverse == (d == Incoming) {
			list = append(list, spot{'b', r.Term})
		}
	}
	for _, t := range termsOf(k, c) {
		list = append(list, spot{'b', t})
		if d != Outgoing {
			list = append(list, spot{'f', t})
		}
		if d != Incoming {
			list = append(list, spot{'u', t})
		}
	}
	return distinctSpots(list)
}

func distinctSpots(list []spot) []spot {
	slices.SortFunc(list, func(a, b spot) int {
		if a.term != b.term {
			if a.term < b.term {
				return -1
			}
			return 1
		}
		return int(a.side) - int(b.side)
	})
	return slices.Compact(list)
}

// termsOf are all terms that a live resource bears.
func termsOf(k history.Key, c *Claims) []Term {
	return append(append([]Term{IDTerm(k.Type, k.ID)}, keyTerms(k)...), c.Bears...)
}

// until is the first moment after the reader's at which one of the places may be
// another.
func (s *session) until(places []spot) (history.Moment, error) {
	at, until := s.reader.At().Captured, history.Newest
	bound := func(m history.Moment) {
		if m > at {
			until = min(until, m)
		}
	}
	for _, bears := range []bool{true, false} {
		var terms []string
		for _, p := range places {
			if t := string(p.term); (p.side == 'b') == bears && (len(terms) == 0 || terms[len(terms)-1] != t) {
				terms = append(terms, t)
			}
		}
		if len(terms) == 0 {
			continue
		}
		list, _, err := s.reader.Links(s.ctx, history.LinkQuery{Terms: terms, Bears: bears, Refers: !bears, Ever: true})
		if err != nil {
			return 0, err
		}
		var read references
		for i := range list {
			l := &list[i]
			if l.To <= at || l.From >= until {
				continue
			}
			if !bears {
				wanted, err := s.names(l, places, &read)
				if err != nil {
					return 0, err
				}
				if !wanted {
					continue
				}
			}
			bound(l.From)
			bound(l.To)
		}
	}
	for _, p := range places {
		if typ, id, ok := p.term.resource(); ok && p.side == 'b' {
			m, err := s.untilOthers(typ, id)
			if err != nil {
				return 0, err
			}
			bound(m)
		}
	}
	return until, nil
}

// names reports whether a link refers to its term in a way that is among places.
func (s *session) names(l *history.Linked, places []spot, read *references) (bool, error) {
	refs, err := read.of(&l.Link)
	if err != nil {
		return false, err
	}
	for i := range refs {
		side := byte('f')
		if refs[i].Inverse {
			side = 'u'
		}
		if slices.Contains(places, spot{side, Term(l.Term)}) {
			return true, nil
		}
	}
	return false, nil
}

// untilOthers is when a resource of a type and id may begin or cease to be.
func (s *session) untilOthers(typ, id string) (history.Moment, error) {
	until := history.Newest
	keys, err := s.reader.Find(s.ctx, typ, id)
	if err != nil {
		return 0, err
	}
	items, err := s.reader.Get(s.ctx, keys, history.FieldsKey)
	if err != nil {
		return 0, err
	}
	for i := range items {
		if items[i].Version != 0 {
			until = min(until, items[i].Until)
			continue
		}
		later, _, err := s.reader.History(s.ctx, items[i].Key, history.HistoryQuery{From: s.reader.At().Captured + 1, Fields: history.FieldsKey})
		if err != nil {
			return 0, err
		}
		if n := len(later); n > 0 {
			until = min(until, later[n-1].CapturedAt)
		}
	}
	return until, nil
}

// Touched are the places that are others because a resource is in one state and
// not in another (nil: it is not there): whoever was told of one of them by Around
// has to ask again. Places are texts without a meaning outside this package.
func Touched(k history.Key, before, after *history.State) []string {
	none := &history.State{Deleted: true}
	if before == nil {
		before = none
	}
	if after == nil {
		after = none
	}
	var sides [2]Claims
	var terms [2][]Term
	for i, s := range [2]*history.State{before, after} {
		if !s.Deleted {
			sides[i] = Extract(k, s)
			terms[i] = termsOf(k, &sides[i])
		}
	}
	relabelled := !slices.Equal(sides[0].Labels, sides[1].Labels)
	var list []spot
	for i := range sides {
		other := 1 - i
		for _, t := range terms[i] {
			if t.selects() && relabelled || !slices.Contains(terms[other], t) {
				list = append(list, spot{'b', t})
			}
		}
		for j := range sides[i].References {
			r := &sides[i].References[j]
			if slices.ContainsFunc(sides[other].References, func(o Reference) bool { return r.Same(&o) }) {
				continue
			}
			side := byte('f')
			if r.Inverse {
				side = 'u'
			}
			list = append(list, spot{side, r.Term})
		}
	}
	var places []string
	for _, p := range distinctSpots(list) {
		places = append(places, p.String())
	}
	return places
}
