package graph

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/varvehq/varve/history"
)

// Cache remembers who uses what, and by which name it goes, as it was found in a
// store, for questions that are asked again or meet the same resources: Uses and
// Name then read nothing. It is safe
// for concurrent use, costs those who record nothing, and an answer with it is the
// one without it.
//
// For each of the last few moments of captured time that were asked about (now is
// one of them) it keeps a slice of the graph: the users of whatever was met, as the
// newest revision knows them. A question first looks at what the feed tells since
// the last one: each change lets go of those that the terms concern which a version
// says and the one before it did not, or otherwise. When the feed has more than a
// question wants to wait for, or something was pruned or erased, all is forgotten.
// Readers that know of less than was looked at find what has not changed since, and
// leave nothing behind.
type Cache struct {
	store    history.Store
	unwriter history.Unwriter // nil: nothing is remembered
	bound    int

	mu        sync.RWMutex
	unwritten uint64           // of the store, when all was forgotten last
	upTo      history.Revision // what was recorded up to it has been looked at
	after     history.Position // of the feed: likewise; "" if nothing has been
	slices    map[history.Moment]*kept
	turn      atomic.Uint64 // counts questions
}

const (
	// DefaultCacheBytes is what a cache takes if nobody says otherwise. A
	// relationship takes 8 bytes, a resource about 400.
	DefaultCacheBytes = 128 << 20

	mostSlices  = 16
	mostChanges = 256 // that a question looks at; each takes two reads of its resource
)

// NewCache makes a cache of what a store tells, of about so many bytes at most (0:
// DefaultCacheBytes). Of a store that is no history.Unwriter nothing is remembered.
func NewCache(s history.Store, bytes int) *Cache {
	if bytes <= 0 {
		bytes = DefaultCacheBytes
	}
	unwriter, _ := history.Power[history.Unwriter](s)
	return &Cache{store: s, unwriter: unwriter, bound: bytes}
}

// At is the graph as a reader of the cache's store sees it.
func (c *Cache) At(r history.Reader) *Graph {
	if c.unwriter == nil {
		return At(r)
	}
	return &Graph{reader: r, cache: c}
}

// slice is what is remembered of a moment, after a look at all that is known at
// it; nil if there is nothing for a reader of that moment.
func (c *Cache) slice(ctx context.Context, at history.At) *kept {
	c.mu.RLock()
	s := c.slices[at.Captured]
	fresh := c.upTo >= at.Known && c.unwritten == c.unwriter.Unwritten()
	c.mu.RUnlock()
	if s == nil || !fresh {
		if s = c.renew(ctx, at); s == nil {
			return nil
		}
	}
	s.turn.Store(c.turn.Add(1))
	return s
}

// renew looks at what was recorded since, and finds or makes a slice.
func (c *Cache) renew(ctx context.Context, at history.At) *kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slices == nil || c.unwritten != c.unwriter.Unwritten() || c.catchUp(ctx, at.Known) != nil {
		c.restart(ctx)
	}
	s := c.slices[at.Captured]
	if s != nil || c.slices == nil || c.upTo != at.Known {
		return s
	}
	if len(c.slices) == mostSlices {
		c.drop()
	}
	s = newKept(at.Captured)
	c.slices[at.Captured] = s
	return s
}

// restart forgets all.
func (c *Cache) restart(ctx context.Context) {
	c.slices = nil
	c.unwritten = c.unwriter.Unwritten()
	head, err := c.store.Head(ctx)
	if err != nil {
		return // nor does it answer otherwise
	}
	c.upTo, c.after, c.slices = head.Revision, head.Position, map[history.Moment]*kept{}
}

// drop forgets the slice that was asked about longest ago.
func (c *Cache) drop() {
	var oldest *kept
	for _, s := range c.slices {
		if oldest == nil || s.turn.Load() < oldest.turn.Load() {
			oldest = s
		}
	}
	delete(c.slices, oldest.at)
}

// errBehind says that there are too many changes to look at.
var errBehind = history.Errorf(history.Unavailable, "too far behind")

// catchUp lets go of what changes concern, up to a revision.
func (c *Cache) catchUp(ctx context.Context, known history.Revision) error {
	if c.upTo >= known {
		return nil
	}
	list, _, err := c.store.Changes(ctx, c.after, mostChanges+1, 0)
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Revision > known {
			break
		}
		if i == mostChanges {
			return errBehind
		}
		terms, err := changedTerms(ctx, c.store, &list[i])
		if err != nil {
			return err
		}
		for _, s := range c.slices {
			if s.at >= list[i].CapturedAt {
				s.release(terms)
				s.rename(list[i].Key)
			}
		}
		c.after = list[i].Position
	}
	c.upTo = known
	return nil
}
