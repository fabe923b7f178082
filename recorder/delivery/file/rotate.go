package file

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
)

const (
	packedSuffix  = ".gz"
	packingSuffix = ".gz.part"
)

// rotate gives the file the next number and begins a new one.
func (t *Target) rotate() error {
	old, err := t.rotated()
	if err != nil {
		return err
	}
	next := 1
	if len(old) > 0 {
		next = old[len(old)-1].number + 1
	}
	if err := os.Rename(t.path, fmt.Sprintf("%s.%06d", t.path, next)); err != nil {
		return err
	}
	if err := t.close(); err != nil {
		return err
	}
	return t.open()
}

// rotatedFile is one that was full.
type rotatedFile struct {
	number int
	path   string
	packed bool
}

// rotated lists them, the oldest first.
func (t *Target) rotated() ([]rotatedFile, error) {
	entries, err := os.ReadDir(filepath.Dir(t.path))
	if err != nil {
		return nil, err
	}
	var list []rotatedFile
	for _, entry := range entries {
		rest, ok := strings.CutPrefix(entry.Name(), filepath.Base(t.path)+".")
		if !ok || !entry.Type().IsRegular() {
			continue
		}
		digits, packed := strings.CutSuffix(rest, packedSuffix)
		number, err := strconv.Atoi(digits)
		if err != nil || fmt.Sprintf("%06d", number) != digits {
			continue
		}
		list = append(list, rotatedFile{number, filepath.Join(filepath.Dir(t.path), entry.Name()), packed})
	}
	slices.SortFunc(list, func(a, b rotatedFile) int {
		if a.number != b.number {
			return a.number - b.number
		}
		return strings.Compare(a.path, b.path)
	})
	return list, nil
}

// pack removes files that are too old and compresses the others, beside what is
// delivered. What a crash left undone is done after the next opening.
func (t *Target) pack() {
	t.packers.Go(func() {
		t.packing.Lock()
		defer t.packing.Unlock()
		if err := t.tidy(); err != nil {
			t.log.Warn("old files of a subscription's target cannot be packed or removed", "path", t.path, "error", err)
		}
	})
}

func (t *Target) tidy() error {
	list, err := t.rotated()
	if err != nil {
		return err
	}
	numbers := map[int]bool{}
	for _, f := range list {
		numbers[f.number] = true
	}
	surplus := len(numbers) - t.keep
	var failed []error
	last := 0
	for _, f := range list {
		if f.number != last {
			surplus--
			last = f.number
		}
		switch {
		case surplus >= 0:
			failed = append(failed, os.Remove(f.path))
		case t.gzip && !f.packed:
			failed = append(failed, compress(f.path))
		}
	}
	return errors.Join(append(failed, syncDir(filepath.Dir(t.path)))...)
}

// compress puts a file's packed form in its place.
func compress(path string) (err error) {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	part := path + packingSuffix
	out, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			out.Close()
			os.Remove(part)
		}
	}()
	z := gzip.NewWriter(out)
	if _, err := io.Copy(z, in); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	if err := os.Rename(part, path+packedSuffix); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return err
	}
	return os.Remove(path)
}

// syncDir makes names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
