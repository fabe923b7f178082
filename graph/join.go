package graph

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
)

// Owner is a live resource and what it claims.
type Owner struct {
	Key    history.Key
	Claims Claims
}

// Bearers finds the live resources that bear a term at one moment, in any
// order. Every resource bears IDTerm of its own type and id.
type Bearers interface {
	Bearers(Term) []Bearer
}

// Join makes the edges of one moment out of all that is live then: every
// reference is followed to the resources it means, references that say the same
// of the same two resources become one edge with the reasons of all, and an
// edge from a resource to itself is dropped. The edges are sorted by user, used
// and name, their reasons as text.
func Join(owners []Owner, live Bearers) []Relationship {
	type edge struct {
		from, to history.Key
		name     string
	}
	edges := make(map[edge][]Reason)
	for i := range owners {
		for j := range owners[i].Claims.References {
			r := &owners[i].Claims.References[j]
			for _, target := range r.Targets(owners[i].Key, live.Bearers(r.Term)) {
				e := edge{owners[i].Key, target, r.Name}
				if r.Inverse {
					e.from, e.to = e.to, e.from
				}
				edges[e] = append(edges[e], r.Sources...)
			}
		}
	}
	all := make([]Relationship, 0, len(edges))
	for e, reasons := range maps.All(edges) {
		slices.Sort(reasons)
		all = append(all, Relationship{Name: e.name, From: e.from, To: e.to, Reasons: slices.Compact(reasons)})
	}
	slices.SortFunc(all, func(a, b Relationship) int {
		return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To), strings.Compare(a.Name, b.Name))
	})
	return all
}

// Population is a set of live resources as Join wants to ask it: the plain
// answer to which that of any index can be compared.
type Population map[Term][]Bearer

// Populate notes who bears what.
func Populate(owners []Owner) Population {
	p := make(Population)
	for i := range owners {
		k, c := owners[i].Key, &owners[i].Claims
		p.add(IDTerm(k.Type, k.ID), Bearer{Key: k})
		p.add(NameTerm(k.Type, k.ID), Bearer{Key: k})
		for _, t := range c.Bears {
			b := Bearer{Key: k}
			if t.selects() {
				b.Labels = c.Labels
			}
			p.add(t, b)
		}
	}
	return p
}

func (p Population) add(t Term, b Bearer) { p[t] = append(p[t], b) }

// Bearers implements Bearers.
func (p Population) Bearers(t Term) []Bearer { return p[t] }
