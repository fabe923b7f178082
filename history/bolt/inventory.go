package bolt

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// An inventory is read in two steps. Names and spans tell, in key order, which
// versions stand at the moment: that is all there is to read for keys. Contents
// are then read batch by batch in the order in which they lie in the file, on
// all cores.
const (
	scanBatch  = 4096 // contents read together
	scanLook   = 256  // resources between two looks at the clock
	perCore    = 16   // fewer contents a core are not worth a goroutine
	perTurn    = 32   // contents that a core takes at a time
	spansAhead = 8    // a page of more than one in so many resources reads all spans
)

// scanTime is for how long a scan keeps its transaction.
var scanTime = 50 * time.Millisecond

// fill makes an item with FieldsKey of one that has a key and nothing else.
func (s *standing) fill(item *history.Item) {
	if s.number == 0 {
		return
	}
	item.Version, item.CapturedAt, item.Until, item.Revision = s.number, s.start, s.until, s.opened
	item.State.Deleted = s.deleted
}

func (r *reader) Items(ctx context.Context, q history.Query) ([]history.Item, bool, error) {
	list := itemList{limit: q.Limit}
	switch {
	case q.Limit > 0:
		list.items = make([]history.Item, 0, min(q.Limit, scanBatch)+1)
	case q.After == nil && q.IDPrefix == "" && !q.NeedsContent():
		// Counting is cheap, moving items as their list grows is not.
		// What is damaged, and need not be read, does not matter here.
		counts := map[string]uint64{}
		if err := r.count(ctx, &q, history.ByNothing, counts, r.snapshot); err == nil && counts[""] > 0 {
			list.items = make([]history.Item, 0, counts[""])
		}
	}
	err := r.scan(ctx, q, &list)
	return list.items, list.more, err
}

// itemList gathers the items of an inventory, where they are to stand in the end:
// they are large. What lies behind the last one is always empty.
type itemList struct {
	items []history.Item
	limit int                  // 0: none
	more  bool                 // than the limit
	spent func([]history.Item) // if set, takes what there is now and then, and keeps nothing of it
}

// next is an item to be filled; nil: there is no room for one.
func (l *itemList) next() *history.Item {
	if l.more = l.limit > 0 && len(l.items) == l.limit; l.more {
		return nil
	}
	return &l.add(1)[0]
}

// add makes room for items, and returns it.
func (l *itemList) add(n int) []history.Item {
	first := len(l.items)
	l.items = slices.Grow(l.items, n)[:first+n]
	return l.items[first:]
}

// cut takes all items from one on away.
func (l *itemList) cut(first int) {
	clear(l.items[first:])
	l.items = l.items[:first]
}

func (l *itemList) spend() {
	if l.spent != nil {
		l.spent(l.items)
		l.cut(0)
	}
}

