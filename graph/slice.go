package graph

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/varvehq/varve/history"
)

// slice is what was read of the graph of one moment: resources by number, and of
// some of them who uses them.
type slice struct {
	nodes   []resource
	numbers map[history.Key]uint32 // nil: no resource is met twice

	uses  []use
	useOf map[useKey]uint32 // number of each
}

// resource is a node of the graph.
type resource struct {
	key   history.Key
	users []user           // in order, each once
	since history.Revision // that knew them so; 0: they were not read

	name  string
	named history.Revision // likewise
}

// user uses a resource in some way.
type user struct{ node, use uint32 }

// use is a relationship but for its ends.
type use struct {
	name    string
	reasons []Reason
}

// useKey tells a use by where its reasons stand, or by their text.
type useKey struct {
	name    string
	reasons *Reason
	text    string
}

// number is that of a resource, which is given one if it has none.
func (s *slice) number(k history.Key) uint32 {
	n, ok := s.numbers[k]
	if !ok {
		n = uint32(len(s.nodes))
		s.nodes = append(s.nodes, resource{key: k})
		if s.numbers != nil {
			s.numbers[k] = n
		}
	}
	return n
}

// knows reports whether the users of a node are there as a revision knows them.
func (s *slice) knows(n uint32, known history.Revision) bool {
	since := s.nodes[n].since
	return since != 0 && since <= known
}

// read reads who uses nodes, as a revision knows it, out of a session.
func (s *slice) read(from *session, nodes []uint32, known history.Revision) error {
	keys := make([]history.Key, len(nodes))
	for i, n := range nodes {
		keys[i] = s.nodes[n].key
	}
	if err := from.prepareUsers(keys); err != nil {
		return err
	}
	for i, k := range keys {
		n := nodes[i]
		most := from.naming(k)
		s.nodes = slices.Grow(s.nodes, most)
		users := make([]user, 0, most)
		err := from.usersOf(k, func(r *Relationship) {
			users = append(users, user{s.number(r.From), s.use(useKey{name: r.Name, reasons: unsafe.SliceData(r.Reasons)}, r.Reasons)})
		})
		if err != nil {
			return err
		}
		s.nodes[n].users, s.nodes[n].since = users, known
	}
	return nil
}

// use is the number of a use.
func (s *slice) use(k useKey, reasons []Reason) uint32 {
	n, ok := s.useOf[k]
	if !ok {
		n = uint32(len(s.uses))
		s.uses = append(s.uses, use{k.name, reasons})
		if s.useOf == nil {
			s.useOf = map[useKey]uint32{}
		}
		s.useOf[k] = n
	}
	return n
}

// merge takes what another slice has read, but for what it has met only.
func (s *slice) merge(o *slice) {
	const unknown = 1<<32 - 1
	nodes, uses := make([]uint32, len(o.nodes)), make([]uint32, len(o.uses))
	for i := range nodes {
		nodes[i] = unknown
	}
	for i := range uses {
		u := &o.uses[i]
		uses[i] = s.use(useKey{name: u.name, text: reasonsText(u.reasons)}, u.reasons)
	}
	number := func(n uint32) uint32 {
		if nodes[n] == unknown {
			nodes[n] = s.number(o.nodes[n].key)
		}
		return nodes[n]
	}
	for i := range o.nodes {
		if o.nodes[i].since == 0 {
			continue
		}
		users := make([]user, len(o.nodes[i].users))
		for j, u := range o.nodes[i].users {
			users[j] = user{number(u.node), uses[u.use]}
		}
		into := &s.nodes[number(uint32(i))]
		into.users, into.since = users, o.nodes[i].since
	}
}

func reasonsText(reasons []Reason) string {
	var text strings.Builder
	for _, r := range reasons {
		text.WriteString(string(r))
		text.WriteByte(0)
	}
	return text.String()
}
