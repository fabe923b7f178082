package bolt

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/klauspost/compress/s2"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// mergeResource rewrites the segments of a resource from the first one that
// changes on, and returns how many bytes that takes.
func (v *view) mergeResource(p *puts, t *tail, r rid) (int, error) {
	h, group, id, err := v.headValue(r)
	if err != nil {
		return 0, err
	}
	key, fresh := t.keys[r]
	if fresh {
		group, id = v.s.groups.Load().find(key), []byte(key.ID)
		name := nameKey(group, key.ID)
		p.add(bucketNames, name, sealValue(name, ridKey(r)))
	} else if key, fresh = v.s.groups.Load().key(group, ""); !fresh {
		return 0, damaged(bucketHeads, ridKey(r))
	}
	rec, err := v.recent(r)
	if err != nil {
		return 0, err
	}
	size := 0
	if len(rec.rows)+len(rec.closes) > 0 {
		if size, err = v.rewrite(p, r, group, v.s.dicts.of(key.Type), &rec, &h); err != nil {
			return 0, err
		}
	}
	h.merged = t.last
	p.add(bucketHeads, ridKey(r), sealValue(ridKey(r), h.append(nil, group, id)))
	return size, nil
}

// rewrite adds rows to the segments of a resource and closes others.
func (v *view) rewrite(p *puts, r rid, group groupNo, with *dict, rec *recent, h *head) (int, error) {
	old, keys, err := v.segmentsFrom(r, rec)
	if err != nil {
		return 0, err
	}
	rows := make([]mergeRow, 0, len(rec.rows)+segmentRows)
	for _, seg := range old {
		from := &unpacker{segment: seg, with: &v.s.dicts}
		for i := range seg {
			rows = append(rows, mergeRow{row: &seg[i], from: from, i: i})
		}
	}
	for i := range rec.rows {
		r := rec.rows[i].row
		rows = append(rows, mergeRow{row: &r, i: -1})
	}
	slices.SortFunc(rows, func(a, b mergeRow) int { return a.row.Compare(&b.row.Row) })
	closed := map[uint32]history.Revision{}
	for _, c := range rec.closes {
		closed[c.number] = c.revision
	}
	if len(closed) > 0 {
		h.seen = 0 // what was seen may have been a derived row; all rows are here
	}
	spans := make([]span, 0, len(rows))
	for _, m := range rows {
		if rev, ok := closed[m.row.Number]; ok {
			m.row.Closed = rev
		}
		spans = append(spans, spanOf(m.row))
		h.last, h.seen = max(h.last, m.row.Number), max(h.seen, evidenceAt(m.row))
		if m.row.Closed == 0 {
			h.newest = m.row.Row
		}
	}

	block, err := v.spanBlock(r)
	if err != nil {
		return 0, err
	}
	p.setSpans(r, group, mergeSpans(block.entry(r), spans))

	all := rows
	open := func(m *mergeRow) ([]byte, error) { return v.mergedPayload(r, all, m) }
	size, written := 0, map[string]bool{}
	for len(rows) > 0 {
		seg, rest, err := pack(rows, packer{with: with}, open)
		if err != nil {
			return 0, damaged(bucketSegments, ridKey(r))
		}
		key := segmentKey(r, &seg[0].Row)
		value := sealValue(key, seg.append(nil))
		p.add(bucketSegments, key, value)
		written[string(key)] = true
		size += len(value)
		rows = rest
	}
	for _, k := range keys {
		if !written[string(k)] {
			p.deletes = append(p.deletes, put{bucket: bucketSegments, key: k})
		}
	}
	return size, nil
}

// evidenceAt is the captured moment that a row is evidence of; zero for one
// that was derived and closed.
func evidenceAt(r *row) history.Moment {
	if r.Derived && r.Closed != 0 {
		return 0
	}
	return r.Start
}

// segmentsFrom reads the segments of a resource from the first that a merge
// touches on.
func (v *view) segmentsFrom(r rid, rec *recent) ([]segment, [][]byte, error) {
	prefix := ridKey(r)
	first := plan.Row{Start: history.Newest}
	for i := range rec.rows {
		if n := &rec.rows[i].Row; n.Compare(&first) < 0 {
			first = *n
		}
	}
	from := segmentKey(r, &first)
	if len(rec.closes) > 0 {
		from = prefix // closed rows may stand anywhere
	}
	c := v.tx.Bucket(bucketSegments).Cursor()
	k, b, _ := lastBefore(c, from)
	if !bytes.HasPrefix(k, prefix) {
		k, b = c.Seek(prefix)
	}
	var (
		segments []segment
		keys     [][]byte
	)
	for ; bytes.HasPrefix(k, prefix); k, b = c.Next() {
		seg, err := decodeSegment(k, b)
		if err != nil {
			return nil, nil, err
		}
		segments, keys = append(segments, seg), append(keys, bytes.Clone(k))
	}
	return segments, keys, nil
}

// mergeRow is a row on its way into a segment; i is its place in the segment it
// comes from, or -1.
type mergeRow struct {
	row  *row
	from *unpacker
	i    int
}

