package main

import (
	"io"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// growth grows trees out of the edges of a graph: from a resource to all that is
// nearest to it, and on from there. Every edge stands once, and what is below a
// resource stands where the resource is met first.
type growth struct {
	of     *varvev1.ResourceKey // at the root of the first tree
	edges  []*varvev1.Edge
	ends   map[answer.Key][]int // edges of each resource, by number
	shown  []bool               // edges
	placed map[answer.Key]bool
}

// writeGraphTree shows the edges around a resource. Those that are not connected
// with it, since what lies between was not asked for, make trees of their own.
func writeGraphTree(w io.Writer, screen terminal.Screen, of *varvev1.ResourceKey, edges []*varvev1.Edge) error {
	g := &growth{of, edges, map[answer.Key][]int{}, make([]bool, len(edges)), map[answer.Key]bool{}}
	for i, e := range edges {
		user, used := answer.KeyOf(e.GetUser()), answer.KeyOf(e.GetUsed())
		g.ends[user] = append(g.ends[user], i)
		g.ends[used] = append(g.ends[used], i)
	}
	if err := table.WriteTree(w, screen, g.grow(of)); err != nil {
		return err
	}
	for i, e := range edges {
		if !g.shown[i] {
			if err := table.WriteTree(w, screen, g.grow(e.GetUser())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *growth) grow(from *varvev1.ResourceKey) *table.Branch {
	type tip struct {
		key    answer.Key
		branch *table.Branch
	}
	root := &table.Branch{Cells: g.resource(from)}
	g.placed[answer.KeyOf(from)] = true
	for next := []tip{{answer.KeyOf(from), root}}; len(next) > 0; next = next[1:] {
		at := next[0]
		for _, i := range g.ends[at.key] {
			if g.shown[i] {
				continue
			}
			g.shown[i] = true
			e := g.edges[i]
			arrow, name, other := "→", e.GetName(), e.GetUsed()
			if answer.KeyOf(e.GetUser()) != at.key {
				arrow, name, other = "←", e.GetUsedName(), e.GetUser()
			}
			cells := append([]table.Cell{{Text: arrow + " " + name, Style: terminal.Cyan}}, g.resource(other)...)
			if g.placed[answer.KeyOf(other)] {
				at.branch.Add(append(cells, table.Cell{Text: "(see above)", Style: terminal.Dim})...)
				continue
			}
			g.placed[answer.KeyOf(other)] = true
			next = append(next, tip{answer.KeyOf(other), at.branch.Add(cells...)})
		}
	}
	return root
}

// resource is a resource in a tree.
func (g *growth) resource(k *varvev1.ResourceKey) []table.Cell { return resourceCells(k, g.of) }

func resourceCells(k, of *varvev1.ResourceKey) []table.Cell {
	return []table.Cell{table.Text(k.GetType() + " " + k.GetId()), elsewhere(k, of)}
}
