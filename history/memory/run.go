package memory

import (
	"context"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// OpenRun implements history.Store.
func (s *Store) OpenRun(_ context.Context, r history.Run) (history.Run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return history.Run{}, errClosed
	}
	opened, err := plan.OpenRun(r, s.now(), s.o.FutureSlack)
	if err != nil {
		return history.Run{}, err
	}
	if s.runs[r.ID] != nil {
		return history.Run{}, plan.RunExists(r.ID)
	}
	if err := plan.Opens(&s.floors, &opened); err != nil {
		return history.Run{}, err
	}
	in := &run{Run: copyRun(opened), seen: map[history.Key]bool{}}
	s.runs[r.ID] = in
	s.opened = append(s.opened, in)
	return copyRun(opened), nil
}

// CloseRun implements history.Store.
func (s *Store) CloseRun(_ context.Context, id history.RunID, how history.Disposal, reason string) (history.Run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return history.Run{}, errClosed
	}
	r := s.runs[id]
	if r == nil {
		return history.Run{}, noRun(id)
	}
	now := s.now()
	shown := s.show(r)
	if done, err := plan.Disposed(&shown, how, now); done || err != nil {
		return shown, err
	}
	if how == history.Abort {
		r.State, r.ClosedAt, r.Reason = history.RunAborted, now, reason
		return copyRun(r.Run), nil
	}

	stamp := plan.Stamp{Revision: s.head.Revision + 1, RecordedAt: now}
	missed := map[*resource]plan.Outcome{}
	var alive uint64
	for _, k := range s.keys {
		res := s.resources[k]
		if !r.Scope.Covers(k) || r.Moment < s.floors.Of(k.Type) {
			continue
		}
		if p := plan.Locate(res.Rows, r.Moment-1, s.head.Revision); p.Row != nil && !p.Row.Deleted {
			alive++
		}
		if r.seen[k] {
			continue
		}
		w := res.Window(r.Moment, plan.With(s.gone(k), r.Moment))
		if out := plan.Miss(w, stamp); len(out.Changes) > 0 {
			missed[res] = out
		}
	}
	if err := plan.Greedy(&r.Run, how, uint64(len(missed)), alive); err != nil {
		return history.Run{}, err
	}
	for _, k := range s.keys {
		if out, ok := missed[s.resources[k]]; ok {
			s.apply(s.resources[k], out, stamp, content{})
		}
	}
	s.head = stamp
	r.State, r.ClosedAt, r.Deleted = history.RunComplete, now, uint64(len(missed))
	s.commit()
	return copyRun(r.Run), nil
}

// Run implements history.Store.
func (s *Store) Run(_ context.Context, id history.RunID) (history.Run, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return history.Run{}, errClosed
	}
	if r := s.runs[id]; r != nil {
		return s.show(r), nil
	}
	return history.Run{}, noRun(id)
}

// Runs implements history.Store.
func (s *Store) Runs(_ context.Context, after history.RunID, limit int) ([]history.Run, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, false, errClosed
	}
	if after != "" && s.runs[after] == nil {
		return nil, false, noRun(after)
	}
	var list []history.Run
	started := after == ""
	for i := len(s.opened) - 1; i >= 0; i-- {
		switch r := s.opened[i]; {
		case !started:
			started = r.ID == after
		case len(list) == limit:
			return list, true, nil
		default:
			list = append(list, s.show(r))
		}
	}
	return list, false, nil
}

// show is a run as it stands now.
func (s *Store) show(r *run) history.Run {
	shown := copyRun(r.Run)
	plan.Expire(&shown, s.now())
	return shown
}

func copyRun(r history.Run) history.Run {
	r.Scope.Accounts = slices.Clone(r.Scope.Accounts)
	r.Scope.Regions = slices.Clone(r.Scope.Regions)
	r.Scope.Types = slices.Clone(r.Scope.Types)
	return r
}

func noRun(id history.RunID) error { return plan.NoRun(id) }
