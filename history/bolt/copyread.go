package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// A transaction of a copy reads up to so much, and for so long; a single version
// may be more. Tests make the slices thin.
var copySlice = 1 << 20

const copyTime = 50 * time.Millisecond

// While others record, a copy rests after each slice for as long as the slice
// took, up to copyRest: a backup then takes at most half of a core from them.
const copyRest = 20 * time.Millisecond

// copyTo tells the store as it stands now to a sink. The log is merged up to
// there, so that the rest is read from sorted buckets, in short transactions;
// what is recorded meanwhile is left out by its revision. A prune waits until the
// copy is done.
func (s *Store) copyTo(ctx context.Context, to sink, progress func(done, total uint64)) error {
	s.upkeep.whole.RLock()
	defer s.upkeep.whole.RUnlock()
	documents, err := s.storedDocuments()
	if err != nil {
		return err
	}
	s.mu.RLock()
	if s.closed {
		s.mu.RUnlock()
		return errClosed
	}
	h := copyHeader{lineage: s.lineage, mark: s.mark, floors: s.floors.Load(), documents: documents.revision}
	runs := slices.Clone(s.runs) // the records are replaced, not changed
	s.mu.RUnlock()

	if err := s.mergeUpTo(h.mark.commit); err != nil {
		return err
	}
	if err := to.begin(&h); err != nil {
		return err
	}
	if err := documents.tell(ctx, to); err != nil {
		return err
	}
	for _, r := range runs {
		if err := to.run(r); err != nil {
			return err
		}
	}
	r := copyReader{read: s.readTx, groups: s.groups.Load(), dicts: &s.dicts, to: to, mark: h.mark, progress: progress, rest: s.restWhileBusy()}
	return r.run(ctx)
}

// restWhileBusy returns what rests for a while if anything was committed since it
// was last called.
func (s *Store) restWhileBusy() func(context.Context, time.Duration) {
	var last uint64
	return func(ctx context.Context, d time.Duration) {
		s.mu.RLock()
		now := s.mark.commit
		s.mu.RUnlock()
		if busy := now != last; busy {
			last = now
			select {
			case <-time.After(min(d, copyRest)):
			case <-ctx.Done():
			}
		}
	}
}

// mergeUpTo merges until a commit is merged.
func (s *Store) mergeUpTo(commit uint64) error {
	for {
		var merged mark
		err := s.readTx(func(tx *bolt.Tx) (err error) {
			merged, err = readMerged(tx)
			return err
		})
		if err != nil || merged.commit >= commit {
			return err
		}
		if err := s.Merge(); err != nil {
			return err
		}
	}
}

func readMerged(tx *bolt.Tx) (mark, error) {
	value, ok := openValue(metaMerged, tx.Bucket(bucketMeta).Get(metaMerged))
	d := decoder{b: value}
	m := d.mark()
	if !ok || d.short {
		return mark{}, damaged(bucketMeta, metaMerged)
	}
	return m, nil
}

// copyReader tells what a file holds, but for its log and its runs, as it stood
// at a mark that is merged.
type copyReader struct {
	read     func(func(*bolt.Tx) error) error // in a transaction
	groups   *groups                          // those that were known at the mark, at least
	dicts    *dicts
	to       sink
	mark     mark
	progress func(done, total uint64)
	rest     func(context.Context, time.Duration)
}

func (r *copyReader) run(ctx context.Context) error {
	var at copyPlace
	err := r.slices(ctx, func(tx *bolt.Tx, b *budget) (bool, error) { return r.resources(tx, &at, b) })
	if err != nil {
		return err
	}
	newest := plan.Stamp{} // the last that was told
	for _, part := range []struct {
		bucket []byte
		tell   func(k, v []byte) error
	}{
		{bucketGone, r.gone},
		{bucketSeen, r.seen},
		{bucketFeed, r.changes},
		{bucketClock, func(k, v []byte) error { return r.clock(k, v, &newest) }},
		{bucketOps, r.op},
	} {
		if err := r.walk(ctx, part.bucket, part.tell); err != nil {
			return err
		}
		if newest != r.mark.stamp() && bytes.Equal(part.bucket, bucketClock) && r.mark.revision > 0 {
			// Commits of one moment share an entry, which may tell of a later one.
			if err := r.to.clock(r.mark.stamp()); err != nil {
				return err
			}
		}
	}
	return r.to.end()
}

