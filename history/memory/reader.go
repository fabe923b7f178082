package memory

import (
	"context"
	"maps"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// reader implements history.Reader.
type reader struct {
	s  *Store
	at history.At
}

func (r *reader) At() history.At { return r.at }

func (r *reader) Get(_ context.Context, keys []history.Key, f history.Fields) ([]history.Item, error) {
	r.s.mu.RLock()
	defer r.s.mu.RUnlock()
	if r.s.closed {
		return nil, errClosed
	}
	items := make([]history.Item, len(keys))
	for i, k := range keys {
		if err := plan.ReadsType(&r.s.floors, r.at, k.Type); err != nil {
			return nil, err
		}
		items[i].Key = k
		if res := r.s.resources[k]; res != nil {
			if p := plan.Locate(res.Rows, r.at.Captured, r.at.Known); p.Row != nil {
				items[i] = r.item(res, &p, f)
			}
		}
	}
	return items, nil
}

// item reads the version of a place.
func (r *reader) item(res *resource, p *plan.Place, f history.Fields) history.Item {
	item := p.Item(res.key, res.LastSeen(p, r.at.Known))
	if f == history.FieldsAll && !item.Erased {
		c := res.contents[p.Row.Number]
		state, err := history.DecodeContent(c.bytes)
		if err != nil {
			panic(err) // our own bytes, in memory
		}
		item.State, item.Origin = copyState(state), c.origin
		item.Origin.Extras = slices.Clone(c.origin.Extras)
	}
	return f.Of(item)
}

func (r *reader) Version(_ context.Context, k history.Key, number uint32) (history.Item, error) {
	r.s.mu.RLock()
	defer r.s.mu.RUnlock()
	if r.s.closed {
		return history.Item{}, errClosed
	}
	if err := plan.ReadsType(&r.s.floors, r.at, k.Type); err != nil {
		return history.Item{}, err
	}
	if res := r.s.resources[k]; res != nil {
		for _, p := range r.places(res) {
			if p.Row.Number == number {
				return r.item(res, &p, history.FieldsAll), nil
			}
		}
	}
	return history.Item{}, plan.NoVersion(k, number)
}

func (r *reader) History(_ context.Context, k history.Key, q history.HistoryQuery) ([]history.Item, bool, error) {
	r.s.mu.RLock()
	defer r.s.mu.RUnlock()
	if r.s.closed {
		return nil, false, errClosed
	}
	if err := plan.ReadsType(&r.s.floors, r.at, k.Type); err != nil {
		return nil, false, err
	}
	res := r.s.resources[k]
	if res == nil {
		return nil, false, nil
	}
	places, more, err := plan.Select(r.places(res), k, q)
	if err != nil {
		return nil, false, err
	}
	items := make([]history.Item, len(places))
	for i := range places {
		items[i] = r.item(res, &places[i], q.Fields)
	}
	return items, more, nil
}

// places are the versions that the reader sees.
func (r *reader) places(res *resource) []plan.Place {
	return plan.Above(plan.Places(res.Rows, r.at.Known), r.s.floors.Of(res.key.Type))
}

func (r *reader) Items(_ context.Context, q history.Query) ([]history.Item, bool, error) {
	r.s.mu.RLock()
	defer r.s.mu.RUnlock()
	if r.s.closed {
		return nil, false, errClosed
	}
	if err := plan.ReadsQuery(&r.s.floors, r.at, &q); err != nil {
		return nil, false, err
	}
	var items []history.Item
	for _, k := range r.s.keys {
		if q.After != nil && k.Compare(*q.After) <= 0 || !q.MatchKey(k) {
			continue
		}
		res := r.s.resources[k]
		p := plan.Locate(res.Rows, r.at.Captured, r.at.Known)
		if p.Row == nil || p.Row.Deleted && !q.Deleted {
			continue
		}
		item := r.item(res, &p, history.FieldsAll)
		if !q.MatchState(&item.State) {
			continue
		}
		if q.Limit > 0 && len(items) == q.Limit {
			return items, true, nil
		}
		items = append(items, q.Fields.Of(item))
	}
	return items, false, nil
}

func (r *reader) Count(ctx context.Context, q history.Query, by history.GroupBy) ([]history.Group, error) {
	q.After, q.Limit, q.Fields = nil, 0, history.FieldsKey
	items, _, err := r.Items(ctx, q)
	if err != nil {
		return nil, err
	}
	counts := map[string]uint64{}
	for _, i := range items {
		counts[by.Of(i.Key)]++
	}
	groups := make([]history.Group, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		groups = append(groups, history.Group{Name: name, Count: counts[name]})
	}
	return groups, nil
}

func (r *reader) Find(_ context.Context, typ, id string) ([]history.Key, error) {
	r.s.mu.RLock()
	defer r.s.mu.RUnlock()
	if r.s.closed {
		return nil, errClosed
	}
	if err := plan.ReadsType(&r.s.floors, r.at, typ); err != nil {
		return nil, err
	}
	var keys []history.Key
	for _, k := range r.s.keys {
		if k.Type == typ && k.ID == id && plan.Recorded(r.s.resources[k].Rows, r.at.Known) {
			keys = append(keys, k)
		}
	}
	return keys, nil
}
