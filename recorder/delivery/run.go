package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/filter"
)

// run is the time in which a subscription sends. One goroutine reads the feed into
// the queue; each message under way has another one, which goes on with the next
// message until there is none. Both, and a timer for what is due later, only ever
// take from the queue under the runner's lock, and never hold it while they wait.
type run struct {
	*runner
	sub    Subscription // as it was at the beginning
	filter *filter.Filter
	format Format // these two from the end of open on
	target Target

	reading     context.Context
	stopReading context.CancelFunc
	sending     context.Context
	cut         context.CancelFunc // breaks off what is under way

	room   chan struct{} // has one if there may be room for what is read
	timer  *time.Timer   // for what is due later
	expiry *time.Timer   // of a secret; may be nil
	sends  sync.WaitGroup
	ended  chan struct{} // closed when nothing goes on any more

	// Under the runner's lock:
	halted  bool // nothing new is begun
	opened  bool // there is a target
	trouble int  // how often in a row it could not be opened, or the feed be read
}

// halt lets nothing new begin. The runner's lock is held.
func (r *run) halt() {
	r.halted = true
	r.stopReading()
	r.timer.Stop()
	if r.expiry != nil {
		r.expiry.Stop()
	}
}

func (r *run) loop() {
	defer close(r.ended)
	defer r.cut()
	if r.open() && r.recognise() && r.settleIn() {
		r.read()
	}
	r.mu.Lock()
	r.halt()
	r.mu.Unlock()
	r.sends.Wait()
	if r.target != nil {
		if err := r.target.Close(); err != nil {
			r.d.o.Logger.Warn("target not closed", "subscription", r.sub.Name, "err", err)
		}
	}
}

// open makes the target. What is not there yet when a machine starts, such as a
// folder, is waited for.
func (r *run) open() bool {
	for {
		format, target, err := r.d.o.Open(r.sub)
		if err == nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.format, r.target, r.opened, r.trouble = format, target, true, 0
			r.queue.batch = max(1, format.Batches())
			if r.sub.Batch > 0 {
				r.queue.batch = min(r.queue.batch, r.sub.Batch)
			}
			return true
		}
		if !r.suffer("its target cannot be opened: " + messageOf(err)) {
			return false
		}
	}
}

// suffer notes what keeps the run from going on, and waits before it is tried
// again; false: the run has ended.
func (r *run) suffer(reason string) bool {
	r.mu.Lock()
	r.trouble++
	wait := min(backoff(r.trouble), lastProbe)
	r.at.lastFailure = Failure{At: r.d.now(), Reason: short(reason, maxFailureReason)}
	r.touch()
	if r.trouble == 1 {
		r.d.o.Logger.Warn("subscription stands still", "subscription", r.sub.Name, "reason", reason)
	}
	r.mu.Unlock()
	return r.wait(wait)
}

func (r *run) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.reading.Done():
		return false
	}
}

// due sends what has become due.
func (r *run) due() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dispatch()
}

// dispatch sends what may be sent. The runner's lock is held.
func (r *run) dispatch() {
	if r.halted || !r.opened {
		return
	}
	now := r.d.now()
	for r.queue.flying < r.target.Concurrency() {
		message := r.queue.take(now)
		if message == nil {
			break
		}
		r.sends.Go(func() { r.send(message) })
	}
	if wake := r.queue.wake(); wake != 0 {
		r.timer.Reset(max(0, time.Duration(wake-now)*time.Microsecond))
	} else {
		r.timer.Stop()
	}
	if r.queue.wants(r.target.Concurrency()) {
		select {
		case r.room <- struct{}{}:
		default:
		}
	}
}

// renew begins a new run, when a secret is no longer in force.
func (r *run) renew() {
	ctx := context.Background()
	if r.manage.enter(ctx) != nil {
		return
	}
	defer r.manage.leave()
	r.mu.Lock()
	current := r.runner.run == r && !r.halted
	r.mu.Unlock()
	if current && r.d.running() == nil && r.stop(ctx, grace) == nil {
		r.start()
	}
}

// missed counts changes that can no longer be told, and tells.
func (r *run) missed(n uint64, from, to history.Seq) {
	r.at.counts.missed += n
	r.touch()
	r.d.o.Logger.Warn("subscription missed changes that were pruned", "subscription", r.sub.Name, "changes", n, "from", from, "to", to)
}
