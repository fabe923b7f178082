package bolt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestMigrate opens stores of older formats: they are of the present format
// afterwards, and the old file is there until it was opened once more.
func TestMigrate(t *testing.T) {
	for i, format := range formats {
		t.Run(format, func(t *testing.T) { testMigrate(t, format, fmt.Sprintf("%s.v%d", bolt.FileName, i+1)) })
	}
}

func testMigrate(t *testing.T, format, kept string) {
	dir := t.TempDir()
	thaw(t, format, dir)
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
		if d := cmp.Diff(frozenAnswers(t), answersOf(t, s)); d != "" {
			t.Errorf("answers (-want +got):\n%s", d)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		sound(t, dir)
		is, err := os.ReadFile(filepath.Join(dir, kept))
		if wantOld && !bytes.Equal(is, old) || !wantOld && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the old file: %d bytes, %v; want it there: %t", len(is), err, wantOld)
		}
	}
	if !bytes.Contains(log.Bytes(), []byte("the store is migrated")) {
		t.Errorf("logged: %s", &log)
	}
}

// TestMigrateAfterKill has what a migration leaves that was killed before the
// new file had its name.
func TestMigrateAfterKill(t *testing.T) {
	for i, format := range formats {
		dir := t.TempDir()
		thaw(t, format, dir)
		name := filepath.Join(dir, bolt.FileName)
		if err := errors.Join(os.Link(name, fmt.Sprintf("%s.v%d", name, i+1)), os.WriteFile(name+".new", []byte("half"), 0o600)); err != nil {
			t.Fatal(err)
		}
		s, err := bolt.Open(dir, bolt.Options{Now: frozenNow})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(frozenAnswers(t), answersOf(t, s)); d != "" {
			t.Errorf("answers (-want +got):\n%s", d)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
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

// TestMigrateUnsafe: a file of format 2 that lists a page in use as free is left
// as it is. Its copy would be written to.
func TestMigrateUnsafe(t *testing.T) {
	dir := t.TempDir()
	thaw(t, "format2", dir)
	name := filepath.Join(dir, bolt.FileName)
	old, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	const pageSize, freelist, used = 4096, 48, 2 // the second is a place in a meta page
	for meta := range 2 {
		m := old[meta*pageSize:]
		list := old[binary.NativeEndian.Uint64(m[freelist:])*pageSize:]
		if binary.NativeEndian.Uint16(list[10:]) == 0 {
			t.Fatal("no page is free")
		}
		binary.NativeEndian.PutUint64(list[16:], used)
	}
	if err := os.WriteFile(name, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := bolt.Open(dir, bolt.Options{}); !errors.Is(err, history.DataLoss) {
		t.Errorf("got %v, want DataLoss", err)
		if err == nil {
			s.Close()
		}
	}
	if now, err := os.ReadFile(name); err != nil || !bytes.Equal(now, old) {
		t.Errorf("the file was changed: %v", err)
	}
}

// TestMigrateSightings: those of format 2 are all there, and where they were.
func TestMigrateSightings(t *testing.T) {
	dir := t.TempDir()
	o := bolt.Options{Now: frozenNow, MergeIdle: time.Hour}
	s, err := bolt.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	base := history.MomentOf(frozenNow()) - 1_000_000_000
	for n := range 150 {
		var b history.Batch
		for r := range 1 + n%5 {
			b.Observations = append(b.Observations, history.Observation{
				Key:        history.Key{Type: "T", ID: fmt.Sprint(r)},
				CapturedAt: base + history.Moment(n)*1_000_000,
				State:      history.State{Configuration: []byte("1")},
				Origin:     history.Origin{Source: fmt.Sprint("pass ", n/40)},
			})
		}
		if _, err := s.Append(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	want := answersOf(t, s)
	if err := errors.Join(s.Merge(), s.Close()); err != nil {
		t.Fatal(err)
	}
	bolt.Downgrade2(t, filepath.Join(dir, bolt.FileName))
	if s, err = bolt.Open(dir, o); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, answersOf(t, s)); d != "" {
		t.Errorf("answers (-want +got):\n%s", d)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if sum := sound(t, dir); sum.Sightings != 445 {
		t.Errorf("%d sightings", sum.Sightings)
	}
}
