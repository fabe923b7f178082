package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// send sends a message, and then those that may be sent after it.
func (r *run) send(message []*entry) {
	for message != nil {
		sent := r.deliver(message)
		r.mu.Lock()
		r.settle(message, sent)
		message = nil
		if !r.halted {
			message = r.queue.take(r.d.now())
			r.dispatch()
		}
		r.mu.Unlock()
	}
}

// sent is what became of a message.
type sent struct {
	lost []*entry // pruned meanwhile
	bad  []*entry // can never be sent, for
	why  string
	rest []*entry // all others: taken, unless there is an
	err  error
	part bool // the message cannot be written; its notices may be, one by one
	cut  bool // it was broken off: nothing is known of it
}

func (r *run) deliver(message []*entry) (s sent) {
	notices := make([]*Notice, 0, len(message))
	for _, e := range message {
		event, err := r.event(e)
		switch {
		case err == nil:
			notices = append(notices, r.notice(e, event))
			s.rest = append(s.rest, e)
		case r.sending.Err() != nil:
			return sent{rest: message, cut: true}
		case errors.Is(err, history.Compacted), errors.Is(err, history.NotFound):
			s.lost = append(s.lost, e)
		case errors.Is(err, history.DataLoss):
			s.bad, s.why = append(s.bad, e), messageOf(err)
		default:
			return sent{rest: message, err: err}
		}
	}
	if len(notices) == 0 {
		return s
	}
	m, err := r.encode(notices)
	switch {
	case r.sending.Err() != nil:
		s.cut = true
		return s
	case err != nil && len(notices) > 1:
		s.part = true
		return s
	case err != nil:
		s.bad, s.rest, s.why = append(s.bad, s.rest...), nil, "the message cannot be written: "+messageOf(err)
		return s
	}
	s.err = r.target.Deliver(r.sending, m)
	s.cut = s.err != nil && r.sending.Err() != nil
	return s
}

// event is the event of an entry that is under way, read again if it was not kept,
// or if something was erased since.
func (r *run) event(e *entry) (*feed.Event, error) {
	if e.event != nil && e.epoch == r.d.source.Epoch() {
		return e.event, nil
	}
	return r.d.source.At(r.sending, e.seq)
}

func (r *run) notice(e *entry, event *feed.Event) *Notice {
	return &Notice{
		Event: event, Subscription: r.sub.Name, StoreID: r.d.lineage().StoreID,
		Previous: e.previous, FilterError: e.filterError, Attempt: e.attempts + 1,
	}
}

func (r *run) encode(notices []*Notice) (Message, error) {
	if err := r.d.turns.enter(r.sending); err != nil {
		return Message{}, err
	}
	defer r.d.turns.leave()
	return r.format.Encode(notices, r.d.o.Now())
}

// settle notes what became of a message. The lock is held.
func (r *run) settle(message []*entry, s sent) {
	now, q := r.d.now(), r.queue
	defer q.land()
	r.touch()
	if len(s.lost) > 0 {
		q.drop(s.lost, now)
		r.missed(uint64(len(s.lost)), s.lost[0].seq, s.lost[len(s.lost)-1].seq)
	}
	q.drop(s.bad, now)
	r.giveUp(s.bad, s.why, now)

	switch c := &r.at.counts; {
	case len(s.rest) == 0:
		return
	case s.part:
		for _, e := range s.rest {
			e.alone = true
		}
		q.returned(s.rest, now)
		return
	case s.cut:
		q.returned(s.rest, now)
		return
	default:
		for _, e := range s.rest {
			if e.attempts > 0 {
				c.retried++
			}
		}
		if s.err == nil {
			c.delivered += uint64(len(s.rest))
			r.at.lastDelivered = now
			q.taken(s.rest, now)
			return
		}
		c.failed += uint64(len(s.rest))
	}

	reason := short(messageOf(s.err), maxFailureReason)
	r.at.lastFailure = Failure{At: now, Seq: s.rest[0].seq, Reason: reason}
	var refusal *Refusal
	var after time.Duration
	if errors.As(s.err, &refusal) {
		if refusal.Gone {
			q.returned(s.rest, now)
			r.disable("its receiver wants nothing any more: " + reason)
			return
		}
		after = refusal.RetryAfter
	}
	r.giveUp(q.failed(s.rest, now, r.sub.retryFor(), after), reason, now)
}

// giveUp makes dead letters of entries. The lock is held.
func (r *run) giveUp(list []*entry, reason string, now history.Moment) {
	for _, e := range list {
		r.at.counts.deadLettered++
		r.at.counts.dropped += uint64(r.letters.put(letterOf(e, reason, now)))
		r.d.o.Logger.Warn("dead letter", "subscription", r.sub.Name, "sequence", e.seq, "attempts", e.attempts, "reason", reason)
	}
}

// Test sends one message now, whatever the state, about a made-up resource of the
// type Varve::Test::Resource with sequence 0. It neither waits for what is under
// way nor counts. NotFound as Get; that the receiver did not take it is no error.
func (d *Deliverer) Test(ctx context.Context, name string) (TestResult, error) {
	r, err := d.enter(ctx, name)
	if err != nil {
		return TestResult{}, err
	}
	defer r.manage.leave()

	r.mu.Lock()
	sub, w := r.sub, r.run
	live := w != nil && w.opened && !w.halted
	if live {
		w.sends.Add(1) // its target stays open meanwhile
		defer w.sends.Done()
	}
	r.mu.Unlock()
	var format Format
	var target Target
	if live {
		format, target = w.format, w.target
	} else {
		if err := r.stop(ctx, grace); err != nil {
			return TestResult{}, err
		}
		if format, target, err = d.o.Open(sub); err != nil {
			return TestResult{Failure: messageOf(err)}, nil
		}
		defer func() { _ = target.Close() }()
	}

	sending, cancel := context.WithCancel(ctx)
	defer cancel()
	if live {
		defer context.AfterFunc(w.sending, cancel)() // broken off with all others
	}
	now := d.o.Now()
	m, err := format.Encode([]*Notice{d.testNotice(sub.Name, now)}, now)
	if err != nil {
		return TestResult{}, err
	}
	result := TestResult{ID: m.ID}
	if err := target.Deliver(sending, m); err != nil {
		switch {
		case ctx.Err() != nil:
			return TestResult{}, ctx.Err()
		case sending.Err() != nil:
			return TestResult{}, history.Errorf(history.Unavailable, "subscription %s has ended meanwhile; test it again", name)
		}
		result.Failure = messageOf(err)
	}
	result.Duration = d.o.Now().Sub(now)
	return result, nil
}

// testNotice tells of a resource that nobody has.
func (d *Deliverer) testNotice(subscription string, now time.Time) *Notice {
	at, key := history.MomentOf(now), history.Key{Type: "Varve::Test::Resource", ID: subscription}
	change := history.Change{Kind: history.Created, Key: key, Version: 1, CapturedAt: at, RecordedAt: at}
	after := history.Item{
		Key: key, Version: 1, CapturedAt: at, LastSeenAt: at, Until: history.Newest, RecordedAt: at, Status: history.StatusDiscovered,
		State: history.State{Name: "test", Configuration: []byte(`{"message":"This is a test of a subscription; nothing has changed."}`)},
	}
	return &Notice{Event: feed.New(change, history.Item{}, after), Subscription: subscription, StoreID: d.lineage().StoreID, Attempt: 1}
}
