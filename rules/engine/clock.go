package engine

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/varvehq/varve/history"
)

// due are verdicts that what is known of the future may change, by moment; those
// without a resource are all of a rule.
type due struct {
	sooner func() // called when something is due sooner than all that was

	mu   sync.Mutex
	heap moments
}

type dueAt struct {
	at history.Moment
	of dependent
}

type moments []dueAt

func (m moments) Len() int           { return len(m) }
func (m moments) Less(i, j int) bool { return m[i].at < m[j].at }
func (m moments) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *moments) Push(x any)        { *m = append(*m, x.(dueAt)) }
func (m *moments) Pop() any {
	old := *m
	last := old[len(old)-1]
	*m = old[:len(old)-1]
	return last
}

func (d *due) add(at history.Moment, of dependent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	heap.Push(&d.heap, dueAt{at, of})
	if d.heap[0] == (dueAt{at, of}) {
		d.sooner()
	}
}

// until takes what is due at a moment, and says when more will be.
func (d *due) until(now history.Moment) (list []dueAt, next history.Moment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.heap) > 0 && d.heap[0].at <= now {
		list = append(list, heap.Pop(&d.heap).(dueAt))
	}
	if len(d.heap) == 0 {
		return list, history.Newest
	}
	return list, d.heap[0].at
}

// lookWait is for how long the clock is not looked at.
const lookWait = time.Minute

// watch looks at the clock: at ticks of rules that read it, and where something
// that is known of the future has come. What is asked to be evaluated anew goes along.
func (e *Engine) watch(ctx context.Context) {
	looked := e.EvaluatedThrough().Time
	for {
		now := e.now()
		batch := e.queue.open(func(t *Through) { t.Time = now })
		next := history.Newest
		for _, r := range e.rules.list() {
			from, after := r.ticked(looked, now)
			if from != 0 && looked != 0 {
				e.sweep(ctx, batch, &sweep{ruling: r, from: from})
			}
			next = min(next, after)
		}
		for _, r := range e.takeAsked() {
			e.sweep(ctx, batch, &sweep{ruling: r, from: now})
		}
		list, later := e.due.until(now)
		for _, d := range list {
			if d.of.key != (history.Key{}) {
				e.queue.add(batch, d.of.key, &d.of.rule, d.at, true)
			} else if r := e.rules.find(d.of.rule); r != nil {
				e.sweep(ctx, batch, &sweep{ruling: r, from: d.at})
			}
		}
		e.queue.release(batch)
		looked, next = now, min(next, later)

		wait := lookWait
		if next != history.Newest {
			wait = min(wait, max(0, time.Duration(next-e.now())*time.Microsecond))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case <-e.poked:
			timer.Stop()
		}
	}
}

// ticked is the first tick after one moment and not after another at which a
// version in force reads the clock (zero: none), and the first after that.
func (r *Ruling) ticked(after, now history.Moment) (first, next history.Moment) {
	next = history.Newest
	for _, t := range r.tenures() {
		if !t.needs().Clock {
			continue
		}
		period := t.period()
		tick := func(after history.Moment) history.Moment {
			return tickAt(max(after, t.from), period) + period
		}
		if at := tick(after); at <= now && at < t.to && (first == 0 || at < first) {
			first = at
		}
		if at := tick(now); at < t.to {
			next = min(next, at)
		}
	}
	return first, next
}
