package bolt

import "github.com/varvehq/varve/history"

// Queued is how many requests wait for the writer.
func (s *Store) Queued() int { return len(s.writer.queue) }

// DocumentValue is a document as it is stored, and OpenDocument reads it.
func DocumentValue(key, body []byte, revision uint64) []byte {
	return frontDocument(key, sealDocument(body), revision)
}

func OpenDocument(key, framed []byte) (history.Document, error) { return openDocument(key, framed) }

// Seal frames a value.
func Seal(key, value []byte) []byte { return sealValue(key, value) }
