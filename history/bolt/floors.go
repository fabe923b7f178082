package bolt

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
)

// floors are what the file no longer keeps, or is about to drop. They are never
// changed but replaced, by the writer's goroutine between two commits: no
// capture below them can be on its way.
//
//	varint   captured
//	uvarint  number of types with a floor of their own, then for each
//	         string type, varint captured, uvarint revision; zero: as of all
//	uvarint  revision, varint its moment of recording
//	uvarint  sequence
//	byte     1 when all below was dropped
type floors struct {
	history.Floors
	swept bool
}

// any reports whether anything was ever pruned.
func (f *floors) any() bool {
	return f.Captured != 0 || f.Revision != 0 || f.Seq != 0 || len(f.ByType)+len(f.RevisionByType) > 0
}

func (f *floors) append(b []byte) []byte {
	types := slices.AppendSeq(slices.Collect(maps.Keys(f.ByType)), maps.Keys(f.RevisionByType))
	slices.Sort(types)
	types = slices.Compact(types)
	b = binary.AppendVarint(b, int64(f.Captured))
	b = binary.AppendUvarint(b, uint64(len(types)))
	for _, typ := range types {
		b = binary.AppendVarint(appendBytes(b, typ), int64(f.ByType[typ]))
		b = binary.AppendUvarint(b, uint64(f.RevisionByType[typ]))
	}
	b = binary.AppendUvarint(b, uint64(f.Revision))
	b = binary.AppendVarint(b, int64(f.RecordedAt))
	b = binary.AppendUvarint(b, uint64(f.Seq))
	return append(b, bit(f.swept))
}

func (d *decoder) floors() *floors {
	f := &floors{}
	f.Captured = history.Moment(d.varint())
	for n := d.uvarint(); n > 0 && !d.short; n-- {
		typ := d.string()
		if m := history.Moment(d.varint()); m != 0 {
			setOf(&f.ByType, typ, m)
		}
		if r := history.Revision(d.uvarint()); r != 0 {
			setOf(&f.RevisionByType, typ, r)
		}
	}
	f.Revision, f.RecordedAt = history.Revision(d.uvarint()), history.Moment(d.varint())
	f.Seq = history.Seq(d.uvarint())
	f.swept = d.byte() == 1
	return f
}

func setOf[V any](m *map[string]V, k string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[k] = v
}

// loadFloors reads the floors of a file; a file without any keeps everything.
func loadFloors(tx *bolt.Tx) (*floors, error) {
	framed := tx.Bucket(bucketMeta).Get(metaFloors)
	if framed == nil {
		return &floors{swept: true}, nil
	}
	value, ok := openValue(metaFloors, framed)
	d := decoder{b: value}
	f := d.floors()
	if !ok || d.short || d.more() {
		return nil, damaged(bucketMeta, metaFloors)
	}
	return f, nil
}

// setFloors writes floors and makes them known.
func (s *Store) setFloors(f *floors) error {
	err := s.writeTx(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketMeta).Put(metaFloors, sealValue(metaFloors, f.append(nil)))
	})
	if err == nil {
		s.floors.Store(f)
		s.unwritten.Add(1)
	}
	return err
}

// Floors implements history.Pruner.
func (s *Store) Floors(context.Context) (history.Floors, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return history.Floors{}, errClosed
	}
	return s.floors.Load().Clone(), nil
}
