package engine

import (
	"context"
	"sync"

	"github.com/varvehq/varve/history"
)

// Through is how far verdicts have come: they are those of everything recorded
// up to Position, and of the clock up to Time.
type Through struct {
	Position history.Position
	Seq      history.Seq // of the last change before Position; zero: not known
	Revision history.Revision
	Time     history.Moment
}

// job is a resource that is to be judged again from a moment on.
type job struct {
	key  history.Key
	all  history.Moment                 // by all rules; Newest: by none
	some map[history.Key]history.Moment // by rule
	hold int                            // the batch that waits for it: the earliest of those that asked
}

// queue are the jobs that are to be done, one for each resource, and how far they
// have been done. A job that is under way is not changed: what comes meanwhile is
// another one, which begins after it.
type queue struct {
	mu      sync.Mutex
	changed chan struct{} // closed and renewed by whatever somebody may wait for

	waiting map[history.Key]*job
	running map[history.Key]bool
	parked  map[history.Key]bool // waiting for one that is running
	fresh   []history.Key        // in turn; some may have gone
	back    []history.Key        // those that may wait
	turns   int

	through Through // all of this is done
	opened  Through // as the batch opened last has it
	batches []*batch
	first   int // number of batches[0]
}

// batch is what was read of the feed at once, or a look at the clock.
type batch struct {
	through Through
	holds   int
}

func newQueue(through Through) *queue {
	return &queue{
		changed: make(chan struct{}), waiting: map[history.Key]*job{}, running: map[history.Key]bool{}, parked: map[history.Key]bool{},
		through: through, opened: through,
	}
}

// signal wakes all that wait. The lock is held.
func (q *queue) signal() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// open begins a batch, held until release is called for it, which goes further
// than the one before it.
func (q *queue) open(further func(*Through)) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	further(&q.opened)
	q.batches = append(q.batches, &batch{through: q.opened, holds: 1})
	return q.first + len(q.batches) - 1
}

// hold makes a batch wait for one release more.
func (q *queue) hold(batch int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.batches[batch-q.first].holds++
}

func (q *queue) release(batch int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(batch)
}

func (q *queue) drop(batch int) {
	q.batches[batch-q.first].holds--
	for len(q.batches) > 0 && q.batches[0].holds == 0 {
		q.through = q.batches[0].through
		q.batches, q.first = q.batches[1:], q.first+1
		q.signal()
	}
}

// add asks for a resource to be judged from a moment on, by one rule or by all.
// The batch waits for it.
func (q *queue) add(batch int, k history.Key, rule *history.Key, from history.Moment, fresh bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	from = max(from, history.FirstMoment)
	j := q.waiting[k]
	if j == nil {
		j = &job{key: k, all: history.Newest, hold: batch}
		q.batches[batch-q.first].holds++
		q.waiting[k] = j
		fifo := &q.back
		if fresh {
			fifo = &q.fresh
		}
		*fifo = append(*fifo, k)
		q.signal()
	} else {
		if batch < j.hold { // the earlier one waits; the other comes after it anyway
			q.batches[batch-q.first].holds++
			q.drop(j.hold)
			j.hold = batch
		}
		if fresh && !q.parked[k] {
			q.fresh = append(q.fresh, k)
		}
	}
	if rule == nil {
		j.all = min(j.all, from)
		return
	}
	if j.some == nil {
		j.some = map[history.Key]history.Moment{}
	}
	if at, ok := j.some[*rule]; !ok || from < at {
		j.some[*rule] = from
	}
}

// take waits for jobs, and takes up to so many of them: those that may wait get
// their turn too.
func (q *queue) take(ctx context.Context, most, takers int) ([]*job, error) {
	for {
		q.mu.Lock()
		q.turns++
		n := max(1, min(most, (len(q.waiting)-len(q.parked)+takers-1)/takers))
		first, second := &q.fresh, &q.back
		if q.turns%4 == 0 {
			first, second = second, first
		}
		list := q.pop(nil, first, n)
		if len(list) == 0 {
			list = q.pop(list, second, n)
		}
		changed := q.changed
		q.mu.Unlock()
		if len(list) > 0 {
			return list, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

func (q *queue) pop(list []*job, fifo *[]history.Key, most int) []*job {
	for len(*fifo) > 0 && len(list) < most {
		k := (*fifo)[0]
		*fifo = (*fifo)[1:]
		switch j := q.waiting[k]; {
		case j == nil || q.parked[k]:
		case q.running[k]:
			q.parked[k] = true
		default:
			delete(q.waiting, k)
			q.running[k] = true
			list = append(list, j)
		}
	}
	return list
}

// done ends jobs that were taken.
func (q *queue) done(list []*job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range list {
		q.ended(j)
		q.drop(j.hold)
	}
	q.signal()
}

func (q *queue) ended(j *job) {
	delete(q.running, j.key)
	if q.parked[j.key] {
		delete(q.parked, j.key)
		q.fresh = append(q.fresh, j.key)
	}
}

// again puts a job back that could not be done.
func (q *queue) again(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended(j)
	if next := q.waiting[j.key]; next != nil {
		next.all = min(next.all, j.all)
		for rule, from := range j.some {
			if next.some == nil {
				next.some = map[history.Key]history.Moment{}
			}
			if at, ok := next.some[rule]; !ok || from < at {
				next.some[rule] = from
			}
		}
		if j.hold < next.hold {
			j.hold, next.hold = next.hold, j.hold
		}
		q.drop(j.hold)
	} else {
		q.waiting[j.key] = j
		q.back = append(q.back, j.key)
	}
	q.signal()
}

// room waits until fewer than so many jobs are left.
func (q *queue) room(ctx context.Context, below int) error {
	return q.until(ctx, func() bool { return len(q.waiting) < below })
}

// until waits for what holds under the lock.
func (q *queue) until(ctx context.Context, holds func() bool) error {
	for ctx.Err() == nil {
		q.mu.Lock()
		ok, changed := holds(), q.changed
		q.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
	return ctx.Err()
}

func (q *queue) evaluated() Through {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.through
}
