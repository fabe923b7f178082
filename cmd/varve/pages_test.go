package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// writeLines writes a file of observations: n resources of type T, and versions
// versions of one resource of type V.
func writeLines(t *testing.T, n, versions, size int) string {
	t.Helper()
	var b bytes.Buffer
	filler := strings.Repeat("x", size)
	for i := range n {
		fmt.Fprintf(&b, `{"time":"2026-07-01T00:00:00Z","type":"T","id":"%05d","configuration":"%s"}`+"\n", i, filler)
	}
	for i := range versions {
		fmt.Fprintf(&b, `{"time":"2026-07-01T00:%02d:%02dZ","type":"V","id":"v","configuration":%d}`+"\n", i/60, i%60, i)
	}
	file := filepath.Join(t.TempDir(), "lines.ndjson")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Answers of many pages are whole, and limits cut where they say.
func TestPages(t *testing.T) {
	addr := startDaemon(t)
	if code, out, errs := varve(addr, "import", writeLines(t, 2500, 250, 0)); code != 0 {
		t.Fatalf("%s%s", out, errs)
	}
	for _, tt := range []struct {
		line string
		mark string // occurs once for each element of the answer
		want int
	}{
		{"list --type T -o json", `"id":`, 2500},
		{"list", "2026-07-01T00:", 2501},
		{"history V v -o json", `"version":`, 100},
		{"history V v --limit 0 -o json", `"version":`, 250},
		{"history V v --limit 101 -o json", `"version":`, 101},
		{"history V v --limit 120", "2026-07-01T00:", 120},
		{"history V v --limit 0", "2026-07-01T00:", 250},
		{"changes -o json", "\n", 2750},
		{"changes", "2026-07-01T00:", 2750},
		{"changes --limit 0 -o json", "\n", 2750},
		{"changes --limit 1000 -o json", "\n", 1000},
		{"changes --limit 1001 -o json", "\n", 1001},
		{"changes --limit 9999 -o json", "\n", 2750},
		{"export", "\n", 2501},
	} {
		code, out, errs := varve(addr, strings.Fields(tt.line)...)
		if got := strings.Count(out, tt.mark); code != 0 || got != tt.want {
			t.Errorf("%s: %d elements, want %d; exit code %d, %s", tt.line, got, tt.want, code, errs)
		}
	}
}

// An export goes on where it was when the daemon comes back.
func TestExportOutlivesDaemon(t *testing.T) {
	t.Parallel()
	const n = 3000
	dir := filepath.Join(t.TempDir(), "store")
	d, err := serve(dir, "127.0.0.3:0", os.Environ()) // nobody else takes a port there meanwhile
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	if code, out, errs := varve(d.addr, "import", writeLines(t, n, 0, 10_000)); code != 0 {
		t.Fatalf("%s%s", out, errs)
	}
	conn, err := client.Dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })

	got := 0
	e := exporter{conn: conn, request: &varvev1.ExportItemsRequest{}}
	err = e.run(context.Background(), func(item *history.Item) error {
		if want := fmt.Sprintf("%05d", got); item.Key.ID != want {
			return fmt.Errorf("%s comes where %s should", item.Key.ID, want)
		}
		if got++; got%1000 != 0 || got == n {
			return nil
		}
		_ = d.stop(syscall.SIGKILL)
		again, err := serve(dir, d.addr, os.Environ())
		if err != nil {
			return err
		}
		d = again
		return nil
	})
	if err != nil || got != n {
		t.Errorf("%d items, want %d: %v", got, n, err)
	}
}
