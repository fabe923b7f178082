// Package apitest starts both doors on free ports, for the tests of either.
package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/varvehq/varve/api/gateway"
	"github.com/varvehq/varve/api/server"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder"
)

// Options of the doors; a Store is needed.
type Options struct {
	Store  history.Store
	Wrap   func(history.Store) history.Store
	Server server.Options
	Hosts  []string
}

// Doors are both doors, open until the test ends.
type Doors struct {
	Store    history.Store
	Server   *server.Server
	GRPC     string // address
	HTTP     string // address
	Conn     *grpc.ClientConn
	Recorder varvev1.RecorderServiceClient
	Runs     varvev1.RunServiceClient
	History  varvev1.HistoryServiceClient
	Graph    varvev1.GraphServiceClient
	Watch    varvev1.WatchServiceClient
	Keep     varvev1.MaintenanceServiceClient
	Comply   varvev1.ComplianceServiceClient
	Send     varvev1.SubscriptionServiceClient
	Log      *Log
}

// Open opens both doors.
func Open(t testing.TB, o Options) *Doors {
	t.Helper()
	d := &Doors{Store: o.Store, Log: &Log{}}
	if o.Server.Logger == nil {
		o.Server.Logger = slog.New(slog.NewTextHandler(d.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	store := d.Store
	if o.Wrap != nil {
		store = o.Wrap(store)
	}
	d.Server = server.New(store, recorder.New(store, recorder.Options{}), o.Server)
	listener := listen(t)
	d.GRPC = listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- d.Server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		d.Server.Stop(ctx)
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // before it began
			t.Errorf("gRPC: %v", err)
		}
	})

	var err error
	d.Conn, err = grpc.NewClient("passthrough:///"+d.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Conn.Close() })
	d.Recorder = varvev1.NewRecorderServiceClient(d.Conn)
	d.Runs = varvev1.NewRunServiceClient(d.Conn)
	d.History = varvev1.NewHistoryServiceClient(d.Conn)
	d.Graph = varvev1.NewGraphServiceClient(d.Conn)
	d.Watch = varvev1.NewWatchServiceClient(d.Conn)
	d.Keep = varvev1.NewMaintenanceServiceClient(d.Conn)
	d.Comply = varvev1.NewComplianceServiceClient(d.Conn)
	d.Send = varvev1.NewSubscriptionServiceClient(d.Conn)

	web := listen(t)
	d.HTTP = web.Addr().String()
	_, port, _ := net.SplitHostPort(d.HTTP)
	handler, err := gateway.New(d.Conn, gateway.Options{Port: port, Hosts: o.Hosts, OpenAPI: []byte(`{"openapi":"3.1.0"}`), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	httpServer := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = httpServer.Serve(web) }()
	t.Cleanup(func() { _ = httpServer.Close() })
	return d
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Get asks the HTTP door; query members are given as they stand in a URL.
func (d *Doors) Get(t testing.TB, path string) (int, []byte) {
	t.Helper()
	return d.Do(t, http.MethodGet, path, "", nil)
}

// Post sends a body to the HTTP door.
func (d *Doors) Post(t testing.TB, path, body string) (int, []byte) {
	t.Helper()
	return d.Do(t, http.MethodPost, path, body, nil)
}

// Do sends a request with headers, Host among them.
func (d *Doors) Do(t testing.TB, method, path, body string, header map[string]string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+d.HTTP+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		if k == "Host" {
			req.Host = v
		}
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, text
}

// Fault is an error body, in the words that tests ask about.
type Fault struct {
	Code    int
	Message string
	Details []struct {
		Type            string `json:"@type"`
		Reason          string
		Domain          string
		Metadata        map[string]string
		RequestID       string `json:"requestId"`
		FieldViolations []struct{ Field, Description string }
	}
}

// ReadFault reads an error body.
func ReadFault(t testing.TB, text []byte) Fault {
	t.Helper()
	var f Fault
	if err := json.Unmarshal(text, &f); err != nil || len(f.Details) == 0 {
		t.Fatalf("no error body: %v: %.500s", err, text)
	}
	return f
}

// Record records observations and fails the test if one is refused.
func (d *Doors) Record(t testing.TB, list ...*varvev1.Observation) *varvev1.BatchRecordResponse {
	t.Helper()
	resp, err := d.Recorder.BatchRecord(t.Context(), &varvev1.BatchRecordRequest{Observations: list})
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range resp.GetResults() {
		if r.GetOutcome() == varvev1.RecordResult_OUTCOME_REFUSED {
			t.Fatalf("observation %d: %v", i, r.GetError())
		}
	}
	return resp
}

// Log keeps what was logged.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String is all that was logged so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
