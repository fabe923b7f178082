package bolt

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// Format 1, to be read only. Where it differs from the present one stands at the
// end of the first part of FORMAT.md; what is alike is read by the same code.
// A file of it is read as a whole, log included, while nobody writes it.

var bucketKeys1 = []byte("key") // rid → name

// format1 tells a file of format 1.
type format1 struct {
	db   *bolt.DB
	h    copyHeader
	tail *tail // what the log holds and was not merged
	to   sink
	tx   *bolt.Tx
}

// convert1 tells a file of format 1, like a compaction, into a new one.
func convert1(dir string, db *bolt.DB, progress func(done, total uint64)) error {
	from, err := newFormat1(db)
	if err != nil {
		return err
	}
	_, err = build(dir, &from.h.lineage, func(to sink) error { return from.tell(context.Background(), to, progress) })
	return err
}

func newFormat1(db *bolt.DB) (*format1, error) {
	f := &format1{db: db, tail: newTail()}
	f.h.floors = &floors{swept: true} // it was never pruned
	err := guardedView(db, func(tx *bolt.Tx) (err error) {
		value, whole := openValue(metaLineage, tx.Bucket(bucketMeta).Get(metaLineage))
		var ok bool
		if f.h.lineage, ok = parseLineage(value); !whole || !ok {
			return damaged(bucketMeta, metaLineage)
		}
		if f.h.mark, err = readMerged(tx); err != nil {
			return err
		}
		return eachLogEntry1(tx, f.h.mark.commit, func(m mark, records []byte) error {
			f.h.mark = m
			return f.tail.readRecords(m, records)
		})
	})
	return f, err
}

// tell tells all of the file.
func (f *format1) tell(ctx context.Context, to sink, progress func(done, total uint64)) error {
	f.to = to
	return guardedView(f.db, func(tx *bolt.Tx) error {
		f.tx = tx
		if err := to.begin(&f.h); err != nil {
			return err
		}
		if err := f.runs(); err != nil {
			return err
		}
		for r := rid(1); r <= f.h.mark.rids; r++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := f.resource(r); err != nil {
				return err
			}
			if err := to.flush(); err != nil { // what is read is not written meanwhile
				return err
			}
			progress(uint64(r), uint64(f.h.mark.rids))
		}
		for _, part := range []func() error{f.seen, f.changes, f.clock, f.ops} {
			if err := part(); err != nil {
				return err
			}
			if err := to.flush(); err != nil {
				return err
			}
		}
		return to.end()
	})
}

func (f *format1) each(bucket []byte, tell func(k, v []byte) error) error {
	c := f.tx.Bucket(bucket).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if err := tell(k, v); err != nil {
			return err
		}
	}
	return nil
}

func (f *format1) runs() error {
	list := make([]*runRecord, f.h.mark.runs)
	err := f.each(bucketRuns, func(k, framed []byte) error {
		value, ok := openValue(k, framed)
		d := decoder{b: value}
		r := d.run()
		if !ok || d.short || r.no == 0 || r.no > f.h.mark.runs {
			return damaged(bucketRuns, k)
		}
		list[r.no-1] = &r
		return nil
	})
	if err != nil {
		return err
	}
	for no, r := range f.tail.runs {
		list[no-1] = r
	}
	for i, r := range list {
		if r == nil {
			return damaged(bucketRuns, binary.BigEndian.AppendUint32(nil, uint32(i+1)))
		}
		if err := f.to.run(r); err != nil {
			return err
		}
	}
	return nil
}

func (f *format1) resource(r rid) error {
	k, ok := f.tail.keys[r]
	if name := f.tx.Bucket(bucketKeys1).Get(ridKey(r)); name != nil {
		var err error
		if k, err = parseNameKey1(name); err != nil {
			return err
		}
	} else if !ok {
		return damaged(bucketKeys1, ridKey(r))
	}
	if err := f.to.resource(r, k); err != nil {
		return err
	}
	merged, last, err := f.head(r)
	if err != nil {
		return err
	}
	var rec recent
	if res := f.tail.resources[r]; res != nil {
		rec.rows = unmergedPart(res.rows, merged, func(x tailRow) uint64 { return x.commit })
		rec.closes = unmergedPart(res.closes, merged, func(x tailClose) uint64 { return x.commit })
	}
	if err := f.sightings(r); err != nil {
		return err
	}
	for i := range rec.rows {
		last = max(last, rec.rows[i].Number)
	}
	if err := f.rows(r, &rec); err != nil {
		return err
	}
	return f.to.resourceDone(last)
}

