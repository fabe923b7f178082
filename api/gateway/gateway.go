// Package gateway is the HTTP/JSON door: it turns requests into calls of the
// gRPC server, so that both doors pass the same interceptors and answer alike.
//
// A configuration stands in a body as the JSON it is, in both directions and
// with every digit: varve.v1.Json is written and read as the value it holds.
// Streams are newline-delimited JSON, each line {"result": …} or, as the last
// one, {"error": …}; changes come as server-sent events where these are asked for
// (events.go). Errors are google.rpc.Status messages.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// MaxBody is the largest request body in bytes.
const MaxBody = 64 << 20

// Options of a gateway.
type Options struct {
	// Port is the port that browsers reach us under. A loopback host with
	// another one is refused.
	Port string
	// Hosts are further names under which we may be addressed, with a port or
	// for every port.
	Hosts []string
	// Secure says that we are reached over TLS.
	Secure bool
	// Vouched tells whether our certificate is valid for a name, which then is
	// one of ours. May be nil.
	Vouched func(name string) bool
	// Authenticate returns nil, or why a request may not pass, in a text for its
	// sender. It is asked before anything of a body is read; what passes is asked
	// again behind the gateway. Default: all may pass.
	Authenticate func(r *http.Request) error
	// Another is a protocol besides ours, spoken at POST /. May be nil.
	Another Protocol
	// Pages are further paths, or with a slash at their end all below them.
	Pages map[string]http.Handler
	// OpenAPI is the document served at /openapi.json.
	OpenAPI []byte
	Version string
}

// Protocol is another way to speak with the program, such as AWS Config's. It finds
// out itself who asks: Authenticate of [Options] is not put before it.
type Protocol interface {
	http.Handler

	// Refuse answers, in the protocol's own words, a request that was not meant for
	// us, for a reason in a text for its sender.
	Refuse(w http.ResponseWriter, text string)
}

type gateway struct {
	mux       *runtime.ServeMux
	questions map[string]question
}

// New returns the handler of everything the HTTP port serves. conn leads to the
// gRPC server and stays the caller's to close; it must take answers of any size.
func New(conn grpc.ClientConnInterface, opts Options) (http.Handler, error) {
	all, err := questions()
	if err != nil {
		return nil, err
	}
	g := &gateway{questions: all}
	g.mux = runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, marshaler{}),
		runtime.WithForwardResponseRewriter(rewrite),
		runtime.WithErrorHandler(g.answerError),
		runtime.WithRoutingErrorHandler(g.answerRouting),
		runtime.WithMiddlewares(g.readQuery),
		runtime.WithIncomingHeaderMatcher(incoming),
		runtime.WithOutgoingHeaderMatcher(outgoing),
		runtime.WithOutgoingTrailerMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithWriteContentLength(),
		runtime.WithHealthEndpointAt(healthv1.NewHealthClient(conn), readyPath),
		runtime.WithHealthEndpointAt(healthv1.NewHealthClient(conn), "/healthz"), // as gRPC programs are used to
	)
	ctx := context.Background() // of no use to the clients below
	err = errors.Join(
		varvev1.RegisterRecorderServiceHandlerClient(ctx, g.mux, varvev1.NewRecorderServiceClient(conn)),
		varvev1.RegisterRunServiceHandlerClient(ctx, g.mux, varvev1.NewRunServiceClient(conn)),
		varvev1.RegisterHistoryServiceHandlerClient(ctx, g.mux, varvev1.NewHistoryServiceClient(conn)),
		varvev1.RegisterGraphServiceHandlerClient(ctx, g.mux, varvev1.NewGraphServiceClient(conn)),
		varvev1.RegisterWatchServiceHandlerClient(ctx, g.mux, varvev1.NewWatchServiceClient(conn)),
		varvev1.RegisterMaintenanceServiceHandlerClient(ctx, g.mux, varvev1.NewMaintenanceServiceClient(conn)),
		varvev1.RegisterComplianceServiceHandlerClient(ctx, g.mux, varvev1.NewComplianceServiceClient(conn)),
		varvev1.RegisterSubscriptionServiceHandlerClient(ctx, g.mux, varvev1.NewSubscriptionServiceClient(conn)),
	)
	if err != nil {
		return nil, err
	}

	pages := http.NewServeMux()
	pages.Handle("/", bounded(g.mux))
	pages.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = fmt.Fprintf(w, welcome, opts.Version)
	})
	pages.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(opts.OpenAPI)
	})
	pages.Handle("GET /v1/backup", bounded(&backup{g, varvev1.NewMaintenanceServiceClient(conn)}))
	pages.Handle("GET "+watchPath, bounded(&events{g, varvev1.NewWatchServiceClient(conn)}))
	for _, page := range []string{"/{$}", "/openapi.json", "/v1/backup"} {
		pages.HandleFunc(page, func(w http.ResponseWriter, r *http.Request) {
			g.answerRouting(r.Context(), g.mux, marshaler{}, w, r, http.StatusMethodNotAllowed)
		})
	}
	if opts.Another != nil {
		pages.Handle("POST /{$}", bounded(opts.Another))
	}
	for path, page := range opts.Pages {
		pages.Handle(path, page)
	}
	hosts := make([]string, len(opts.Hosts))
	for i, h := range opts.Hosts {
		hosts[i] = strings.ToLower(h)
	}
	guarded := &guard{
		port: opts.Port, secure: opts.Secure, hosts: hosts, vouched: opts.Vouched,
		authenticate: opts.Authenticate, another: opts.Another, next: pages, fail: g.fail,
	}
	return probes(g.mux, guarded), nil
}

