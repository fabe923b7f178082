package bolt

import (
	"errors"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// What the writer knows of a resource: its head, its timeline, and from these the window that a capture falls into.

// head finds the head of a resource, with the evidence of runs counted in.
func (w *writer) head(v *view, r rid, fresh bool) (*head, error) {
	if h, ok := w.heads.Get(r); ok {
		w.s.counters.headHits.Add(1)
		return h, nil
	}
	w.s.counters.headMisses.Add(1)
	h := &head{}
	if t := w.timelines[r]; t != nil {
		window := t.Window(history.Newest, nil)
		*h = headOf(&window)
	} else if !fresh {
		rec, err := v.recent(r)
		if err != nil {
			return nil, err
		}
		if len(rec.rows)+len(rec.closes) == 0 {
			if *h, err = v.head(r); err != nil {
				return nil, err
			}
			if h.last == 0 {
				return nil, damaged(bucketHeads, ridKey(r)) // it is missing
			}
			merged, err := v.sightings(r)
			if err != nil {
				return nil, err
			}
			h.seen = max(h.seen, merged.last.At)
			for _, s := range rec.sightings {
				h.seen = max(h.seen, s.At)
			}
		} else {
			l, err := v.loadAll(r)
			if err != nil {
				return nil, err
			}
			window := l.Window(history.Newest, nil)
			*h = headOf(&window)
		}
		err = v.evidenceOfRuns(r, h.seen, history.Newest, func(s plan.Sighting) history.Moment {
			h.seen = max(h.seen, s.At)
			return h.seen
		})
		if err != nil {
			return nil, err
		}
	}
	w.heads.Put(r, h, 0)
	return h, nil
}

// window is what the planner needs; it holds until the head is brought in step
// with what comes of it. A capture newer than all evidence, and than
// every completed run, needs the head alone.
func (w *writer) window(v *view, r rid, k history.Key, h *head, at history.Moment) (plan.Window, error) {
	if at > h.seen && !h.newest.Derived && at >= w.completedTo {
		window := plan.Window{Last: h.last, Seen: h.seen}
		if h.newest.Number != 0 {
			w.point = plan.Point{At: h.seen, Row: &h.newest}
			window.Newest, window.Before = &h.newest, &w.point
		}
		return window, nil
	}
	t, err := w.timeline(v, r)
	if err != nil {
		return plan.Window{}, err
	}
	window := t.Window(at, w.gone(v, k, r, &err))
	return window, errors.Join(err, borneOut(&window, r))
}

// borneOut checks that each point of a window has its row: evidence without one
// means that a segment cannot be found, and nothing may be planned on that.
func borneOut(w *plan.Window, r rid) error {
	lost := func(p *plan.Point) bool { return p != nil && p.Row == nil }
	if lost(w.Before) || lost(w.After) || slices.ContainsFunc(w.At, func(p plan.Point) bool { return p.Row == nil }) {
		return damaged(bucketSegments, ridKey(r))
	}
	return nil
}

// timeline finds a resource's timeline, with the evidence of runs.
func (w *writer) timeline(v *view, r rid) (*plan.Timeline, error) {
	if t := w.timelines[r]; t != nil {
		return t, nil
	}
	l, err := v.loadAll(r)
	if err != nil {
		return nil, err
	}
	t := &plan.Timeline{Rows: make([]*plan.Row, len(l.Rows)), Sightings: l.Sightings, Last: l.Last}
	for i, r := range l.Rows {
		row := *r // bodies are part of the transaction's memory, and are let go
		t.Rows[i] = &row
	}
	err = v.evidenceOfRuns(r, 0, history.Newest, func(s plan.Sighting) history.Moment {
		t.Sightings = append(t.Sightings, s)
		return 0
	})
	if err != nil {
		return nil, err
	}
	w.timelines[r] = t
	w.rows += len(t.Rows) + len(t.Sightings)
	return t, nil
}