// head reads up to which commit a resource is merged, and its highest number.
func (f *format1) head(r rid) (merged uint64, last uint32, err error) {
	key := ridKey(r)
	framed := f.tx.Bucket(bucketHeads).Get(key)
	if framed == nil {
		return 0, 0, nil
	}
	value, ok := openValue(key, framed)
	d := decoder{b: value}
	merged, last = d.uvarint(), uint32(d.uvarint())
	if !ok || d.short {
		return 0, 0, damaged(bucketHeads, key)
	}
	return merged, last, nil
}

// sightings tells those that are merged and those that are not; some are both.
func (f *format1) sightings(r rid) error {
	prefix := ridKey(r)
	var list []sightEntry
	f.tail.sights[0].each(r, func(s *sightNote) {
		list = append(list, sightEntry{r, s.Sighting, f.tail.origins.of(s.origin)})
	})
	c := f.tx.Bucket(bucketSightings).Cursor()
	for k, origin := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, origin = c.Next() {
		list = append(list, sightEntry{r, parseSightingKey(k), origin})
	}
	slices.SortFunc(list, func(a, b sightEntry) int { return a.compare(&b) })
	list = slices.CompactFunc(list, func(a, b sightEntry) bool { return a.compare(&b) == 0 })
	for _, s := range list {
		if err := f.to.sighting(s.Sighting, s.origin); err != nil {
			return err
		}
	}
	return nil
}

// rows tells the rows of the segments and those that were not merged, in order.
func (f *format1) rows(r rid, rec *recent) error {
	closed := map[uint32]history.Revision{}
	for _, c := range rec.closes {
		closed[c.number] = c.revision
	}
	tell := func(row *plan.Row, payload []byte, err error) error {
		if err != nil {
			return damaged(bucketSegments, segmentKey(r, row))
		}
		told := *row
		if rev, ok := closed[row.Number]; ok {
			told.Closed = rev
		}
		return f.to.row(&told, payload)
	}
	late := slices.Clone(rec.rows)
	slices.SortFunc(late, func(a, b tailRow) int { return a.Row.Compare(&b.Row) })
	prefix := ridKey(r)
	c := f.tx.Bucket(bucketSegments).Cursor()
	for k, framed := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, framed = c.Next() {
		seg, err := decodeSegment(k, framed)
		if err != nil {
			return err
		}
		from := unpacker{segment: seg}
		for i := range seg {
			for len(late) > 0 && late[0].Row.Compare(&seg[i].Row) < 0 {
				payload, err := openBody(late[0].body, nil, nil)
				if err := tell(&late[0].Row, payload, err); err != nil {
					return err
				}
				late = late[1:]
			}
			payload, err := from.payload(i)
			if err := tell(&seg[i].Row, payload, err); err != nil {
				return err
			}
		}
	}
	for i := range late {
		payload, err := openBody(late[i].body, nil, nil)
		if err := tell(&late[i].Row, payload, err); err != nil {
			return err
		}
	}
	return nil
}