const welcome = `Varve %s

What every resource looked like, and when we learned of it.

  GET  /v1/items:lookup?type=&id=&at=     one resource at a moment
  GET  /v1/items:history?type=&id=        its versions
  GET  /v1/items:diff?type=&id=&from=&to= what changed between two moments
  GET  /v1/items?at=&type=&tags=k=v       the inventory at a moment
  GET  /v1/items:count?groupBy=           and its numbers
  GET  /v1/items:export?at=               and all of it
  GET  /v1/graph:relationships?type=&id=  what a resource uses, and what uses it
  GET  /v1/graph:uses?type=&id=&depth=    who uses it, directly or through others
  GET  /v1/graph:paths?type=&id=&toType=&toId=
                                          how two resources are connected
  GET  /v1/graph:unused?type=             what nobody uses
  GET  /v1/graph:lastUsed?type=&id=       when the last use ended
  GET  /v1/graph:diff?from=&to=           what came and went between two moments
  GET  /v1/graph:subgraph?type=&ids=      a part of the graph, for drawing
  GET  /v1/compliance?rule=&status=&at=   what complies with what, since when
  GET  /v1/compliance:timelines?type=&id= and did when
  GET  /v1/compliance:summary?groupBy=    and its numbers
  GET  /v1/rules, /v1/packs, /v1/waivers  what it is held to
  POST /v1/rules:backtest                 a rule over the recorded past
  GET  /v1/changes?position=&wait=30s     what was recorded, as it comes
  GET  /v1/changes:watch?since=&filter=   all of it, live; as server-sent events, too
  GET  /v1/subscriptions                  who is told of changes, and how that goes
  PUT  /v1/subscriptions/NAME             tell somebody
  POST /v1/items:batchRecord              record observations
  GET  /v1/runs                           collection runs
  GET  /v1/status                         how far the store has come, how large it is
  GET  /v1/backup                         a copy of it, as a file
  POST /v1/maintenance:prune              forget the far past
  POST /v1/items:eraseVersion             forget what one version held
  POST /v1/graph:rebuild                  read all relationships anew
  GET  /openapi.json                      all of this in full

  POST /                                  AWS Config's own protocol, for its tools:
                                          aws configservice --endpoint-url

  GET  /livez /readyz                     whether it lives, whether it can work
  GET  /metrics                           for Prometheus
`

// incoming passes the id of a request on, and nothing that a caller could take
// for something we vouch for.
func incoming(header string) (string, bool) {
	return "x-request-id", strings.EqualFold(header, "X-Request-Id")
}

func outgoing(header string) (string, bool) {
	return "X-Request-Id", header == "x-request-id"
}

// patience is how long one read of a body or one write of an answer may take.
// There is no limit to the whole of either: answers wait for changes and exports
// for their readers.
const patience = time.Minute

// bounded limits bodies in size, and both directions in how long they stall.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		r.Body = &body{ReadCloser: http.MaxBytesReader(w, r.Body, MaxBody), control: control, length: r.ContentLength}
		next.ServeHTTP(&writer{w, control}, r)
	})
}

// body is the body of a request. It remembers why it was refused.
type body struct {
	io.ReadCloser
	control *http.ResponseController
	length  int64 // by its own word; -1 if it does not say
	refused error
}

func (b *body) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(patience)) // without it, reads just have no limit
	n, err := b.ReadCloser.Read(p)
	_ = b.control.SetReadDeadline(time.Time{})
	return n, err
}

// reason is why the body was refused, as an error for clients.
func (b *body) reason() error {
	var (
		large *http.MaxBytesError
		known *history.Error
	)
	switch {
	case errors.As(b.refused, &large):
		return errBodyTooLarge
	case errors.As(b.refused, &known):
		return known
	}
	return &history.Error{Kind: history.Invalid, Field: "body", Text: "cannot be read to its end", Err: b.refused}
}

type writer struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w *writer) Write(p []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(patience)) // as above
	return w.ResponseWriter.Write(p)
}

// FlushError is for http.ResponseController. What is flushed belongs to a stream,
// which then may be silent for as long as it likes.
func (w *writer) FlushError() error {
	_ = w.control.SetWriteDeadline(time.Now().Add(patience)) // as above
	err := w.control.Flush()
	_ = w.control.SetWriteDeadline(time.Time{})
	return err
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
