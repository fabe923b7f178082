package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// view is what a read stands on: the tails as they were when it began, and a
// transaction taken after that, which shows all that was written before. Whatever
// was recorded up to the view's mark is in the tails or, merged, in the transaction;
// some of it may be in both.
type view struct {
	s     *Store
	tx    *bolt.Tx
	tails []*tail // oldest first
	few   [2]*tail
	mark  mark

	floors *floors // not lower than what the transaction shows
	epoch  uint64  // of the cache of merged resources, before the transaction was taken

	pending *tail // the writer's own, last of tails

	spans      []spanBlock // those read, by rid / spanSlots
	generation uint64      // of the cache of sightings

	changed ridSet // what the tails hold rows of; nil: not asked yet
	room    *arena // for the payloads of an answer that has many

	snapshot *snapshot // of the only moment that stand is asked about; nil: there is none
	walk     walker    // over segments
	lent     *loaded   // what around returned last
	sights   sightReader
	sighted  struct { // the range that sightings returned last
		rid
		sightRange
	}
}

// view calls f with a view. Transactions are to be short: a long one keeps
// pages from being reused.
func (s *Store) view(f func(*view) error) error {
	s.guard.turn <- struct{}{}
	defer func() { <-s.guard.turn }()
	v := views.Get().(*view)
	defer v.release()
	v.s, v.generation = s, s.sighted.begin()
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return errClosed
	}
	v.tails, v.mark = s.tails(v.few[:0]), s.mark
	s.mu.RUnlock()
	v.epoch = s.merged.Epoch()
	err := s.read(func(r *reading) error {
		v.tx, v.floors, v.walk.c = r.Tx, s.floors.Load(), r.segments
		err := f(v)
		r.segments = v.walk.c
		return err
	})
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return errClosed
	}
	return err
}

// views are used again: look-ups of single resources have little to allocate beside.
var views = sync.Pool{New: func() any { return &view{} }}

// release gives back the view, and what it borrowed.
func (v *view) release() {
	if v.lent != nil {
		*v.lent = loaded{memory: v.lent.memory, segments: v.lent.segments, Timeline: plan.Timeline{Rows: v.lent.Rows}}
		v.s.scratch.Put(v.lent)
	}
	*v = view{sights: sightReader{list: v.sights.list[:0], origins: v.sights.origins[:0]}}
	views.Put(v)
}

// unmerged reports whether a tail holds rows of a resource, or closes some.
func (v *view) unmerged(r rid) bool {
	return v.unmergedSet().has(r) || v.pending != nil && v.pending.changed.has(r)
}

// unmergedSet is what unmerged is true of, the writer's own left out.
func (v *view) unmergedSet() ridSet {
	if v.changed == nil {
		v.changed = ridSet{}
		v.s.mu.RLock()
		for _, t := range v.tails {
			if t != v.pending {
				v.changed.union(t.changed)
			}
		}
		v.s.mu.RUnlock()
	}
	return v.changed
}

// stand tells which version of a resource stands at a moment.
func (v *view) stand(r rid, at history.Moment, known history.Revision) (standing, error) {
	if v.unmerged(r) {
		_, p, err := v.around(r, at, known)
		if errors.Is(err, history.DataLoss) {
			p, err = v.inSpans(r, at, known, err)
		}
		if err != nil || p.Row == nil {
			return standing{}, err
		}
		return standing{spanOf(&row{Row: *p.Row}), p.Until()}, nil
	}
	if r > v.mark.rids {
		return standing{}, nil // recorded since the view was taken: names are found as they come
	}
	if v.snapshot != nil {
		if found, ok, err := v.snapshot.stand(v, r); ok || err != nil {
			return found, err
		}
	}
	block, err := v.spanBlock(r)
	if err == nil && block == nil {
		err = damaged(bucketSpans, spanKey(r)) // it is missing: the resource is merged
	}
	if err != nil {
		return standing{}, err
	}
	_, rows := openEntry(block.entry(r))
	return rows.stand(at, known), nil
}

// inSpans is where a moment falls among the rows of a resource of which what is merged
// is damaged, as lost says: spans tell when those begin, and stand asks for no more.
func (v *view) inSpans(r rid, at history.Moment, known history.Revision, lost error) (plan.Place, error) {
	block, err := v.spanBlock(r)
	if err != nil || block == nil {
		return plan.Place{}, lost
	}
	rec, err := v.recent(r)
	if err != nil {
		return plan.Place{}, err
	}
	l := &loaded{rid: r}
	_, rows := openEntry(block.entry(r))
	for s, ok := rows.next(); ok; s, ok = rows.next() {
		l.Rows = append(l.Rows, &plan.Row{
			Number: s.number, Deleted: s.deleted, Start: s.start, Rank: s.rank, Opened: s.opened, Closed: s.closed,
		})
	}
	l.addRecent(&rec)
	return plan.Locate(l.Rows, at, known), nil
}

