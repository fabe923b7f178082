package graph

import (
	"context"

	"github.com/varvehq/varve/history"
)

// Uses tells who uses a resource, directly or through up to depth relationships:
// nearest first, then in the order in which the users were first recorded, each
// once with one of its shortest paths. Containers do not use what they contain,
// and nothing uses itself. With a limit there are no more hits than that, and
// truncated says that there would be; hits have no names until Name gives them.
func (g *Graph) Uses(ctx context.Context, k history.Key, depth, limit int) (hits []Hit, truncated bool, err error) {
	s := g.session(ctx)
	depth = max(depth, 1)
	level := []Hit{{Key: k}}
	seen := map[history.Key]bool{k: true} // but for the last level, if it has but one resource before it
	for d := 1; d <= depth && len(level) > 0; d++ {
		keys := make([]history.Key, len(level))
		for i := range level {
			keys[i] = level[i].Key
		}
		if err := s.prepareUsers(keys); err != nil {
			return nil, false, err
		}
		most := 0
		for _, k := range keys {
			most += s.naming(k)
		}
		if limit > 0 {
			most = min(most, limit)
		}
		next := make([]Hit, 0, most)
		hops := slab{depth: d}
		alone := d == depth && d == 1
		for i := range level {
			of := &level[i]
			full := false
			err := s.usersOf(of.Key, func(r *Relationship) {
				if full || !alone && seen[r.From] {
					return
				}
				if full = limit > 0 && len(hits)+len(next) == limit; full {
					return
				}
				if !alone {
					seen[r.From] = true
				}
				next = append(next, Hit{Key: r.From, Depth: d, Path: hops.path(of.Path, r)})
			})
			if err != nil {
				return nil, false, err
			}
			if full {
				return append(hits, next...), true, nil
			}
		}
		if level = next; hits == nil {
			hits = next
		} else {
			hits = append(hits, next...)
		}
	}
	return hits, false, nil
}

// prepareUsers reads what it takes to tell who uses resources.
func (s *session) prepareUsers(keys []history.Key) error {
	if err := s.know(keys); err != nil {
		return err
	}
	var telling []*linked
	for _, k := range keys {
		telling = append(telling, s.vertices[k].users...)
	}
	return s.fetch(telling)
}

// slab makes paths of one length, many at a time.
type slab struct {
	depth int
	free  []Hop
}

func (s *slab) path(before []Hop, last *Relationship) []Hop {
	if len(s.free) < s.depth {
		s.free = make([]Hop, 256*s.depth)
	}
	path := s.free[:s.depth:s.depth]
	s.free = s.free[s.depth:]
	path[copy(path, before)] = Hop{Key: last.From, Name: last.Name, User: true, Reasons: last.Reasons}
	return path
}

// naming is how many links refer to a resource's terms.
func (s *session) naming(k history.Key) int {
	n := 0
	for _, t := range s.vertices[k].bears {
		n += len(t.naming)
	}
	return n
}

// usersOf calls add with each user of a resource, once: with the first by name of
// its relationships, which add must not keep.
func (s *session) usersOf(k history.Key, add func(*Relationship)) error {
	terms := 0 // that are referred to
	of := s.vertices[k]
	for _, t := range of.bears {
		if len(t.naming) > 0 {
			terms++
		}
	}
	if terms == 1 && len(of.users) == 0 {
		// All that one user says comes together.
		var r Relationship
		err := s.incoming(k, func(owner history.Key, ref *Reference) {
			switch {
			case ref.Inverse:
			case r.Name == "" || r.From != owner:
				if r.Name != "" {
					add(&r)
				}
				r = Relationship{Name: ref.Name, From: owner, To: k, Reasons: ref.Sources}
			case r.Name == ref.Name:
				r.Reasons = joined(r.Reasons, ref.Sources)
			case ref.Name < r.Name:
				r.Name, r.Reasons = ref.Name, ref.Sources
			}
		})
		if r.Name != "" {
			add(&r)
		}
		return err
	}
	var e edges
	err := s.incoming(k, func(owner history.Key, r *Reference) {
		if !r.Inverse {
			e.add(owner, k, r)
		}
	})
	if err == nil {
		err = s.told(k, func(target history.Key, r *Reference) { e.add(k, target, r) })
	}
	if len(e.list) == 1 { // as of most
		add(&e.list[0])
		return err
	}
	first := make(map[history.Key]int, len(e.list))
	for i := range e.list {
		if at, ok := first[e.list[i].From]; !ok || e.list[i].Name < e.list[at].Name {
			first[e.list[i].From] = i
		}
	}
	for i := range e.list {
		if first[e.list[i].From] == i {
			add(&e.list[i])
		}
	}
	return err
}

// Unused lists resources that nobody uses, in key order, of those that a query
// selects by what keys tell. With a limit, more says that there are others after
// the last.
func (g *Graph) Unused(ctx context.Context, q history.Query) (nodes []Node, more bool, err error) {
	const page = 4096
	limit, rest := q.Limit, true
	q.Limit, q.Fields, q.Deleted = page, history.FieldsKey, false
	var found []history.Key
	for rest && !more {
		var items []history.Item
		if items, rest, err = g.reader.Items(ctx, q); err != nil {
			return nil, false, err
		}
		keys := make([]history.Key, len(items))
		for i := range items {
			keys[i] = items[i].Key
		}
		s := g.session(ctx)
		if err := s.prepareUsers(keys); err != nil {
			return nil, false, err
		}
		for _, k := range keys {
			used := false
			if err := s.usersOf(k, func(*Relationship) { used = true }); err != nil {
				return nil, false, err
			}
			if used {
				continue
			}
			if more = limit > 0 && len(found) == limit; more {
				break
			}
			found = append(found, k)
		}
		if len(keys) > 0 {
			q.After = &keys[len(keys)-1]
		}
	}
	nodes, err = g.nodes(ctx, found)
	return nodes, more, err
}

// Name gives hits the names of their resources.
func (g *Graph) Name(ctx context.Context, hits []Hit) error {
	keys := make([]history.Key, len(hits))
	for i := range hits {
		keys[i] = hits[i].Key
	}
	nodes, err := g.nodes(ctx, keys)
	for i := range nodes {
		hits[i].Name = nodes[i].Name
	}
	return err
}

// nodes reads the names of resources.
func (g *Graph) nodes(ctx context.Context, keys []history.Key) ([]Node, error) {
	items, err := g.reader.Get(ctx, keys, history.FieldsAll)
	if err != nil {
		return nil, err
	}
	nodes := make([]Node, len(items))
	for i := range items {
		nodes[i] = Node{items[i].Key, items[i].State.Name}
	}
	return nodes, nil
}
