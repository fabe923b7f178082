package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
)

// A file of an older format is migrated when it is opened: what it holds is
// written as a new file that takes its name. The old one stays beside it
// until the store was opened once more: whoever has to go back to the program
// that wrote it, because the new one does not do, finds it there. What was
// recorded since is not in it.

// oldFileName is what a file of an older format is called after its migration.
func oldFileName(version uint32) string { return fmt.Sprintf("%s.v%d", FileName, version) }

// formatOf reads the format version of a file; zero if it is not made yet.
func formatOf(db *bolt.DB) (version uint32, err error) {
	err = guardedView(db, func(tx *bolt.Tx) error {
		m := tx.Bucket(bucketMeta)
		if m == nil {
			return nil
		}
		v := m.Get(metaFormat)
		if len(v) != 4 {
			return history.Errorf(history.DataLoss, "%s is not a store of Varve", db.Path())
		}
		version = binary.BigEndian.Uint32(v)
		return nil
	})
	return version, err
}

// migrate opens a file of the present format, made of an older one if need be.
// It takes the open file over, of which a survey was made: one that is not to be
// written to is not migrated, since that may write to a copy.
func migrate(dir string, db *bolt.DB, o *Options, t *tree, first string) (*bolt.DB, error) {
	version, err := formatOf(db)
	if err != nil || version == 0 || version >= formatVersion {
		if err == nil && version == formatVersion {
			dropOld(dir, o)
		}
		return db, err
	}
	if t.unsafe {
		return db, history.Errorf(history.DataLoss,
			"%s is damaged (%s) and cannot be migrated from format %d; restore a backup", db.Path(), first, version)
	}
	began := time.Now()
	o.Logger.Info("migrating the store", "dir", dir, "from", version, "to", formatVersion)
	if err := migrateFile(dir, db, version, o); err != nil {
		return db, fmt.Errorf("migrate %s from format %d to %d: %w", dir, version, formatVersion, err)
	}
	if err := db.Close(); err != nil { // its lock is held until the new file has its name
		return nil, err
	}
	o.Logger.Info("the store is migrated", "dir", dir, "took", time.Since(began).Round(time.Millisecond), "old", oldFileName(version))
	return openFile(dir, o, false)
}

func migrateFile(dir string, db *bolt.DB, version uint32, o *Options) error {
	next := uint64(0) // percent to log
	progress := func(done, total uint64) {
		if done*100 >= next*total {
			o.Logger.Info("migrating the store", "resources", done, "of", total)
			next += 10
		}
	}
	convert := convert2
	if version == 1 {
		convert = convert1
	}
	if err := convert(dir, db, progress); err != nil {
		return err
	}
	old := filepath.Join(dir, oldFileName(version))
	if err := os.Remove(old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Link(filepath.Join(dir, FileName), old); err != nil {
		// A file system without links: the old file goes at once.
		o.Logger.Warn("the file of the older format cannot be kept", "err", err)
	}
	_, err := replace(dir)
	return err
}

// dropOld removes files of older formats that were kept since the migration.
func dropOld(dir string, o *Options) {
	for version := uint32(1); version < formatVersion; version++ {
		name := filepath.Join(dir, oldFileName(version))
		if err := os.Remove(name); err == nil {
			o.Logger.Info("the file of the older format is dropped", "file", name)
		} else if !errors.Is(err, os.ErrNotExist) {
			o.Logger.Warn("the file of the older format cannot be dropped", "err", err)
		}
	}
}
