package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/varvehq/varve/history/bolt"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// What the program does when its disk fails, or is full: it tells its clients,
// acknowledges nothing that is not durable, and lives.

func wantRefusal(t *testing.T, err error, text string) {
	t.Helper()
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), text) {
		t.Fatalf("got %v, want Unavailable with %q", err, text)
	}
}

// missing skips a test for what the machine lacks; in CI that is a failure.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what + ": a test of a failing or full disk did not run")
}

// inject has system calls of a daemon fail from now on, until it is stopped.
func inject(t *testing.T, d *served, what string) (stop func()) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		missing(t, "strace is not installed")
	}
	call, _, _ := strings.Cut(what, ":")
	cmd := exec.Command(strace, "-f", "-p", fmt.Sprint(d.cmd.Process.Pid), "-o", os.DevNull, "-e", "trace="+call, "-e", "inject="+what)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), "attached") {
		if strings.Contains(lines.Text(), "not permitted") {
			missing(t, "strace is not allowed: "+lines.Text())
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, stderr)
		_ = cmd.Wait()
	}()
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		<-ended
	}
	t.Cleanup(stop)
	return stop
}

// TestFailedWrite has the disk refuse to write or to sync. That was the last
// write until the daemon is started anew; reads go on.
func TestFailedWrite(t *testing.T) {
	for _, tt := range []struct{ name, inject string }{
		{"Sync", "fdatasync:error=EIO"},
		{"SecondSync", "fdatasync:error=EIO:when=2"}, // of a thread: mostly that of a meta page
		{"SyncWithoutRoom", "fdatasync:error=ENOSPC"},
		{"Write", "pwrite64:error=EIO"},
		{"Growth", "ftruncate:error=EIO"},
		{"SyncOfGrowth", "fsync:error=EIO"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			s := &scribe{t: t, size: 200 << 10}
			d := s.serving(dir)
			for range 3 {
				s.eventually()
			}
			heal := inject(t, d, tt.inject)
			wantRefusal(t, s.until(200), "takes no more writes")
			for range 5 {
				wantRefusal(t, s.record(), "takes no more writes")
			}
			heal() // a disk that is well again proves nothing
			wantRefusal(t, s.record(), "takes no more writes")
			_, err := varvev1.NewRunServiceClient(s.conn).CreateRun(context.Background(), &varvev1.CreateRunRequest{RunId: "r"})
			wantRefusal(t, err, "takes no more writes")
			s.check()
			before := len(s.acked)
			if err := d.stop(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			failed := filepath.Join(dir, bolt.FailedName)
			if _, err := os.Stat(failed); err != nil && tt.name != "SyncOfGrowth" {
				t.Errorf("the failure is not marked: %v", err)
			}

			d = s.serving(dir)
			s.eventually()
			if _, err := os.Stat(failed); !os.IsNotExist(err) {
				t.Errorf("the mark of the failure is left: %v", err)
			}
			s.check()
			if err := d.stop(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			if out, err := exec.Command("varve", "verify", "--data", dir).CombinedOutput(); err != nil {
				t.Errorf("verify: %v\n%s", err, out)
			}
			t.Logf("%s: %d batches acknowledged before, %d in all, none lost", tt.inject, before, len(s.acked))
		})
	}
}

// withoutRoom is the metric of writes that the disk had no room for, if there were any.
var withoutRoom = regexp.MustCompile(`varve_store_writes_without_room_total [1-9]`)

// answers asks over HTTP, and wants something of the answer to be there.
func (d *served) answers(t *testing.T, path, want string) string {
	t.Helper()
	resp, err := http.Get("http://" + d.http + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(text), want) {
		t.Errorf("%s: %s without %q, %v", path, resp.Status, want, err)
	}
	return string(text)
}

// TestFullDisk takes the room away and gives it back, while the daemon runs.
func TestFullDisk(t *testing.T) {
	// room is what fills the disk of a daemon, and what makes room again.
	type room struct {
		dir        string
		fill, make func(d *served)
	}
	filler := func(t *testing.T, dir string) room {
		file := filepath.Join(dir, "filler")
		return room{filepath.Join(dir, "store"), func(*served) {
			f, err := os.Create(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for size := 64 << 10; size > 0; size /= 2 {
				for err = nil; err == nil; {
					_, err = f.Write(make([]byte, size))
				}
			}
		}, func(*served) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}}
	}
	mount := func(t *testing.T, args ...string) string {
		dir := t.TempDir()
		if out, err := exec.Command("mount", append(args, dir)...).CombinedOutput(); err != nil {
			missing(t, fmt.Sprintf("mounting is not allowed here: %s", out))
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		return dir
	}
	tests := map[string]func(t *testing.T) room{
		"FileSizeLimit": func(t *testing.T) room {
			limit := func(d *served, bytes uint64) {
				if err := unix.Prlimit(d.cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}, nil); err != nil {
					t.Fatal(err)
				}
			}
			dir := t.TempDir()
			return room{dir,
				func(d *served) { limit(d, 1<<20) },
				func(d *served) { limit(d, unix.RLIM_INFINITY) }}
		},
		"Tmpfs": func(t *testing.T) room { return filler(t, mount(t, "-t", "tmpfs", "-o", "size=24m", "tmpfs")) },
		"Ext4": func(t *testing.T) room {
			image := filepath.Join(t.TempDir(), "image")
			if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 48<<20)); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("mkfs.ext4", "-q", image).CombinedOutput(); err != nil {
				missing(t, fmt.Sprintf("no ext4 file system can be made here: %v %s", err, out))
			}
			return filler(t, mount(t, "-o", "loop", image))
		},
		"Injected": func(t *testing.T) room {
			heal := func() {}
			return room{t.TempDir(),
				func(d *served) { heal = inject(t, d, "pwrite64:error=ENOSPC") },
				func(*served) { heal() }}
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			r := prepare(t)
			s := &scribe{t: t, size: 50 << 10}
			d := s.serving(r.dir)
			for range 20 {
				s.eventually()
			}
			for range 3 {
				r.fill(d)
				wantRefusal(t, s.until(200), "no room")
				for range 5 {
					if err := s.record(); err != nil { // a small one may still fit
						wantRefusal(t, err, "no room")
					}
				}
				s.check()
				d.answers(t, "/readyz", "SERVING") // reads go on
				d.answers(t, "/metrics", "varve_store_writable 1\n")
				r.make(d)
				for range 5 {
					s.eventually()
				}
			}
			s.check()
			deadline := time.Now().Add(time.Minute) // what a store tells of itself may be some seconds old
			for !withoutRoom.MatchString(d.answers(t, "/metrics", "")) {
				if time.Now().After(deadline) {
					t.Fatal("writes without room are not counted")
				}
				time.Sleep(100 * time.Millisecond)
			}
			if err := d.stop(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			d = s.serving(r.dir)
			s.eventually()
			s.check()
			if err := d.stop(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			if out, err := exec.Command("varve", "verify", "--data", r.dir).CombinedOutput(); err != nil {
				t.Errorf("verify: %v\n%s", err, out)
			}
			t.Logf("%d batches acknowledged, none lost; %d refused", len(s.acked), s.next-len(s.acked))
		})
	}
}
