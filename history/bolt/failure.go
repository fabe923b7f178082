package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
)

// What bbolt's Commit does, and what is known when a step of it fails:
//
//	grow the file, sync it    the text of an error, "file resize error: …" or
//	                          "file sync error: …"; the file holds what it held
//	write the pages           *os.PathError; only free pages were written to
//	sync                      a bare errno; the same, as far as the disk goes
//	write a meta page         *os.PathError; the transaction may be there or not
//	sync                      a bare errno; the same, and whoever reads by way of
//	                          the page cache sees it
//
// After a failed sync the kernel counts the pages as written, whatever is on the
// disk: to sync again would succeed and prove nothing. Hence the store takes no
// more writes. Reads go on, and are right: the pages of a transaction are synced
// before its meta page is written, so that either meta page leads to pages that
// are on the disk, and what the last transaction would have changed is in the
// tails in memory as well. Documents are read as that transaction would have left
// them, or as they were before: nobody was told that they were put.
//
// A disk without room is no such failure, as long as the meta page was not
// reached: nothing happened, and the next write may succeed. Health and /readyz say
// so too: to take a daemon that answers every read away from its clients makes
// nothing better. Stats count such writes, for whoever is to make room.

// FailedName is the file, beside the store's, that says that a store failed and
// was not verified since. Its content is for people.
const FailedName = "varve.failed"

// Failed tells why the store takes no more writes: an Unavailable, also while a
// store that failed before is being verified after it was opened, or a DataLoss
// when that found damage. Nil while it takes them.
func (s *Store) Failed() error {
	if err := s.guard.failure.Load(); err != nil {
		return err
	}
	return nil
}

// Probe implements history.Prober.
func (s *Store) Probe(context.Context) error { return s.Failed() }

// judge says what a failed commit means for what comes after it.
func (s *Store) judge(id int, err error) error {
	if outOfRoom(err) && s.shown() < id {
		s.counters.withoutRoom.Add(1)
		return &history.Error{Kind: history.Unavailable,
			Text: "the disk has no room: nothing was written; make room, then try again", Err: err}
	}
	return s.fail(err)
}

// outOfRoom tells an error of growing or writing the file for want of room. A
// sync that fails for want of room is none: some of it may have been written.
func outOfRoom(err error) bool {
	errnos := []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}
	var write *os.PathError
	for _, errno := range errnos {
		if errors.As(err, &write) && write.Op == "write" && errors.Is(err, errno) ||
			strings.HasPrefix(err.Error(), "file resize error: ") && strings.HasSuffix(err.Error(), errno.Error()) {
			return true
		}
	}
	return false
}

// shown is the transaction that the meta pages show; a very high one if they
// cannot be read.
func (s *Store) shown() (id int) {
	id = 1 << 62
	_ = s.readTx(func(tx *bolt.Tx) error {
		id = tx.ID()
		return nil
	})
	return id
}

// fail has the store take no more writes, leaves a mark for whoever opens it
// next, as well as the disk allows, and returns what writers are told.
func (s *Store) fail(cause error) error {
	failure := &history.Error{Kind: history.Unavailable,
		Text: "the store takes no more writes: the disk did not confirm the last one, which may be there or not. " +
			"What was acknowledged is kept, and reads go on. See to the disk, then start the daemon anew: it verifies the store first",
		Err: cause}
	if !s.guard.failure.CompareAndSwap(nil, failure) {
		return s.Failed()
	}
	s.o.Logger.Error("the store takes no more writes", "error", cause)
	if err := s.markFailed(cause); err != nil {
		s.o.Logger.Error("the failure cannot be marked: run varve verify before the store is used again", "file", FailedName, "error", err)
	}
	return failure
}

func (s *Store) markFailed(cause error) error {
	f, err := os.OpenFile(filepath.Join(s.guard.dir, FailedName), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s: a write failed (%v); the store is verified when it is next opened\n",
		s.o.Now().UTC().Format(time.RFC3339), cause)
	return errors.Join(err, f.Sync(), f.Close())
}

