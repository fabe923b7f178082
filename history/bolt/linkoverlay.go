package bolt

import (
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// What the tails hold is laid over what is merged: spans of resources with new rows
// are put together anew for each answer.

// kind is the number of a link's kind.
func (f *linkFinder) kind(l history.Link) uint32 { return f.block.kinds.of(l.Bears, l.Detail) }

// overlaid are the spans of a term of a resource of which the tails hold
// something; merged are those as of base.
func (f *linkFinder) overlaid(term string, r rid, merged []foundLink) ([]foundLink, error) {
	k, err := f.v.key(r)
	if err != nil {
		return nil, err
	}
	rec := f.recent(r)
	if len(rec.rows)+len(rec.closes) == 0 {
		return merged, nil // as of base is as of now
	}
	newest, err := f.newest(r)
	if err != nil {
		return nil, err
	}
	if !follow(&rec, &newest) {
		return f.replayed(term, r, k)
	}
	return f.continued(term, r, k, merged, rec.rows)
}

// recent is what the tails hold of a resource from base on, as far as it is known.
func (f *linkFinder) recent(r rid) recent {
	var rec recent
	f.v.s.mu.RLock()
	defer f.v.s.mu.RUnlock()
	for _, t := range f.v.tails {
		res := t.resources[r]
		if res == nil {
			continue
		}
		for _, row := range res.rows {
			if row.Opened > f.base && row.Opened <= f.at.Known {
				rec.rows = append(rec.rows, row)
			}
		}
		for _, c := range res.closes {
			if c.revision > f.base && c.revision <= f.at.Known {
				rec.closes = append(rec.closes, c)
			}
		}
	}
	return rec
}

// newest is the last row in captured time as of base, no more of it than when it
// starts.
func (f *linkFinder) newest(r rid) (plan.Row, error) {
	block, err := f.v.spanBlock(r)
	if err != nil {
		return plan.Row{}, err
	}
	_, rows := openEntry(block.entry(r))
	return plan.Row{Start: rows.stand(history.Newest, f.known).start}, nil
}

// continued lets the rows of the tails go on where merged spans end.
func (f *linkFinder) continued(term string, r rid, k history.Key, merged []foundLink, rows []tailRow) ([]foundLink, error) {
	spans := slices.Clone(merged)
	for i := range spans {
		spans[i].to = min(spans[i].to, rows[0].Start)
	}
	for i := range rows {
		links, err := f.v.tailLinks(r, k, &rows[i])
		if err != nil {
			return nil, err
		}
		to := history.Newest
		if i+1 < len(rows) {
			to = rows[i+1].Start
		}
		for _, l := range *links {
			if l.Term != term {
				continue
			}
			n := foundLink{r, f.kind(l), rows[i].Start, to}
			at := slices.IndexFunc(spans, func(s foundLink) bool { return s.kind == n.kind && s.to == n.from })
			if at >= 0 {
				spans[at].to = to
			} else {
				spans = append(spans, n)
			}
		}
	}
	return spans, nil
}

// replayed reads the spans of a term anew from all rows of a resource.
func (f *linkFinder) replayed(term string, r rid, k history.Key) ([]foundLink, error) {
	l, err := f.v.load(r)
	if err != nil {
		return nil, err
	}
	all, err := plan.LinkSpans(l.Rows, func(row *plan.Row) ([]history.Link, error) { return f.v.rowLinks(l, k, row) })
	if err != nil {
		return nil, err
	}
	var spans []foundLink
	for i := range all {
		if s := &all[i]; s.Term == term && s.Visible(f.at.Known) {
			spans = append(spans, foundLink{r, f.kind(s.Link), s.From, s.To})
		}
	}
	return spans, nil
}
