package graph

import (
	"context"

	"github.com/varvehq/varve/history"
)

// Uses tells who uses a resource, directly or through up to depth relationships:
// nearest first, then in the order in which the users were first recorded, each
// once. Containers do not use what they contain, and nothing uses itself. With a
// limit there are no more hits than that.
func (g *Graph) Uses(ctx context.Context, k history.Key, depth, limit int) (*Hits, error) {
	depth = max(depth, 1)
	if hits, err := g.cache.uses(ctx, g.reader, k, depth, limit); hits != nil || err != nil {
		return hits, err
	}
	w := search{slice: &slice{}, known: g.reader.At().Known, limit: limit}
	if depth > 1 {
		w.numbers = map[history.Key]uint32{}
	}
	s := g.session(ctx)
	for w.begin(w.number(k)); !w.done(depth); w.step() {
		if err := w.read(s, w.missing(), w.known); err != nil {
			return nil, err
		}
	}
	return w.hits(), nil
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
	if err := s.fetch(telling); err != nil {
		return err
	}
	return s.lookForUsers(keys)
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
	names := g.cache.names(ctx, g.reader.At())
	unnamed := names.fill(hits)
	keys := make([]history.Key, len(unnamed))
	for i, at := range unnamed {
		keys[i] = hits[at].Key
	}
	nodes, err := g.nodes(ctx, keys)
	if err != nil {
		return err
	}
	for i := range nodes {
		hits[unnamed[i]].Name = nodes[i].Name
	}
	names.keep(nodes)
	return nil
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
