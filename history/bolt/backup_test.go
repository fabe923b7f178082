package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/historytest"
)

// backupOf is the whole backup of a store.
func backupOf(t testing.TB, s *bolt.Store) []byte {
	t.Helper()
	var b bytes.Buffer
	err := s.Backup(context.Background(), func(chunk []byte) error {
		if len(chunk) > 1<<20 {
			t.Errorf("a chunk of %d bytes", len(chunk))
		}
		b.Write(chunk)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The whole suite runs on a store that is compacted, and the model on one that
// is restored from its own backup, wherever they open it again: every answer
// stays the same, but for the incarnation in positions.

func TestSuiteCompacted(t *testing.T) { historytest.Run(t, backendWith(compacted)) }

func TestModelCompacted(t *testing.T) { historytest.Model(t, backendWith(compacted), 15, 60) }

func TestModelRestored(t *testing.T) { historytest.Model(t, backendWith(restored), 15, 60) }

func compacted(t testing.TB, s *bolt.Store, at opened) opened {
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Compact(context.Background(), at.dir, bolt.CopyOptions{Options: at.o}); err != nil {
		t.Fatal(err)
	}
	return at
}

func restored(t testing.TB, s *bolt.Store, at opened) opened {
	backup := backupOf(t, s)
	at.dir = memoryDir(t)
	if _, err := bolt.Restore(context.Background(), bytes.NewReader(backup), at.dir, bolt.CopyOptions{Options: at.o}); err != nil {
		t.Fatal(err)
	}
	return at
}

// TestFrozenCopies restores and compacts a store with something of everything.
func TestFrozenCopies(t *testing.T) {
	o := bolt.Options{MergeIdle: time.Hour, Now: frozenNow}
	dir := t.TempDir()
	writeFrozen(t, dir)
	s, err := bolt.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	want := answersOf(t, s)
	backup := backupOf(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	t.Run("Restored", func(t *testing.T) {
		dir := t.TempDir() + "/new"
		got, err := bolt.Restore(context.Background(), bytes.NewReader(backup), dir, bolt.CopyOptions{Options: o})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", got)
		sound(t, dir)
		s, err := bolt.Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		compareCopy(t, want, answersOf(t, s))
	})
	t.Run("Compacted", func(t *testing.T) {
		got, err := bolt.Compact(context.Background(), dir, bolt.CopyOptions{Options: o})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", got)
		sound(t, dir)
		s, err := bolt.Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if d := cmp.Diff(want, answersOf(t, s)); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// TestCompactIsSmall compares a compacted file with the pages that the store
// used before: what a fresh file holds is packed at least as well.
func TestCompactIsSmall(t *testing.T) {
	s, dir := estateStore(t, 1000, 10)
	if err := errors.Join(s.Merge(), s.Close()); err != nil {
		t.Fatal(err)
	}
	live := sound(t, dir).LiveBytes
	got, err := bolt.Compact(context.Background(), dir, bolt.CopyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes in use of %d before; a file of %d after: %.2f", live, got.Before, got.After, float64(got.After)/float64(live))
	if got.After > live+64<<10 {
		t.Errorf("the compacted file has %d bytes, %d were in use before", got.After, live)
	}
}

// TestCompactHoldsBack compacts more than waits for its dictionaries at a time, so
// that packing lags behind telling, in the middle of resources too.
func TestCompactHoldsBack(t *testing.T) {
	bolt.HoldBack(t, 256<<10)
	dir := t.TempDir()
	s := openWith(t, dir, bolt.Options{})
	rnd := rand.New(rand.NewPCG(1, 2))
	for v := range 5 {
		var list []history.Observation
		for r := range 30 {
			text := make([]byte, 8<<10)
			for i := range text {
				text[i] = 'a' + byte(rnd.IntN(26))
			}
			o := observed(r, firstMoment+history.Moment(v), fmt.Sprintf(`{"v":%d,"text":"%s"}`, v, text))
			o.Key.Type = fmt.Sprint("t", r%3)
			list = append(list, o)
		}
		record(t, s, history.Batch{Observations: list})
	}
	histories := func(s *bolt.Store) (all [][]history.Item) {
		reader, err := s.AsOf(context.Background(), history.At{})
		if err != nil {
			t.Fatal(err)
		}
		for r := range 30 {
			k := observed(r, 0, "").Key
			k.Type = fmt.Sprint("t", r%3)
			items, _, err := reader.History(context.Background(), k, history.HistoryQuery{})
			if err != nil || len(items) != 5 {
				t.Fatal(err, len(items))
			}
			all = append(all, items)
		}
		return all
	}
	want := histories(s)
	if err := errors.Join(s.Merge(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Compact(context.Background(), dir, bolt.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	sound(t, dir)
	if !reflect.DeepEqual(want, histories(openWith(t, dir, bolt.Options{}))) {
		t.Error("the histories are others")
	}
}
