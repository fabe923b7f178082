package bolt_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestPruneSurvivesKill kills a process that records and prunes, at random. What
// was acknowledged above the floor that was asked for last is there, the store
// is sound, and a prune that was cut short finishes when the store is next open.
func TestPruneSurvivesKill(t *testing.T) {
	kills := 40 * scale()
	if testing.Short() {
		kills = 5
	}
	dir := t.TempDir()
	round := 0
	for kill := range kills {
		round = killPruning(t, dir, round)
		if _, err := bolt.Verify(context.Background(), dir, func(f bolt.Finding) { t.Errorf("kill %d: %v", kill, f) }); err != nil {
			t.Fatalf("kill %d: %v", kill, err)
		}
		checkPruned(t, dir, kill, round)
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d kills, %d rounds", kills, round)
}

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

// killPruning starts the pruning process, kills it, and returns how many rounds
// it had acknowledged.
func killPruning(t *testing.T, dir string, from int) int {
	cmd := exec.Command(os.Args[0], "-test.run=^TestPruningChild$")
	cmd.Env = append(os.Environ(), "VARVE_TEST_PRUNING_CHILD="+dir, fmt.Sprint("VARVE_TEST_FROM=", from))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked, begun := from, false
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, ok := strings.CutPrefix(lines.Text(), "acked ")
		if !ok {
			continue
		}
		if acked, err = strconv.Atoi(n); err != nil {
			t.Fatal(err)
		}
		if !begun {
			begun = true
			time.AfterFunc(time.Duration(rand.IntN(250_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the pruning process was not killed: %v", err)
	}
	return acked
}

// TestPruningChild is the process of TestPruneSurvivesKill: it records round
// after round and prunes what lies some rounds back, and folds and erases.
func TestPruningChild(t *testing.T) {
	dir := os.Getenv("VARVE_TEST_PRUNING_CHILD")
	if dir == "" {
		return // not asked to be one
	}
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	from, err := strconv.Atoi(os.Getenv("VARVE_TEST_FROM"))
	check(err)
	s, err := bolt.Open(dir, bolt.Options{MergeRecords: 300, MergeIdle: time.Millisecond, LockTimeout: 10 * time.Second})
	check(err)
	pruned := make(chan error, 1)
	pruned <- nil
	for round := from; ; round++ {
		for first := 0; first < pruneResources; first += 100 {
			b := history.Batch{Op: history.OpID{byte(round >> 8), byte(round), byte(first / 100), 1}}
			for r := first; r < first+100; r++ {
				b.Observations = append(b.Observations, history.Observation{
					Key: pruneKey(r), CapturedAt: pruneMoment(round), State: pruneState(r, round),
				})
			}
			receipt, err := s.Append(ctx, b)
			check(err)
			for _, r := range receipt.Results {
				check(r.Err)
			}
		}
		fmt.Println("acked", round+1)
		select {
		case err := <-pruned:
			check(err)
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
			reader, err := s.AsOf(ctx, history.At{})
			check(err)
			items, err := reader.Get(ctx, []history.Key{pruneKey(1)}, history.FieldsHead)
			if errors.Is(err, history.Compacted) {
				continue
			}
			check(err)
			check(s.Erase(ctx, pruneKey(1), items[0].Version))
		}
	}
}

func pruneKey(r int) history.Key {
	return history.Key{Account: "a", Type: fmt.Sprint("t", r%3), ID: fmt.Sprint("r", r)}
}

// checkPruned opens the store, waits until the prune is finished by another one,
// and compares what is there above the floor.
func checkPruned(t *testing.T, dir string, kill, rounds int) {
	ctx := context.Background()
	s, err := bolt.Open(dir, bolt.Options{})
	if err != nil {
		t.Fatalf("kill %d: %v", kill, err)
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
				t.Fatalf("kill %d: %v", kill, err)
			}
			for r := range pruneResources {
				items, err := reader.Get(ctx, []history.Key{pruneKey(r)}, history.FieldsAll)
				if err != nil {
					t.Fatalf("kill %d: %v", kill, err)
				}
				want, got := pruneState(r, round), &items[0]
				if want.Deleted == got.Exists() || got.Exists() && !got.Erased && string(got.State.Configuration) != string(want.Configuration) {
					t.Fatalf("kill %d: resource %d in round %d of %d: got %+v, want %s", kill, r, round, rounds, got, want.Configuration)
				}
				if got.Erased && r != 1 {
					t.Fatalf("kill %d: resource %d is erased", kill, r)
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
		t.Fatalf("kill %d: %v", kill, err)
	}
	again, err := s.Prune(ctx, history.PruneRequest{Floor: floors.Captured})
	if err != nil || again.Versions+again.Sightings+again.Resources+again.Changes != 0 {
		t.Fatalf("kill %d: a prune after one that finished: %+v, %v", kill, again, err)
	}
	compare()
}
