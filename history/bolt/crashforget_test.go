package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

const (
	pruneResources = 400
	pruneDistance  = 6 // rounds that are kept
)

// pruneMoment is when the observations of a round are captured: far in the past,
// so that floors are.
func pruneMoment(round int) history.Moment {
	return history.Moment(1_600_000_000_000_000 + int64(round)*1_000_000)
}

// pruneState is the state of a resource in a round: some are deleted at times,
// for longer than what is kept reaches, some do not change every time.
func pruneState(r, round int) history.State {
	if r%4 == 0 && (round+r)%24 >= 12 {
		return history.State{Deleted: true}
	}
	return history.State{Configuration: fmt.Appendf(nil, `{"filler":"%s","resource":%d,"round":%d}`,
		strings.Repeat("x", (r*7+round)%300), r, round-round%(1+r%3))}
}

// crashPrune works on a store of its own, for a prune of all types raises the
// floor of all that is recorded: it records round after round and prunes what
// lies some rounds back, and folds, while one resource is erased.
func crashPrune(ctx context.Context, dir string, round int, done func(int)) error {
	s, err := bolt.Open(dir+".pruned", bolt.Options{Linker: testLinker, MergeRecords: 300, MergeIdle: time.Millisecond, LockTimeout: 10 * time.Second})
	if err != nil {
		return err
	}
	pruned := make(chan error, 1)
	pruned <- nil
	for ; ; round++ {
		for first := 0; first < pruneResources; first += 100 {
			b := history.Batch{Op: history.OpID{byte(round >> 8), byte(round), byte(first / 100), 1}}
			for r := first; r < first+100; r++ {
				b.Observations = append(b.Observations, history.Observation{
					Key: pruneKey(r), CapturedAt: pruneMoment(round), State: pruneState(r, round),
				})
			}
			if err := appendAll(ctx, s, b); err != nil {
				return err
			}
		}
		done(round + 1)
		select {
		case err := <-pruned:
			if err != nil {
				return err
			}
			go func() {
				_, err := s.Prune(ctx, history.PruneRequest{Floor: pruneMoment(max(0, round-pruneDistance)), Recorded: history.MomentOf(time.Now())})
				if err == nil {
					_, err = s.Fold(ctx, history.MomentOf(time.Now()))
				}
				pruned <- err
			}()
		default:
		}
		if round%3 == 0 {
			if err := eraseNewest(ctx, s, pruneKey(1)); err != nil && !errors.Is(err, history.Compacted) {
				return err
			}
		}
	}
}

// eraseNewest erases the newest version of a resource, if there is one.
func eraseNewest(ctx context.Context, s *bolt.Store, k history.Key) error {
	reader, err := s.AsOf(ctx, history.At{})
	if err != nil {
		return err
	}
	items, err := reader.Get(ctx, []history.Key{k}, history.FieldsHead)
	if err != nil || !items[0].Exists() {
		return err
	}
	return s.Erase(ctx, k, items[0].Version)
}

// appendAll records a batch of which nothing may be refused.
func appendAll(ctx context.Context, s *bolt.Store, b history.Batch) error {
	receipt, err := s.Append(ctx, b)
	for i := 0; err == nil && i < len(receipt.Results); i++ {
		err = receipt.Results[i].Err
	}
	return err
}

func pruneKey(r int) history.Key {
	return history.Key{Account: "a", Type: fmt.Sprint("t", r%3), ID: fmt.Sprint("r", r)}
}

