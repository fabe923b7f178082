package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const pageSize = 4096 // of the stores that are made here

// Whatever happened to the file, verify ends by itself and says so.
func TestVerifyDamaged(t *testing.T) {
	t.Parallel()
	const page = pageSize
	whole := storeFile(t)
	used := len(bytes.TrimRight(whole, "\x00")) / page * page // the file grows ahead of what it holds
	middle := used / page / 2 * page
	at := func(content []byte, offset int) []byte { return content[offset : offset+page] }

	type damage struct {
		name string
		do   func(content []byte) []byte
		sure bool // it hits what the store holds
	}
	tests := []damage{
		{"None", func(c []byte) []byte { return c }, false},
		{"Half", func(c []byte) []byte { return c[:used/2] }, true},
		{"EightPages", func(c []byte) []byte { return c[:8*page] }, true},
		{"HalfAPage", func(c []byte) []byte { return c[:page/2] }, true},
		{"MarkedPages", func(c []byte) []byte {
			for o := 0; o < len(c); o += page {
				if p := at(c, o); bytes.Contains(p, []byte("DAMAGE-ME")) {
					clear(p)
				}
			}
			return c
		}, true},
		{"CircleFirst", func(c []byte) []byte { leadBack(t, c, 0); return c }, true},
		{"CircleSecond", func(c []byte) []byte { leadBack(t, c, 1); return c }, true},
		{"AllButMeta", func(c []byte) []byte { clear(c[2*page:]); return c }, true},
		{"Noise", func(c []byte) []byte {
			for i := 2 * page; i < len(c); i += 97 {
				c[i] ^= 0xff
			}
			return c
		}, true},
	}
	for _, o := range []int{2 * page, middle, middle + page, used - page} {
		tests = append(tests,
			damage{fmt.Sprintf("Zero%d", o/page), func(c []byte) []byte { clear(at(c, o)); return c }, false},
			damage{fmt.Sprintf("Swap%d", o/page), func(c []byte) []byte {
				held := bytes.Clone(at(c, o))
				copy(at(c, o), at(c, 3*page))
				copy(at(c, 3*page), held)
				return c
			}, false})
	}
	for o := 1; o < 4*page; o += 509 {
		tests = append(tests, damage{fmt.Sprintf("Flip%d", o), func(c []byte) []byte { c[o] ^= 0xff; return c }, false})
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "varve.db"), tt.do(bytes.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			format := []string{"json", "table"}[i%2]
			var stdout, stderr bytes.Buffer
			cmd := exec.Command("varve", "verify", "--data", dir, "-o", format)
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			var exit *exec.ExitError
			if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			code := cmd.ProcessState.ExitCode()
			if code != exitDone && code != exitRefused || tt.sure && code != exitRefused || tt.name == "None" && code != exitDone {
				t.Errorf("exit code %d", code)
			}
			if strings.Contains(stderr.String(), "goroutine") || strings.Count(stderr.String(), "\n") > 2 {
				t.Errorf("standard error:\n%s", stderr.String())
			}
			if stderr.Len() > 0 != (code == exitRefused) {
				t.Errorf("exit code %d, but standard error is %q", code, stderr.String())
			}
			if format == "json" && stdout.Len() > 0 && !json.Valid(stdout.Bytes()) {
				t.Errorf("not JSON: %s", stdout.String())
			}
		})
	}
}

// leadBack makes an element of every branch page lead back to that page.
func leadBack(t *testing.T, content []byte, element int) {
	const head, branch, size = 16, 1, 16 // see bbolt's page
	found := false
	for o := 2 * pageSize; o < len(content); o += pageSize {
		id, flags := binary.LittleEndian.Uint64(content[o:]), binary.LittleEndian.Uint16(content[o+8:])
		if id == uint64(o/pageSize) && flags == branch {
			binary.LittleEndian.PutUint64(content[o+head+element*size+8:], id)
			found = true
		}
	}
	if !found {
		t.Error("the store has no branch page")
	}
}

// storeFile is the file of a small store.
func storeFile(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	d, err := serve(dir, "127.0.0.1:0", os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	marked := filepath.Join(t.TempDir(), "marked.ndjson")
	line := `{"time":"2026-07-01T00:00:00Z","type":"M","id":"m","configuration":"DAMAGE-ME"}`
	if err := os.WriteFile(marked, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := varve(d.addr, "import", writeLines(t, 4000, 200, 100), marked); code != exitDone {
		t.Fatalf("%s%s", out, errs)
	}
	if err := d.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "varve.db"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
