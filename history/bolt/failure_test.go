package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestFailedBefore opens stores that a failed write has marked. That they fail,
// and how, is tested on the whole program, under a disk that fails.
func TestFailedBefore(t *testing.T) {
	ctx := context.Background()
	marked := func(t *testing.T, damage func(b []byte)) (dir string, s *bolt.Store) {
		dir = damageUsed(t, func(b, _ []byte) { damage(b) })
		if err := os.WriteFile(filepath.Join(dir, bolt.FailedName), []byte("failed\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir, openStore(t, dir)
	}
	// settle waits until the verification has come to its end.
	settle := func(t *testing.T, s *bolt.Store) error {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if err := s.Failed(); !errors.Is(err, history.Unavailable) {
				return err
			}
		}
		t.Fatal("the verification does not end")
		return nil
	}
	reads := func(t *testing.T, s *bolt.Store) {
		t.Helper()
		reader, err := s.AsOf(ctx, history.At{Captured: usedFirst + 10_000_000})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Get(ctx, usedKeys()[:5], history.FieldsAll); err != nil {
			t.Errorf("reads do not go on: %v", err)
		}
	}
	t.Run("Sound", func(t *testing.T) {
		dir, s := marked(t, func([]byte) {})
		reads(t, s)
		if err := settle(t, s); err != nil {
			t.Fatalf("a sound store takes no writes: %v", err)
		}
		record(t, s, history.Batch{Observations: later(usedEstate()[:5])})
		if _, err := os.Stat(filepath.Join(dir, bolt.FailedName)); !os.IsNotExist(err) {
			t.Errorf("the mark is left: %v", err)
		}
	})
	t.Run("Damaged", func(t *testing.T) {
		dir, s := marked(t, func(b []byte) {
			id := []byte(usedKeys()[200].ID)
			for rest := b; ; { // wherever it stands, pages that were freed included
				at := bytes.Index(rest, id)
				if at < 0 {
					break
				}
				rest = rest[at+len(id)-1:]
				rest[0] ^= 1
			}
		})
		if err := settle(t, s); !errors.Is(err, history.DataLoss) {
			t.Fatalf("got %v, want DataLoss", err)
		}
		reads(t, s)
		if _, err := s.Append(ctx, history.Batch{Observations: later(usedEstate()[:5])}); !errors.Is(err, history.DataLoss) {
			t.Errorf("append: got %v, want DataLoss", err)
		}
		if _, err := s.OpenRun(ctx, history.Run{ID: "r"}); !errors.Is(err, history.DataLoss) {
			t.Errorf("run: got %v, want DataLoss", err)
		}
		if _, err := s.PutDocuments(ctx, []history.DocumentWrite{document("c", "a", "1")}); !errors.Is(err, history.DataLoss) {
			t.Errorf("put: got %v, want DataLoss", err)
		}
		if list := documentsOf(t, s, "state"); len(list) != 20 {
			t.Errorf("%d documents are read of 20", len(list))
		}
		if err := s.Merge(); !errors.Is(err, history.DataLoss) {
			t.Errorf("merge: got %v, want DataLoss", err)
		}
		if _, err := os.Stat(filepath.Join(dir, bolt.FailedName)); err != nil {
			t.Errorf("the mark is gone: %v", err)
		}
	})
	t.Run("ClosedMeanwhile", func(t *testing.T) {
		_, s := marked(t, func([]byte) {})
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
