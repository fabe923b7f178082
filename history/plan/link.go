package plan

import (
	"cmp"
	"slices"

	"github.com/varvehq/varve/history"
)

// LinkSpan says that a resource bore a link over a span of captured time, as it
// was known from the revision Opened on, until Closed (zero: still).
type LinkSpan struct {
	history.Link
	From, To       history.Moment
	Opened, Closed history.Revision
}

// Visible reports whether the span was known at a revision.
func (s *LinkSpan) Visible(known history.Revision) bool {
	return s.Opened <= known && (s.Closed == 0 || s.Closed > known)
}

// Compare orders by link, captured time and revision.
func (s LinkSpan) Compare(o LinkSpan) int {
	return cmp.Or(s.Link.Compare(o.Link), cmp.Compare(s.From, o.From), cmp.Compare(s.Opened, o.Opened), cmp.Compare(s.To, o.To))
}

// LinkSpans are the spans of a resource's links at every revision, in order.
// Adjacent versions with one link make one span. links tells the links of a row,
// in order and each once; those of a deletion are not asked for.
func LinkSpans(rows []*Row, links func(*Row) ([]history.Link, error)) ([]LinkSpan, error) {
	l := linking{rows: rows, sets: make([][]history.Link, len(rows)), current: map[history.Link][]LinkSpan{}}
	for i, r := range rows {
		if r.Deleted {
			continue
		}
		var err error
		if l.sets[i], err = links(r); err != nil {
			return nil, err
		}
	}
	for _, e := range l.steps() {
		l.step(e)
	}
	for _, list := range l.current {
		l.done = append(l.done, list...)
	}
	slices.SortFunc(l.done, LinkSpan.Compare)
	return l.done, nil
}

// linking goes through the revisions of a resource.
type linking struct {
	rows    []*Row
	sets    [][]history.Link
	visible []int                       // indices of rows, in order
	current map[history.Link][]LinkSpan // those known at the revision, in captured time
	done    []LinkSpan                  // closed
}

// linkStep is a revision that opens or closes rows.
type linkStep struct {
	at     history.Revision
	opened []int
	closed []int
}

func (l *linking) steps() []linkStep {
	steps := map[history.Revision]*linkStep{}
	at := func(rev history.Revision) *linkStep {
		if steps[rev] == nil {
			steps[rev] = &linkStep{at: rev}
		}
		return steps[rev]
	}
	for i, r := range l.rows {
		if r.Closed == r.Opened {
			continue // seen by nobody
		}
		s := at(r.Opened)
		s.opened = append(s.opened, i)
		if r.Closed != 0 {
			s = at(r.Closed)
			s.closed = append(s.closed, i)
		}
	}
	list := make([]linkStep, 0, len(steps))
	for _, s := range steps {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b linkStep) int { return cmp.Compare(a.at, b.at) })
	return list
}

// step carries one revision out. A row that comes or goes changes where the row
// before it ends, and nothing else of the others.
func (l *linking) step(s linkStep) {
	for _, i := range s.closed {
		if at, ok := slices.BinarySearch(l.visible, i); ok {
			l.visible = slices.Delete(l.visible, at, at+1)
		}
	}
	for _, i := range s.opened {
		at, _ := slices.BinarySearch(l.visible, i)
		l.visible = slices.Insert(l.visible, at, i)
	}
	if len(s.closed) == 0 && len(s.opened) == 1 {
		i := s.opened[0]
		if before := l.before(i); before >= 0 && slices.Equal(l.sets[before], l.sets[i]) {
			return // it goes on with the same links
		}
	}
	touched := map[history.Link]bool{}
	touch := func(i int) {
		if i >= 0 {
			for _, link := range l.sets[i] {
				touched[link] = true
			}
		}
	}
	for _, list := range [][]int{s.closed, s.opened} {
		for _, i := range list {
			touch(i)
			touch(l.before(i))
		}
	}
	for link := range touched {
		l.update(link, s.at)
	}
}

// before is the visible row before one; -1 if there is none.
func (l *linking) before(i int) int {
	at, _ := slices.BinarySearch(l.visible, i)
	if at == 0 {
		return -1
	}
	return l.visible[at-1]
}

// update closes the spans of a link that a revision has made untrue, and opens
// others.
func (l *linking) update(link history.Link, at history.Revision) {
	is := l.runs(link)
	var kept []LinkSpan
	for _, old := range l.current[link] {
		n := slices.IndexFunc(is, func(s LinkSpan) bool { return s.From == old.From && s.To == old.To })
		if n >= 0 {
			is[n].Opened = old.Opened
			kept = append(kept, old)
			continue
		}
		old.Closed = at
		l.done = append(l.done, old)
	}
	for _, s := range is {
		if s.Opened == 0 {
			s.Opened = at
			kept = append(kept, s)
		}
	}
	if len(kept) == 0 {
		delete(l.current, link)
		return
	}
	l.current[link] = kept
}

// runs are the spans of a link among the visible rows.
func (l *linking) runs(link history.Link) []LinkSpan {
	var list []LinkSpan
	for n, i := range l.visible {
		from, to := l.rows[i].Start, history.Newest
		if n+1 < len(l.visible) {
			to = l.rows[l.visible[n+1]].Start
		}
		if from == to {
			continue
		}
		if _, ok := slices.BinarySearchFunc(l.sets[i], link, history.Link.Compare); !ok {
			continue
		}
		if last := len(list) - 1; last >= 0 && list[last].To == from {
			list[last].To = to
			continue
		}
		list = append(list, LinkSpan{Link: link, From: from, To: to})
	}
	return list
}

// Linked are the spans that a reader sees of a resource of some type, cut at the
// floor below which nothing is kept: those that contain a moment or, with ever,
// all.
func (s *LinkSpan) Linked(k history.Key, at history.At, ever bool, floor history.Moment) (history.Linked, bool) {
	if !s.Visible(at.Known) || s.To <= floor || !ever && (s.From > at.Captured || s.To <= at.Captured && s.To != history.Newest) {
		return history.Linked{}, false
	}
	return history.Linked{Link: s.Link, Key: k, From: max(s.From, floor), To: s.To}, true
}