// budget is what a transaction may still do.
type budget struct {
	bytes int
	until time.Time
}

func (b *budget) spend(n int) (spent bool) {
	b.bytes -= n
	return b.bytes <= 0 || !time.Now().Before(b.until)
}

// slices calls f with one short transaction after the other until it is done.
func (r *copyReader) slices(ctx context.Context, f func(tx *bolt.Tx, b *budget) (done bool, err error)) error {
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		began := time.Now()
		err := r.read(func(tx *bolt.Tx) (err error) {
			done, err = f(tx, &budget{copySlice, time.Now().Add(copyTime)})
			return err
		})
		if err != nil {
			return err
		}
		if err := r.to.flush(); err != nil {
			return err
		}
		r.rest(ctx, time.Since(began))
	}
	return nil
}

// walk calls f with every key of a bucket.
func (r *copyReader) walk(ctx context.Context, bucket []byte, f func(k, v []byte) error) error {
	var from []byte
	return r.slices(ctx, func(tx *bolt.Tx, b *budget) (bool, error) {
		c := tx.Bucket(bucket).Cursor()
		for k, v := c.Seek(from); k != nil; k, v = c.Next() {
			if err := f(k, v); err != nil {
				return false, err
			}
			if b.spend(len(k) + len(v)) {
				from = append(bytes.Clone(k), 0)
				return false, nil
			}
		}
		return true, nil
	})
}

// copyPlace is where the resources go on.
type copyPlace struct {
	rid       rid
	begun     bool
	last      uint32      // of the resource under way: the highest version number given by now
	sightings *sightEntry // of the resource under way: from which on; nil: none are left
	row       *plan.Row   // of it: the last that was told
	first     uint32      // of it: the lowest number given after the copy's revision; zero: none
}

func (r *copyReader) resources(tx *bolt.Tx, at *copyPlace, b *budget) (done bool, err error) {
	c := tx.Bucket(bucketHeads).Cursor()
	for k, framed := c.Seek(ridKey(at.rid)); k != nil; k, framed = c.Next() {
		no := parseRid(k)
		if no > r.mark.rids {
			break
		}
		if !at.begun || no != at.rid {
			last, err := r.begin(k, framed)
			if err != nil {
				return false, err
			}
			*at = copyPlace{rid: no, begun: true, last: last, sightings: &sightEntry{rid: no}}
		}
		for _, part := range []func(*bolt.Tx, *copyPlace, *budget) (bool, error){r.sightings, r.rows} {
			if done, err := part(tx, at, b); err != nil || !done {
				return false, err
			}
		}
		last := at.last
		if at.first != 0 { // numbers are given in the order of recording
			last = at.first - 1
		}
		if err := r.to.resourceDone(last); err != nil {
			return false, err
		}
		*at = copyPlace{rid: no + 1}
		r.progress(uint64(no), uint64(r.mark.rids))
		if b.spend(len(framed)) {
			return false, nil
		}
	}
	return true, nil
}

// begin tells a resource by its head, and returns the highest number given.
func (r *copyReader) begin(k, framed []byte) (last uint32, err error) {
	value, ok := openValue(k, framed)
	d := decoder{b: value}
	h, group, id := d.head()
	if !ok || d.short {
		return 0, damaged(bucketHeads, k)
	}
	key, ok := r.groups.key(group, string(id))
	if !ok {
		return 0, damaged(bucketHeads, k)
	}
	return h.last, r.to.resource(parseRid(k), key)
}

func (r *copyReader) sightings(tx *bolt.Tx, at *copyPlace, b *budget) (done bool, err error) {
	if at.sightings == nil {
		return true, nil
	}
	done = true
	var read sightReader
	failed := read.open(tx).from(at.sightings, func(e *sightEntry) bool {
		if e.rid != at.rid {
			return false
		}
		if e.Rev <= r.mark.revision {
			if err = r.to.sighting(e.Sighting, e.origin); err != nil {
				return false
			}
		}
		if b.spend(20 + len(e.origin)) {
			done = false
			at.sightings = &sightEntry{rid: e.rid, Sighting: plan.Sighting{At: e.At, Rev: e.Rev + 1}}
		}
		return done
	})
	if done {
		at.sightings = nil
	}
	return done, errors.Join(failed, err)
}

