package bolt

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// A block of the feed holds up to feedBlock changes under the sequence of its
// first: crc32c, then the changes, each relative to the one before.
const feedBlock = 1024

func appendFeedBlock(b []byte, list []change) []byte {
	var before change
	for i := range list {
		b = list[i].append(b, &before)
		before = list[i]
	}
	return b
}

func decodeFeedBlock(key, framed []byte) ([]change, error) {
	value, ok := openValue(key, framed)
	if !ok || len(key) != 8 {
		return nil, damaged(bucketFeed, key)
	}
	var list []change
	before := change{seq: history.Seq(binary.BigEndian.Uint64(key)) - 1}
	for d := (decoder{b: value}); d.more(); {
		before = d.change(&before)
		if d.short {
			return nil, damaged(bucketFeed, key)
		}
		list = append(list, before)
	}
	return list, nil
}

// Changes implements history.Store.
func (s *Store) Changes(ctx context.Context, after history.Position, limit int, wait time.Duration) ([]history.Change, history.Position, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		s.mu.RLock()
		seq, err := s.lineage.Seq(after, s.mark.seq)
		newest, arrived, closed := s.mark.seq, s.arrived, s.closed
		s.mu.RUnlock()
		if err == nil {
			seq, err = plan.Resumes(&s.floors.Load().Floors, after, seq)
		}
		switch {
		case closed:
			return nil, "", errClosed
		case err != nil:
			return nil, "", err
		case newest > seq && limit > 0:
			list, err := s.changes(after, seq, limit)
			if err != nil {
				return nil, "", err
			}
			if len(list) == 0 {
				continue // they were pruned meanwhile
			}
			return list, list[len(list)-1].Position, nil
		case wait <= 0:
			return nil, s.lineage.Position(seq), nil
		}
		select {
		case <-arrived:
		case <-timer.C:
			wait = 0
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
	}
}

// changes reads up to limit changes after seq, of which there is one at least.
func (s *Store) changes(after history.Position, seq history.Seq, limit int) ([]history.Change, error) {
	var list []history.Change
	err := s.view(func(v *view) (err error) {
		if seq, err = plan.Resumes(&v.floors.Floors, after, seq); err != nil {
			return err
		}
		for len(list) < limit && seq < v.mark.seq {
			part, err := v.changesAfter(seq)
			if err != nil {
				return err
			}
			for i := range part {
				if len(list) == limit || part[i].seq > v.mark.seq {
					return nil
				}
				c := &part[i]
				k, err := v.key(c.rid)
				if err != nil {
					return err
				}
				list = append(list, history.Change{
					Seq: c.seq, Position: s.lineage.Position(c.seq), Revision: c.revision, RecordedAt: c.recordedAt,
					Kind: c.kind, Late: c.late, Key: k, Version: c.version, CapturedAt: c.start,
				})
				seq = c.seq
			}
		}
		return nil
	})
	return list, err
}

// changesAfter returns some changes that follow seq, one at least.
func (v *view) changesAfter(seq history.Seq) ([]change, error) {
	v.s.mu.RLock()
	for _, t := range v.tails {
		if n := len(t.changes); n > 0 && t.changes[0].seq <= seq+1 && t.changes[n-1].seq > seq {
			list := t.changes[seq+1-t.changes[0].seq:]
			v.s.mu.RUnlock()
			return list, nil
		}
	}
	v.s.mu.RUnlock()
	c := v.tx.Bucket(bucketFeed).Cursor()
	k, framed, _ := lastBefore(c, uint64Key(seq+2))
	if k == nil {
		return nil, damaged(bucketFeed, uint64Key(seq+1))
	}
	list, err := decodeFeedBlock(k, framed)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(c change) bool { return c.seq == seq+1 })
	if i < 0 {
		return nil, damaged(bucketFeed, k)
	}
	return list[i:], nil
}

// PositionAt implements history.Store.
func (s *Store) PositionAt(_ context.Context, recorded history.Moment) (history.Position, error) {
	var seq history.Seq
	err := s.view(func(v *view) error {
		// Revisions and sequences rise together: the first change of a
		// revision recorded at or after the moment.
		rev, err := v.knownAt(max(recorded, 0) - 1)
		if err != nil {
			return err
		}
		low, high := v.floors.Seq, v.mark.seq
		for low < high {
			mid := low + (high-low)/2
			list, err := v.changesAfter(mid)
			if err != nil {
				return err
			}
			if list[0].revision > rev {
				high = mid
			} else {
				low = mid + 1
			}
		}
		seq = low
		return nil
	})
	return s.lineage.Position(seq), err
}

// KnownAt implements history.Store.
func (s *Store) KnownAt(_ context.Context, recorded history.Moment) (history.Revision, error) {
	var rev history.Revision
	err := s.view(func(v *view) (err error) {
		if err := plan.Recalls(&v.floors.Floors, recorded); err != nil {
			return err
		}
		rev, err = v.knownAt(recorded)
		return err
	})
	return rev, err
}

func (v *view) knownAt(recorded history.Moment) (history.Revision, error) {
	switch {
	case recorded >= v.mark.recordedAt:
		return v.mark.revision, nil
	case recorded < 0:
		return 0, nil // keys have no sign
	}
	v.s.mu.RLock()
	for _, t := range slices.Backward(v.tails) {
		i, _ := slices.BinarySearchFunc(t.clock, recorded+1, func(c plan.Stamp, m history.Moment) int {
			return int(min(max(c.RecordedAt-m, -1), 1))
		})
		if i > 0 {
			rev := t.clock[i-1].Revision
			v.s.mu.RUnlock()
			return rev, nil
		}
	}
	v.s.mu.RUnlock()
	c := v.tx.Bucket(bucketClock).Cursor()
	k, b, _ := lastBefore(c, uint64Key(recorded+1))
	if k == nil {
		return 0, nil
	}
	value, ok := openValue(k, b)
	if !ok || len(value) != 8 {
		return 0, damaged(bucketClock, k)
	}
	return history.Revision(binary.BigEndian.Uint64(value)), nil
}
