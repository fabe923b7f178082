package engine

import (
	"context"
	"errors"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

const (
	changesAtOnce = 1000
	feedWait      = time.Minute
	retryAfter    = time.Second
	dependsFresh  = 64 // more dependents of one change than this have to wait for their turn
)

// follow reads the feed and asks for what has to be judged again.
func (e *Engine) follow(ctx context.Context) error {
	e.queue.mu.Lock()
	after := e.queue.opened.Position
	e.queue.mu.Unlock()
	for ctx.Err() == nil {
		changes, position, err := e.store.Changes(ctx, after, changesAtOnce, feedWait)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, history.Unavailable):
			return err
		case errors.Is(err, history.Compacted):
			// What followed was pruned: all that is left is looked at anew.
			if position, err = e.anew(ctx); err == nil {
				after = position
				continue
			}
		}
		if err != nil {
			e.failed(err)
			pause(ctx, retryAfter)
			continue
		}
		if len(changes) == 0 && position == after {
			continue
		}
		batch := e.queue.open(func(t *Through) {
			t.Position = position
			if n := len(changes); n > 0 {
				t.Seq, t.Revision = changes[n-1].Seq, changes[n-1].Revision
			}
		})
		for i := range changes {
			for {
				if err = e.change(ctx, batch, &changes[i]); err == nil || ctx.Err() != nil {
					break
				}
				e.failed(err)
				pause(ctx, retryAfter)
			}
		}
		if ctx.Err() != nil {
			return nil // the batch stays open: it is read again
		}
		e.queue.release(batch)
		after = position
	}
	return nil
}

// anew evaluates everything, and goes on at the end of the feed.
func (e *Engine) anew(ctx context.Context) (history.Position, error) {
	head, err := e.store.Head(ctx)
	if err != nil {
		return "", err
	}
	r, err := e.store.AsOf(ctx, history.At{})
	if err != nil {
		return "", err
	}
	if err := e.rules.load(ctx, r); err != nil {
		return "", err
	}
	batch := e.queue.open(func(t *Through) { t.Position, t.Seq, t.Revision = head.Position, 0, head.Revision })
	for _, r := range e.rules.list() {
		e.sweep(ctx, batch, &sweep{ruling: r, from: history.FirstMoment})
	}
	e.queue.release(batch)
	return head.Position, nil
}

// change asks for what one change makes necessary.
func (e *Engine) change(ctx context.Context, batch int, c *history.Change) error {
	switch {
	case c.Key.Type == rules.TypeRule:
		return e.ruleChanged(ctx, batch, c)
	case c.Key.Type == TypeEvaluation:
		return e.evaluationPut(ctx, batch, c)
	case history.Reserved(c.Key.Type):
		return nil
	}
	if len(e.rules.judging(c.Key)) > 0 {
		e.queue.add(batch, c.Key, nil, c.CapturedAt, true)
	}
	if !e.rules.looksAround() {
		return nil
	}
	t := touch{batch: batch, from: c.CapturedAt, looks: []Look{{Key: c.Key}, {Type: c.Key.Type}}}
	if e.o.Graph != nil {
		before, after, err := e.sides(ctx, c)
		if err != nil {
			return err
		}
		for _, p := range e.o.Graph.Touched(c.Key, before, after) {
			t.looks = append(t.looks, Look{Place: p})
		}
	}
	list, kept := e.depends.touch(t)
	if kept {
		e.queue.hold(batch)
	}
	for _, d := range list {
		e.queue.add(batch, d.key, &d.rule, c.CapturedAt, len(list) <= dependsFresh)
	}
	return nil
}

// sides are the states at a change's captured moment as known before it and with
// it; nil: there was none.
func (e *Engine) sides(ctx context.Context, c *history.Change) (before, after *history.State, err error) {
	state := func(known history.Revision) (*history.State, error) {
		if known == 0 {
			return nil, nil
		}
		r, err := e.store.AsOf(ctx, history.At{Captured: c.CapturedAt, Known: known})
		if err != nil {
			return nil, err
		}
		items, err := r.Get(ctx, []history.Key{c.Key}, history.FieldsAll)
		if err != nil || !items[0].Exists() {
			return nil, err
		}
		return &items[0].State, nil
	}
	if after, err = state(c.Revision); err == nil {
		before, err = state(c.Revision - 1)
	}
	if errors.Is(err, history.Compacted) {
		// It was pruned meanwhile; what is left tells of one side.
		return nil, after, nil
	}
	return before, after, err
}

// ruleChanged evaluates a rule from when on its new version, or its end, counts.
func (e *Engine) ruleChanged(ctx context.Context, batch int, c *history.Change) error {
	r, err := e.store.AsOf(ctx, history.At{})
	if err != nil {
		return err
	}
	ruling, err := e.rules.reload(ctx, r, c.Key)
	if err != nil || ruling == nil {
		return err
	}
	from := c.CapturedAt
	for _, v := range ruling.Versions {
		if v.Number == c.Version {
			from = v.From
		}
	}
	e.sweep(ctx, batch, &sweep{ruling: ruling, from: from})
	e.Poke() // its first tick may be the next one
	return nil
}

func (e *Engine) evaluationPut(ctx context.Context, batch int, c *history.Change) error {
	r, err := e.store.AsOf(ctx, history.At{})
	if err != nil {
		return err
	}
	i, err := r.Version(ctx, c.Key, c.Version)
	switch {
	case errors.Is(err, history.NotFound):
		return nil // pruned, or replaced by one that begins earlier and tells the same
	case err != nil:
		return err
	case !i.Exists():
		return nil
	}
	put, err := ReadRecord(&i)
	if err != nil {
		return err
	}
	rule := RuleKey(put.Owner, put.Rule)
	e.queue.add(batch, put.Key, &rule, c.CapturedAt, true)
	return nil
}
