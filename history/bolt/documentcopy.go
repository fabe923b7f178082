package bolt

import (
	"bytes"
	"context"

	bolt "go.etcd.io/bbolt"
)

// storedDocuments are all documents as they stood at one instant, as they are
// stored: their number is small beside that of versions, and a put is copied
// whole or not at all.
type storedDocuments struct {
	revision uint64 // of the newest put
	list     []put
}

// storedDocuments reads them. A copy does so before it fixes the revision of all
// else: a position that a document holds is then of changes the copy has.
func (s *Store) storedDocuments() (d storedDocuments, err error) {
	err = s.readTx(func(tx *bolt.Tx) (err error) {
		if d.revision, err = documentRevision(tx); err != nil {
			return err
		}
		b := tx.Bucket(bucketDocuments)
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, framed []byte) error {
			d.list = append(d.list, put{key: bytes.Clone(k), value: bytes.Clone(framed)})
			return nil
		})
	})
	return d, err
}

// tell tells them to a sink that has begun.
func (d *storedDocuments) tell(ctx context.Context, to sink) error {
	for i, stored := range d.list {
		if err := ctx.Err(); err != nil {
			return err
		}
		doc, err := openDocument(stored.key, stored.value)
		if err != nil {
			return err
		}
		if err := to.document(&doc); err != nil {
			return err
		}
		d.list[i] = put{} // it needs memory
		if err := to.flush(); err != nil {
			return err
		}
	}
	return nil
}
