package bolt

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// unarchiver tells what a backup holds. Whatever is not as it was written ends
// it with DataLoss, which names the place.
type unarchiver struct {
	r    *bufio.Reader
	at   int64 // of the frame being read, in the file
	next int64 // of the one after
	hash hash.Hash
	zstd *zstd.Decoder

	frame []byte // its memory is used for the next one

	to       sink
	progress func(done, total uint64)
	version  uint32
	header   copyHeader
	counts   copyCounts
	ended    bool
}

func newUnarchiver(r io.Reader) (*unarchiver, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(archiveLargest))
	if err != nil {
		return nil, err
	}
	return &unarchiver{r: bufio.NewReaderSize(r, 64<<10), hash: sha256.New(), zstd: z}, nil
}

// damage says what is wrong with the frame being read.
func (u *unarchiver) damage(format string, args ...any) error {
	return &history.Error{Kind: history.DataLoss, Field: "backup",
		Text: fmt.Sprintf("is damaged at byte %d: %s; take another copy", u.at, fmt.Sprintf(format, args...))}
}

// start reads up to the header.
func (u *unarchiver) start() (*copyHeader, error) {
	front := make([]byte, len(archiveMagic)+4)
	if _, err := io.ReadFull(u.r, front); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	if !bytes.HasPrefix(front, []byte(archiveMagic)) {
		return nil, &history.Error{Kind: history.Invalid, Field: "backup", Text: "is not a backup of Varve"}
	}
	if u.version = binary.BigEndian.Uint32(front[len(archiveMagic):]); u.version < archivePlain || u.version > archiveVersion {
		return nil, history.Errorf(history.NewerFormat,
			"the backup has version %d, this program knows versions up to %d; use a newer one", u.version, archiveVersion)
	}
	u.hash.Write(front)
	u.next = int64(len(front))
	d, err := u.readFrame()
	if err != nil {
		return nil, err
	}
	if d.byte() != arcHeader {
		return nil, u.damage("it does not begin with its header")
	}
	lineage, ok := parseLineage(d.bytes())
	u.header = copyHeader{lineage: lineage, mark: d.mark()}
	f := decoder{b: d.bytes()}
	u.header.floors = f.floors()
	if u.version > archivePlain {
		u.header.documents = d.uvarint()
	}
	if !ok || d.short || f.short || d.more() {
		return nil, u.damage("its header cannot be read")
	}
	return &u.header, nil
}

// readFrame reads the next frame's records.
func (u *unarchiver) readFrame() (*decoder, error) {
	u.at = u.next
	var front [8]byte
	if err := u.read(front[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(front[:])
	if size == 0 || size > archiveLargest {
		return nil, u.damage("a frame cannot have %d bytes", size)
	}
	// What is claimed is not trusted before it was read.
	var packed bytes.Buffer
	packed.Grow(int(min(size, archiveChunk)))
	if _, err := io.CopyN(&packed, u.r, int64(size)); err != nil {
		return nil, u.broken(err)
	}
	b := packed.Bytes()
	if crc32.Checksum(b, castagnoli) != binary.BigEndian.Uint32(front[4:]) {
		return nil, u.damage("the checksum does not match")
	}
	frame, err := u.zstd.DecodeAll(b, u.frame[:0])
	if err != nil || len(frame) == 0 {
		return nil, u.damage("it cannot be decompressed")
	}
	u.frame, u.next = frame, u.at+8+int64(size)
	if frame[0] != arcEnd { // whose checksum is of all before it
		u.hash.Write(front[:])
		u.hash.Write(b)
	}
	return &decoder{b: frame}, nil
}

func (u *unarchiver) read(b []byte) error {
	if _, err := io.ReadFull(u.r, b); err != nil {
		return u.broken(err)
	}
	return nil
}

func (u *unarchiver) broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return u.damage("it was cut short")
	}
	return fmt.Errorf("read the backup: %w", err)
}

