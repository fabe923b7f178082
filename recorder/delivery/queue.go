package delivery

import (
	"container/heap"
	"maps"
	"slices"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// Bounds of a queue.
const (
	maxOutstanding = 10_000  // events; no more are read then
	minFresh       = 256     // events that may stand ready before no more are read
	maxKept        = 8 << 20 // bytes of events that are kept and not read again when their turn comes
	maxMessage     = 1 << 20 // bytes of the versions in a message of several notices
)

// queue holds the outstanding events of one subscription, and knows which may be
// sent next. It does nothing by itself and knows no clock: see run.go.
//
// The events of one resource stand in a lane, in order. Only what stands at its
// head is sent, with those behind it if they fit into the same message; what fails
// stays at the head until it is taken or given up, while all other lanes go on.
type queue struct {
	batch int // notices in a message

	entries map[history.Seq]*entry
	lanes   map[history.Key]*lane
	loose   int // entries of a former life whose resource is not known yet
	held    int // entries in lanes whose head has failed
	kept    int // bytes of events in entries
	flying  int // messages under way

	ready   line    // heads that may be sent, together
	singles line    // heads that may be sent, alone
	waiting waiting // heads that have failed, by when they may be sent
	turn    bool    // whose is next of singles and ready

	breaker breaker
}

// entry is one event that matched, and was neither taken nor given up.
type entry struct {
	seq, previous history.Seq
	recorded      history.Moment
	filterError   string

	attempts int            // that failed
	first    history.Moment // failure
	next     history.Moment // not tried before
	asked    history.Moment // the receiver does not want to be tried before
	alone    bool           // failed in a message of several

	key   history.Key
	event *feed.Event // nil: to be read again by its sequence
	epoch uint64      // of the source before the event was read
	size  int         // bytes of the event
	lane  *lane
}

type lane struct {
	entries []*entry
	flying  int  // how many of them, from the first on, are under way
	held    bool // the head has failed
}

func newQueue() *queue {
	return &queue{batch: 1, entries: map[history.Seq]*entry{}, lanes: map[history.Key]*lane{}}
}

// restore puts in an entry of a former life: place makes it known where it stands.
func (q *queue) restore(e *entry) {
	q.entries[e.seq] = e
	q.loose++
}

// unplaced are the restored entries that have no place yet, in order.
func (q *queue) unplaced() []*entry {
	if q.loose == 0 {
		return nil
	}
	return slices.DeleteFunc(q.sorted(), func(e *entry) bool { return e.lane != nil })
}

// sorted are all entries, by sequence.
func (q *queue) sorted() []*entry {
	return slices.SortedFunc(maps.Values(q.entries), func(a, b *entry) int {
		if a.seq < b.seq {
			return -1
		}
		return 1
	})
}

// place puts an entry at the end of the lane of its event's resource.
func (q *queue) place(e *entry, event *feed.Event, now history.Moment) {
	e.key, e.size, e.recorded = event.Key, sizeOf(event), event.RecordedAt
	q.keep(e, event)
	q.append(e, now)
}

// keep holds the event of an entry in memory, if there is room.
func (q *queue) keep(e *entry, event *feed.Event) {
	if e.event == nil && q.kept+e.size <= maxKept {
		e.event = event
		q.kept += e.size
	}
}

// release lets go of what keep holds.
func (q *queue) release(e *entry) {
	if e.event != nil {
		e.event = nil
		q.kept -= e.size
	}
}

// append puts an entry with a key at the end of its lane.
func (q *queue) append(e *entry, now history.Moment) {
	if q.entries[e.seq] == e {
		q.loose--
	}
	q.entries[e.seq] = e
	l := q.lanes[e.key]
	if l == nil {
		l = &lane{}
		q.lanes[e.key] = l
	}
	e.lane, l.entries = l, append(l.entries, e)
	switch {
	case len(l.entries) == 1:
		q.expose(l, now)
	case l.held:
		q.held++
	}
}

// insert puts an entry with a key where its sequence belongs in its lane, but
// behind what is under way or about to be.
func (q *queue) insert(e *entry, now history.Moment) {
	l := q.lanes[e.key]
	if l == nil {
		q.append(e, now)
		return
	}
	at := max(l.flying, 1)
	if head := l.entries[0]; l.flying == 0 && e.seq < head.seq {
		if i := slices.Index(q.waiting, head); i >= 0 {
			heap.Remove(&q.waiting, i)
			at = 0
		}
	}
	for at > 0 && at < len(l.entries) && l.entries[at].seq < e.seq {
		at++
	}
	q.entries[e.seq], e.lane = e, l
	l.entries = slices.Insert(l.entries, at, e)
	if l.held {
		q.held++
	}
	if at == 0 {
		q.unhold(l)
		q.expose(l, now)
	}
}

// unhold notes that the head of a lane is no longer one that has failed.
func (q *queue) unhold(l *lane) {
	if l.held {
		l.held = false
		q.held -= len(l.entries)
	}
}

// expose offers the head of a lane that has nothing under way.
func (q *queue) expose(l *lane, now history.Moment) {
	e := l.entries[0]
	if e.attempts > 0 {
		l.held = true
		q.held += len(l.entries)
	}
	q.offer(e, now)
}

func (q *queue) offer(e *entry, now history.Moment) {
	switch {
	case e.next > now:
		heap.Push(&q.waiting, e)
	case e.alone || e.attempts > 0:
		q.singles.put(e)
	default:
		q.ready.put(e)
	}
}

// fresh is how many entries have nothing before them that failed.
func (q *queue) fresh() int { return len(q.entries) - q.held - q.loose }

// wants reports whether more should be read for a target that takes so many
// messages at once. Of a target that takes nothing, one event that was not tried
// yet is enough to probe it with.
func (q *queue) wants(concurrency int) bool {
	if len(q.entries) >= maxOutstanding || q.loose > 0 {
		return false
	}
	if q.breaker.open {
		return q.fresh() == 0
	}
	return q.fresh() < max(minFresh, 2*concurrency*q.batch)
}

// take returns the entries of the next message, by sequence, which is under way
// then until land; nil if there is none at present.
func (q *queue) take(now history.Moment) (message []*entry) {
	q.promote(now)
	if q.breaker.open && (q.flying > 0 || now < q.breaker.next) {
		return nil
	}
	q.turn = !q.turn
	switch {
	case len(q.singles) > 0 && (q.turn || len(q.ready) == 0):
		message = []*entry{fly(q.singles.take())}
	case len(q.ready) > 0 && q.breaker.open:
		message = []*entry{fly(q.ready.take())}
	case len(q.ready) > 0:
		message = q.pack()
	default:
		return nil
	}
	q.flying++
	return message
}

// pack takes what is ready, in the order of the feed, for a message of several:
// heads of lanes, and what stands behind them there.
func (q *queue) pack() (message []*entry) {
	var behind line // those that are taken
	for bytes := 0; len(message) < q.batch; {
		from := &q.ready
		if next := behind.peek(); next != nil && (len(q.ready) == 0 || next.seq < q.ready[0].seq) {
			from = &behind
		}
		e := from.peek()
		if e == nil || len(message) > 0 && bytes+e.size > maxMessage {
			break
		}
		message, bytes = append(message, fly(from.take())), bytes+e.size
		if l := e.lane; l.flying < len(l.entries) {
			if next := l.entries[l.flying]; !next.alone && next.attempts == 0 {
				behind.put(next)
			}
		}
	}
	return message
}

func fly(e *entry) *entry {
	e.lane.flying++
	return e
}

// promote makes those ready whose time has come.
func (q *queue) promote(now history.Moment) {
	for len(q.waiting) > 0 && q.waiting[0].next <= now {
		q.singles.put(heap.Pop(&q.waiting).(*entry))
	}
}

// wake is when take may have something without anything else happening; zero: not
// by itself.
func (q *queue) wake() history.Moment {
	switch {
	case q.breaker.open && q.flying > 0:
		return 0
	case len(q.singles)+len(q.ready) > 0:
		if q.breaker.open {
			return q.breaker.next
		}
		return 0
	case len(q.waiting) > 0:
		return max(q.waiting[0].next, q.breaker.probe())
	}
	return 0
}

// land says that a message is no longer under way, once its entries are settled.
func (q *queue) land() { q.flying-- }

// taken removes what the receiver has taken.
func (q *queue) taken(message []*entry, now history.Moment) {
	q.drop(message, now)
	if q.breaker.success() {
		q.hurry(now)
	}
}

// drop removes entries.
func (q *queue) drop(list []*entry, now history.Moment) {
	for _, e := range list {
		delete(q.entries, e.seq)
		q.release(e)
		l := e.lane
		if l == nil {
			q.loose--
			continue
		}
		l.entries = slices.Delete(l.entries, slices.Index(l.entries, e), slices.Index(l.entries, e)+1)
		if l.held {
			q.held--
		}
	}
	q.back(list, now)
}

// failed puts back what the receiver did not take. Returned are those for which it
// was tried long enough: they are no longer in the queue.
func (q *queue) failed(message []*entry, now history.Moment, retryFor, retryAfter time.Duration) (dead []*entry) {
	if len(message) == 0 {
		return nil
	}
	q.breaker.failure(message[0].key, now, retryAfter)
	for _, e := range message {
		e.attempts++
		e.alone = e.alone || len(message) > 1
		if e.first == 0 {
			e.first = now
		}
		end := later(e.first, retryFor)
		if now >= end {
			dead = append(dead, e)
			continue
		}
		e.asked = 0
		if retryAfter > 0 {
			e.asked = later(now, retryAfter)
		}
		e.next = max(min(later(now, backoff(e.attempts)), end), e.asked)
		q.release(e)
	}
	q.drop(dead, now)
	q.back(slices.DeleteFunc(slices.Clone(message), func(e *entry) bool { return slices.Contains(dead, e) }), now)
	return dead
}

// returned puts back what was not sent after all.
func (q *queue) returned(message []*entry, now history.Moment) { q.back(message, now) }

// back ends the flight of entries, and offers what stands at the head of their
// lanes then.
func (q *queue) back(list []*entry, now history.Moment) {
	for _, e := range list {
		l := e.lane
		if l == nil || l.flying == 0 {
			continue
		}
		if l.flying--; l.flying > 0 {
			continue
		}
		q.unhold(l)
		if len(l.entries) == 0 {
			delete(q.lanes, e.key)
			continue
		}
		q.expose(l, now)
	}
}

// hurry makes every failed entry ready at once, but for those that the receiver
// itself wants later.
func (q *queue) hurry(now history.Moment) {
	for _, e := range q.waiting {
		e.next = max(min(e.next, later(now, jitter(firstRetry))), e.asked)
	}
	heap.Init(&q.waiting)
}

// atOnce makes every failed entry ready, whoever wants it later.
func (q *queue) atOnce(now history.Moment) {
	for _, e := range q.entries {
		e.next, e.asked = 0, 0
	}
	q.promote(now)
}

func later(m history.Moment, d time.Duration) history.Moment {
	return m + history.Moment(d.Microseconds())
}

// sizeOf is about what an event takes in memory.
func sizeOf(e *feed.Event) int {
	n := 1 << 10
	for _, s := range [...]*history.State{&e.Before.State, &e.After.State} {
		n += len(s.Configuration)
		for _, value := range s.Supplementary {
			n += len(value)
		}
	}
	return n
}
