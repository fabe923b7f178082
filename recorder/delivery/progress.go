package delivery

import (
	"encoding/binary"
	"hash/crc32"
	"strings"

	"github.com/varvehq/varve/history"
)

// progress is how far a subscription has come: what its state document holds,
// together with the outstanding entries.
type progress struct {
	position history.Position // everything up to it has been read
	read     history.Seq      // of position
	previous history.Seq      // the last that matched, zero at the beginning of a chain

	counts        counts
	lastDelivered history.Moment
	lastFailure   Failure // with no At: none
}

// counts are those of Status, in the order in which they are written.
type counts struct {
	matched, delivered, failed, retried, deadLettered, dropped, missed, filterErrors uint64
}

func (c *counts) fields() []*uint64 {
	return []*uint64{&c.matched, &c.delivered, &c.failed, &c.retried, &c.deadLettered, &c.dropped, &c.missed, &c.filterErrors}
}

// Longest texts in a state document, in bytes: so that one with as many entries as
// there may be is still a document.
const (
	maxFailureReason = 400
	maxFilterError   = 200
)

// progressForm is the first byte of a state document:
//
//	form, position, read, previous, counts, last delivered,
//	last failure: at, sequence, reason;
//	number of entries, and by sequence each:
//	    sequence less the one before, less 1; sequence less previous;
//	    attempts<<2 | alone<<1 | has a filter error;
//	    recorded, less that of the one before;
//	    if there were attempts: first failure less recorded, next try less first;
//	    if there is one: filter error;
//	checksum (CRC-32, big endian) of all before it
//
// Numbers are varints, signed where they may be negative; texts have their length
// before them.
const progressForm = 1

// encode writes a state document; entries are by sequence.
func (p *progress) encode(entries []*entry) []byte {
	b := make([]byte, 0, 256+16*len(entries))
	b = append(b, progressForm)
	b = appendText(b, string(p.position))
	b = binary.AppendUvarint(b, uint64(p.read))
	b = binary.AppendUvarint(b, uint64(p.previous))
	for _, n := range p.counts.fields() {
		b = binary.AppendUvarint(b, *n)
	}
	b = binary.AppendVarint(b, int64(p.lastDelivered))
	b = binary.AppendVarint(b, int64(p.lastFailure.At))
	b = binary.AppendUvarint(b, uint64(p.lastFailure.Seq))
	b = appendText(b, short(p.lastFailure.Reason, maxFailureReason))

	b = binary.AppendUvarint(b, uint64(len(entries)))
	var before entry
	for _, e := range entries {
		b = binary.AppendUvarint(b, uint64(e.seq-before.seq-1))
		b = binary.AppendUvarint(b, uint64(e.seq-e.previous))
		flags := uint64(e.attempts) << 2
		if e.alone {
			flags |= 2
		}
		if e.filterError != "" {
			flags |= 1
		}
		b = binary.AppendUvarint(b, flags)
		b = binary.AppendVarint(b, int64(e.recorded-before.recorded))
		if e.attempts > 0 {
			b = binary.AppendVarint(b, int64(e.first-e.recorded))
			b = binary.AppendVarint(b, int64(e.next-e.first))
		}
		if e.filterError != "" {
			b = appendText(b, short(e.filterError, maxFilterError))
		}
		before = *e
	}
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// short cuts a text to at most so many bytes, and makes it UTF-8.
func short(s string, most int) string {
	if len(s) > most {
		s = s[:most-len("…")]
		for len(s) > 0 && s[len(s)-1]&0xc0 == 0x80 { // not in the middle of a letter
			s = s[:len(s)-1]
		}
		if len(s) > 0 && s[len(s)-1] >= 0xc0 {
			s = s[:len(s)-1]
		}
		s += "…"
	}
	return strings.ToValidUTF8(s, "?")
}

// decodeProgress reads a state document: DataLoss if it is damaged, NewerFormat if
// a newer version of the program wrote it.
func decodeProgress(b []byte) (*progress, []*entry, error) {
	damaged := history.Errorf(history.DataLoss, "its state is damaged")
	if len(b) < 5 || crc32.ChecksumIEEE(b[:len(b)-4]) != binary.BigEndian.Uint32(b[len(b)-4:]) {
		return nil, nil, damaged
	}
	if b[0] != progressForm {
		return nil, nil, history.Errorf(history.NewerFormat, "its state is written in form %d by a newer version of this program", b[0])
	}
	d := reading{b: b[1 : len(b)-4]}
	var p progress
	p.position = history.Position(d.text())
	p.read, p.previous = history.Seq(d.uvarint()), history.Seq(d.uvarint())
	for _, n := range p.counts.fields() {
		*n = d.uvarint()
	}
	p.lastDelivered = history.Moment(d.varint())
	p.lastFailure = Failure{At: history.Moment(d.varint()), Seq: history.Seq(d.uvarint()), Reason: d.text()}

	n := d.uvarint()
	if n > uint64(len(d.b))/4 { // an entry has four bytes at least
		return nil, nil, damaged
	}
	entries := make([]*entry, 0, n)
	var before entry
	for range n {
		e := &entry{}
		e.seq = before.seq + 1 + history.Seq(d.uvarint())
		back := history.Seq(d.uvarint())
		flags := d.uvarint()
		e.recorded = before.recorded + history.Moment(d.varint())
		if e.attempts, e.alone = int(flags>>2), flags&2 != 0; e.attempts > 0 {
			e.first = e.recorded + history.Moment(d.varint())
			e.next = e.first + history.Moment(d.varint())
		}
		if flags&1 != 0 {
			e.filterError = d.text()
		}
		if e.seq <= before.seq || e.seq > p.read || back == 0 || back > e.seq {
			return nil, nil, damaged
		}
		e.previous = e.seq - back
		entries, before = append(entries, e), *e
	}
	if d.short || len(d.b) > 0 || p.previous > p.read {
		return nil, nil, damaged
	}
	return &p, entries, nil
}

// reading takes numbers and texts off the front of b.
type reading struct {
	b     []byte
	short bool // there was less than was asked for
}

func (d *reading) uvarint() uint64 {
	n, size := binary.Uvarint(d.b)
	if size <= 0 {
		d.b, d.short = nil, true
		return 0
	}
	d.b = d.b[size:]
	return n
}

func (d *reading) varint() int64 {
	n, size := binary.Varint(d.b)
	if size <= 0 {
		d.b, d.short = nil, true
		return 0
	}
	d.b = d.b[size:]
	return n
}

func (d *reading) text() string {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.b, d.short = nil, true
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}
