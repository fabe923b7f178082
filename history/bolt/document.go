package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/klauspost/compress/s2"
	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// Documents stand in a bucket of their own. They do not go through the log: the
// writer puts them where they belong in the same transaction that makes the
// commit durable, so that a put costs no sync beside that of the observations
// recorded meanwhile, and a commit without documents does not come near them.
// Nothing is kept in memory. So a read may show a put which is still on its way
// to the disk; what is put next comes after it, or not at all.

// documentKey orders the documents of a collection by name; neither holds a zero
// byte.
func documentKey(collection, name string) []byte {
	b := make([]byte, 0, len(collection)+1+len(name))
	return append(append(append(b, collection...), 0), name...)
}

// documentFront is how many bytes of a document's value stand before its body: the
// checksum and the revision.
const documentFront = 4 + 8

// sealDocument makes the value of a document, but for its front.
func sealDocument(body []byte) []byte { return sealBehind(documentFront, body, s2.Encode) }

// frontDocument fills in the front of a value.
func frontDocument(key, value []byte, revision uint64) []byte {
	binary.BigEndian.PutUint64(value[4:], revision)
	binary.BigEndian.PutUint32(value, checksum(key, value[4:]))
	return value
}

// openFront checks a value and returns its revision and what holds the body, which
// is not empty.
func openFront(key, framed []byte) (revision uint64, sealed []byte, ok bool) {
	value, ok := openValue(key, framed)
	if !ok || len(framed) <= documentFront {
		return 0, nil, false
	}
	return binary.BigEndian.Uint64(value), framed[documentFront:], true
}

// openDocument reads a document, in memory of its own.
func openDocument(key, framed []byte) (history.Document, error) {
	collection, name, named := strings.Cut(string(key), "\x00")
	revision, sealed, ok := openFront(key, framed)
	if !ok || !named {
		return history.Document{}, damaged(bucketDocuments, key)
	}
	doc := history.Document{Collection: collection, Name: name, Revision: revision}
	switch packed := sealed[1:]; codec(sealed[0]) {
	case codecPlain:
		doc.Body = append([]byte{}, packed...)
		return doc, nil
	case codecS2:
		if n, err := s2.DecodedLen(packed); err == nil && n <= history.MaxDocument {
			if doc.Body, err = s2.Decode(make([]byte, n), packed); err == nil {
				return doc, nil
			}
		}
	}
	return history.Document{}, damaged(bucketDocuments, key)
}

// documentRevision reads the revision of the newest put, zero if there was none.
func documentRevision(tx *bolt.Tx) (uint64, error) {
	framed := tx.Bucket(bucketMeta).Get(metaDocuments)
	if framed == nil {
		return 0, nil
	}
	value, ok := openValue(metaDocuments, framed)
	d := decoder{b: value}
	revision := d.uvarint()
	if !ok || d.short || d.more() {
		return 0, damaged(bucketMeta, metaDocuments)
	}
	return revision, nil
}

// Document implements history.Documents.
func (s *Store) Document(ctx context.Context, collection, name string) (doc history.Document, err error) {
	if err := ctx.Err(); err != nil {
		return history.Document{}, err
	}
	err = s.view(func(v *view) (err error) {
		key := documentKey(collection, name)
		b := v.tx.Bucket(bucketDocuments)
		if b == nil { // of a file made before there were any
			return plan.NoDocument(collection, name)
		}
		framed := b.Get(key)
		if framed == nil {
			return plan.NoDocument(collection, name)
		}
		doc, err = openDocument(key, framed)
		return err
	})
	return doc, err
}

