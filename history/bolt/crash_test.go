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

// crashOp is what the process that is killed does. Whatever is done to a store
// gets a line in crashOps.
type crashOp struct {
	name string
	o    bolt.Options

	// beside, if set, is called over and over while batches are recorded; n
	// rises. An error ends the process, and with it the test.
	beside func(ctx context.Context, s *bolt.Store, n int) error

	// instead, if set, is called over and over, and nothing is recorded: for
	// what needs a closed store.
	instead func(ctx context.Context, dir string, n int) error

	// check, if set, looks at the store after each kill.
	check func(t *testing.T, s *bolt.Store)
}

var crashOps = []crashOp{
	{name: "ingest", o: bolt.Options{MergeIdle: time.Hour}},
	{name: "merge, late", o: bolt.Options{MergeRecords: 300, MergeIdle: time.Millisecond}},
	{name: "merge, at once", o: bolt.Options{MergeIdle: time.Hour},
		beside: func(_ context.Context, s *bolt.Store, _ int) error { return s.Merge() }},
	{name: "runs", o: bolt.Options{MergeRecords: 500, MergeIdle: time.Millisecond}, beside: crashRun, check: checkCrashRuns},
	{name: "open and close", instead: func(_ context.Context, dir string, _ int) error {
		s, err := bolt.Open(dir, bolt.Options{MergeIdle: time.Millisecond, MergeRecords: 1})
		if err != nil {
			return err
		}
		return errors.Join(s.Merge(), s.Close())
	}},
}

// crashRun opens a run, sees a little in it, and completes it: what it missed
// is deleted in the same commit.
func crashRun(ctx context.Context, s *bolt.Store, n int) error {
	id := history.RunID(fmt.Sprintf("run-%d-%d", os.Getpid(), n))
	run, err := s.OpenRun(ctx, history.Run{ID: id, Scope: history.Scope{Types: []string{"run"}}})
	if err != nil {
		return err
	}
	b := history.Batch{Run: id}
	for i := range 20 {
		if i%5 != n%5 {
			b.Observations = append(b.Observations, history.Observation{
				Key: history.Key{Type: "run", ID: fmt.Sprint(i)}, CapturedAt: run.Moment, State: history.State{Configuration: fmt.Append(nil, n/3)},
			})
		}
	}
	if _, err := s.Append(ctx, b); err != nil {
		return err
	}
	_, err = s.CloseRun(ctx, id, history.CompleteForced, "")
	return err
}

// checkCrashRuns looks whether what each complete run says of its moment holds.
func checkCrashRuns(t *testing.T, s *bolt.Store) {
	ctx := context.Background()
	runs, _, err := s.Runs(ctx, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		if run.State != history.RunComplete {
			continue
		}
		r, err := s.AsOf(ctx, history.At{Captured: run.Moment})
		if err != nil {
			t.Fatal(err)
		}
		items, _, err := r.Items(ctx, history.Query{Type: "run"})
		if err != nil || len(items) != 16 || run.Observed != 16 {
			t.Errorf("run %s saw %d resources, %d are alive at its moment: %v", run.ID, run.Observed, len(items), err)
		}
	}
}

// TestSurvivesKill kills a process that works on a store at random moments, and
// looks for everything it had acknowledged. The same store is killed over and
// over, so that recovery itself is killed as well.
func TestSurvivesKill(t *testing.T) {
	kills := 50 * scale()
	if testing.Short() {
		kills = 10
	}
	dir := t.TempDir()
	acked := 0 // batches
	for kill := range kills {
		op := kill % len(crashOps)
		acked = killOnce(t, dir, op, acked)
		findings := 0
		if _, err := bolt.Verify(context.Background(), dir, func(f bolt.Finding) {
			findings++
			t.Errorf("kill %d: %v", kill, f)
		}); err != nil {
			t.Fatalf("kill %d: %v", kill, err)
		}
		present := countBatches(t, dir, kill, crashOps[op].check)
		if present < acked {
			t.Fatalf("kill %d (%s): %d batches were acknowledged, %d are there", kill, crashOps[op].name, acked, present)
		}
		if findings > 0 {
			t.FailNow()
		}
		acked = present
	}
	t.Logf("%d kills across %d operations, %d batches acknowledged, none lost", kills, len(crashOps), acked)
}

