package daemon

import (
	"context"
	"net/http"
	"net/http/pprof"
	"runtime"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc/filters"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/stats"

	"github.com/varvehq/varve/api/server"
	"github.com/varvehq/varve/cmd/internal/metrics"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder"
)

func (d *Daemon) newMetrics() *metrics.Metrics {
	m := metrics.New(metrics.Build{Version: d.o.Version, Commit: d.o.Commit, Go: runtime.Version()})
	m.Store(d.store, d.o.Now, d.o.Logger)
	if d.deliverer != nil {
		m.Subscriptions(d.deliverer, d.o.Logger)
	}
	if d.engine != nil {
		m.Rules(d.engine, d.store)
	} else if d.noRules != nil {
		m.NoRules()
	}
	if d.pair != nil {
		m.Expiry(func() time.Time { return d.pair.Leaf().NotAfter })
	}
	return m
}

func (d *Daemon) serverOptions() server.Options {
	o := server.Options{
		Version: d.o.Version, Logger: d.o.Logger, Now: d.o.Now,
		Compliance: d.compliance(), NoCompliance: d.noRules, GraphCache: d.o.GraphCache,
		Observe: d.metrics.Call, Slow: d.o.Slow, Stats: d.wire(serverSide), Feed: d.feed,
	}
	if d.deliverer != nil {
		o.Subscriptions = d.deliverer
	}
	if d.tokens != nil {
		o.Authenticate = d.know
	}
	return o
}

// pages are what the HTTP door offers besides the API.
func (d *Daemon) pages() map[string]http.Handler {
	pages := map[string]http.Handler{"GET /metrics": d.metrics.Handler()}
	if d.o.Pprof {
		pages["/debug/pprof/"] = http.HandlerFunc(pprof.Index)
		pages["/debug/pprof/cmdline"] = http.HandlerFunc(pprof.Cmdline)
		pages["/debug/pprof/profile"] = http.HandlerFunc(pprof.Profile)
		pages["/debug/pprof/symbol"] = http.HandlerFunc(pprof.Symbol)
		pages["/debug/pprof/trace"] = http.HandlerFunc(pprof.Trace)
	}
	return pages
}

// counted counts what becomes of the batches that the doors hand in.
type counted struct {
	*recorder.Recorder
	metrics *metrics.Metrics
}

func (c counted) Record(ctx context.Context, b history.Batch) (history.Receipt, error) {
	receipt, err := c.Recorder.Record(ctx, b)
	c.metrics.Batch(receipt, err)
	return receipt, err
}

// Ready counts like Record, when what is ready is recorded.
func (c counted) Ready(ctx context.Context, b history.Batch) (record func(context.Context) (history.Receipt, error), err error) {
	ready, err := c.Recorder.Ready(ctx, b)
	if err != nil {
		c.metrics.Batch(history.Receipt{}, err)
		return nil, err
	}
	return func(ctx context.Context) (history.Receipt, error) {
		receipt, err := ready(ctx)
		c.metrics.Batch(receipt, err)
		return receipt, err
	}, nil
}

// side is an end of a gRPC connection.
type side int

const (
	serverSide side = iota
	clientSide
)

// contexts is how traces go on from program to program: W3C Trace Context.
var contexts = propagation.TraceContext{}

// wire makes spans of calls, on either side of the connection; nil without traces.
func (d *Daemon) wire(s side) stats.Handler {
	if d.o.Traces == nil {
		return nil
	}
	options := []otelgrpc.Option{
		otelgrpc.WithTracerProvider(d.o.Traces), otelgrpc.WithPropagators(contexts),
		otelgrpc.WithFilter(filters.Not(filters.HealthCheck())),
	}
	if s == clientSide {
		return otelgrpc.NewClientHandler(options...)
	}
	return otelgrpc.NewServerHandler(options...)
}

// tracedHTTP makes spans of requests to the API, for their gRPC calls to hang on, and
// of those in AWS Config's protocol.
func (d *Daemon) tracedHTTP(next http.Handler) http.Handler {
	if d.o.Traces == nil {
		return next
	}
	return otelhttp.NewHandler(next, "HTTP",
		otelhttp.WithTracerProvider(d.o.Traces), otelhttp.WithPropagators(contexts),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return "HTTP " + r.Method }),
		otelhttp.WithFilter(func(r *http.Request) bool {
			return strings.HasPrefix(r.URL.Path, "/v1/") || r.URL.Path == "/" && r.Method == http.MethodPost
		}))
}

// traced makes a span of each append: how much of a call the store takes.
func (d *Daemon) traced(s history.Store) history.Store {
	if d.o.Traces == nil {
		return s
	}
	return tracedStore{s, d.o.Traces.Tracer("github.com/varvehq/varve")}
}

// tracedStore is for the recorder, which asks for no optional powers: they are
// not passed on.
type tracedStore struct {
	history.Store
	tracer trace.Tracer
}

func (s tracedStore) Append(ctx context.Context, b history.Batch) (history.Receipt, error) {
	ctx, span := s.tracer.Start(ctx, "store append", trace.WithAttributes(attribute.Int("varve.observations", len(b.Observations))))
	defer span.End()
	receipt, err := s.Store.Append(ctx, b)
	if err != nil {
		span.SetStatus(codes.Error, "") // the text may tell what no trace should
	}
	return receipt, err
}

// watchEvery is how often the store is asked how it is, for those who watch the
// health service.
const watchEvery = 10 * time.Second

func (d *Daemon) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.server.Look(ctx)
		case <-ctx.Done():
			return
		}
	}
}
