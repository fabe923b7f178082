package bolt

import (
	"sync"

	bolt "go.etcd.io/bbolt"
)

// reading is a transaction that reads, with what is open in it.
type reading struct {
	*bolt.Tx
	state    uint64       // of the file, as readings count them
	segments *bolt.Cursor // nil: not asked for yet
}

// readings keeps transactions that have ended for those that read next: to begin
// one, and to find a bucket in it, takes a tenth of a look-up. None is lent once
// anything was written after it began, and none is kept while somebody writes: a
// writer may have to wait for all of them, and what they see is not used again. The
// zero value works; it is safe for concurrent use.
type readings struct {
	mu      sync.Mutex
	writing int    // writes under way
	state   uint64 // of the file: how many writes have ended
	idle    []reading
}

// take returns a transaction that shows all that was written so far, or only the
// state in which one is to be begun.
func (k *readings) take() reading {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := len(k.idle) - 1
	if n < 0 {
		return reading{state: k.state}
	}
	r := k.idle[n]
	k.idle[n] = reading{}
	k.idle = k.idle[:n]
	return r
}

// keep takes a transaction for the next reader; false: it is of no use any more.
func (k *readings) keep(r reading) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.writing > 0 || r.state != k.state {
		return false
	}
	k.idle = append(k.idle, r)
	return true
}

// write begins a write, before which those that were kept are to be ended.
func (k *readings) write() (kept []reading) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.writing++
	kept, k.idle = k.idle, nil
	return kept
}

// written ends a write.
func (k *readings) written() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.writing--
	k.state++
}
