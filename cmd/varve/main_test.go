package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	// The race detector lets every process sleep for a second at its end.
	if os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0")
	}
	testscript.Main(m, map[string]func(){"varve": profiled})
}

// profiled is main, with profiles of the process if DOOR_PROFILES asks for them.
func profiled() {
	folder := os.Getenv("DOOR_PROFILES")
	if folder == "" {
		main()
		return
	}
	create := func(kind string) *os.File {
		f, err := os.Create(filepath.Join(folder, fmt.Sprintf("%s-%d.%s", os.Args[1], os.Getpid(), kind)))
		if err != nil {
			panic(err)
		}
		return f
	}
	runtime.MemProfileRate = 64 << 10
	if err := pprof.StartCPUProfile(create("cpu")); err != nil {
		panic(err)
	}
	code := run(os.Args[1:], os.Stdout, os.Stderr)
	pprof.StopCPUProfile()
	_ = pprof.Lookup("allocs").WriteTo(create("allocs"), 0)
	os.Exit(code)
}

// TestScript runs the whole program, command line by command line. Besides the
// commands of testscript the scripts have these:
//
//	daemon start [NAME [FLAG…]]
//	                      starts a daemon on the store NAME (default: store) and
//	                      points VARVE_ADDR to it
//	daemon stop [NAME]    SIGTERM; it must exit with 0
//	daemon kill [NAME]    SIGKILL
//	exits CODE COMMAND…   runs a command which must exit with CODE
//	answer FILE           standard output of the last command is FILE, but for
//	                      what differs from run to run
//	pack gzip|zstd FROM TO
//	position FILE         sets POSITION to that of the last change in FILE
//	soon FILE             writes an observation captured two minutes from now
//	damage FILE           overwrites the text DAMAGE-ME within FILE
//	watch start FLAG…     starts varve watch beside the script
//	watch sees REGEXP     waits for a line of its standard output
//	watch says REGEXP     waits for a line of its standard error
//	watch stop            SIGINT; it must exit with 0, and is then to have written
//	                      nothing more to standard output
//	spoil FILE            flips a bit in the middle of FILE
//	receiver start        starts a receiver of webhooks and sets RECEIVER to its URL
//	receiver answers CODE what it answers from now on; at first 204
//	receiver got N FILE   waits until it has taken N messages in all, no more, and
//	                      writes them to FILE, their signatures to FILE.signed
//	until REGEXP COMMAND… runs a command again and again until it prints that
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("VARVE_ADDR", "127.0.0.1:1") // nobody is there
			env.Setenv("NO_COLOR", "")
			env.Setenv("GORACE", os.Getenv("GORACE"))
			env.Values[daemonsKey{}] = map[string]*served{}
			env.Values[followerKey{}] = map[string]*follower{}
			env.Values[receiverKey{}] = &webhook{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"daemon": scriptDaemon, "exits": scriptExits, "answer": scriptAnswer, "pack": scriptPack,
			"position": scriptPosition, "damage": scriptDamage, "spoil": scriptSpoil, "soon": scriptSoon,
			"watch": scriptWatch, "receiver": scriptReceiver, "until": scriptUntil,
		},
		RequireUniqueNames: true,
		UpdateScripts:      os.Getenv("UPDATE_SCRIPTS") != "",
	})
}

type daemonsKey struct{}

// served is a daemon in a process of its own.
type served struct {
	cmd  *exec.Cmd
	addr string // of gRPC
	http string // of HTTP
	done chan error
}

var readyLine = regexp.MustCompile(`msg=ready grpc=(\S+) http=(\S+)`)

