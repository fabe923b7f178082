package bolt

import (
	"bytes"
	"sync"

	"github.com/varvehq/varve/history"
)

// latest is the payload of a resource's newest row, as it was recorded not long
// ago: the next one is written as a delta from it.
type latest struct {
	epoch   uint64
	number  uint32
	deltas  int // one after another, that lead from a body that stands alone to this row
	hash    history.Hash
	origin  int // where the content begins in payload
	payload []byte
}

// holds reports whether a content is that of the row.
func (l *latest) holds(content []byte) bool { return bytes.Equal(l.payload[l.origin:], content) }

// latestCache keeps payloads of newest rows, those recorded last, within a bound
// of memory. It is safe for concurrent use. Callers prepare deltas by what they
// find in it; the writer alone says whether that is still the newest row.
type latestCache struct {
	mu         sync.RWMutex
	epoch      uint64
	young, old map[history.Key]*latest // the old go when the young have filled half
	bytes      int                     // of the young
}

const (
	latestBytes  = 64 << 20
	latestDeltas = 16      // in the log, before one stands alone again
	latestLarge  = 4 << 20 // a payload of more is not kept
	latestSpare  = 256     // bytes that an entry takes beside its payload
)

func (c *latestCache) find(k history.Key) *latest {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if l := c.young[k]; l != nil {
		return l
	}
	return c.old[k]
}

// current reports whether an entry was made since everything was forgotten last.
func (c *latestCache) current(l *latest) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return l.epoch == c.epoch
}

func (c *latestCache) keep(k history.Key, l latest) {
	if len(l.payload) > latestLarge {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.young == nil || c.bytes > latestBytes/2 {
		c.old, c.young, c.bytes = c.young, map[history.Key]*latest{}, 0
	}
	l.epoch = c.epoch
	if was := c.young[k]; was != nil {
		c.bytes -= len(was.payload) + latestSpare
	}
	c.young[k] = &l
	c.bytes += len(l.payload) + latestSpare
}

// forget drops all entries: what was recorded may not be what was written, or a
// content is about to be destroyed. Deltas prepared from them are not taken.
func (c *latestCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	c.young, c.old, c.bytes = nil, nil, 0
}
