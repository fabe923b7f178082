package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/varvehq/varve/cmd/internal/client"
)

// importing is `varve import -`, fed line by line.
type importing struct {
	cmd            *exec.Cmd
	in             io.WriteCloser
	stdout, stderr bytes.Buffer
	lines          int
}

func startImport(t *testing.T, addr string, args ...string) *importing {
	t.Helper()
	im := &importing{cmd: exec.Command("varve", append([]string{"import", "-"}, args...)...)}
	im.cmd.Env = append(os.Environ(), "VARVE_ADDR="+addr)
	im.cmd.Stdout, im.cmd.Stderr = &im.stdout, &im.stderr
	in, err := im.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	im.in = in
	if err := im.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = im.cmd.Process.Kill() })
	return im
}

func (im *importing) feed(t *testing.T, n int) {
	t.Helper()
	var b bytes.Buffer
	for range n {
		im.lines++
		fmt.Fprintf(&b, `{"time":"2026-07-01T00:00:00Z","type":"T","id":"%d","configuration":{"n":%d}}`+"\n", im.lines, im.lines)
	}
	if _, err := im.in.Write(b.Bytes()); err != nil {
		t.Fatal(err)
	}
}

// end closes the input and returns the exit code.
func (im *importing) end(t *testing.T) int {
	t.Helper()
	_ = im.in.Close()
	err := im.cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	t.Fatal(err)
	return -1
}

// count waits until the daemon has n resources.
func count(t *testing.T, addr string, n int) {
	t.Helper()
	want := fmt.Sprintf(`{"count":%d}`+"\n", n)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		cmd := exec.Command("varve", "count", "-o", "json", "--addr", addr)
		got, err := cmd.Output()
		if err == nil && string(got) == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the daemon counts %s, want %s (%v)", got, want, err)
		}
	}
}

// The daemon is killed in the middle of an import and started again: nothing is
// lost, nothing is counted twice.
func TestImportOutlivesDaemon(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "store")
	d, err := serve(dir, "127.0.0.2:0", os.Environ()) // nobody else takes a port there meanwhile
	if err != nil {
		t.Fatal(err)
	}
	im := startImport(t, d.addr)
	for range 3 {
		im.feed(t, 2500)
		time.Sleep(30 * time.Millisecond) // a part is acknowledged, a part is not
		_ = d.stop(syscall.SIGKILL)
		im.feed(t, 100)
		if d, err = serve(dir, d.addr, os.Environ()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.cmd.Process.Kill() })
		count(t, d.addr, im.lines)
	}
	im.feed(t, 10)
	if code := im.end(t); code != exitDone {
		t.Fatalf("exit code %d: %s", code, im.stderr.String())
	}
	want := fmt.Sprintf(`{"read":%d,"recorded":%d,"unchanged":0,"late":0,"deleted":0,"rejected":0}`+"\n", im.lines, im.lines)
	if got := im.stdout.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	count(t, d.addr, im.lines)
}

// A daemon that does not come back is given up after 5 seconds, with exit code 2.
func TestImportLosesDaemon(t *testing.T) {
	t.Parallel()
	d, err := serve(filepath.Join(t.TempDir(), "store"), "127.0.0.1:0", os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	im := startImport(t, d.addr, "--complete")
	im.feed(t, 10)
	count(t, d.addr, 10)

	begin := time.Now()
	_ = d.stop(syscall.SIGKILL)
	code := im.end(t)
	if took := time.Since(begin); took < client.Patience || took > client.Patience+time.Minute {
		t.Errorf("given up after %s", took)
	}
	if code != exitUsage || im.stdout.Len() > 0 {
		t.Errorf("exit code %d, printed %q", code, im.stdout.String())
	}
	for _, want := range []string{"was lost and did not come back within 5s", "10 observations are durable", "nothing was deleted"} {
		if !strings.Contains(im.stderr.String(), want) {
			t.Errorf("%q is not said: %s", want, im.stderr.String())
		}
	}
}

// Ctrl-C aborts the run of an import.
func TestImportInterrupted(t *testing.T) {
	t.Parallel()
	d, err := serve(filepath.Join(t.TempDir(), "store"), "127.0.0.1:0", os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	im := startImport(t, d.addr, "--complete")
	im.feed(t, 10)
	count(t, d.addr, 10)
	if err := im.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := im.cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitRefused {
		t.Errorf("ended with %v", err)
	}
	for _, want := range []string{"varve: interrupted", "10 observations are durable", "the run is aborted and nothing was deleted"} {
		if !strings.Contains(im.stderr.String(), want) {
			t.Errorf("%q is not said: %s", want, im.stderr.String())
		}
	}
	runs, err := exec.Command("varve", "run", "list", "-o", "json", "--addr", d.addr).Output()
	if err != nil || !strings.Contains(string(runs), `"state":"aborted"`) {
		t.Errorf("the run is left: %s, %v", runs, err)
	}
}

// The demonstration serves until Ctrl-C, and then takes its store away.
func TestDemoServes(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	cmd := exec.Command("varve", "demo")
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	addr := ""
	lines := bufio.NewScanner(out)
	for addr == "" && lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) == 2 && fields[0] == "gRPC" {
			addr = fields[1]
		}
	}
	counted, err := exec.Command("varve", "count", "--addr", addr).Output()
	if err != nil || len(counted) < 2 {
		t.Errorf("the daemon does not serve at %q: %q, %v", addr, counted, err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
