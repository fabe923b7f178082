package engine

import (
	"context"
	"errors"

	"github.com/varvehq/varve/history"
)

// sweep judges all resources that a rule may have in scope from a moment on; or,
// without a rule, by all rules those of which something is captured from then on.
type sweep struct {
	ruling *Ruling
	from   history.Moment

	batch int
	done  int // resources looked at
}

// Sweep tells of a rule that is evaluated over many resources.
type Sweep struct {
	Rule history.Key
	From history.Moment
	Done int // resources that were looked at so far
}

const (
	sweepPage = 4096
	sweepRoom = 4 * sweepPage
)

// Sweeps are under way.
func (e *Engine) Sweeps() []Sweep {
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []Sweep
	for s := range e.open {
		if s.ruling != nil {
			list = append(list, Sweep{Rule: s.ruling.key(), From: s.from, Done: s.done})
		}
	}
	return list
}

// sweep begins a sweep, which a batch waits for, or puts it off until its moment
// has come. Run waits for its end.
func (e *Engine) sweep(ctx context.Context, batch int, s *sweep) {
	if s.ruling != nil && s.from > e.now() {
		e.due.add(s.from, dependent{rule: s.ruling.key()})
		return
	}
	s.batch = batch
	e.queue.hold(batch)
	e.mu.Lock()
	e.open[s] = struct{}{}
	e.mu.Unlock()
	e.group.Go(func() {
		for {
			err := e.sweepOver(ctx, s)
			if ctx.Err() != nil {
				return // the batch stays open
			}
			if err == nil {
				break
			}
			e.failed(err)
			pause(ctx, retryAfter)
		}
		e.mu.Lock()
		delete(e.open, s)
		e.mu.Unlock()
		e.queue.release(s.batch)
	})
}

func (e *Engine) sweepOver(ctx context.Context, s *sweep) error {
	types := []string{""}
	var rule *history.Key
	if s.ruling != nil {
		k := s.ruling.key()
		rule = &k
		if named := s.ruling.types(); len(named) > 0 {
			types = named
		}
	}
	// Nothing of what a moment in the future holds is left out.
	r, err := e.store.AsOf(ctx, history.At{Captured: history.Newest})
	if err != nil {
		return err
	}
	for _, typ := range types {
		q := history.Query{Type: typ, Deleted: true, Fields: history.FieldsKey}
		err := e.sweepItems(ctx, r, q, func(items []history.Item) {
			for i := range items {
				if s.wants(&items[i]) {
					e.queue.add(s.batch, items[i].Key, rule, s.from, false)
				}
			}
			e.mu.Lock()
			s.done += len(items)
			e.mu.Unlock()
		})
		if err != nil {
			return err
		}
	}
	if s.ruling != nil && s.ruling.external() {
		return e.sweepEvaluated(ctx, r, s)
	}
	return nil
}

// sweepEvaluated goes over what evaluations were put on: not all of it is recorded.
func (e *Engine) sweepEvaluated(ctx context.Context, r history.Reader, s *sweep) error {
	rule := s.ruling.key()
	q := history.Query{Type: TypeEvaluation, IDPrefix: s.ruling.verdictPrefix(), Deleted: true}
	return e.sweepItems(ctx, r, q, func(items []history.Item) {
		for i := range items {
			if put, err := ReadRecord(&items[i]); err == nil && s.ruling.mayJudge(put.Key) {
				e.queue.add(s.batch, put.Key, &rule, s.from, false)
			}
		}
	})
}

// sweepItems calls f with page after page of what a query selects, as there is room in
// the queue. What is damaged is stepped over; if that cannot be, the rest is left out.
func (e *Engine) sweepItems(ctx context.Context, r history.Reader, q history.Query, f func([]history.Item)) error {
	sound := history.Sound{Reader: r, Lost: map[history.Key]error{}}
	q.Limit = sweepPage
	for more := true; more; {
		if err := e.queue.room(ctx, sweepRoom); err != nil {
			return err
		}
		var items []history.Item
		var err error
		items, more, err = sound.Items(ctx, q)
		if errors.Is(err, history.DataLoss) {
			e.leaveOut(history.Key{Type: q.Type, ID: q.IDPrefix}, err)
			return nil
		}
		if err != nil {
			return err
		}
		f(items)
		if n := len(items); n > 0 {
			q.After = &items[n-1].Key
		}
	}
	return nil
}

// wants reports whether there is anything to judge of a resource, whose newest
// version this is; without a number: of which nothing can be told but its key.
func (s *sweep) wants(i *history.Item) bool {
	if s.ruling == nil {
		return i.CapturedAt >= s.from || i.Version == 0
	}
	return s.ruling.mayJudge(i.Key) && (!i.State.Deleted || i.CapturedAt > s.from)
}
