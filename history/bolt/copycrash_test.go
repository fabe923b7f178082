package bolt_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestCopySurvivesKill kills a process that compacts a store over and over, and
// one that restores a backup into a folder, at random moments. The store is
// there and sound each time; a restore is there whole, or not at all and can be
// begun again.
func TestCopySurvivesKill(t *testing.T) {
	kills := 20 * scale()
	if testing.Short() {
		kills = 6
	}
	s, dir := estateStore(t, 200, 8)
	backup := filepath.Join(memoryDir(t), "backup")
	if err := os.WriteFile(backup, backupOf(t, s), 0o600); err != nil {
		t.Fatal(err)
	}
	want := exported(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T, dir string) {
		t.Helper()
		sound(t, dir)
		s := openStore(t, dir)
		if !bytes.Equal(exported(t, s), want) {
			t.Fatal("the store tells something else")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, bolt.FileName+".new")); !errors.Is(err, os.ErrNotExist) {
			t.Error("the next one to open the store leaves the half copy there")
		}
	}
	t.Run("Compact", func(t *testing.T) {
		half := 0
		for range kills {
			killCopy(t, "compact", dir, "")
			if _, err := os.Stat(filepath.Join(dir, bolt.FileName+".new")); err == nil {
				half++
			}
			check(t, dir)
		}
		t.Logf("%d kills, %d of them amid a copy", kills, half)
	})
	t.Run("Restore", func(t *testing.T) {
		whole := 0
		for range kills {
			dir := filepath.Join(memoryDir(t), "new")
			killCopy(t, "restore", dir, backup)
			if _, err := os.Stat(filepath.Join(dir, bolt.FileName)); err == nil {
				whole++
			} else if err := restoreFile(backup, dir); err != nil {
				t.Fatal(err)
			}
			check(t, dir)
		}
		t.Logf("%d kills, %d of them after the end", kills, whole)
	})
}

// TestMigrationSurvivesKill kills a process that opens a store of format 1.
func TestMigrationSurvivesKill(t *testing.T) {
	kills := 20 * scale()
	if testing.Short() {
		kills = 4
	}
	want := frozenAnswers(t, "format1")
	migrated := 0
	for range kills {
		dir := memoryDir(t)
		thaw(t, "format1", dir)
		killCopy(t, "migrate", dir, "")
		if _, err := os.Stat(filepath.Join(dir, bolt.FileName+".v1")); err == nil {
			migrated++
		}
		s, err := bolt.Open(dir, bolt.Options{Now: frozenNow})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, answersOf(t, s)); d != "" {
			t.Fatalf("answers (-want +got):\n%s", d)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		sound(t, dir)
	}
	t.Logf("%d kills, %d of them after the end", kills, migrated)
}

// killCopy starts a process that copies, and kills it.
func killCopy(t *testing.T, what, dir, backup string) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestCopyingChild$")
	cmd.Env = append(os.Environ(), "VARVE_TEST_COPY="+what, "VARVE_TEST_DIR="+dir, "VARVE_TEST_BACKUP="+backup)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == "copying" {
			most := map[bool]int{true: 4_000, false: 30_000}[what == "migrate"]
			time.AfterFunc(time.Duration(rand.IntN(most))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		} else {
			t.Error(lines.Text())
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("the copying process was not killed: %v", err)
	}
}

// TestCopyingChild is that process.
func TestCopyingChild(t *testing.T) {
	what, dir := os.Getenv("VARVE_TEST_COPY"), os.Getenv("VARVE_TEST_DIR")
	if what == "" {
		return // run by the tests above
	}
	fmt.Println("copying")
	for what == "compact" {
		if _, err := bolt.Compact(context.Background(), dir, bolt.CopyOptions{}); err != nil {
			fmt.Println(err)
		}
	}
	var err error
	if what == "restore" {
		err = restoreFile(os.Getenv("VARVE_TEST_BACKUP"), dir)
	} else {
		_, err = bolt.Open(dir, bolt.Options{})
	}
	if err != nil {
		fmt.Println(err)
	}
	select {} // until it is killed
}

func restoreFile(backup, dir string) error {
	f, err := os.Open(backup)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = bolt.Restore(context.Background(), f, dir, bolt.CopyOptions{})
	return err
}

// exported is a digest of a store: each version of each resource, with all it
// holds.
func exported(t testing.TB, s *bolt.Store) []byte {
	t.Helper()
	ctx := context.Background()
	reader, err := s.AsOf(ctx, history.At{})
	if err != nil {
		t.Fatal(err)
	}
	items, _, err := reader.Items(ctx, history.Query{Deleted: true})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, i := range items {
		list, _, err := reader.History(ctx, i.Key, history.HistoryQuery{})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			fmt.Fprintf(&b, "%+v\n", v)
		}
	}
	return b.Bytes()
}
