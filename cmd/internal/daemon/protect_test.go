package daemon_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/varvehq/varve/cmd/internal/certificate/certtest"
	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history/memory"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

const (
	oldToken = "the-old-token-0123456789"
	newToken = "the-new-token-0123456789"
)

func tokenFile(t *testing.T, tokens ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(name, []byte(strings.Join(tokens, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func bearing(ctx context.Context, token string) context.Context {
	if token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// safeLog is a log that may be read while it is written.
type safeLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *safeLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// calls makes one call of each shape and returns how they ended.
func calls(t *testing.T, conn *grpc.ClientConn, token string) map[string]codes.Code {
	t.Helper()
	ctx, cancel := context.WithTimeout(bearing(t.Context(), token), time.Minute)
	defer cancel()
	ended := map[string]codes.Code{}
	note := func(shape string, err error) {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		ended[shape] = status.Code(err)
	}
	_, err := varvev1.NewHistoryServiceClient(conn).GetStatus(ctx, &varvev1.GetStatusRequest{})
	note("unary", err)
	export, err := varvev1.NewHistoryServiceClient(conn).ExportItems(ctx, &varvev1.ExportItemsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = export.Recv()
	note("server stream", err)
	record, err := varvev1.NewRecorderServiceClient(conn).Record(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_ = record.Send(&varvev1.RecordRequest{Observations: []*varvev1.Observation{{
		Key: &varvev1.ResourceKey{Type: "T", Id: "a"}, Configuration: &varvev1.Json{Raw: []byte(`1`)}}}}) // Recv tells
	_, err = record.Recv()
	note("both streams", err)
	reflection, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_ = reflection.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}})
	_, err = reflection.Recv()
	note("reflection", err)
	_, err = healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
	note("health", err)
	return ended
}

func TestTokensOverGRPC(t *testing.T) {
	log := &safeLog{}
	d, _ := start(t, daemon.Options{
		Dir: t.TempDir(), TokenFile: tokenFile(t, "# ours", oldToken), Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	conn := dial(t, d)
	for token, want := range map[string]codes.Code{"": codes.Unauthenticated, newToken: codes.Unauthenticated, oldToken[:20]: codes.Unauthenticated, oldToken: codes.OK} {
		for shape, got := range calls(t, conn, token) {
			if shape == "health" && got != codes.OK || shape != "health" && got != want {
				t.Errorf("%q, %s: %s, want %s", token, shape, got, want)
			}
		}
	}
	for _, want := range []string{"asks=\"everybody for a token\"", `msg="call refused" method=/varve.v1.HistoryService/GetStatus`, "code=Unauthenticated"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not have %s:\n%s", want, log)
		}
	}
	if strings.Contains(log.String(), oldToken) || strings.Contains(log.String(), newToken) {
		t.Error("a token is in the log")
	}
}

// TestTokensBeforeMessages: who is not known does not get to send us anything.
func TestTokensBeforeMessages(t *testing.T) {
	d, _ := start(t, daemon.Options{Dir: t.TempDir(), TokenFile: tokenFile(t, oldToken)})
	huge := make([]byte, 100<<20) // over every limit: read, it would be refused for its size
	_, err := varvev1.NewRecorderServiceClient(dial(t, d)).BatchRecord(t.Context(), &varvev1.BatchRecordRequest{
		Observations: []*varvev1.Observation{{Configuration: &varvev1.Json{Raw: huge}}},
	})
	if status.Code(err) != codes.Unauthenticated {
		t.Errorf("got %v", err)
	}
}

// reply is an answer over HTTP, read to its end.
type reply struct {
	code   int
	header http.Header
	proto  int // major version of HTTP
	body   string
}

func ask(t *testing.T, client *http.Client, url string, header map[string]string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		if k == "Host" {
			req.Host = v
		}
		req.Header.Set(k, v)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, resp.ProtoMajor, string(text)}
}

func TestTokensOverHTTP(t *testing.T) {
	d, _ := start(t, daemon.Options{Dir: t.TempDir(), TokenFile: tokenFile(t, oldToken), Pprof: true})
	url := "http://" + d.HTTPAddr()
	for path, open := range map[string]bool{
		"/livez": true, "/readyz": true, "/healthz": true,
		"/": false, "/openapi.json": false, "/v1/status": false, "/v1/items:export": false, "/metrics": false,
		"/debug/pprof/": false, "/debug/pprof/cmdline": false,
	} {
		for _, token := range []string{"", newToken, oldToken} {
			header := map[string]string{}
			if token != "" {
				header["Authorization"] = "Bearer " + token
			}
			got := ask(t, http.DefaultClient, url+path, header)
			want := http.StatusUnauthorized
			if open || token == oldToken {
				want = http.StatusOK
			}
			if got.code != want {
				t.Errorf("%s with %q: %d %s", path, token, got.code, got.body)
			}
			if want == http.StatusUnauthorized && (got.header.Get("WWW-Authenticate") != "Bearer" || !strings.Contains(got.body, `"UNAUTHENTICATED"`)) {
				t.Errorf("%s with %q: %v %s", path, token, got.header, got.body)
			}
		}
	}
	// Not even what there is can be found out; and a page from elsewhere is
	// refused before it is asked for a token.
	if got := ask(t, http.DefaultClient, url+"/nothing", nil); got.code != http.StatusUnauthorized {
		t.Error(got.code)
	}
	if got := ask(t, http.DefaultClient, url+"/v1/status", map[string]string{"Host": "evil.example", "Authorization": "Bearer " + oldToken}); got.code != http.StatusMisdirectedRequest {
		t.Error(got.code)
	}
	if got := ask(t, http.DefaultClient, url+"/debug/pprof/", map[string]string{"Origin": "https://evil.example", "Authorization": "Bearer " + oldToken}); got.code != http.StatusForbidden {
		t.Error(got.code)
	}
}

func TestTokensAreRotated(t *testing.T) {
	file := tokenFile(t, oldToken)
	d, _ := start(t, daemon.Options{Dir: t.TempDir(), TokenFile: file})
	conn := dial(t, d)
	if err := os.WriteFile(file, []byte(newToken), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := calls(t, conn, oldToken)["unary"]; got != codes.OK {
		t.Errorf("before it is told: %s", got)
	}
	if err := d.Reload(); err != nil {
		t.Fatal(err)
	}
	if before, after := calls(t, conn, oldToken)["unary"], calls(t, conn, newToken)["unary"]; before != codes.Unauthenticated || after != codes.OK {
		t.Errorf("the old token gives %s, the new one %s", before, after)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := d.Reload(); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Error(err)
	}
	if got := calls(t, conn, newToken)["unary"]; got != codes.OK {
		t.Errorf("after a file that is refused: %s", got)
	}
}

// secured starts a daemon with TLS for names of its own.
func secured(t *testing.T, o daemon.Options, addr string) (*daemon.Daemon, *certtest.Authority) {
	t.Helper()
	ca := certtest.New(t)
	o.CertFile, o.KeyFile = ca.Issue(t, time.Now().Add(time.Hour), "127.0.0.1", "localhost", "varve.example")
	o.GRPCAddr, o.HTTPAddr = addr, addr
	if o.Store == nil {
		o.Store = memory.New(memory.Options{Linker: graph.Linker{}})
	}
	d := daemon.New(o)
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return d, ca
}

func overTLS(t *testing.T, addr string, config *tls.Config) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestTLS(t *testing.T) {
	log := &safeLog{}
	d, ca := secured(t, daemon.Options{Logger: slog.New(slog.NewTextHandler(log, nil))}, "127.0.0.1:0")
	if !strings.Contains(log.String(), "tls=true") {
		t.Error(log)
	}
	trusting := func() *tls.Config { return &tls.Config{RootCAs: ca.Pool, ServerName: "varve.example"} }
	for shape, code := range calls(t, overTLS(t, d.GRPCAddr(), trusting()), "") {
		if code != codes.OK {
			t.Errorf("%s: %s", shape, code)
		}
	}
	stranger := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "varve.example"}
	for name, conn := range map[string]*grpc.ClientConn{"an unknown authority": overTLS(t, d.GRPCAddr(), stranger), "no TLS": dial(t, d)} {
		if _, err := varvev1.NewHistoryServiceClient(conn).GetStatus(t.Context(), &varvev1.GetStatusRequest{}); status.Code(err) != codes.Unavailable {
			t.Errorf("with %s: %v", name, err)
		}
	}
	for addr, next := range map[string]string{d.GRPCAddr(): "h2", d.HTTPAddr(): "http/1.1"} {
		old := trusting()
		old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		old.NextProtos = []string{next}
		if conn, err := tls.Dial("tcp", addr, old); err == nil {
			_ = conn.Close()
			t.Errorf("%s speaks TLS 1.1", addr)
		}
	}

	transport := &http.Transport{TLSClientConfig: trusting(), ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	_, port, _ := net.SplitHostPort(d.HTTPAddr())
	for host, want := range map[string]int{
		"":                      http.StatusOK, // the address
		"varve.example:" + port: http.StatusOK, // of the certificate
		"localhost:" + port:     http.StatusOK,
		"varve.example:9":       http.StatusMisdirectedRequest,
		"evil.example:" + port:  http.StatusMisdirectedRequest,
	} {
		header := map[string]string{}
		if host != "" {
			header["Host"] = host
		}
		got := ask(t, client, "https://"+d.HTTPAddr()+"/v1/status", header)
		if got.code != want || got.proto != 2 {
			t.Errorf("%s: %d over HTTP/%d: %s", host, got.code, got.proto, got.body)
		}
	}
	if got := ask(t, client, "https://"+d.HTTPAddr()+"/readyz", map[string]string{"Host": "10.1.2.3:7421"}); got.code != http.StatusOK {
		t.Errorf("a probe that comes by a number: %d", got.code)
	}
}

// TestBeyondLoopback: with both, the daemon may be reached from elsewhere, under
// the names that its certificate vouches for.
func TestBeyondLoopback(t *testing.T) {
	log := &safeLog{}
	d, ca := secured(t, daemon.Options{TokenFile: tokenFile(t, oldToken), Logger: slog.New(slog.NewTextHandler(log, nil))}, ":0")
	if !strings.Contains(log.String(), `reached_from="the network" asks="everybody for a token" tls=true`) {
		t.Error(log)
	}
	_, port, _ := net.SplitHostPort(d.GRPCAddr())
	conn := overTLS(t, "127.0.0.1:"+port, &tls.Config{RootCAs: ca.Pool})
	if got := calls(t, conn, oldToken)["unary"]; got != codes.OK {
		t.Error(got)
	}
	if got := calls(t, conn, "")["unary"]; got != codes.Unauthenticated {
		t.Error(got)
	}
	_, port, _ = net.SplitHostPort(d.HTTPAddr())
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool}, DisableKeepAlives: true}}
	got := ask(t, client, "https://localhost:"+port+"/v1/status", map[string]string{"Authorization": "Bearer " + oldToken})
	if got.code != http.StatusOK {
		t.Error(got.code, got.body)
	}
}

// TestFilesOfOthers: a daemon that others can reach writes subscriptions into files
// of one folder only, and none where its configuration names no folder.
func TestFilesOfOthers(t *testing.T) {
	folder := t.TempDir()
	for name, tt := range map[string]struct {
		addr, files, target, want string
	}{
		"Nowhere":     {":0", "", "file://" + folder + "/x", "delivery.files"},
		"Inside":      {":0", folder, "file://" + folder + "/x", ""},
		"Outside":     {":0", folder, "file://" + filepath.Dir(folder) + "/x", "is outside of"},
		"A loopback":  {"127.0.0.1:0", "", "file://" + folder + "/y", ""},
		"Its folder":  {"127.0.0.1:0", folder, "file:///tmp/../x", "is outside of"},
		"No file":     {":0", "", "https://hooks.example/x", ""},
		"Its console": {":0", "", "file:-", "delivery.files"},
	} {
		t.Run(name, func(t *testing.T) {
			d, ca := secured(t, daemon.Options{TokenFile: tokenFile(t, oldToken), Delivery: daemon.Delivery{Files: tt.files}}, tt.addr)
			_, port, _ := net.SplitHostPort(d.GRPCAddr())
			conn := overTLS(t, "127.0.0.1:"+port, &tls.Config{RootCAs: ca.Pool})
			_, err := varvev1.NewSubscriptionServiceClient(conn).PutSubscription(bearing(t.Context(), oldToken), &varvev1.PutSubscriptionRequest{
				Subscription: &varvev1.Subscription{Name: "subscriptions/a", Target: tt.target},
			})
			if tt.want == "" && err != nil || tt.want != "" && (status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), tt.want)) {
				t.Error(err)
			}
		})
	}
}

