package server_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/api/server"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// badStore fails in ways that stores should not.
type badStore struct {
	history.Store
}

func (badStore) Head(context.Context) (history.Head, error) { panic("out of cheese") }

func (badStore) Run(context.Context, history.RunID) (history.Run, error) {
	return history.Run{}, errors.New("open /secret: no such file")
}

func (badStore) AsOf(context.Context, history.At) (history.Reader, error) { panic("in a stream") }

func TestFaultsOfOurs(t *testing.T) {
	d := open(t, apitest.Options{Wrap: func(s history.Store) history.Store { return badStore{s} }})
	ctx := metadata.AppendToOutgoingContext(t.Context(), server.RequestIDHeader, "r-17")

	var header metadata.MD
	_, panicked := d.History.GetStatus(ctx, &varvev1.GetStatusRequest{}, grpc.Header(&header))
	_, unknown := d.Runs.GetRun(ctx, &varvev1.GetRunRequest{Name: "runs/a"})
	stream, err := d.History.ExportItems(ctx, &varvev1.ExportItemsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	_, inStream := stream.Recv()

	for name, err := range map[string]error{"panic": panicked, "unknown": unknown, "stream": inStream} {
		wantCode(t, err, codes.Internal)
		refused(t, err, history.Internal)
		if text := err.Error(); strings.Contains(text, "secret") || strings.Contains(text, "cheese") {
			t.Errorf("%s shows its cause: %v", name, err)
		}
		if id := requestID(err); id != "r-17" {
			t.Errorf("%s: request id %q", name, id)
		}
	}
	if header.Get(server.RequestIDHeader)[0] != "r-17" {
		t.Error(header)
	}
	for _, cause := range []string{"out of cheese", "in a stream", "/secret", "intercept_test.go", "request=r-17"} {
		if !strings.Contains(d.Log.String(), cause) {
			t.Errorf("the log does not have %s:\n%s", cause, d.Log)
		}
	}
	if _, err := d.History.ListChanges(t.Context(), &varvev1.ListChangesRequest{}); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

func requestID(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.RequestInfo); ok {
			return info.GetRequestId()
		}
	}
	return ""
}

// asked notes what was asked for, and forbids some of it.
type asked struct {
	mu      sync.Mutex
	methods []string
}

func (a *asked) Authorize(ctx context.Context, who server.Principal, method string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if server.PrincipalFrom(ctx) != who || who != server.Local {
		return errors.New("nobody asks")
	}
	a.methods = append(a.methods, method)
	if strings.HasSuffix(method, "GetStatus") || strings.HasSuffix(method, "ExportItems") {
		return errors.New("local may not read")
	}
	return nil
}

func TestOneAuthorisationPerCall(t *testing.T) {
	a := &asked{}
	d := open(t, apitest.Options{Server: server.Options{Authorizer: a}})

	_, err := d.History.GetStatus(t.Context(), &varvev1.GetStatusRequest{})
	wantCode(t, err, codes.PermissionDenied)
	if status.Convert(err).Message() != "local may not read" {
		t.Error(err)
	}
	stream, err := d.History.ExportItems(t.Context(), &varvev1.ExportItemsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = stream.Recv()
	wantCode(t, err, codes.PermissionDenied)
	if code, body := d.Get(t, "/v1/status"); code != 403 {
		t.Errorf("%d %s", code, body)
	}
	if _, err := d.Runs.ListRuns(t.Context(), &varvev1.ListRunsRequest{}); err != nil {
		t.Error(err)
	}
	const want = "/varve.v1.HistoryService/GetStatus /varve.v1.HistoryService/ExportItems /varve.v1.HistoryService/GetStatus /varve.v1.RunService/ListRuns"
	if got := strings.Join(a.methods, " "); got != want {
		t.Error(got)
	}
}

func TestRequestIDs(t *testing.T) {
	d := open(t, apitest.Options{})
	for given, kept := range map[string]bool{"abc": true, "": false, "a b": false, strings.Repeat("a", 129): false} {
		_, err := d.Runs.GetRun(metadata.AppendToOutgoingContext(t.Context(), server.RequestIDHeader, given), &varvev1.GetRunRequest{Name: "x"})
		if id := requestID(err); (id == given) != kept || id == "" {
			t.Errorf("%q gives %q", given, id)
		}
	}
}

func TestHealthAndReflection(t *testing.T) {
	d := open(t, apitest.Options{})
	health := healthv1.NewHealthClient(d.Conn)
	for _, service := range []string{"", "varve.v1.HistoryService", "varve.v1.RecorderService", "varve.v1.RunService"} {
		resp, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
		if err != nil || resp.GetStatus() != healthv1.HealthCheckResponse_SERVING {
			t.Errorf("%q: %v, %v", service, resp, err)
		}
	}
	stream, err := reflectionv1.NewServerReflectionClient(d.Conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}})
	resp, err := stream.Recv()
	if err != nil || !strings.Contains(resp.String(), "varve.v1.HistoryService") {
		t.Error(resp, err)
	}
	_ = stream.CloseSend()

	if code, body := d.Get(t, "/healthz"); code != 200 || string(body) != `{"status":"SERVING"}` {
		t.Errorf("%d %s", code, body)
	}
	d.Server.Drain()
	if code, body := d.Get(t, "/healthz"); code != 503 {
		t.Errorf("%d %s", code, body)
	}
}
