package graph

import (
	"cmp"
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
)

// edges gathers relationships, each once with all of its reasons.
type edges struct {
	list []Relationship
	at   map[edge]int // of list, once there are many
}

// fewEdges are looked through one by one.
const fewEdges = 8

// edge is what makes a relationship the same as another.
type edge struct {
	from, to history.Key
	name     string
}

// add notes what a reference says of its owner and a target.
func (e *edges) add(owner, target history.Key, r *Reference) {
	of := edge{owner, target, r.Name}
	if r.Inverse {
		of.from, of.to = target, owner
	}
	if i := e.find(of); i >= 0 {
		e.list[i].Reasons = joined(e.list[i].Reasons, r.Sources)
		return
	}
	if e.at != nil {
		e.at[of] = len(e.list)
	}
	e.list = append(e.list, Relationship{Name: r.Name, From: of.from, To: of.to, Reasons: r.Sources})
}

// find is the place of an edge in the list; -1: it is new.
func (e *edges) find(of edge) int {
	if len(e.list) < fewEdges {
		return slices.IndexFunc(e.list, func(r Relationship) bool { return edge{r.From, r.To, r.Name} == of })
	}
	if e.at == nil {
		e.at = make(map[edge]int, 2*fewEdges)
		for i := range e.list {
			e.at[edge{e.list[i].From, e.list[i].To, e.list[i].Name}] = i
		}
	}
	if i, ok := e.at[of]; ok {
		return i
	}
	return -1
}

