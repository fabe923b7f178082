package graph

import (
	"context"
	"maps"
	"slices"

	"github.com/varvehq/varve/history"
)

// Relationships lists those of a resource in one direction or both, and with a
// depth those of its neighbours further on, sorted by user, used and name. A name
// chooses which are told and followed, a type which are told, by what they lead
// to. With a limit, truncated says that there are more.
func (g *Graph) Relationships(ctx context.Context, k history.Key, q Query) (list []Relationship, truncated bool, err error) {
	list, _, err = g.session(ctx).walk([]history.Key{k}, q)
	if err != nil {
		return nil, false, err
	}
	if truncated = q.Limit > 0 && len(list) > q.Limit; truncated {
		list = list[:q.Limit]
	}
	return list, truncated, nil
}

// Walk is the part of the graph around resources that Relationships of each would
// tell, the resources themselves included; without any it is the whole graph.
// Nodes are in key order.
func (g *Graph) Walk(ctx context.Context, roots []history.Key, q Query) (Subgraph, error) {
	var (
		sub   Subgraph
		nodes map[history.Key]bool
		err   error
	)
	if len(roots) == 0 {
		var all *whole
		if all, err = g.whole(ctx); err == nil {
			sub.Edges, nodes = all.edges, all.nodes
		}
	} else {
		sub.Edges, nodes, err = g.session(ctx).walk(roots, q)
	}
	if err != nil {
		return sub, err
	}
	if q.Limit > 0 && len(sub.Edges) > q.Limit {
		sub.Edges, sub.Truncated = sub.Edges[:q.Limit], true
		nodes = map[history.Key]bool{}
		for _, k := range roots {
			nodes[k] = true
		}
		for i := range sub.Edges {
			nodes[sub.Edges[i].From], nodes[sub.Edges[i].To] = true, true
		}
	}
	sub.Nodes, err = g.nodes(ctx, slices.SortedFunc(maps.Keys(nodes), history.Key.Compare))
	return sub, err
}

// walk gathers relationships level by level, and the resources they touch. It
// stops when there are more relationships than the limit.
func (s *session) walk(roots []history.Key, q Query) ([]Relationship, map[history.Key]bool, error) {
	if q.Direction == 0 {
		q.Direction = Both
	}
	nodes, all := map[history.Key]bool{}, map[edge]Relationship{}
	level, seen := roots, map[history.Key]bool{}
	for _, k := range roots {
		nodes[k], seen[k] = true, true
	}
	for d := 0; d < max(q.Depth, 1) && len(level) > 0 && (q.Limit <= 0 || len(all) <= q.Limit); d++ {
		list, err := s.around(level, q.Direction)
		if err != nil {
			return nil, nil, err
		}
		at := map[history.Key]bool{}
		for _, k := range level {
			at[k] = true
		}
		var next []history.Key
		for _, r := range list {
			if _, used := Wording(r.Name); q.Name != "" && q.Name != r.Name && q.Name != used {
				continue
			}
			told := false
			for _, end := range [...]struct{ of, other history.Key }{{r.From, r.To}, {r.To, r.From}} {
				if !at[end.of] || q.Direction == Outgoing && end.of != r.From || q.Direction == Incoming && end.of != r.To {
					continue
				}
				told = told || q.Type == "" || q.Type == end.other.Type
				if !seen[end.other] {
					seen[end.other] = true
					next = append(next, end.other)
				}
			}
			if told {
				all[edge{r.From, r.To, r.Name}] = r
				nodes[r.From], nodes[r.To] = true, true
			}
		}
		level = next
	}
	list := slices.SortedFunc(maps.Values(all), func(a, b Relationship) int { return a.compare(&b) })
	return list, nodes, nil
}
