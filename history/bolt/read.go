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
				items[i].Key = keys[i]
				if err := r.item(v, f, &items[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return items, nil
}

// item reads the version of a resource at the reader's moment into an item that has
// its key and nothing else.
func (r *reader) item(v *view, f history.Fields, item *history.Item) error {
	if err := plan.ReadsType(&v.floors.Floors, r.at, item.Key.Type); err != nil {
		return err
	}
	no, err := v.rid(item.Key)
	if no == 0 {
		return err
	}
	return r.itemOf(v, no, f, item, nil)
}

// itemOf is item of the resource of a number. Contents are read by way of those
// before them, if there are any.
func (r *reader) itemOf(v *view, no rid, f history.Fields, item *history.Item, contents *history.ContentReader) error {
	if f == history.FieldsKey {
		s, err := v.stand(no, r.at.Captured, r.at.Known)
		s.fill(item)
		return lossOf(&item.Key, err)
	}
	l, p, err := v.around(no, r.at.Captured, r.at.Known)
	if err == nil && p.Row != nil {
		err = r.read(v, l, &p, f, item, contents)
	}
	return lossOf(&item.Key, err)
}

// lossOf has an error about damage name the resource that it is met at.
func lossOf(k *history.Key, err error) error {
	if err == nil {
		return nil // as nearly always: nothing is to be allocated
	}
	if e := asError(err); e != nil && e.Kind == history.DataLoss && e.Meta == nil {
		of := *e
		of.Text = k.String() + ": " + e.Text
		of.Meta = map[string]string{"account": k.Account, "region": k.Region, "type": k.Type, "id": k.ID}
		return &of
	}
	return err
}

// read makes an item, which has a key and nothing else, of a place.
func (r *reader) read(v *view, l *loaded, p *plan.Place, f history.Fields, item *history.Item, contents *history.ContentReader) error {
	if f == history.FieldsKey {
		s := standing{spanOf(&row{Row: *p.Row}), p.Until()}
		s.fill(item)
		return nil
	}
	seen, err := v.lastSeen(l, p, r.at.Known)
	if err != nil {
		return err
	}
	p.Fill(item, seen)
	if f == history.FieldsHead || item.Erased {
		return nil
	}
	payload, err := l.payload(p.Row)
	if err == nil {
		err = decodePayload(payload, item, contents)
	}
	if err != nil {
		return damaged(bucketSegments, segmentKey(l.rid, p.Row))
	}
	return nil
}

// decodePayload gives an item the content and the origin that a payload holds.
func decodePayload(payload []byte, item *history.Item, contents *history.ContentReader) error {
	from, content, err := splitPayload(payload)
	if err != nil {
		return err
	}
	if contents != nil {
		err = contents.Decode(content, &item.State)
	} else {
		item.State, err = history.DecodeContent(content)
	}
	if err != nil || len(from) == 0 {
		return err
	}
	item.Origin, err = decodeOrigin(from)
	return err
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
					item.Key = k
					return r.read(v, l, &p, history.FieldsAll, &item, nil)
				}
			}
		}
		return plan.NoVersion(k, number)
	})
	return item, lossOf(&k, err)
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
		v.room = &arena{}
		l := v.borrow(no)
		if err := v.fill(l); err != nil {
			return err
		}
		l.unpacker = make([]*unpacker, len(l.segments))
		var (
			places   []plan.Place
			contents history.ContentReader
		)
		if places, more, err = plan.Select(r.places(v, k, l), k, q); err != nil {
			return err
		}
		v.room.expected, contents.Expect = len(places), len(places)
		items = make([]history.Item, len(places))
		for i := range slices.Backward(places) { // each is restored from the one before it
			items[i].Key = k
			if err := r.read(v, l, &places[i], q.Fields, &items[i], &contents); err != nil {
				return err
			}
		}
		return nil
	})
	return items, more, lossOf(&k, err)
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
				return lossOf(&e.Key, err)
			}
			if s.number != 0 {
				keys = append(keys, e.Key)
			}
		}
		return nil
	})
	return keys, err
}
