package bolt_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestBackupAmidWrites backs a store up in the thinnest slices and changes it
// between any two of them: resources come, versions are split and closed, runs
// are opened and completed, all of it is merged. What is restored answers as the
// store did when the backup began.
func TestBackupAmidWrites(t *testing.T) {
	bolt.ThinSlices(t)
	ctx := context.Background()
	now := frozenNow().Add(-24 * time.Hour)
	o := bolt.Options{MergeIdle: time.Hour, NoSync: true, Now: func() time.Time { return now }}
	s, err := bolt.Open(memoryDir(t), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	recordFrozen(t, s)
	want := answersOf(t, s)

	var backup bytes.Buffer
	keys := []string{"a", "b", "c", "d", "e", "f", "long", "new"}
	n := 0
	err = s.Backup(ctx, func(chunk []byte) error {
		backup.Write(chunk)
		n++
		var list []history.Observation
		for i := range 3 {
			list = append(list, history.Observation{
				Key:        history.Key{Account: "111122223333", Region: "eu-north-1", Type: "AWS::EC2::Instance", ID: keys[(n+3*i)%len(keys)]},
				CapturedAt: history.MomentOf(time.Date(2026, 1, 1, 0, 0, (37*n+11*i)%400, n, time.UTC)),
				State:      history.State{Configuration: fmt.Appendf(nil, `{"amid":%d}`, n/2)},
			})
		}
		run := history.RunID(fmt.Sprint("amid-", n))
		if _, err := s.OpenRun(ctx, history.Run{ID: run}); err != nil {
			return err
		}
		if _, err := s.Append(ctx, history.Batch{Run: "open", Op: history.OpID{byte(n), 0xcc}, Observations: list[:1]}); err != nil {
			return err
		}
		if _, err := s.Append(ctx, history.Batch{Run: run, Observations: list[1:]}); err != nil {
			return err
		}
		if _, err := s.CloseRun(ctx, run, history.CompleteForced, ""); err != nil {
			return err
		}
		return s.Merge()
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 20 {
		t.Fatalf("only %d chunks", n)
	}
	dir := filepath.Join(memoryDir(t), "new")
	if _, err := bolt.Restore(ctx, &backup, dir, bolt.CopyOptions{Options: o}); err != nil {
		t.Fatal(err)
	}
	sound(t, dir)
	r, err := bolt.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	compareCopy(t, want, answersOf(t, r))
}

// compareCopy compares answers but for the incarnation in positions.
func compareCopy(t testing.TB, want, got answers) {
	t.Helper()
	got.Feed = slices.Clone(got.Feed)
	for i := range got.Feed {
		if i < len(want.Feed) {
			got.Feed[i].Position = want.Feed[i].Position
		}
	}
	got.Head.Position = want.Head.Position
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("answers (-want +got):\n%s", d)
	}
}

// TestStalledBackup has a client that takes one chunk and then nothing more,
// while as much again is recorded: writers go on, and the file becomes no larger
// than without the backup.
func TestStalledBackup(t *testing.T) {
	const resources = 300
	record := func(t *testing.T, backup bool) int64 {
		dir := memoryDir(t)
		s, err := bolt.Open(dir, bolt.Options{NoSync: true, MergeIdle: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		list := batches(estate(resources, 40), resources)
		half := func(list [][]history.Observation) {
			for _, b := range list {
				if _, err := s.Append(context.Background(), history.Batch{Observations: b}); err != nil {
					t.Fatal(err)
				}
				if err := s.Merge(); err != nil {
					t.Fatal(err)
				}
			}
		}
		half(list[:20])
		if backup {
			ctx, cancel := context.WithCancel(context.Background())
			stalled, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			var chunks atomic.Int32
			go func() {
				done <- s.Backup(ctx, func([]byte) error {
					if chunks.Add(1) == 3 { // within the resources
						close(stalled)
						<-goOn
					}
					return nil
				})
			}()
			<-stalled
			defer func() {
				cancel()
				close(goOn)
				if err := <-done; err == nil {
					t.Error("a backup whose client went away came to its end")
				}
			}()
		}
		half(list[20:])
		used, err := bolt.HighWater(dir)
		if err != nil {
			t.Fatal(err)
		}
		return used
	}
	bolt.ThinSlices(t)
	alone, beside := record(t, false), record(t, true)
	t.Logf("the file beside a stalled backup: %.2f of that without one (%d bytes)", float64(beside)/float64(alone), alone)
	if beside > alone+alone/10 {
		t.Errorf("a stalled backup grows the file from %d to %d bytes", alone, beside)
	}
}

// TestPruneAwaitsBackup: a prune that is asked for during a backup is carried
// out after it, and the backup is of the store as it was.
func TestPruneAwaitsBackup(t *testing.T) {
	bolt.ThinSlices(t)
	ctx := context.Background()
	now := frozenNow().Add(-24 * time.Hour)
	o := bolt.Options{MergeIdle: time.Hour, NoSync: true, Now: func() time.Time { now = now.Add(time.Second); return now }}
	s, err := bolt.Open(memoryDir(t), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	recordFrozen(t, s)
	o.Now = frozenNow
	want := answersOf(t, s)
	floor := history.MomentOf(now)

	var backup bytes.Buffer
	pruned := make(chan error, 1)
	var after history.Pruned
	err = s.Backup(ctx, func(chunk []byte) error {
		if backup.Len() == 0 {
			go func() {
				var err error
				after, err = s.Prune(ctx, history.PruneRequest{Floor: floor})
				pruned <- err
			}()
		}
		backup.Write(chunk)
		select {
		case err := <-pruned:
			t.Errorf("pruned during the backup: %v", err)
		default:
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-pruned; err != nil || after.Versions == 0 {
		t.Fatalf("the prune afterwards: %+v, %v", after, err)
	}
	dir := filepath.Join(memoryDir(t), "new")
	if _, err := bolt.Restore(ctx, &backup, dir, bolt.CopyOptions{Options: o}); err != nil {
		t.Fatal(err)
	}
	sound(t, dir)
	r, err := bolt.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	compareCopy(t, want, answersOf(t, r))
}
