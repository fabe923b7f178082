package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// A merge transaction takes up to so many resources, or log entries to delete,
// and no more resources once it holds so many bytes: commits of observations
// get their turn in between.
const (
	mergeResources = 256
	mergeSlice     = 4 << 20
	mergeDeletes   = 1024
	mergeBacklog   = 4 // an active tail of so many times the threshold holds the writer up
)

// merger carries the log into the other buckets, in a goroutine of its own.
//
// A merge stops anywhere and begins anew without harm: each resource's head
// says up to which commit it is merged, all else is written under keys that a
// second merge of the same commits writes again, and the log is cut last.
type merger struct {
	s     *Store
	wake  chan struct{}
	quit  chan struct{}
	done  chan struct{}
	one   sync.Mutex // one merge at a time
	mu    sync.Mutex
	idle  *time.Timer
	stall chan struct{} // closed when a merge is done
	err   error
}

func (m *merger) start(s *Store) {
	m.s = s
	m.wake, m.quit, m.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	m.stall = make(chan struct{})
	m.idle = time.AfterFunc(time.Hour, m.signal)
	m.idle.Stop()
	go m.loop()
	s.mu.Lock()
	m.poke(s.active)
	s.mu.Unlock()
}

func (m *merger) stop() {
	m.idle.Stop()
	close(m.quit)
	<-m.done
}

func (m *merger) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// poke wakes the merger if the active tail is due, else sets it to wake when no
// commit follows. s.mu is held.
func (m *merger) poke(active *tail) {
	switch {
	case m.due(active):
		m.signal()
	case active.first != 0:
		m.idle.Reset(m.s.o.MergeIdle)
	}
}

func (m *merger) due(t *tail) bool {
	return t.records >= m.s.o.MergeRecords || t.bytes >= m.s.o.MergeBytes
}

func (m *merger) loop() {
	defer close(m.done)
	for {
		select {
		case <-m.wake:
		case <-m.quit:
			return
		}
		if err := m.s.Merge(); err != nil && !errors.Is(err, history.Unavailable) {
			m.s.o.Logger.Error("merging the log", "error", err)
			m.mu.Lock()
			m.err = err
			m.mu.Unlock()
		}
		m.mu.Lock()
		close(m.stall)
		m.stall = make(chan struct{})
		m.mu.Unlock()
	}
}

// relieve holds the writer up while the merger is far behind.
func (m *merger) relieve() {
	for {
		m.s.mu.RLock()
		t := m.s.active
		behind := t.records >= mergeBacklog*m.s.o.MergeRecords || t.bytes >= mergeBacklog*m.s.o.MergeBytes
		m.s.mu.RUnlock()
		m.mu.Lock()
		stall, failed := m.stall, m.err != nil
		m.mu.Unlock()
		if !behind || failed {
			return
		}
		m.signal()
		select {
		case <-stall:
		case <-m.quit:
			return
		}
	}
}

// Merge carries all that is in the log at the moment into the other buckets.
// The store does so by itself; calling it makes sizes and benchmarks steady.
func (s *Store) Merge() error {
	s.merger.one.Lock()
	defer s.merger.one.Unlock()
	s.mu.Lock()
	if s.merging == nil { // else a merge before failed: try it again
		if s.active.first == 0 {
			s.mu.Unlock()
			return nil
		}
		s.merging, s.active = s.active, newTail()
	}
	t := s.merging
	s.mu.Unlock()

	if err := s.mergeTail(t); err != nil {
		return err
	}

	s.mu.Lock()
	s.merging = nil
	s.mu.Unlock()
	return nil
}

func (s *Store) mergeTail(t *tail) error {
	rids := sortedRids(t.resources)
	for len(rids) > 0 {
		select {
		case <-s.merger.quit:
			return errClosed // goes on when the store is next open
		default:
		}
		writes, rest, err := s.mergeSlice(t, rids)
		if err != nil {
			return err
		}
		if err := s.db.Update(writes.put); err != nil {
			return err
		}
		rids = rest
	}
	if err := s.mergeRest(t); err != nil {
		return err
	}
	return s.cutLog(t.last)
}

