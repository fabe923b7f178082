package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// follower is a varve watch in a process of its own.
type follower struct {
	cmd            *exec.Cmd
	stdout, stderr *lineReader
}

type followerKey struct{}

func scriptWatch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: watch start|sees|says|stop …")
	}
	running := ts.Value(followerKey{}).(map[string]*follower)
	f := running["watch"]
	if f == nil && args[0] != "start" {
		ts.Fatalf("nobody watches")
	}
	switch verb, rest := args[0], args[1:]; verb {
	case "start":
		cmd := exec.Command("varve", append([]string{"watch"}, rest...)...)
		cmd.Env = append(os.Environ(), "VARVE_ADDR="+ts.Getenv("VARVE_ADDR"))
		f = &follower{cmd: cmd, stdout: readLines(ts, cmd.StdoutPipe), stderr: readLines(ts, cmd.StderrPipe)}
		ts.Check(cmd.Start())
		f.stdout.start()
		f.stderr.start()
		ts.Defer(func() { _ = cmd.Process.Kill() })
		running["watch"] = f
	case "sees", "says":
		of := map[string]*lineReader{"sees": f.stdout, "says": f.stderr}[verb]
		of.await(ts, strings.Join(rest, " "))
	case "stop":
		ts.Check(f.cmd.Process.Signal(os.Interrupt))
		if rest := f.stdout.rest(); rest != "" {
			ts.Fatalf("it has also written:\n%s", rest)
		}
		ts.Setenv("GO_ON", strings.TrimSpace(f.stderr.rest()))
		ts.Check(f.cmd.Wait())
		delete(running, "watch")
	default:
		ts.Fatalf("watch %s: start, sees, says or stop", verb)
	}
}

// lineReader reads the lines of a process as they come.
type lineReader struct {
	pipe  io.Reader
	lines chan string // closed at the end
}

func readLines(ts *testscript.TestScript, pipe func() (io.ReadCloser, error)) *lineReader {
	r, err := pipe()
	ts.Check(err)
	return &lineReader{r, make(chan string, 1000)}
}

func (r *lineReader) start() {
	go func() {
		defer close(r.lines)
		for s := bufio.NewScanner(r.pipe); s.Scan(); {
			r.lines <- s.Text()
		}
	}()
}

// await passes over lines up to one that matches.
func (r *lineReader) await(ts *testscript.TestScript, pattern string) {
	re, err := regexp.Compile(pattern)
	ts.Check(err)
	var passed []string
	late := time.After(time.Minute)
	for {
		select {
		case line, ok := <-r.lines:
			if !ok {
				ts.Fatalf("it ended before %q:\n%s", pattern, strings.Join(passed, "\n"))
			}
			if re.MatchString(line) {
				return
			}
			passed = append(passed, line)
		case <-late:
			ts.Fatalf("%q does not come:\n%s", pattern, strings.Join(passed, "\n"))
		}
	}
}

// rest is what comes up to the end.
func (r *lineReader) rest() string {
	var b strings.Builder
	for line := range r.lines {
		b.WriteString(line + "\n")
	}
	return b.String()
}

// Whatever the daemon dies of while it records, what is watched has no gap, and
// nothing comes twice.
func TestWatchThroughCrashes(t *testing.T) {
	const rounds, perRound = 6, 300
	dir := filepath.Join(t.TempDir(), "store")
	d, err := serve(dir, "127.0.0.4:0", os.Environ()) // nobody else takes a port there meanwhile
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.stop(syscall.SIGKILL) }()
	watch := exec.Command("varve", "watch", "--from", "2020-01-01", "-o", "json", "--addr", d.addr)
	out, err := watch.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watch.Process.Kill() }()
	seen := make(chan int)
	go func() {
		defer close(seen)
		n := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e struct{ Sequence, Previous string }
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Error(err)
			}
			if e.Sequence != fmt.Sprint(n+1) || e.Previous != fmt.Sprint(n) {
				t.Errorf("sequence %s after %s, want %d", e.Sequence, e.Previous, n+1)
				return
			}
			n++
			seen <- n
		}
	}()
	await := func(want int) {
		for n := range seen {
			if n == want {
				return
			}
		}
		t.Fatalf("it ended before change %d", want)
	}

	im := startImport(t, d.addr)
	for round := range rounds {
		im.feed(t, perRound)
		await(round*perRound + perRound/2) // the rest is under way
		signal := []os.Signal{syscall.SIGKILL, syscall.SIGTERM}[round%2]
		_ = d.stop(signal)
		if d, err = serve(dir, d.addr, os.Environ()); err != nil {
			t.Fatal(err)
		}
	}
	if code := im.end(t); code != 0 {
		t.Fatalf("import: exit code %d\n%s", code, im.stderr.String())
	}
	await(rounds * perRound)
	if err := watch.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for range seen {
		t.Error("more changes than were recorded")
	}
	if err := watch.Wait(); err != nil {
		t.Error(err)
	}
}
