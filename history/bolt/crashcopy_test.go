package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// What is copied while a process is killed lies beside the store: a backup, and
// folders into which it is restored or a store of format 1 is laid, each a new
// one by number.

// crashBackup writes a backup, which gets its name when it is whole.
func crashBackup(ctx context.Context, dir string, s *bolt.Store, _ int) error {
	f, err := os.Create(dir + ".backup.new")
	if err != nil {
		return err
	}
	err = s.Backup(ctx, func(chunk []byte) error {
		_, err := f.Write(chunk)
		return err
	})
	return errors.Join(err, f.Close(), os.Rename(f.Name(), dir+".backup"))
}

// checkCrashBackup restores the last backup, and the one that was cut short: that
// is refused, or whole.
func checkCrashBackup(t *testing.T, dir string, _ *bolt.Store, done int) {
	at := 0
	for _, name := range []string{dir + ".backup", dir + ".backup.new"} {
		to := dir + ".again"
		if err := os.RemoveAll(to); err != nil {
			t.Fatal(err)
		}
		err := restoreFile(name, to)
		switch cut := name != dir+".backup"; {
		case errors.Is(err, os.ErrNotExist) && (cut || done == 0):
			continue // killed before the first one was whole, or between two
		case cut && (errors.Is(err, history.DataLoss) || errors.Is(err, history.Invalid)):
			if left, err := os.ReadDir(to); len(left) > 0 || err != nil {
				t.Errorf("a backup cut short left %v, %v", left, err)
			}
			continue
		case err != nil:
			t.Fatalf("%s: %v", filepath.Base(name), err)
		}
		sound(t, to)
		s := openStore(t, to)
		checkCrashDocuments(t, s, -1)
		n := countBatches(t, s)
		if n < at {
			t.Errorf("a later backup holds %d batches, the one before %d", n, at)
		}
		if at = n; s.Close() != nil {
			t.Error("not closed")
		}
	}
}

// crashRestore restores the backup into a new folder. It makes one if there is
// none.
func crashRestore(ctx context.Context, dir string, n int) error {
	if _, err := os.Stat(dir + ".backup"); err != nil {
		s, err := bolt.Open(dir, bolt.Options{Linker: testLinker})
		if err != nil {
			return err
		}
		if err := errors.Join(crashBackup(ctx, dir, s, 0), s.Close()); err != nil {
			return err
		}
	}
	return restoreFile(dir+".backup", numbered(dir+".restored", n))
}

// checkCrashRestore looks at the folder of the restore that was cut short: it
// holds all, or nothing that can be opened and can be restored into anew.
func checkCrashRestore(t *testing.T, dir string, _ *bolt.Store, done int) {
	to := numbered(dir+".restored", done)
	if _, err := os.Stat(dir + ".backup"); err != nil {
		return // killed before there was anything to restore
	}
	if _, err := os.Stat(filepath.Join(to, bolt.FileName)); err != nil {
		if err := restoreFile(dir+".backup", to); err != nil {
			t.Fatal(err)
		}
	}
	again := dir + ".again"
	if err := errors.Join(os.RemoveAll(again), restoreFile(dir+".backup", again)); err != nil {
		t.Fatal(err)
	}
	var told [2][]byte
	for i, dir := range []string{again, to} {
		sound(t, dir)
		s := openStore(t, dir)
		told[i] = exported(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(told[0], told[1]) {
		t.Errorf("a restore that was cut short tells something else than another one")
	}
	if err := os.RemoveAll(dir + ".restored"); err != nil {
		t.Fatal(err)
	}
}

// crashMigrate opens a store of an older format.
func crashMigrate(_ context.Context, dir string, n int) error {
	to := numbered(dir+".migrated", n)
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	file, err := frozenFile(formats[n%len(formats)])
	if err != nil {
		return err
	}
	laid := to + ".laid"
	if err := errors.Join(os.WriteFile(laid, file, 0o600), os.Rename(laid, filepath.Join(to, bolt.FileName))); err != nil {
		return err
	}
	s, err := bolt.Open(to, bolt.Options{Linker: testLinker, Now: frozenNow})
	if err != nil {
		return err
	}
	return s.Close()
}

// checkCrashMigrate opens the store whose migration was cut short.
func checkCrashMigrate(t *testing.T, dir string, _ *bolt.Store, done int) {
	to := numbered(dir+".migrated", done)
	if _, err := os.Stat(filepath.Join(to, bolt.FileName)); err != nil {
		return // killed before it was laid there
	}
	s, err := bolt.Open(to, bolt.Options{Linker: testLinker, Now: frozenNow, MergeIdle: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(frozenAnswers(t), answersOf(t, s)); d != "" {
		t.Errorf("answers (-want +got):\n%s", d)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	sound(t, to)
	if err := os.RemoveAll(dir + ".migrated"); err != nil {
		t.Fatal(err)
	}
}

func numbered(dir string, n int) string { return filepath.Join(dir, fmt.Sprint(n)) }

func restoreFile(backup, dir string) error {
	f, err := os.Open(backup)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = bolt.Restore(context.Background(), f, dir, bolt.CopyOptions{})
	return err
}

// exported is a digest of a store: each version of each resource, with all it
// holds.
func exported(t testing.TB, s *bolt.Store) []byte {
	t.Helper()
	ctx := context.Background()
	reader, err := s.AsOf(ctx, history.At{})
	if err != nil {
		t.Fatal(err)
	}
	items, _, err := reader.Items(ctx, history.Query{Deleted: true})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, i := range items {
		list, _, err := reader.History(ctx, i.Key, history.HistoryQuery{})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			fmt.Fprintf(&b, "%+v\n", v)
		}
	}
	return b.Bytes()
}
