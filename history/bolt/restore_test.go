package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// estateStore is an open store of several thousand versions.
func estateStore(t testing.TB, resources, versions int) (*bolt.Store, string) {
	t.Helper()
	dir := memoryDir(t)
	s, err := bolt.Open(dir, bolt.Options{MergeIdle: time.Hour, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, list := range batches(estate(resources, versions), 500) {
		if _, err := s.Append(context.Background(), history.Batch{Observations: list}); err != nil {
			t.Fatal(err)
		}
	}
	return s, dir
}

// TestDamagedBackup restores backups that were cut short or had a bit flipped:
// each is refused with the place, and leaves nothing that could be opened.
func TestDamagedBackup(t *testing.T) {
	s, _ := estateStore(t, 600, 10)
	whole := backupOf(t, s)
	const front = 20 // bytes of magic and version
	place := regexp.MustCompile(`is damaged at byte (\d+)`)
	refuse := func(t *testing.T, name string, backup []byte, at int) {
		t.Helper()
		dir := filepath.Join(t.TempDir(), "new")
		_, err := bolt.Restore(context.Background(), bytes.NewReader(backup), dir, bolt.CopyOptions{})
		switch {
		case at < front && !(errors.Is(err, history.Invalid) || errors.Is(err, history.NewerFormat)):
			t.Errorf("%s: got %v, want it refused as no backup, or a newer one", name, err)
		case at >= front && !errors.Is(err, history.DataLoss):
			t.Errorf("%s: got %v, want DataLoss", name, err)
		case at >= front:
			m := place.FindStringSubmatch(err.Error())
			if m == nil {
				t.Fatalf("%s: %v names no place", name, err)
			}
			if n, _ := strconv.Atoi(m[1]); n > at {
				t.Errorf("%s: %v is beyond byte %d", name, err, at)
			}
		}
		left, err := os.ReadDir(dir)
		if len(left) > 0 || err != nil {
			t.Errorf("%s: left %v, %v", name, left, err)
		}
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	places := []int{0, front - 1, front, front + 4, front + 10, len(whole) - 1, len(whole) - 40}
	for range 60 {
		places = append(places, rnd.IntN(len(whole)))
	}
	t.Run("CutShort", func(t *testing.T) {
		for _, at := range places {
			refuse(t, fmt.Sprint("cut at ", at), whole[:at], at)
		}
	})
	t.Run("Flipped", func(t *testing.T) {
		for _, at := range places {
			b := bytes.Clone(whole)
			b[at] ^= 1 << rnd.IntN(8)
			refuse(t, fmt.Sprint("flipped at ", at), b, at)
		}
	})
	t.Run("Longer", func(t *testing.T) {
		refuse(t, "longer", append(bytes.Clone(whole), 0), len(whole))
		refuse(t, "twice", append(bytes.Clone(whole), whole...), len(whole))
	})
}

// TestRestoreInto tells which folders a backup can be restored into.
func TestRestoreInto(t *testing.T) {
	s, busy := estateStore(t, 20, 2)
	backup := backupOf(t, s)
	restore := func(dir string) error {
		_, err := bolt.Restore(context.Background(), bytes.NewReader(backup), dir, bolt.CopyOptions{})
		return err
	}
	t.Run("Missing", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "a", "b")
		if err := restore(dir); err != nil {
			t.Fatal(err)
		}
		if sum := sound(t, dir); sum.Versions != 40 {
			t.Errorf("%+v", sum)
		}
	})
	t.Run("HoldingWhatARestoreLeft", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, bolt.FileName+".new"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := restore(dir); err != nil {
			t.Fatal(err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("the folder holds %v", left)
		}
	})
	t.Run("ErrNotEmpty", func(t *testing.T) {
		if err := restore(busy); !errors.Is(err, history.AlreadyExists) {
			t.Errorf("got %v, want AlreadyExists", err)
		}
		if head, err := s.Head(context.Background()); err != nil || head.Revision != 40 {
			t.Errorf("the store there: %+v, %v", head, err)
		}
	})
}

// TestCopyPositions tells which positions a restored store takes.
func TestCopyPositions(t *testing.T) {
	ctx := context.Background()
	s, _ := estateStore(t, 20, 2)
	before, err := s.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	backup := backupOf(t, s)
	if _, err := s.Append(ctx, history.Batch{Observations: estate(20, 3)[40:]}); err != nil {
		t.Fatal(err)
	}
	after, err := s.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	open := func(backup []byte, now int64, versions int) *bolt.Store {
		t.Helper()
		dir := memoryDir(t)
		o := bolt.Options{NoSync: true, Now: func() time.Time { return time.Unix(now, 0) }}
		if _, err := bolt.Restore(ctx, bytes.NewReader(backup), dir, bolt.CopyOptions{Options: o}); err != nil {
			t.Fatal(err)
		}
		s, err := bolt.Open(dir, bolt.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		if _, err := s.Append(ctx, history.Batch{Observations: estate(20, versions)[20*(versions-1):]}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	first, second := open(backup, 1_800_000_000, 4), open(backup, 1_800_000_001, 4)
	third := open(backupOf(t, first), 1_800_000_001, 5)
	at := func(s *bolt.Store) history.Position {
		t.Helper()
		h, err := s.Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return h.Position
	}
	for name, c := range map[string]struct {
		s     *bolt.Store
		after history.Position
		want  int // changes; -1: refused
	}{
		"BeforeTheBackup":             {first, before.Position, 20},
		"AfterTheBackup":              {first, after.Position, -1},
		"BeforeTheFirstOfTwoBackups":  {third, before.Position, 40},
		"BeforeTheSecondOfTwoBackups": {third, at(first), 20},
		"OfASister":                   {second, at(first), -1},
		"ItsOwn":                      {third, at(third), 0},
		"OfARestoredOneHere":          {s, at(first), -1},
	} {
		t.Run(name, func(t *testing.T) {
			list, _, err := c.s.Changes(ctx, c.after, 100, 0)
			if c.want < 0 {
				if !errors.Is(err, history.ForeignToken) {
					t.Errorf("got %d changes and %v, want ForeignToken", len(list), err)
				}
				return
			}
			if err != nil || len(list) != c.want {
				t.Errorf("got %d changes and %v, want %d", len(list), err, c.want)
			}
		})
	}
}
