package graph

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
)

// pathNodes is how many resources a search for paths looks at.
const pathNodes = 100_000

// way is a step of a search: from a resource over a relationship to its other
// end.
type way struct {
	from history.Key
	over Relationship
}

// Paths lists the shortest paths between two resources, over up to depth
// relationships whichever way they lead, in the order of what they pass. There
// are none between a resource and itself. With a limit, or when the search looks
// at too much, truncated says that there may be others.
func (g *Graph) Paths(ctx context.Context, from, to history.Key, depth, limit int) (paths [][]Hop, truncated bool, err error) {
	if from == to {
		return nil, false, nil
	}
	s := g.session(ctx)
	before := map[history.Key][]way{} // of each resource met: the last steps of its shortest paths
	at := map[history.Key]int{from: 0}
	level := []history.Key{from}
	for d := 1; d <= max(depth, 1) && len(level) > 0 && before[to] == nil; d++ {
		list, err := s.around(level, Both)
		if err != nil {
			return nil, false, err
		}
		var next []history.Key
		for _, r := range list {
			for _, by := range [...]way{{r.From, r}, {r.To, r}} {
				other := r.To
				if by.from == r.To {
					other = r.From
				}
				if met, ok := at[by.from]; !ok || met != d-1 {
					continue
				}
				if met, ok := at[other]; ok && met != d {
					continue
				} else if !ok {
					at[other] = d
					next = append(next, other)
				}
				before[other] = append(before[other], by)
			}
		}
		if level = next; len(at) > pathNodes && before[to] == nil {
			return nil, true, nil
		}
	}
	for _, steps := range before {
		slices.SortFunc(steps, func(a, b way) int {
			return cmp.Or(a.from.Compare(b.from), strings.Compare(a.over.Name, b.over.Name), a.over.compare(&b.over))
		})
	}

	// Backwards from the end; most is one more than asked for.
	var back func(k history.Key, path []Hop)
	back = func(k history.Key, path []Hop) {
		if limit > 0 && len(paths) > limit {
			return
		}
		if k == from {
			path = slices.Clone(path)
			slices.Reverse(path)
			paths = append(paths, path)
			return
		}
		for _, s := range before[k] {
			back(s.from, append(path, Hop{Key: k, Name: s.over.Name, User: s.over.From == k, Reasons: s.over.Reasons}))
		}
	}
	if before[to] != nil {
		back(to, nil)
	}
	if truncated = limit > 0 && len(paths) > limit; truncated {
		paths = paths[:limit]
	}
	return paths, truncated, nil
}
