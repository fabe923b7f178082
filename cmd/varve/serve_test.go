package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"

	"github.com/varvehq/varve/cmd/internal/certificate/certtest"
)

// manager is a service manager that listens to a daemon of its.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
}

func newManager(t *testing.T) *manager {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &manager{t, conn}
}

func (m *manager) env() string { return "NOTIFY_SOCKET=" + m.conn.LocalAddr().String() }

// hears waits for a message.
func (m *manager) hears(want string) {
	m.t.Helper()
	message := make([]byte, 100)
	_ = m.conn.SetReadDeadline(time.Now().Add(time.Minute)) // without, it waits for the test's end
	n, err := m.conn.Read(message)
	if got := string(message[:n]); err != nil || got != want {
		m.t.Fatalf("heard %q, want %q: %v", got, want, err)
	}
}

// receiver takes spans.
type receiver struct {
	coltracepb.UnimplementedTraceServiceServer
	names chan string
}

func (r *receiver) Export(_ context.Context, req *coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	for _, resource := range req.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				r.names <- span.GetName()
			}
		}
	}
	return &coltracepb.ExportTraceServiceResponse{}, nil
}

// TestService runs the program as an operator does: from a file, with tokens, TLS
// and traces, under a service manager, and renews both secrets while it runs.
func TestService(t *testing.T) {
	spans := &receiver{names: make(chan string, 1000)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	collector := grpc.NewServer()
	coltracepb.RegisterTraceServiceServer(collector, spans)
	go func() { _ = collector.Serve(listener) }()
	t.Cleanup(collector.Stop)

	folder, ca := t.TempDir(), certtest.New(t)
	put := func(name, from string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	cert, key := ca.Issue(t, time.Now().Add(time.Hour), "127.0.0.1")
	put("tls.crt", cert)
	put("tls.key", key)
	const first, second = "the-first-of-the-tokens", "the-second-of-the-tokens"
	tokens := write("tokens", first)
	file := write("varve.yaml", fmt.Sprintf(`
data: store
listen: {grpc: "0.0.0.0:0", http: "0.0.0.0:0"}
auth: {token_file: tokens}
tls: {cert: tls.crt, key: tls.key}
traces: {endpoint: "grpc://%s"}
`, listener.Addr()))

	m := newManager(t)
	cmd := exec.Command("varve", "serve", "--config", file)
	cmd.Env = append(os.Environ(), m.env())
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(log)
	until := func(text string) string {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), text) {
				return lines.Text()
			}
		}
		t.Fatalf("the log ends before %s", text)
		return ""
	}
	if door := until("door=gRPC"); !strings.Contains(door, `reached_from="the network" asks="everybody for a token" tls=true`) {
		t.Error(door)
	}
	ready := readyLine.FindStringSubmatch(until("msg=ready"))
	m.hears("READY=1")
	_, port, err := net.SplitHostPort(ready[1])
	if err != nil {
		t.Fatal(err)
	}
	addr := "https://127.0.0.1:" + port

	asks := func(token string, flags ...string) (int, string) {
		t.Setenv("VARVE_TOKEN", token)
		code, out, errs := varve(addr, append([]string{"count"}, flags...)...)
		return code, out + errs
	}
	t.Setenv("VARVE_CA_FILE", ca.File)
	if code, text := asks(first); code != exitDone || text != "0\n" {
		t.Errorf("%d %s", code, text)
	}
	if code, text := asks(second); code != exitRefused || !strings.Contains(text, "the bearer token is not known") {
		t.Errorf("%d %s", code, text)
	}
	if code, text := asks(first, "--ca-file", certtest.New(t).File); code != exitUsage || !strings.Contains(text, "cannot be trusted: x509: certificate signed by unknown authority") || !strings.Contains(text, "--ca-file FILE") {
		t.Errorf("%d %s", code, text)
	}
	code, _, text := varve("127.0.0.1:"+port, "count")
	if code != exitUsage || !strings.Contains(text, "its address is https://127.0.0.1:"+port) {
		t.Errorf("%d %s", code, text)
	}

	// Both secrets are renewed.
	write("tokens", second)
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until("were read again")
	if code, text := asks(second); code != exitDone {
		t.Errorf("%d %s", code, text)
	}
	if code, text := asks(first); code != exitRefused {
		t.Errorf("%d %s", code, text)
	}
	if err := os.Chmod(tokens, 0o644); err != nil {
		t.Fatal(err)
	}
	expired, expiredKey := ca.Issue(t, time.Now().Add(-time.Minute), "127.0.0.1")
	put("tls.crt", expired)
	put("tls.key", expiredKey)
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if stays := until("stays as it was"); !strings.Contains(stays, "run chmod 600") || !strings.Contains(stays, "expired on") {
		t.Error(stays)
	}
	if code, text := asks(second); code != exitDone {
		t.Errorf("%d %s", code, text)
	}

	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m.hears("STOPPING=1")
	until("msg=stopped")
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	for name := range spans.names { // a test that hears nothing runs into its time
		if name == "varve.v1.HistoryService/CountItems" {
			break
		}
	}
}

// A duration in the log says its unit, in JSON as well.
func TestLogOfDurations(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var errs bytes.Buffer
		s := serving{app: &app{stderr: &errs}}
		s.config.Log.Format = format
		s.logger().Info("slow call", "took", 1500*time.Millisecond)
		if !regexp.MustCompile(`took"?[:=]"?1\.5s`).MatchString(errs.String()) {
			t.Errorf("%s: %s", format, &errs)
		}
	}
}
