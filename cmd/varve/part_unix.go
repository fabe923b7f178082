//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// holdPart marks a file that is being written, until it is closed or its writer dies.
// Where a file system has no locks, nothing is marked, and nothing taken for left.
func holdPart(f *os.File) { _ = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// removeLeft removes a file unless somebody still writes it.
func removeLeft(name string) {
	f, err := os.Open(name)
	if err != nil {
		return
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		_ = os.Remove(name)
	}
}
