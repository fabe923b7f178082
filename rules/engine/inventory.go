package engine

import (
	"cmp"
	"context"
	"slices"
	"sort"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// A rule that looks at all resources of a type is evaluated again at every change of
// one of them. Over the past that would be an inventory for every change; instead the
// one before goes on to the next moment by what changed in between.

// typeChanges are the versions of a type that begin after a moment, in the order in
// which they do; such as last no time are left out.
type typeChanges struct {
	from history.Moment
	keys []history.Key
	list []typeChange
}

type typeChange struct {
	at     history.Moment
	key    int32 // of keys
	number uint32
	exists bool // it is no deletion
}

// after is the first change after a moment.
func (c *typeChanges) after(m history.Moment) int {
	return sort.Search(len(c.list), func(i int) bool { return c.list[i].at > m })
}

// changes are those of a type after a moment, and perhaps some before.
func (s *Session) changes(ctx context.Context, typ string, after history.Moment) (*typeChanges, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.types[typ]; c != nil && c.from <= after {
		return c, nil
	}
	c, err := s.readChanges(ctx, typ, after)
	if err == nil {
		s.types[typ] = c
	}
	return c, err
}

func (s *Session) readChanges(ctx context.Context, typ string, after history.Moment) (*typeChanges, error) {
	r, err := s.source.AsOf(ctx, history.At{Captured: history.Newest, Known: s.known})
	if err != nil {
		return nil, err
	}
	items, _, err := r.Items(ctx, history.Query{Type: typ, Deleted: true, Fields: history.FieldsKey})
	if err != nil {
		return nil, err
	}
	c := &typeChanges{from: after}
	for i := range items {
		if items[i].CapturedAt <= after {
			continue
		}
		versions, _, err := r.History(ctx, items[i].Key, history.HistoryQuery{From: after + 1, Fields: history.FieldsKey})
		if err != nil {
			return nil, err
		}
		key := int32(len(c.keys))
		c.keys = append(c.keys, items[i].Key)
		for n := range versions {
			if v := &versions[n]; v.CapturedAt < v.Until {
				c.list = append(c.list, typeChange{v.CapturedAt, key, v.Version, v.Exists()})
			}
		}
	}
	slices.SortFunc(c.list, func(a, b typeChange) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key)) })
	return c, nil
}

// stock is what there is of a type at a moment. It is never changed, and neither is
// what it holds: many evaluations look at it.
type stock struct {
	at    history.Moment
	found []versionOf
	list  []*rules.Decoded // those
}

// stockOf says of what, and who looks at it.
type stockOf struct {
	typ   string
	owner rules.Owner
}

// mostStock is how many moments of one type are remembered: one for each goroutine that
// goes through the past, and some.
const mostStock = 8

// inventory is what there is of a type at the moment of a reader, and when it changes
// next.
func (s *Session) inventory(ctx context.Context, r history.Reader, of stockOf, m history.Moment) (*stock, history.Moment, error) {
	c, err := s.changes(ctx, of.typ, m)
	if err != nil {
		return nil, 0, err
	}
	next, until := c.after(m), history.Newest
	if next < len(c.list) {
		until = c.list[next].at
	}
	var changed []typeChange
	was := s.stocked(of, m)
	if was != nil && c.from <= was.at {
		changed = c.list[c.after(was.at):next]
	}
	var is *stock
	switch {
	case was == nil || c.from > was.at || len(changed) > len(was.found)/4+16:
		is, err = s.count(ctx, r, of, m)
	case len(changed) == 0:
		return was, until, nil
	default:
		is, err = s.advance(ctx, r, of, m, was, c.keys, changed)
	}
	if err != nil {
		return nil, 0, err
	}
	s.keepStock(of, was, is)
	return is, until, nil
}

// stocked is the newest that is remembered and no newer than a moment; nil: none is.
func (s *Session) stocked(of stockOf, m history.Moment) (best *stock) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.stock[of] {
		if one.at <= m && (best == nil || one.at > best.at) {
			best = one
		}
	}
	return best
}

// keepStock remembers one in the place of another that has gone on to it.
func (s *Session) keepStock(of stockOf, was, is *stock) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.DeleteFunc(s.stock[of], func(one *stock) bool { return one == was })
	if len(list) == mostStock {
		list = slices.Delete(list, 0, 1)
	}
	s.stock[of] = append(list, is)
}

// count reads what there is.
func (s *Session) count(ctx context.Context, r history.Reader, of stockOf, m history.Moment) (*stock, error) {
	is := &stock{at: m}
	for _, q := range of.owner.Questions(history.Query{Type: of.typ, Fields: history.FieldsKey}) {
		items, _, err := r.Items(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range items {
			if of.owner.Sees(items[i].Key) {
				is.found = append(is.found, versionOf{items[i].Key, items[i].Version})
			}
		}
	}
	var err error
	is.list, err = s.decoded(ctx, r, is.found)
	return is, err
}

// advance makes of what there was what there is, by the changes since.
func (s *Session) advance(ctx context.Context, r history.Reader, of stockOf, m history.Moment, was *stock, keys []history.Key, changed []typeChange) (*stock, error) {
	last := map[int32]typeChange{}
	for _, c := range changed {
		if of.owner.Sees(keys[c.key]) {
			last[c.key] = c
		}
	}
	is := &stock{at: m, found: was.found, list: was.list}
	if len(last) == 0 {
		return is, nil
	}
	is.found, is.list = slices.Clone(was.found), slices.Clone(was.list)
	var come []versionOf
	for key, c := range last {
		if c.exists {
			come = append(come, versionOf{keys[key], c.number})
			continue
		}
		if i, found := is.place(keys[key]); found {
			is.found, is.list = slices.Delete(is.found, i, i+1), slices.Delete(is.list, i, i+1)
		}
	}
	items, err := s.decoded(ctx, r, come)
	if err != nil {
		return nil, err
	}
	for n, v := range come {
		i, found := is.place(v.key)
		if found {
			is.found[i], is.list[i] = v, items[n]
			continue
		}
		is.found, is.list = slices.Insert(is.found, i, v), slices.Insert(is.list, i, items[n])
	}
	return is, nil
}

func (k *stock) place(key history.Key) (int, bool) {
	return slices.BinarySearchFunc(k.found, key, func(v versionOf, k history.Key) int { return v.key.Compare(k) })
}
