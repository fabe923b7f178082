package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
)

// Somebody who stops a command reads that, and not what stopping did inside.
func TestInterrupted(t *testing.T) {
	addr, folder := startDaemon(t), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{
		{"backup", filepath.Join(folder, "saved")},
		{"prune", "--older-than", "1y", "--dry-run"},
	} {
		var out, errs bytes.Buffer
		a := &app{stdout: &out, stderr: &errs}
		if code := a.run(ctx, append([]string{"--addr", addr}, args...)); code != exitRefused || errs.String() != "varve: interrupted\n" {
			t.Errorf("%v: exit code %d, %q", args, code, errs.String())
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
