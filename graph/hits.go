package graph

import (
	"iter"

	"github.com/varvehq/varve/history"
)

// Hits are resources that use another, directly or through others. They are kept
// closely and told one by one: an answer may have very many.
type Hits struct {
	Truncated bool // there would be more than the limit

	nodes []resource // of the slice that was searched: their keys
	uses  []use
	met   []meeting // the resource itself, then level by level those that use it
	ends  []int     // of levels in met
}

// meeting is a node that was met as a user of one met before.
type meeting struct {
	user
	of uint32 // place in met
}

// Hit is a resource that uses another.
type Hit struct {
	Key   history.Key
	Name  string
	Depth int

	among *Hits
	at    int // in met
}

// Hop is one step of a path: to a resource, over a relationship between it and the
// one before.
type Hop struct {
	Key     history.Key
	Name    string // of the relationship, in the user's wording
	User    bool   // it is the user; else the one before is
	Reasons []Reason
}

// Relationship is what a hop goes over, coming from a resource.
func (h *Hop) Relationship(from history.Key) Relationship {
	r := Relationship{Name: h.Name, From: from, To: h.Key, Reasons: h.Reasons}
	if h.User {
		r.From, r.To = h.Key, from
	}
	return r
}

// Len is how many there are.
func (h *Hits) Len() int { return len(h.met) - 1 }

// All tells hits in order, without names.
func (h *Hits) All() iter.Seq[Hit] {
	return func(yield func(Hit) bool) {
		at := 1
		for depth := 1; depth < len(h.ends); depth++ {
			for ; at < h.ends[depth]; at++ {
				if !yield(Hit{Key: h.nodes[h.met[at].node].key, Depth: depth, among: h, at: at}) {
					return
				}
			}
		}
	}
}

// List lists hits in order, without names.
func (h *Hits) List() []Hit {
	list := make([]Hit, 0, h.Len())
	for hit := range h.All() {
		list = append(list, hit)
	}
	return list
}

// Path is one of the shortest from the used resource to the hit, beginning with its
// direct user and ending with the hit itself.
func (h *Hit) Path() []Hop {
	path := make([]Hop, h.Depth)
	for i, at := h.Depth-1, h.at; i >= 0; i-- {
		m := &h.among.met[at]
		u := &h.among.uses[m.use]
		path[i] = Hop{Key: h.among.nodes[m.node].key, Name: u.name, User: true, Reasons: u.reasons}
		at = int(m.of)
	}
	return path
}
