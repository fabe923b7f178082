package bolt

import (
	"encoding/binary"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// head sums a resource up for the writer: what it takes to plan a capture that
// is newer than all known evidence, without reading the timeline.
//
//	crc32c   4 bytes, of the key and the rest
//	uvarint  the resource's group
//	bytes    its id
//	uvarint  the commit up to which the resource is merged
//	uvarint  highest version number given
//	varint   newest evidence among its rows, or newer
//	row      the open row that is last in captured time
type head struct {
	merged uint64
	last   uint32
	seen   history.Moment
	newest plan.Row
}

func (h *head) append(b []byte, n groupNo, id []byte) []byte {
	b = appendBytes(binary.AppendUvarint(b, uint64(n)), id)
	b = binary.AppendUvarint(b, h.merged)
	b = binary.AppendUvarint(b, uint64(h.last))
	b = binary.AppendVarint(b, int64(h.seen))
	return appendRow(b, &h.newest, &plan.Row{})
}

// head reads what was merged of a resource; zero when nothing was.
func (v *view) head(r rid) (head, error) {
	h, _, _, err := v.headValue(r)
	return h, err
}

// headValue is head with what it says of the resource's key; the id is part of
// the transaction's memory.
func (v *view) headValue(r rid) (h head, n groupNo, id []byte, err error) {
	key := ridKey(r)
	framed := v.tx.Bucket(bucketHeads).Get(key)
	if framed == nil {
		return head{}, 0, nil, nil
	}
	value, ok := openValue(key, framed)
	if !ok {
		return head{}, 0, nil, damaged(bucketHeads, key)
	}
	d := decoder{b: value}
	h, n, id = d.head()
	if d.short {
		return head{}, 0, nil, damaged(bucketHeads, key)
	}
	return h, n, id, nil
}

func (d *decoder) head() (h head, n groupNo, id []byte) {
	n, id = groupNo(d.uvarint()), d.bytes()
	h = head{merged: d.uvarint(), last: uint32(d.uvarint()), seen: history.Moment(d.varint())}
	h.newest = d.aloneRow()
	return h, n, id
}

func headOf(w *plan.Window) head {
	h := head{last: w.Last, seen: w.Seen}
	if w.Newest != nil {
		h.newest = *w.Newest
	}
	return h
}

// parseRid reads the number at the front of a key, or a value that is one.
func parseRid(b []byte) rid {
	if len(b) < 4 {
		panic(badKey(b))
	}
	return rid(binary.BigEndian.Uint32(b))
}

// parseSightingKey reads a key of 20 bytes.
func parseSightingKey(b []byte) plan.Sighting {
	return plan.Sighting{
		At:  history.Moment(binary.BigEndian.Uint64(b[4:])),
		Rev: history.Revision(binary.BigEndian.Uint64(b[12:])),
	}
}
