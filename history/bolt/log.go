package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// The log holds one entry per commit: all that the commit did. It is the only
// bucket a commit of observations touches; merging carries it into the other
// buckets later. On opening, what was not merged is read back into memory.
//
//	mark    where the store stands after the commit
//	records each a byte for its kind, then its fields
//
// An entry is cut into pieces of up to logPiece bytes, under the commit's number
// and theirs:
//
//	crc32c  4 bytes, of the key and the rest
//	uvarint number of pieces
//	piece
type recordKind byte

// logPiece makes two pieces fill four pages. Longer ones would need more pages in
// a row than a file in use has free, and so make it grow.
const logPiece = 8140

func logKey(commit uint64, piece int) []byte {
	return binary.BigEndian.AppendUint16(uint64Key(commit), uint16(piece))
}

func putLogEntry(b *bolt.Bucket, commit uint64, entry []byte) error {
	size := max(logPiece, (len(entry)+math.MaxUint16-1)/math.MaxUint16)
	pieces := (len(entry) + size - 1) / size
	for i := range pieces {
		key := logKey(commit, i)
		part := entry[i*size : min(len(entry), i*size+size)]
		value := binary.AppendUvarint(make([]byte, 4, 4+binary.MaxVarintLen32+len(part)), uint64(pieces))
		value = append(value, part...)
		sealInPlace(key, value)
		if err := b.Put(key, value); err != nil {
			return err
		}
	}
	return nil
}

// eachLogEntry reads the log after a commit. The records are f's to keep.
func eachLogEntry(tx *bolt.Tx, merged uint64, f func(m mark, records []byte) error) error {
	c := tx.Bucket(bucketLog).Cursor()
	k, framed := c.Seek(uint64Key(merged + 1))
	for k != nil {
		first := bytes.Clone(k)
		entry, next, value, err := readLogEntry(c, k, framed)
		if err != nil {
			return err
		}
		d := decoder{b: entry}
		m := d.mark()
		if d.short || m.commit != binary.BigEndian.Uint64(first) {
			return damaged(bucketLog, first)
		}
		if err := f(m, d.rest()); err != nil {
			return errors.Join(damaged(bucketLog, first), err)
		}
		k, framed = next, value
	}
	return nil
}

// readLogEntry puts the pieces of an entry together, of which the cursor is on
// the first, and returns what follows.
func readLogEntry(c *bolt.Cursor, k, framed []byte) (entry, next, value []byte, err error) {
	commit, total := bytes.Clone(k[:min(len(k), 8)]), uint64(1)
	for i := 0; i < int(total); i++ {
		piece, ok := openValue(k, framed)
		d := decoder{b: piece}
		n := d.uvarint()
		if i == 0 {
			total = n
		}
		if !ok || d.short || n != total || len(commit) != 8 || !bytes.Equal(k, logKey(binary.BigEndian.Uint64(commit), i)) {
			return nil, nil, nil, damaged(bucketLog, append(commit, byte(i>>8), byte(i)))
		}
		entry = append(entry, d.rest()...)
		k, framed = c.Next()
	}
	return entry, k, framed, nil
}

const (
	recResource recordKind = 1 // rid, account, region, type, id
	recRow      recordKind = 2 // rid, row, length and bytes of its body
	recClose    recordKind = 3 // rid, version number, revision
	recSighting recordKind = 4 // rid, moment, revision, origin; up to format 2
	recChange   recordKind = 5 // change
	recRun      recordKind = 6 // run number, run as it stands after the commit
	recSeen     recordKind = 7 // run number, rid, moment, revision; up to format 2
	recOp       recordKind = 8 // operation id, receipt

	recSightings recordKind = 9 // run number or 0, origin, number, and so many times rid, moment, revision
)

// mark is where the store stands after a commit.
type mark struct {
	commit     uint64
	revision   history.Revision
	recordedAt history.Moment
	seq        history.Seq
	rids       rid   // highest given
	runs       runNo // highest given
}

func (m *mark) stamp() plan.Stamp {
	return plan.Stamp{Revision: m.revision, RecordedAt: m.recordedAt}
}

func (m *mark) append(b []byte) []byte {
	b = binary.AppendUvarint(b, m.commit)
	b = binary.AppendUvarint(b, uint64(m.revision))
	b = binary.AppendVarint(b, int64(m.recordedAt))
	b = binary.AppendUvarint(b, uint64(m.seq))
	b = binary.AppendUvarint(b, uint64(m.rids))
	return binary.AppendUvarint(b, uint64(m.runs))
}

func (d *decoder) mark() mark {
	return mark{
		commit: d.uvarint(), revision: history.Revision(d.uvarint()), recordedAt: history.Moment(d.varint()),
		seq: history.Seq(d.uvarint()), rids: rid(d.uvarint()), runs: runNo(d.uvarint()),
	}
}

// change is an entry of the feed, with the resource by its number.
type change struct {
	seq        history.Seq
	revision   history.Revision
	recordedAt history.Moment
	rid        rid
	kind       history.ChangeKind
	late       bool
	version    uint32
	start      history.Moment
}

