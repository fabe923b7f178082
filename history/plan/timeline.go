package plan

import (
	"cmp"
	"slices"

	"github.com/varvehq/varve/history"
)

// Sighting is evidence without a body: at At the resource was in the state of
// the version that the moment lies in.
type Sighting struct {
	At  history.Moment
	Rev history.Revision
}

// Timeline is all that is known of one resource, contents aside.
type Timeline struct {
	Rows      []*Row     // open and closed, in order
	Sightings []Sighting // in any order
	Last      uint32     // highest version number given, where no row tells: it may have been pruned
}

// Insert adds a row at its place.
func (t *Timeline) Insert(r *Row) {
	i, _ := slices.BinarySearchFunc(t.Rows, r, (*Row).Compare)
	t.Rows = slices.Insert(t.Rows, i, r)
}

// CloseRow closes the open row of a number.
func (t *Timeline) CloseRow(number uint32, at history.Revision) {
	for _, r := range t.Rows {
		if r.Number == number {
			r.Closed = at
		}
	}
}

// Apply carries an outcome into the timeline.
func (t *Timeline) Apply(out *Outcome, at Sighting) {
	for _, n := range out.Close {
		t.CloseRow(n, at.Rev)
	}
	for i := range out.Open {
		row := out.Open[i].Row
		t.Insert(&row)
	}
	if out.Sighting {
		t.Sightings = append(t.Sightings, at)
	}
}

// Gone tells the moments, ascending, of completed runs that missed the
// resource, strictly between two moments. Runs below the floor may be left out:
// what they deleted is among the rows.
type Gone func(after, before history.Moment) []history.Moment

// Window is what the planner needs to know around a captured moment.
func (t *Timeline) Window(at history.Moment, gone Gone) Window {
	var (
		w     = Window{Last: t.Last}
		here  []Sighting
		prior Sighting
		later = Sighting{At: history.Newest}
	)
	see := func(p Sighting) {
		w.Seen = max(w.Seen, p.At)
		switch {
		case p.At < at:
			if prior.Compare(p) < 0 {
				prior = p
			}
		case p.At == at:
			here = append(here, p)
		case p.Compare(later) < 0:
			later = p
		}
	}
	for _, r := range t.Rows {
		w.Last = max(w.Last, r.Number)
		if r.Closed == 0 {
			w.Newest = r
		}
		if !r.Derived {
			see(Sighting{r.Start, r.Rank})
		} else if r.Closed == 0 {
			w.Seen = max(w.Seen, r.Start)
		}
	}
	for _, p := range t.Sightings {
		see(p)
	}

	if prior.At != 0 {
		w.Before = t.point(prior)
	}
	slices.SortFunc(here, Sighting.Compare)
	for _, p := range slices.Compact(here) {
		w.At = append(w.At, *t.point(p))
	}
	if later.At != history.Newest {
		w.After = t.point(later)
	}
	if gone != nil {
		w.Gone = gone(prior.At, later.At)
	}
	for _, r := range t.Rows {
		if r.Derived && r.Closed == 0 && r.Start > prior.At && r.Start < later.At {
			w.Derived, w.Gone = append(w.Derived, r), append(w.Gone, r.Start)
		}
	}
	slices.Sort(w.Gone)
	w.Gone = slices.Compact(w.Gone)
	return w
}

// point finds the open row that a piece of evidence lies in.
func (t *Timeline) point(p Sighting) *Point {
	var in *Row
	for _, r := range t.Rows {
		if r.Start > p.At || (r.Start == p.At && r.Rank > p.Rev) {
			break
		}
		if r.Closed == 0 {
			in = r
		}
	}
	return &Point{At: p.At, Rev: p.Rev, Row: in}
}

// Compare orders evidence by captured time, then revision.
func (p Sighting) Compare(o Sighting) int {
	return cmp.Or(cmp.Compare(p.At, o.At), cmp.Compare(p.Rev, o.Rev))
}

// Place is where a moment lies among the visible rows.
type Place struct {
	Row    *Row // the version at the moment; nil: none
	Before *Row // the version before it in captured time
	After  *Row // the version after it

	at, end int // where Row and After stand among the rows
}

// Locate finds a moment among rows in order, as seen from a revision.
func Locate(rows []*Row, at history.Moment, known history.Revision) Place {
	p := Place{end: len(rows)}
	for i, r := range rows {
		if !r.Visible(known) {
			continue
		}
		if r.Start > at {
			p.After, p.end = r, i
			break
		}
		p.Before, p.Row, p.at = p.Row, r, i
	}
	return p
}

// Alive reports whether a live version precedes the place's row.
func (p *Place) Alive() bool { return p.Before != nil && !p.Before.Deleted }

// Until is when the place's row ends.
func (p *Place) Until() history.Moment {
	if p.After == nil {
		return history.Newest
	}
	return p.After.Start
}

// Holds reports whether a piece of evidence belongs to the place's row as seen
// from a revision.
func (p *Place) Holds(s Sighting, known history.Revision) bool {
	return s.Rev <= known &&
		s.Compare(Sighting{p.Row.Start, p.Row.Rank}) >= 0 &&
		(p.After == nil || s.Compare(Sighting{p.After.Start, p.After.Rank}) < 0)
}

// LastSeen is the newest evidence of the row of one of the timeline's places, as
// seen from a revision.
func (t *Timeline) LastSeen(p *Place, known history.Revision) history.Moment {
	last := p.Row.Start
	for _, r := range t.Rows[p.at+1 : p.end] { // none of them is to be seen
		if s := (Sighting{r.Start, r.Rank}); !r.Derived && s.At > last && p.Holds(s, known) {
			last = s.At
		}
	}
	for _, s := range t.Sightings {
		if s.At > last && p.Holds(s, known) {
			last = s.At
		}
	}
	return last
}
