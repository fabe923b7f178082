// Package plan holds every rule of what an observation does to a resource's
// history. It is pure: a backend hands in a [Window], what it knows around one
// captured moment, and applies the [Outcome]. See package history for the model.
//
// The whole of it is one idea. The evidence between the last point before the
// moment and the first point after it is folded twice in the mind: as it stood,
// and with the newcomer. Where a run of equal state begins in one fold and not
// in the other, a row is opened or closed.
package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/varvehq/varve/history"
)

// Row is a version as backends keep it, without its content.
type Row struct {
	Number     uint32
	Start      history.Moment   // captured: when the version begins
	Rank       history.Revision // revision of the evidence it begins with: orders rows of one moment
	Opened     history.Revision
	Closed     history.Revision // zero: open
	RecordedAt history.Moment   // of Opened
	Hash       history.Hash
	Deleted    bool
	Derived    bool // a deletion that follows from a completed run, not from an observation
	Status     history.Status
	Erased     bool // its content was erased, or is lost
	Lost       bool // with Erased: to damage; where nothing tells it, Hash and RecordedAt are zero and Status is empty
	Bare       bool // it was pruned but for what others need of it: no reader is shown it
}

// Visible reports whether a reader bound to a revision sees the row.
func (r *Row) Visible(known history.Revision) bool {
	return r.Opened <= known && (r.Closed == 0 || r.Closed > known)
}

// Compare orders rows by captured time, rank and revision: history's order.
func (r *Row) Compare(o *Row) int {
	return cmp.Or(cmp.Compare(r.Start, o.Start), cmp.Compare(r.Rank, o.Rank), cmp.Compare(r.Opened, o.Opened))
}

// Point is one piece of evidence and the open row that it lies in.
type Point struct {
	At  history.Moment
	Rev history.Revision
	Row *Row
}

// starts reports whether the point's row begins with it. A derived deletion
// begins with the bare deletion that was observed at its very moment later on.
func (p *Point) starts() bool {
	return p.Row.Start == p.At && (p.Row.Rank == p.Rev || p.Row.Derived)
}

// Window is what a backend knows of a resource around a captured moment t. The
// zero Window is that of an unknown resource.
type Window struct {
	Last   uint32         // highest version number given so far
	Newest *Row           // the open row that is last in captured time; nil: none
	Seen   history.Moment // newest evidence, derived deletions included; zero: none

	Before *Point  // the last evidence before t
	At     []Point // the evidence at exactly t, by revision
	After  *Point  // the first evidence after t

	Derived []*Row           // open derived rows strictly between Before and After
	Gone    []history.Moment // moments of completed runs which missed the resource, strictly between Before and After, ascending; those of Derived among them
}

// Evidence is an observation as the planner sees it.
type Evidence struct {
	At      history.Moment
	Hash    history.Hash
	Deleted bool
	Status  history.Status
	Expect  *uint32
}

// Stamp is the revision under which an outcome is recorded.
type Stamp struct {
	Revision   history.Revision
	RecordedAt history.Moment
}

// Source says where the content of a new row comes from.
type Source uint8

// FromObservation is the observation's own content and origin. FromRow is the
// content of the row numbered NewRow.Like, or where that was erased of any row of
// the same hash, with the origin of the evidence at the new row's (Start, Rank);
// where all of them were erased the new row is erased as well. FromAbsence is a
// bare deletion, without origin.
const (
	FromObservation Source = iota
	FromRow
	FromAbsence
)

// NewRow is a row to add.
type NewRow struct {
	Row
	Source Source
	Like   uint32
}

// Change is an entry for the feed.
type Change struct {
	Kind    history.ChangeKind
	Late    bool
	Version uint32
	Start   history.Moment
}

// Outcome is what a backend has to do, all of it or nothing.
type Outcome struct {
	Version  uint32 // the version the observation made, or witnesses
	Start    history.Moment
	Sighting bool     // keep (t, revision) as a sighting
	Close    []uint32 // numbers of open rows that close with the stamp's revision
	Open     []NewRow // rows to add, numbered in order of captured time
	Changes  []Change // the observation's own first; empty: unchanged
}

// Absence is the state that a derived deletion stands for.
var Absence = history.State{Deleted: true}

// AbsenceHash is the hash of Absence.
var AbsenceHash = history.HashContent(Absence.AppendContent(nil))

// Observe plans what an observation does. The error is a Conflict when Expect
// does not match.
func Observe(w Window, e Evidence, s Stamp) (Outcome, error) {
	if e.Expect != nil && *e.Expect != w.newest() {
		return Outcome{}, &history.Error{
			Kind: history.Conflict, Field: "expectVersion", Value: fmt.Sprint(*e.Expect),
			Text: fmt.Sprintf("the newest version is %d; read it and decide again", w.newest()),
			Meta: map[string]string{"newest_version": fmt.Sprint(w.newest())},
		}
	}
	for _, p := range w.At {
		if p.Row.Hash == e.Hash {
			return Outcome{Version: p.Row.Number, Start: p.Row.Start}, nil
		}
	}
	for _, d := range w.Derived {
		if d.Start == e.At && d.Hash == e.Hash {
			return Outcome{Version: d.Number, Start: d.Start, Sighting: true}, nil
		}
	}
	f := w.fold(&e)
	return f.outcome(s), nil
}

// Miss plans what a completed run does to a resource it missed: its moment must
// be in w.Gone, and w is the window around it. Without changes there is nothing
// to do: the resource was not alive just before, or was captured at the moment.
func Miss(w Window, s Stamp) Outcome {
	if len(w.At) > 0 {
		return Outcome{}
	}
	f := w.fold(nil)
	return f.outcome(s)
}