// rows tells rows as they stood: those opened later are left out, those closed
// later are open. A merge may have put rows among them since the last slice, all
// of them opened later.
func (r *copyReader) rows(tx *bolt.Tx, at *copyPlace, b *budget) (done bool, err error) {
	prefix := ridKey(at.rid)
	c := tx.Bucket(bucketSegments).Cursor()
	k, framed := c.Seek(prefix)
	if at.row != nil { // the last segment that begins at or before it
		if k, framed, _ = lastBefore(c, append(segmentKey(at.rid, at.row), 0)); !bytes.HasPrefix(k, prefix) {
			k, framed = c.Seek(prefix)
		}
	}
	for ; bytes.HasPrefix(k, prefix); k, framed = c.Next() {
		seg, err := decodeSegment(k, framed)
		if err != nil {
			return false, err
		}
		from := unpacker{segment: seg, with: r.dicts}
		for i := range seg {
			row := seg[i].Row
			switch {
			case at.row != nil && row.Compare(at.row) <= 0:
				continue // told already
			case row.Opened > r.mark.revision:
				if at.first == 0 || row.Number < at.first {
					at.first = row.Number
				}
				continue
			case row.Closed > r.mark.revision:
				row.Closed = 0
			}
			var payload []byte
			if !row.Erased && !row.Bare {
				if payload, err = from.payload(i); err != nil {
					return false, damaged(bucketSegments, k)
				}
			}
			if err := r.to.row(&row, payload); err != nil {
				return false, err
			}
			at.row = &row
			if b.spend(len(payload)) {
				return false, nil
			}
		}
	}
	return true, nil
}

func (r *copyReader) gone(k, framed []byte) error {
	seq, n, id, err := decodeGone(k, framed)
	if err != nil {
		return err
	}
	key, ok := r.groups.key(n, string(id))
	switch no := parseRid(k); {
	case !ok:
		return damaged(bucketGone, k)
	case no > r.mark.rids:
		return nil
	default:
		return r.to.gone(no, min(seq, r.mark.seq), key)
	}
}

func (r *copyReader) seen(k, framed []byte) error {
	if len(k) != 16 {
		return damaged(bucketSeen, k)
	}
	var failed error
	no := runNo(binary.BigEndian.Uint32(k))
	err := eachSeen(k, framed, func(e seenEntry) bool {
		if e.Rev <= r.mark.revision {
			failed = r.to.seen(no, e)
		}
		return failed == nil
	})
	if err != nil {
		return err
	}
	return failed
}

func (r *copyReader) changes(k, framed []byte) error {
	list, err := decodeFeedBlock(k, framed)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].seq > r.mark.seq {
			break
		}
		if err := r.to.change(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *copyReader) clock(k, framed []byte, newest *plan.Stamp) error {
	v, ok := openValue(k, framed)
	if !ok || len(k) != 8 || len(v) != 8 {
		return damaged(bucketClock, k)
	}
	s := plan.Stamp{
		RecordedAt: history.Moment(binary.BigEndian.Uint64(k)), Revision: history.Revision(binary.BigEndian.Uint64(v)),
	}
	if s.Revision > r.mark.revision {
		return nil
	}
	*newest = s
	return r.to.clock(s)
}

func (r *copyReader) op(k, framed []byte) error {
	value, ok := openValue(k, framed)
	if !ok || len(k) != 16 {
		return damaged(bucketOps, k)
	}
	d := decoder{b: value}
	o := opRecord{id: history.OpID(k), at: history.Moment(d.varint())}
	o.receipt = d.rest()
	revision := d.uvarint() // the first of a receipt
	if d.short {
		return damaged(bucketOps, k)
	}
	if history.Revision(revision) > r.mark.revision {
		return nil // recorded after what is copied
	}
	return r.to.op(&o)
}