// scan adds the items that match, in key order.
func (r *reader) scan(ctx context.Context, q history.Query, list *itemList) error {
	fields := q.Fields
	if q.NeedsContent() {
		fields = history.FieldsAll
	}
	most := scanBatch
	if q.Limit > 0 && !q.NeedsContent() {
		most = min(most-1, q.Limit) + 1
	}
	var batch []entry
	if fields != history.FieldsKey {
		batch = make([]entry, 0, most)
	}
	after := q.After
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		batch = batch[:0]
		err := r.s.view(func(v *view) (err error) {
			if err := plan.ReadsQuery(&v.floors.Floors, r.at, &q); err != nil {
				return err
			}
			if q.Limit == 0 || q.After != nil { // else it may be the only page
				v.snapshot = r.snapshot(v)
			}
			if v.snapshot == nil && (q.Limit == 0 || q.Limit > int(v.mark.rids)/spansAhead) {
				v.readSpans()
			}
			began, n := time.Now(), 0
			err = v.eachKey(after, &q, func(e *entry) error {
				s, err := v.stand(e.rid, r.at.Captured, r.at.Known)
				if err != nil {
					return lossOf(&e.Key, err)
				}
				if s.number != 0 && (!s.deleted || q.Deleted) {
					if fields != history.FieldsKey {
						batch = append(batch, *e)
					} else if item := list.next(); item != nil {
						item.Key = e.Key
						s.fill(item)
					} else {
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
		if err != nil || list.more {
			return err
		}
		if err := r.contents(batch, &q, fields, list); err != nil || list.more {
			return err
		}
		list.spend()
	}
	return nil
}

// contents reads a batch and adds the items that match, in order.
func (r *reader) contents(batch []entry, q *history.Query, fields history.Fields, list *itemList) error {
	if len(batch) == 0 {
		return nil
	}
	order := make([]int32, len(batch))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(batch[a].rid, batch[b].rid) })
	kept := len(list.items)
	items := list.add(len(batch))

	parts := max(1, min(runtime.GOMAXPROCS(0), len(batch)/perCore))
	errs := make([]error, parts)
	var taken atomic.Int64 // of order; a core that is held up by others takes less
	read := func(part int) {
		var (
			room     *arena
			contents *history.ContentReader
		)
		if !q.NeedsContent() { // else few may be kept
			room, contents = &arena{expected: len(batch) / parts}, &history.ContentReader{Expect: len(batch) / parts}
		}
		for more := true; more && errs[part] == nil; {
			errs[part] = r.s.view(func(v *view) error {
				v.room = room
				if err := plan.ReadsQuery(&v.floors.Floors, r.at, q); err != nil {
					return err
				}
				for n := 0; n < readSlice; n += perTurn {
					end := int(taken.Add(perTurn))
					if more = end < len(order)+perTurn; !more {
						return nil
					}
					for _, i := range order[end-perTurn : min(end, len(order))] {
						items[i].Key = batch[i].Key
						if err := r.itemOf(v, batch[i].rid, fields, &items[i], contents); err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
	}
	var others sync.WaitGroup
	for part := 1; part < parts; part++ {
		others.Go(func() { read(part) })
	}
	read(0)
	others.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for i := range items {
		item := &items[i]
		if item.Version == 0 || q.NeedsContent() && !q.MatchState(&item.State) {
			continue // it was pruned meanwhile, or is not asked for
		}
		if list.more = list.limit > 0 && kept == list.limit; list.more {
			break
		}
		if q.NeedsContent() {
			*item = q.Fields.Of(*item)
		}
		if to := &list.items[kept]; to != item {
			*to = *item
		}
		kept++
	}
	list.cut(kept)
	return nil
}

// snapshot is the one of the reader's moment; nil in a store that is too large.
func (r *reader) snapshot(v *view) *snapshot {
	return r.s.shots.of(r.at, v.epoch, int(v.mark.rids))
}

func noSnapshot(*view) *snapshot { return nil }

// readSpans reads all blocks of spans ahead, in one go through the bucket. Those that
// are damaged it leaves to whoever needs them.
func (v *view) readSpans() {
	v.spans = make([]spanBlock, int(v.mark.rids)/spanSlots+1)
	c := v.tx.Bucket(bucketSpans).Cursor()
	for k, framed := c.First(); k != nil; k, framed = c.Next() {
		block, err := openSpans(k, framed)
		if err != nil {
			continue
		}
		no := int(parseRid(k))
		if no >= len(v.spans) {
			v.spans = append(v.spans, make([]spanBlock, no+1-len(v.spans))...)
		}
		v.spans[no] = block
	}
}

// Count needs no names where the query asks for none: spans alone tell what
// stands, and of which group it is.
func (r *reader) Count(ctx context.Context, q history.Query, by history.GroupBy) ([]history.Group, error) {
	q.After, q.Limit, q.Fields = nil, 0, history.FieldsKey
	counts := map[string]uint64{}
	if q.IDPrefix != "" || q.NeedsContent() {
		err := r.scan(ctx, q, &itemList{spent: func(items []history.Item) {
			for i := range items {
				counts[by.Of(items[i].Key)]++
			}
		}})
		if err != nil {
			return nil, err
		}
	} else if err := r.count(ctx, &q, by, counts, noSnapshot); err != nil {
		return nil, err
	}
	groups := make([]history.Group, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		groups = append(groups, history.Group{Name: name, Count: counts[name]})
	}
	return groups, nil
}

// count adds to the counts by group. What was not merged when it began is looked
// at by itself, once; so it does not matter what is merged meanwhile. What it finds
// goes into a snapshot, if it is given one.
func (r *reader) count(ctx context.Context, q *history.Query, by history.GroupBy, counts map[string]uint64, into func(*view) *snapshot) error {
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
			v.snapshot = into(v)
			next, done, err = r.countMerged(v, next, apart, q, by, counts)
			return err
		})
		if err != nil {
			return err
		}
	}
	return r.s.view(func(v *view) error {
		return apart.each(func(n rid) error {
			k, unknown := v.key(n)
			if unknown == nil && !q.MatchKey(k) {
				return nil // damaged or not
			}
			s, err := v.stand(n, r.at.Captured, r.at.Known)
			if err != nil || s.number == 0 || s.deleted && !q.Deleted {
				return lossOf(&k, err) // it may have been pruned meanwhile
			}
			if unknown == nil {
				counts[by.Of(k)]++
			}
			return unknown
		})
	})
}

// countMerged counts the resources from one on for as long as a scan may take, one
// block of them at least, and says where to go on.
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
	for ; k != nil && (next == 0 || time.Since(began) < scanTime); k, framed = c.Next() {
		block, err := openSpans(k, framed)
		if err != nil {
			return 0, false, err
		}
		next = parseRid(k)*spanSlots + spanSlots
		var shot *snapshotBlock
		if v.snapshot != nil {
			shot = v.snapshot.block(v, next-spanSlots, block)
		}
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
			s, ok := shot.stand(n, r.at.Known)
			if v.unmerged(n) {
				if s, err = v.stand(n, r.at.Captured, r.at.Known); err != nil {
					return 0, false, err
				}
			} else if !ok {
				s = rows.stand(r.at.Captured, r.at.Known)
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
