package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/varvehq/varve/history"
)

// Every transaction of an open store goes through read or writeTx. They see to it
// that damage of the file costs the call, not the process:
//
//   - bbolt reads the file through a mapping. What the disk cannot deliver, or
//     lies beyond the end of a file that was cut short, is a fault in memory,
//     which Go makes a panic if asked to. Damaged pages lead bbolt to such
//     addresses, to indexes out of range, or to assertions of its own. All that
//     becomes DataLoss.
//   - A panic that has none of these causes is a mistake in our code. It goes on
//     its way, once the transaction is given back.
//   - A write of which nobody knows whether it reached the disk is the last one:
//     see failure.go.
//
// Pages that lead in a circle would end in an overflow of the stack, which
// nothing catches: they are looked for when the store is opened, see tree.go.
type guard struct {
	dir     string
	metas   metaPages
	failure atomic.Pointer[history.Error] // why no more writes are taken

	// writing is held until it is known what a failed write means: the next one
	// must neither follow a failed sync nor be taken for the one that failed.
	writing sync.Mutex

	// turn lets as many readers read at once as there are processors. A fault of
	// the mapping holds a processor, so that more would read no faster, but the
	// scheduler would give each of them the share that the writer gets.
	turn chan struct{}

	readings readings

	verifying context.CancelFunc // ends the verification of a store that failed before
	verified  chan struct{}      // closed when there is none

	// stuck is set when a transaction could not be begun or given back for
	// damage: bbolt may hold locks that nobody will release.
	stuck atomic.Bool
}

// readTx calls f with a transaction that reads.
func (s *Store) readTx(f func(*bolt.Tx) error) error {
	return s.read(func(r *reading) error { return f(r.Tx) })
}

// read is readTx with what was left open in the transaction.
func (s *Store) read(f func(*reading) error) (err error) {
	if s.guard.stuck.Load() {
		return errStuck
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	r := s.guard.readings.take()
	if r.Tx == nil {
		if r.Tx, err = s.begin(false); err != nil {
			return err
		}
	}
	sound := false
	defer func() {
		if sound && s.guard.readings.keep(r) {
			return
		}
		s.giveBack(r.Tx)
		if p := recover(); p != nil {
			err = s.caught(p)
		}
	}()
	err = f(&r)
	sound = err == nil
	return err
}

// writeTx calls f with a transaction that writes, and makes what it wrote
// durable unless f returns an error. Unavailable once the store takes no more
// writes, or for want of room on the disk.
func (s *Store) writeTx(f func(*bolt.Tx) error) (err error) {
	s.guard.writing.Lock()
	defer s.guard.writing.Unlock()
	if err := s.Failed(); err != nil {
		return err
	}
	s.endReadings()
	defer s.guard.readings.written()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	tx, err := s.begin(true)
	if err != nil {
		return err
	}
	committing := false
	defer func() {
		s.giveBack(tx)
		if p := recover(); p != nil {
			if err = s.caught(p); committing {
				err = s.fail(err)
			}
		}
	}()
	if err := f(tx); errors.Is(err, bolterrors.ErrIncompatibleValue) {
		return damagedPages(s.db.Path(), err) // what is no bucket is marked as one
	} else if err != nil {
		return err
	}
	committing = true
	id := tx.ID()
	if err := tx.Commit(); err != nil {
		return s.judge(id, err)
	}
	return nil
}

// begin begins a transaction. The meta pages are looked at first: a fault while
// bbolt reads them would leave it locked for ever.
func (s *Store) begin(writable bool) (tx *bolt.Tx, err error) {
	if s.guard.stuck.Load() {
		return nil, errStuck
	}
	looked := false
	defer func() {
		if p := recover(); p != nil {
			err = s.caught(p)
			if looked {
				s.guard.stuck.Store(true)
			}
		}
	}()
	s.guard.metas.look()
	looked = true
	tx, err = s.db.Begin(writable)
	if errors.Is(err, bolterrors.ErrInvalidMapping) {
		err = &history.Error{Kind: history.Unavailable, Text: "the store's file cannot be mapped; start the daemon anew", Err: err}
	}
	return tx, err
}

var errStuck = history.Errorf(history.DataLoss, "the store's file is damaged so that it cannot be read; stop the daemon and run varve verify")

// closeFile closes the file, unless damage left it locked: then it stays open
// until the process ends.
func (s *Store) closeFile() error {
	if s.guard.stuck.Load() {
		return nil
	}
	s.endReadings()
	return s.db.Close()
}

// giveBack ends a transaction that was not committed, whatever became of it. It
// touches memory only.
func (s *Store) giveBack(tx *bolt.Tx) {
	defer func() {
		if recover() != nil {
			s.guard.stuck.Store(true)
		}
	}()
	_ = tx.Rollback()
}

// endReadings ends the transactions that are kept, and has none kept until the
// write that begins has ended.
func (s *Store) endReadings() {
	for _, r := range s.guard.readings.write() {
		if !s.guard.stuck.Load() { // else this could wait for ever
			s.giveBack(r.Tx)
		}
	}
}

// caught makes DataLoss of a panic that damage of the file has caused. Any other
// goes on.
func (s *Store) caught(p any) error {
	where, damage := blame(p)
	if !damage {
		panic(p)
	}
	s.o.Logger.Error("a page of the store is damaged", "file", s.db.Path(), "panic", fmt.Sprint(p), "in", where, "stack", string(debug.Stack()))
	return damagedPages(s.db.Path(), p)
}

// guardedView is View of a file that is no store yet: one to be migrated.
func guardedView(db *bolt.DB, f func(*bolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			if _, damage := blame(p); !damage {
				panic(p)
			}
			err = damagedPages(db.Path(), p)
		}
	}()
	return db.View(f)
}

// damagedPages is the error for a panic that damage of a file has caused. Where the
// file lies is part of the cause, which no client is told.
func damagedPages(path string, p any) error {
	return &history.Error{Kind: history.DataLoss, Text: "the store has a damaged page; run varve verify", Err: fmt.Errorf("%s: %v", path, p)}
}

// blame tells whether the panic that is being recovered from was caused by the
// file: a fault at an address, a key that cannot be, or any panic that began in
// bbolt.
func blame(p any) (where string, damage bool) {
	var (
		fault interface{ Addr() uintptr }
		key   badKey
	)
	if err, ok := p.(error); ok {
		damage = errors.As(err, &fault) || errors.As(err, &key)
	}
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for panicked := false; ; {
		frame, more := frames.Next()
		switch name := frame.Function; {
		case name == "runtime.gopanic":
			panicked = true
		case !panicked:
		case strings.HasPrefix(name, "go.etcd.io/bbolt"):
			return name, true
		case strings.HasPrefix(name, "github.com/varvehq/varve/"):
			return name, damage
		}
		if !more {
			return "", damage
		}
	}
}
