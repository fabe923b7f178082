package feed

import (
	"context"
	"sync"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memo"
)

// cache holds events that were told not long ago, and those that are being read:
// whoever wants one of these waits for it instead of reading it again.
type cache struct {
	floors history.Floors // under which all of them were read
	kept   *memo.Cache[place, *Event]

	mu      sync.Mutex
	flights map[place]*flight
}

// place is where in the feed an event stands.
type place struct {
	partition uint16
	seq       history.Seq
}

// flight is the reading of one event by one reader, for all.
type flight struct {
	done  chan struct{} // closed when what follows is there
	event *Event
	err   error
}

func newCache(floors history.Floors, bytes int) *cache {
	return &cache{floors: floors, kept: memo.New[place, *Event](bytes), flights: map[place]*flight{}}
}

// events finds or reads the events of changes. What others read meanwhile is
// waited for until ctx is done; reading itself is short, and goes on for their
// sake.
func (c *cache) events(ctx context.Context, changes []history.Change, load func(history.Change) (*Event, error)) []*flight {
	flights := make([]*flight, len(changes))
	var own []int
	c.mu.Lock()
	for i := range changes {
		at := place{changes[i].Partition, changes[i].Seq}
		if e, ok := c.kept.Get(at); ok {
			flights[i] = &flight{event: e}
			continue
		}
		f := c.flights[at]
		if f == nil {
			f = &flight{done: make(chan struct{})}
			c.flights[at], own = f, append(own, i)
		}
		flights[i] = f
	}
	c.mu.Unlock()

	parallel(len(own), func(i int) { c.fly(flights[own[i]], changes[own[i]], load) })
	for i, f := range flights {
		if f.done == nil {
			continue
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			flights[i] = &flight{err: ctx.Err()}
		}
	}
	return flights
}

// fly reads one event and keeps it.
func (c *cache) fly(f *flight, change history.Change, load func(history.Change) (*Event, error)) {
	at := place{change.Partition, change.Seq}
	f.err = history.Errorf(history.Internal, "change %d was not read to its end", change.Seq)
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if f.err == nil {
			c.kept.Put(at, f.event, 4*f.event.bytes()+4<<10)
		}
		delete(c.flights, at)
		close(f.done)
	}()
	f.event, f.err = load(change)
}

// bytes is about what the versions of an event take.
func (e *Event) bytes() int { return contentBytes(&e.Before) + contentBytes(&e.After) }

func contentBytes(item *history.Item) int {
	s := &item.State
	n := len(s.Configuration) + len(s.ARN) + len(s.Name) + len(item.Origin.Extras)
	for name, value := range s.Tags {
		n += len(name) + len(value) + 64
	}
	for name, value := range s.Supplementary {
		n += len(name) + len(value) + 64
	}
	for i := range s.Relationships {
		r := &s.Relationships[i]
		n += len(r.Name) + len(r.Type) + len(r.ID) + len(r.ResourceName) + len(r.Account) + len(r.Region) + 96
	}
	return n
}
