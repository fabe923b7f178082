package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/varvehq/varve/history"
)

// Backup implements history.Backuper. Reading and handing out take turns: no
// transaction is open while write is at work.
func (s *Store) Backup(ctx context.Context, write func(chunk []byte) error) error {
	a, err := newArchiver(func(chunk []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return write(chunk)
	})
	if err != nil {
		return err
	}
	err = s.copyTo(ctx, a, func(uint64, uint64) {})
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return errClosed
	}
	return err
}

// Restored says what a backup held.
type Restored struct {
	Lineage   history.Lineage // of the restored store
	Revision  history.Revision
	Recorded  history.Moment // of the revision
	Resources uint64
	Versions  uint64
	FileBytes int64
}

// Restore makes a store in a folder, which is made if it is missing, of a
// backup. Ids, version numbers, revisions and sequences stay; the incarnation
// grows, and positions that the store gave before the backup resume here too.
// AlreadyExists for a folder that holds anything, DataLoss with the place for a
// backup that is damaged or cut short: then nothing is left that could be
// opened. A restore that is cut short is simply begun again.
func Restore(ctx context.Context, r io.Reader, dir string, o CopyOptions) (Restored, error) {
	o.Options.fill()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Restored{}, fmt.Errorf("bolt: restore: %w", err)
	}
	if err := checkEmpty("data", dir); err != nil {
		return Restored{}, err
	}
	from, err := newUnarchiver(r)
	if err != nil {
		return Restored{}, err
	}
	h, err := from.start()
	if err != nil {
		return Restored{}, err
	}
	lineage := h.lineage.Restored(h.mark.revision, h.mark.seq, history.MomentOf(o.Options.Now()))
	result := Restored{Lineage: lineage, Revision: h.mark.revision, Recorded: h.mark.recordedAt}
	counts, err := build(dir, &lineage, func(to sink) error { return from.tell(ctx, to, o.progress) })
	if err != nil {
		return Restored{}, err
	}
	result.Resources, result.Versions = counts.resources, counts.rows
	result.FileBytes, err = install(dir)
	return result, err
}

// checkEmpty refuses a folder with anything in it but what a restore that was
// cut short left.
func checkEmpty(field, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("bolt: restore: %w", err)
	}
	for _, e := range entries {
		if e.Name() != newFileName {
			return &history.Error{Kind: history.AlreadyExists, Field: field, Value: dir,
				Text: fmt.Sprintf("is not empty: it holds %s; choose another folder", e.Name())}
		}
	}
	return nil
}

// build writes what is told into the new file of a folder, complete and on the
// disk, but not yet under its final name. After an error it is gone.
func build(dir string, l *history.Lineage, tell func(sink) error) (copyCounts, error) {
	b, err := newBuilder(filepath.Join(dir, newFileName))
	if err != nil {
		return copyCounts{}, fmt.Errorf("bolt: %w", err)
	}
	if err := tell(b); err != nil {
		b.abandon()
		return copyCounts{}, err
	}
	if err := b.finish(l); err != nil {
		b.abandon()
		return copyCounts{}, fmt.Errorf("bolt: %w", err)
	}
	return b.counts, nil
}
