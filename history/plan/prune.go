package plan

import (
	"cmp"
	"slices"

	"github.com/varvehq/varve/history"
)

// Fate is what pruning does to a row.
type Fate uint8

// A row that answers need stays. One that only others need, as evidence or for
// what came before them, is kept bare, without content and origin. All other
// rows are dropped.
const (
	Drops Fate = iota
	Bares
	Stays
)

// Pruning is what a floor leaves of a timeline.
type Pruning struct {
	Goes      bool // deleted at the floor, and nothing known after it: all of it goes
	Rows      []Fate
	Sightings []bool // kept
}

// Prune tells what has to stay of a timeline, so that every question at a
// captured moment from floor on, known at a revision from known on, is answered
// as before, and every capture from floor on planned as before. Nothing below
// the floor may be recorded any more.
//
// At each of those revisions, the row that stands just before the floor and all
// that begin at it or later stay. (A row that begins at the very floor hides the
// one before it. Yet it may be a derived deletion, which a capture at that
// moment takes away.) The row before those is kept bare: whether it was alive
// decides about a status, and a missed run may part it from the floor. Of the
// evidence below the floor stays what was the newest at one of the revisions.
func (t *Timeline) Prune(floor history.Moment, known history.Revision) Pruning {
	p := Pruning{Rows: make([]Fate, len(t.Rows)), Sightings: make([]bool, len(t.Sightings))}
	below := t.startingBefore(floor)
	for i := range p.Rows[below:] {
		p.Rows[below+i] = Stays
	}
	for _, k := range revisions(t.Rows[:below], known) {
		fate := Stays
		for i := below - 1; i >= 0 && fate != Drops; i-- {
			if t.Rows[i].Visible(k) {
				p.Rows[i] = max(p.Rows[i], fate)
				fate--
			}
		}
	}

	newest := t.newestBelow(floor, known)
	for i, r := range t.Rows[:below] {
		if !r.Derived && slices.Contains(newest, Sighting{r.Start, r.Rank}) {
			p.Rows[i] = max(p.Rows[i], Bares)
		}
	}
	for i, s := range t.Sightings {
		p.Sightings[i] = s.At >= floor || slices.Contains(newest, s)
	}
	p.Goes = t.goes(floor, known)
	return p
}

// startingBefore counts the rows that begin before a moment.
func (t *Timeline) startingBefore(m history.Moment) int {
	i, _ := slices.BinarySearchFunc(t.Rows, m, func(r *Row, m history.Moment) int { return cmp.Compare(r.Start, m) })
	return i
}

// revisions lists those, from one on, at which what is visible of the rows
// changes.
func revisions(rows []*Row, from history.Revision) []history.Revision {
	list := []history.Revision{from}
	for _, r := range rows {
		for _, at := range [...]history.Revision{r.Opened, r.Closed} {
			if at > from {
				list = append(list, at)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// newestBelow lists the evidence that is, of all below the floor, the newest at
// some revision.
func (t *Timeline) newestBelow(floor history.Moment, known history.Revision) []Sighting {
	var all []Sighting
	for _, r := range t.Rows[:t.startingBefore(floor)] {
		if !r.Derived {
			all = append(all, Sighting{r.Start, r.Rank})
		}
	}
	for _, s := range t.Sightings {
		if s.At < floor {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Sighting) int { return b.Compare(a) })
	newest := all[:0]
	for _, s := range all {
		if n := len(newest); n == 0 || s.Rev < newest[n-1].Rev {
			newest = append(newest, s)
		}
		if s.Rev <= known {
			break // at every revision asked about there is newer evidence than what follows
		}
	}
	return newest
}

// goes reports whether the resource is deleted at the floor, at every revision,
// and nothing is known of it after the floor.
func (t *Timeline) goes(floor history.Moment, known history.Revision) bool {
	if slices.ContainsFunc(t.Sightings, func(s Sighting) bool { return s.At > floor }) {
		return false
	}
	until := t.startingBefore(floor + 1)
	for _, r := range t.Rows[until:] {
		if !r.Derived || r.Closed == 0 || r.Closed > known {
			return false
		}
	}
	for _, k := range revisions(t.Rows[:until], known) {
		for _, r := range slices.Backward(t.Rows[:until]) {
			if r.Visible(k) {
				if !r.Deleted {
					return false
				}
				break
			}
		}
	}
	return true
}

// Repeats reports whether a piece of evidence says what one before it said of
// the same moment. A run's set holds such evidence, which no observation outside
// of runs would have left.
func (t *Timeline) Repeats(s Sighting) bool {
	row := t.point(s).Row
	before := func(e Sighting) bool { return e.At == s.At && e.Rev < s.Rev && t.point(e).Row == row }
	return slices.ContainsFunc(t.Sightings, before) || slices.ContainsFunc(t.Rows, func(r *Row) bool {
		return !r.Derived && before(Sighting{r.Start, r.Rank})
	})
}

// Above drops the places that end at a floor or before it: what they show is
// not kept.
func Above(places []Place, floor history.Moment) []Place {
	for len(places) > 0 && places[0].Until() <= floor {
		places = places[1:]
	}
	return places
}

// Foldable lists, by index, the sightings that folding drops: of those that lie
// in one open row and are among the given ones, all but the first and the last.
// Among the given ones must be none that holds a deletion off.
func (t *Timeline) Foldable(among func(Sighting) bool) []int {
	groups := map[*Row][]int{}
	for i, s := range t.Sightings {
		if among(s) {
			row := t.point(s).Row
			groups[row] = append(groups[row], i)
		}
	}
	var drop []int
	for _, g := range groups {
		slices.SortFunc(g, func(a, b int) int { return t.Sightings[a].Compare(t.Sightings[b]) })
		if len(g) > 2 {
			drop = append(drop, g[1:len(g)-1]...)
		}
	}
	slices.Sort(drop)
	return drop
}
