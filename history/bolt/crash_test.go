package bolt_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
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

	// beside, if set, is called over and over while batches are recorded. An
	// error ends the process, and with it the test.
	beside func(ctx context.Context, dir string, s *bolt.Store, n int) error

	// instead, if set, goes on until the process is killed, and nothing is
	// recorded: for what needs a closed store, or one of its own beside dir. It
	// begins at n and tells done how far it has come.
	instead func(ctx context.Context, dir string, n int, done func(int)) error

	// check, if set, looks after each kill at the store, and at what else there
	// is. done tells how far beside or instead had come, over all processes; the
	// next one goes on with n from there.
	check func(t *testing.T, dir string, s *bolt.Store, done int)

	within time.Duration // of its beginning, the process is killed; 0: crashWithin
}

const crashWithin = 60 * time.Millisecond

var crashOps = []crashOp{
	{name: "ingest", o: bolt.Options{Linker: testLinker, MergeIdle: time.Hour}},
	{name: "merge, late", o: bolt.Options{Linker: testLinker, MergeRecords: 300, MergeIdle: time.Millisecond}},
	{name: "merge, at once", o: bolt.Options{Linker: testLinker, MergeIdle: time.Hour},
		beside: func(_ context.Context, _ string, s *bolt.Store, _ int) error { return s.Merge() }},
	{name: "documents", o: bolt.Options{Linker: testLinker, MergeIdle: time.Millisecond}, beside: crashDocuments,
		check: func(t *testing.T, _ string, s *bolt.Store, done int) { checkCrashDocuments(t, s, done) }},
	{name: "runs", o: bolt.Options{Linker: testLinker, MergeRecords: 500, MergeIdle: time.Millisecond}, beside: crashRun, check: checkCrashRuns},
	{name: "open and close", instead: again(func(_ context.Context, dir string, _ int) error {
		s, err := bolt.Open(dir, bolt.Options{Linker: testLinker, MergeIdle: time.Millisecond, MergeRecords: 1})
		if err != nil {
			return err
		}
		return errors.Join(s.Merge(), s.Close())
	})},
	{name: "prune", instead: crashPrune, check: checkCrashPrune, within: 250 * time.Millisecond},
	{name: "erase", o: bolt.Options{Linker: testLinker, MergeIdle: time.Millisecond}, beside: crashErase, check: checkCrashErase},
	{name: "fold", o: bolt.Options{Linker: testLinker, MergeIdle: time.Millisecond}, beside: crashFold, check: checkCrashFold, within: 150 * time.Millisecond},
	{name: "backup", o: bolt.Options{Linker: testLinker, MergeIdle: time.Millisecond}, beside: crashBackup, check: checkCrashBackup, within: 250 * time.Millisecond},
	{name: "restore", instead: again(crashRestore), check: checkCrashRestore, within: 150 * time.Millisecond},
	{name: "compact", instead: again(func(ctx context.Context, dir string, _ int) error {
		_, err := bolt.Compact(ctx, dir, bolt.CopyOptions{})
		return err
	})},
	{name: "migrate", instead: again(crashMigrate), check: checkCrashMigrate, within: 150 * time.Millisecond},
}

// again does something over and over.
func again(f func(ctx context.Context, dir string, n int) error) func(context.Context, string, int, func(int)) error {
	return func(ctx context.Context, dir string, n int, done func(int)) error {
		for ; ; n++ {
			if err := f(ctx, dir, n); err != nil {
				return err
			}
			done(n + 1)
		}
	}
}

