package delivery

import (
	"context"
	"slices"
	"sort"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/filter"
)

// enter finds a subscription for whoever manages it, alone until manage.leave.
func (d *Deliverer) enter(ctx context.Context, name string) (*runner, error) {
	if err := d.running(); err != nil {
		return nil, err
	}
	r, err := d.find(name)
	if err != nil {
		return nil, err
	}
	if err := r.manage.enter(ctx); err != nil {
		return nil, err
	}
	if again, err := d.find(name); err != nil || again != r { // deleted meanwhile
		r.manage.leave()
		return nil, noSubscription(name)
	}
	return r, nil
}

func (d *Deliverer) find(name string) (*runner, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.runners[name]; r != nil && r.exists {
		return r, nil
	}
	return nil, noSubscription(name)
}

// cannotGoOn refuses what needs documents that cannot be read.
func (r *runner) cannotGoOn() error {
	return &history.Error{Kind: history.Invalid, Field: "subscription", Value: r.name,
		Text: "has nothing to go on from, " + messageOf(r.unread) + "; put it with a place to begin from", Err: r.unread}
}

func noSubscription(name string) error {
	return &history.Error{Kind: history.NotFound, Field: "subscription", Value: short(name, MaxName), Text: "is not there; list shows which are"}
}

// Put makes a subscription or replaces the definition of one, and returns how it
// stands. What was outstanding stays so, and is sent the new way. It remains
// paused or disabled if it was, unless o.From is set: then it begins there anew,
// neither paused nor disabled, without what was outstanding, and with a new chain
// of Previous.
//
// Invalid with field, value and remedy for what cannot be; ForeignToken or
// Compacted for a position that the store does not know or no longer keeps.
// Nothing is changed then.
func (d *Deliverer) Put(ctx context.Context, s Subscription, o PutOptions) (Status, error) {
	if err := d.running(); err != nil {
		return Status{}, err
	}
	if err := s.check(); err != nil {
		return Status{}, err
	}
	if _, err := filter.Compile(s.Filter); err != nil {
		return Status{}, err
	}
	r, err := d.enterOrMake(ctx, s.Name)
	if err != nil {
		return Status{}, err
	}
	defer d.leave(r)

	now := d.now()
	r.mu.Lock()
	old := r.sub
	r.mu.Unlock()
	s.Secrets = old.Secrets
	s.dropSecrets(now)
	if o.Secret != nil {
		s.withSecret(*o.Secret, now)
	}
	if err := d.o.Check(&s); err != nil {
		return Status{}, err
	}
	anew := o.From != (From{}) || !r.exists
	if !anew && r.unread != nil {
		return Status{}, r.cannotGoOn()
	}
	var at progress
	if anew {
		if at, err = d.begin(ctx, o.From); err != nil {
			return Status{}, err
		}
	}

	again := anew || !s.sameWay(&old)
	if again {
		if err := r.stop(ctx, grace); err != nil {
			return Status{}, err
		}
		defer r.start() // the old way, if this fails
	}
	if err := r.redefine(ctx, s, now, anew, at); err != nil {
		return Status{}, err
	}
	return d.status(ctx, r)
}

// redefine writes a definition, and with anew the state that it begins with, and
// takes them over when they are written.
func (r *runner) redefine(ctx context.Context, s Subscription, now history.Moment, anew bool, at progress) error {
	r.d.writing.Lock()
	defer r.d.writing.Unlock()
	r.mu.Lock()
	old, counts, failure, delivered := r.sub, r.at.counts, r.at.lastFailure, r.at.lastDelivered
	r.mu.Unlock()
	s.Paused, s.Disabled, s.CreatedAt, s.UpdatedAt = old.Paused, old.Disabled, old.CreatedAt, now
	if s.CreatedAt == 0 {
		s.CreatedAt = now
	}
	if anew {
		s.Paused, s.Disabled = false, ""
		at.counts, at.lastFailure, at.lastDelivered = counts, failure, delivered
	}
	w, err := definitionWrite(s)
	if err != nil {
		return err
	}
	writes := []history.DocumentWrite{w}
	if anew {
		writes = append(writes, history.DocumentWrite{Collection: states, Name: r.name, Body: at.encode(nil)})
	}
	if _, err := r.d.documents.PutDocuments(ctx, writes); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sub.Disabled != old.Disabled { // by its receiver, meanwhile
		s.Disabled = r.sub.Disabled
	}
	r.sub = s
	if anew {
		r.at, r.queue, r.unread = at, newQueue(), nil
	}
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	r.exists = true
	return nil
}