// Documents implements history.Documents, in one transaction.
func (s *Store) Documents(ctx context.Context, collection, after string, limit int) (list []history.Document, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	err = s.view(func(v *view) error {
		b := v.tx.Bucket(bucketDocuments)
		if b == nil {
			return nil
		}
		prefix, last, c := documentKey(collection, ""), documentKey(collection, after), b.Cursor()
		for k, framed := c.Seek(last); bytes.HasPrefix(k, prefix); k, framed = c.Next() {
			if bytes.Equal(k, last) {
				continue
			}
			if more = limit > 0 && len(list) == limit; more {
				return nil
			}
			doc, err := openDocument(k, framed)
			if err != nil {
				return err
			}
			list = append(list, doc)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return list, more, nil
}

// documentPut is a write of a document whose value is made, but for its front.
type documentPut struct {
	history.DocumentWrite
	key, value []byte
}

// PutDocuments implements history.Documents.
func (s *Store) PutDocuments(ctx context.Context, writes []history.DocumentWrite) ([]history.Document, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := plan.TakesDocuments(writes); err != nil {
		return nil, err
	}
	puts, r := make([]documentPut, len(writes)), &request{}
	for i, w := range writes {
		if w.Expect != nil { // the caller may be gone when the writer comes to it
			expect := *w.Expect
			w.Expect = &expect
		}
		puts[i] = documentPut{DocumentWrite: w, key: documentKey(w.Collection, w.Name)}
		if w.Body != nil {
			puts[i].value = sealDocument(w.Body)
			r.bytes += len(puts[i].value)
		}
	}
	var list []history.Document
	r.plan = func(v *view) (err error) {
		list, err = s.writer.documents.plan(v, puts)
		return err
	}
	if err := s.writer.do(ctx, r); err != nil {
		return nil, err
	}
	return list, nil
}

// documentPuts are the documents that a commit writes.
type documentPuts struct {
	revision uint64            // of the newest put among them
	values   map[string][]byte // by key; nil: deleted
}

// plan adds one put, or nothing if it is refused. A document whose stored value
// is damaged can be put anew by who expects nothing of it.
func (p *documentPuts) plan(v *view, puts []documentPut) ([]history.Document, error) {
	for i := range puts {
		if puts[i].Expect == nil {
			continue
		}
		present, err := p.present(v, puts[i].key)
		if err != nil {
			return nil, err
		}
		if err := plan.Replaces(&puts[i].DocumentWrite, present); err != nil {
			return nil, err
		}
	}
	if len(puts) == 0 {
		return nil, nil
	}
	revision := p.revision
	if len(p.values) == 0 {
		var err error
		if revision, err = documentRevision(v.tx); err != nil {
			return nil, err
		}
		p.values = map[string][]byte{}
	}
	p.revision = revision + 1
	list := make([]history.Document, len(puts))
	for i := range puts {
		put := &puts[i]
		list[i] = history.Document{Collection: put.Collection, Name: put.Name}
		if put.Body == nil {
			p.values[string(put.key)] = nil
			continue
		}
		list[i].Revision, list[i].Body = p.revision, put.Body
		p.values[string(put.key)] = frontDocument(put.key, put.value, p.revision)
	}
	return list, nil
}

// present is the revision of a document as the puts before leave it; zero if it
// is not there.
func (p *documentPuts) present(v *view, key []byte) (uint64, error) {
	switch value, ok := p.values[string(key)]; {
	case value != nil:
		return binary.BigEndian.Uint64(value[4:]), nil
	case ok: // deleted
		return 0, nil
	}
	b := v.tx.Bucket(bucketDocuments)
	if b == nil {
		return 0, nil
	}
	framed := b.Get(key)
	if framed == nil {
		return 0, nil
	}
	revision, _, ok := openFront(key, framed)
	if !ok {
		return 0, damaged(bucketDocuments, key)
	}
	return revision, nil
}

// put writes them.
func (p *documentPuts) put(tx *bolt.Tx) error {
	if len(p.values) == 0 {
		return nil
	}
	b, err := tx.CreateBucketIfNotExists(bucketDocuments)
	if err != nil {
		return err
	}
	keys := make([]string, 0, len(p.values))
	for key := range p.values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		k, value := []byte(key), p.values[key]
		if value == nil {
			err = b.Delete(k)
		} else {
			err = b.Put(k, value)
		}
		if err != nil {
			return err
		}
	}
	return putDocumentRevision(tx, p.revision)
}

func putDocumentRevision(tx *bolt.Tx, revision uint64) error {
	return tx.Bucket(bucketMeta).Put(metaDocuments, sealValue(metaDocuments, binary.AppendUvarint(nil, revision)))
}
