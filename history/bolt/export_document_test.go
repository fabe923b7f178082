package bolt

import (
	"github.com/klauspost/compress/s2"

	"github.com/varvehq/varve/history"
)

// Queued is how many requests wait for the writer.
func (s *Store) Queued() int { return len(s.writer.queue) }

// AppendDocument is the value of a document before it is framed, Seal frames one,
// and OpenDocument reads it.
func AppendDocument(revision uint64, body []byte) []byte {
	return appendDocument(nil, revision, sealPlain(body, s2.Encode))
}

func Seal(key, value []byte) []byte { return sealValue(key, value) }

func OpenDocument(key, framed []byte) (history.Document, error) { return openDocument(key, framed) }
