package memory

import (
	"context"
	"slices"
	"sort"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// Links implements history.Reader by reading the links of all that is kept.
func (r *reader) Links(_ context.Context, q history.LinkQuery) ([]history.Linked, bool, error) {
	r.s.mu.RLock()
	defer r.s.mu.RUnlock()
	if r.s.closed {
		return nil, false, errClosed
	}
	if err := plan.ReadsQuery(&r.s.floors, r.at, &history.Query{}); err != nil {
		return nil, false, err
	}
	if r.s.o.Linker == nil {
		return nil, false, nil
	}
	var list []history.Linked
	for _, k := range r.s.keys {
		spans, err := plan.LinkSpans(r.s.resources[k].Rows, r.s.resources[k].links(r.s.o.Linker, &q))
		if err != nil {
			return nil, false, err
		}
		for i := range spans {
			if l, ok := spans[i].Linked(k, r.at, q.Ever, r.s.floors.Of(k.Type)); ok {
				list = append(list, l)
			}
		}
	}
	slices.SortFunc(list, history.Linked.Compare)
	if q.Limit <= 0 || len(list) <= q.Limit {
		return list, false, nil
	}
	last := list[q.Limit-1].Term
	end := sort.Search(len(list), func(i int) bool { return list[i].Term > last })
	return list[:end:end], end < len(list), nil
}

// links tells the links of a row that a query asks for. A row whose content is
// gone has none.
func (r *resource) links(by history.Linker, q *history.LinkQuery) func(*plan.Row) ([]history.Link, error) {
	return func(row *plan.Row) ([]history.Link, error) {
		c, ok := r.contents[row.Number]
		if !ok || row.Erased || row.Bare {
			return nil, nil
		}
		state, err := history.DecodeContent(c.bytes)
		if err != nil {
			return nil, err
		}
		state = copyState(state)
		var links []history.Link
		for _, l := range history.LinksOf(by, r.key, &state) {
			if (l.Term > q.After || q.After == "") && q.Wants(l.Bears) && q.MatchTerm(l.Term) {
				links = append(links, l)
			}
		}
		return links, nil
	}
}