// puts is what a merge transaction writes, in the order of buckets and keys.
type puts struct {
	deletes [][]byte // of segments
	list    []put
}

type put struct{ bucket, key, value []byte }

func (p *puts) add(bucket, key, value []byte) { p.list = append(p.list, put{bucket, key, value}) }

func (p *puts) put(tx *bolt.Tx) error {
	for _, k := range p.deletes {
		if err := tx.Bucket(bucketSegments).Delete(k); err != nil {
			return err
		}
	}
	slices.SortStableFunc(p.list, func(a, b put) int {
		return cmp.Or(bytes.Compare(a.bucket, b.bucket), bytes.Compare(a.key, b.key))
	})
	for _, w := range p.list {
		if err := tx.Bucket(w.bucket).Put(w.key, w.value); err != nil {
			return err
		}
	}
	return nil
}

// mergeSlice prepares the first resources of a list in a transaction that only
// reads: nobody else changes what it reads.
func (s *Store) mergeSlice(t *tail, rids []rid) (*puts, []rid, error) {
	p := &puts{}
	size := 0
	err := s.db.View(func(tx *bolt.Tx) error {
		for n := 0; len(rids) > 0 && n < mergeResources && size < mergeSlice; n++ {
			v := &view{s: s, tx: tx, tails: []*tail{t}}
			bytes, err := v.mergeResource(p, t, rids[0])
			if err != nil {
				return err
			}
			size += bytes
			rids = rids[1:]
		}
		return nil
	})
	return p, rids, err
}

// mergeResource rewrites the segments of a resource from the first one that
// changes on, and returns how many bytes that takes.
func (v *view) mergeResource(p *puts, t *tail, r rid) (int, error) {
	if k, ok := t.keys[r]; ok {
		name := nameKey(k)
		p.add(bucketNames, name, ridKey(r))
		p.add(bucketKeys, ridKey(r), name)
	}
	h, err := v.head(r)
	if err != nil {
		return 0, err
	}
	rec, err := v.recent(r)
	if err != nil {
		return 0, err
	}
	for _, s := range rec.sightings {
		p.add(bucketSightings, sightingKey(r, s.Sighting), []byte{})
		h.seen = max(h.seen, s.At)
	}
	size := 0
	if len(rec.rows)+len(rec.closes) > 0 {
		if size, err = v.rewrite(p, r, &rec, &h); err != nil {
			return 0, err
		}
	}
	h.merged = t.last
	p.add(bucketHeads, ridKey(r), sealValue(ridKey(r), h.append(nil)))
	return size, nil
}

// rewrite adds rows to the segments of a resource and closes others.
func (v *view) rewrite(p *puts, r rid, rec *recent, h *head) (int, error) {
	old, keys, err := v.segmentsFrom(r, rec)
	if err != nil {
		return 0, err
	}
	rows := make([]mergeRow, 0, len(rec.rows)+segmentRows)
	for _, seg := range old {
		from := &unpacker{segment: seg}
		for i := range seg {
			rows = append(rows, mergeRow{row: &seg[i], from: from, i: i})
		}
	}
	for i := range rec.rows {
		r := rec.rows[i].row
		rows = append(rows, mergeRow{row: &r, i: -1})
	}
	slices.SortFunc(rows, func(a, b mergeRow) int { return a.row.Compare(&b.row.Row) })
	closed := map[uint32]history.Revision{}
	for _, c := range rec.closes {
		closed[c.number] = c.revision
	}
	if len(closed) > 0 {
		h.seen = v.lastSighting(r) // what was seen may have been a derived row
		for _, s := range rec.sightings {
			h.seen = max(h.seen, s.At)
		}
	}
	for _, m := range rows {
		if rev, ok := closed[m.row.Number]; ok {
			m.row.Closed = rev
		}
		h.last, h.seen = max(h.last, m.row.Number), max(h.seen, evidenceAt(m.row))
		if m.row.Closed == 0 {
			h.newest = m.row.Row
		}
	}

	size, written := 0, map[string]bool{}
	for len(rows) > 0 {
		seg, rest, err := pack(rows)
		if err != nil {
			return 0, damaged(bucketSegments, ridKey(r))
		}
		key := segmentKey(r, &seg[0].Row)
		value := sealValue(key, seg.append(nil))
		p.add(bucketSegments, key, value)
		written[string(key)] = true
		size += len(value)
		rows = rest
	}
	for _, k := range keys {
		if !written[string(k)] {
			p.deletes = append(p.deletes, k)
		}
	}
	return size, nil
}

