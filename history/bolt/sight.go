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

const cachedRanges = 1 << 17

// sightChange is what becomes of a resource's merged sightings.
type sightChange struct {
	rid
	added sightRange
	drops bool // some go
}

// with is the range of what there was and what was added.
func (s sightRange) with(added sightRange) sightRange {
	if s.first == 0 || added.first < s.first {
		s.first = added.first
	}
	if s.last.Compare(added.last) < 0 {
		s.last = added.last
	}
	return s
}

// begin returns the generation that a transaction taken afterwards reads in.
func (c *sightCache) begin() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.generation
}

func (c *sightCache) find(r rid) (sightRange, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.known(r)
}

func (c *sightCache) known(r rid) (sightRange, bool) {
	if c.none.has(r) {
		return sightRange{}, true
	}
	found, ok := c.ranges[r]
	return found, ok
}

func (c *sightCache) keep(r rid, s sightRange, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation == c.generation && generation%2 == 0 {
		c.put(r, s)
	}
}

func (c *sightCache) put(r rid, s sightRange) {
	if s == (sightRange{}) {
		c.none.add(r)
		return
	}
	if c.ranges == nil || len(c.ranges) >= cachedRanges {
		c.ranges = map[rid]sightRange{}
	}
	c.ranges[r] = s
}

// writing forgets what is about to change; the returned function says that it has,
// or not. A range that is known and does not shrink is known afterwards, too.
func (c *sightCache) writing(changes []sightChange) (written func(done bool)) {
	if len(changes) == 0 {
		return func(bool) {}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	var grown []sightChange
	for _, change := range changes {
		if was, ok := c.known(change.rid); ok && !change.drops {
			grown = append(grown, sightChange{rid: change.rid, added: was.with(change.added)})
		}
		delete(c.ranges, change.rid)
		c.none.remove(change.rid)
	}
	return func(done bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.generation++
		for _, change := range grown {
			if done {
				c.put(change.rid, change.added)
			}
		}
	}
}

// sightings finds the range of a resource; each version of a history asks for it.
func (v *view) sightings(r rid) (sightRange, error) {
	if v.sighted.rid == r {
		return v.sighted.sightRange, nil
	}
	s, ok := v.s.sighted.find(r)
	if !ok {
		var err error
		if s, err = v.readRange(r); err != nil {
			return sightRange{}, err
		}
		v.s.sighted.keep(r, s, v.generation)
	}
	v.sighted.rid, v.sighted.sightRange = r, s
	return s, nil
}

func (v *view) readRange(r rid) (s sightRange, err error) {
	read, n := v.sights.open(v.tx), 0
	err = read.back(&sightEntry{rid: r + 1}, func(e *sightEntry) bool {
		if e.rid != r {
			return false
		}
		if n++; n == 1 {
			s.last = e.Sighting
		}
		s.first = e.At
		return n < sightBlockEntries
	})
	if err == nil && n == sightBlockEntries { // there may be thousands
		err = read.from(&sightEntry{rid: r}, func(e *sightEntry) bool {
			s.first = e.At
			return false
		})
	}
	return s, err
}

// mergedSightings calls f with a resource's, in order.
func (v *view) mergedSightings(r rid, f func(*sightEntry)) error {
	return v.sights.open(v.tx).from(&sightEntry{rid: r}, func(e *sightEntry) bool {
		if e.rid == r {
			f(e)
		}
		return e.rid == r
	})
}

// originOfSighting finds the encoded origin of a sighting in no run.
func (v *view) originOfSighting(r rid, at plan.Sighting) (origin []byte, found bool, err error) {
	v.s.mu.RLock()
	for _, t := range v.tails {
		t.sights[0].each(r, func(s *sightNote) {
			if s.Sighting == at {
				origin, found = t.origins.of(s.origin), true
			}
		})
	}
	v.s.mu.RUnlock()
	if found {
		return origin, true, nil
	}
	err = v.sights.open(v.tx).from(&sightEntry{rid: r, Sighting: at}, func(e *sightEntry) bool {
		if found = e.rid == r && e.Sighting == at; found {
			origin = bytes.Clone(e.origin)
		}
		return false
	})
	return origin, found, err
}

// lastSighting is the newest sighting of a place's row after a moment, as seen
// from a revision; the moment if there is none.
func (v *view) lastSighting(r rid, p *plan.Place, known history.Revision, after history.Moment) (history.Moment, error) {
	s, err := v.sightings(r)
	switch {
	case err != nil || s.last.At <= after || s.first > p.Until():
		return after, err
	case p.Holds(s.last, known):
		return s.last.At, nil
	}
	end := sightEntry{rid: r + 1}
	if until := p.Until(); until != history.Newest {
		end = sightEntry{rid: r, Sighting: plan.Sighting{At: until + 1}}
	}
	last := after
	err = v.sights.open(v.tx).back(&end, func(e *sightEntry) bool {
		if e.rid != r || e.At <= after {
			return false
		}
		if !p.Holds(e.Sighting, known) {
			return true
		}
		last = e.At
		return false
	})
	return last, err
}
