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

	terms  map[history.Key][]Term // that live resources bear, their own first
	users  map[history.Key][]Term // by which these refer to what uses them
	linked map[Term]*linked
	claims map[history.Key]*Claims // of live resources; nil: it is none
}

// linked is what live resources say of a term.
type linked struct {
	known   bool             // all of it
	borne   bool             // bearers
	bearers []Bearer         // those that say so
	others  []Bearer         // those that need not, having that type and id
	all     bool             // others are known
	naming  []history.Linked // links of live resources that refer to it
}

func (g *Graph) session(ctx context.Context) *session {
	return &session{
		ctx: ctx, reader: g.reader, terms: map[history.Key][]Term{}, users: map[history.Key][]Term{}, linked: map[Term]*linked{},
		claims: map[history.Key]*Claims{},
	}
}

// at is what is known of a term.
func (s *session) at(t Term) *linked {
	l := s.linked[t]
	if l == nil {
		l = &linked{}
		s.linked[t] = l
	}
	return l
}

// termsAtOnce is how many terms are asked for in one go.
const termsAtOnce = 4096

// fetch reads what live resources say of terms.
func (s *session) fetch(terms []Term) error {
	var ask []string
	for _, t := range terms {
		if l := s.at(t); !l.known {
			l.known, l.bearers = true, nil
			ask = append(ask, string(t))
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
		for i := range list[:n] {
			l := &list[i]
			switch {
			case !l.Bears:
				at.naming = append(at.naming, *l)
			case IDTerm(l.Key.Type, l.Key.ID) == Term(term):
				own, users, err := ReadTerms(l.Link)
				if err != nil {
					return err
				}
				s.terms[l.Key], s.users[l.Key] = append(append([]Term{Term(term)}, keyTerms(l.Key)...), own...), users
			default:
				labels, err := ReadLabels(l.Link)
				if err != nil {
					return err
				}
				at.bearers = append(at.bearers, Bearer{l.Key, labels})
			}
		}
		list = list[n:]
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
	own := make([]Term, 0, len(keys))
	for _, k := range keys {
		if s.terms[k] == nil {
			own = append(own, IDTerm(k.Type, k.ID))
		}
	}
	if err := s.fetch(own); err != nil {
		return err
	}
	var more []Term
	for _, k := range keys {
		if s.terms[k] == nil {
			s.terms[k] = append([]Term{IDTerm(k.Type, k.ID)}, keyTerms(k)...)
		}
		more = append(more, s.terms[k][1:]...)
	}
	return s.fetch(more)
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
func (s *session) bearers(t Term) ([]Bearer, error) {
	at := s.at(t)
	typ, id, ok := t.resource()
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
