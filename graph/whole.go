package graph

import (
	"context"
	"maps"
	"slices"

	"github.com/varvehq/varve/history"
)

// whole is all of the graph at one moment.
type whole struct {
	nodes map[history.Key]bool
	edges []Relationship // sorted
}

// whole reads all that is alive and all that is linked, term by term.
func (g *Graph) whole(ctx context.Context) (*whole, error) {
	w := &whole{nodes: map[history.Key]bool{}}
	own := map[Term][]Bearer{}
	q := history.Query{Fields: history.FieldsKey, Limit: 1 << 14}
	for more := true; more; {
		items, rest, err := g.reader.Items(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range items {
			k := items[i].Key
			w.nodes[k] = true
			t := IDTerm(k.Type, k.ID)
			own[t] = append(own[t], Bearer{Key: k})
			q.After = &items[i].Key
		}
		more = rest
	}
	var e edges
	l := history.LinkQuery{Limit: 1 << 14}
	for more := true; more; {
		list, rest, err := g.reader.Links(ctx, l)
		if err != nil {
			return nil, err
		}
		s := g.session(ctx) // for the texts of one page
		if err := s.take(list); err != nil {
			return nil, err
		}
		for t, at := range s.linked {
			bearers := at.bearers
			if typ, id, ok := t.resource(); ok {
				bearers = slices.Concat(bearers, own[IDTerm(typ, id)])
			}
			var read references
			for i := range at.naming {
				n := &at.naming[i]
				refs, err := read.of(&n.Link)
				if err != nil {
					return nil, err
				}
				for j := range refs {
					for _, target := range refs[j].Targets(n.Key, bearers) {
						e.add(n.Key, target, &refs[j])
					}
				}
			}
		}
		if more = rest; len(list) > 0 {
			l.After = list[len(list)-1].Term
		}
	}
	w.edges = e.list
	slices.SortFunc(w.edges, func(a, b Relationship) int { return a.compare(&b) })
	return w, nil
}

// reach is what roots use, directly or not, themselves left out.
func (w *whole) reach(roots []history.Key) map[history.Key]bool {
	uses := map[history.Key][]history.Key{}
	for i := range w.edges {
		uses[w.edges[i].From] = append(uses[w.edges[i].From], w.edges[i].To)
	}
	seen := map[history.Key]bool{}
	for todo := slices.Clone(roots); len(todo) > 0; {
		k := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, to := range uses[k] {
			if !seen[to] {
				seen[to] = true
				todo = append(todo, to)
			}
		}
	}
	for _, k := range roots {
		delete(seen, k)
	}
	return seen
}

// Diff tells what has come and gone from one moment to another: resources,
// relationships, and, with roots, what these use directly or not. Each list is
// sorted and, with a limit, cut at it.
func Diff(ctx context.Context, from, to *Graph, roots []history.Key, limit int) (Difference, error) {
	before, err := from.whole(ctx)
	if err != nil {
		return Difference{}, err
	}
	after, err := to.whole(ctx)
	if err != nil {
		return Difference{}, err
	}
	var d Difference
	d.NodesAdded, d.NodesRemoved = missing(after.nodes, before.nodes), missing(before.nodes, after.nodes)
	d.EdgesAdded, d.EdgesRemoved = missingEdges(after.edges, before.edges), missingEdges(before.edges, after.edges)
	if len(roots) > 0 {
		was, is := before.reach(roots), after.reach(roots)
		d.Gained, d.Lost = missing(is, was), missing(was, is)
	}
	for _, list := range []*[]history.Key{&d.NodesAdded, &d.NodesRemoved, &d.Gained, &d.Lost} {
		d.Truncated = cut(list, limit) || d.Truncated
	}
	for _, list := range []*[]Relationship{&d.EdgesAdded, &d.EdgesRemoved} {
		d.Truncated = cut(list, limit) || d.Truncated
	}
	return d, nil
}

// missing lists the keys of a set that another does not have.
func missing(in, from map[history.Key]bool) []history.Key {
	var list []history.Key
	for k := range maps.Keys(in) {
		if !from[k] {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, history.Key.Compare)
	return list
}

// missingEdges lists the edges of one graph that another does not have, whatever
// the reasons.
func missingEdges(in, from []Relationship) []Relationship {
	var list []Relationship
	for i := range in {
		_, ok := slices.BinarySearchFunc(from, &in[i], func(a Relationship, b *Relationship) int { return a.compare(b) })
		if !ok {
			list = append(list, in[i])
		}
	}
	return list
}

func cut[T any](list *[]T, limit int) bool {
	if limit <= 0 || len(*list) <= limit {
		return false
	}
	*list = (*list)[:limit]
	return true
}
