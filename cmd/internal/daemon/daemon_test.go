package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/memory"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// start starts a daemon on free ports; the returned function stops it once.
func start(t *testing.T, o daemon.Options) (*daemon.Daemon, func()) {
	t.Helper()
	o.GRPCAddr, o.HTTPAddr = "127.0.0.1:0", "127.0.0.1:0"
	d := daemon.New(o)
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := d.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return d, stop
}

func dial(t *testing.T, d *daemon.Daemon) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+d.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func get(t *testing.T, d *daemon.Daemon, path string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + d.HTTPAddr() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestRestart: what was recorded is there after a restart, and a page token goes
// on where it was.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	log := &safeLog{}
	d, stop := start(t, daemon.Options{Dir: dir, Version: "1.2.3", Logger: slog.New(slog.NewTextHandler(log, nil))})
	if want := fmt.Sprintf("msg=ready grpc=%s http=%s", d.GRPCAddr(), d.HTTPAddr()); !strings.Contains(log.String(), want) {
		t.Errorf("no %q in %s", want, log.String())
	}
	var list []*varvev1.Observation
	for i := range 10 {
		list = append(list, &varvev1.Observation{
			Key: &varvev1.ResourceKey{Type: "T", Id: fmt.Sprint(i)}, Configuration: &varvev1.Json{Raw: []byte(`1.0`)},
		})
	}
	_, err := varvev1.NewRecorderServiceClient(dial(t, d)).BatchRecord(t.Context(), &varvev1.BatchRecordRequest{Observations: list})
	if err != nil {
		t.Fatal(err)
	}
	page, err := varvev1.NewHistoryServiceClient(dial(t, d)).ListItems(t.Context(), &varvev1.ListItemsRequest{PageSize: 4})
	if err != nil {
		t.Fatal(err)
	}
	stop()

	d, _ = start(t, daemon.Options{Dir: dir, Version: "1.2.4"})
	page, err = varvev1.NewHistoryServiceClient(dial(t, d)).ListItems(t.Context(), &varvev1.ListItemsRequest{PageToken: page.GetNextPageToken()})
	if err != nil || len(page.GetItems()) != 6 || page.GetItems()[0].GetKey().GetId() != "4" {
		t.Errorf("%v, %v", page, err)
	}
	for path, want := range map[string]string{
		"/v1/status":                   `"resources":10,"version":"1.2.4"`,
		"/v1/items:lookup?type=T&id=7": `"configuration":1.0`,
		"/openapi.json":                `"/v1/items:batchRecord"`,
		"/":                            "Varve 1.2.4",
	} {
		if code, text := get(t, d, path); code != 200 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
}

func TestLockedStore(t *testing.T) {
	dir := t.TempDir()
	start(t, daemon.Options{Dir: dir})

	second := daemon.New(daemon.Options{Dir: dir, GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"})
	begin := time.Now()
	err := second.Start(t.Context())
	if !errors.Is(err, history.Locked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("took %s", took)
	}
	if err := second.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAddresses(t *testing.T) {
	try := func(grpcAddr, httpAddr string) error {
		d := daemon.New(daemon.Options{Store: memory.New(memory.Options{Linker: graph.Linker{}}), GRPCAddr: grpcAddr, HTTPAddr: httpAddr})
		err := d.Start(t.Context())
		if err == nil {
			_ = d.Stop(t.Context())
		}
		return err
	}
	t.Run("OK", func(t *testing.T) {
		for _, addr := range []string{"127.0.0.1:0", "localhost:0", "127.1.2.3:0"} {
			if err := try(addr, addr); err != nil {
				t.Errorf("%s: %v", addr, err)
			}
		}
	})
	t.Run("BeyondLoopback", func(t *testing.T) {
		for _, addr := range []string{":7420", "0.0.0.0:0", "[::]:0", "10.0.0.1:1", "example.com:1", "7420", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000", "localhost.:0"} {
			for flag, err := range map[string]error{"--grpc-addr": try(addr, "127.0.0.1:0"), "--http-addr": try("127.0.0.1:0", addr)} {
				var e *history.Error
				if !errors.As(err, &e) || e.Kind != history.Invalid || e.Field != flag || !strings.Contains(err.Error(), addr) {
					t.Errorf("%s %s: %v", flag, addr, err)
				}
			}
		}
	})
	t.Run("InUse", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		for flag, err := range map[string]error{"--grpc-addr": try(l.Addr().String(), "127.0.0.1:0"), "--http-addr": try("127.0.0.1:0", l.Addr().String())} {
			if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), flag) {
				t.Errorf("%s: %v", flag, err)
			}
		}
		dir := filepath.Join(t.TempDir(), "store")
		d := daemon.New(daemon.Options{Dir: dir, GRPCAddr: "127.0.0.1:0", HTTPAddr: l.Addr().String()})
		if err := d.Start(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a store was made: %v", err)
		}
	})
}

// attended is a store that tells when somebody is about to wait for changes.
type attended struct {
	history.Store
	waits chan struct{}
}

func (a attended) Changes(ctx context.Context, after history.Position, limit int, wait time.Duration) ([]history.Change, history.Position, error) {
	if wait > 0 {
		a.waits <- struct{}{}
	}
	return a.Store.Changes(ctx, after, limit, wait)
}

// TestStopSendsWaitersHome: neither a question that waits nor an open stream
// holds up the end.
func TestStopSendsWaitersHome(t *testing.T) {
	store, err := bolt.Open(t.TempDir(), bolt.Options{Linker: graph.Linker{}})
	if err != nil {
		t.Fatal(err)
	}
	log := &safeLog{}
	s := attended{store, make(chan struct{}, 2)}
	d, stop := start(t, daemon.Options{Store: s, Logger: slog.New(slog.NewTextHandler(log, nil))})
	conn := dial(t, d)
	stream, err := varvev1.NewRecorderServiceClient(conn).Record(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	one := &varvev1.RecordRequest{Observations: []*varvev1.Observation{{
		Key: &varvev1.ResourceKey{Type: "T", Id: "a"}, Configuration: &varvev1.Json{Raw: []byte(`{}`)},
	}}}
	if err := stream.Send(one); err != nil {
		t.Fatal(err)
	}
	ack, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan error, 2)
	go func() {
		_, err := varvev1.NewHistoryServiceClient(conn).ListChanges(context.Background(),
			&varvev1.ListChangesRequest{Position: ack.GetPosition(), Wait: durationpb.New(time.Minute)})
		answers <- err
	}()
	go func() {
		resp, err := http.Get("http://" + d.HTTPAddr() + "/v1/changes?wait=60s&position=" + ack.GetPosition())
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode != 200 {
				err = errors.New(resp.Status)
			}
		}
		answers <- err
	}()
	for range 2 {
		<-s.waits
	}

	stop()
	if strings.Contains(log.String(), "cut off") {
		t.Error(log)
	}
	for range 2 {
		if err := <-answers; err != nil {
			t.Errorf("a waiting question was answered with %v", err)
		}
	}
	if _, err := stream.Recv(); err == nil {
		t.Error("the stream goes on")
	}
}

