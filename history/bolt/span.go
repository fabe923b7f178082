package bolt

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/varvehq/varve/history"
)

// Spans say of every resource which versions it has and when each begins, and
// nothing of what they held: an inventory, or a count, at any moment reads them
// alone. Those of spanSlots consecutive resources stand in one value:
//
//	crc32c  4 bytes, of the key and the rest
//	ends    u32 for each slot: where its entry ends, from the first entry on
//	entries
//
// An entry is the resource's group as uvarint, and its rows in order, each
// relative to the one before. One without a byte is of no resource.
const (
	spanSlots   = 64
	spanDeleted = 1
	spanClosed  = 2
	spanRanked  = 4 // begins with other evidence than that which opened it
)

// span is what matters of a row for an inventory.
type span struct {
	number  uint32
	deleted bool
	start   history.Moment
	rank    history.Revision
	opened  history.Revision
	closed  history.Revision
}

func spanKey(r rid) []byte { return binary.BigEndian.AppendUint32(nil, uint32(r)/spanSlots) }

func spanOf(r *row) span {
	return span{r.Number, r.Deleted, r.Start, r.Rank, r.Opened, r.Closed}
}

// appendEntry writes the entry of a resource.
func appendEntry(b []byte, n groupNo, rows []span) []byte {
	b = binary.AppendUvarint(b, uint64(n))
	var before span
	for i := range rows {
		r := &rows[i]
		var flags byte
		if r.deleted {
			flags |= spanDeleted
		}
		if r.closed != 0 {
			flags |= spanClosed
		}
		if r.rank != r.opened {
			flags |= spanRanked
		}
		b = append(b, flags)
		b = binary.AppendUvarint(b, uint64(r.number))
		b = binary.AppendVarint(b, int64(r.start-before.start))
		b = binary.AppendVarint(b, int64(r.opened-before.opened))
		if flags&spanClosed != 0 {
			b = binary.AppendUvarint(b, uint64(r.closed-r.opened))
		}
		if flags&spanRanked != 0 {
			b = binary.AppendVarint(b, int64(r.rank-r.opened))
		}
		before = *r
	}
	return b
}

// spanReader reads an entry row by row.
type spanReader struct {
	d      decoder
	before span
}

// next reads a row; false at the end, or where the entry is damaged.
func (s *spanReader) next() (*span, bool) {
	if !s.d.more() {
		return nil, false
	}
	flags := s.d.byte()
	r := &s.before
	r.deleted = flags&spanDeleted != 0
	r.number = uint32(s.d.uvarint())
	r.start += history.Moment(s.d.varint())
	r.opened += history.Revision(s.d.varint())
	r.closed, r.rank = 0, r.opened
	if flags&spanClosed != 0 {
		r.closed = r.opened + history.Revision(s.d.uvarint())
	}
	if flags&spanRanked != 0 {
		r.rank = r.opened + history.Revision(s.d.varint())
	}
	return r, !s.d.short
}

// openEntry returns a resource's group, and the way to its rows.
func openEntry(b []byte) (groupNo, spanReader) {
	s := spanReader{d: decoder{b: b}}
	return groupNo(s.d.uvarint()), s
}

// spanBlock is a value of the bucket, checked.
type spanBlock []byte

func openSpans(key, framed []byte) (spanBlock, error) {
	value, ok := openValue(key, framed)
	if !ok || len(value) < 4*spanSlots {
		return nil, damaged(bucketSpans, key)
	}
	return value, nil
}

// entry is the entry of a resource in its block; nil if it has none.
func (b spanBlock) entry(r rid) []byte {
	if b == nil {
		return nil
	}
	slot := int(r % spanSlots)
	begin, end := uint32(0), binary.BigEndian.Uint32(b[4*slot:])
	if slot > 0 {
		begin = binary.BigEndian.Uint32(b[4*slot-4:])
	}
	entries := b[4*spanSlots:]
	if begin > end || int(end) > len(entries) {
		return nil
	}
	return entries[begin:end]
}

