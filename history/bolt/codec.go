package bolt

import (
	"encoding/binary"
	"errors"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

var errShort = errors.New("a stored value is cut short")

// decoder reads the front of b; once something is missing it returns zero
// values only and err tells.
type decoder struct {
	b     []byte
	short bool
}

func (d *decoder) err() error {
	if d.short {
		return errShort
	}
	return nil
}

func (d *decoder) fail() { d.b, d.short = nil, true }

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) uvarint() uint64 {
	if len(d.b) > 0 && d.b[0] < 0x80 {
		v := d.b[0]
		d.b = d.b[1:]
		return uint64(v)
	}
	return d.longUvarint()
}

// longUvarint reads one of more than a byte.
func (d *decoder) longUvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 { return unzig(d.uvarint()) }

// unzig undoes the zig-zag of a signed number.
func unzig(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// take returns the next n bytes, a part of b.
func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes() []byte  { return d.take(d.uvarint()) }
func (d *decoder) string() string { return string(d.bytes()) }

func (d *decoder) hash() (h history.Hash) {
	copy(h[:], d.take(uint64(len(h))))
	return h
}

// bit is 1 for true.
func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func appendBytes[T string | []byte](b []byte, v T) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

// A row's flags.
const (
	flagDeleted = 1 << iota
	flagDerived
	flagClosed
	flagStatus
	flagOwnRank // the row begins with the evidence that opened it: rank is opened
	flagErased  // its content was erased
	flagBare    // it was pruned, but for what other rows need of it
)

// appendRow writes a row relative to the one before it, which keeps the numbers
// of a segment short; a row that stands alone is written relative to the zero
// Row.
func appendRow(b []byte, r, before *plan.Row) []byte {
	var flags byte
	if r.Deleted {
		flags |= flagDeleted
	}
	if r.Derived {
		flags |= flagDerived
	}
	if r.Closed != 0 {
		flags |= flagClosed
	}
	if r.Status != "" {
		flags |= flagStatus
	}
	if r.Rank == r.Opened {
		flags |= flagOwnRank
	}
	if r.Erased {
		flags |= flagErased
	}
	if r.Bare {
		flags |= flagBare
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(r.Number))
	b = binary.AppendVarint(b, int64(r.Start-before.Start))
	if flags&flagOwnRank == 0 {
		b = binary.AppendVarint(b, int64(r.Rank-before.Rank))
	}
	b = binary.AppendVarint(b, int64(r.Opened-before.Opened))
	b = binary.AppendVarint(b, int64(r.RecordedAt-before.RecordedAt))
	if flags&flagClosed != 0 {
		b = binary.AppendUvarint(b, uint64(r.Closed-r.Opened))
	}
	if flags&flagStatus != 0 {
		b = appendBytes(b, string(r.Status))
	}
	return append(b, r.Hash[:]...)
}

func (d *decoder) row(before *plan.Row) plan.Row {
	flags := d.byte()
	r := plan.Row{
		Deleted: flags&flagDeleted != 0, Derived: flags&flagDerived != 0,
		Erased: flags&flagErased != 0, Bare: flags&flagBare != 0,
		Number: uint32(d.uvarint()),
		Start:  before.Start + history.Moment(d.varint()),
	}
	if flags&flagOwnRank == 0 {
		r.Rank = before.Rank + history.Revision(d.varint())
	}
	r.Opened = before.Opened + history.Revision(d.varint())
	if flags&flagOwnRank != 0 {
		r.Rank = r.Opened
	}
	r.RecordedAt = before.RecordedAt + history.Moment(d.varint())
	if flags&flagClosed != 0 {
		r.Closed = r.Opened + history.Revision(d.uvarint())
	}
	if flags&flagStatus != 0 {
		r.Status = history.Status(d.string())
	}
	r.Hash = d.hash()
	return r
}
