package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
)

// remove drops resources that go, between two commits. What was recorded of one
// since it was found to be going keeps it.
func (s *Store) remove(job *sweep, going []rid, p *history.Pruned) error {
	var (
		keys []grouped
		gone []rid
	)
	counts := *p
	v := &view{s: s, floors: s.floors.Load()}
	s.mu.RLock()
	v.tails, v.mark = s.tails(nil), s.mark
	s.mu.RUnlock()
	changes := make([]sightChange, len(going))
	for i, r := range going {
		changes[i] = sightChange{rid: r, drops: true}
	}
	written := s.sighted.writing(changes)
	err := s.writeTx(func(tx *bolt.Tx) error {
		v.tx = tx
		writes := &puts{}
		for _, r := range going {
			if v.inTails(r) {
				continue
			}
			k, err := v.key(r)
			if err != nil {
				return err
			}
			l, of, err := v.judge(job, k, r)
			if err != nil {
				return err
			}
			if !of.Goes {
				continue
			}
			if err := v.remove(writes, job, k, l); err != nil {
				return err
			}
			l.countAll(of, &counts)
			keys, gone = append(keys, grouped{s.groups.Load().find(k), k.ID}), append(gone, r)
		}
		if err := errors.Join(writes.addSpans(v), writes.addSightings(v)); err != nil {
			return err
		}
		return writes.put(tx)
	})
	written(err == nil)
	if err != nil {
		return err
	}
	*p = counts
	s.merged.Drop(keys...)
	s.latest.Forget()
	w := &s.writer
	for _, r := range gone {
		w.heads.Drop(r)
		delete(w.timelines, r)
	}
	return nil
}

// remove deletes all that the file has of a resource, but for its key where the
// feed still tells of it.
func (v *view) remove(writes *puts, job *sweep, k history.Key, l *loaded) error {
	h, group, id, err := v.headValue(l.rid)
	if err != nil {
		return err
	}
	last := history.Revision(math.MaxUint64) // of its changes; not known if the row was dropped
	for _, row := range l.Rows {
		if row.Number == h.last {
			last = row.Opened
		}
	}
	key := ridKey(l.rid)
	if last > job.floors.Revision {
		value := binary.AppendUvarint(nil, uint64(v.mark.seq))
		value = appendBytes(binary.AppendUvarint(value, uint64(group)), id)
		writes.add(bucketGone, key, sealValue(key, value))
	}
	writes.deletes = append(writes.deletes, put{bucket: bucketNames, key: nameKey(group, k.ID)})
	for _, bucket := range [][]byte{bucketSegments, bucketHeads} {
		c := v.tx.Bucket(bucket).Cursor()
		for found, _ := c.Seek(key); bytes.HasPrefix(found, key); found, _ = c.Next() {
			writes.deletes = append(writes.deletes, put{bucket: bucket, key: bytes.Clone(found)})
		}
	}
	writes.setSpans(l.rid, group, nil)
	return v.mergedSightings(l.rid, func(e *sightEntry) { writes.dropSighting(e.rid, e.Sighting) })
}

// goneKey finds the key of a resource that went, as long as the feed tells of it.
func (v *view) goneKey(r rid) (groupNo, []byte, error) {
	_, n, id, err := decodeGone(ridKey(r), v.tx.Bucket(bucketGone).Get(ridKey(r)))
	return n, id, err
}

func decodeGone(key, framed []byte) (history.Seq, groupNo, []byte, error) {
	value, ok := openValue(key, framed)
	d := decoder{b: value}
	seq, n, id := history.Seq(d.uvarint()), groupNo(d.uvarint()), d.bytes()
	if !ok || d.short {
		return 0, 0, nil, damaged(bucketGone, key)
	}
	return seq, n, id, nil
}

// countAll counts a resource that goes.
func (l *loaded) countAll(of *judgement, p *history.Pruned) {
	p.Resources++
	for _, row := range l.Rows {
		if !row.Bare {
			p.Versions++
		}
	}
	for _, inRun := range of.inRun {
		if !inRun {
			p.Sightings++
		}
	}
}
