package tracing_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/varvehq/varve/cmd/internal/certificate/certtest"
	"github.com/varvehq/varve/cmd/internal/tracing"
)

// receiver is the other side of the protocol: it takes what comes over either
// transport.
type receiver struct {
	coltracepb.UnimplementedTraceServiceServer
	got chan *coltracepb.ExportTraceServiceRequest
}

func (r *receiver) Export(_ context.Context, req *coltracepb.ExportTraceServiceRequest) (*coltracepb.ExportTraceServiceResponse, error) {
	r.got <- req
	return &coltracepb.ExportTraceServiceResponse{}, nil
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	export := &coltracepb.ExportTraceServiceRequest{}
	if err != nil || proto.Unmarshal(body, export) != nil || req.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.got <- export
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func serveGRPC(t *testing.T, r *receiver, options ...grpc.ServerOption) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(options...)
	coltracepb.RegisterTraceServiceServer(s, r)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

// TestReceivers: a span arrives over each of the four transports.
func TestReceivers(t *testing.T) {
	ca := certtest.New(t)
	cert, key := ca.Issue(t, time.Now().Add(time.Hour), "127.0.0.1")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	r := &receiver{got: make(chan *coltracepb.ExportTraceServiceRequest, 1)}
	plain := httptest.NewServer(r)
	defer plain.Close()
	secure := httptest.NewUnstartedServer(r)
	secure.TLS = config.Clone()
	secure.StartTLS()
	defer secure.Close()

	for _, endpoint := range []string{
		"grpc://" + serveGRPC(t, r),
		"grpcs://" + serveGRPC(t, r, grpc.Creds(credentials.NewTLS(config))),
		plain.URL, secure.URL,
	} {
		provider, err := tracing.New(t.Context(), tracing.Options{
			Endpoint: endpoint, CAFile: ca.File, Sample: 1, Version: "1.2.3", Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		_, span := provider.Tracer("test").Start(t.Context(), "a span")
		span.End()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if err := provider.Shutdown(ctx); err != nil {
			t.Errorf("%s: %v", endpoint, err)
			cancel()
			continue
		}
		cancel()
		got := (<-r.got).GetResourceSpans()[0]
		if name := got.GetScopeSpans()[0].GetSpans()[0].GetName(); name != "a span" || !strings.Contains(got.GetResource().String(), "1.2.3") {
			t.Errorf("%s: %v", endpoint, got)
		}
	}
}

// TestNobodyThere: what cannot be sent is told to the log, and nobody waits.
func TestNobodyThere(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	provider, err := tracing.New(ctx, tracing.Options{Endpoint: "http://127.0.0.1:1", Sample: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	_, span := provider.Tracer("test").Start(ctx, "lost")
	span.End()
	short, cancelShort := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancelShort()
	begin := time.Now()
	_ = provider.Shutdown(short) // whatever it says, it ends
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("took %s", took)
	}
}

func TestRefusals(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(empty, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{empty: "holds no certificate", empty + "x": "no such file"} {
		_, err := tracing.New(t.Context(), tracing.Options{Endpoint: "grpcs://127.0.0.1:1", CAFile: file})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
