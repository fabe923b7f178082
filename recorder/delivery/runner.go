package delivery

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/filter"
)

// runner is one subscription in memory: its definition, how far it has come, and
// while it is neither paused nor disabled a run that sends.
type runner struct {
	d    *Deliverer
	name string

	// manage is held by whoever manages the subscription; exists, and whether
	// there is a run, change under it alone.
	manage gate
	exists bool // it is written

	mu      sync.Mutex
	sub     Subscription
	at      progress
	queue   *queue
	letters letters
	run     *run // nil: none

	unread    error // why the state document could not be read; nil: it was
	dirty     bool  // the state is to be written
	redefined bool  // the definition is
}

func newRunner(d *Deliverer, name string) *runner {
	return &runner{d: d, name: name, manage: newGate(1), sub: Subscription{Name: name}, queue: newQueue()}
}

// touch notes that the state has changed.
func (r *runner) touch() {
	if !r.dirty {
		r.dirty = true
		r.d.askToWrite()
	}
}

// disable ends the run for a reason that people have to look at. It goes through
// the motions by itself; whoever starts another run waits for its end.
func (r *runner) disable(reason string) {
	r.sub.Disabled = short(reason, maxFailureReason)
	r.redefined = true
	r.touch()
	if r.run != nil {
		r.run.halt()
	}
	r.d.o.Logger.Warn("subscription disabled", "subscription", r.sub.Name, "reason", r.sub.Disabled)
}

// start begins to send, unless the subscription is paused or disabled.
func (r *runner) start() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sub.Paused || r.sub.Disabled != "" || !r.exists || r.d.stopped.Load() {
		return
	}
	chosen, err := filter.Compile(r.sub.Filter)
	if err != nil { // another version of the program took it
		r.disable("its filter is no longer understood: " + messageOf(err))
		return
	}
	now := r.d.now()
	before := len(r.sub.Secrets)
	expiry := r.sub.dropSecrets(now)
	if len(r.sub.Secrets) < before {
		r.redefined = true
		r.touch()
	}
	w := &run{runner: r, sub: r.sub, filter: chosen, room: make(chan struct{}, 1), ended: make(chan struct{})}
	w.reading, w.stopReading = context.WithCancel(context.Background())
	w.sending, w.cut = context.WithCancel(context.Background())
	w.timer = time.AfterFunc(time.Hour, w.due)
	w.timer.Stop()
	if expiry != 0 {
		w.expiry = time.AfterFunc(time.Duration(expiry-now)*time.Microsecond, w.renew)
	}
	r.run = w
	go w.loop()
}

// stop ends the run. What is under way may take a while still, then, or when ctx is
// done, it is broken off. An error says that it goes on all the same.
func (r *runner) stop(ctx context.Context, grace time.Duration) error {
	r.mu.Lock()
	w := r.run
	if w != nil {
		w.halt()
	}
	r.mu.Unlock()
	if w == nil {
		return nil
	}
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-w.ended:
	case <-patience.C:
	case <-ctx.Done():
	}
	w.cut()
	patience.Reset(grace)
	select {
	case <-w.ended:
	case <-patience.C: // it does not look at its context
		return history.Errorf(history.Unavailable, "subscription %s has messages under way that do not end", r.sub.Name)
	}
	r.mu.Lock()
	r.run = nil
	r.mu.Unlock()
	return nil
}

// state is the word for how it does.
func (r *runner) state() State {
	switch {
	case r.sub.Disabled != "":
		return Disabled
	case r.sub.Paused:
		return Paused
	case r.queue.breaker.row >= manyInARow || r.run != nil && r.run.trouble > 0:
		return Failing
	}
	return Active
}

// messageOf is an error's text for those who look at a subscription: without the
// causes that are not theirs.
func messageOf(err error) string {
	var e *history.Error
	if errors.As(err, &e) {
		return e.Message()
	}
	return err.Error()
}

// gate lets so many in at once.
type gate chan struct{}

func newGate(n int) gate { return make(gate, n) }

// enter waits for its turn; every enter without error is followed by a leave.
func (g gate) enter(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g gate) leave() { <-g }
