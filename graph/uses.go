package graph

import (
	"context"
	"slices"

	"github.com/varvehq/varve/history"
)

// Uses tells who uses a resource, directly or through up to depth relationships:
// nearest first, then in the order in which the users were first recorded, each
// once with one of its shortest paths. Containers do not use what they contain,
// and nothing uses itself. With a limit there are no more hits than that, and
// truncated says that there would be; hits have no names until Name gives them.
func (g *Graph) Uses(ctx context.Context, k history.Key, depth, limit int) (hits []Hit, truncated bool, err error) {
	s := g.session(ctx)
	seen := map[history.Key]bool{k: true}
	level := []Hit{{Key: k}}
	for d := 1; d <= max(depth, 1) && len(level) > 0; d++ {
		keys := make([]history.Key, len(level))
		for i := range level {
			keys[i] = level[i].Key
		}
		if err := s.prepareUsers(keys); err != nil {
			return nil, false, err
		}
		var next []Hit
		for i := range level {
			of := &level[i]
			users, err := s.users(of.Key)
			if err != nil {
				return nil, false, err
			}
			for j := range users {
				r := &users[j]
				if seen[r.From] {
					continue
				}
				if limit > 0 && len(hits)+len(next) == limit {
					return append(hits, next...), true, nil
				}
				if seen[r.From] = true; next == nil {
					next = make([]Hit, 0, len(users))
				}
				path := make([]Hop, len(of.Path), len(of.Path)+1)
				copy(path, of.Path)
				next = append(next, Hit{Key: r.From, Depth: d, Path: append(path, Hop{r.From, *r})})
			}
		}
		hits, level = append(hits, next...), next
	}
	return hits, false, nil
}

// prepareUsers reads what it takes to tell who uses resources.
func (s *session) prepareUsers(keys []history.Key) error {
	if err := s.know(keys); err != nil {
		return err
	}
	telling := slices.DeleteFunc(slices.Clone(keys), func(k history.Key) bool { return !s.inverse[k] })
	return s.fetchTargets(telling)
}

// users lists the relationships of those that use a resource with it, each once.
func (s *session) users(k history.Key) ([]Relationship, error) {
	list, sources := 0, 0
	for _, t := range s.terms[k] {
		if n := len(s.at(t).naming); n > 0 {
			list, sources = list+n, sources+1
		}
	}
	e := edges{list: make([]Relationship, 0, list), single: sources < 2 && !s.inverse[k]}
	err := s.incoming(k, func(owner history.Key, r *Reference) {
		if !r.Inverse {
			e.add(owner, k, r)
		}
	})
	if err != nil || !s.inverse[k] {
		return e.list, err
	}
	err = s.outgoing(k, func(target history.Key, r *Reference) {
		if r.Inverse {
			e.add(k, target, r)
		}
	})
	return e.list, err
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
			users, err := s.users(k)
			if err != nil {
				return nil, false, err
			}
			if len(users) > 0 {
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
