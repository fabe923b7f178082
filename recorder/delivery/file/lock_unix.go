//go:build unix

package file

import (
	"os"

	"golang.org/x/sys/unix"
)

// lock fails if the file is locked already, by this program or another. The lock
// ends with the file being closed.
func lock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
