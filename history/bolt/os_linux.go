package bolt

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// What is asked of the kernel directly; os_other.go does without.

// metaPages maps the two pages with which every transaction begins, beside
// bbolt's own mapping of the file.
type metaPages struct{ b []byte }

// open maps the pages for as long as the store is in use by anybody: a reader
// that is late may look at them after the store was closed.
func (m *metaPages) open(f *os.File, s *Store) (err error) {
	m.b, err = syscall.Mmap(int(f.Fd()), 0, 2*s.db.Info().PageSize, syscall.PROT_READ, syscall.MAP_SHARED)
	if err == nil {
		runtime.AddCleanup(s, func(b []byte) { _ = syscall.Munmap(b) }, m.b)
	}
	return err
}

// look faults if one of the pages cannot be read.
//
//go:noinline
func (m *metaPages) look() byte {
	if len(m.b) == 0 {
		return 0
	}
	return m.b[0] | m.b[len(m.b)-1]
}

// unlock gives up bbolt's lock on a file. To close it is not enough while the
// file is mapped.
func unlock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) }

// lockShared takes part in bbolt's lock on a file as one who reads it; an error
// while somebody writes to it.
func lockShared(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) }

// dropCache has the kernel forget what it holds of a file that nobody maps.
func dropCache(f *os.File) error { return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) }
