package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history/plan"
)

// Merged sightings of no run stand in blocks, by resource, moment and revision;
// a block stands under the key of its first one:
//
//	crc32c   4 bytes, of the key and the rest
//	uvarint  number of origins
//	bytes    each origin
//	entries  each relative to the one before: uvarint resource, varint moment,
//	         varint revision; uvarint which origin
const (
	sightBlockEntries = 32
	sightBlockBytes   = 4 << 10
)

// sightEntry is a sighting in a block.
type sightEntry struct {
	rid
	plan.Sighting
	origin []byte // encoded
}

func (e *sightEntry) key() []byte { return sightingKey(e.rid, e.Sighting) }

func (e *sightEntry) compare(o *sightEntry) int {
	return cmp.Or(cmp.Compare(e.rid, o.rid), e.Sighting.Compare(o.Sighting))
}

func appendSightBlock(b []byte, list []sightEntry) []byte {
	var (
		origins [][]byte
		which   = make([]int, len(list))
	)
	for i := range list {
		n := slices.IndexFunc(origins, func(o []byte) bool { return bytes.Equal(o, list[i].origin) })
		if n < 0 {
			n = len(origins)
			origins = append(origins, list[i].origin)
		}
		which[i] = n
	}
	b = binary.AppendUvarint(b, uint64(len(origins)))
	for _, o := range origins {
		b = appendBytes(b, o)
	}
	var before sightEntry
	for i := range list {
		e := &list[i]
		b = binary.AppendUvarint(b, uint64(e.rid-before.rid))
		b = appendSightingAfter(b, e.Sighting, before.Sighting)
		b = binary.AppendUvarint(b, uint64(which[i]))
		before = *e
	}
	return b
}

// cutSightings takes from a list what goes into one block. What is left for the
// last two is shared between them.
func cutSightings(list []sightEntry) (block, rest []sightEntry) {
	size, n := 0, 0
	for n < len(list) && n < sightBlockEntries && (n == 0 || size < sightBlockBytes) {
		if size += 12; n == 0 || !bytes.Equal(list[n].origin, list[n-1].origin) {
			size += len(list[n].origin)
		}
		n++
	}
	if left := len(list) - n; left > 0 && left < n {
		n = (len(list) + 1) / 2
	}
	return list[:n], list[n:]
}

// sightReader reads blocks; it remembers the one that it has read last.
type sightReader struct {
	c       *bolt.Cursor
	key     []byte // of the block in list; nil: none
	list    []sightEntry
	origins [][]byte
}

func (s *sightReader) open(tx *bolt.Tx) *sightReader {
	if s.c == nil {
		s.c = tx.Bucket(bucketSightings).Cursor()
	}
	return s
}

// decode reads a block. The list holds until the next is read, the origins as
// long as the transaction.
func (s *sightReader) decode(key, framed []byte) ([]sightEntry, error) {
	if s.key != nil && bytes.Equal(s.key, key) {
		return s.list, nil
	}
	s.key = nil
	value, ok := openValue(key, framed)
	d := decoder{b: value}
	n := d.uvarint()
	if !ok || n > uint64(len(value)) {
		return nil, damaged(bucketSightings, key)
	}
	s.origins, s.list = s.origins[:0], s.list[:0]
	for range n {
		s.origins = append(s.origins, d.bytes())
	}
	var e sightEntry
	for d.more() {
		e.rid += rid(d.uvarint())
		e.Sighting = d.sightingAfter(e.Sighting)
		which := d.uvarint()
		if d.short || which >= n {
			return nil, damaged(bucketSightings, key)
		}
		e.origin = s.origins[which]
		s.list = append(s.list, e)
	}
	if d.short || len(s.list) == 0 || !bytes.Equal(key, s.list[0].key()) {
		return nil, damaged(bucketSightings, key)
	}
	s.key = key
	return s.list, nil
}

// from calls f with the sightings from one on, in order, until it returns false.
func (s *sightReader) from(first *sightEntry, f func(*sightEntry) bool) error {
	seek := first.key()
	k, framed, next := lastBefore(s.c, seek)
	if k == nil && next != nil {
		k, framed = s.c.Seek(seek)
	}
	for ; k != nil; k, framed = s.c.Next() {
		list, err := s.decode(k, framed)
		if err != nil {
			return err
		}
		for i := range list {
			if list[i].compare(first) >= 0 && !f(&list[i]) {
				return nil
			}
		}
	}
	return nil
}

// back calls f with the sightings before one, latest first, until it returns
// false.
func (s *sightReader) back(end *sightEntry, f func(*sightEntry) bool) error {
	for k, framed, _ := lastBefore(s.c, end.key()); k != nil; k, framed = s.c.Prev() {
		list, err := s.decode(k, framed)
		if err != nil {
			return err
		}
		for i := range slices.Backward(list) {
			if list[i].compare(end) < 0 && !f(&list[i]) {
				return nil
			}
		}
	}
	return nil
}
