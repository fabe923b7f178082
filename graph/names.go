package graph

import (
	"context"

	"github.com/varvehq/varve/history"
)

// names are those that a cache keeps for a reader; nil: it keeps none.
type names struct {
	c         *Cache
	s         *kept
	known     history.Revision
	unwritten uint64 // when they were first asked for
}

func (c *Cache) names(ctx context.Context, at history.At) *names {
	if c == nil {
		return nil
	}
	s := c.slice(ctx, at)
	if s == nil {
		return nil
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return &names{c, s, at.Known, c.unwritten}
}

// fill names hits, and lists the places of those whose names are not kept.
func (n *names) fill(hits []Hit) (unnamed []int) {
	if n != nil {
		n.c.mu.RLock()
		defer n.c.mu.RUnlock()
	}
	for i := range hits {
		if n != nil {
			if at, ok := n.s.numbers[hits[i].Key]; ok {
				if r := &n.s.nodes[at]; r.named != 0 && r.named <= n.known {
					hits[i].Name = r.name
					continue
				}
			}
		}
		unnamed = append(unnamed, i)
	}
	return unnamed
}

// keep keeps the names of nodes, which were read since, unless more has been looked
// at than the reader knows.
func (n *names) keep(nodes []Node) {
	if n == nil || len(nodes) == 0 {
		return
	}
	n.c.mu.Lock()
	defer n.c.mu.Unlock()
	if n.c.upTo != n.known || n.unwritten != n.c.unwriter.Unwritten() {
		return
	}
	for i := range nodes {
		before := len(n.s.nodes)
		r := &n.s.nodes[n.s.number(nodes[i].Key)]
		if len(n.s.nodes) > before {
			n.s.text += len(r.key.ID)
		}
		n.s.text += len(nodes[i].Name) - len(r.name)
		r.name, r.named = nodes[i].Name, n.known
	}
	n.c.bind(n.s)
}

// rename lets go of a resource's name.
func (s *kept) rename(k history.Key) {
	if at, ok := s.numbers[k]; ok {
		r := &s.nodes[at]
		s.text -= len(r.name)
		r.name, r.named = "", 0
	}
}
