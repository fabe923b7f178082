//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
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
	if want := []string{".other.17.part", ".saved.1.2.part", ".saved.18.part", ".saved.part", "saved"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
}