// scale is VARVE_SCALE, by which long tests are made longer.
func scale() int {
	n, err := strconv.ParseFloat(os.Getenv("VARVE_SCALE"), 64)
	return max(1, int(n)*btoi(err == nil))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// killOnce starts the process with an operation, kills it, and returns how many
// batches it had acknowledged.
func killOnce(t *testing.T, dir string, op, from int) int {
	cmd := exec.Command(os.Args[0], "-test.run=^TestRecordingChild$")
	cmd.Env = append(os.Environ(), "VARVE_TEST_CHILD="+dir, fmt.Sprint("VARVE_TEST_OP=", op), fmt.Sprint("VARVE_TEST_FROM=", from))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked, underWay := from, false
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, ok := strings.CutPrefix(lines.Text(), "acked ")
		if !ok {
			continue
		}
		if !underWay {
			underWay = true
			time.AfterFunc(time.Duration(rand.IntN(60_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		}
		if acked, err = strconv.Atoi(n); err != nil {
			t.Fatal(err)
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the recording process was not killed: %v", err)
	}
	return acked
}

const (
	crashResources = 40
	crashBatch     = 12
)

// crashBatchOf makes batch n: observations told apart by what they hold, some
// of them captured late, some equal to one before.
func crashBatchOf(n int) history.Batch {
	b := history.Batch{Op: history.OpID{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 1}}
	for i := range crashBatch {
		x := n*crashBatch + i
		captured := history.Moment(1_600_000_000_000_000 + int64(x)*1_000_000)
		if x%5 == 0 {
			captured -= 3_600_000_000
		}
		b.Observations = append(b.Observations, history.Observation{
			Key:        history.Key{Account: "a", Type: "t", ID: fmt.Sprint("r", x%crashResources)},
			CapturedAt: captured,
			State:      history.State{Configuration: fmt.Appendf(nil, `{"batch":%d,"filler":"%s","n":%d}`, n, strings.Repeat("x", x%700), i)},
		})
	}
	return b
}

// TestRecordingChild is the recording process of TestSurvivesKill.
func TestRecordingChild(t *testing.T) {
	dir := os.Getenv("VARVE_TEST_CHILD")
	if dir == "" {
		return // not asked to be one
	}
	from, _ := strconv.Atoi(os.Getenv("VARVE_TEST_FROM"))
	n, _ := strconv.Atoi(os.Getenv("VARVE_TEST_OP"))
	op := crashOps[n]
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, op.name+":", err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	if op.instead != nil {
		fmt.Println("acked", from)
		for n := 0; ; n++ {
			fail(op.instead(ctx, dir, n))
		}
	}
	op.o.LockTimeout = 10 * time.Second
	s, err := bolt.Open(dir, op.o)
	fail(err)
	if op.beside != nil {
		go func() {
			for n := 0; ; n++ {
				fail(op.beside(ctx, s, n))
			}
		}()
	}
	for n := from; ; n++ {
		receipt, err := s.Append(ctx, crashBatchOf(n))
		fail(err)
		for _, r := range receipt.Results {
			fail(r.Err)
		}
		fmt.Println("acked", n+1)
	}
}

// countBatches opens the store and returns how many batches, from the first on,
// are in it whole. One that is there in part fails the test.
func countBatches(t *testing.T, dir string, kill int, check func(*testing.T, *bolt.Store)) int {
	s, err := bolt.Open(dir, bolt.Options{MergeIdle: time.Hour})
	if err != nil {
		t.Fatalf("kill %d: %v", kill, err)
	}
	defer s.Close()
	if check != nil {
		check(t, s)
	}
	ctx := context.Background()
	reader, err := s.AsOf(ctx, history.At{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]int{}
	for r := range crashResources {
		k := history.Key{Account: "a", Type: "t", ID: fmt.Sprint("r", r)}
		items, _, err := reader.History(ctx, k, history.HistoryQuery{})
		if err != nil {
			t.Fatalf("kill %d: %v", kill, err)
		}
		for _, item := range items {
			var batch, n int
			var filler string
			_, err := fmt.Sscanf(strings.NewReplacer(`"`, " ", ",", " ", "{", " ", "}", " ").Replace(string(item.State.Configuration)),
				" batch :%d filler : %s n :%d", &batch, &filler, &n)
			if err != nil {
				// No filler: it reads as the member after it.
				if _, err = fmt.Sscanf(string(item.State.Configuration), `{"batch":%d,"filler":"","n":%d}`, &batch, &n); err != nil {
					t.Fatalf("kill %d: %s: %v", kill, item.State.Configuration, err)
				}
			}
			found[batch]++
		}
	}
	n := 0
	for found[n] == crashBatch {
		n++
	}
	if len(found) > n {
		t.Fatalf("kill %d: batch %d is there in part (%d of %d), or one before it is missing", kill, n, found[n], crashBatch)
	}
	return n
}
