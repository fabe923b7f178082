package delivery

import (
	"errors"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// page is how many events are read at once.
const page = 500

// recognise looks whether the store knows the position that the run begins with.
// False: the run has ended.
func (r *run) recognise() bool {
	for {
		_, _, err := r.d.store.Changes(r.reading, r.at.position, 1, 0)
		if errors.Is(err, history.ForeignToken) {
			err = r.goBack(err)
		}
		if r.reading.Err() != nil {
			return false
		}
		if err == nil || gone(err) { // whatever else there is, reading will find it
			return true
		}
		if !r.suffer("the feed cannot be read: " + messageOf(err)) {
			return false
		}
	}
}

// settleIn finds out where the entries of a former life stand. The first ones may
// be sent before the last ones are found. False: the run has ended.
func (r *run) settleIn() bool {
	r.mu.Lock()
	list := r.queue.unplaced()
	r.dispatch()
	r.mu.Unlock()
	for len(list) > 0 {
		epoch := r.d.source.Epoch()
		events, err := r.find(list)
		switch {
		case r.reading.Err() != nil:
			return false
		case err != nil && !gone(err):
			if !r.suffer("an outstanding change cannot be read: " + messageOf(err)) {
				return false
			}
			continue
		}
		r.mu.Lock()
		now := r.d.now()
		r.trouble = 0
		if err != nil {
			r.lose(list[0], err, now)
			list = list[1:]
		}
		for i, event := range events {
			list[i].epoch = epoch
			r.queue.place(list[i], event, now)
		}
		list = list[len(events):]
		r.dispatch()
		r.mu.Unlock()
	}
	return true
}

// find reads the events of the first entries of a list: as many of them as stand
// close together in the feed. An error is of the first one.
func (r *run) find(list []*entry) ([]*feed.Event, error) {
	if err := r.d.turns.enter(r.reading); err != nil {
		return nil, err
	}
	defer r.d.turns.leave()
	wanted := make(map[history.Seq]bool, page)
	for _, e := range list[:min(page, len(list))] {
		wanted[e.seq] = true
	}
	before := r.d.lineage().Position(list[0].seq - 1)
	events, _, err := r.d.source.Chosen(r.reading, before, page, func(c *history.Change) bool { return wanted[c.Seq] })
	if err != nil || len(events) == 0 { // what exactly is wrong with the first
		var event *feed.Event
		if event, err = r.d.source.At(r.reading, list[0].seq); err == nil {
			events = []*feed.Event{event}
		}
	}
	return events, err
}

// lose takes an entry out whose event cannot be read.
func (r *run) lose(e *entry, cause error, now history.Moment) {
	r.queue.drop([]*entry{e}, now)
	if errors.Is(cause, history.DataLoss) {
		r.giveUp([]*entry{e}, messageOf(cause), now)
		return
	}
	r.missed(1, e.seq, e.seq)
}

// gone reports whether an event will not be there later either.
func gone(err error) bool {
	return errors.Is(err, history.Compacted) || errors.Is(err, history.NotFound) || errors.Is(err, history.DataLoss)
}

// read reads the feed into the queue until the run is halted.
func (r *run) read() {
	for r.hasRoom() {
		news := r.d.news.next()
		more, err := r.readPage()
		if r.reading.Err() != nil {
			return
		}
		switch {
		case err == nil && more:
		case err == nil:
			select {
			case <-news:
			case <-r.reading.Done():
				return
			}
		default:
			if err = r.overcome(err); err != nil && !r.suffer("the feed cannot be read: "+messageOf(err)) {
				return
			}
		}
	}
}

// hasRoom waits until the queue wants more; false: the run has ended.
func (r *run) hasRoom() bool {
	for {
		r.mu.Lock()
		wants := r.queue.wants(r.target.Concurrency())
		r.mu.Unlock()
		if r.reading.Err() != nil || wants {
			return r.reading.Err() == nil
		}
		select {
		case <-r.room:
		case <-r.reading.Done():
		}
	}
}

// readPage reads some events, and puts those that match into the queue.
func (r *run) readPage() (any bool, err error) {
	if err := r.d.turns.enter(r.reading); err != nil {
		return false, err
	}
	defer r.d.turns.leave()
	r.mu.Lock()
	room := maxOutstanding - len(r.queue.entries)
	r.mu.Unlock()
	epoch := r.d.source.Epoch()
	events, next, err := r.d.source.Chosen(r.reading, r.at.position, max(1, min(page, room)), r.mayMatch)
	if err != nil || next == r.at.position {
		return false, err
	}
	read, err := r.d.seqOf(next)
	if err != nil {
		return false, err
	}
	type match struct {
		event *feed.Event
		entry *entry
	}
	var matches []match
	for _, e := range events {
		matched, undecided := r.filter.Match(r.reading, e)
		if !matched {
			continue
		}
		m := match{e, &entry{seq: e.Seq, epoch: epoch}}
		if undecided != nil {
			m.entry.filterError = short(undecided.Error(), maxFilterError)
		}
		matches = append(matches, m)
	}
	if err := r.reading.Err(); err != nil { // the filter could not decide for that reason
		return false, err
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.d.now()
	for _, m := range matches {
		r.chain(m.entry)
		r.queue.place(m.entry, m.event, now)
	}
	r.at.position, r.at.read, r.trouble = next, read, 0
	r.touch()
	r.dispatch()
	return true, nil
}

// mayMatch reports whether the event of a change has to be looked at. Kinds of
// tomorrow are passed over.
func (r *run) mayMatch(c *history.Change) bool {
	matches, decided := r.filter.Decide(c)
	return c.Kind.String() != "unknown" && (matches || !decided)
}

// chain makes an entry the last that matched. The lock is held.
func (r *run) chain(e *entry) {
	e.previous, r.at.previous = r.at.previous, e.seq
	r.at.counts.matched++
	if e.filterError != "" {
		r.at.counts.filterErrors++
	}
}

// overcome deals with what will not be otherwise the next time. It returns the
// error if it cannot.
func (r *run) overcome(err error) error {
	switch {
	case errors.Is(err, history.Compacted):
		return r.goOnAtFloor()
	case errors.Is(err, history.ForeignToken):
		r.mu.Lock()
		defer r.mu.Unlock()
		r.disableForeign(err)
		return nil
	case errors.Is(err, history.DataLoss):
		return r.passDamaged(err)
	}
	return err
}

// goOnAtFloor goes on at the first change that is kept. The chain begins anew, for
// nobody knows whether what was missed would have matched.
func (r *run) goOnAtFloor() error {
	first, err := r.d.store.PositionAt(r.reading, history.FirstMoment)
	if err != nil {
		return err
	}
	seq, err := r.d.seqOf(first)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq > r.at.read {
		r.missed(uint64(seq-r.at.read), r.at.read+1, seq)
	}
	r.at.position, r.at.read, r.at.previous = first, seq, 0
	return nil
}

// goBack, before anything is sent, is for a store that was restored from a backup
// which is older than the state that came with it, as when files are put back by
// hand: it goes on where the backup ends, and lets go of what only the lost store
// knew. A position of any other store disables the subscription.
func (r *run) goBack(cause error) error {
	lineage := r.d.lineage()
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(lineage.Forks); n == 0 || r.at.read <= lineage.Forks[n-1].Seq {
		r.disableForeign(cause)
		return nil
	}
	end, now := lineage.Forks[len(lineage.Forks)-1].Seq, r.d.now()
	for _, e := range r.queue.sorted() {
		if e.seq > end {
			r.queue.drop([]*entry{e}, now)
		}
	}
	r.d.o.Logger.Warn("subscription goes back with its restored store", "subscription", r.sub.Name, "from", r.at.read, "to", end)
	r.at.position, r.at.read, r.at.previous = lineage.Position(end), end, 0
	r.touch()
	return nil
}

func (r *run) disableForeign(cause error) {
	r.disable("the store does not know its position, " + messageOf(cause) + "; put it with a place to begin from")
}

// passDamaged puts a change whose versions cannot be read into the queue, without
// asking the filter. It fails there, and becomes a dead letter that can be replayed
// when the store has been repaired.
func (r *run) passDamaged(cause error) error {
	changes, _, err := r.d.store.Changes(r.reading, r.at.position, page, 0)
	if err != nil {
		return errors.Join(cause, err)
	}
	at := slices.IndexFunc(changes, func(c history.Change) bool { return r.mayMatch(&c) })
	if at < 0 {
		return cause
	}
	c := changes[at]
	e := &entry{seq: c.Seq, key: c.Key, recorded: c.RecordedAt, filterError: short(messageOf(cause), maxFilterError)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.chain(e)
	r.queue.append(e, r.d.now())
	r.at.position, r.at.read = c.Position, c.Seq
	r.touch()
	r.dispatch()
	return nil
}
