package feed

import (
	"slices"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
)

func referencesOf(k history.Key, before, after *history.Item) References {
	if before.Erased || after.Erased {
		return References{}
	}
	a, b := graph.Extract(k, stateOf(before)).References, graph.Extract(k, stateOf(after)).References
	return References{Opened: without(b, a), Closed: without(a, b)}
}

// stateOf is the state of what exists; what does not exist refers to nothing.
func stateOf(item *history.Item) *history.State {
	if !item.Exists() {
		return &history.State{Deleted: true}
	}
	return &item.State
}

// without are the references of list that other has not. Where they were read
// does not count: an edge told by two places goes on while one of them tells it.
func without(list, other []graph.Reference) []graph.Reference {
	var rest []graph.Reference
	for _, r := range list {
		if !slices.ContainsFunc(other, func(o graph.Reference) bool { return r.Same(&o) }) {
			rest = append(rest, r)
		}
	}
	return rest
}
