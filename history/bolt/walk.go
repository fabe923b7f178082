package bolt

import (
	"bytes"

	bolt "go.etcd.io/bbolt"
)

// walker looks keys of the segments up. Where the next is near the last, as in a
// scan, it steps there instead of going down the tree again.
type walker struct {
	c     *bolt.Cursor
	k, v  []byte // where the cursor stands; nil: nowhere
	ahead bool   // it is one entry after the one returned last
}

// walkSteps is how far a step-by-step search goes: a seek costs about as much.
const walkSteps = 8

// cursor is the walker's, for a search of another kind.
func (w *walker) cursor(tx *bolt.Tx) *bolt.Cursor {
	if w.c == nil {
		w.c = tx.Bucket(bucketSegments).Cursor()
	}
	w.k, w.ahead = nil, false
	return w.c
}

// lastBefore is the last entry before a key, nil if there is none, and the first
// key that is not before it.
func (w *walker) lastBefore(tx *bolt.Tx, key []byte) (k, v, later []byte) {
	if w.c == nil {
		w.cursor(tx)
	}
	if w.k != nil && bytes.Compare(w.k, key) < 0 {
		for range walkSteps {
			k, v = w.k, w.v
			if w.k, w.v = w.c.Next(); w.k == nil || bytes.Compare(w.k, key) >= 0 {
				w.ahead = w.k != nil // at the end a cursor stays on the last entry
				return k, v, w.k
			}
		}
	}
	k, v, later = lastBefore(w.c, key)
	w.k, w.v, w.ahead = k, v, false
	return k, v, later
}

// first reports whether no entry with the prefix stands before the one that
// lastBefore has just returned.
func (w *walker) first(prefix []byte) bool {
	steps := 1
	if w.ahead {
		steps = 2
	}
	var k []byte
	for range steps {
		k, _ = w.c.Prev()
	}
	if k == nil { // the cursor has left the bucket
		w.k = nil
		return true
	}
	for range steps {
		w.k, w.v = w.c.Next()
	}
	return !bytes.HasPrefix(k, prefix)
}