// evidenceAt is the captured moment that a row is evidence of; zero for one
// that was derived and closed.
func evidenceAt(r *row) history.Moment {
	if r.Derived && r.Closed != 0 {
		return 0
	}
	return r.Start
}

// lastSighting is the captured moment of a resource's newest merged sighting.
func (v *view) lastSighting(r rid) history.Moment {
	c := v.tx.Bucket(bucketSightings).Cursor()
	k, _ := c.Seek(ridKey(r + 1))
	if k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	if !bytes.HasPrefix(k, ridKey(r)) {
		return 0
	}
	return parseSightingKey(k).At
}

// segmentsFrom reads the segments of a resource from the first that a merge
// touches on.
func (v *view) segmentsFrom(r rid, rec *recent) ([]segment, [][]byte, error) {
	prefix := ridKey(r)
	first := plan.Row{Start: history.Newest}
	for i := range rec.rows {
		if n := &rec.rows[i].Row; n.Compare(&first) < 0 {
			first = *n
		}
	}
	from := segmentKey(r, &first)
	if len(rec.closes) > 0 {
		from = prefix // closed rows may stand anywhere
	}
	c := v.tx.Bucket(bucketSegments).Cursor()
	k, b := c.Seek(from)
	if len(rec.closes) == 0 {
		if k == nil {
			k, b = c.Last()
		} else {
			k, b = c.Prev()
		}
		if !bytes.HasPrefix(k, prefix) {
			k, b = c.Seek(prefix)
		}
	}
	var (
		segments []segment
		keys     [][]byte
	)
	for ; bytes.HasPrefix(k, prefix); k, b = c.Next() {
		seg, err := decodeSegment(k, b)
		if err != nil {
			return nil, nil, err
		}
		segments, keys = append(segments, seg), append(keys, bytes.Clone(k))
	}
	return segments, keys, nil
}

// mergeRow is a row on its way into a segment; i is its place in the segment it
// comes from, or -1.
type mergeRow struct {
	row  *row
	from *unpacker
	i    int
}

func (m *mergeRow) payload() ([]byte, error) {
	if m.i < 0 {
		return openBody(m.row.body)
	}
	return m.from.payload(m.i)
}

// pack fills one segment with the first of some rows and returns the rest.
func pack(rows []mergeRow) (segment, []mergeRow, error) {
	var (
		seg    segment
		before []byte // payload of the row before; nil: not restored yet
		size   int
	)
	for n := range rows {
		m := &rows[n]
		if n == segmentRows || n > 0 && size > segmentBytes {
			return seg, rows[n:], nil
		}
		follows := n > 0 && m.i > 0 && rows[n-1].i == m.i-1 && rows[n-1].from == m.from
		r := *m.row
		switch {
		case follows, n == 0 && codecOf(r.body) != codecDelta:
			before = nil // stays as it is
		default:
			payload, err := m.payload()
			if err != nil {
				return nil, nil, err
			}
			if n > 0 && before == nil {
				if before, err = rows[n-1].payload(); err != nil {
					return nil, nil, err
				}
			}
			if n == 0 {
				r.body = sealBody(payload)
			} else {
				r.body = packBody(before, payload)
			}
			before = payload
		}
		size += len(r.body)
		seg = append(seg, r)
	}
	return seg, nil, nil
}