// TestSecretsThatCannotBeUsed keep a daemon from starting, and leave nothing open.
func TestSecretsThatCannotBeUsed(t *testing.T) {
	ca := certtest.New(t)
	cert, key := ca.Issue(t, time.Now().Add(time.Hour), "localhost")
	expired, expiredKey := ca.Issue(t, time.Now().Add(-time.Minute), "localhost")
	readable := tokenFile(t, oldToken)
	if err := os.Chmod(readable, 0o640); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		o    daemon.Options
		want string
	}{
		"ExpiredCertificate": {daemon.Options{CertFile: expired, KeyFile: expiredKey}, "expired on"},
		"KeyOfAnother":       {daemon.Options{CertFile: cert, KeyFile: expiredKey}, "does not match"},
		"NoKey":              {daemon.Options{CertFile: cert, KeyFile: key + "x"}, "no such file"},
		"NoTokenFile":        {daemon.Options{TokenFile: key + "x"}, "no such file"},
		"ReadableTokens":     {daemon.Options{TokenFile: readable}, "chmod 600"},
		"TokensOnly":         {daemon.Options{TokenFile: tokenFile(t, oldToken), GRPCAddr: "0.0.0.0:0"}, "give --tls-cert and --tls-key as well"},
		"TLSOnly":            {daemon.Options{CertFile: cert, KeyFile: key, GRPCAddr: "0.0.0.0:0"}, "give --auth-token-file as well"},
	} {
		tt.o.Store, tt.o.HTTPAddr = memory.New(memory.Options{Linker: graph.Linker{}}), "127.0.0.1:0"
		if tt.o.GRPCAddr == "" {
			tt.o.GRPCAddr = "127.0.0.1:0"
		}
		d := daemon.New(tt.o)
		err := d.Start(t.Context())
		if err == nil {
			_ = d.Stop(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
