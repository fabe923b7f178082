package bolt

import (
	"encoding/binary"
	"errors"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

var errShort = errors.New("a stored value is cut short")

// decoder reads b from the front; once something is missing it returns zero values
// only and err tells. It counts where it is: cutting b, a pointer, costs more.
type decoder struct {
	b     []byte
	at    int
	short bool
}

func (d *decoder) err() error {
	if d.short {
		return errShort
	}
	return nil
}

func (d *decoder) fail() { d.b, d.at, d.short = nil, 0, true }

// more reports whether there is anything left.
func (d *decoder) more() bool { return d.at < len(d.b) }

// rest is what is left, a part of b.
func (d *decoder) rest() []byte { return d.b[d.at:] }

func (d *decoder) byte() byte {
	if d.at >= len(d.b) {
		d.fail()
		return 0
	}
	d.at++
	return d.b[d.at-1]
}

func (d *decoder) uvarint() uint64 {
	if at := d.at; at < len(d.b) && d.b[at] < 0x80 {
		d.at++
		return uint64(d.b[at])
	}
	return d.longUvarint()
}

// longUvarint reads one of more than a byte.
func (d *decoder) longUvarint() uint64 {
	v, n := binary.Uvarint(d.b[d.at:])
	if n <= 0 {
		d.fail()
		return 0
	}
	d.at += n
	return v
}

func (d *decoder) varint() int64 { return unzig(d.uvarint()) }

// unzig undoes the zig-zag of a signed number.
func unzig(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// take returns the next n bytes, a part of b.
func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)-d.at) {
		d.fail()
		return nil
	}
	end := d.at + int(n)
	v := d.b[d.at:end:end]
	d.at = end
	return v
}

func (d *decoder) bytes() []byte  { return d.take(d.uvarint()) }
func (d *decoder) string() string { return string(d.bytes()) }

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
	flagLost    // with flagErased: its content was lost to damage
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
	if r.Lost {
		flags |= flagLost
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

// aloneRow reads a row that stands alone.
func (d *decoder) aloneRow() (r plan.Row) {
	d.row(&r, &plan.Row{})
	return r
}

// row reads a row, which follows another, over any.
func (d *decoder) row(r, before *plan.Row) {
	flags := d.byte()
	r.Deleted, r.Derived = flags&flagDeleted != 0, flags&flagDerived != 0
	r.Erased, r.Bare, r.Lost = flags&flagErased != 0, flags&flagBare != 0, flags&flagLost != 0
	r.Number = uint32(d.uvarint())
	r.Start = before.Start + history.Moment(d.varint())
	if flags&flagOwnRank == 0 {
		r.Rank = before.Rank + history.Revision(d.varint())
	}
	r.Opened = before.Opened + history.Revision(d.varint())
	if flags&flagOwnRank != 0 {
		r.Rank = r.Opened
	}
	r.RecordedAt = before.RecordedAt + history.Moment(d.varint())
	if r.Closed = 0; flags&flagClosed != 0 {
		r.Closed = r.Opened + history.Revision(d.uvarint())
	}
	if r.Status = ""; flags&flagStatus != 0 {
		r.Status = history.Status(d.string())
	}
	copy(r.Hash[:], d.take(uint64(len(r.Hash))))
}
