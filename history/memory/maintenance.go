package memory

import (
	"context"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// Floors implements history.Pruner.
func (s *Store) Floors(context.Context) (history.Floors, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return history.Floors{}, errClosed
	}
	return s.floors.Clone(), nil
}

// Prune implements history.Pruner, all in one step.
func (s *Store) Prune(ctx context.Context, r history.PruneRequest) (history.Pruned, error) {
	if err := ctx.Err(); err != nil {
		return history.Pruned{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return history.Pruned{}, errClosed
	}
	recorded, err := plan.Prunable(&r, s.now())
	if err != nil {
		return history.Pruned{}, err
	}
	known := s.knownAt(recorded)
	seq := s.floors.Seq
	for _, c := range s.feed {
		if c.Revision <= known.Revision {
			seq = c.Seq
		}
	}
	floors := plan.Raise(s.floors, &r, known, seq)
	pruned := history.Pruned{Floors: floors.Clone(), Changes: uint64(floors.Seq - s.floors.Seq)}
	if !r.DryRun {
		s.feed = slices.Clone(s.feed[floors.Seq-s.floors.Seq:])
		s.floors = floors
		s.unwritten++
		s.commits = slices.DeleteFunc(s.commits, func(c plan.Stamp) bool { return c.Revision < floors.Revision })
	}
	keys := slices.Clone(s.keys) // some may go
	for i, k := range keys {
		if r.Type == "" || k.Type == r.Type {
			s.prune(s.resources[k], &floors, r.DryRun, &pruned)
		}
		if r.Progress != nil {
			r.Progress(uint64(i+1), uint64(len(keys)))
		}
	}
	return pruned, nil
}

// prune drops what the floors leave of a resource, or only counts it.
func (s *Store) prune(res *resource, floors *history.Floors, dry bool, pruned *history.Pruned) {
	p := res.Prune(floors.Of(res.key.Type), floors.RevisionOf(res.key.Type))
	if p.Goes {
		pruned.Resources++
		clear(p.Rows)
		clear(p.Sightings)
	}
	var kept plan.Timeline
	for i, row := range res.Rows {
		kept.Last = max(kept.Last, res.Last, row.Number)
		fate := p.Rows[i]
		if fate != plan.Stays && !row.Bare {
			pruned.Versions++
		}
		if fate == plan.Bares {
			bare := *row
			bare.Bare = true
			row = &bare
		}
		if fate != plan.Drops {
			kept.Rows = append(kept.Rows, row)
		}
		if fate != plan.Stays && !dry {
			delete(res.contents, row.Number)
		}
	}
	for i, at := range res.Sightings {
		switch {
		case p.Sightings[i]:
			kept.Sightings = append(kept.Sightings, at)
			continue
		case res.origins[at].Run == "":
			pruned.Sightings++
		}
		if !dry {
			delete(res.origins, at)
		}
	}
	if dry {
		return
	}
	res.Timeline = kept
	if p.Goes {
		delete(s.resources, res.key)
		s.keys = slices.DeleteFunc(s.keys, func(k history.Key) bool { return k == res.key })
		for _, r := range s.runs {
			delete(r.seen, res.key)
		}
	}
}

// Unwritten implements history.Unwriter.
func (s *Store) Unwritten() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.unwritten
}

// Erase implements history.Eraser.
func (s *Store) Erase(ctx context.Context, k history.Key, version uint32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if res := s.resources[k]; res != nil {
		for _, row := range res.Rows {
			if row.Number == version && !row.Bare {
				row.Erased = true
				s.unwritten++
				delete(res.contents, version)
				return nil
			}
		}
	}
	return plan.NoVersion(k, version)
}

// Fold implements history.Folder.
func (s *Store) Fold(ctx context.Context, recordedBefore history.Moment) (dropped uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, errClosed
	}
	known := s.knownAt(recordedBefore - 1).Revision
	held := map[history.Moment]bool{} // of runs
	for _, r := range s.opened {
		held[r.Moment] = held[r.Moment] || r.State != history.RunAborted
	}
	for _, res := range s.resources {
		floor := s.floors.Of(res.key.Type)
		drop := res.Foldable(func(at plan.Sighting) bool {
			return at.Rev <= known && at.At >= floor && !held[at.At] && res.origins[at].Run == ""
		})
		for _, i := range slices.Backward(drop) {
			delete(res.origins, res.Sightings[i])
			res.Sightings = slices.Delete(res.Sightings, i, i+1)
		}
		dropped += uint64(len(drop))
	}
	return dropped, nil
}
