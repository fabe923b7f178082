package bolt

import (
	"bytes"
	"context"
	"encoding/binary"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// What pruning drops that belongs to no single resource: the feed and the clock
// up to their floors, the sets of runs below them, and the keys of resources
// that went, once the feed tells of them no more.

// sweepRest drops it in short transactions.
func (s *Store) sweepRest(ctx context.Context, job *sweep) error {
	for _, step := range []func(tx *bolt.Tx, job *sweep) (done bool, err error){
		sweepFeed, sweepClock, s.sweepSeen, sweepGone,
	} {
		for done := false; !done; {
			if err := ctx.Err(); err != nil {
				return err
			}
			s.upkeep.slice.Lock()
			err := s.betweenMerges(func() error {
				return s.writeTx(func(tx *bolt.Tx) (err error) {
					done, err = step(tx, job)
					return err
				})
			})
			s.upkeep.slice.Unlock()
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// sweepFeed deletes blocks of the feed that lie below the floor, and cuts the
// one that the floor lies in.
func sweepFeed(tx *bolt.Tx, job *sweep) (bool, error) {
	b := tx.Bucket(bucketFeed)
	for range mergeDeletes {
		c := b.Cursor()
		k, framed := c.First()
		if k == nil || binary.BigEndian.Uint64(k) > uint64(job.floors.Seq) {
			return true, nil
		}
		key := bytes.Clone(k)
		list, err := decodeFeedBlock(k, framed)
		if err != nil {
			return false, err
		}
		for len(list) > 0 && list[0].seq <= job.floors.Seq {
			list = list[1:]
		}
		if len(list) > 0 {
			first := uint64Key(list[0].seq)
			if err := b.Put(first, sealValue(first, appendFeedBlock(nil, list))); err != nil {
				return false, err
			}
		}
		if err := b.Delete(key); err != nil {
			return false, err
		}
	}
	return false, nil
}

// sweepClock deletes the moments of revisions below the floor.
func sweepClock(tx *bolt.Tx, job *sweep) (bool, error) {
	b := tx.Bucket(bucketClock)
	for range mergeDeletes {
		k, framed := b.Cursor().First()
		if k == nil {
			return true, nil
		}
		value, ok := openValue(k, framed)
		if !ok || len(value) != 8 {
			return false, damaged(bucketClock, k)
		}
		if history.Revision(binary.BigEndian.Uint64(value)) >= job.floors.Revision {
			return true, nil
		}
		if err := b.Delete(bytes.Clone(k)); err != nil {
			return false, err
		}
	}
	return false, nil
}

// sweepSeen deletes the sets of runs. One that has seen something above the
// floor since keeps its set.
func (s *Store) sweepSeen(tx *bolt.Tx, job *sweep) (bool, error) {
	s.mu.RLock()
	var below []runNo
	for _, r := range s.runs {
		if job.runs[r.no] && r.below(job.floors) {
			below = append(below, r.no)
		}
	}
	s.mu.RUnlock()
	c := tx.Bucket(bucketSeen).Cursor()
	n := 0
	var before []byte
	for _, no := range below {
		prefix := seenKey(no, 0, 0)[:4]
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Seek(prefix) {
			if n++; n > mergeDeletes {
				return false, nil
			}
			if bytes.Equal(k, before) { // as in deleteFirst
				return false, damaged(bucketSeen, k)
			}
			before = bytes.Clone(k)
			if err := c.Delete(); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// sweepGone deletes the keys of resources of which no change is kept.
func sweepGone(tx *bolt.Tx, job *sweep) (bool, error) {
	var due [][]byte
	c := tx.Bucket(bucketGone).Cursor()
	for k, framed := c.First(); k != nil && len(due) < mergeDeletes; k, framed = c.Next() {
		seq, _, _, err := decodeGone(k, framed)
		if err != nil {
			return false, err
		}
		if seq <= job.floors.Seq {
			due = append(due, bytes.Clone(k))
		}
	}
	for _, k := range due {
		if err := tx.Bucket(bucketGone).Delete(k); err != nil {
			return false, err
		}
	}
	return len(due) < mergeDeletes, nil
}

// stampAt is the newest revision known at a moment of recording, with its own
// moment.
func (v *view) stampAt(recorded history.Moment) (plan.Stamp, error) {
	rev, err := v.knownAt(recorded)
	if err != nil || rev == 0 {
		return plan.Stamp{}, err
	}
	// The clock is asked for the moment: the latest at which less was known,
	// plus one.
	low, high := history.Moment(0), min(recorded, v.mark.recordedAt) // known at high, not at low
	for high-low > 1 {
		mid := low + (high-low)/2
		at, err := v.knownAt(mid)
		if err != nil {
			return plan.Stamp{}, err
		}
		if at >= rev {
			high = mid
		} else {
			low = mid
		}
	}
	return plan.Stamp{Revision: rev, RecordedAt: high}, nil
}

// lastChange is the newest change of a revision or of one before it.
func (v *view) lastChange(rev history.Revision) (history.Seq, error) {
	low, high := v.floors.Seq, v.mark.seq
	for low < high {
		mid := low + (high-low)/2
		list, err := v.changesAfter(mid)
		if err != nil {
			return 0, err
		}
		if list[0].revision > rev {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low, nil
}
