package bolt

import (
	"context"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// A read of many resources gives its transaction back after so many.
const readSlice = 2048

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
	if err := plan.Reads(&s.floors.Load().Floors, at); err != nil {
		return nil, err
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
	for begin := 0; begin < len(keys); begin += readSlice {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		end := min(begin+readSlice, len(keys))
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
	if err := plan.ReadsType(&v.floors.Floors, r.at, k.Type); err != nil {
		return history.Item{}, err
	}
	no, err := v.rid(k)
	if no == 0 {
		return history.Item{Key: k}, err
	}
	return r.itemOf(v, entry{k, no}, f)
}

func (r *reader) itemOf(v *view, e entry, f history.Fields) (history.Item, error) {
	if f == history.FieldsKey {
		s, err := v.stand(e.rid, r.at.Captured, r.at.Known)
		return s.item(e.Key), err
	}
	l, p, err := v.around(e.rid, r.at.Captured, r.at.Known)
	if err != nil || p.Row == nil {
		return history.Item{Key: e.Key}, err
	}
	return r.read(v, l, e.Key, &p, f)
}

// read makes an item of a place.
func (r *reader) read(v *view, l *loaded, k history.Key, p *plan.Place, f history.Fields) (history.Item, error) {
	if f == history.FieldsKey {
		s := standing{spanOf(&row{Row: *p.Row}), p.Until()}
		return s.item(k), nil
	}
	seen, err := v.lastSeen(l, p, r.at.Known)
	if err != nil {
		return history.Item{}, err
	}
	item := p.Item(k, seen)
	if f == history.FieldsHead || item.Erased {
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
		if err := plan.ReadsType(&v.floors.Floors, r.at, k.Type); err != nil {
			return err
		}
		no, err := v.rid(k)
		if err != nil {
			return err
		}
		if no != 0 {
			l, err := v.load(no)
			if err != nil {
				return err
			}
			for _, p := range r.places(v, k, l) {
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
		if err := plan.ReadsType(&v.floors.Floors, r.at, k.Type); err != nil {
			return err
		}
		no, err := v.rid(k)
		if no == 0 {
			return err
		}
		l, err := v.load(no)
		if err != nil {
			return err
		}
		l.unpacker = make([]*unpacker, len(l.segments))
		var places []plan.Place
		if places, more, err = plan.Select(r.places(v, k, l), k, q); err != nil {
			return err
		}
		items = make([]history.Item, len(places))
		for i := range slices.Backward(places) { // each is restored from the one before it
			if items[i], err = r.read(v, l, k, &places[i], q.Fields); err != nil {
				return err
			}
		}
		return nil
	})
	return items, more, err
}

// places are the versions of a resource that the reader sees.
func (r *reader) places(v *view, k history.Key, l *loaded) []plan.Place {
	return plan.Above(plan.Places(l.Rows, r.at.Known), v.floors.Of(k.Type))
}

func (r *reader) Find(_ context.Context, typ, id string) ([]history.Key, error) {
	var keys []history.Key
	err := r.s.view(func(v *view) error {
		if err := plan.ReadsType(&v.floors.Floors, r.at, typ); err != nil {
			return err
		}
		list, err := v.find(typ, id)
		if err != nil {
			return err
		}
		for _, e := range list {
			s, err := v.stand(e.rid, history.Newest, r.at.Known)
			if err != nil {
				return err
			}
			if s.number != 0 {
				keys = append(keys, e.Key)
			}
		}
		return nil
	})
	return keys, err
}
