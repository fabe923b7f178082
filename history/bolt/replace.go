package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/varvehq/varve/history"
)

// newFileName is what a file that is being made is called until it is complete.
// Nobody opens it; the next one that is made replaces it.
const newFileName = FileName + ".new"

// replace gives the complete new file of a folder the name of the store that is
// there: whatever happens, one of the two is there, whole. It returns the file's
// size.
func replace(dir string) (int64, error) {
	from := filepath.Join(dir, newFileName)
	info, err := os.Stat(from)
	if err != nil {
		return 0, fmt.Errorf("bolt: %w", err)
	}
	if err := os.Rename(from, filepath.Join(dir, FileName)); err != nil {
		return 0, fmt.Errorf("bolt: %w", err)
	}
	return info.Size(), syncDir(dir)
}

// install is replace for a folder without a store. One that somebody made there
// meanwhile stays: AlreadyExists.
func install(dir string) (int64, error) {
	from, to := filepath.Join(dir, newFileName), filepath.Join(dir, FileName)
	info, err := os.Stat(from)
	if err != nil {
		return 0, fmt.Errorf("bolt: %w", err)
	}
	err = os.Link(from, to) // unlike a rename, it never replaces anything
	if err != nil && !errors.Is(err, os.ErrExist) {
		// A file system without links: look, then rename.
		if _, err = os.Lstat(to); err == nil {
			err = os.ErrExist
		} else {
			err = os.Rename(from, to)
		}
	} else if err == nil {
		err = os.Remove(from)
	}
	if errors.Is(err, os.ErrExist) {
		return 0, &history.Error{Kind: history.AlreadyExists, Field: "data", Value: dir, Text: "holds a store by now; choose another folder"}
	}
	if err != nil {
		return 0, fmt.Errorf("bolt: %w", err)
	}
	return info.Size(), syncDir(dir)
}

// sweepFolder removes what a copy that was cut short left beside a store whose
// lock is held.
func sweepFolder(dir string) { _ = os.Remove(filepath.Join(dir, newFileName)) }

// syncDir makes names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("bolt: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("bolt: sync %s: %w", dir, err)
	}
	return nil
}

// opening remembers the file that bbolt opens. bbolt opens it by name and then
// waits for its lock; when it has that, the name may belong to another file,
// which a compaction put in its place. What would be recorded in the one that
// is open would be lost.
type opening struct{ file *os.File }

func (o *opening) open(name string, flag int, mode os.FileMode) (*os.File, error) {
	f, err := os.OpenFile(name, flag, mode)
	if err == nil {
		o.file = f
	}
	return f, err
}

// replaced reports whether the name belongs to another file by now.
func (o *opening) replaced() (bool, error) {
	held, err := o.file.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(o.file.Name())
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	return err == nil && !os.SameFile(held, named), err
}
