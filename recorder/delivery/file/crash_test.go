package file_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/file"
)

// TestMain is also the program that TestCrash kills and TestDisk watches.
func TestMain(m *testing.M) {
	if url := os.Getenv("FILE_TARGET"); url != "" {
		first, _ := strconv.Atoi(os.Getenv("FILE_FIRST"))
		run := func() error { return deliverForEver(url, first) }
		if count, err := strconv.Atoi(os.Getenv("FILE_COUNT")); err == nil {
			run = func() error { return deliverMany(url, count) }
		}
		if err := run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func line(n int) string {
	return fmt.Sprintf(`{"n":%d,"pad":"%s"}`, n, strings.Repeat("x", n*7919%3000))
}

// deliverForEver tells on standard output what was delivered.
func deliverForEver(url string, n int) error {
	target, err := file.New(file.Options{URL: url})
	if err != nil {
		return err
	}
	for ; ; n++ {
		if err := target.Deliver(context.Background(), delivery.Message{Body: []byte(line(n))}); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// TestCrash: whenever the program is killed, what it said was delivered is in the
// files, in order, and there are whole lines only.
func TestCrash(t *testing.T) {
	kills := 12
	if testing.Short() {
		kills = 3
	}
	path := filepath.Join(t.TempDir(), "x")
	url := "file://" + path + "?size=20KiB&keep=100000&gzip=true"
	last := -1 // delivered
	for range kills {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "FILE_TARGET="+url, "FILE_FIRST="+strconv.Itoa(last+1))
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		upTo := last + 1 + rand.IntN(60)
		for s := bufio.NewScanner(out); s.Scan(); {
			if last, err = strconv.Atoi(s.Text()); err != nil {
				t.Fatal(err)
			}
			if last == upTo {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := child.Wait(); child.ProcessState.Exited() {
			t.Fatalf("ended by itself: %v", err)
		}
	}
	target := newTarget(t, file.Options{URL: url})
	deliver(t, target, line(last+1))
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	next := 0 // a line may come twice: it was written, but that was not told any more
	for i, got := range lines(t, path) {
		switch got {
		case line(next):
			next++
		case line(next - 1):
		default:
			t.Fatalf("line %d: %.60s, want %.60s", i, got, line(next))
		}
	}
	if next != last+2 {
		t.Errorf("%d lines, %d were delivered", next, last+2)
	}
	t.Logf("%d lines, %d kills", next, kills)
}