// tell tells all that follows the header.
func (u *unarchiver) tell(ctx context.Context, to sink, progress func(done, total uint64)) error {
	u.to, u.progress = to, progress
	if err := to.begin(&u.header); err != nil {
		return err
	}
	for !u.ended {
		if err := ctx.Err(); err != nil {
			return err
		}
		d, err := u.readFrame()
		if err != nil {
			return err
		}
		for d.more() && !u.ended {
			if err := u.record(d); err != nil {
				return err
			}
			if d.short {
				return u.damage("a record cannot be read")
			}
		}
		if err := to.flush(); err != nil {
			return err
		}
	}
	u.at = u.next
	if _, err := u.r.ReadByte(); !errors.Is(err, io.EOF) {
		if err != nil {
			return u.broken(err)
		}
		return u.damage("more follows its end")
	}
	return to.end()
}

// record tells one record; d.short says that there was none.
func (u *unarchiver) record(d *decoder) error {
	switch d.byte() {
	case arcDocument:
		doc := d.document()
		return u.told(d, &u.counts.documents, func() error { return u.to.document(&doc) })
	case arcRun:
		r := d.run()
		return u.told(d, &u.counts.runs, func() error { return u.to.run(&r) })
	case arcResource:
		r := rid(d.uvarint())
		k := d.resourceKey()
		u.progress(uint64(r), uint64(u.header.mark.rids))
		return u.told(d, &u.counts.resources, func() error { return u.to.resource(r, k) })
	case arcSighting:
		s := d.sighting()
		origin := d.bytes()
		return u.told(d, &u.counts.sightings, func() error { return u.to.sighting(s, origin) })
	case arcRow:
		r := d.aloneRow()
		payload := bytes.Clone(d.bytes()) // the frame's memory is used again
		if r.Erased || r.Bare {
			payload = nil
		}
		return u.told(d, &u.counts.rows, func() error { return u.to.row(&r, payload) })
	case arcDone:
		last := uint32(d.uvarint())
		return u.told(d, new(uint64), func() error { return u.to.resourceDone(last) })
	case arcGone:
		r, until := rid(d.uvarint()), history.Seq(d.uvarint())
		k := d.resourceKey()
		return u.told(d, &u.counts.gone, func() error { return u.to.gone(r, until, k) })
	case arcSeen:
		n := runNo(d.uvarint())
		e := seenEntry{rid: rid(d.uvarint())}
		e.Sighting = d.sighting()
		return u.told(d, &u.counts.seen, func() error { return u.to.seen(n, e) })
	case arcChange:
		c := d.change(&change{seq: history.Seq(d.uvarint()) - 1})
		return u.told(d, &u.counts.changes, func() error { return u.to.change(&c) })
	case arcClock:
		s := d.sighting()
		return u.told(d, &u.counts.clock, func() error {
			return u.to.clock(plan.Stamp{RecordedAt: s.At, Revision: s.Rev})
		})
	case arcOp:
		o := opRecord{id: history.OpID(d.take16()), at: history.Moment(d.varint())}
		o.receipt = bytes.Clone(d.bytes())
		return u.told(d, &u.counts.ops, func() error { return u.to.op(&o) })
	case arcEnd:
		return u.end(d)
	}
	return u.damage("a record is of a kind that is not known")
}

func (u *unarchiver) told(d *decoder, count *uint64, tell func() error) error {
	if d.short {
		return nil
	}
	*count++
	return tell()
}

// end checks what was read against the end record.
func (u *unarchiver) end(d *decoder) error {
	var counts copyCounts
	for _, n := range counts.of(u.version) {
		*n = d.uvarint()
	}
	sum := d.take(sha256.Size)
	switch {
	case d.short || d.more():
		return u.damage("its end cannot be read")
	case !bytes.Equal(sum, u.hash.Sum(nil)):
		return u.damage("the checksum of the whole does not match")
	case counts != u.counts:
		return u.damage("it holds %v records, and says %v", u.counts, counts)
	}
	u.ended = true
	return nil
}
