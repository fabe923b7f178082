package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
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
	late := time.After(20 * time.Second)
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
