package engine

import (
	"context"
	"errors"

	"github.com/varvehq/varve/history"
)

const (
	jobsAtOnce  = 128
	appendsMost = 1000   // observations at once, but for those of one verdict
	recutMost   = 20_000 // of one verdict
)

// work does jobs until ctx ends.
func (e *Engine) work(ctx context.Context) {
	for {
		jobs, err := e.queue.take(ctx, jobsAtOnce, e.o.Workers)
		if err != nil {
			return
		}
		if err := e.evaluate(ctx, jobs); err == nil {
			e.queue.done(jobs)
			continue
		}
		// One that fails must not hold up the others.
		var failed error
		for _, j := range jobs {
			err := e.evaluate(ctx, []*job{j})
			if errors.Is(err, history.DataLoss) {
				e.leaveOut(j.key, err)
				err = nil
			}
			if err != nil {
				failed = err
				e.queue.again(j)
				continue
			}
			e.queue.done([]*job{j})
		}
		if ctx.Err() != nil {
			return
		}
		e.failed(failed)
		if failed != nil {
			pause(ctx, retryAfter)
		}
	}
}

// evaluate judges resources and records what differs.
func (e *Engine) evaluate(ctx context.Context, jobs []*job) error {
	began := e.depends.begin()
	defer func() {
		for _, batch := range e.depends.end(began) {
			e.queue.release(batch)
		}
	}()
	s, err := NewSession(ctx, e.store, e.o.Graph, e.cache, 0, e.now())
	if err != nil {
		return err
	}
	var list []*wanted
	for _, j := range jobs {
		if list, err = e.judge(ctx, s, j, began, list); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		return nil
	}
	list, are, err := e.stored(ctx, s, list)
	if err != nil {
		return err
	}
	var recuts [][]history.Observation
	newest := make([]step, len(list))
	for i, w := range list {
		differ, last := w.differences(are[i], s.known)
		newest[i] = last
		if len(differ) > 0 {
			recuts = append(recuts, differ)
			e.recorded.Put(w.key, step{from: history.Newest}, stepBytes) // until it is known to be recorded
		}
	}
	lost := map[history.Key]bool{}
	if err := e.record(ctx, recuts, lost); err != nil {
		return err
	}
	for i, w := range list {
		if !lost[w.key] {
			e.recorded.Put(w.key, newest[i], stepBytes)
		}
	}
	return nil
}

// judge works out what the rules of a job say.
func (e *Engine) judge(ctx context.Context, s *Session, j *job, began int, list []*wanted) ([]*wanted, error) {
	from := map[*Ruling]history.Moment{}
	least := history.Newest
	want := func(r *Ruling, m history.Moment) {
		if m > s.through {
			e.due.add(m, dependent{r.key(), j.key}) // its time will come
			return
		}
		m = max(m, s.floor)
		if at, ok := from[r]; !ok || m < at {
			from[r] = m
		}
		least = min(least, m)
	}
	if j.all != history.Newest {
		for _, r := range e.rules.judging(j.key) {
			want(r, j.all)
		}
	}
	for rule, m := range j.some {
		if r := e.rules.find(rule); r != nil && r.mayJudge(j.key) {
			want(r, m)
		}
	}
	if len(from) == 0 {
		return list, nil
	}
	of, err := s.lifetime(ctx, j.key, least)
	if errors.Is(err, history.DataLoss) {
		e.leaveOut(j.key, err)
		return list, nil
	}
	if err != nil {
		return list, err
	}
	for r, m := range from {
		t, err := s.timeline(ctx, r, of, m)
		if errors.Is(err, history.DataLoss) { // of what the rule looked at
			e.leaveOut(r.verdictKey(j.key), err)
			continue
		}
		if err != nil {
			return list, err
		}
		e.counted.evaluations.Add(uint64(t.Versions))
		rule := r.key()
		if r.any((*Version).looksAround) {
			for _, missed := range e.depends.note(began, dependent{rule, j.key}, t.Looked) {
				e.queue.add(missed.batch, j.key, &rule, missed.from, true)
			}
		}
		if t.Next != history.Newest {
			e.due.add(t.Next, dependent{rule, j.key})
		}
		list = append(list, &wanted{key: r.verdictKey(j.key), record: Record{Owner: r.Owner, Rule: r.Name, Key: j.key}, from: m, intervals: t.Intervals})
	}
	return list, nil
}

// stored reads what is recorded of verdicts, and leaves those out of which it is
// damaged.
func (e *Engine) stored(ctx context.Context, s *Session, list []*wanted) ([]*wanted, []stored, error) {
	are, err := s.stored(ctx, list, e.recorded)
	if !errors.Is(err, history.DataLoss) {
		return list, are, err
	}
	sound, are := list[:0], nil
	for _, w := range list {
		is, err := s.stored(ctx, []*wanted{w}, e.recorded)
		switch {
		case errors.Is(err, history.DataLoss):
			e.leaveOut(w.key, err)
		case err != nil:
			return nil, nil, err
		default:
			sound, are = append(sound, w), append(are, is...)
		}
	}
	return sound, are, nil
}

// leaveOut notes that a resource, a verdict or an evaluation is stepped over since it
// cannot be read, now or ever; or, without an id, all of a type from some place on. To
// try again would hold up all that comes behind it.
func (e *Engine) leaveOut(k history.Key, err error) {
	e.counted.leftOut.Add(1)
	e.mu.Lock()
	known := e.leftOut[k]
	e.leftOut[k] = true
	e.mu.Unlock()
	if known {
		return // it was logged
	}
	e.o.Logger.Error("not evaluated: what is recorded is damaged", "resource", k.String(), "error", err)
}

// record appends what differs of each of many verdicts. What differs of one is one
// batch, which readers see as a whole, unless that would be very large. Those of which
// what is recorded is damaged are left out, and added to lost.
func (e *Engine) record(ctx context.Context, recuts [][]history.Observation, lost map[history.Key]bool) error {
	var batch []history.Observation
	for _, one := range recuts {
		if len(batch) > 0 && len(batch)+len(one) > appendsMost {
			if err := e.append(ctx, batch, lost); err != nil {
				return err
			}
			batch = nil
		}
		for len(one) > recutMost {
			if err := e.append(ctx, one[:recutMost], lost); err != nil {
				return err
			}
			one = one[recutMost:]
		}
		batch = append(batch, one...)
	}
	if len(batch) == 0 {
		return nil
	}
	return e.append(ctx, batch, lost)
}

// append is one batch. What meanwhile lies below a floor is of no use any more.
func (e *Engine) append(ctx context.Context, list []history.Observation, lost map[history.Key]bool) error {
	receipt, err := e.store.Append(ctx, history.Batch{Observations: list})
	if err != nil {
		return err
	}
	recorded := len(list)
	for i, r := range receipt.Results {
		k := list[i].Key
		switch {
		case r.Err == nil, errors.Is(r.Err, history.Compacted):
		case errors.Is(r.Err, history.DataLoss):
			if recorded--; !lost[k] {
				lost[k] = true
				e.leaveOut(k, r.Err)
			}
		default:
			return r.Err
		}
	}
	e.counted.transitions.Add(uint64(recorded))
	return nil
}