// begin is the state of what begins somewhere.
func (d *Deliverer) begin(ctx context.Context, from From) (at progress, err error) {
	switch {
	case from.Position != "":
		// It is given back explicit; whether it can be resumed is asked at once.
		_, _, err = d.store.Changes(ctx, from.Position, 1, 0)
		at.position = from.Position
	case from.Recorded == 0 || from.Recorded == history.Newest:
		var head history.Head
		head, err = d.store.Head(ctx)
		at.position = head.Position
	case from.Recorded < 0:
		return at, &history.Error{Kind: history.Invalid, Field: "from", Value: from.Recorded.String(), Text: "lies before 1970; give a later moment, or a position"}
	default:
		// What was recorded since may not all be there any more.
		if _, err = d.store.KnownAt(ctx, from.Recorded); err == nil {
			at.position, err = d.store.PositionAt(ctx, from.Recorded)
		}
	}
	if err != nil {
		return at, err
	}
	at.read, err = d.seqOf(at.position)
	return at, err
}

// enterOrMake is enter for what need not be there yet.
func (d *Deliverer) enterOrMake(ctx context.Context, name string) (*runner, error) {
	for {
		d.mu.Lock()
		r := d.runners[name]
		if r == nil {
			r = newRunner(d, name)
			d.runners[name] = r
		}
		d.mu.Unlock()
		if err := r.manage.enter(ctx); err != nil {
			return nil, err
		}
		d.mu.Lock()
		current := d.runners[name] == r
		d.mu.Unlock()
		if current {
			return r, nil
		}
		r.manage.leave()
	}
}

// leave forgets a subscription that did not come about.
func (d *Deliverer) leave(r *runner) {
	d.mu.Lock()
	if !r.exists {
		delete(d.runners, r.name)
	}
	d.mu.Unlock()
	r.manage.leave()
}

// Delete forgets a subscription with its dead letters: NotFound if there is none
// of that name. Nothing more is sent once it has returned.
func (d *Deliverer) Delete(ctx context.Context, name string) error {
	r, err := d.enter(ctx, name)
	if err != nil {
		return err
	}
	defer r.manage.leave()
	if err := r.stop(ctx, grace); err != nil {
		return err
	}
	if err := r.delete(ctx); err != nil {
		r.start()
		return err
	}
	return nil
}

func (r *runner) delete(ctx context.Context) error {
	d, name := r.d, r.name
	d.writing.Lock()
	defer d.writing.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	writes := []history.DocumentWrite{{Collection: definitions, Name: name}, {Collection: states, Name: name}}
	for _, seq := range r.letters.seqs {
		writes = append(writes, history.DocumentWrite{Collection: letterCollection(name), Name: letterName(seq)})
	}
	for seq, letter := range r.letters.writes {
		if letter == nil {
			writes = append(writes, history.DocumentWrite{Collection: letterCollection(name), Name: letterName(seq)})
		}
	}
	if _, err := d.documents.PutDocuments(ctx, writes); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	r.exists = false
	delete(d.runners, name)
	return nil
}

// Pause stops sending until Resume; what is under way is broken off if it does
// not end soon, and sent again. NotFound as Get.
func (d *Deliverer) Pause(ctx context.Context, name string) (Status, error) {
	return d.change(ctx, name, func(r *runner) error {
		if err := r.stop(ctx, grace); err != nil {
			return err
		}
		r.mu.Lock()
		r.sub.Paused = true
		r.mu.Unlock()
		return nil
	})
}

