package bolt

import (
	"context"
	"errors"

	"github.com/varvehq/varve/history"
)

// Queued is how many requests wait for the writer.
func (s *Store) Queued() int { return len(s.writer.queue) }

// Alone does something between two commits.
func (s *Store) Alone(f func() error) error { return s.alone(f) }

// DocumentValue is a document as it is stored, and OpenDocument reads it.
func DocumentValue(key, body []byte, revision uint64) []byte {
	return frontDocument(key, sealDocument(body), revision)
}

func OpenDocument(key, framed []byte) (history.Document, error) { return openDocument(key, framed) }

// Seal frames a value.
func Seal(key, value []byte) []byte { return sealValue(key, value) }

// BeginCopy begins a copy and returns the documents in it; an error if one holds a
// position that the copy does not know.
func (s *Store) BeginCopy(ctx context.Context) ([]history.Document, error) {
	var b beginning
	err := s.copyTo(ctx, &b, func(uint64, uint64) {})
	if !errors.Is(err, errBegun) {
		return nil, errors.Join(errors.New("the copy did not come to its resources"), err)
	}
	for _, d := range b.documents {
		if _, err := b.h.lineage.Seq(history.Position(d.Body), b.h.mark.seq); err != nil {
			return b.documents, err
		}
	}
	return b.documents, nil
}

// beginning is a sink that takes what is told before the first run or resource.
type beginning struct {
	sink
	h         copyHeader
	documents []history.Document
}

var errBegun = errors.New("begun")

func (b *beginning) begin(h *copyHeader) error {
	b.h = *h
	return nil
}

func (b *beginning) document(d *history.Document) error {
	b.documents = append(b.documents, *d)
	return nil
}

func (b *beginning) flush() error                    { return nil }
func (b *beginning) run(*runRecord) error            { return errBegun }
func (b *beginning) resource(rid, history.Key) error { return errBegun }