func (w *Window) newest() uint32 {
	if w.Newest == nil {
		return 0
	}
	return w.Newest.Number
}

func (w *Window) derivedAt(m history.Moment) *Row {
	for _, d := range w.Derived {
		if d.Start == m {
			return d
		}
	}
	return nil
}

// start is the beginning of a run in the fold: of the observation (own), of
// evidence that was there (point), or of absence (neither).
type start struct {
	at    history.Moment
	own   bool
	joins *Row // with own: the row which the observation carries on
	point *Point
}

// folding is the walk over the window's evidence with the newcomer in place.
type folding struct {
	w      *Window
	own    *Evidence
	starts []start

	aliveThen bool // a live state stood just before the observation
	carrier   *Row // the row of that state, in whose run the observation lies when none begins with it
}

// fold walks Before, At, the observation, After, and collects where runs begin.
func (w *Window) fold(e *Evidence) *folding {
	f := &folding{w: w, own: e}
	var (
		hash  history.Hash
		alive bool
		known bool // something precedes
		last  history.Moment
		row   *Row
	)
	if p := w.Before; p != nil {
		hash, alive, known, last, row = p.Row.Hash, !p.Row.Deleted, true, p.At, p.Row
	}
	gone := w.Gone
	// absence begins a derived deletion at the first missed moment between the
	// last point and the next, if a live state stands there.
	absence := func(next history.Moment) {
		for len(gone) > 0 && gone[0] < next {
			if m := gone[0]; m > last && alive {
				f.starts = append(f.starts, start{at: m})
				hash, alive, known, row = AbsenceHash, false, true, w.derivedAt(m)
			}
			gone = gone[1:]
		}
	}
	visit := func(p *Point) {
		absence(p.At)
		if !known || hash != p.Row.Hash {
			f.starts = append(f.starts, start{at: p.At, point: p})
		}
		hash, alive, known, last, row = p.Row.Hash, !p.Row.Deleted, true, p.At, p.Row
	}
	for i := range w.At {
		visit(&w.At[i])
	}
	if e != nil {
		absence(e.At) // opens nothing: up to here the fold is as it stood
		f.aliveThen, f.carrier = alive, row
		switch {
		case !known || hash != e.Hash:
			f.starts = append(f.starts, start{at: e.At, own: true})
		case w.derivedAt(e.At) != nil:
			// It takes the deletion away: the run that ended there goes on,
			// as one new row with the begin of the old one.
			f.starts = append(f.starts, start{at: row.Start, own: true, joins: row})
		}
		hash, alive, known, last = e.Hash, !e.Deleted, true, e.At
	}
	if w.After != nil {
		visit(w.After)
	} else {
		absence(history.Newest)
	}
	return f
}

// outcome compares the fold with the rows that stand.
func (f *folding) outcome(s Stamp) Outcome {
	w, o := f.w, Outcome{}

	var standing map[uint32]*Row // open rows that begin in the window
	if len(w.At)+len(w.Derived) > 0 || w.After != nil {
		standing = make(map[uint32]*Row, 4)
	}
	for i := range w.At {
		if p := &w.At[i]; p.starts() {
			standing[p.Row.Number] = p.Row
		}
	}
	if p := w.After; p != nil && p.starts() {
		standing[p.Row.Number] = p.Row
	}
	for _, d := range w.Derived {
		standing[d.Number] = d
	}

	number := w.Last
	add := func(r NewRow) {
		number++
		r.Number, r.Opened, r.RecordedAt = number, s.Revision, s.RecordedAt
		o.Open = append(o.Open, r)
	}
	var derived []Change
	for _, b := range f.starts {
		switch {
		case b.joins != nil:
			standing[b.joins.Number] = b.joins
			add(NewRow{Row: f.ownRow(b.at, b.joins.Rank), Source: FromRow, Like: b.joins.Number})
			o.Version, o.Start, o.Sighting = number, b.at, true
		case b.own:
			add(NewRow{Row: f.ownRow(b.at, s.Revision)})
			o.Version, o.Start = number, b.at
		case b.point != nil:
			if r := b.point.Row; b.point.starts() {
				delete(standing, r.Number)
			} else {
				add(NewRow{
					Row:    Row{Start: b.at, Rank: b.point.Rev, Hash: r.Hash, Deleted: r.Deleted, Status: r.Status},
					Source: FromRow, Like: r.Number,
				})
			}
		default:
			if d := w.derivedAt(b.at); d != nil {
				delete(standing, d.Number)
				continue
			}
			add(NewRow{
				Row:    Row{Start: b.at, Rank: s.Revision, Hash: AbsenceHash, Deleted: true, Derived: true},
				Source: FromAbsence,
			})
			derived = append(derived, Change{Kind: history.Deleted, Late: b.at < w.Seen, Version: number, Start: b.at})
		}
	}

	if f.own != nil && o.Version == 0 {
		return Outcome{Version: f.carrier.Number, Start: f.carrier.Start, Sighting: true}
	}
	for n := range standing {
		o.Close = append(o.Close, n)
	}
	slices.Sort(o.Close)

	if f.own != nil {
		o.Changes = append(o.Changes, Change{
			Kind: f.kind(), Late: f.own.At < w.Seen, Version: o.Version, Start: o.Start,
		})
	}
	o.Changes = append(o.Changes, derived...)
	return o
}

func (f *folding) ownRow(at history.Moment, rank history.Revision) Row {
	return Row{Start: at, Rank: rank, Hash: f.own.Hash, Deleted: f.own.Deleted, Status: f.own.Status}
}

func (f *folding) kind() history.ChangeKind {
	switch {
	case f.own.Deleted:
		return history.Deleted
	case !f.aliveThen:
		return history.Created
	}
	return history.Updated
}
