package bolt

import (
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// How links come into their bucket. They follow from the versions, and from
// nothing else: the linker reads those of each version as it is recorded, or when
// they are first needed; a merge works out how the spans change and writes that,
// term by term, before the versions themselves are merged. Whatever else changes
// what is merged changes the links in the same transaction, but for pruning,
// which cuts what nobody is told any more afterwards.

// linksStay reports whether all that a tail has of a resource follows its newest
// row and has the very links of that: nothing needs to be read to know it.
func (s *Store) linksStay(t *tail, r rid) bool {
	res := t.resources[r]
	last, ok := s.linked.Get(r)
	if !ok || len(res.closes) > 0 {
		return len(res.rows)+len(res.closes) == 0
	}
	for i := range res.rows {
		row := &res.rows[i]
		if row.Number != last.number+1 || row.Start <= last.start || row.Deleted || row.links.known.Load() != last.links {
			return false
		}
		last.number, last.start = row.Number, row.Start
	}
	if n := len(res.rows); n > 0 {
		s.keepLinks(r, &res.rows[n-1].Row, last.links)
	}
	return true
}

// A transaction that writes links takes those of so many edits, and no more terms
// once they take so many bytes.
const linkEdits = 8192

// mergeLinks carries the links of a tail into their bucket.
func (s *Store) mergeLinks(t *tail, apart apart) error {
	state := s.links.Load()
	if state == nil || !state.complete {
		if err := s.disownLinks(); err != nil || state == nil {
			return err
		}
	}
	rids := slices.DeleteFunc(sortedKeys(t.resources), func(r rid) bool { return !state.covers(r) || apart[r] != nil || s.linksStay(t, r) })
	most := 0 // about
	for _, r := range rids {
		for i := range t.resources[r].rows {
			if links := t.resources[r].rows[i].links.known.Load(); links != nil {
				most = max(most, len(*links))
			}
		}
	}
	edits := make([]linkEdit, 0, min(most, 16)*len(rids))
	for len(rids) > 0 {
		n := min(len(rids), readSlice)
		err := s.readTx(func(tx *bolt.Tx) (err error) {
			v := &view{s: s, tx: tx, tails: []*tail{t}}
			for _, r := range rids[:n] {
				kept := len(edits)
				if edits, err = v.linkEdits(edits, t, r); err != nil {
					edits = edits[:kept]
					if err := apart.keep(r, err); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		rids = rids[n:]
	}
	return s.writeLinks(edits, t.end.revision)
}

// writeLinks carries edits out, in short transactions.
func (s *Store) writeLinks(edits []linkEdit, upTo history.Revision) error {
	edits = sortEdits(edits)
	state := *s.links.Load()
	state.upTo = max(state.upTo, upTo)
	for len(edits) > 0 {
		if err := s.merger.yield(); err != nil {
			return err
		}
		n := min(len(edits), linkEdits)
		for n < len(edits) && edits[n].Term == edits[n-1].Term {
			n++
		}
		p := &puts{}
		err := s.readTx(func(tx *bolt.Tx) error { return (&view{s: s, tx: tx}).addLinks(p, edits[:n]) })
		if err != nil {
			return err
		}
		err = s.writeTx(func(tx *bolt.Tx) error {
			if err := state.put(tx); err != nil {
				return err
			}
			return p.put(tx)
		})
		if err != nil {
			return err
		}
		edits = edits[n:]
	}
	s.links.Store(&state)
	return nil
}

// linkEdits adds how the links of a resource change when its part of a tail is
// merged.
func (v *view) linkEdits(edits []linkEdit, t *tail, r rid) ([]linkEdit, error) {
	rec, err := v.recent(r)
	if err != nil || len(rec.rows)+len(rec.closes) == 0 {
		return edits, err
	}
	h, group, id, err := v.headValue(r)
	if err != nil {
		return edits, err
	}
	key, fresh := t.keys[r]
	if !fresh {
		var ok bool
		if key, ok = v.s.groups.Load().key(group, string(id)); !ok {
			return edits, damaged(bucketHeads, ridKey(r))
		}
	}
	if !follow(&rec, &h.newest) {
		l, err := v.load(r)
		if err != nil {
			return edits, err
		}
		return v.replacedLinks(edits, l, key, nil)
	}
	before, err := v.mergedLinks(r, key, &h)
	if err != nil {
		return edits, err
	}
	for i := range rec.rows {
		row := &rec.rows[i]
		links, err := v.tailLinks(r, key, row)
		if err != nil {
			return edits, err
		}
		if links != before {
			edits = appendChanged(edits, r, *before, *links, &row.Row)
		}
		before = links
	}
	v.s.keepLinks(r, &rec.rows[len(rec.rows)-1].Row, before)
	return edits, nil
}

// follow reports whether the rows of a tail follow one another, and all that is
// merged, in captured time.
func follow(rec *recent, newest *plan.Row) bool {
	last := newest.Start
	for i := range rec.rows {
		if rec.rows[i].Start <= last {
			return false
		}
		last = rec.rows[i].Start
	}
	return len(rec.closes) == 0
}

// appendChanged makes edits of what a row that follows another adds and drops.
func appendChanged(edits []linkEdit, r rid, before, links []history.Link, row *plan.Row) []linkEdit {
	edit := func(kind linkEditKind, l history.Link) {
		s := plan.LinkSpan{Link: l, From: row.Start, To: history.Newest, Opened: row.Opened}
		if kind == linkEnd {
			s.From, s.To = 0, row.Start
		}
		edits = append(edits, linkEdit{kind: kind, linkSpan: linkSpan{r, s}})
	}
	for len(before)+len(links) > 0 {
		switch {
		case len(links) == 0 || len(before) > 0 && before[0].Compare(links[0]) < 0:
			edit(linkEnd, before[0])
			before = before[1:]
		case len(before) == 0 || before[0] != links[0]:
			edit(linkBegin, links[0])
			links = links[1:]
		default:
			before, links = before[1:], links[1:]
		}
	}
	return edits
}

// eraseLinks takes away the links of a row that is about to be erased.
func (v *view) eraseLinks(writes *puts, k history.Key, l *loaded, row *plan.Row) error {
	if !v.s.links.Load().covers(l.rid) {
		return nil
	}
	edits, err := v.replacedLinks(nil, l, k, row)
	if err != nil {
		return err
	}
	return v.addLinks(writes, sortEdits(edits))
}

// replacedLinks adds all links of a resource as its rows have them, all but one.
func (v *view) replacedLinks(edits []linkEdit, l *loaded, k history.Key, without *plan.Row) ([]linkEdit, error) {
	terms := map[string]bool{}
	spans, err := plan.LinkSpans(l.Rows, func(row *plan.Row) ([]history.Link, error) {
		links, err := v.rowLinks(l, k, row)
		for i := range links {
			terms[links[i].Term] = true
		}
		if row == without {
			links = nil
		}
		return links, err
	})
	if err != nil {
		return edits, err
	}
	return appendReplaced(edits, l.rid, spans, terms), nil
}
