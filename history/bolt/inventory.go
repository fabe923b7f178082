package bolt

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// An inventory is read in two steps. Names and spans tell, in key order, which
// versions stand at the moment: that is all there is to read for keys. Contents
// are then read batch by batch in the order in which they lie in the file, on
// all cores.
const (
	scanBatch  = 4096                  // contents read together
	scanTime   = 50 * time.Millisecond // for which a scan keeps its transaction
	scanLook   = 256                   // resources between two looks at the clock
	perCore    = 16                    // fewer contents a core are not worth a goroutine
	spansAhead = 8                     // a page of more than one in so many resources reads all spans
)

// standing as an item with FieldsKey.
func (s *standing) item(k history.Key) history.Item {
	if s.number == 0 {
		return history.Item{Key: k}
	}
	return history.Item{
		Key: k, Version: s.number, CapturedAt: s.start, Until: s.until, Revision: s.opened,
		State: history.State{Deleted: s.deleted},
	}
}

func (r *reader) Items(ctx context.Context, q history.Query) ([]history.Item, bool, error) {
	var (
		items []history.Item
		more  bool
	)
	switch {
	case q.Limit > 0:
		items = make([]history.Item, 0, min(q.Limit, scanBatch))
	case q.After == nil && q.IDPrefix == "" && !q.NeedsContent():
		// Counting is cheap, moving items as their list grows is not.
		counts := map[string]uint64{}
		if err := r.count(ctx, &q, history.ByNothing, counts); err != nil {
			return nil, false, err
		}
		if n := counts[""]; n > 0 {
			items = make([]history.Item, 0, n)
		}
	}
	err := r.scan(ctx, q, func(item *history.Item) bool {
		if q.Limit > 0 && len(items) == q.Limit {
			more = true
			return false
		}
		items = append(items, *item)
		return true
	})
	return items, more, err
}

// scan calls f with the items that match, in key order, until it returns false.
// f may not keep the item.
func (r *reader) scan(ctx context.Context, q history.Query, f func(*history.Item) bool) error {
	fields := q.Fields
	if q.NeedsContent() {
		fields = history.FieldsAll
	}
	most := scanBatch
	if q.Limit > 0 && !q.NeedsContent() {
		most = min(most, q.Limit+1)
	}
	after := q.After
	var item history.Item
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		batch := make([]entry, 0, most)
		stopped := false
		err := r.s.view(func(v *view) (err error) {
			if err := plan.ReadsQuery(&v.floors.Floors, r.at, &q); err != nil {
				return err
			}
			if q.Limit == 0 || q.Limit*spansAhead > int(v.mark.rids) {
				if err := v.readSpans(); err != nil {
					return err
				}
			}
			began, n := time.Now(), 0
			err = v.eachKey(after, &q, func(e entry) error {
				s, err := v.stand(e.rid, r.at.Captured, r.at.Known)
				if err != nil {
					return err
				}
				if s.number != 0 && (!s.deleted || q.Deleted) {
					if fields != history.FieldsKey {
						batch = append(batch, e)
					} else if item = s.item(e.Key); !f(&item) {
						stopped = true
						return errPause
					}
				}
				n++
				if len(batch) == most || n%scanLook == 0 && time.Since(began) > scanTime {
					last := e.Key
					after = &last
					return errPause
				}
				return nil
			})
			if errors.Is(err, errPause) {
				return nil
			}
			done = true
			return err
		})
		if err != nil || stopped {
			return err
		}
		if stopped, err = r.contents(batch, &q, fields, f); err != nil || stopped {
			return err
		}
	}
	return nil
}

// contents reads a batch and calls f with the items that match, in order; true:
// f has enough.
func (r *reader) contents(batch []entry, q *history.Query, fields history.Fields, f func(*history.Item) bool) (stopped bool, err error) {
	if len(batch) == 0 {
		return false, nil
	}
	order := make([]int32, len(batch))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(batch[a].rid, batch[b].rid) })
	items := make([]history.Item, len(batch))

	parts := max(1, min(runtime.GOMAXPROCS(0), len(batch)/perCore))
	size := (len(batch) + parts - 1) / parts
	errs := make([]error, parts)
	read := func(part int) {
		for own := order[min(part*size, len(order)):min(part*size+size, len(order))]; len(own) > 0 && errs[part] == nil; {
			n := min(len(own), readSlice)
			errs[part] = r.s.view(func(v *view) error {
				if err := plan.ReadsQuery(&v.floors.Floors, r.at, q); err != nil {
					return err
				}
				for _, i := range own[:n] {
					item, err := r.itemOf(v, batch[i], fields)
					if err != nil {
						return err
					}
					items[i] = item
				}
				return nil
			})
			own = own[n:]
		}
	}
	var others sync.WaitGroup
	for part := 1; part < parts; part++ {
		others.Go(func() { read(part) })
	}
	read(0)
	others.Wait()
	if err := errors.Join(errs...); err != nil {
		return false, err
	}
	for i := range items {
		item := &items[i]
		if item.Version == 0 {
			continue // it was pruned meanwhile
		}
		if q.NeedsContent() {
			if !q.MatchState(&item.State) {
				continue
			}
			*item = q.Fields.Of(*item)
		}
		if !f(item) {
			return true, nil
		}
	}
	return false, nil
}