// joined joins two sorted lists of reasons, neither of which it changes.
func joined(a, b []Reason) []Reason {
	if slices.Equal(a, b) {
		return a
	}
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

func (r *Relationship) compare(o *Relationship) int {
	return cmp.Or(r.From.Compare(o.From), r.To.Compare(o.To), strings.Compare(r.Name, o.Name))
}

// incoming adds what others say of resources of which session.know knows.
func (s *session) incoming(k history.Key, add func(owner history.Key, r *Reference)) error {
	for _, at := range s.vertices[k].bears {
		means := meaning{s: s, term: at, of: k}
		var read references
		for i := range at.naming {
			n := &at.naming[i]
			if n.Key == k {
				continue
			}
			refs, err := read.of(&n.Link)
			if err != nil {
				return err
			}
			for j := range refs {
				yes, err := means.by(n.Key, &refs[j])
				if err != nil {
					return err
				}
				if yes {
					add(n.Key, &refs[j])
				}
			}
		}
	}
	return nil
}

// meaning tells whether references to a term mean one of its bearers.
type meaning struct {
	s    *session
	term *linked
	of   history.Key
	last place // asked about last, with the answer
	yes  bool
	ok   bool
}

// place is all that matters of an owner and a reference that names no labels.
type place struct{ account, region, givenAccount, givenRegion string }

func (m *meaning) by(owner history.Key, r *Reference) (bool, error) {
	at := place{owner.Account, regionOf(owner), r.Account, r.Region}
	if m.ok && m.last == at && !m.term.term.selects() {
		return m.yes, nil
	}
	m.last, m.ok = at, true
	account, region := cmp.Or(at.givenAccount, at.account), cmp.Or(at.givenRegion, at.region)
	if !m.term.term.selects() && m.of.Account == account && regionOf(m.of) == region {
		m.yes = true // it is where it is looked for first
		return true, nil
	}
	bearers, err := m.s.bearers(m.term)
	if err != nil {
		return false, err
	}
	m.yes = slices.Contains(r.Targets(owner, bearers), m.of)
	return m.yes, nil
}

// told adds what a resource says of those that use it, as far as its links tell.
func (s *session) told(k history.Key, add func(user history.Key, r *Reference)) error {
	for _, t := range s.vertices[k].users {
		var read references
		naming := t.naming
		for i := range naming {
			if naming[i].Key != k {
				continue
			}
			refs, err := read.of(&naming[i].Link)
			if err != nil {
				return err
			}
			for j := range refs {
				if !refs[j].Inverse {
					continue
				}
				bearers, err := s.bearersFor(k, &refs[j], t)
				if err != nil {
					return err
				}
				for _, user := range refs[j].Targets(k, bearers) {
					add(user, &refs[j])
				}
			}
		}
	}
	return nil
}

// foremost is the one resource that bears a reference's term by its type and id
// where it is looked for first; false: there may be several.
func foremost(owner history.Key, r *Reference) (history.Key, bool) {
	typ, id, ok := r.Term.resource()
	k := history.Key{Account: cmp.Or(r.Account, owner.Account), Region: cmp.Or(r.Region, regionOf(owner)), Type: typ, ID: id}
	return k, ok && r.Term[0] == 'i' && !strings.HasPrefix(id, "arn:")
}

// lookForUsers finds out, at once for all that resources say of their users, which
// of these live where they are looked for first.
func (s *session) lookForUsers(keys []history.Key) error {
	var ask []history.Key
	for _, k := range keys {
		for _, t := range s.vertices[k].users {
			for i := range t.naming {
				if t.naming[i].Key != k {
					continue
				}
				refs, err := ReadReferences(t.naming[i].Link)
				if err != nil {
					return err
				}
				for j := range refs {
					user, ok := foremost(k, &refs[j])
					if _, known := s.lives[user]; ok && refs[j].Inverse && !known {
						s.lives[user] = false
						ask = append(ask, user)
					}
				}
			}
		}
	}
	items, err := s.reader.Get(s.ctx, ask, history.FieldsKey)
	if err != nil {
		return err
	}
	for i := range items {
		s.lives[items[i].Key] = items[i].Exists()
	}
	return nil
}

// bearersFor are the bearers of a term that decide on whom a reference means.
func (s *session) bearersFor(owner history.Key, r *Reference, at *linked) ([]Bearer, error) {
	if k, ok := foremost(owner, r); ok && s.lives[k] {
		return append(at.bearers[:len(at.bearers):len(at.bearers)], Bearer{Key: k}), nil
	}
	return s.bearers(at)
}

// outgoing adds what a resource says of others. session.fetchTargets has read it.
func (s *session) outgoing(k history.Key, add func(target history.Key, r *Reference)) error {
	c := s.claims[k]
	if c == nil {
		return nil
	}
	for i := range c.References {
		r := &c.References[i]
		bearers, err := s.bearers(s.at(r.Term))
		if err != nil {
			return err
		}
		for _, target := range r.Targets(k, bearers) {
			add(target, r)
		}
	}
	return nil
}

// fetchTargets reads who bears what resources refer to.
func (s *session) fetchTargets(keys []history.Key) error {
	if err := s.read(keys); err != nil {
		return err
	}
	var ask []string
	for _, k := range keys {
		c := s.claims[k]
		if c == nil {
			continue
		}
		for i := range c.References {
			t := c.References[i].Term
			if t[0] == 'i' || s.at(t).known || s.at(t).borne {
				continue
			}
			s.at(t).borne = true
			ask = append(ask, string(t))
		}
	}
	for len(ask) > 0 {
		n := min(len(ask), termsAtOnce)
		list, _, err := s.reader.Links(s.ctx, history.LinkQuery{Terms: ask[:n], Bears: true})
		if err != nil {
			return err
		}
		if err := s.take(list); err != nil {
			return err
		}
		ask = ask[n:]
	}
	return nil
}

// around gathers the relationships of resources with their neighbours, of one
// side or both.
func (s *session) around(keys []history.Key, d Direction) ([]Relationship, error) {
	if err := s.know(keys); err != nil {
		return nil, err
	}
	if err := s.fetchTargets(keys); err != nil {
		return nil, err
	}
	var e edges
	for _, k := range keys {
		// Either side may say that k uses another, or is used.
		said := func(owner, target history.Key, r *Reference) {
			user := owner
			if r.Inverse {
				user = target
			}
			if d == Both || (user == k) == (d == Outgoing) {
				e.add(owner, target, r)
			}
		}
		err := s.incoming(k, func(owner history.Key, r *Reference) { said(owner, k, r) })
		if err != nil {
			return nil, err
		}
		err = s.outgoing(k, func(target history.Key, r *Reference) { said(k, target, r) })
		if err != nil {
			return nil, err
		}
	}
	return e.list, nil
}