// with is the block with some of its entries replaced.
func (b spanBlock) with(entries map[rid][]byte, first rid) []byte {
	value := make([]byte, 4*spanSlots, 4*spanSlots+len(b)+64*len(entries))
	for slot := range rid(spanSlots) {
		e, ok := entries[first+slot]
		if !ok {
			e = b.entry(first + slot)
		}
		value = append(value, e...)
		binary.BigEndian.PutUint32(value[4*slot:], uint32(len(value)-4*spanSlots))
	}
	return value
}

// spanBlock reads the block that a resource's entry stands in, nil if there is
// none. A view reads each block once.
func (v *view) spanBlock(r rid) (spanBlock, error) {
	no := int(r / spanSlots)
	if no < len(v.spans) && v.spans[no] != nil {
		return v.spans[no], nil
	}
	key := spanKey(r)
	framed := v.tx.Bucket(bucketSpans).Get(key)
	if framed == nil {
		return nil, nil
	}
	block, err := openSpans(key, framed)
	if err != nil {
		return nil, err
	}
	if no >= len(v.spans) {
		v.spans = append(v.spans, make([]spanBlock, max(no+1, int(v.mark.rids)/spanSlots+1)-len(v.spans))...)
	}
	v.spans[no] = block
	return block, nil
}

// standing is what spans tell of a resource at a moment.
type standing struct {
	span  // zero number: no version
	until history.Moment
}

// stand finds a moment in the entry of a resource. It reads rows as next does, but
// for their ranks: most of what an inventory of keys costs is this.
func (s *spanReader) stand(at history.Moment, known history.Revision) standing {
	var (
		found  = standing{until: history.Newest}
		b      = s.d.rest()
		start  int64
		opened uint64
	)
	for len(b) > 0 {
		flags := b[0]
		number, n := binary.Uvarint(b[1:])
		if n <= 0 {
			return found
		}
		b = b[1+n:]
		later, n := binary.Uvarint(b)
		if n <= 0 {
			return found
		}
		b = b[n:]
		since, n := binary.Uvarint(b)
		if n <= 0 {
			return found
		}
		b = b[n:]
		start += unzig(later)
		opened += uint64(unzig(since))
		closed := uint64(0)
		if flags&(spanClosed|spanRanked) != 0 {
			d := decoder{b: b}
			if flags&spanClosed != 0 {
				closed = opened + d.uvarint()
			}
			if flags&spanRanked != 0 {
				d.uvarint()
			}
			if d.short {
				return found
			}
			b = d.rest()
		}
		if opened > uint64(known) || closed != 0 && closed <= uint64(known) {
			continue // it is not to be seen
		}
		if start > int64(at) {
			found.until = history.Moment(start)
			return found
		}
		found.span = span{
			number: uint32(number), deleted: flags&spanDeleted != 0, start: history.Moment(start),
			opened: history.Revision(opened), closed: history.Revision(closed),
		}
	}
	return found
}

// mergeSpans lays rows that are new or changed over those that an entry has.
func mergeSpans(entry []byte, rows []span) []span {
	changed := make(map[uint32]bool, len(rows))
	for i := range rows {
		changed[rows[i].number] = true
	}
	all := slices.Clone(rows)
	_, old := openEntry(entry)
	for r, ok := old.next(); ok; r, ok = old.next() {
		if !changed[r.number] {
			all = append(all, *r)
		}
	}
	return all
}

// setSpans has the entry of a resource replaced; no rows: taken away.
func (p *puts) setSpans(r rid, n groupNo, rows []span) {
	if p.spans == nil {
		p.spans = map[rid][]byte{}
	}
	p.spans[r] = nil
	if len(rows) == 0 {
		return
	}
	slices.SortFunc(rows, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.rank, b.rank), cmp.Compare(a.opened, b.opened))
	})
	p.spans[r] = appendEntry(nil, n, rows)
}

// addSpans adds the blocks of the entries that were set.
func (p *puts) addSpans(v *view) error {
	done := map[rid]bool{}
	for r := range p.spans {
		first := r / spanSlots * spanSlots
		if done[first] {
			continue
		}
		done[first] = true
		b, err := v.spanBlock(first)
		if err != nil {
			return err
		}
		key := spanKey(first)
		p.add(bucketSpans, key, sealValue(key, b.with(p.spans, first)))
	}
	p.spans = nil
	return nil
}