// rid finds a resource's number; zero: not recorded.
func (v *view) rid(k history.Key) (rid, error) {
	n := v.s.groups.Load().find(k)
	if n != 0 {
		if r, ok := v.s.merged.Get(grouped{n, k.ID}); ok {
			v.s.counters.ridHits.Add(1)
			return r, nil
		}
	}
	v.s.mu.RLock()
	for _, t := range v.tails {
		if r, ok := t.names[k]; ok {
			v.s.mu.RUnlock()
			return r, nil
		}
	}
	v.s.mu.RUnlock()
	v.s.counters.ridMisses.Add(1)
	if n == 0 {
		return 0, nil
	}
	key := nameKey(n, k.ID)
	c := v.tx.Bucket(bucketNames).Cursor()
	found, framed := c.Seek(key)
	if !bytes.Equal(found, key) {
		// A damaged name stands where the one that was written stood: beside the
		// place of the one that is missing.
		before, value := c.Prev()
		if found == nil {
			before, value = c.Last()
		}
		return 0, errors.Join(wholeName(found, framed), wholeName(before, value))
	}
	r, err := openName(key, framed)
	if err != nil {
		return 0, err
	}
	v.s.merged.PutSince(v.epoch, grouped{n, k.ID}, r, 0)
	return r, nil
}

// wholeName checks the name at which a look-up ended, if there is one.
func wholeName(key, framed []byte) error {
	if key == nil {
		return nil
	}
	_, err := openName(key, framed)
	return err
}

// openName reads the number that a name stands for.
func openName(key, framed []byte) (rid, error) {
	value, ok := openValue(key, framed)
	if !ok || len(value) != 4 {
		return 0, damaged(bucketNames, key)
	}
	return parseRid(value), nil
}

// key finds the resource of a number.
func (v *view) key(r rid) (history.Key, error) {
	if k, ok := v.s.keys.get(r); ok {
		return k, nil
	}
	v.s.mu.RLock()
	for _, t := range v.tails {
		if k, ok := t.keys[r]; ok {
			v.s.mu.RUnlock()
			return k, nil
		}
	}
	v.s.mu.RUnlock()
	_, n, id, err := v.headValue(r)
	if err == nil && n == 0 {
		n, id, err = v.goneKey(r)
	}
	if err != nil {
		return history.Key{}, err
	}
	k, ok := v.s.groups.Load().key(n, string(id))
	if !ok {
		return history.Key{}, damaged(bucketHeads, ridKey(r))
	}
	v.s.keys.put(r, k)
	return k, nil
}

// recent is what the tails hold of a resource and the transaction does not.
type recent struct {
	rows      []tailRow
	closes    []tailClose
	sightings []plan.Sighting // some of which may be merged
}

func (v *view) recent(r rid) (recent, error) {
	var (
		found [4]tailResource
		n     int
		rec   recent
	)
	v.s.mu.RLock()
	for _, t := range v.tails {
		if res := t.resources[r]; res != nil {
			found[n] = *res
			n++
		}
		t.sights[0].each(r, func(s *sightNote) { rec.sightings = append(rec.sightings, s.Sighting) })
	}
	v.s.mu.RUnlock()
	if n == 0 {
		return rec, nil
	}
	h, err := v.head(r)
	if err != nil {
		return recent{}, err
	}
	for _, res := range found[:n] {
		rec.rows = append(rec.rows, unmergedPart(res.rows, h.merged, func(x tailRow) uint64 { return x.commit })...)
		rec.closes = append(rec.closes, unmergedPart(res.closes, h.merged, func(x tailClose) uint64 { return x.commit })...)
	}
	return rec, nil
}

// unmergedPart cuts off what was merged; lists are in the order of commits.
func unmergedPart[T any](list []T, merged uint64, commit func(T) uint64) []T {
	i, _ := slices.BinarySearchFunc(list, merged+1, func(x T, m uint64) int { return cmp.Compare(commit(x), m) })
	return list[i:]
}

// loaded is a resource's timeline with the way to its bodies.
type loaded struct {
	plan.Timeline
	rid      rid
	with     *dicts
	room     *arena // for payloads that stand in segments; nil: each by itself
	segments []segment
	recent   map[*plan.Row]*tailRow // rows that are not merged yet

	memory   segment     // of the first segment, if it is to be used again
	unpacker []*unpacker // of the segments, where payloads are read in order
}