// serve starts `varve serve` and waits until it is ready.
func serve(dir, addr string, env []string, flags ...string) (*served, error) {
	cmd := exec.Command("varve", append([]string{"serve", "--data", dir, "--grpc-addr", addr, "--http-addr", "127.0.0.1:0"}, flags...)...)
	cmd.Env = env
	log, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	d := &served{cmd: cmd, done: make(chan error, 1)}
	lines := bufio.NewScanner(log)
	var text strings.Builder
	for lines.Scan() {
		fmt.Fprintln(&text, lines.Text())
		if ready := readyLine.FindStringSubmatch(lines.Text()); ready != nil {
			d.addr, d.http = ready[1], ready[2]
			break
		}
	}
	if d.addr == "" {
		return nil, fmt.Errorf("the daemon does not get ready: %w\n%s", cmd.Wait(), text.String())
	}
	go func() {
		_, _ = io.Copy(io.Discard, log)
		d.done <- cmd.Wait()
	}()
	return d, nil
}

// stop sends a signal and returns how the daemon ended.
func (d *served) stop(signal os.Signal) error {
	if err := d.cmd.Process.Signal(signal); err != nil {
		return err
	}
	select {
	case err := <-d.done:
		return err
	case <-time.After(time.Minute):
		return errors.New("it did not exit within a minute")
	}
}

func scriptDaemon(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 && args[0] != "start" {
		ts.Fatalf("usage: daemon start|stop|kill [NAME [FLAG…]]")
	}
	name := "store"
	var flags []string
	if len(args) > 1 {
		name, flags = args[1], args[2:]
	}
	running := ts.Value(daemonsKey{}).(map[string]*served)
	switch args[0] {
	case "start":
		d, err := serve(ts.MkAbs(name), "127.0.0.1:0", os.Environ(), flags...)
		ts.Check(err)
		running[name] = d
		ts.Setenv("VARVE_ADDR", d.addr)
		ts.Defer(func() { _ = d.cmd.Process.Kill() })
	case "stop":
		ts.Check(running[name].stop(syscall.SIGTERM))
	case "kill":
		_ = running[name].stop(syscall.SIGKILL)
	}
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// varying are the members whose values nobody can foresee.
var varying = regexp.MustCompile(`"(recordedAt|openedAt|closedAt|deadline|position)":"[^"]+"`)

func scriptAnswer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: answer FILE")
	}
	got := varying.ReplaceAllString(ts.ReadFile("stdout"), `"$1":"…"`)
	if want := ts.ReadFile(args[0]); got != want {
		ts.Fatalf("got\n%s\nwant %s\n%s", got, args[0], want)
	}
}

func scriptPack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: pack gzip|zstd FROM TO")
	}
	var packed bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&packed)
	if args[0] == "zstd" {
		z, err := zstd.NewWriter(&packed)
		ts.Check(err)
		w = z
	}
	_, err := io.WriteString(w, ts.ReadFile(args[1]))
	ts.Check(errors.Join(err, w.Close()))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), packed.Bytes(), 0o600))
}

func scriptPosition(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: position FILE")
	}
	all := regexp.MustCompile(`"position":"([^"]+)"`).FindAllStringSubmatch(ts.ReadFile(args[0]), -1)
	if len(all) == 0 {
		ts.Fatalf("%s holds no position", args[0])
	}
	ts.Setenv("POSITION", all[len(all)-1][1])
}

func scriptSoon(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: soon FILE")
	}
	line := fmt.Sprintf(`{"time":%q,"type":"T","id":"soon","configuration":1}`, time.Now().UTC().Add(2*time.Minute).Format(time.RFC3339))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(line), 0o600))
}

func scriptDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage FILE")
	}
	name := ts.MkAbs(filepath.FromSlash(args[0]))
	content, err := os.ReadFile(name)
	ts.Check(err)
	at := bytes.Index(content, []byte("DAMAGE-ME"))
	if at < 0 {
		ts.Fatalf("%s holds no DAMAGE-ME", name)
	}
	for ; at >= 0; at = bytes.Index(content, []byte("DAMAGE-ME")) {
		copy(content[at:], "damaged!!")
	}
	ts.Check(os.WriteFile(name, content, 0o600))
}

func scriptSpoil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: spoil FILE")
	}
	name := ts.MkAbs(args[0])
	content, err := os.ReadFile(name)
	ts.Check(err)
	content[len(content)/2] ^= 4
	ts.Check(os.WriteFile(name, content, 0o600))
}
