package file_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/file"
)

// deliverMany delivers count messages, each until it is taken, and tells of every
// attempt.
func deliverMany(url string, count int) error {
	target, err := file.New(file.Options{URL: url})
	if err != nil {
		return err
	}
	for n := 0; n < count; {
		if err := target.Deliver(context.Background(), delivery.Message{Body: []byte(line(n))}); err != nil {
			fmt.Println("failed", err)
			continue
		}
		fmt.Println("delivered", n)
		n++
	}
	return target.Close()
}

// missing skips a test for what the machine lacks; in CI that is a failure.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip("SKIP: " + what + ": a failing disk was not tried")
}

// traced runs deliverMany with a kernel that fails as told, and returns what it
// tells and the system calls on the file.
func traced(t *testing.T, path string, count int, inject string) (told, calls string) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		missing(t, "strace is not installed")
	}
	log := filepath.Join(t.TempDir(), "log")
	args := []string{"-f", "-qq", "-o", log, "-P", path, "-e", "trace=write,fsync,ftruncate"}
	if inject != "" {
		args = append(args, "-e", "inject="+inject)
	}
	cmd := exec.Command(strace, append(args, os.Args[0])...)
	cmd.Env = append(os.Environ(), "FILE_TARGET=file:"+path, "FILE_COUNT="+strconv.Itoa(count))
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		if strings.Contains(complaint.String(), "ptrace") {
			missing(t, "strace is not allowed")
		}
		t.Fatalf("%v: %s", err, complaint.Bytes())
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), string(text)
}

var written = regexp.MustCompile(` write\(.*= [0-9]+$`)

// TestDisk: what is told to be delivered was synced before, and a disk that fails
// leaves neither gaps nor torn lines.
func TestDisk(t *testing.T) {
	const count = 60 // strace counts the calls of each thread by itself
	for _, c := range []struct {
		name, inject string
		fails        bool
	}{
		{"that works", "", false},
		{"that is full now and then", "write:error=ENOSPC:when=3+4", true},
		{"that cannot sync", "fsync:error=EIO:when=2+5", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x")
			told, calls := traced(t, path, count, c.inject)
			if strings.Contains(told, "failed") != c.fails {
				t.Errorf("told\n%s\n%s", told, calls)
			}
			if n := strings.Count(told, "delivered"); n != count {
				t.Errorf("%d delivered:\n%s", n, told)
			}
			next := 0 // after a failed sync a line may be there, and comes again
			for i, got := range lines(t, path) {
				switch got {
				case line(next):
					next++
				case line(next - 1):
				default:
					t.Fatalf("line %d: %.40s, want %.40s", i, got, line(next))
				}
			}
			if next != count {
				t.Errorf("%d messages are in the file", next)
			}
			// A write that worked is followed by a sync before the next one.
			synced := true
			for call := range strings.SplitSeq(calls, "\n") {
				switch {
				case written.MatchString(call):
					if !synced {
						t.Fatalf("not synced before %.80s\n%s", call, calls)
					}
					synced = false
				case strings.Contains(call, " fsync("):
					synced = true
				}
			}
			if !synced || !strings.Contains(calls, "fsync(") {
				t.Errorf("not synced at the end\n%s", calls)
			}
		})
	}
}
