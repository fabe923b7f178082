package bolt

import (
	"context"
	"errors"
	"sync"

	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/varvehq/varve/history"
)

// upkeep is what changes merged resources other than the merger: pruning,
// erasing, folding. It goes in slices, each of which takes turns with merges;
// commits are made meanwhile. Locks are taken in this order: whole, slice, the
// merger's; last comes a turn of the writer's goroutine.
type upkeep struct {
	whole sync.RWMutex // one prune after another, and none while the store is copied
	slice sync.Mutex   // one slice of any upkeep at a time

	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// start goes on with a prune that was cut short when the store was last open.
func (u *upkeep) start(s *Store) {
	u.ctx, u.cancel = context.WithCancel(context.Background())
	if s.floors.Load().swept {
		return
	}
	u.done.Go(func() {
		u.whole.Lock()
		defer u.whole.Unlock()
		var p history.Pruned
		err := s.sweep(u.ctx, &sweep{floors: s.floors.Load()}, &p)
		if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, history.Unavailable) {
			s.o.Logger.Error("finishing a prune", "error", err)
		}
	})
}

func (u *upkeep) stop() {
	u.cancel()
	u.done.Wait()
}

// betweenMerges calls f while no merge is under way or half done: nobody else
// changes what is merged.
func (s *Store) betweenMerges(f func() error) error {
	s.merger.calls.Add(1)
	defer s.merger.calls.Add(-1)
	for {
		s.merger.one.Lock()
		s.mu.RLock()
		half, closed := s.merging != nil, s.closed
		s.mu.RUnlock()
		if !half || closed {
			defer s.merger.one.Unlock()
			if closed {
				return errClosed
			}
			return gone(f())
		}
		s.merger.one.Unlock()
		if err := s.Merge(); err != nil {
			return err
		}
	}
}

// write carries prepared writes out.
func (s *Store) write(p *puts) error {
	done, written := false, s.sighted.writing(p.sighted)
	defer func() { written(done) }()
	err := s.writeTx(p.put)
	done = err == nil
	return err
}

// alone has the writer's goroutine do something between two commits, even while
// it is held up because merges are behind.
func (s *Store) alone(f func() error) error {
	var err error
	done := make(chan struct{})
	work := func() {
		defer close(done)
		err = f()
	}
	select {
	case s.writer.turn <- work:
		<-done
		return gone(err)
	case <-s.writer.done:
		return errClosed
	}
}

// forgetLatest makes sure that what is recorded from now on is no delta from what
// was recorded before.
func (s *Store) forgetLatest() error {
	return s.alone(func() error {
		s.latest.Forget()
		return nil
	})
}

// gone tells of a file that was closed underneath.
func gone(err error) error {
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return errClosed
	}
	return err
}

// inTails reports whether a tail holds anything of a resource.
func (v *view) inTails(r rid) bool {
	v.s.mu.RLock()
	defer v.s.mu.RUnlock()
	for _, t := range v.tails {
		if _, named := t.keys[r]; named || t.resources[r] != nil {
			return true
		}
		for _, s := range t.sights {
			if s.has(r) {
				return true
			}
		}
	}
	return false
}

// mergedView is a view of what is merged alone.
func (s *Store) mergedView(f func(*view) error) error {
	return s.view(func(v *view) error {
		v.tails = nil
		return f(v)
	})
}
