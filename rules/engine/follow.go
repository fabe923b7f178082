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
		case errors.Is(err, history.Compacted), errors.Is(err, history.DataLoss):
			// What followed was pruned, or is damaged: all that is left is looked at anew.
			e.o.Logger.Warn("all is evaluated anew: what was recorded since cannot be told", "error", err)
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
				if err = e.change(ctx, batch, &changes[i]); errors.Is(err, history.DataLoss) {
					e.leaveOut(changes[i].Key, err)
					break
				}
				if err == nil || ctx.Err() != nil {
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
		befores, after, err := e.sides(ctx, c)
		if err != nil {
			return err
		}
		for _, before := range befores {
			for _, p := range e.o.Graph.Touched(c.Key, before, after) {
				t.looks = append(t.looks, Look{Place: p})
			}
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

// sides are the state that a change made, and those that were known before it of the
// span of time over which it holds; nil: there was none. That it makes a difference
// where it begins is not said: evidence at the moment at which the resource was taken
// to be gone, of the state before that, makes one version of both.
func (e *Engine) sides(ctx context.Context, c *history.Change) (befores []*history.State, after *history.State, err error) {
	now, _, err := e.versionAt(ctx, c, c.Revision)
	var was history.Item
	var r history.Reader
	if err == nil && c.Revision > 1 {
		was, r, err = e.versionAt(ctx, c, c.Revision-1)
	}
	list := []history.Item{was}
	if err == nil && r != nil && (was.Version == 0 || was.Until < now.Until) {
		q := history.HistoryQuery{From: c.CapturedAt + 1}
		if now.Until != history.Newest {
			q.To = now.Until
		}
		var within []history.Item
		within, _, err = r.History(ctx, c.Key, q)
		list = append(list, within...)
	}
	after = stateOf(&now)
	if errors.Is(err, history.Compacted) || errors.Is(err, history.DataLoss) {
		// It was pruned meanwhile, or is damaged; what is left tells of one side at most.
		return []*history.State{nil}, after, nil
	}
	for i := range list {
		befores = append(befores, stateOf(&list[i]))
	}
	return befores, after, err
}

// stateOf is the state of a version; nil: there is nothing, or it is gone.
func stateOf(i *history.Item) *history.State {
	if !i.Exists() {
		return nil
	}
	return &i.State
}

// versionAt reads the version at the moment that a change is about, as it was known at
// a revision.
func (e *Engine) versionAt(ctx context.Context, c *history.Change, known history.Revision) (history.Item, history.Reader, error) {
	r, err := e.store.AsOf(ctx, history.At{Captured: c.CapturedAt, Known: known})
	if err != nil {
		return history.Item{}, nil, err
	}
	items, err := r.Get(ctx, []history.Key{c.Key}, history.FieldsAll)
	if err != nil {
		return history.Item{}, nil, err
	}
	return items[0], r, nil
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
	var put Record
	if err == nil && i.Exists() {
		put, err = ReadRecord(&i)
	}
	switch {
	case errors.Is(err, history.NotFound):
		return nil // pruned, or replaced by one that begins earlier and tells the same
	case errors.Is(err, history.DataLoss):
		e.leaveOut(c.Key, err)
		return nil
	case err != nil:
		return err
	case !i.Exists():
		return nil
	}
	rule := RuleKey(put.Owner, put.Rule)
	e.queue.add(batch, put.Key, &rule, c.CapturedAt, true)
	return nil
}