// seen tells the sets of runs. A merge that was cut short may have left in them
// what is in the log as well.
func (f *format1) seen() error {
	sets := map[runNo][]seenEntry{}
	told := runNo(0)
	finish := func(upTo runNo) error {
		for no := told + 1; no <= upTo; no++ {
			list := sets[no]
			list = append(list, f.tail.sights[no].sorted()...)
			slices.SortFunc(list, func(a, b seenEntry) int { return cmp.Or(cmp.Compare(a.rid, b.rid), cmp.Compare(a.Rev, b.Rev)) })
			for _, e := range slices.Compact(list) {
				if err := f.to.seen(no, e); err != nil {
					return err
				}
			}
			delete(sets, no)
		}
		told = max(told, upTo)
		return nil
	}
	err := f.each(bucketSeen, func(k, framed []byte) error {
		if len(k) != 16 {
			return damaged(bucketSeen, k)
		}
		no := runNo(binary.BigEndian.Uint32(k))
		if err := finish(no - 1); err != nil {
			return err
		}
		return eachSeen(k, framed, func(e seenEntry) bool {
			sets[no] = append(sets[no], e)
			return true
		})
	})
	if err != nil {
		return err
	}
	return finish(f.h.mark.runs)
}

func (f *format1) changes() error {
	next := history.Seq(1)
	tell := func(list []change) error {
		for i := range list {
			if list[i].seq != next {
				continue // told already: a merge was cut short
			}
			if err := f.to.change(&list[i]); err != nil {
				return err
			}
			next++
		}
		return nil
	}
	err := f.each(bucketFeed, func(k, framed []byte) error {
		list, err := decodeFeedBlock(k, framed)
		if err != nil {
			return err
		}
		return tell(list)
	})
	if err != nil {
		return err
	}
	if err := tell(f.tail.changes); err != nil {
		return err
	}
	if next != f.h.mark.seq+1 {
		return damaged(bucketFeed, uint64Key(next))
	}
	return nil
}

func (f *format1) clock() error {
	newest := map[history.Moment]history.Revision{}
	for _, s := range f.tail.clock {
		newest[s.RecordedAt] = s.Revision
	}
	var last history.Moment
	err := f.each(bucketClock, func(k, v []byte) error {
		if len(k) != 8 || len(v) != 8 {
			return damaged(bucketClock, k)
		}
		last = history.Moment(binary.BigEndian.Uint64(k))
		rev := max(history.Revision(binary.BigEndian.Uint64(v)), newest[last])
		return f.to.clock(plan.Stamp{RecordedAt: last, Revision: rev})
	})
	if err != nil {
		return err
	}
	for _, s := range f.tail.clock {
		if s.RecordedAt > last && s.Revision == newest[s.RecordedAt] {
			last = s.RecordedAt
			if err := f.to.clock(s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *format1) ops() error {
	for _, o := range f.tail.ops {
		if err := f.to.op(&o); err != nil {
			return err
		}
	}
	return f.each(bucketOps, func(k, framed []byte) error {
		value, ok := openValue(k, framed)
		if !ok || len(k) != 16 {
			return damaged(bucketOps, k)
		}
		d := decoder{b: value}
		o := opRecord{id: history.OpID(k), at: history.Moment(d.varint())}
		if o.receipt = d.rest(); d.short {
			return damaged(bucketOps, k)
		}
		if _, ok := f.tail.ops[o.id]; ok {
			return nil
		}
		return f.to.op(&o)
	})
}

// parseNameKey1 reads account NUL region NUL type NUL id.
func parseNameKey1(b []byte) (history.Key, error) {
	parts := bytes.SplitN(b, []byte{0}, 4)
	if len(parts) != 4 {
		return history.Key{}, damaged(bucketKeys1, b)
	}
	return history.Key{Account: string(parts[0]), Region: string(parts[1]), Type: string(parts[2]), ID: string(parts[3])}, nil
}

// eachLogEntry1 reads the log after a commit, of which each entry is one value.
func eachLogEntry1(tx *bolt.Tx, merged uint64, f func(m mark, records []byte) error) error {
	c := tx.Bucket(bucketLog).Cursor()
	for k, framed := c.Seek(uint64Key(merged + 1)); k != nil; k, framed = c.Next() {
		value, ok := openValue(k, framed)
		d := decoder{b: value}
		m := d.mark()
		if !ok || d.short || m.commit != binary.BigEndian.Uint64(k) {
			return damaged(bucketLog, k)
		}
		if err := f(m, d.rest()); err != nil {
			return errors.Join(damaged(bucketLog, k), err)
		}
	}
	return nil
}
