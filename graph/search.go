package graph

import (
	"slices"

	"github.com/varvehq/varve/history"
)

// search looks for users in a slice, level by level.
type search struct {
	*slice
	known history.Revision
	limit int // of hits; 0 = none

	met  []meeting
	ends []int    // of levels in met
	seen []uint64 // a bit for each node
	full bool     // there would be more than the limit
}

// begin starts with a resource.
func (w *search) begin(n uint32) {
	w.met, w.ends = []meeting{{user: user{node: n}}}, []int{1}
	w.see(n)
}

// level is the last one: places in met.
func (w *search) level() (from, to int) {
	if n := len(w.ends); n > 1 {
		from = w.ends[n-2]
	}
	return from, len(w.met)
}

// done reports whether there is nothing to be found beyond some levels.
func (w *search) done(depth int) bool {
	from, to := w.level()
	return from == to || len(w.ends) > depth || w.full
}

// allRead reports whether the users of the last level were read.
func (w *search) allRead() bool {
	from, to := w.level()
	for _, m := range w.met[from:to] {
		if !w.knows(m.node, w.known) {
			return false
		}
	}
	return true
}

// missing are the nodes of the last level whose users were not read.
func (w *search) missing() (nodes []uint32) {
	from, to := w.level()
	for _, m := range w.met[from:to] {
		if !w.knows(m.node, w.known) {
			nodes = append(nodes, m.node)
		}
	}
	return nodes
}

// step goes on to the users of the last level, all of which were read.
func (w *search) step() {
	defer func() { w.ends = append(w.ends, len(w.met)) }()
	from, to := w.level()
	most := 0
	for _, m := range w.met[from:to] {
		most += len(w.nodes[m.node].users)
	}
	if w.limit > 0 {
		most = min(most, w.limit)
	}
	w.met = slices.Grow(w.met, most)
	for at := from; at < to; at++ {
		for _, u := range w.nodes[w.met[at].node].users {
			if !w.see(u.node) {
				continue
			}
			if w.full = w.limit > 0 && len(w.met) > w.limit; w.full {
				return
			}
			w.met = append(w.met, meeting{u, uint32(at)})
		}
	}
}

// see notes that a node is met, and reports whether for the first time.
func (w *search) see(n uint32) bool {
	at, bit := int(n/64), uint64(1)<<(n%64)
	if at >= len(w.seen) {
		w.seen = append(w.seen, make([]uint64, len(w.nodes)/64+1-len(w.seen))...)
	}
	first := w.seen[at]&bit == 0
	w.seen[at] |= bit
	return first
}

func (w *search) hits() *Hits {
	return &Hits{Truncated: w.full, nodes: w.nodes, uses: w.uses, met: w.met, ends: w.ends}
}
