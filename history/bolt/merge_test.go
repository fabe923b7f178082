package bolt_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

const firstMoment = history.Moment(1_700_000_000_000_000)

func observed(r int, at history.Moment, configuration string) history.Observation {
	return history.Observation{
		Key: history.Key{Type: "t", ID: fmt.Sprintf("r%06d", r)}, CapturedAt: at,
		State: history.State{Configuration: []byte(configuration)},
	}
}

func openWith(t *testing.T, dir string, o bolt.Options) *bolt.Store {
	t.Helper()
	o.NoSync = true
	s, err := bolt.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func record(t *testing.T, s *bolt.Store, b history.Batch) {
	t.Helper()
	receipt, err := s.Append(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range receipt.Results {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

func get(t *testing.T, s *bolt.Store, r int) history.Item {
	t.Helper()
	reader, err := s.AsOf(context.Background(), history.At{})
	if err != nil {
		t.Fatal(err)
	}
	items, err := reader.Get(context.Background(), []history.Key{observed(r, 0, "").Key}, history.FieldsAll)
	if err != nil {
		t.Fatal(err)
	}
	return items[0]
}

// count tells how many keys a bucket has.
func count(t *testing.T, s *bolt.Store, bucket string) (n int) {
	t.Helper()
	if err := s.Edit(func(tx *bbolt.Tx) error {
		n = tx.Bucket([]byte(bucket)).Stats().KeyN
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestMergeCutShortHidesNothingOfARun kills a merge before it cuts the log. When
// it is done anew there is more to merge, and the run's set falls into other
// blocks: none of the old ones may stand between them.
func TestMergeCutShortHidesNothingOfARun(t *testing.T) {
	const resources = 2000
	dir, o := t.TempDir(), bolt.Options{MergeIdle: time.Hour}
	s := openWith(t, dir, o)
	var all []history.Observation
	var parts [2][]history.Observation
	for r := range resources {
		all = append(all, observed(r, firstMoment, `1`))
		parts[r%2] = append(parts[r%2], observed(r, firstMoment+1000, `1`))
	}
	record(t, s, history.Batch{Observations: all})
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenRun(context.Background(), history.Run{ID: "run", Moment: firstMoment + 1000}); err != nil {
		t.Fatal(err)
	}
	record(t, s, history.Batch{Run: "run", Observations: parts[1]})
	if err := s.MergeUncut(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = openWith(t, dir, o)
	record(t, s, history.Batch{Run: "run", Observations: parts[0]})
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	for r := range resources {
		if seen := get(t, s, r).LastSeenAt; seen != firstMoment+1000 {
			t.Fatalf("resource %d was last seen at %v, not by the run", r, seen)
		}
	}
	run, err := s.CloseRun(context.Background(), "run", history.Complete, "")
	if err != nil || run.Deleted != 0 {
		t.Errorf("the run saw everything and deletes %d resources (%v)", run.Deleted, err)
	}
}

// TestMergeGoesOnAfterALogThatIsGone merges once more what was merged to the
// end, as after a transaction that failed only by its report.
func TestMergeGoesOnAfterALogThatIsGone(t *testing.T) {
	s := openWith(t, t.TempDir(), bolt.Options{MergeIdle: time.Hour})
	record(t, s, history.Batch{Observations: []history.Observation{observed(1, firstMoment, `1`)}})
	if err := s.MergeUnnoticed(); err != nil {
		t.Fatal(err)
	}
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	record(t, s, history.Batch{Observations: []history.Observation{observed(1, firstMoment+1, `2`)}})
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	if v := get(t, s, 1).Version; v != 2 {
		t.Errorf("got version %d, want 2", v)
	}
}

// TestMergeThatFailedIsTriedAgain damages a value and mends it: merging goes on
// without another commit.
func TestMergeThatFailedIsTriedAgain(t *testing.T) {
	s := openWith(t, t.TempDir(), bolt.Options{MergeIdle: 5 * time.Millisecond})
	record(t, s, history.Batch{Observations: []history.Observation{observed(1, firstMoment, `1`)}})
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	var sound []byte
	swap := func(value []byte) {
		t.Helper()
		if err := s.Edit(func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("head"))
			k, v := b.Cursor().First()
			sound = bytes.Clone(v)
			return b.Put(bytes.Clone(k), value)
		}); err != nil {
			t.Fatal(err)
		}
	}
	swap([]byte("damaged"))
	record(t, s, history.Batch{Observations: []history.Observation{observed(1, firstMoment+1, `2`)}})
	time.Sleep(30 * time.Millisecond)
	if count(t, s, "log") == 0 {
		t.Fatal("merged in spite of the damage")
	}
	swap(sound)
	for begin := time.Now(); count(t, s, "log") > 0; time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("not merged")
		}
	}
}

// TestOperationsAreForgotten has more of them grow old between two merges than
// one transaction forgets.
func TestOperationsAreForgotten(t *testing.T) {
	now := time.UnixMicro(int64(firstMoment))
	s := openWith(t, t.TempDir(), bolt.Options{MergeIdle: time.Hour, Now: func() time.Time { return now }})
	batch := history.Batch{Observations: []history.Observation{observed(1, firstMoment, `1`)}}
	for n := range 2500 {
		batch.Op = history.OpID{1, byte(n >> 8), byte(n)}
		record(t, s, batch)
	}
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(history.OpRetention)
	batch.Op = history.OpID{2}
	record(t, s, batch)
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	if ops, ages := count(t, s, "op"), count(t, s, "opage"); ops != 1 || ages != 1 {
		t.Errorf("%d operations and %d ages are kept, want 1", ops, ages)
	}
}

// TestRepetitionIsReadBack has a version that is a short one many times over: as
// a delta it would grow more than what reads deltas believes.
func TestRepetitionIsReadBack(t *testing.T) {
	s := openWith(t, t.TempDir(), bolt.Options{MergeIdle: time.Hour})
	var part []byte
	for n := 0; len(part) < 14<<10; n++ {
		part = fmt.Appendf(part, "%d,", n*n)
	}
	long := `"x` + string(bytes.Repeat(part, 32<<20/len(part))) + `y"`
	record(t, s, history.Batch{Observations: []history.Observation{
		observed(1, firstMoment, `"`+string(part)+`"`), observed(1, firstMoment+1, long),
	}})
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, 1).State.Configuration; string(got) != long {
		t.Errorf("got %d bytes, want %d", len(got), len(long))
	}
}

// TestKnownBeforeTheEpoch asks a merged store.
func TestKnownBeforeTheEpoch(t *testing.T) {
	s := openWith(t, t.TempDir(), bolt.Options{MergeIdle: time.Hour})
	record(t, s, history.Batch{Observations: []history.Observation{observed(1, firstMoment, `1`)}})
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	start, err := s.PositionAt(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []history.Moment{-1, -5, -1 << 63} {
		if rev, err := s.KnownAt(context.Background(), m); rev != 0 || err != nil {
			t.Errorf("known at %d µs: revision %d, %v", int64(m), rev, err)
		}
		if p, err := s.PositionAt(context.Background(), m); p != start || err != nil {
			t.Errorf("position at %d µs is not the start, %v", int64(m), err)
		}
	}
}

// TestRunWithinOneCommit has a run opened and completed in the commit in which a
// resource that it missed is recorded.
func TestRunWithinOneCommit(t *testing.T) {
	release, held := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s := openWith(t, t.TempDir(), bolt.Options{Now: func() time.Time {
		once.Do(func() { close(held) })
		<-release
		return time.UnixMicro(int64(firstMoment + 1_000_000))
	}})
	ctx, errs := context.Background(), make(chan error)
	for n, f := range []func() error{
		func() error {
			_, err := s.Append(ctx, history.Batch{Observations: []history.Observation{observed(1, firstMoment, `1`)}})
			return err
		},
		func() error {
			_, err := s.OpenRun(ctx, history.Run{ID: "run", Moment: firstMoment + 1000})
			return err
		},
		func() error {
			_, err := s.CloseRun(ctx, "run", history.CompleteForced, "")
			return err
		},
		func() error {
			_, err := s.Append(ctx, history.Batch{Observations: []history.Observation{observed(2, firstMoment, `1`)}})
			return err
		},
	} {
		go func() { errs <- f() }()
		if n == 0 {
			<-held // its commit is under way: the others make the next one
		}
		time.Sleep(20 * time.Millisecond) // they queue up in this order
	}
	close(release)
	for range 4 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []int{1, 2} {
		if item := get(t, s, r); !item.State.Deleted {
			t.Errorf("resource %d, which the run missed, is alive: %v", r, item)
		}
	}
}

// TestCallersMayLeave changes what was handed in as soon as a call has ended by
// its context, while the writer may still be at it. The race detector tells.
func TestCallersMayLeave(t *testing.T) {
	s := openWith(t, t.TempDir(), bolt.Options{})
	for n := range 200 {
		leave := func() context.Context {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(n)*time.Microsecond)
			t.Cleanup(cancel)
			return ctx
		}
		id, types, expect := history.RunID(fmt.Sprint("run", n)), []string{"a"}, uint32(0)
		_, _ = s.OpenRun(leave(), history.Run{ID: id, Scope: history.Scope{Types: types}})
		types[0] = "b"
		_, _ = s.CloseRun(leave(), id, history.Complete, "")
		o := observed(n, firstMoment, `1`)
		o.Expect = &expect
		_, _ = s.Append(leave(), history.Batch{Observations: []history.Observation{o}})
		expect = 1
	}
}

// TestMergeGivesWay has merges rest while there is recording, but not when nobody
// records, when somebody waits for the merge, or when the next one is soon due.
func TestMergeGivesWay(t *testing.T) {
	s := openWith(t, memoryDir(t), bolt.Options{MergeRecords: 40, MergeIdle: time.Hour, NoSync: true})
	recorded := 0
	some := func(n int) func() {
		return func() {
			for range n {
				record(t, s, history.Batch{Observations: []history.Observation{observed(recorded, firstMoment, "1")}})
				recorded++
			}
		}
	}
	want := func(what string, got, want time.Duration) {
		t.Helper()
		if got != want {
			t.Errorf("%s: rests for %v, want %v", what, got, want)
		}
	}
	want("nobody records", s.Nap(2*time.Millisecond, some(0)), 0)
	want("somebody does", s.Nap(2*time.Millisecond, some(1)), 10*time.Millisecond)
	want("after long work", s.Nap(time.Hour, some(1)), 100*time.Millisecond)
	var group sync.WaitGroup
	want("somebody waits", s.Nap(2*time.Millisecond, func() {
		some(1)()
		group.Go(func() {
			if err := s.Merge(); err != nil {
				t.Error(err)
			}
		})
		s.AwaitCall()
	}), 0)
	group.Wait()
	want("afterwards", s.Nap(2*time.Millisecond, some(1)), 10*time.Millisecond)
	want("the next is soon due", s.Nap(2*time.Millisecond, some(15)), 0)
}
