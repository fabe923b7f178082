package graph

import (
	"context"
	"slices"

	"github.com/varvehq/varve/history"
)

// session answers one question of one moment, and remembers what it has read
// for it.
type session struct {
	ctx    context.Context
	reader history.Reader

	vertices map[history.Key]*vertex
	linked   map[Term]*linked
	claims   map[history.Key]*Claims // of live resources; nil: it is none
	lives    map[history.Key]bool    // of those that were looked for
}

// vertex is a live resource by its terms.
type vertex struct {
	bears []*linked // its own first
	users []*linked // by which it refers to what uses it
}

// linked is what live resources say of a term.
type linked struct {
	term    Term
	known   bool             // all of it
	borne   bool             // bearers
	bearers []Bearer         // those that say so
	others  []Bearer         // those that need not, having that type and id
	all     bool             // others are known
	naming  []history.Linked // links of live resources that refer to it
}

func (g *Graph) session(ctx context.Context) *session {
	return &session{
		ctx: ctx, reader: g.reader, vertices: map[history.Key]*vertex{}, linked: map[Term]*linked{}, claims: map[history.Key]*Claims{},
		lives: map[history.Key]bool{},
	}
}

// at is what is known of a term.
func (s *session) at(t Term) *linked {
	l := s.linked[t]
	if l == nil {
		l = &linked{term: t}
		s.linked[t] = l
	}
	return l
}

// all is what is known of terms, after what is there already.
func (s *session) all(list []*linked, terms []Term) []*linked {
	list = slices.Grow(list, len(terms))
	for _, t := range terms {
		list = append(list, s.at(t))
	}
	return list
}

// termsAtOnce is how many terms are asked for in one go.
const termsAtOnce = 4096

// fetch reads what live resources say of terms.
func (s *session) fetch(terms []*linked) error {
	var ask []string
	for _, l := range terms {
		if !l.known {
			l.known, l.bearers = true, nil
			ask = append(ask, string(l.term))
		}
	}
	for len(ask) > 0 {
		n := min(len(ask), termsAtOnce)
		list, _, err := s.reader.Links(s.ctx, history.LinkQuery{Terms: ask[:n]})
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

// take notes links, which come term by term.
func (s *session) take(list []history.Linked) error {
	for len(list) > 0 {
		term, n, bears := list[0].Term, 0, false
		for ; n < len(list) && list[n].Term == term; n++ {
			bears = bears || list[n].Bears
		}
		at := s.at(Term(term))
		if !bears { // as of most terms that many refer to
			at.naming, list = list[:n:n], list[n:]
			continue
		}
		naming := list[:0:n] // in the place of what was looked at
		for i := range list[:n] {
			l := list[i]
			switch {
			case !l.Bears:
				naming = append(naming, l)
			case IDTerm(l.Key.Type, l.Key.ID) == Term(term):
				own, users, err := ReadTerms(l.Link)
				if err != nil {
					return err
				}
				n := s.vertex(l.Key, at)
				n.bears, n.users = s.all(n.bears, own), s.all(nil, users)
			default:
				labels, err := ReadLabels(l.Link)
				if err != nil {
					return err
				}
				at.bearers = append(at.bearers, Bearer{l.Key, labels})
			}
		}
		at.naming, list = naming, list[n:]
	}
	return nil
}

// references reads the references of links of one term, most of which share few
// details.
type references struct {
	byDetail map[string][]Reference
	last     string // detail
	refs     []Reference
}

func (r *references) of(l *history.Link) ([]Reference, error) {
	if r.refs != nil && l.Detail == r.last {
		return r.refs, nil
	}
	refs, ok := r.byDetail[l.Detail]
	if !ok {
		var err error
		if refs, err = ReadReferences(*l); err != nil {
			return nil, err
		}
		if r.byDetail == nil {
			r.byDetail = map[string][]Reference{}
		}
		r.byDetail[l.Detail] = refs
	}
	r.last, r.refs = l.Detail, refs
	return refs, nil
}

// know reads the terms that live resources bear, and what is said of these.
func (s *session) know(keys []history.Key) error {
	own := make([]*linked, 0, len(keys))
	for _, k := range keys {
		if s.vertices[k] == nil {
			own = append(own, s.at(IDTerm(k.Type, k.ID)))
		}
	}
	if err := s.fetch(own); err != nil {
		return err
	}
	more := own[:0]
	for _, k := range keys {
		n := s.vertices[k]
		if n == nil {
			n = s.vertex(k, s.at(IDTerm(k.Type, k.ID)))
		}
		more = append(more, n.bears[1:]...)
	}
	return s.fetch(more)
}

// vertex notes a resource with the terms that its key tells.
func (s *session) vertex(k history.Key, own *linked) *vertex {
	n := &vertex{bears: s.all([]*linked{own}, keyTerms(k))}
	s.vertices[k] = n
	return n
}

// read reads the claims of resources.
func (s *session) read(keys []history.Key) error {
	var ask []history.Key
	for _, k := range keys {
		if _, ok := s.claims[k]; !ok {
			s.claims[k] = nil
			ask = append(ask, k)
		}
	}
	items, err := s.reader.Get(s.ctx, ask, history.FieldsAll)
	if err != nil {
		return err
	}
	for i := range items {
		if items[i].Exists() {
			c := Extract(items[i].Key, &items[i].State)
			s.claims[items[i].Key] = &c
		}
	}
	return nil
}

// bearers are all live bearers of a term that was fetched.
func (s *session) bearers(at *linked) ([]Bearer, error) {
	typ, id, ok := at.term.resource()
	if !ok {
		return at.bearers, nil
	}
	if at.all {
		return slices.Concat(at.bearers, at.others), nil
	}
	keys, err := s.reader.Find(s.ctx, typ, id)
	if err != nil {
		return nil, err
	}
	items, err := s.reader.Get(s.ctx, keys, history.FieldsKey)
	if err != nil {
		return nil, err
	}
	for i := range items {
		if items[i].Exists() {
			at.others = append(at.others, Bearer{Key: items[i].Key})
		}
	}
	at.all = true
	return slices.Concat(at.bearers, at.others), nil
}
