package bolt

import (
	"context"
	"errors"

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
			for n := 0; *next != 0 && n < mergeResources && len(writes.sights) < mergeDeletes; n++ {
				r, err := v.nextSighted(*next)
				if err != nil {
					return err
				}
				if *next = 0; r == 0 {
					break
				}
				if err := v.fold(writes, r, known, held); err != nil {
					return err
				}
				*next = r + 1
			}
			dropped = uint64(len(writes.sights))
			return writes.addSightings(v)
		})
		if err != nil || dropped == 0 {
			return err
		}
		return s.write(writes)
	})
	return dropped, err
}

// nextSighted is the next resource with merged sightings; zero: there is none.
func (v *view) nextSighted(r rid) (found rid, err error) {
	err = v.sights.open(v.tx).from(&sightEntry{rid: r}, func(e *sightEntry) bool {
		found = e.rid
		return false
	})
	return found, err
}

func (v *view) fold(writes *puts, r rid, known history.Revision, held map[history.Moment]bool) error {
	ofRuns, n := map[plan.Sighting]bool{}, 0
	var failed error
	err := v.mergedSightings(r, func(e *sightEntry) {
		n++
		origin, err := decodeOrigin(e.origin)
		if err != nil {
			failed = damaged(bucketSightings, e.key())
		}
		if origin.Run != "" {
			ofRuns[e.Sighting] = true
		}
	})
	if err = errors.Join(err, failed); err != nil || n < 3 {
		return err
	}
	k, err := v.key(r)
	if err != nil {
		return err
	}
	l, err := v.loadAll(r)
	if err != nil {
		return err
	}
	floor := v.floors.Of(k.Type)
	for _, i := range l.Foldable(func(s plan.Sighting) bool {
		return s.Rev <= known && s.At >= floor && !held[s.At] && !ofRuns[s]
	}) {
		writes.dropSighting(r, l.Sightings[i])
	}
	return nil
}