// mergedPayload restores the payload of a row among those that a merge takes.
func (v *view) mergedPayload(r rid, rows []mergeRow, m *mergeRow) ([]byte, error) {
	switch {
	case m.i >= 0:
		return m.from.payload(m.i)
	case codecOf(m.row.body) != codecBase:
		return openBody(m.row.body, &v.s.dicts, nil)
	}
	number, delta, err := openBase(m.row)
	if err != nil {
		return nil, err
	}
	var base []byte
	if i := slices.IndexFunc(rows, func(m mergeRow) bool { return m.row.Number == number }); i >= 0 {
		base, err = v.mergedPayload(r, rows, &rows[i])
	} else {
		var l *loaded // it stands before the segments that the merge takes
		if l, err = v.load(r); err == nil {
			base, err = l.payloadOf(number)
		}
	}
	if err != nil {
		return nil, err
	}
	return applyDelta(nil, base, delta)
}

// carries returns the delta of a row that was recorded as one from the row that
// it follows here: it need not be made anew.
func (m *mergeRow) carries(before *mergeRow) ([]byte, bool) {
	if m.i >= 0 || codecOf(m.row.body) != codecBase {
		return nil, false
	}
	number, delta, err := openBase(m.row)
	if err != nil || number != before.row.Number {
		return nil, false
	}
	return append([]byte{byte(codecDelta)}, delta...), true
}

// pack fills one segment with the first of some rows and returns the rest. open
// restores the payload of a row.
func pack(rows []mergeRow, with packer, open func(*mergeRow) ([]byte, error)) (segment, []mergeRow, error) {
	var (
		seg    segment
		before []byte // payload of the row before; nil: not restored yet
		size   int
	)
	for n := range rows {
		m := &rows[n]
		if n > 0 && isFull(seg, size) {
			return seg, rows[n:], nil
		}
		follows := n > 0 && m.i > 0 && rows[n-1].i == m.i-1 && rows[n-1].from == m.from
		r := *m.row
		var delta []byte
		if n > 0 {
			delta, _ = m.carries(&rows[n-1])
		}
		alone := n == 0 || codecOf(rows[n-1].row.body) == codecErased
		stays := follows || codecOf(r.body) == codecErased || alone && with.wouldWrite(r.body, m.i >= 0)
		switch {
		case delta != nil:
			r.body, before = with.delta(delta), nil
		case stays:
			before = nil
		default:
			payload, err := open(m)
			if err != nil {
				return nil, nil, err
			}
			if !alone && before == nil {
				if before, err = open(&rows[n-1]); err != nil {
					return nil, nil, err
				}
			}
			if alone {
				r.body = with.alone(payload)
			} else {
				r.body = with.follow(before, payload)
			}
			before = payload
		}
		size += len(r.body)
		seg = append(seg, r)
	}
	return seg, nil, nil
}

// packer makes the bodies of segments with the dictionary of their type, if it
// has one: for a merge quickly enough to keep up with what is recorded, for a
// copy smaller.
type packer struct {
	with    *dict
	smaller bool
}

// longPayload is from how many bytes on the search for the shortest form is worth
// the tables that it clears first, which are 4.5 MiB large.
const longPayload = 64 << 10

// encoder is what compresses a text of so many bytes.
func (p packer) encoder(size int) func(dst, src []byte) []byte {
	switch {
	case !p.smaller && p.with == nil:
		return s2.Encode
	case !p.smaller:
		return p.with.Encode
	case size < longPayload && p.with == nil:
		return s2.EncodeBetter
	case size < longPayload:
		return p.with.EncodeBetter
	case p.with == nil:
		return s2.EncodeBest
	}
	return p.with.EncodeBest
}

// wouldWrite reports whether alone would make a body that stands alone just as it
// is; of one that was merged before, whether it will do.
func (p packer) wouldWrite(body []byte, merged bool) bool {
	switch codecOf(body) {
	case codecPlain, codecS2:
		return merged || p.with == nil
	case codecDict:
		no, _ := binary.Uvarint(body[1:])
		return merged || p.with != nil && no == uint64(p.with.no)
	}
	return false
}

// packedDelta is how long a delta must be to be worth packing.
const packedDelta = 48

// follow writes a payload as a delta from the one before it, else as it stands,
// whichever is shorter.
func (p packer) follow(before, payload []byte) []byte {
	delta := appendDelta([]byte{byte(codecDelta)}, before, payload)
	if len(payload)/maxDeltaGrowth >= len(delta)+len(before)-1 {
		return p.alone(payload) // longer than a delta is trusted to become
	}
	delta = p.delta(delta)
	if len(delta) < packedDelta || !p.smaller && len(delta) <= len(payload)/6 {
		return delta
	}
	if alone := p.alone(payload); len(alone) < len(delta) {
		return alone
	}
	return delta
}

// delta packs a delta body if it is long and that is shorter.
func (p packer) delta(body []byte) []byte {
	if p.with == nil || len(body) < packedDelta {
		return body
	}
	packed := sealWith(body[1:], p.with, codecPacked, p.encoder(len(body)))
	if codec(packed[0]) != codecPacked || len(packed) > len(body)-len(body)/8 {
		return body
	}
	return packed
}

// alone makes a body that stands alone.
func (p packer) alone(payload []byte) []byte {
	if p.with == nil {
		return sealPlain(payload, p.encoder(len(payload)))
	}
	return sealWith(payload, p.with, codecDict, p.encoder(len(payload)))
}