// load reads all versions of a resource: for whatever a single segment cannot tell.
// Of the sightings it has those that are not merged.
func (v *view) load(r rid) (*loaded, error) {
	l := &loaded{rid: r, with: &v.s.dicts, room: v.room}
	return l, v.fill(l)
}

// fill is load into an empty timeline.
func (v *view) fill(l *loaded) error {
	prefix := ridKey(l.rid)
	c := v.walk.cursor(v.tx)
	for k, b := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, b = c.Next() {
		var memory segment
		if len(l.segments) == 0 {
			memory = l.memory
		}
		seg, err := appendRows(memory, k, b)
		if err != nil {
			return err
		}
		if len(l.segments) == 0 {
			l.memory = seg
		}
		l.addSegment(seg)
	}
	rec, err := v.recent(l.rid)
	if err != nil {
		return err
	}
	l.addRecent(&rec)
	if v.floors != nil && v.floors.any() { // else the rows tell
		h, err := v.head(l.rid)
		if err != nil {
			return err
		}
		l.Last = h.last
	}
	return nil
}

// loadAll is load with all sightings in no run, of which a resource may have
// thousands: for late captures, and for what takes sightings away.
func (v *view) loadAll(r rid) (*loaded, error) {
	l, err := v.load(r)
	if err != nil {
		return nil, err
	}
	seen, err := v.sightings(r)
	if err != nil || seen.first == 0 {
		return l, err
	}
	err = v.mergedSightings(r, func(e *sightEntry) { l.Sightings = append(l.Sightings, e.Sighting) })
	l.sortSightings()
	return l, err
}

func (l *loaded) addSegment(seg segment) {
	l.segments = append(l.segments, seg)
	l.Rows = slices.Grow(l.Rows, len(seg))
	for i := range seg {
		l.Rows = append(l.Rows, &seg[i].Row)
	}
}

func (l *loaded) addRecent(rec *recent) {
	if len(rec.rows) > 0 {
		l.recent = make(map[*plan.Row]*tailRow, len(rec.rows))
	}
	for i := range rec.rows {
		r := rec.rows[i].Row // a copy: closing it must not touch the tail
		l.recent[&r] = &rec.rows[i]
		l.Insert(&r)
	}
	for _, c := range rec.closes {
		l.CloseRow(c.number, c.revision)
	}
	if len(rec.sightings) > 0 {
		l.Sightings = append(l.Sightings, rec.sightings...)
		l.sortSightings() // lastSeen counts on it
	}
}

// sortSightings puts them in order; one that is being merged may be there twice.
func (l *loaded) sortSightings() {
	slices.SortFunc(l.Sightings, plan.Sighting.Compare)
	l.Sightings = slices.Compact(l.Sightings)
}

// payload reads what a row of the timeline carries, into memory of its own.
func (l *loaded) payload(p *plan.Row) ([]byte, error) {
	if recent, ok := l.recent[p]; ok {
		if codecOf(recent.body) != codecBase {
			return openBody(recent.body, l.with, nil)
		}
		number, delta, err := openBase(&recent.row)
		if err != nil {
			return nil, err
		}
		base, err := l.payloadOf(number)
		if err != nil {
			return nil, err
		}
		return applyDelta(nil, base, delta)
	}
	n, found := slices.BinarySearchFunc(l.segments, p, func(seg segment, p *plan.Row) int { return seg[0].Compare(p) })
	if !found {
		n-- // within the segment before
	}
	if n >= 0 {
		for i := range l.segments[n] {
			if &l.segments[n][i].Row == p {
				if l.unpacker != nil {
					return l.unpack(n, i)
				}
				return l.segments[n].payload(i, l.with, l.room)
			}
		}
	}
	return nil, errBody
}

// payloadOf is payload of the row of a number.
func (l *loaded) payloadOf(number uint32) ([]byte, error) {
	if r := l.row(number); r != nil {
		return l.payload(r)
	}
	return nil, errBody
}

// row is the row of a number, nil if it was not loaded.
func (l *loaded) row(number uint32) *plan.Row {
	i := slices.IndexFunc(l.Rows, func(r *plan.Row) bool { return r.Number == number })
	if i < 0 {
		return nil
	}
	return l.Rows[i]
}

// unpack is payload where those before it in the segment were just read.
func (l *loaded) unpack(n, i int) ([]byte, error) {
	if l.unpacker[n] == nil {
		l.unpacker[n] = &unpacker{segment: l.segments[n], with: l.with, room: l.room}
	}
	return l.unpacker[n].payload(i)
}