// suspect tells whether the store in a folder failed and was not verified since.
// If so it sees to it that what is read comes from the disk: pages that a failed
// sync left in the kernel's cache are not what a verification is to look at.
func suspect(dir string) (bool, error) {
	if _, err := os.Stat(filepath.Join(dir, FailedName)); err != nil {
		return false, nil
	}
	f, err := os.OpenFile(filepath.Join(dir, FileName), os.O_RDWR, 0)
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	return true, errors.Join(f.Sync(), dropCache(f), f.Close())
}

// survey looks at the pages of a file that is being opened, before anything else
// reads or writes it, and says what is wrong first. DataLoss if to follow them might
// never end, or end the process.
func survey(path string, o *Options) (t tree, first string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return t, "", openError(path, err)
	}
	defer f.Close()
	t.file = f
	if t.meta, err = inspect(path); err != nil {
		return t, "", openError(path, err)
	}
	t.find = func(page uint64, bucket, text string) {
		finding := pageFinding(page, bucket, text)
		if first == "" {
			first = finding.String()
		}
		o.Logger.Error("the store is damaged; run varve verify", "finding", finding.String())
	}
	t.walk()
	if t.circle || t.trap {
		return t, first, history.Errorf(history.DataLoss, "%s is damaged (%s); run varve verify, then varve repair, or restore a backup", path, first)
	}
	return t, first, nil
}

// secure prepares a store for damage of its file, of which a survey was made.
func (s *Store) secure(dir string, suspected bool, t *tree, first string) error {
	s.guard.dir, s.guard.verifying, s.guard.verified = dir, func() {}, make(chan struct{})
	s.guard.turn = make(chan struct{}, runtime.GOMAXPROCS(0))
	f, err := os.Open(s.db.Path())
	if err != nil {
		return openError(s.db.Path(), err)
	}
	defer f.Close()
	if err := s.guard.metas.open(f, s); err != nil {
		return fmt.Errorf("bolt: open %s: %w", f.Name(), err)
	}
	switch {
	case t.unsafe:
		s.guard.failure.Store(&history.Error{Kind: history.DataLoss, Text: fmt.Sprintf(
			"the store takes no writes: it is damaged, and they might overwrite what it holds (%s). Run varve verify, then varve repair, or restore a backup", first)})
	case suspected:
		s.guard.failure.Store(history.Errorf(history.Unavailable,
			"the store takes no writes yet: it failed before, and is being verified; try again later"))
	}
	return nil
}

// reassure verifies a store that failed before, in the background: reads are
// answered meanwhile, writes are not. It is called once the store is loaded.
func (s *Store) reassure(suspected bool) {
	if !suspected || errors.Is(s.Failed(), history.DataLoss) {
		close(s.guard.verified)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.guard.verifying = cancel
	go func() {
		defer close(s.guard.verified)
		s.clear(ctx)
	}()
}

// clear lifts the ban on writes if a verification finds nothing.
func (s *Store) clear(ctx context.Context) {
	s.o.Logger.Warn("the store failed before: it takes no writes until it is verified", "marked", FailedName)
	first := ""
	sum, err := s.examine(ctx, func(f Finding) {
		if first == "" {
			first = f.place() // without the resource: not everybody who writes may know of it
		}
		s.o.Logger.Error("the store is damaged", "finding", f.String())
	})
	if ctx.Err() != nil {
		return // closed: it is verified when it is next open
	}
	if err != nil {
		sum.Findings, first = sum.Findings+1, err.Error()
	}
	if sum.Findings > 0 {
		s.guard.failure.Store(&history.Error{Kind: history.DataLoss, Text: fmt.Sprintf(
			"the store takes no writes: it failed before, and verification found damage (%s; %d in all). Run varve verify, then varve repair, or restore a backup",
			first, sum.Findings)})
		return
	}
	if err := os.Remove(filepath.Join(s.guard.dir, FailedName)); err != nil {
		s.o.Logger.Error("the mark of the failure cannot be removed: the store will be verified again", "error", err)
	}
	s.guard.failure.Store(nil)
	s.o.Logger.Info("the store is verified and takes writes")
	s.merger.signal()
}
