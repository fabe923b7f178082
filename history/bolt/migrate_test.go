package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestMigrate opens a store of format 1: it is of the present format
// afterwards, and the old file is there until it was opened once more.
func TestMigrate(t *testing.T) {
	dir := t.TempDir()
	thaw(t, "format1", dir)
	old, err := os.ReadFile(filepath.Join(dir, bolt.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Verify(context.Background(), dir, nil, func(bolt.Finding) {}); !errors.Is(err, history.Unimplemented) {
		t.Errorf("verify before: %v", err)
	}
	var log bytes.Buffer
	o := bolt.Options{Now: frozenNow, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	for _, wantOld := range []bool{true, false} {
		s, err := bolt.Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(frozenAnswers(t, "format1"), answersOf(t, s)); d != "" {
			t.Errorf("answers (-want +got):\n%s", d)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		sound(t, dir)
		kept, err := os.ReadFile(filepath.Join(dir, bolt.FileName+".v1"))
		if wantOld && !bytes.Equal(kept, old) || !wantOld && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the old file: %d bytes, %v; want it there: %t", len(kept), err, wantOld)
		}
	}
	if !bytes.Contains(log.Bytes(), []byte("the store is migrated")) {
		t.Errorf("logged: %s", &log)
	}
}

// TestMigrateAfterKill has what a migration leaves that was killed before the
// new file had its name.
func TestMigrateAfterKill(t *testing.T) {
	dir := t.TempDir()
	thaw(t, "format1", dir)
	name := filepath.Join(dir, bolt.FileName)
	if err := errors.Join(os.Link(name, name+".v1"), os.WriteFile(name+".new", []byte("half"), 0o600)); err != nil {
		t.Fatal(err)
	}
	s, err := bolt.Open(dir, bolt.Options{Now: frozenNow})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if d := cmp.Diff(frozenAnswers(t, "format1"), answersOf(t, s)); d != "" {
		t.Errorf("answers (-want +got):\n%s", d)
	}
}

// TestMigrateDamaged: a damaged file of an older format is left as it is.
func TestMigrateDamaged(t *testing.T) {
	dir := t.TempDir()
	thaw(t, "format1", dir)
	name := filepath.Join(dir, bolt.FileName)
	old, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(old, []byte("abcdefghabcdefgh")) // in a body
	if at < 0 {
		t.Fatal("nothing to damage")
	}
	for ; at >= 0; at = bytes.Index(old, []byte("abcdefghabcdefgh")) {
		old[at] = 'X'
	}
	if err := os.WriteFile(name, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(dir, bolt.Options{}); !errors.Is(err, history.DataLoss) {
		t.Errorf("got %v, want DataLoss", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
	if now, err := os.ReadFile(name); err != nil || !bytes.Equal(now, old) {
		t.Errorf("the file was changed: %v", err)
	}
}