// borrow returns an empty timeline whose memory is used again.
func (v *view) borrow(r rid) *loaded {
	if v.lent == nil {
		if v.lent, _ = v.s.scratch.Get().(*loaded); v.lent == nil {
			v.lent = &loaded{}
		}
	}
	l := v.lent
	*l = loaded{rid: r, with: &v.s.dicts, room: v.room, memory: l.memory, segments: l.segments[:0], Timeline: plan.Timeline{Rows: l.Rows[:0]}}
	return l
}

// around reads the part of a resource that shows the version at a moment and
// its neighbours: one segment nearly always, and what is not merged. What it returns
// holds until the view is asked again.
func (v *view) around(r rid, at history.Moment, known history.Revision) (*loaded, plan.Place, error) {
	rec, err := v.recent(r)
	if err != nil {
		return nil, plan.Place{}, err
	}
	l := v.borrow(r)
	var seek, prefix [20]byte
	k, b, later := v.walk.lastBefore(v.tx, appendSegmentSeek(seek[:0], r, at))
	own := binary.BigEndian.AppendUint32(prefix[:0], uint32(r))
	if !bytes.HasPrefix(later, own) {
		later = nil
	}
	merged := bytes.HasPrefix(k, own)
	if merged {
		if l.memory, err = appendRows(l.memory, k, b); err != nil {
			return nil, plan.Place{}, err
		}
		l.addSegment(l.memory)
	} else if len(rec.rows) == 0 {
		return l, plan.Place{}, nil
	}
	l.addRecent(&rec)
	p := plan.Locate(l.Rows, at, known)
	if l.shows(&p, later) {
		if p.Before != nil || p.Row.Deleted || p.Row.Status != "" || !merged || v.walk.first(own) {
			return l, p, nil
		}
	}
	if l, err = v.load(r); err != nil {
		return nil, plan.Place{}, err
	}
	return l, plan.Locate(l.Rows, at, known), nil
}

// shows reports whether a place is the same among all rows of the resource as among
// those that were loaded: of the merged ones a segment, or none, behind which
// nothing stands or one with a key.
func (l *loaded) shows(p *plan.Place, later []byte) bool {
	switch {
	case p.Row == nil, p.After == nil && later != nil:
		return false
	case len(l.recent) == 0:
		return true
	case len(l.segments) == 0:
		return later == nil // nothing is merged
	case l.recent[l.Rows[0]] != nil: // it may stand anywhere among the segments before
		return false
	case later != nil && l.recent[p.After] != nil && bytes.Compare(segmentKey(l.rid, p.After), later) > 0:
		return false
	}
	return l.restores(p.Row)
}

// restores reports whether the rows are loaded that the payload of one builds on.
// Those that a row is recorded by stand next to it: nothing recorded is known to
// have others between, but nothing here counts on it.
func (l *loaded) restores(r *plan.Row) bool {
	for {
		recent := l.recent[r]
		if recent == nil || codecOf(recent.body) != codecBase {
			return true
		}
		number, _, err := openBase(&recent.row)
		if err != nil {
			return true // all rows would not help
		}
		base := l.row(number)
		if base == nil {
			return false
		}
		r = base
	}
}

// lastSeen is the newest evidence of a place's row.
func (v *view) lastSeen(l *loaded, p *plan.Place, known history.Revision) (history.Moment, error) {
	last, err := v.lastSighting(l.rid, p, known, l.lastSeen(p, known))
	if err != nil {
		return 0, err
	}
	err = v.evidenceOfRuns(l.rid, last, p.Until(), func(s plan.Sighting) history.Moment {
		if s.At > last && p.Holds(s, known) {
			last = s.At
		}
		return last
	})
	return last, err
}

// lastSeen is the newest evidence of a place's row but for that of runs, as far
// as it was loaded.
func (l *loaded) lastSeen(p *plan.Place, known history.Revision) history.Moment {
	rows := plan.Timeline{Rows: l.Rows}
	last := rows.LastSeen(p, known)
	end := len(l.Sightings)
	if p.After != nil {
		end, _ = slices.BinarySearchFunc(l.Sightings, plan.Sighting{At: p.After.Start, Rev: p.After.Rank}, plan.Sighting.Compare)
	}
	for _, s := range slices.Backward(l.Sightings[:end]) {
		if s.At <= last {
			break
		}
		if p.Holds(s, known) {
			return s.At
		}
	}
	return last
}

// appendSegmentSeek appends the first key after every segment of the resource
// that begins at or before the moment.
func appendSegmentSeek(b []byte, r rid, at history.Moment) []byte {
	if at == history.Newest {
		return binary.BigEndian.AppendUint32(b, uint32(r+1))
	}
	b = binary.BigEndian.AppendUint32(b, uint32(r))
	return binary.BigEndian.AppendUint64(b, uint64(at+1))
}