// checkCrashPrune opens the pruned store, waits until the prune is finished by
// another one, and compares what is there above the floor.
func checkCrashPrune(t *testing.T, dir string, _ *bolt.Store, rounds int) {
	dir += ".pruned"
	if !bolt.Made(t, dir) {
		return // killed before it was made
	}
	sound(t, dir)
	ctx := context.Background()
	s, err := bolt.Open(dir, bolt.Options{Linker: testLinker})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	compare := func() {
		t.Helper()
		floors, err := s.Floors(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for round := rounds - 1; round >= 0 && pruneMoment(round) >= floors.Captured; round-- {
			reader, err := s.AsOf(ctx, history.At{Captured: pruneMoment(round)})
			if err != nil {
				t.Fatal(err)
			}
			for r := range pruneResources {
				items, err := reader.Get(ctx, []history.Key{pruneKey(r)}, history.FieldsAll)
				if err != nil {
					t.Fatal(err)
				}
				want, got := pruneState(r, round), &items[0]
				if want.Deleted == got.Exists() || got.Exists() && !got.Erased && string(got.State.Configuration) != string(want.Configuration) {
					t.Fatalf("resource %d in round %d of %d: got %+v, want %s", r, round, rounds, got, want.Configuration)
				}
				if got.Erased && r != 1 {
					t.Fatalf("resource %d is erased", r)
				}
			}
		}
	}
	compare()
	floors, err := s.Floors(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if floors.Captured == 0 {
		return
	}
	if _, err := s.Prune(ctx, history.PruneRequest{Floor: floors.Captured}); err != nil {
		t.Fatal(err)
	}
	again, err := s.Prune(ctx, history.PruneRequest{Floor: floors.Captured})
	if err != nil || again.Versions+again.Sightings+again.Resources+again.Changes != 0 {
		t.Fatalf("a prune after one that finished: %+v, %v", again, err)
	}
	compare()
}

const (
	eraseResources = 7
	secret         = "a secret"
)

// crashErase records a version when the one before it is erased.
func crashErase(ctx context.Context, _ string, s *bolt.Store, n int) error {
	k := history.Key{Type: "erase", ID: fmt.Sprint(n % eraseResources)}
	if err := eraseNewest(ctx, s, k); err != nil {
		return err
	}
	return appendAll(ctx, s, history.Batch{Observations: []history.Observation{{
		Key: k, CapturedAt: pruneMoment(n), State: history.State{Configuration: fmt.Appendf(nil, `{"n":%d,"password":%q}`, n, secret)},
	}}})
}

// checkCrashErase looks for versions that are there but should not be read.
func checkCrashErase(t *testing.T, _ string, s *bolt.Store, done int) {
	ctx := context.Background()
	reader, err := s.AsOf(ctx, history.At{})
	if err != nil {
		t.Fatal(err)
	}
	for r := range eraseResources {
		items, _, err := reader.History(ctx, history.Key{Type: "erase", ID: fmt.Sprint(r)}, history.HistoryQuery{})
		if err != nil && !errors.Is(err, history.NotFound) {
			t.Fatal(err)
		}
		if want := (done + eraseResources - 1 - r) / eraseResources; len(items) < want {
			t.Errorf("resource %d has %d versions, %d were acknowledged", r, len(items), want)
		}
		for _, i := range items {
			if newest := int(i.Version) == len(items); !newest && !i.Erased || i.Erased && len(i.State.Configuration) > 0 {
				t.Errorf("version %d of %d was erased, and is %+v", i.Version, len(items), i)
			}
		}
	}
}

var foldKey = history.Key{Type: "fold", ID: "r"}

// crashFold sees a resource as it was, and folds what was seen before.
func crashFold(ctx context.Context, _ string, s *bolt.Store, n int) error {
	err := appendAll(ctx, s, history.Batch{Observations: []history.Observation{{
		Key: foldKey, CapturedAt: pruneMoment(n), State: history.State{Configuration: []byte(`{}`)},
	}}})
	if err == nil {
		_, err = s.Fold(ctx, history.MomentOf(time.Now()))
	}
	return err
}

// checkCrashFold looks when the resource was first and last seen.
func checkCrashFold(t *testing.T, _ string, s *bolt.Store, done int) {
	ctx := context.Background()
	reader, err := s.AsOf(ctx, history.At{})
	if err != nil {
		t.Fatal(err)
	}
	items, err := reader.Get(ctx, []history.Key{foldKey}, history.FieldsAll)
	if err != nil {
		t.Fatal(err)
	}
	if i := items[0]; done > 0 && (i.Version != 1 || i.CapturedAt != pruneMoment(0) || i.LastSeenAt < pruneMoment(done-1)) {
		t.Errorf("%d sightings were acknowledged, the last at %v: %+v", done, pruneMoment(done-1), i)
	}
}
