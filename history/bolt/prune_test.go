package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// recordRounds records a state of each resource per round, a second apart. The
// last quarter of the resources is deleted in the third round, and seen no more;
// the others are seen by a run in the second.
func recordRounds(t *testing.T, s *bolt.Store, resources, rounds int) {
	t.Helper()
	for n := range rounds {
		at := firstMoment + history.Moment(n)*1_000_000
		if n == 1 {
			if _, err := s.OpenRun(context.Background(), history.Run{ID: "run", Moment: at}); err != nil {
				t.Fatal(err)
			}
		}
		var b, seen history.Batch
		seen.Run = "run"
		for r := range resources {
			o := observed(r, at, fmt.Sprintf(`{"resource":%d,"round":%d}`, r, n))
			switch gone := r >= resources*3/4; {
			case gone && n > 2:
				continue
			case gone && n == 2:
				o.State = history.State{Deleted: true}
			}
			b.Observations = append(b.Observations, o)
			o.CapturedAt += 500_000
			if n == 1 {
				seen.Observations = append(seen.Observations, o)
			}
		}
		record(t, s, b)
		if n == 1 {
			record(t, s, seen)
			if _, err := s.CloseRun(context.Background(), "run", history.Complete, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func prune(t *testing.T, s *bolt.Store, round int) history.Pruned {
	t.Helper()
	p, err := s.Prune(context.Background(), history.PruneRequest{
		Floor: firstMoment + history.Moment(round)*1_000_000, Recorded: history.MomentOf(time.Now()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPruneEmptiesTheFile looks into the buckets: what is no longer answered is
// no longer there.
func TestPruneEmptiesTheFile(t *testing.T) {
	const resources, rounds = 1000, 6
	s := openWith(t, t.TempDir(), bolt.Options{MergeIdle: time.Hour})
	recordRounds(t, s, resources, rounds)
	p := prune(t, s, 4)
	want := history.Pruned{Floors: p.Floors, Resources: 250, Versions: 1000 * 3, Changes: 750*6 + 250*3}
	if fmt.Sprintf("%+v", p) != fmt.Sprintf("%+v", want) {
		t.Errorf("got %+v\nwant %+v", p, want)
	}
	for bucket, want := range map[string]int{
		"name": 750, "head": 750, "seg": 750, "feed": 0, "clock": 1, "seen": 0, "sight": 0, "gone": 0, "log": 0,
	} {
		if n := count(t, s, bucket); n != want {
			t.Errorf("%d keys in %s, want %d", n, bucket, want)
		}
	}
	if item := get(t, s, 3); item.Version != rounds || item.Status != history.StatusOK {
		t.Errorf("got %+v", item)
	}
}

// TestPruneCutShortIsFinishedOnOpening cancels a prune after its first slice and
// opens the store again.
func TestPruneCutShortIsFinishedOnOpening(t *testing.T) {
	const resources = 1000
	dir := t.TempDir()
	s := openWith(t, dir, bolt.Options{MergeIdle: time.Hour})
	recordRounds(t, s, resources, 6)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := s.Prune(ctx, history.PruneRequest{
		Floor: firstMoment + 4_000_000, Recorded: history.MomentOf(time.Now()),
		Progress: func(done, total uint64) {
			if cancel(); done == 0 || done >= total {
				t.Errorf("%d of %d resources at first", done, total)
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if n := count(t, s, "head"); n != resources {
		t.Fatalf("%d resources after the first slice", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openWith(t, dir, bolt.Options{MergeIdle: time.Hour})
	s.WaitForUpkeep()
	if n := count(t, s, "head"); n != 750 {
		t.Errorf("%d resources are left, want 750", n)
	}
	if p := prune(t, s, 4); p.Versions+p.Resources+p.Sightings+p.Changes != 0 {
		t.Errorf("something was left: %+v", p)
	}
}

// TestRecordedAnewAfterItWent has a resource recorded again under a key whose
// number readers, the writer and the file knew.
func TestRecordedAnewAfterItWent(t *testing.T) {
	s := openWith(t, t.TempDir(), bolt.Options{MergeIdle: time.Hour})
	recordRounds(t, s, 4, 4)
	for range 2 {
		get(t, s, 3) // remembers its number
		if p := prune(t, s, 3); p.Resources != 1 {
			t.Fatalf("%+v", p)
		}
		if item := get(t, s, 3); item.Version != 0 {
			t.Fatalf("got %+v", item)
		}
		at := firstMoment + 3_000_000
		record(t, s, history.Batch{Observations: []history.Observation{observed(3, at, `"anew"`)}})
		for range 2 {
			if item := get(t, s, 3); item.Version != 1 || string(item.State.Configuration) != `"anew"` {
				t.Fatalf("got %+v", item)
			}
			if err := s.Merge(); err != nil {
				t.Fatal(err)
			}
		}
		o := observed(3, at, "")
		o.State = history.State{Deleted: true}
		record(t, s, history.Batch{Observations: []history.Observation{o}})
	}
}

// TestSeenWhileItIsToGo has a deletion seen again, at the very floor, after what
// was recorded was merged and before the resource's turn comes: it stays, for the
// log tells of it.
func TestSeenWhileItIsToGo(t *testing.T) {
	const resources = 1000
	dir := t.TempDir()
	s := openWith(t, dir, bolt.Options{MergeIdle: time.Hour})
	recordRounds(t, s, resources, 3)
	again := observed(resources-1, firstMoment+2_500_000, "")
	again.State = history.State{Deleted: true}
	p, err := s.Prune(context.Background(), history.PruneRequest{
		Floor: again.CapturedAt, Recorded: history.MomentOf(time.Now()),
		Progress: func(done, _ uint64) {
			if done < 300 {
				record(t, s, history.Batch{Observations: []history.Observation{again}})
			}
		},
	})
	if err != nil || p.Resources != 249 {
		t.Fatalf("%+v, %v", p, err)
	}
	if item := get(t, s, resources-1); item.LastSeenAt != again.CapturedAt {
		t.Errorf("got %+v", item)
	}
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	if item := get(t, s, resources-1); item.LastSeenAt != again.CapturedAt || item.Version != 3 {
		t.Errorf("merged: got %+v", item)
	}
	if p := prune(t, s, 3); p.Resources != 1 {
		t.Errorf("afterwards %+v", p)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Verify(context.Background(), dir, nil, func(f bolt.Finding) { t.Error(f) }); err != nil {
		t.Fatal(err)
	}
}

// TestLastSeenByARunThatIsDropped asks before and after: readers remember which
// resources have no sightings of their own.
func TestLastSeenByARunThatIsDropped(t *testing.T) {
	s := openWith(t, t.TempDir(), bolt.Options{MergeIdle: time.Hour})
	recordRounds(t, s, 4, 2)
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	want := get(t, s, 1).LastSeenAt
	if want != firstMoment+1_500_000 {
		t.Fatalf("last seen at %v", want)
	}
	prune(t, s, 2)
	if n := count(t, s, "seen"); n != 0 {
		t.Errorf("%d blocks of runs are left", n)
	}
	if got := get(t, s, 1).LastSeenAt; got != want {
		t.Errorf("last seen at %v, before the prune at %v", got, want)
	}
}

// TestVerifyPruned damages what pruning and erasing leave behind.
func TestVerifyPruned(t *testing.T) {
	pruned := func(t *testing.T) string {
		dir := t.TempDir()
		s := openWith(t, dir, bolt.Options{MergeIdle: time.Hour})
		recordRounds(t, s, 8, 6)
		_, err := s.Prune(context.Background(), history.PruneRequest{
			Floor: firstMoment + 4_000_000, Type: "t", Recorded: history.MomentOf(time.Now()),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range []uint32{5, 6} {
			if err := s.Erase(context.Background(), observed(1, 0, "").Key, version); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	first := func(f func(b *bbolt.Bucket, k, v []byte) error) func(bucket string) func(*bbolt.Tx) error {
		return func(bucket string) func(*bbolt.Tx) error {
			return func(tx *bbolt.Tx) error {
				b := tx.Bucket([]byte(bucket))
				k, v := b.Cursor().First()
				if k == nil {
					return fmt.Errorf("%s is empty", bucket)
				}
				return f(b, append([]byte(nil), k...), append([]byte(nil), v...))
			}
		}
	}
	flip := first(func(b *bbolt.Bucket, k, v []byte) error {
		v[len(v)/2] ^= 1
		return b.Put(k, v)
	})
	drop := first(func(b *bbolt.Bucket, k, _ []byte) error { return b.Delete(k) })
	for _, c := range []struct {
		name, bucket string
		damage       func(*bbolt.Tx) error
	}{
		{"Sound", "", func(*bbolt.Tx) error { return nil }},
		{"FlippedGone", "gone", flip("gone")},
		{"DroppedGone", "feed", drop("gone")},
		{"DroppedFeed", "feed", drop("feed")},
		{"FlippedSegment", "seg", flip("seg")},
		{"DroppedSpans", "span", drop("span")},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := pruned(t)
			edit(t, dir, c.damage)
			var list []bolt.Finding
			if _, err := bolt.Verify(context.Background(), dir, nil, func(f bolt.Finding) { list = append(list, f) }); err != nil {
				t.Fatal(err)
			}
			if c.bucket == "" && len(list) > 0 || c.bucket != "" && !named(list, c.bucket) {
				t.Errorf("found %v", list)
			}
		})
	}
	t.Run("FlippedFloors", func(t *testing.T) {
		dir := pruned(t)
		edit(t, dir, func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("meta"))
			v := append([]byte(nil), b.Get([]byte("floors"))...)
			v[len(v)-1] ^= 1
			return b.Put([]byte("floors"), v)
		})
		if _, err := bolt.Open(dir, bolt.Options{}); !errors.Is(err, history.DataLoss) {
			t.Errorf("got %v, want DataLoss", err)
		}
	})
}

// TestErasedContentIsInNoPageInUse looks for what an erased version held in
// every value of the file.
func TestErasedContentIsInNoPageInUse(t *testing.T) {
	const secret = "a-word-that-nobody-else-knows"
	s := openWith(t, t.TempDir(), bolt.Options{MergeIdle: time.Hour})
	for n := range 40 {
		text := fmt.Sprintf(`{"version":%d}`, n)
		if n == 17 {
			text = fmt.Sprintf(`{"password":%q,"version":%d}`, secret, n)
		}
		record(t, s, history.Batch{Observations: []history.Observation{observed(1, firstMoment+history.Moment(n), text)}})
	}
	holds := func() (found bool) {
		err := s.EachValue(func(v []byte) { found = found || bytes.Contains(v, []byte(secret)) })
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if !holds() {
		t.Fatal("the test cannot see what it looks for")
	}
	if err := s.Erase(context.Background(), observed(1, 0, "").Key, 18); err != nil {
		t.Fatal(err)
	}
	if holds() {
		t.Error("it is still there")
	}
}
