package bolt

import (
	"context"
	"fmt"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memo"
	"github.com/varvehq/varve/history/plan"
)

// One commit takes up to so many requests, and no more requests once it holds
// so many bytes.
const (
	groupRequests = 1024
	groupBytes    = 16 << 20
	cachedRows    = 1 << 16
)

// writer is the one goroutine that plans and commits.
type writer struct {
	s     *Store
	queue chan *request
	turn  chan func() // work to be done between two commits
	done  chan struct{}
	mu    sync.RWMutex // held for reading while sending to queue
	quit  bool

	// Of the commit being put together; mark becomes the store's when it is
	// durable.
	mark        mark
	pending     *tail
	documents   documentPuts
	now         history.Moment
	completedTo history.Moment

	// What is known without asking the file, that of the commit under way
	// included. After a failed commit it is all forgotten.
	heads     *memo.Cache[rid, *head]
	timelines map[rid]*plan.Timeline // of resources with late captures
	rows      int                    // in timelines
	point     plan.Point             // of the window last asked for
}

// request is a piece of work for the writer. Its plan adds to the pending tail, or
// to the documents.
// When it returns an error it has added nothing, or, if the file could not be read
// midway, the observations before that one.
type request struct {
	plan  func(*view) error
	bytes int
	err   error // of the plan
	done  chan error
}

func (w *writer) start(s *Store) {
	w.s, w.queue, w.done = s, make(chan *request, groupRequests), make(chan struct{})
	w.turn = make(chan func())
	w.mark = s.mark
	w.heads = memo.New[rid, *head](cachedBytes)
	w.forget()
	go w.loop()
}

func (w *writer) stop() {
	w.mu.Lock()
	w.quit = true
	close(w.queue)
	w.mu.Unlock()
	<-w.done
}

func (w *writer) forget() {
	w.heads.Forget()
	w.timelines, w.rows = map[rid]*plan.Timeline{}, 0
}

// do has the writer carry a request out and waits until it is durable.
func (w *writer) do(ctx context.Context, r *request) error {
	if err := w.s.Failed(); err != nil {
		return err
	}
	r.done = make(chan error, 1)
	w.mu.RLock()
	if w.quit {
		w.mu.RUnlock()
		return errClosed
	}
	select {
	case w.queue <- r:
		w.mu.RUnlock()
	case <-ctx.Done():
		w.mu.RUnlock()
		return ctx.Err()
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) loop() {
	defer close(w.done)
	for {
		var first *request
		select {
		case work := <-w.turn:
			work()
			continue
		case first = <-w.queue:
		}
		if first == nil {
			return // closed, and empty
		}
		group, bytes := []*request{first}, first.bytes
	gather:
		for len(group) < groupRequests && bytes < groupBytes {
			select {
			case r, ok := <-w.queue:
				if !ok {
					break gather
				}
				group, bytes = append(group, r), bytes+r.bytes
			default:
				break gather
			}
		}
		began := time.Now()
		err := w.commit(group)
		since(&w.s.counters.commitNanos, began)
		w.s.counters.commits.Add(1)
		for _, r := range group {
			if err != nil {
				r.err = err
			}
			r.done <- r.err
		}
		w.s.merger.relieve()
	}
}

// commit plans a group of requests and makes them durable together.
func (w *writer) commit(group []*request) error {
	s := w.s
	if err := s.Failed(); err != nil {
		return err
	}
	w.mark, w.completedTo = s.mark, s.completedTo // only this goroutine changes them
	w.mark.commit++
	w.now = max(history.MomentOf(s.o.Now()), w.mark.recordedAt)
	w.pending = newTail()
	w.pending.first, w.pending.last = w.mark.commit, w.mark.commit
	w.documents = documentPuts{}
	err := s.plan(w.pending, func(v *view) error {
		for _, r := range group {
			r.err = r.plan(v)
		}
		return nil
	})
	recorded := w.mark.revision != s.mark.revision || len(w.pending.runs)+len(w.pending.ops) > 0
	if err == nil && !recorded && len(w.documents.values) == 0 {
		return nil // nothing to keep
	}
	var entry []byte // of the log
	if err == nil && recorded {
		if w.mark.revision != s.mark.revision {
			w.mark.recordedAt = w.now
		}
		w.pending.end, w.pending.clock = w.mark, []plan.Stamp{w.mark.stamp()}
		entry = w.pending.entry(w.mark)
	}
	if err == nil {
		err = s.keep(w.mark.commit, entry, &w.documents)
	}
	if err != nil {
		w.forget()
		s.latest.Forget()
		return fmt.Errorf("bolt: commit: %w", err)
	}
	if recorded {
		s.publish(w.mark, w.pending)
	}
	if w.rows > cachedRows {
		w.timelines, w.rows = map[rid]*plan.Timeline{}, 0
	}
	return nil
}

// plan calls f with a view that shows the pending tail as well.
func (s *Store) plan(pending *tail, f func(*view) error) error {
	v := view{s: s, pending: pending, generation: s.sighted.begin(), epoch: s.merged.Epoch()}
	s.mu.RLock()
	v.tails, v.mark = append(s.tails(nil), pending), s.mark
	s.mu.RUnlock()
	defer v.release()
	return s.readTx(func(tx *bolt.Tx) error {
		v.tx, v.floors = tx, s.floors.Load()
		return f(&v)
	})
}

// entry is what a commit writes into the log.
func (t *tail) entry(m mark) []byte {
	entry := t.appendRecords(m.append(make([]byte, 0, t.bytes+t.bytes/4+256)))
	t.bytes = len(entry)
	return entry
}

// keep makes a commit durable: its entry of the log, if there is one, and its
// documents.
func (s *Store) keep(commit uint64, entry []byte, documents *documentPuts) error {
	return s.writeTx(func(tx *bolt.Tx) error {
		if err := documents.put(tx); err != nil || entry == nil {
			return err
		}
		b := tx.Bucket(bucketLog)
		b.FillPercent = 1
		return putLogEntry(b, commit, entry)
	})
}

// publish shows a durable commit to readers.
func (s *Store) publish(m mark, pending *tail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active.absorb(pending)
	s.mark = m
	stale := false
	for _, r := range pending.runs {
		stale = s.setRun(r) || stale
	}
	if stale {
		s.sortEvidence()
	}
	if !s.closed {
		close(s.arrived)
		s.arrived = make(chan struct{})
	}
	s.merger.poke(s.active)
}
