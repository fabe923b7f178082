package graph

import (
	"context"
	"hash/maphash"
	"sync/atomic"
	"unsafe"

	"github.com/varvehq/varve/history"
)

// kept is a slice that a cache keeps, whose lock guards it.
type kept struct {
	slice
	at   history.Moment
	turn atomic.Uint64 // when it was asked about last

	// Whom a term concerns: the first entry by its hash, from 1, and others after
	// it. Of two terms that share a hash, a change of either lets go of both.
	first     map[uint64]uint32
	concerned []concern
	edges     int // in nodes
	text      int // bytes of ids
}

type concern struct{ node, next uint32 }

func newKept(at history.Moment) *kept {
	return &kept{slice: slice{numbers: map[history.Key]uint32{}}, at: at, first: map[uint64]uint32{}}
}

var hashSeed = maphash.MakeSeed()

func hashOf(t Term) uint64 { return maphash.String(hashSeed, string(t)) }

// uses answers Uses out of what is kept, reading and keeping what is not; nil: it
// has to be asked without. What a store refuses is never kept, and a store that
// begins to refuse it tells so by what Unwritten is.
func (c *Cache) uses(ctx context.Context, r history.Reader, k history.Key, depth, limit int) (*Hits, error) {
	if c == nil {
		return nil, nil
	}
	at := r.At()
	s := c.slice(ctx, at)
	if s == nil {
		return nil, nil
	}
	w := search{slice: &s.slice, known: at.Known, limit: limit}
	c.mu.RLock()
	n, ok := s.numbers[k]
	c.mu.RUnlock()
	if !ok {
		c.mu.Lock()
		n = s.number(k)
		c.mu.Unlock()
	}
	for begun := false; ; {
		c.mu.RLock()
		if !begun {
			w.begin(n)
			begun = true
		}
		for !w.done(depth) && w.allRead() {
			w.step()
		}
		if w.done(depth) {
			defer c.mu.RUnlock()
			return w.hits(), nil
		}
		missing := w.missing()
		keys := make([]history.Key, len(missing))
		for i, n := range missing {
			keys[i] = s.nodes[n].key
		}
		c.mu.RUnlock()
		if ok, err := c.read(ctx, r, s, keys); !ok {
			return nil, err
		}
	}
}

// read reads who uses resources, and keeps it; false: it cannot be, since more was
// looked at than the reader knows, or something was unwritten.
func (c *Cache) read(ctx context.Context, r history.Reader, s *kept, keys []history.Key) (bool, error) {
	known := r.At().Known
	c.mu.RLock()
	unwritten, current := c.unwritten, c.upTo == known
	c.mu.RUnlock()
	if !current {
		return false, nil
	}
	from := At(r).session(ctx)
	read := slice{numbers: make(map[history.Key]uint32, len(keys))}
	nodes := make([]uint32, len(keys))
	for i, k := range keys {
		nodes[i] = read.number(k)
	}
	if err := read.read(from, nodes, known); err != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.upTo != known || unwritten != c.unwriter.Unwritten() {
		return false, nil
	}
	s.keep(&read, from, keys)
	c.bind(s)
	return true, nil
}

// keep takes what was read of resources in a session.
func (s *kept) keep(read *slice, from *session, keys []history.Key) {
	before := len(s.nodes)
	for _, k := range keys {
		s.edges -= len(s.nodes[s.number(k)].users)
	}
	s.merge(read)
	for i := range s.nodes[before:] {
		s.text += len(s.nodes[before+i].key.ID)
	}
	for _, k := range keys {
		n := s.number(k)
		s.edges += len(s.nodes[n].users)
		v := from.vertices[k]
		for _, terms := range [][]*linked{v.bears, v.users} {
			for _, t := range terms {
				h := hashOf(t.term)
				s.concerned = append(s.concerned, concern{n, s.first[h]})
				s.first[h] = uint32(len(s.concerned))
			}
		}
	}
}

// release lets go of those whom terms concern.
func (s *kept) release(terms []uint64) {
	for _, h := range terms {
		for at := s.first[h]; at != 0; at = s.concerned[at-1].next {
			n := &s.nodes[s.concerned[at-1].node]
			s.edges -= len(n.users)
			n.users, n.since = nil, 0
		}
		delete(s.first, h)
	}
}

// bytes is about what it takes. A map takes up to twice what is in it.
func (s *kept) bytes() int {
	const (
		key  = int(unsafe.Sizeof(history.Key{}))
		node = int(unsafe.Sizeof(resource{}))
		edge = int(unsafe.Sizeof(user{}))
		more = int(unsafe.Sizeof(concern{}))
	)
	return cap(s.nodes)*node + len(s.numbers)*2*(key+4) + s.text + s.edges*edge + len(s.uses)*512 + len(s.first)*2*12 + cap(s.concerned)*more
}

// bind keeps a cache within its bound, by forgetting all but one slice and, if
// that is too large by itself, that as well; who works with it goes on.
func (c *Cache) bind(s *kept) {
	bytes := 0
	for _, other := range c.slices {
		bytes += other.bytes()
	}
	if bytes <= c.bound {
		return
	}
	clear(c.slices)
	if s.bytes() <= c.bound {
		c.slices[s.at] = s
	}
}