// append writes the change relative to the one before it.
func (c *change) append(b []byte, before *change) []byte {
	flags := byte(c.kind) << 1
	if c.late {
		flags |= 1
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(c.rid))
	b = binary.AppendUvarint(b, uint64(c.version))
	b = binary.AppendVarint(b, int64(c.start-before.start))
	b = binary.AppendVarint(b, int64(c.revision-before.revision))
	return binary.AppendVarint(b, int64(c.recordedAt-before.recordedAt))
}

func (d *decoder) change(before *change) change {
	flags := d.byte()
	return change{
		seq: before.seq + 1, kind: history.ChangeKind(flags >> 1), late: flags&1 != 0,
		rid: rid(d.uvarint()), version: uint32(d.uvarint()),
		start:      before.start + history.Moment(d.varint()),
		revision:   before.revision + history.Revision(d.varint()),
		recordedAt: before.recordedAt + history.Moment(d.varint()),
	}
}

// runRecord is a run with its number and the span of captured time that its
// evidence covers.
type runRecord struct {
	history.Run
	no       runNo
	from, to history.Moment
}

func (r *runRecord) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(r.no))
	b = appendBytes(b, string(r.ID))
	for _, list := range [...][]string{r.Scope.Accounts, r.Scope.Regions, r.Scope.Types} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, v := range list {
			b = appendBytes(b, v)
		}
	}
	for _, m := range [...]history.Moment{r.Moment, r.OpenedAt, r.Deadline, r.ClosedAt, r.from, r.to} {
		b = binary.AppendVarint(b, int64(m))
	}
	b = append(b, byte(r.State))
	for _, n := range [...]uint64{r.Observed, r.Refused, r.Deleted} {
		b = binary.AppendUvarint(b, n)
	}
	return appendBytes(b, r.Reason)
}

func (d *decoder) run() runRecord {
	r := runRecord{no: runNo(d.uvarint())}
	r.ID = history.RunID(d.string())
	for _, list := range [...]*[]string{&r.Scope.Accounts, &r.Scope.Regions, &r.Scope.Types} {
		for n := d.uvarint(); n > 0 && !d.short; n-- {
			*list = append(*list, d.string())
		}
	}
	for _, m := range [...]*history.Moment{&r.Moment, &r.OpenedAt, &r.Deadline, &r.ClosedAt, &r.from, &r.to} {
		*m = history.Moment(d.varint())
	}
	r.State = history.RunState(d.byte())
	for _, n := range [...]*uint64{&r.Observed, &r.Refused, &r.Deleted} {
		*n = d.uvarint()
	}
	r.Reason = d.string()
	return r
}

// opRecord is the first result of an operation.
type opRecord struct {
	id      history.OpID
	at      history.Moment
	receipt []byte
}

// appendReceipt writes a receipt; its position follows from seq.
func appendReceipt(b []byte, r *history.Receipt, seq history.Seq) []byte {
	b = binary.AppendUvarint(b, uint64(r.Revision))
	b = binary.AppendUvarint(b, uint64(seq))
	b = binary.AppendUvarint(b, uint64(len(r.Results)))
	for i := range r.Results {
		res := &r.Results[i]
		if e := asError(res.Err); e != nil {
			b = append(b, 1, byte(e.Kind))
			b = appendBytes(appendBytes(appendBytes(b, e.Field), e.Value), e.Text)
			b = binary.AppendUvarint(b, uint64(len(e.Meta)))
			for k, v := range e.Meta {
				b = appendBytes(appendBytes(b, k), v)
			}
			continue
		}
		flags := byte(0)
		if res.Unchanged {
			flags |= 2
		}
		if res.Late {
			flags |= 4
		}
		b = append(b, flags, byte(res.Kind))
		b = binary.AppendUvarint(b, uint64(res.Version))
		b = binary.AppendVarint(b, int64(res.CapturedAt))
		b = binary.AppendUvarint(b, uint64(res.Revision))
		b = binary.AppendUvarint(b, uint64(res.Seq))
	}
	return b
}

func (d *decoder) receipt(l history.Lineage) history.Receipt {
	r := history.Receipt{Revision: history.Revision(d.uvarint()), Position: l.Position(history.Seq(d.uvarint()))}
	n := d.uvarint()
	if n > uint64(len(d.rest())) {
		d.fail()
		return r
	}
	r.Results = make([]history.Result, n)
	for i := range r.Results {
		flags, second := d.byte(), d.byte()
		if flags&1 != 0 {
			e := &history.Error{Kind: history.Kind(second), Field: d.string(), Value: d.string(), Text: d.string()}
			for n := d.uvarint(); n > 0 && !d.short; n-- {
				if e.Meta == nil {
					e.Meta = map[string]string{}
				}
				k := d.string()
				e.Meta[k] = d.string()
			}
			r.Results[i].Err = e
			continue
		}
		r.Results[i] = history.Result{
			Unchanged: flags&2 != 0, Late: flags&4 != 0, Kind: history.ChangeKind(second), Version: uint32(d.uvarint()),
			CapturedAt: history.Moment(d.varint()), Revision: history.Revision(d.uvarint()), Seq: history.Seq(d.uvarint()),
		}
	}
	return r
}
