package bolt

import (
	"context"
	"errors"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// gone tells which completed runs missed a resource, looking only at those
// whose moment is asked about. An error in doing so is left in *failed.
func (w *writer) gone(v *view, k history.Key, r rid, failed *error) plan.Gone {
	return func(after, before history.Moment) []history.Moment {
		var missed []history.Moment
		for no := runNo(1); no <= w.mark.runs; no++ {
			run := w.pending.runs[no]
			if run == nil {
				run = w.s.runs[no-1]
			}
			if run.State != history.RunComplete || run.Moment <= after || run.Moment >= before || run.Moment < v.floors.Of(k.Type) || !run.Scope.Covers(k) {
				continue
			}
			found, err := v.seen(run.no, r)
			if err != nil {
				*failed = err
			}
			if len(found) == 0 {
				missed = append(missed, run.Moment)
			}
		}
		slices.Sort(missed)
		return missed
	}
}

// OpenRun implements history.Store.
func (s *Store) OpenRun(ctx context.Context, r history.Run) (history.Run, error) {
	var opened history.Run
	r = copyRun(&r) // the caller may be gone when the writer comes to it
	err := s.writer.do(ctx, &request{plan: func(v *view) (err error) {
		opened, err = s.writer.openRun(v, r)
		return err
	}})
	if err != nil {
		return history.Run{}, err
	}
	return opened, nil
}

func (w *writer) openRun(v *view, r history.Run) (history.Run, error) {
	opened, err := plan.OpenRun(r, w.now, w.s.o.FutureSlack)
	if err != nil {
		return history.Run{}, err
	}
	if w.run(r.ID) != nil {
		return history.Run{}, plan.RunExists(r.ID)
	}
	if err := plan.Opens(&v.floors.Floors, &opened); err != nil {
		return history.Run{}, err
	}
	w.mark.runs++
	w.pending.runs[w.mark.runs] = &runRecord{Run: opened, no: w.mark.runs}
	return copyRun(&opened), nil
}

// run finds a run as the commit under way would leave it.
func (w *writer) run(id history.RunID) *runRecord {
	for _, r := range w.pending.runs {
		if r.ID == id {
			return r
		}
	}
	if no, ok := w.s.runByID[id]; ok {
		return w.s.runs[no-1]
	}
	return nil
}

// changeRun gives the commit under way a copy of a run to change.
func (w *writer) changeRun(r *runRecord) *runRecord {
	if p := w.pending.runs[r.no]; p != nil {
		return p
	}
	p := *r
	w.pending.runs[r.no] = &p
	return &p
}

func (w *writer) joinRun(id history.RunID) (*runRecord, error) {
	r := w.run(id)
	if r == nil {
		return nil, plan.NoRun(id)
	}
	if err := plan.Joins(&r.Run, w.now); err != nil {
		return nil, err
	}
	return w.changeRun(r), nil
}

// CloseRun implements history.Store.
func (s *Store) CloseRun(ctx context.Context, id history.RunID, how history.Disposal, reason string) (history.Run, error) {
	var run history.Run
	err := s.writer.do(ctx, &request{plan: func(v *view) (err error) {
		run, err = s.writer.closeRun(v, id, how, reason)
		return err
	}})
	if err != nil {
		return history.Run{}, err
	}
	return run, nil
}

func (w *writer) closeRun(v *view, id history.RunID, how history.Disposal, reason string) (history.Run, error) {
	r := w.run(id)
	if r == nil {
		return history.Run{}, plan.NoRun(id)
	}
	shown := copyRun(&r.Run)
	plan.Expire(&shown, w.now)
	if done, err := plan.Disposed(&shown, how, w.now); done || err != nil {
		return shown, err
	}
	if how == history.Abort {
		r = w.changeRun(r)
		r.State, r.ClosedAt, r.Reason = history.RunAborted, w.now, reason
		return copyRun(&r.Run), nil
	}
	stamp := plan.Stamp{Revision: w.mark.revision + 1, RecordedAt: w.now}
	missed, alive, err := w.missed(v, r, stamp)
	if err != nil {
		return history.Run{}, err
	}
	if err := plan.Greedy(&r.Run, how, uint64(len(missed)), alive); err != nil {
		return history.Run{}, err
	}
	w.mark.revision = stamp.Revision
	for _, m := range missed {
		w.apply(m.rid, m.head, m.out, stamp, nil, m.bodies)
		if t := w.timelines[m.rid]; t != nil {
			t.Apply(&m.out, plan.Sighting{Rev: stamp.Revision})
		}
	}
	r = w.changeRun(r)
	r.State, r.ClosedAt, r.Deleted = history.RunComplete, w.now, uint64(len(missed))
	w.completedTo = max(w.completedTo, r.Moment)
	return copyRun(&r.Run), nil
}

// miss is what a completed run does to a resource it missed.
type miss struct {
	rid    rid
	head   *head
	out    plan.Outcome
	bodies map[uint32][]byte
}

// missed plans the deletions of a run, in key order, and counts what lived in
// its scope just before.
func (w *writer) missed(v *view, run *runRecord, stamp plan.Stamp) (missed []miss, alive uint64, err error) {
	seen, err := v.seenInRun(run.no)
	if err != nil {
		return nil, 0, err
	}
	err = v.eachKey(nil, &history.Query{}, func(e *entry) error {
		k, r := e.Key, e.rid
		if !run.Scope.Covers(k) || run.Moment < v.floors.Of(k.Type) {
			return nil
		}
		before, err := v.stand(r, run.Moment-1, w.mark.revision)
		if err != nil {
			return err
		}
		if before.number == 0 || before.deleted {
			return nil // not alive just before
		}
		alive++
		if seen[r] {
			return nil
		}
		t, err := w.timeline(v, r)
		if err != nil {
			return err
		}
		var failed error
		window := t.Window(run.Moment, plan.With(w.gone(v, k, r, &failed), run.Moment))
		if err := errors.Join(failed, borneOut(&window, r)); err != nil {
			return err
		}
		out := plan.Miss(window, stamp)
		if len(out.Changes) == 0 {
			return nil
		}
		bodies, err := resumed(v, r, out)
		if err != nil {
			return err
		}
		h, err := w.head(v, r, false)
		if err != nil {
			return err
		}
		missed = append(missed, miss{r, h, out, bodies})
		return nil
	})
	return missed, alive, err
}

// Run implements history.Store.
func (s *Store) Run(_ context.Context, id history.RunID) (history.Run, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return history.Run{}, errClosed
	}
	no, ok := s.runByID[id]
	if !ok {
		return history.Run{}, plan.NoRun(id)
	}
	return s.show(s.runs[no-1]), nil
}

// Runs implements history.Store.
func (s *Store) Runs(_ context.Context, after history.RunID, limit int) ([]history.Run, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, false, errClosed
	}
	last := len(s.runs)
	if after != "" {
		no, ok := s.runByID[after]
		if !ok {
			return nil, false, plan.NoRun(after)
		}
		last = int(no) - 1
	}
	var list []history.Run
	for last > 0 && len(list) < limit {
		last--
		list = append(list, s.show(s.runs[last]))
	}
	return list, last > 0, nil
}

// show is a run as it stands now.
func (s *Store) show(r *runRecord) history.Run {
	shown := copyRun(&r.Run)
	plan.Expire(&shown, max(history.MomentOf(s.o.Now()), s.mark.recordedAt))
	return shown
}

func copyRun(r *history.Run) history.Run {
	c := *r
	c.Scope = history.Scope{
		Accounts: slices.Clone(r.Scope.Accounts), Regions: slices.Clone(r.Scope.Regions), Types: slices.Clone(r.Scope.Types),
	}
	return c
}
