package bolt

import (
	"bytes"
	"sync"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// sightRange is the first and the last of a resource's merged sightings, zero if
// there are none. Nearly every question for the newest evidence of a version is
// answered by it.
type sightRange struct {
	first history.Moment
	last  plan.Sighting
}

// sightCache remembers ranges. It is safe for concurrent use. What a reader has
// read is kept only if no merge has come between, which generations tell: they
// are odd while a merge is writing sightings.
type sightCache struct {
	mu         sync.RWMutex
	generation uint64
	ranges     map[rid]sightRange
	none       ridSet // resources without any: most, and asked about by every inventory
}

const cachedRanges = 1 << 16

// begin returns the generation that a transaction begun afterwards reads in.
func (c *sightCache) begin() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.generation
}

func (c *sightCache) find(r rid) (sightRange, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.none.has(r) {
		return sightRange{}, true
	}
	found, ok := c.ranges[r]
	return found, ok
}

func (c *sightCache) keep(r rid, s sightRange, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation || generation%2 != 0 {
		return
	}
	if s == (sightRange{}) {
		c.none.add(r)
		return
	}
	if c.ranges == nil || len(c.ranges) >= cachedRanges {
		c.ranges = map[rid]sightRange{}
	}
	c.ranges[r] = s
}

// writing forgets what is about to change; the returned function says that it has.
func (c *sightCache) writing(resources []rid) (written func()) {
	if len(resources) == 0 {
		return func() {}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	for _, r := range resources {
		delete(c.ranges, r)
		c.none.remove(r)
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.generation++
	}
}

// sightings reads the range of a resource.
func (v *view) sightings(r rid) sightRange {
	if s, ok := v.s.sighted.find(r); ok {
		return s
	}
	var s sightRange
	c := v.tx.Bucket(bucketSightings).Cursor()
	prefix := ridKey(r)
	if k, framed := c.Seek(prefix); bytes.HasPrefix(k, prefix) {
		s.first = openSighting(k, framed).At
		k, framed, _ = lastBefore(c, ridKey(r+1))
		s.last = openSighting(k, framed)
	}
	v.s.sighted.keep(r, s, v.generation)
	return s
}

// lastSighting is the newest sighting of a place's row after a moment, as seen
// from a revision; the moment if there is none.
func (v *view) lastSighting(r rid, p *plan.Place, known history.Revision, after history.Moment) history.Moment {
	s := v.sightings(r)
	switch {
	case s.last.At <= after || s.first > p.Until():
		return after
	case p.Holds(s.last, known):
		return s.last.At
	}
	c := v.tx.Bucket(bucketSightings).Cursor()
	prefix := ridKey(r)
	key, framed, _ := lastBefore(c, appendSegmentSeek(nil, r, p.Until()))
	for ; bytes.HasPrefix(key, prefix); key, framed = c.Prev() {
		s := openSighting(key, framed)
		if s.At <= after {
			break
		}
		if p.Holds(s, known) {
			return s.At
		}
	}
	return after
}
