package bolt

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"hash/crc32"

	"github.com/klauspost/compress/zstd"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// A backup file, version 2, or 1 if it has no documents. BACKUP.md describes every
// byte of it.
//
//	magic   "varve backup\r\n\x1a\n", and the version, u32
//	frames  length u32, CRC-32C u32, and so many bytes: records, compressed
//
// A frame can be checked, and its damage named by its place in the file, before
// it is decompressed. The last one holds the end record: the numbers of all
// records, and the SHA-256 of all of the file before that frame.
const (
	archiveMagic   = "varve backup\r\n\x1a\n"
	archiveVersion = 2
	archiveLargest = 512 << 20 // a frame, or the records in it, beyond this is damage
	archiveChunk   = 1 << 20   // what is handed out at once
)

// archiveFrame is how many bytes of records a frame takes before it is closed.
var archiveFrame = 4 << 20

// Kinds of records in a backup.
const (
	arcHeader   = 1 // lineage, mark, floors, newest revision of documents
	arcRun      = 2 // run
	arcResource = 3 // rid, account, region, type, id
	arcSighting = 4 // moment, revision, origin
	arcRow      = 5 // row, payload
	arcDone     = 6 // highest version number given
	arcSeen     = 7 // run number, rid, moment, revision
	arcChange   = 8 // sequence, change
	arcClock    = 9 // moment, revision
	arcOp       = 10
	arcGone     = 11 // rid, sequence, account, region, type, id
	arcEnd      = 12 // counts, SHA-256
	arcDocument = 13 // collection, name, revision, body
)

// archivePlain is the version of backups without documents.
const archivePlain = 1

// of are the counts that a version of backups tells.
func (c *copyCounts) of(version uint32) []*uint64 {
	list := c.list()
	if version == archivePlain {
		return list[:len(list)-1] // all but the documents
	}
	return list
}

// archiver is the sink that writes a backup.
type archiver struct {
	write  func([]byte) error
	hash   hash.Hash // of what was written
	zstd   *zstd.Encoder
	frame  []byte // records of the frame under way
	packed []byte
	counts copyCounts

	version uint32
}

func newArchiver(write func([]byte) error) (*archiver, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	return &archiver{write: write, hash: sha256.New(), zstd: z}, nil
}

func (a *archiver) begin(h *copyHeader) error {
	if a.version = archiveVersion; h.documents == 0 {
		a.version = archivePlain // which older programs restore too
	}
	if err := a.put(binary.BigEndian.AppendUint32([]byte(archiveMagic), a.version)); err != nil {
		return err
	}
	a.frame = appendBytes(append(a.frame, arcHeader), appendLineage(nil, &h.lineage))
	a.frame = appendBytes(h.mark.append(a.frame), h.floors.append(nil))
	if a.version > archivePlain {
		a.frame = binary.AppendUvarint(a.frame, h.documents)
	}
	return a.flushFrame() // by itself, so that it can be read at once
}

func (a *archiver) document(d *history.Document) error {
	a.counts.documents++
	a.frame = appendBytes(appendBytes(append(a.frame, arcDocument), d.Collection), d.Name)
	a.frame = appendBytes(binary.AppendUvarint(a.frame, d.Revision), d.Body)
	return nil
}

func (d *decoder) document() history.Document {
	doc := history.Document{Collection: d.string(), Name: d.string(), Revision: d.uvarint()}
	doc.Body = append([]byte{}, d.bytes()...)
	return doc
}

func (a *archiver) run(r *runRecord) error {
	a.counts.runs++
	a.frame = r.append(append(a.frame, arcRun))
	return nil
}

func (a *archiver) resource(r rid, k history.Key) error {
	a.counts.resources++
	a.frame = appendKey(binary.AppendUvarint(append(a.frame, arcResource), uint64(r)), k)
	return nil
}

func appendKey(b []byte, k history.Key) []byte {
	return appendBytes(appendBytes(appendBytes(appendBytes(b, k.Account), k.Region), k.Type), k.ID)
}

func (d *decoder) resourceKey() history.Key {
	return history.Key{Account: d.string(), Region: d.string(), Type: d.string(), ID: d.string()}
}

func (a *archiver) sighting(s plan.Sighting, origin []byte) error {
	a.counts.sightings++
	a.frame = appendSighting(append(a.frame, arcSighting), s)
	a.frame = appendBytes(a.frame, origin)
	return nil
}

func appendSighting(b []byte, s plan.Sighting) []byte {
	return binary.AppendUvarint(binary.AppendVarint(b, int64(s.At)), uint64(s.Rev))
}

func (d *decoder) sighting() plan.Sighting {
	return plan.Sighting{At: history.Moment(d.varint()), Rev: history.Revision(d.uvarint())}
}

func (a *archiver) row(r *plan.Row, payload []byte) error {
	a.counts.rows++
	a.frame = appendRow(append(a.frame, arcRow), r, &plan.Row{})
	a.frame = appendBytes(a.frame, payload)
	return nil
}

func (a *archiver) resourceDone(last uint32) error {
	a.frame = binary.AppendUvarint(append(a.frame, arcDone), uint64(last))
	return nil
}

func (a *archiver) gone(r rid, until history.Seq, k history.Key) error {
	a.counts.gone++
	a.frame = binary.AppendUvarint(append(a.frame, arcGone), uint64(r))
	a.frame = appendKey(binary.AppendUvarint(a.frame, uint64(until)), k)
	return nil
}

func (a *archiver) seen(n runNo, e seenEntry) error {
	a.counts.seen++
	a.frame = binary.AppendUvarint(append(a.frame, arcSeen), uint64(n))
	a.frame = appendSighting(binary.AppendUvarint(a.frame, uint64(e.rid)), e.Sighting)
	return nil
}

func (a *archiver) change(c *change) error {
	a.counts.changes++
	a.frame = binary.AppendUvarint(append(a.frame, arcChange), uint64(c.seq))
	a.frame = c.append(a.frame, &change{})
	return nil
}

func (a *archiver) clock(s plan.Stamp) error {
	a.counts.clock++
	a.frame = appendSighting(append(a.frame, arcClock), plan.Sighting{At: s.RecordedAt, Rev: s.Revision})
	return nil
}

func (a *archiver) op(o *opRecord) error {
	a.counts.ops++
	a.frame = append(append(a.frame, arcOp), o.id[:]...)
	a.frame = appendBytes(binary.AppendVarint(a.frame, int64(o.at)), o.receipt)
	return nil
}

func (a *archiver) end() error {
	if err := a.flushFrame(); err != nil {
		return err
	}
	sum := a.hash.Sum(nil)
	a.frame = append(a.frame, arcEnd)
	for _, n := range a.counts.of(a.version) {
		a.frame = binary.AppendUvarint(a.frame, *n)
	}
	a.frame = append(a.frame, sum...)
	return a.flushFrame()
}

func (a *archiver) flush() error {
	if len(a.frame) < archiveFrame {
		return nil
	}
	return a.flushFrame()
}

func (a *archiver) flushFrame() error {
	if len(a.frame) == 0 {
		return nil
	}
	b := a.zstd.EncodeAll(a.frame, append(a.packed[:0], make([]byte, 8)...))
	binary.BigEndian.PutUint32(b, uint32(len(b)-8))
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
	a.frame, a.packed = a.frame[:0], b
	return a.put(b)
}

// put hands bytes out, in chunks.
func (a *archiver) put(b []byte) error {
	a.hash.Write(b)
	for len(b) > 0 {
		n := min(len(b), archiveChunk)
		if err := a.write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
