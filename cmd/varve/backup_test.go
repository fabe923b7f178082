//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// A backup removes what one of the same file left that was killed, and nothing else.
func TestBackupSweeps(t *testing.T) {
	addr, folder := startDaemon(t), t.TempDir()
	for _, name := range []string{".saved.17.part", ".saved.18.part", ".saved.part", ".saved.1.2.part", ".other.17.part"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(unix.Mkfifo(filepath.Join(folder, ".saved.5.part"), 0o600), os.Symlink(".other.17.part", filepath.Join(folder, ".saved.6.part"))); err != nil {
		t.Fatal(err)
	}
	written, err := os.Open(filepath.Join(folder, ".saved.18.part"))
	if err != nil {
		t.Fatal(err)
	}
	defer written.Close()
	if err := unix.Flock(int(written.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	a := &app{stdout: &out, stderr: &errs}
	if code := a.run(t.Context(), []string{"--addr", addr, "backup", filepath.Join(folder, "saved")}); code != exitDone {
		t.Fatalf("exit code %d, %q", code, errs.String())
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{".other.17.part", ".saved.1.2.part", ".saved.18.part", ".saved.5.part", ".saved.6.part", ".saved.part", "saved"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
}

// TestBackupsOfOneFile begins many backups of the same file at once: none removes what
// another has just begun to write.
func TestBackupsOfOneFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "saved")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				sweepParts(name)
				f, err := newPart(name)
				if err != nil {
					t.Error(err)
					return
				}
				sweepParts(name)
				if _, err := os.Lstat(f.Name()); err != nil {
					t.Error(err)
				}
				if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
