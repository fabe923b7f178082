package bolt

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"sync"

	"github.com/varvehq/varve/history/plan"
)

// A segment holds up to segmentRows rows of one resource in order, open and
// closed, and their bodies: the first stands alone, the others are deltas from
// the payload of the row before, unless that would not pay.
//
//	crc32c  4 bytes, of the key and the rest
//	uvarint number of rows
//	rows    each relative to the one before, then the length of its body
//	bodies  one after another
const (
	segmentRows  = 32
	segmentBytes = 128 << 10 // a segment whose bodies have reached it takes no more rows,
	segmentAlone = 4         // unless its first body, the one that stands alone, is large: then they may reach so many times that
)

// isFull reports whether a segment, whose bodies take so many bytes, takes no more
// rows.
func isFull(s segment, size int) bool {
	return len(s) >= segmentRows || size > max(segmentBytes, segmentAlone*len(s[0].body))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

// sealValue frames a value: its checksum, which covers the key, before it.
func sealValue(key, value []byte) []byte {
	framed := make([]byte, 4, 4+len(value))
	binary.BigEndian.PutUint32(framed, checksum(key, value))
	return append(framed, value...)
}

// openValue checks a framed value and returns what it holds, a part of it.
func openValue(key, framed []byte) ([]byte, bool) {
	if len(framed) < 4 || checksum(key, framed[4:]) != binary.BigEndian.Uint32(framed) {
		return nil, false
	}
	return framed[4:], true
}

// row is a row with its body as stored.
type row struct {
	plan.Row
	body []byte
	size uint64 // of body, while a segment is decoded
}

// segment is a decoded segment; bodies are parts of the value read.
type segment []row

func decodeSegment(key, framed []byte) (segment, error) { return appendRows(nil, key, framed) }

// appendRows decodes a segment into the memory of one that is no longer needed.
func appendRows(old segment, key, framed []byte) (segment, error) {
	if value, ok := openValue(key, framed); ok {
		if rows, err := parseRows(old, value); err == nil {
			return rows, nil
		}
	}
	return nil, damaged(bucketSegments, key)
}

// parseRows is appendRows of what was checked.
func parseRows(old segment, value []byte) (segment, error) {
	d := decoder{b: value}
	n := d.uvarint()
	if n == 0 || n > uint64(len(value)) {
		return nil, errShort
	}
	rows := slices.Grow(old[:0], int(n))[:n]
	before := &plan.Row{}
	for i := range rows {
		r := &rows[i]
		d.row(&r.Row, before)
		r.size, r.body = d.uvarint(), nil
		before = &r.Row
	}
	for i := range rows {
		rows[i].body = d.take(rows[i].size)
	}
	if d.short || d.more() {
		return nil, errShort
	}
	return rows, nil
}

func (s segment) append(b []byte) []byte {
	const aRow = 64 // about
	size := aRow * len(s)
	for i := range s {
		size += len(s[i].body)
	}
	b = binary.AppendUvarint(slices.Grow(b, size), uint64(len(s)))
	var before plan.Row
	for i := range s {
		b = appendRow(b, &s[i].Row, &before)
		b = binary.AppendUvarint(b, uint64(len(s[i].body)))
		before = s[i].Row
	}
	for i := range s {
		b = append(b, s[i].body...)
	}
	return b
}

// payload restores the payload of row i, in memory of its own, by way of the
// rows it builds on; those on the way take turns in two buffers.
func (s segment) payload(i int, with *dicts, room *arena) ([]byte, error) {
	first := i
	for first > 0 && codecOf(s[first].body).isDelta() {
		first--
	}
	if first == i {
		return openBody(s[i].body, with, room)
	}
	buffers := wayBuffers.Get().(*[2][]byte)
	defer wayBuffers.Put(buffers)
	payload, err := appendOpened(buffers[0][:0], s[first].body, with)
	if err != nil {
		return nil, err
	}
	buffers[0] = payload
	for n := first + 1; n < i; n++ {
		next := &buffers[(n-first)%2]
		if *next, err = applyBody((*next)[:0], payload, s[n].body, with, nil); err != nil {
			return nil, err
		}
		payload = *next
	}
	return applyBody(nil, payload, s[i].body, with, room)
}

// applyBody writes what a body that is a delta makes of its base over an empty
// buffer, nil: into memory of its own.
func applyBody(empty, base, body []byte, with *dicts, room *arena) ([]byte, error) {
	delta := body[1:]
	if codec(body[0]) != codecDelta {
		buf := encodeBuffers.Get().(*[]byte)
		defer encodeBuffers.Put(buf)
		var err error
		if delta, err = appendUnpacked((*buf)[:0], body, with); err != nil {
			return nil, err
		}
		*buf = delta
	}
	if empty == nil {
		empty = room.take(deltaSize(base, delta))
	}
	return applyDelta(empty, base, delta)
}

var wayBuffers = sync.Pool{New: func() any { return new([2][]byte) }}

// unpacker restores payloads of a segment; in order of rows each step costs one
// delta.
type unpacker struct {
	segment
	with *dicts
	room *arena
	done int    // rows up to which current was restored; 0: none
	last []byte // the payload of row done-1
}

func (u *unpacker) payload(i int) ([]byte, error) {
	first := i
	for first > 0 && codecOf(u.segment[first].body).isDelta() {
		first--
	}
	payload, err := u.last, error(nil)
	if u.done > first && u.done <= i+1 {
		first = u.done // go on from there
	} else {
		if payload, err = openBody(u.segment[first].body, u.with, u.room); err != nil {
			return nil, err
		}
		first++
	}
	var spare []byte // a payload that nobody has seen
	for n := first; n <= i; n++ {
		next, err := applyBody(spare[:0], payload, u.segment[n].body, u.with, u.room)
		if err != nil {
			return nil, err
		}
		if spare = nil; n > first {
			spare = payload
		}
		payload = next
	}
	u.done, u.last = i+1, payload
	return payload, nil
}

func (c codec) isDelta() bool { return c == codecDelta || c == codecPacked }

func codecOf(body []byte) codec {
	if len(body) == 0 {
		return codecPlain
	}
	return codec(body[0])
}

// sealInPlace frames a value whose first four bytes were left free.
func sealInPlace(key, framed []byte) {
	binary.BigEndian.PutUint32(framed, checksum(key, framed[4:]))
}