// crashRun opens a run, sees a little in it, and completes it: what it missed
// is deleted in the same commit.
func crashRun(ctx context.Context, _ string, s *bolt.Store, n int) error {
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
func checkCrashRuns(t *testing.T, _ string, s *bolt.Store, _ int) {
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
// looks for everything it had acknowledged. The same store is killed by each
// operation a few times, so that recovery itself is killed as well; then, for it
// has grown, comes another one.
func TestSurvivesKill(t *testing.T) {
	kills := 5 * len(crashOps) * scale()
	if testing.Short() {
		kills = len(crashOps)
	}
	var (
		dir            string
		acked, batches int   // of this store, of all before
		done, ends     []int // by operation
	)
	ends = make([]int, len(crashOps))
	for kill := range kills {
		n := kill % len(crashOps)
		if kill%(2*len(crashOps)) == 0 {
			batches += acked
			if dir != "" {
				_ = os.RemoveAll(filepath.Dir(dir)) // it needs memory
			}
			dir, acked, done = filepath.Join(memoryDir(t), "store"), 0, make([]int, len(crashOps))
		}
		before := done[n]
		op := &crashOps[n]
		acked, done[n] = killOnce(t, dir, n, acked, done[n])
		ends[n] += done[n] - before
		if _, err := os.Stat(dir); err != nil {
			continue // killed before it was made
		}
		sound(t, dir)
		s, err := bolt.Open(dir, bolt.Options{Linker: testLinker, MergeIdle: time.Hour})
		if err != nil {
			t.Fatalf("kill %d (%s): %v", kill, op.name, err)
		}
		if op.check != nil {
			op.check(t, dir, s, done[n])
		}
		checkCrashDocuments(t, s, done[documentsOp])
		present := countBatches(t, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if present < acked {
			t.Errorf("%d batches were acknowledged, %d are there", acked, present)
		}
		if _, err := os.Stat(filepath.Join(dir, bolt.FileName+".new")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the next one to open the store leaves a half copy there: %v", err)
		}
		if t.Failed() {
			t.Fatalf("that was kill %d (%s)", kill, op.name)
		}
		acked = present
	}
	t.Logf("%d kills across %d operations, %d batches acknowledged, none lost", kills, len(crashOps), batches+acked)
	for n, op := range crashOps {
		if op.check == nil {
			continue
		}
		t.Logf("%s: %d times to its end", op.name, ends[n])
		if ends[n] == 0 && kills >= 20*len(crashOps) {
			t.Errorf("%s never came to its end", op.name)
		}
	}
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
// batches it had acknowledged, and how often it had done what it does beside or
// instead.
func killOnce(t *testing.T, dir string, op, acked, done int) (int, int) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestRecordingChild$")
	cmd.Env = append(os.Environ(), "VARVE_TEST_CHILD="+dir,
		fmt.Sprint("VARVE_TEST_OP=", op), fmt.Sprint("VARVE_TEST_FROM=", acked), fmt.Sprint("VARVE_TEST_DONE=", done))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	within := cmp.Or(crashOps[op].within, crashWithin)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, number, _ := strings.Cut(lines.Text(), " ")
		n, _ := strconv.Atoi(number)
		switch word {
		case "begun":
			time.AfterFunc(rand.N(within), func() { _ = cmd.Process.Kill() })
		case "acked":
			acked = n
		case "done":
			done = n
		default:
			t.Error(lines.Text())
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the recording process was not killed: %v", err)
	}
	return acked, done
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
			State:      history.State{Configuration: crashConfiguration(n, i)},
		})
	}
	return b
}

func crashConfiguration(batch, n int) []byte {
	return fmt.Appendf(nil, `{"batch":%d,"filler":"%s","n":%d}`, batch, strings.Repeat("x", (batch*crashBatch+n)%700), n)
}

// TestRecordingChild is the recording process of TestSurvivesKill.
func TestRecordingChild(t *testing.T) {
	dir := os.Getenv("VARVE_TEST_CHILD")
	if dir == "" {
		return // not asked to be one
	}
	from, _ := strconv.Atoi(os.Getenv("VARVE_TEST_FROM"))
	done, _ := strconv.Atoi(os.Getenv("VARVE_TEST_DONE"))
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
		fmt.Println("begun")
		fail(op.instead(ctx, dir, done, func(n int) { fmt.Println("done", n) }))
	}
	op.o.LockTimeout = 10 * time.Second
	s, err := bolt.Open(dir, op.o)
	fail(err)
	if op.beside != nil {
		go func() {
			for n := done; ; n++ {
				fail(op.beside(ctx, dir, s, n))
				fmt.Println("done", n+1)
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
		if n == from {
			fmt.Println("begun")
		}
	}
}

// countBatches returns how many batches, from the first on, are in a store whole.
// One that is there in part fails the test.
func countBatches(t *testing.T, s *bolt.Store) int {
	t.Helper()
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
			t.Fatal(err)
		}
		for _, item := range items {
			var doc struct{ Batch, N int }
			if err := json.Unmarshal(item.State.Configuration, &doc); err != nil {
				t.Fatalf("%s: %v", item.State.Configuration, err)
			}
			x := doc.Batch*crashBatch + doc.N
			if doc.N >= crashBatch || x%crashResources != r || !bytes.Equal(item.State.Configuration, crashConfiguration(doc.Batch, doc.N)) {
				t.Fatalf("resource %d was never like %s", r, item.State.Configuration)
			}
			found[doc.Batch]++
		}
	}
	n := 0
	for found[n] == crashBatch {
		n++
	}
	if len(found) > n {
		t.Fatalf("batch %d is there in part (%d of %d), or one before it is missing", n, found[n], crashBatch)
	}
	return n
}
