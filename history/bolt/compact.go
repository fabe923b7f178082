package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/varvehq/varve/history"
)

// Compacted says what compacting came to.
type Compacted struct {
	Resources, Versions uint64
	Before, After       int64 // bytes of the file
}

// Compact writes the store in a folder, which no process may have open, into a
// fresh file that takes its place: packed, in order, without free pages. The
// store stays the same one, and positions stay good. Until the end both files
// need room; when there is none, or the process is killed, the old one stays as
// it is. Locked when another process has the store, NotFound if there is none.
func Compact(ctx context.Context, dir string, o CopyOptions) (Compacted, error) {
	info, err := os.Stat(filepath.Join(dir, FileName))
	if err != nil {
		return Compacted{}, &history.Error{Kind: history.NotFound, Field: "--data", Value: dir, Text: "holds no store"}
	}
	s, err := Open(dir, o.Options) // and its lock, until the new file has the name
	if err != nil {
		return Compacted{}, err
	}
	c := Compacted{Before: info.Size()}
	counts, err := build(dir, &s.lineage, func(to sink) error { return s.copyTo(ctx, to, o.progress) })
	if err != nil {
		return Compacted{}, errors.Join(fmt.Errorf("compact %s: %w", dir, err), s.Close())
	}
	c.Resources, c.Versions = counts.resources, counts.rows
	c.After, err = replace(dir)
	return c, errors.Join(err, s.Close())
}
