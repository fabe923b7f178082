package graph

import (
	"context"
	"slices"

	"github.com/varvehq/varve/history"
)

// LastUsed tells when a resource was last used, up to the reader's moment, as it
// is known: who uses it at the moment, or when the last use ended, and whose it
// was. A resource that is gone is asked about in the same way.
func (g *Graph) LastUsed(ctx context.Context, k history.Key) (LastUse, error) {
	l := lives{ctx: ctx, reader: g.reader, of: k, spans: map[Term][]history.Linked{}, alive: map[history.Key][]life{}}
	if err := l.read(); err != nil {
		return LastUse{}, err
	}
	at := g.reader.At().Captured
	users, err := l.users(at)
	if err != nil || len(users) > 0 {
		return LastUse{InUse: len(users) > 0, By: users}, err
	}
	// A use ends where something that makes it ends or begins, and was there just
	// before.
	for _, end := range slices.Backward(l.boundaries(at)) {
		users, err := l.users(end - 1)
		if err != nil || len(users) > 0 {
			return LastUse{Ended: end, By: users}, err
		}
	}
	return LastUse{}, nil
}

// life is a span of captured time for which a resource lived in one version.
type life struct {
	from, to history.Moment
	claims   *Claims // nil: not looked at, or it says nothing of its users
}

func (l life) holds(m history.Moment) bool {
	return l.from <= m && (m < l.to || l.to == history.Newest)
}

// lives is all that was ever said of one resource, as it is known.
type lives struct {
	ctx    context.Context
	reader history.Reader
	of     history.Key
	own    []life                    // of the resource
	spans  map[Term][]history.Linked // of terms that it bore, or referred to as one that is used
	alive  map[history.Key][]life    // of others that go by the same type and id, there or where it points to
}

// read reads the resource's versions, and what others said of their terms.
func (l *lives) read() error {
	var err error
	if l.own, err = l.lifeOf(l.of, true); err != nil {
		return err
	}
	ask := map[Term]bool{IDTerm(l.of.Type, l.of.ID): true, NameTerm(l.of.Type, l.of.ID): true}
	for i := range l.own {
		c := l.own[i].claims
		for _, t := range c.Bears {
			ask[t] = true
		}
		for j := range c.References {
			if c.References[j].Inverse {
				ask[c.References[j].Term] = true
			}
		}
	}
	q := history.LinkQuery{Ever: true}
	for t := range ask {
		q.Terms = append(q.Terms, string(t))
	}
	list, _, err := l.reader.Links(l.ctx, q)
	if err != nil {
		return err
	}
	for i := range list {
		l.spans[Term(list[i].Term)] = append(l.spans[Term(list[i].Term)], list[i])
	}
	for t := range ask {
		typ, id, ok := t.resource()
		if !ok {
			continue
		}
		keys, err := l.reader.Find(l.ctx, typ, id)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if l.alive[k], err = l.lifeOf(k, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// lifeOf reads the versions of a resource in which it was alive, in order.
func (l *lives) lifeOf(k history.Key, claims bool) ([]life, error) {
	f := history.FieldsHead
	if claims {
		f = history.FieldsAll
	}
	items, _, err := l.reader.History(l.ctx, k, history.HistoryQuery{Fields: f})
	if err != nil {
		return nil, err
	}
	var list []life
	for i := range slices.Backward(items) {
		item := &items[i]
		if item.State.Deleted || item.CapturedAt >= item.Until {
			continue
		}
		n := life{from: item.CapturedAt, to: item.Until}
		if claims {
			c := Extract(k, &item.State)
			n.claims = &c
		}
		list = append(list, n)
	}
	return list, nil
}

// boundaries are the moments, ascending, at which who uses the resource may
// change, up to one.
func (l *lives) boundaries(at history.Moment) []history.Moment {
	var list []history.Moment
	add := func(m history.Moment) {
		if m > 0 && m <= at && m != history.Newest {
			list = append(list, m)
		}
	}
	for _, spans := range l.spans {
		for i := range spans {
			add(spans[i].From)
			add(spans[i].To)
		}
	}
	for _, lives := range l.alive {
		for i := range lives {
			add(lives[i].from)
			add(lives[i].to)
		}
	}
	for i := range l.own {
		add(l.own[i].from)
		add(l.own[i].to)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// users lists the relationships by which others use the resource at a moment.
func (l *lives) users(at history.Moment) ([]Relationship, error) {
	i := slices.IndexFunc(l.own, func(n life) bool { return n.holds(at) })
	if i < 0 {
		return nil, nil
	}
	now := &moment{l: l, at: at, bearers: map[Term][]Bearer{}}
	claims := l.own[i].claims
	var e edges
	for _, t := range append([]Term{IDTerm(l.of.Type, l.of.ID), NameTerm(l.of.Type, l.of.ID)}, claims.Bears...) {
		spans := l.spans[t]
		for i := range spans {
			n := &spans[i]
			if n.Bears || n.Key == l.of || !now.holds(n) {
				continue
			}
			refs, err := ReadReferences(n.Link)
			if err != nil {
				return nil, err
			}
			for j := range refs {
				if r := &refs[j]; !r.Inverse {
					bearers, err := now.of(t)
					if err != nil {
						return nil, err
					}
					if slices.Contains(r.Targets(n.Key, bearers), l.of) {
						e.add(n.Key, l.of, r)
					}
				}
			}
		}
	}
	for i := range claims.References {
		r := &claims.References[i]
		if !r.Inverse {
			continue
		}
		bearers, err := now.of(r.Term)
		if err != nil {
			return nil, err
		}
		for _, target := range r.Targets(l.of, bearers) {
			e.add(l.of, target, r)
		}
	}
	slices.SortFunc(e.list, func(a, b Relationship) int { return a.compare(&b) })
	return e.list, nil
}

// moment is a moment of lives.
type moment struct {
	l       *lives
	at      history.Moment
	bearers map[Term][]Bearer
}

func (m *moment) holds(s *history.Linked) bool {
	return s.From <= m.at && (m.at < s.To || s.To == history.Newest)
}

// of are the bearers of a term.
func (m *moment) of(t Term) ([]Bearer, error) {
	if list, ok := m.bearers[t]; ok {
		return list, nil
	}
	var list []Bearer
	if typ, id, ok := t.resource(); ok {
		for k, lives := range m.l.alive {
			if k.Type == typ && k.ID == id && slices.ContainsFunc(lives, func(n life) bool { return n.holds(m.at) }) {
				list = append(list, Bearer{Key: k})
			}
		}
	}
	spans := m.l.spans[t]
	for i := range spans {
		s := &spans[i]
		if !s.Bears || t[0] == 'i' || !m.holds(s) {
			continue
		}
		labels, err := ReadLabels(s.Link)
		if err != nil {
			return nil, err
		}
		list = append(list, Bearer{s.Key, labels})
	}
	m.bearers[t] = list
	return list, nil
}
