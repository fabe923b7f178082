package bolt

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// A merge transaction takes up to so many resources, sightings, or log entries to
// delete, and no more of them once it holds so many bytes: commits of observations
// get their turn in between.
const (
	mergeResources = 256
	mergeSights    = 4096
	mergeSlice     = 4 << 20
	mergeDeletes   = 1024
	mergeLeast     = 8 << 20
	mergeAgain     = 10 // a merge that failed is tried again after so many times MergeIdle
	mergeBacklog   = 2  // an active tail of so many times the threshold holds the writer up
)

// A merge beside which there is recording rests for so many times as long as it has
// worked, each time for at most longestNap, until half of what makes the next merge due
// has come in.
const (
	mergeRest  = 5
	longestNap = 100 * time.Millisecond
)

// merger carries the log into the other buckets, in a goroutine of its own.
//
// A merge stops anywhere and begins anew without harm: each resource's head
// says up to which commit its rows are merged, sightings that are in a block
// already stay there once, all else is written under keys that a second merge of
// the same commits writes again, and the log is cut last.
type merger struct {
	s      *Store
	wake   chan struct{}
	quit   chan struct{}
	done   chan struct{}
	one    sync.Mutex   // one merge at a time
	calls  atomic.Int32 // that wait for a merge
	turn   mergeTurn
	rested time.Duration // of the merge that loop does; what it has worked is the rest
	mu     sync.Mutex
	idle   *time.Timer
	stall  chan struct{} // closed when a merge is done
	err    error         // of the last merge
	live   atomic.Int64  // bytes of the file in use when the last merge was done
}

// mergeTurn is what a merge has done since it last gave way. Only who holds one looks
// at it.
type mergeTurn struct {
	began  time.Time // zero: it gives way to nobody
	commit uint64    // the last before it
}

func (m *merger) start(s *Store) {
	m.s = s
	m.wake, m.quit, m.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	m.stall = make(chan struct{})
	m.idle = time.AfterFunc(time.Hour, m.signal)
	m.idle.Stop()
	go m.loop()
	s.mu.Lock()
	m.poke(s.active)
	s.mu.Unlock()
}

func (m *merger) stop() {
	m.idle.Stop()
	close(m.quit)
	<-m.done
}

func (m *merger) signal() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// poke wakes the merger if the active tail is due, else sets it to wake when no
// commit follows. After a merge that failed it wakes by itself. s.mu is held.
func (m *merger) poke(active *tail) {
	m.mu.Lock()
	failed := m.err != nil
	m.mu.Unlock()
	switch {
	case failed:
	case m.due(active):
		m.signal()
	case active.first != 0:
		m.idle.Reset(m.s.o.MergeIdle)
	}
}

func (m *merger) due(t *tail) bool {
	return t.weight() >= m.s.o.MergeRecords || t.bytes >= m.limit()
}

// limit is how large the log may become before it is merged: up to a quarter of what
// is merged already, since its pages are not given back to the file system, but
// not less than mergeLeast, since merges of little cost much.
func (m *merger) limit() int {
	return min(m.s.o.MergeBytes, max(mergeLeast, int(m.live.Load()/4)))
}

// measure notes how much of the file is in use.
func (m *merger) measure(tx *bolt.Tx) {
	m.live.Store(tx.Size() - int64(m.s.db.Stats().FreePageN)*int64(m.s.db.Info().PageSize))
}

func (m *merger) loop() {
	defer close(m.done)
	told := 0 // resources set apart
	for {
		select {
		case <-m.wake:
		case <-m.quit:
			return
		}
		began := time.Now()
		err := m.s.mergeAside()
		since(&m.s.counters.mergeNanos, began.Add(m.rested))
		m.rested = 0
		m.s.counters.merges.Add(1)
		var apart *apartError
		if errors.As(err, &apart) {
			if apart.resources != told {
				m.s.o.Logger.Error("merging the log", "error", apart)
				told = apart.resources
			}
			err = nil
		}
		if errors.Is(err, errClosed) {
			err = nil
		}
		m.mu.Lock()
		m.err = err
		close(m.stall)
		m.stall = make(chan struct{})
		m.mu.Unlock()
		switch {
		case m.s.Failed() != nil: // nothing is merged until the store is opened anew, or verified
		case err != nil:
			m.s.counters.mergeFailed.Add(1)
			m.s.o.Logger.Error("merging the log", "error", err)
			m.idle.Reset(mergeAgain * m.s.o.MergeIdle) // no commit need follow
		default:
			// A merge that failed before leaves what was recorded since.
			m.s.mu.RLock()
			m.poke(m.s.active)
			if apart != nil && m.s.active.first == 0 {
				m.idle.Reset(mergeAgain * m.s.o.MergeIdle)
			}
			m.s.mu.RUnlock()
		}
	}
}

// yield is called between two transactions of a merge. It has one that nobody waits
// for rest, so that those who record have the machine; when the store is being closed
// it returns errClosed, and the merge goes on when it is next open.
func (m *merger) yield() error {
	now := time.Now()
	rest := m.nap(now)
	if rest == 0 {
		select {
		case <-m.quit:
			return errClosed
		default:
			return nil
		}
	}
	nap := time.NewTimer(rest)
	defer nap.Stop()
	select {
	case <-m.quit:
		return errClosed
	case <-nap.C:
	case <-m.wake: // the next is due, or nobody records any more; loop looks again
	}
	m.turn = mergeTurn{time.Now(), m.lastCommit()}
	m.rested += m.turn.began.Sub(now)
	return nil
}

// nap is for how long to rest.
func (m *merger) nap(now time.Time) time.Duration {
	if m.turn.began.IsZero() || m.calls.Load() > 0 || m.lastCommit() == m.turn.commit {
		return 0
	}
	m.s.mu.RLock()
	active := m.s.active
	soon := 2*active.weight() >= m.s.o.MergeRecords || 2*active.bytes >= m.limit()
	m.s.mu.RUnlock()
	if soon {
		return 0
	}
	return min(mergeRest*now.Sub(m.turn.began), longestNap)
}

func (m *merger) lastCommit() uint64 {
	m.s.mu.RLock()
	defer m.s.mu.RUnlock()
	return m.s.mark.commit
}

// relieve holds the writer up while the merger is far behind.
func (m *merger) relieve() {
	began := time.Now()
	defer func() {
		if d := time.Since(began); d > time.Millisecond {
			m.s.counters.stallNanos.Add(uint64(d.Nanoseconds()))
		}
	}()
	for {
		m.s.mu.RLock()
		t := m.s.active
		behind := t.weight() >= mergeBacklog*m.s.o.MergeRecords || t.bytes >= mergeBacklog*m.limit()
		m.s.mu.RUnlock()
		m.mu.Lock()
		stall, failed := m.stall, m.err != nil
		m.mu.Unlock()
		if !behind || failed {
			return
		}
		m.signal()
		select {
		case <-stall:
		case work := <-m.s.writer.turn: // else a merge that waits for it could not begin
			work()
		case <-m.quit:
			return
		}
	}
}
