package bolt

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"
)

// CopyFile writes the file as the last commit left it.
func (s *Store) CopyFile(path string) error {
	return s.db.View(func(tx *bbolt.Tx) error { return tx.CopyFile(path, 0o600) })
}

// TakeUpHeld begins a merge of what was set apart, and goes no further.
func (s *Store) TakeUpHeld() error { return s.takeUpHeld() }

// HoldBack has files that are built hold back no more than so many bytes.
func HoldBack(t testing.TB, bytes int) {
	was := buildHeld
	buildHeld = bytes
	t.Cleanup(func() { buildHeld = was })
}

// HurryScans has scans give their transaction back after a time.
func HurryScans(t testing.TB, after time.Duration) {
	was := scanTime
	scanTime = after
	t.Cleanup(func() { scanTime = was })
}

// Made reports whether the file of a store has had its first transaction.
func Made(t testing.TB, dir string) (made bool) {
	path := filepath.Join(dir, FileName)
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return false
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bbolt.Tx) error { made = tx.Bucket(bucketMeta) != nil; return nil })
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return made
}

// Nap is for how long a merge rests that has worked for so long while this was
// recorded.
func (s *Store) Nap(worked time.Duration, record func()) time.Duration {
	s.merger.one.Lock()
	defer s.merger.one.Unlock()
	now := time.Now()
	s.merger.turn = mergeTurn{now.Add(-worked), s.merger.lastCommit()}
	defer func() { s.merger.turn = mergeTurn{} }()
	record()
	return s.merger.nap(now)
}

// AwaitCall waits until somebody waits for a merge.
func (s *Store) AwaitCall() {
	for s.merger.calls.Load() == 0 {
		runtime.Gosched()
	}
}

// MergeUncut merges as a process does that is killed before it cuts the log.
func (s *Store) MergeUncut() error {
	s.merger.one.Lock()
	defer s.merger.one.Unlock()
	if s.active.first == 0 {
		return nil
	}
	return s.carry(s.active, apart{})
}

// MergeUnnoticed merges, and forgets about it: to the store it is as if the last
// transaction had failed.
func (s *Store) MergeUnnoticed() error {
	s.mu.Lock()
	s.merging, s.active = s.active, newTail()
	s.active.base = s.mark.revision
	s.mu.Unlock()
	return s.mergeTail(s.merging)
}

// MergeLinks merges as a process does that is killed once links are written: they
// are ahead of all else until the next merge, which writes them again.
func (s *Store) MergeLinks() error {
	s.merger.one.Lock()
	defer s.merger.one.Unlock()
	if s.active.first == 0 {
		return nil
	}
	if err := s.prepareTables(s.active); err != nil {
		return err
	}
	return s.mergeLinks(s.active, apart{})
}

// Edit changes an open store behind its back.
func (s *Store) Edit(f func(*bbolt.Tx) error) error {
	s.endReadings()
	defer s.guard.readings.written()
	return s.db.Update(f)
}

// WaitForUpkeep waits until a prune that was cut short is finished.
func (s *Store) WaitForUpkeep() { s.upkeep.done.Wait() }

// EachValue calls f with every value of the file as it is stored, and with what
// bodies in segments hold once they are unpacked.
func (s *Store) EachValue(f func([]byte)) error {
	return s.view(func(v *view) error {
		return v.tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(k, value []byte) error {
				f(value)
				if !bytes.Equal(name, bucketSegments) {
					return nil
				}
				seg, err := decodeSegment(k, value)
				if err != nil {
					return err
				}
				for i := range seg {
					f(seg[i].body)
					if codecOf(seg[i].body) == codecErased {
						continue
					}
					payload, err := seg.payload(i, &s.dicts, nil)
					if err != nil {
						return err
					}
					f(payload)
				}
				return nil
			})
		})
	})
}

// Read reads as the store does, ReadBare as bbolt does.
func (s *Store) Read(f func(*bbolt.Tx) error) error     { return s.readTx(f) }
func (s *Store) ReadBare(f func(*bbolt.Tx) error) error { return s.db.View(f) }

// KeptReadings is how many transactions are kept for the next readers.
func (s *Store) KeptReadings() int {
	s.guard.readings.mu.Lock()
	defer s.guard.readings.mu.Unlock()
	return len(s.guard.readings.idle)
}

// WalkPages looks at the pages of a file as it is done when a store is opened.
func WalkPages(path string) (pages uint64, findings int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	t := tree{file: f, find: func(uint64, string, string) { findings++ }}
	if t.meta, err = inspect(path); err != nil {
		return 0, 0, err
	}
	t.walk()
	return t.meta.pages, findings, nil
}

// Downgrade2 makes a file of format 2 of one of the present format, whose log
// must be merged: each sighting stands by itself.
func Downgrade2(t testing.TB, path string) {
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		var all []sightEntry
		var read sightReader
		err := read.open(tx).from(&sightEntry{}, func(e *sightEntry) bool {
			all = append(all, sightEntry{e.rid, e.Sighting, bytes.Clone(e.origin)})
			return true
		})
		if err = errors.Join(err, tx.DeleteBucket(bucketSightings)); err != nil {
			return err
		}
		b, err := tx.CreateBucket(bucketSightings)
		if err != nil {
			return err
		}
		for _, e := range all {
			if err := b.Put(e.key(), sealValue(e.key(), e.origin)); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put(metaFormat, []byte{0, 0, 0, 2})
	})
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}