// Resume goes on with a subscription that was paused or disabled, from where it
// is. Failed events are tried at once. NotFound as Get; Invalid if what it is to
// go on from cannot be read: then it has to be put with a From.
func (d *Deliverer) Resume(ctx context.Context, name string) (Status, error) {
	return d.change(ctx, name, func(r *runner) error {
		r.mu.Lock()
		ended := r.run == nil || r.run.halted
		r.mu.Unlock()
		if ended {
			if err := r.stop(ctx, grace); err != nil {
				return err
			}
			defer r.start()
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.sub.Paused, r.sub.Disabled = false, ""
		r.queue.breaker = breaker{}
		r.queue.atOnce(d.now())
		if !ended {
			r.run.dispatch()
		}
		return nil
	})
}

// change carries out a change of what is kept by the Deliverer in a definition,
// and writes it.
func (d *Deliverer) change(ctx context.Context, name string, do func(*runner) error) (Status, error) {
	r, err := d.enter(ctx, name)
	if err != nil {
		return Status{}, err
	}
	defer r.manage.leave()
	if r.unread != nil {
		return Status{}, r.cannotGoOn()
	}
	if err := do(r); err != nil {
		return Status{}, err
	}
	r.mu.Lock()
	r.redefined = true
	r.touch()
	r.mu.Unlock()
	if err := d.flush(ctx); err != nil {
		return Status{}, err
	}
	return d.status(ctx, r)
}

// Get tells how a subscription stands: NotFound if there is none of that name.
func (d *Deliverer) Get(ctx context.Context, name string) (Status, error) {
	if err := d.running(); err != nil {
		return Status{}, err
	}
	r, err := d.find(name)
	if err != nil {
		return Status{}, err
	}
	return d.status(ctx, r)
}

// List tells how up to limit subscriptions stand, by name, after the given one
// ("" = from the start), and whether there are more. A limit of 0 is none.
func (d *Deliverer) List(ctx context.Context, after string, limit int) (list []Status, more bool, err error) {
	if err := d.running(); err != nil {
		return nil, false, err
	}
	all := d.all()
	all = all[sort.Search(len(all), func(i int) bool { return all[i].name > after }):]
	if limit > 0 && len(all) > limit {
		all, more = all[:limit], true
	}
	for _, r := range all {
		s, err := d.status(ctx, r)
		if err != nil {
			return nil, false, err
		}
		list = append(list, s)
	}
	return list, more, nil
}

// status is how a subscription stands beside the newest change.
func (d *Deliverer) status(ctx context.Context, r *runner) (Status, error) {
	head, err := d.store.Head(ctx)
	if err != nil {
		return Status{}, err
	}
	end, err := d.seqOf(head.Position)
	if err != nil {
		return Status{}, err
	}
	s, oldest := r.status()
	if s.Seq < end {
		s.LagEvents += uint64(end - s.Seq)
		unread, _, err := d.store.Changes(ctx, s.Position, 1, 0)
		if err == nil && len(unread) > 0 { // else it has no moment that could be told
			oldest = append(oldest, unread[0].RecordedAt)
		}
	}
	if len(oldest) > 0 {
		s.OldestUndelivered = slices.Min(oldest)
		s.Lag = max(0, time.Duration(d.now()-s.OldestUndelivered)*time.Microsecond)
	}
	return s, nil
}

// status is what the runner itself knows, and when what is outstanding was
// recorded.
func (r *runner) status() (s Status, recorded []history.Moment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &r.at.counts
	s = Status{
		Subscription: r.sub.public(), State: r.state(), Position: r.at.position, Seq: r.at.read, Previous: r.at.previous,
		Matched: c.matched, Delivered: c.delivered, Failed: c.failed, Retried: c.retried, DeadLettered: c.deadLettered,
		DeadLetters: len(r.letters.seqs), Dropped: c.dropped, Missed: c.missed, FilterErrors: c.filterErrors,
		Outstanding: len(r.queue.entries), LagEvents: uint64(len(r.queue.entries)), LastDelivered: r.at.lastDelivered,
	}
	if r.at.lastFailure.At != 0 {
		failure := r.at.lastFailure
		s.LastFailure = &failure
	}
	for _, e := range r.queue.entries {
		recorded = append(recorded, e.recorded)
	}
	return s, recorded
}
