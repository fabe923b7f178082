package bolt

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// A scan gives its transaction back after so many resources.
const scanSlice = 2048

// AsOf implements history.Store.
func (s *Store) AsOf(_ context.Context, at history.At) (history.Reader, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case s.closed:
		return nil, errClosed
	case at.Known > s.mark.revision:
		return nil, plan.Ahead(at.Known, s.mark.revision)
	case at.Known == 0:
		at.Known = s.mark.revision
	}
	if at.Captured == 0 {
		at.Captured = history.Newest
	}
	return &reader{s, at}, nil
}

// reader implements history.Reader.
type reader struct {
	s  *Store
	at history.At
}

func (r *reader) At() history.At { return r.at }

func (r *reader) Get(ctx context.Context, keys []history.Key, f history.Fields) ([]history.Item, error) {
	items := make([]history.Item, len(keys))
	for begin := 0; begin < len(keys); begin += scanSlice {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		end := min(begin+scanSlice, len(keys))
		err := r.s.view(func(v *view) error {
			for i := begin; i < end; i++ {
				item, err := r.item(v, keys[i], f)
				if err != nil {
					return err
				}
				items[i] = item
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return items, nil
}

// item reads the version of a resource at the reader's moment.
func (r *reader) item(v *view, k history.Key, f history.Fields) (history.Item, error) {
	no, err := v.rid(k)
	if no == 0 {
		return history.Item{Key: k}, err
	}
	l, p, err := v.around(no, r.at.Captured, r.at.Known)
	if err != nil || p.Row == nil {
		return history.Item{Key: k}, err
	}
	return r.read(v, l, k, &p, f)
}

// read makes an item of a place.
func (r *reader) read(v *view, l *loaded, k history.Key, p *plan.Place, f history.Fields) (history.Item, error) {
	seen, err := v.lastSeen(l, p, r.at.Known)
	if err != nil {
		return history.Item{}, err
	}
	item := p.Item(k, seen)
	if f == history.FieldsHead {
		return item, nil
	}
	payload, err := l.payload(p.Row)
	if err != nil {
		return history.Item{}, damaged(bucketSegments, segmentKey(l.rid, p.Row))
	}
	from, content, err := splitPayload(payload)
	if err != nil {
		return history.Item{}, damaged(bucketSegments, segmentKey(l.rid, p.Row))
	}
	if item.State, err = history.DecodeContent(content); err != nil {
		return history.Item{}, damaged(bucketSegments, segmentKey(l.rid, p.Row))
	}
	if item.Origin, err = decodeOrigin(from); err != nil {
		return history.Item{}, damaged(bucketSegments, segmentKey(l.rid, p.Row))
	}
	return item, nil
}

func (r *reader) Version(_ context.Context, k history.Key, number uint32) (history.Item, error) {
	var item history.Item
	err := r.s.view(func(v *view) error {
		no, err := v.rid(k)
		if err != nil {
			return err
		}
		if no != 0 {
			l, err := v.load(no)
			if err != nil {
				return err
			}
			for _, p := range plan.Places(l.Rows, r.at.Known) {
				if p.Row.Number == number {
					item, err = r.read(v, l, k, &p, history.FieldsAll)
					return err
				}
			}
		}
		return plan.NoVersion(k, number)
	})
	return item, err
}

func (r *reader) History(_ context.Context, k history.Key, q history.HistoryQuery) ([]history.Item, bool, error) {
	var (
		items []history.Item
		more  bool
	)
	err := r.s.view(func(v *view) error {
		no, err := v.rid(k)
		if no == 0 {
			return err
		}
		l, err := v.load(no)
		if err != nil {
			return err
		}
		var places []plan.Place
		if places, more, err = plan.Select(plan.Places(l.Rows, r.at.Known), k, q); err != nil {
			return err
		}
		items = make([]history.Item, len(places))
		for i := range places {
			if items[i], err = r.read(v, l, k, &places[i], q.Fields); err != nil {
				return err
			}
		}
		return nil
	})
	return items, more, err
}

func (r *reader) Items(ctx context.Context, q history.Query) ([]history.Item, bool, error) {
	var (
		items []history.Item
		more  bool
	)
	err := r.scan(ctx, q, func(item history.Item) bool {
		if q.Limit > 0 && len(items) == q.Limit {
			more = true
			return false
		}
		items = append(items, item)
		return true
	})
	return items, more, err
}

func (r *reader) Count(ctx context.Context, q history.Query, by history.GroupBy) ([]history.Group, error) {
	q.After, q.Limit, q.Fields = nil, 0, history.FieldsHead
	counts := map[string]uint64{}
	err := r.scan(ctx, q, func(item history.Item) bool {
		counts[by.Of(item.Key)]++
		return true
	})
	if err != nil {
		return nil, err
	}
	groups := make([]history.Group, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		groups = append(groups, history.Group{Name: name, Count: counts[name]})
	}
	return groups, nil
}

// scan calls f with the items that match, in key order, until it returns false.
func (r *reader) scan(ctx context.Context, q history.Query, f func(history.Item) bool) error {
	after, done := q.After, false
	for !done {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := r.s.view(func(v *view) error {
			n := 0
			err := v.eachKey(after, &q, func(e entry) error {
				if n++; n > scanSlice {
					return errPause
				}
				after = &e.Key
				item, match, err := r.match(v, e, &q)
				if err != nil {
					return err
				}
				if match && !f(item) {
					done = true
					return errPause
				}
				return nil
			})
			if err == nil {
				done = true
			}
			if errors.Is(err, errPause) {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) match(v *view, e entry, q *history.Query) (history.Item, bool, error) {
	l, p, err := v.around(e.rid, r.at.Captured, r.at.Known)
	if err != nil || p.Row == nil || p.Row.Deleted && !q.Deleted {
		return history.Item{}, false, err
	}
	f := q.Fields
	if q.NeedsContent() {
		f = history.FieldsAll
	}
	item, err := r.read(v, l, e.Key, &p, f)
	if err != nil || q.NeedsContent() && !q.MatchState(&item.State) {
		return history.Item{}, false, err
	}
	if q.Fields == history.FieldsHead {
		item.State, item.Origin = history.State{Deleted: item.State.Deleted}, history.Origin{}
	}
	return item, true, nil
}

func (r *reader) Find(_ context.Context, typ, id string) ([]history.Key, error) {
	var keys []history.Key
	err := r.s.view(func(v *view) error {
		list, err := v.find(typ, id)
		if err != nil {
			return err
		}
		for _, e := range list {
			_, p, err := v.around(e.rid, history.Newest, r.at.Known)
			if err != nil {
				return err
			}
			if p.Row != nil {
				keys = append(keys, e.Key)
			}
		}
		return nil
	})
	return keys, err
}
