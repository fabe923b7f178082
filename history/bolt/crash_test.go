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

// TestSurvivesKill kills a recording process at random moments, merges
// included, and looks for everything it had acknowledged. The same store is
// killed over and over, so that recovery itself is killed as well.
func TestSurvivesKill(t *testing.T) {
	kills := 100 * scale()
	if testing.Short() {
		kills = 10
	}
	dir := t.TempDir()
	acked := 0 // batches
	for kill := range kills {
		acked = killOnce(t, dir, acked)
		findings := 0
		if _, err := bolt.Verify(context.Background(), dir, func(f bolt.Finding) {
			findings++
			t.Errorf("kill %d: %v", kill, f)
		}); err != nil {
			t.Fatalf("kill %d: %v", kill, err)
		}
		present := countBatches(t, dir, kill)
		if present < acked {
			t.Fatalf("kill %d: %d batches were acknowledged, %d are there", kill, acked, present)
		}
		if findings > 0 {
			t.FailNow()
		}
		acked = present
	}
	t.Logf("%d kills, %d batches", kills, acked)
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

// killOnce starts the recording process, kills it, and returns how many batches
// it had acknowledged.
func killOnce(t *testing.T, dir string, from int) int {
	cmd := exec.Command(os.Args[0], "-test.run=^TestRecordingChild$")
	cmd.Env = append(os.Environ(), "VARVE_TEST_CHILD="+dir, fmt.Sprint("VARVE_TEST_FROM=", from))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked := from
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, ok := strings.CutPrefix(lines.Text(), "acked ")
		if !ok {
			continue
		}
		if acked == from { // it is under way
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
	s, err := bolt.Open(dir, bolt.Options{MergeRecords: 300, MergeIdle: time.Millisecond, LockTimeout: 10 * time.Second})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for n := from; ; n++ {
		receipt, err := s.Append(context.Background(), crashBatchOf(n))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for _, r := range receipt.Results {
			if r.Err != nil {
				fmt.Fprintln(os.Stderr, r.Err)
				os.Exit(1)
			}
		}
		fmt.Println("acked", n+1)
	}
}

// countBatches opens the store and returns how many batches, from the first on,
// are in it whole. One that is there in part fails the test.
func countBatches(t *testing.T, dir string, kill int) int {
	s, err := bolt.Open(dir, bolt.Options{MergeIdle: time.Hour})
	if err != nil {
		t.Fatalf("kill %d: %v", kill, err)
	}
	defer s.Close()
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