// packBody writes a payload as a delta from the one before it if that is much
// shorter, else as it stands.
func packBody(before, payload []byte) []byte {
	delta := appendDelta([]byte{byte(codecDelta)}, before, payload)
	if len(delta) <= len(payload)/6 {
		return delta
	}
	if alone := sealBody(payload); len(alone) < len(delta) {
		return alone
	}
	return delta
}

// mergeRest carries what belongs to no single resource.
func (s *Store) mergeRest(t *tail) error {
	p := &puts{}
	for i := 0; i < len(t.changes); i += feedBlock {
		list := t.changes[i:min(i+feedBlock, len(t.changes))]
		key := uint64Key(list[0].seq)
		p.add(bucketFeed, key, sealValue(key, appendFeedBlock(nil, list)))
	}
	for _, c := range t.clock {
		p.add(bucketClock, uint64Key(c.RecordedAt), uint64Key(c.Revision))
	}
	for no, r := range t.runs {
		key := binary.BigEndian.AppendUint32(nil, uint32(no))
		p.add(bucketRuns, key, sealValue(key, r.append(nil)))
	}
	for id, op := range t.ops {
		value := append(binary.AppendVarint(nil, int64(op.at)), op.receipt...)
		p.add(bucketOps, bytes.Clone(id[:]), sealValue(id[:], value))
		p.add(bucketOpAges, append(uint64Key(op.at), id[:]...), []byte{})
	}
	for no, m := range t.seen {
		var list []seenEntry
		for _, r := range sortedRids(m) {
			for _, at := range m[r] {
				list = append(list, seenEntry{r, at})
			}
		}
		// Blocks never part the entries of one resource.
		for len(list) > 0 {
			n := min(seenBlock, len(list))
			for n < len(list) && list[n].rid == list[n-1].rid {
				n++
			}
			key := seenKey(no, t.first, list[0].rid)
			p.add(bucketSeen, key, sealValue(key, appendSeen(nil, list[:n])))
			list = list[n:]
		}
	}
	for len(p.list) > 0 {
		n := min(len(p.list), 4*mergeResources)
		part := &puts{list: p.list[:n]}
		if err := s.db.Update(part.put); err != nil {
			return err
		}
		p.list = p.list[n:]
	}
	return nil
}

// cutLog says that the log is merged up to a commit, and deletes it that far.
func (s *Store) cutLog(last uint64) error {
	done := false
	for first := true; !done; first = false {
		err := s.db.Update(func(tx *bolt.Tx) error {
			c := tx.Bucket(bucketLog).Cursor()
			if first {
				if err := s.markMerged(tx, last); err != nil {
					return err
				}
				if err := s.forgetOps(tx); err != nil {
					return err
				}
			}
			for n := 0; n < mergeDeletes; n++ {
				k, _ := c.First()
				if k == nil || binary.BigEndian.Uint64(k) > last {
					done = true
					return nil
				}
				if err := c.Delete(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) markMerged(tx *bolt.Tx, last uint64) error {
	key := uint64Key(last)
	value, ok := openValue(key, tx.Bucket(bucketLog).Get(key))
	if !ok {
		return damaged(bucketLog, key)
	}
	d := decoder{b: value}
	m := d.mark()
	if d.short {
		return damaged(bucketLog, key)
	}
	return tx.Bucket(bucketMeta).Put(metaMerged, sealValue(metaMerged, m.append(nil)))
}

// forgetOps drops results of operations that are older than promised.
func (s *Store) forgetOps(tx *bolt.Tx) error {
	before := history.MomentOf(s.o.Now().Add(-plan.OpRetention))
	c := tx.Bucket(bucketOpAges).Cursor()
	for n := 0; n < mergeDeletes; n++ {
		k, _ := c.First()
		if len(k) != 24 || history.Moment(binary.BigEndian.Uint64(k)) >= before {
			return nil
		}
		if err := tx.Bucket(bucketOps).Delete(bytes.Clone(k[8:])); err != nil {
			return err
		}
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}
