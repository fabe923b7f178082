package bolt

import (
	"bytes"
	"context"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// Fold implements history.Folder.
func (s *Store) Fold(ctx context.Context, recordedBefore history.Moment) (dropped uint64, err error) {
	if err := s.Merge(); err != nil {
		return 0, gone(err)
	}
	for next := rid(1); next != 0; {
		if err := ctx.Err(); err != nil {
			return dropped, err
		}
		n, err := s.foldSlice(&next, recordedBefore)
		if err != nil {
			return dropped, err
		}
		dropped += n
	}
	if dropped == 0 {
		return 0, nil
	}
	// The writer must not resume at what is gone.
	return dropped, s.alone(func() error {
		s.writer.forget()
		return nil
	})
}

// foldSlice folds the sightings of some resources, of those with any.
func (s *Store) foldSlice(next *rid, recordedBefore history.Moment) (dropped uint64, err error) {
	s.upkeep.slice.Lock()
	defer s.upkeep.slice.Unlock()
	err = s.betweenMerges(func() error {
		writes := &puts{}
		err := s.mergedView(func(v *view) error {
			known, err := v.knownAt(recordedBefore - 1)
			if err != nil {
				return err
			}
			held := map[history.Moment]bool{}
			s.mu.RLock()
			for _, r := range s.runs {
				held[r.Moment] = held[r.Moment] || r.State != history.RunAborted
			}
			s.mu.RUnlock()
			c := v.tx.Bucket(bucketSightings).Cursor()
			k, _ := c.Seek(ridKey(*next))
			for n := 0; k != nil && n < mergeResources && len(writes.deletes) < mergeDeletes; n++ {
				r := parseRid(k)
				if err := v.fold(writes, r, known, held); err != nil {
					return err
				}
				k, _ = c.Seek(ridKey(r + 1))
			}
			if *next = 0; k != nil {
				*next = parseRid(k)
			}
			return nil
		})
		if err != nil || len(writes.deletes) == 0 {
			return err
		}
		dropped = uint64(len(writes.deletes))
		return s.write(writes)
	})
	return dropped, err
}

func (v *view) fold(writes *puts, r rid, known history.Revision, held map[history.Moment]bool) error {
	ofRuns := map[plan.Sighting]bool{}
	c := v.tx.Bucket(bucketSightings).Cursor()
	prefix := ridKey(r)
	n := 0
	for k, framed := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, framed = c.Next() {
		n++
		value, ok := openValue(k, framed)
		origin, err := decodeOrigin(value)
		if !ok || err != nil {
			return damaged(bucketSightings, k)
		}
		if origin.Run != "" {
			ofRuns[openSighting(k, framed)] = true
		}
	}
	if n < 3 {
		return nil
	}
	k, err := v.key(r)
	if err != nil {
		return err
	}
	l, err := v.load(r)
	if err != nil {
		return err
	}
	floor := v.floors.Of(k.Type)
	writes.sighted = append(writes.sighted, r)
	for _, i := range l.Foldable(func(s plan.Sighting) bool {
		return s.Rev <= known && s.At >= floor && !held[s.At] && !ofRuns[s]
	}) {
		writes.deletes = append(writes.deletes, put{bucket: bucketSightings, key: sightingKey(r, l.Sightings[i])})
	}
	return nil
}