// stuck is a store that answers nothing before its caller gives up.
type stuck struct {
	history.Store
	entered chan struct{}
}

func (s stuck) Head(ctx context.Context) (history.Head, error) {
	close(s.entered)
	<-ctx.Done()
	return history.Head{}, ctx.Err()
}

func TestStopCutsOffTheRest(t *testing.T) {
	s := stuck{memory.New(memory.Options{Linker: graph.Linker{}}), make(chan struct{})}
	d := daemon.New(daemon.Options{Store: s, GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"})
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() {
		if resp, err := http.Get("http://" + d.HTTPAddr() + "/v1/status"); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-s.entered
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := d.Stop(ctx); err != nil || time.Since(begin) > 7*time.Second { // 8 s is the patience of its own
		t.Errorf("%v after %s", err, time.Since(begin))
	}
}

func TestSweep(t *testing.T) {
	d, _ := start(t, daemon.Options{Dir: t.TempDir(), SweepEvery: 10 * time.Millisecond})
	runs := varvev1.NewRunServiceClient(dial(t, d))
	run, err := runs.CreateRun(t.Context(), &varvev1.CreateRunRequest{Run: &varvev1.Run{Deadline: timestamppb.New(time.Now().Add(50 * time.Millisecond))}})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); run.GetState() == varvev1.Run_STATE_OPEN; time.Sleep(5 * time.Millisecond) {
		if run, err = runs.GetRun(t.Context(), &varvev1.GetRunRequest{Name: run.GetName()}); err != nil || time.Now().After(deadline) {
			t.Fatal(run, err)
		}
	}
	if run.GetState() != varvev1.Run_STATE_ABORTED || run.GetReason() != "timed out" {
		t.Error(run)
	}
}
