package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// open opens the doors on a store in memory, unless another one is given.
func open(t testing.TB, o apitest.Options) *apitest.Doors {
	t.Helper()
	if o.Store == nil {
		o.Store = memory.New(memory.Options{Linker: graph.Linker{}, StoreID: [16]byte{1, 2, 3}})
	}
	return apitest.Open(t, o)
}

func observation(id, doc string) *varvev1.Observation {
	return &varvev1.Observation{
		Key:           &varvev1.ResourceKey{Type: "T", Id: id},
		CapturedAt:    timestamppb.New(time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)),
		Configuration: &varvev1.Json{Raw: []byte(doc)},
	}
}

// fault asserts HTTP status and reason of an error.
func fault(t *testing.T, code int, body []byte, wantCode int, kind history.Kind) apitest.Fault {
	t.Helper()
	f := apitest.ReadFault(t, body)
	if code != wantCode || f.Details[0].Reason != kind.Error() || f.Details[0].Domain != "varve.dev" {
		t.Fatalf("want %d %v, got %d %s", wantCode, kind, code, body)
	}
	return f
}

func TestStatuses(t *testing.T) {
	d := open(t, apitest.Options{})
	d.Record(t, observation("a", `1`))
	get := func(path string) (int, []byte) { return d.Get(t, path) }
	for path, want := range map[string]struct {
		code int
		kind history.Kind
	}{
		"/v1/items:lookup?type=T&id=b":                         {404, history.NotFound},
		"/v1/items:lookup?type=T&id=a&at=2026-01-01T00:00:00Z": {404, history.NotAlive},
		"/v1/items:lookup?type=T":                              {400, history.Invalid},
		"/v1/items:lookup?type=T&id=a&knownAt=99":              {400, history.Future},
		"/v1/runs/none":                                        {404, history.NotFound},
		"/v1/changes?position=x":                               {400, history.ForeignToken},
	} {
		code, body := get(path)
		f := fault(t, code, body, want.code, want.kind)
		last := f.Details[len(f.Details)-1]
		if last.Type != "type.googleapis.com/google.rpc.RequestInfo" || last.RequestID == "" {
			t.Errorf("%s: no request id in %s", path, body)
		}
	}
	for _, c := range []struct {
		method, path string
		code         int
		reason       string
	}{
		{"GET", "/v1/nothing", 404, "UNKNOWN_PATH"}, {"GET", "/v2", 404, "UNKNOWN_PATH"}, {"GET", "/%ff", 404, "UNKNOWN_PATH"},
		{"POST", "/v1/items", 405, "METHOD_NOT_ALLOWED"}, {"DELETE", "/v1/items", 405, "METHOD_NOT_ALLOWED"},
		{"GET", "/v1/items:batchRecord", 405, "METHOD_NOT_ALLOWED"},
		{"POST", "/", 405, "METHOD_NOT_ALLOWED"}, {"POST", "/openapi.json", 405, "METHOD_NOT_ALLOWED"},
		{"GET", "/v1/runs/%zz", 400, ""}, // net/http itself refuses it
	} {
		req, err := http.NewRequest(c.method, "http://"+d.HTTP+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.URL.Opaque = c.path // as it stands
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != c.code {
			t.Errorf("%s %s: %d %s", c.method, c.path, resp.StatusCode, body)
		}
		if c.reason == "" {
			continue
		}
		if f := apitest.ReadFault(t, body); f.Details[0].Reason != c.reason || f.Details[0].Domain != "varve.dev" {
			t.Errorf("%s %s: %d %s", c.method, c.path, resp.StatusCode, body)
		}
	}
}

// failing is a store whose runs are errors, named by the kind.
type failing struct {
	history.Store
}

func (failing) Run(_ context.Context, id history.RunID) (history.Run, error) {
	for _, kind := range history.Kinds() {
		if kind.Error() == string(id) {
			return history.Run{}, fmt.Errorf("bolt: %w", &history.Error{Kind: kind, Text: "because", Err: errors.New("secret")})
		}
	}
	return history.Run{}, errors.New("secret")
}

// TestEveryKind shows how each kind of error comes out of both doors.
func TestEveryKind(t *testing.T) {
	d := open(t, apitest.Options{Wrap: func(s history.Store) history.Store { return failing{s} }})
	want := map[history.Kind]struct {
		code codes.Code
		http int
	}{
		history.Internal: {codes.Internal, 500}, history.Invalid: {codes.InvalidArgument, 400}, history.TooLarge: {codes.InvalidArgument, 413},
		history.Future: {codes.OutOfRange, 400}, history.ForeignToken: {codes.InvalidArgument, 400}, history.Unimplemented: {codes.Unimplemented, 501},
		history.NotFound: {codes.NotFound, 404}, history.NotAlive: {codes.NotFound, 404}, history.Ambiguous: {codes.FailedPrecondition, 409},
		history.Conflict: {codes.Aborted, 409}, history.AlreadyExists: {codes.AlreadyExists, 409}, history.RunClosed: {codes.FailedPrecondition, 409},
		history.RunTainted: {codes.FailedPrecondition, 409}, history.RunTooGreedy: {codes.FailedPrecondition, 409}, history.Compacted: {codes.OutOfRange, 410},
		history.Unavailable: {codes.Unavailable, 503}, history.Locked: {codes.Unavailable, 503}, history.NewerFormat: {codes.FailedPrecondition, 500},
		history.DataLoss: {codes.DataLoss, 500},
	}
	for _, kind := range history.Kinds() {
		t.Run(kind.Error(), func(t *testing.T) {
			code, body := d.Get(t, "/v1/runs/"+kind.Error())
			f := fault(t, code, body, want[kind].http, kind)
			_, err := d.Runs.GetRun(t.Context(), &varvev1.GetRunRequest{Name: "runs/" + kind.Error()})
			if status.Code(err) != want[kind].code || f.Code != int(want[kind].code) || status.Convert(err).Message() != f.Message {
				t.Errorf("gRPC says %v, HTTP %s", err, body)
			}
			if strings.Contains(string(body)+err.Error(), "secret") || (f.Message == "because") != (kind != history.Internal) {
				t.Errorf("%s", body)
			}
		})
	}
}

func TestOtherPages(t *testing.T) {
	d := open(t, apitest.Options{})
	for path, want := range map[string]string{"/": "Varve test", "/openapi.json": `"openapi"`, "/healthz": "SERVING"} {
		if code, body := d.Get(t, path); code != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

func TestWhoMayAsk(t *testing.T) {
	d := open(t, apitest.Options{Hosts: []string{"Varve.example", "other.example:8443"}})
	_, port, _ := net.SplitHostPort(d.HTTP)
	for _, c := range []struct {
		header map[string]string
		code   int
	}{
		{map[string]string{"Host": "localhost:" + port}, 200},
		{map[string]string{"Host": "LOCALHOST:" + port}, 200},
		{map[string]string{"Host": "127.0.0.1:" + port}, 200},
		{map[string]string{"Host": "127.8.9.10:" + port}, 200},
		{map[string]string{"Host": "[::1]:" + port}, 200},
		{map[string]string{"Host": "varve.example"}, 200},
		{map[string]string{"Host": "varve.example:1"}, 200},
		{map[string]string{"Host": "other.example:8443"}, 200},
		{map[string]string{"Host": "other.example"}, 421},
		{map[string]string{"Host": "localhost"}, 421},
		{map[string]string{"Host": "localhost:1"}, 421},
		{map[string]string{"Host": "rebound.example:" + port}, 421},
		{map[string]string{"Host": "localhost.rebound.example:" + port}, 421},
		{map[string]string{"Host": "10.0.0.1:" + port}, 421},
		{map[string]string{"Origin": "http://127.0.0.1:" + port}, 200},
		{map[string]string{"Origin": "http://localhost:" + port, "Sec-Fetch-Site": "same-origin"}, 200},
		{map[string]string{"Sec-Fetch-Site": "none"}, 200},
		{map[string]string{"Origin": "https://varve.example"}, 200},
		{map[string]string{"Origin": "http://localhost:3000"}, 403},
		{map[string]string{"Origin": "https://evil.example"}, 403},
		{map[string]string{"Origin": "null"}, 403},
		{map[string]string{"Origin": "file://localhost:" + port}, 403},
		{map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
	} {
		for _, path := range []string{"/v1/status", "/", "/openapi.json"} {
			code, body := d.Do(t, "GET", path, "", c.header)
			if code != c.code {
				t.Errorf("%v: %d %s", c.header, code, body)
			}
			if code == 200 {
				continue
			}
			reason := map[int]string{421: "UNKNOWN_HOST", 403: "FOREIGN_ORIGIN"}[code]
			if f := apitest.ReadFault(t, body); f.Details[0].Reason != reason || f.Details[0].Domain != "varve.dev" || f.Message == "" {
				t.Errorf("%v: %s", c.header, body)
			}
		}
	}
	if code, _ := d.Do(t, "POST", "/v1/runs", "{}", map[string]string{"Origin": "https://evil.example"}); code != 403 {
		t.Errorf("POST: %d", code)
	}
}

func TestExportStreams(t *testing.T) {
	d := open(t, apitest.Options{})
	filler := strings.Repeat("x", 200<<10)
	for i := range 12 {
		d.Record(t, observation(fmt.Sprintf("%02d", i), `{"n":1.0,"x":"`+filler+`"}`))
	}
	resp, err := http.Get("http://" + d.HTTP + "/v1/items:export")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Error(resp.Header)
	}
	lines, items := 0, 0
	for in := bufio.NewReader(resp.Body); ; lines++ {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		var part struct {
			Result struct {
				Items []struct{ Configuration struct{ N json.Number } }
			}
		}
		if err := json.Unmarshal([]byte(line), &part); err != nil {
			t.Fatal(err)
		}
		for _, item := range part.Result.Items {
			if items++; item.Configuration.N != "1.0" {
				t.Error(item)
			}
		}
	}
	if lines < 2 || items != 12 {
		t.Errorf("%d items in %d lines", items, lines)
	}

	code, body := d.Get(t, "/v1/items:export?knownAt=999")
	var refusal struct{ Error apitest.Fault }
	if err := json.Unmarshal(body, &refusal); err != nil || code != 400 || refusal.Error.Details[0].Reason != history.Future.Error() {
		t.Errorf("%d %s", code, body)
	}
}

// TestWaitOutlivesNobody: a question that waits ends when its client leaves.
func TestWaitOutlivesNobody(t *testing.T) {
	entered, left := make(chan struct{}), make(chan struct{})
	d := open(t, apitest.Options{Wrap: func(s history.Store) history.Store { return waiting{s, entered, left} }})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-entered
		cancel()
	}()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+d.HTTP+"/v1/changes?wait=60s", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.DefaultClient.Do(req); err == nil {
		_ = resp.Body.Close()
		t.Fatal("answered")
	}
	select {
	case <-left:
	case <-time.After(30 * time.Second): // it would end by itself after 60
		t.Error("the store still waits")
	}

	begin := time.Now()
	if code, body := d.Get(t, "/v1/changes?wait=0.05s"); code != 200 || time.Since(begin) < 50*time.Millisecond {
		t.Errorf("%d %s after %v", code, body, time.Since(begin))
	}
}

type waiting struct {
	history.Store
	entered, left chan struct{}
}

func (w waiting) Changes(ctx context.Context, after history.Position, limit int, wait time.Duration) ([]history.Change, history.Position, error) {
	if wait == time.Minute {
		close(w.entered)
		defer close(w.left)
	}
	return w.Store.Changes(ctx, after, limit, wait)
}
