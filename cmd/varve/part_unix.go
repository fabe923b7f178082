//go:build unix

package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// holdPart marks a file that is being written, until it is closed or its writer dies;
// false: somebody took it for left before. Where a file system has no locks, nothing
// is marked, and nothing taken for left.
func holdPart(f *os.File) bool {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	return !errors.Is(err, unix.EWOULDBLOCK) && stands(f)
}

// stands reports whether a file is still the one of its name.
func stands(f *os.File) bool {
	own, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(own, named)
}

// removeLeft removes a file unless somebody still writes it. What is no file, such as
// a pipe, for which to open it may be to wait, nobody left.
func removeLeft(name string) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return
	}
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil && stands(f) {
		_ = os.Remove(name)
	}
}