// readSpans reads all blocks of spans ahead, in one go through the bucket.
func (v *view) readSpans() error {
	v.spans = make([]spanBlock, int(v.mark.rids)/spanSlots+1)
	c := v.tx.Bucket(bucketSpans).Cursor()
	for k, framed := c.First(); k != nil; k, framed = c.Next() {
		block, err := openSpans(k, framed)
		if err != nil {
			return err
		}
		no := int(parseRid(k))
		if no >= len(v.spans) {
			v.spans = append(v.spans, make([]spanBlock, no+1-len(v.spans))...)
		}
		v.spans[no] = block
	}
	return nil
}

// Count needs no names where the query asks for none: spans alone tell what
// stands, and of which group it is.
func (r *reader) Count(ctx context.Context, q history.Query, by history.GroupBy) ([]history.Group, error) {
	q.After, q.Limit, q.Fields = nil, 0, history.FieldsKey
	counts := map[string]uint64{}
	if q.IDPrefix != "" || q.NeedsContent() {
		err := r.scan(ctx, q, func(item *history.Item) bool {
			counts[by.Of(item.Key)]++
			return true
		})
		if err != nil {
			return nil, err
		}
	} else if err := r.count(ctx, &q, by, counts); err != nil {
		return nil, err
	}
	groups := make([]history.Group, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		groups = append(groups, history.Group{Name: name, Count: counts[name]})
	}
	return groups, nil
}

// count adds to the counts by group. What was not merged when it began is looked
// at by itself, once; so it does not matter what is merged meanwhile.
func (r *reader) count(ctx context.Context, q *history.Query, by history.GroupBy, counts map[string]uint64) error {
	var apart ridSet
	next, done := rid(0), false
	for !done {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := r.s.view(func(v *view) (err error) {
			if err := plan.ReadsQuery(&v.floors.Floors, r.at, q); err != nil {
				return err
			}
			if apart == nil {
				apart = append(ridSet{}, v.unmergedSet()...)
			}
			next, done, err = r.countMerged(v, next, apart, q, by, counts)
			return err
		})
		if err != nil {
			return err
		}
	}
	return r.s.view(func(v *view) error {
		return apart.each(func(n rid) error {
			s, err := v.stand(n, r.at.Captured, r.at.Known)
			if err != nil || s.number == 0 || s.deleted && !q.Deleted {
				return err // it may have been pruned meanwhile
			}
			k, err := v.key(n)
			if err == nil && q.MatchKey(k) {
				counts[by.Of(k)]++
			}
			return err
		})
	})
}

// countMerged counts the resources from one on for as long as a scan may take,
// and says where to go on.
func (r *reader) countMerged(v *view, from rid, apart ridSet, q *history.Query, by history.GroupBy, counts map[string]uint64) (next rid, done bool, err error) {
	table := v.s.groups.Load()
	merged := make([]uint64, len(table.list)+1) // by group
	wanted := make([]bool, len(table.list)+1)
	for i, g := range table.list {
		wanted[i+1] = matchGroup(q, g)
	}
	began := time.Now()
	c := v.tx.Bucket(bucketSpans).Cursor()
	k, framed := c.Seek(spanKey(from))
	for ; k != nil && time.Since(began) < scanTime; k, framed = c.Next() {
		block, err := openSpans(k, framed)
		if err != nil {
			return 0, false, err
		}
		next = parseRid(k)*spanSlots + spanSlots
		for n := next - spanSlots; n < next; n++ {
			e := block.entry(n)
			if len(e) == 0 || apart.has(n) {
				continue
			}
			g, rows := openEntry(e)
			if int(g) >= len(wanted) {
				return 0, false, damaged(bucketSpans, k)
			}
			if !wanted[g] {
				continue
			}
			s := rows.stand(r.at.Captured, r.at.Known)
			if v.unmerged(n) {
				if s, err = v.stand(n, r.at.Captured, r.at.Known); err != nil {
					return 0, false, err
				}
			}
			if s.number != 0 && (!s.deleted || q.Deleted) {
				merged[g]++
			}
		}
	}
	for i, g := range table.list {
		if n := merged[i+1]; n > 0 {
			counts[by.Of(g)] += n
		}
	}
	return next, k == nil, nil
}
