package bolt

import (
	"context"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// Prune implements history.Pruner. Readers and captures are bound by the floors
// as soon as these are raised; what is dropped afterwards, resource by resource,
// is seen by nobody, but for resources that go.
func (s *Store) Prune(ctx context.Context, r history.PruneRequest) (history.Pruned, error) {
	if err := ctx.Err(); err != nil {
		return history.Pruned{}, err
	}
	s.upkeep.whole.Lock()
	defer s.upkeep.whole.Unlock()
	was := s.floors.Load()
	is, err := s.raise(&r)
	if err != nil {
		return history.Pruned{}, err
	}
	p := history.Pruned{Floors: is.Clone(), Changes: uint64(is.Seq - was.Seq)}
	job := &sweep{floors: is, dry: r.DryRun, progress: r.Progress}
	if was.swept {
		job.only = r.Type
	}
	err = s.sweep(ctx, job, &p)
	if e := asError(err); e != nil && !r.DryRun {
		told := *e
		told.Text += "; the floors stand nevertheless, and what lies below them is told no more"
		err = &told
	}
	return p, err
}

// raise works out the floors that a request brings about and, if it is meant
// seriously, makes them stand.
func (s *Store) raise(r *history.PruneRequest) (*floors, error) {
	var is *floors
	work := func() error {
		return s.view(func(v *view) error {
			now := max(history.MomentOf(s.o.Now()), v.mark.recordedAt)
			recorded, err := plan.Prunable(r, now)
			if err != nil {
				return err
			}
			known, err := v.stampAt(recorded)
			if err != nil {
				return err
			}
			seq, err := v.lastChange(known.Revision)
			if err != nil {
				return err
			}
			is = &floors{Floors: plan.Raise(v.floors.Floors, r, known, seq)}
			return nil
		})
	}
	if r.DryRun {
		err := work()
		return is, err
	}
	err := s.alone(func() error {
		if err := work(); err != nil {
			return err
		}
		return s.setFloors(is)
	})
	return is, err
}

// sweep is a walk over all resources that drops what lies below the floors.
type sweep struct {
	floors   *floors
	only     string // type; "": all
	dry      bool
	progress func(done, total uint64)

	runs map[runNo]bool // that lie below the floors: their sets will go
	next rid
}

// sweep drops what the floors do not need. It may be cut short anywhere.
func (s *Store) sweep(ctx context.Context, job *sweep, p *history.Pruned) error {
	// What was recorded before the floors were raised is merged; nothing below
	// them comes after it.
	if err := s.forgetLatest(); err != nil {
		return err
	}
	if err := s.Merge(); err != nil {
		return gone(err)
	}
	s.mu.RLock()
	total := s.mark.rids
	job.runs = map[runNo]bool{}
	for _, r := range s.runs {
		job.runs[r.no] = job.only == "" && r.below(job.floors)
	}
	s.mu.RUnlock()
	for job.next = 1; job.next != 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.sweepSlice(job, p); err != nil {
			return err
		}
		if job.progress != nil {
			done := job.next - 1
			if job.next == 0 {
				done = total
			}
			job.progress(uint64(min(done, total)), uint64(total))
		}
	}
	if job.dry {
		return nil
	}
	if err := s.sweepLinks(ctx, job); err != nil {
		return err
	}
	if job.only == "" {
		if err := s.sweepRest(ctx, job); err != nil {
			return err
		}
	}
	return s.alone(func() error {
		f := &floors{Floors: job.floors.Floors, swept: true}
		return s.setFloors(f)
	})
}

// below reports whether a run lies entirely below the floors: what it saw tells
// nothing any more but when resources were last seen.
func (r *runRecord) below(f *floors) bool {
	return r.to < f.Captured && (r.State == history.RunAborted || r.Moment < f.Captured)
}

// sweepSlice takes the next resources, as many as a merge's slice.
func (s *Store) sweepSlice(job *sweep, p *history.Pruned) error {
	s.upkeep.slice.Lock()
	defer s.upkeep.slice.Unlock()
	return s.betweenMerges(func() error {
		var going []rid
		writes := &puts{}
		err := s.mergedView(func(v *view) error {
			size := 0
			c := v.tx.Bucket(bucketHeads).Cursor()
			k, _ := c.Seek(ridKey(job.next))
			for n := 0; k != nil && n < mergeResources && size < mergeSlice; n++ {
				r := parseRid(k)
				bytes, goes, err := v.prune(job, r, writes, p)
				if err != nil {
					return err
				}
				if size += bytes; goes {
					going = append(going, r)
				}
				k, _ = c.Next()
			}
			if job.next = 0; k != nil {
				job.next = parseRid(k)
			}
			if err := writes.addSightings(v); err != nil {
				return err
			}
			return writes.addSpans(v)
		})
		if err != nil || job.dry {
			return err
		}
		if len(writes.list)+len(writes.deletes) > 0 {
			if err := s.write(writes); err != nil {
				return err
			}
		}
		if len(going) == 0 {
			return nil
		}
		return s.alone(func() error { return s.remove(job, going, p) })
	})
}
