// Package metrics is what the daemon counts, for Prometheus: calls, requests and
// observations as they come, and of the store what it tells of itself.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc/codes"

	"github.com/varvehq/varve/history"
)

// Metrics of one daemon, in a registry of their own. Its methods are safe for
// concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	calls        *prometheus.HistogramVec
	aws          *prometheus.HistogramVec
	inFlight     prometheus.Gauge
	requests     *prometheus.CounterVec
	observations *prometheus.CounterVec
	batches      prometheus.Counter
}

// durations are the buckets of how long something took.
var durations = []float64{
	.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60,
}

// Build says what is running.
type Build struct{ Version, Commit, Go string }

// New makes the metrics of a daemon.
func New(b Build) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "varve_grpc_call_duration_seconds",
			Help:    "How long calls took, those of the HTTP door included, by gRPC method and code. Waiting for changes and streams last as long as their clients like.",
			Buckets: durations,
		}, []string{"method", "code"}),
		aws: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "varve_aws_request_duration_seconds",
			Help:    "How long requests in AWS Config's protocol took, by operation and code of the error; OK if there was none.",
			Buckets: durations,
		}, []string{"operation", "code"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "varve_http_requests_in_flight",
			Help: "HTTP requests that are being answered.",
		}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "varve_http_requests_total",
			Help: "HTTP requests that were answered, by method and status.",
		}, []string{"method", "code"}),
		observations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "varve_observations_total",
			Help: "Observations answered, by outcome; a batch that is sent again counts again.",
		}, []string{"outcome"}),
		batches: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "varve_observation_batches_failed_total",
			Help: "Batches of observations of which nothing was recorded, or nothing is known.",
		}),
	}
	for _, outcome := range outcomes { // there from the start, so that rates see the first
		m.observations.WithLabelValues(outcome)
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "varve_build_info",
		Help:        "Always 1; the labels say what is running.",
		ConstLabels: prometheus.Labels{"version": b.Version, "commit": b.Commit, "go_version": b.Go},
	})
	info.Set(1)
	m.registry.MustRegister(m.calls, m.aws, m.inFlight, m.requests, m.observations, m.batches, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers for what is read at path /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{EnableOpenMetrics: true, Registry: m.registry})
}

// Registry is where all of it is registered.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// Call counts a gRPC call.
func (m *Metrics) Call(method string, code codes.Code, took time.Duration) {
	m.calls.WithLabelValues(method, code.String()).Observe(took.Seconds())
}

// AWS counts a request in AWS Config's protocol; the code is empty for success.
func (m *Metrics) AWS(operation, code string, took time.Duration) {
	if code == "" {
		code = codes.OK.String()
	}
	m.aws.WithLabelValues(operation, code).Observe(took.Seconds())
}

// HTTP counts the requests that next answers.
func (m *Metrics) HTTP(next http.Handler) http.Handler {
	return promhttp.InstrumentHandlerInFlight(m.inFlight, promhttp.InstrumentHandlerCounter(m.requests, next))
}

// Outcomes of observations.
const (
	created   = "created"
	updated   = "updated"
	deleted   = "deleted"
	unchanged = "unchanged"
	refused   = "refused"
)

var outcomes = []string{created, updated, deleted, unchanged, refused}

// Batch counts what became of a batch.
func (m *Metrics) Batch(r history.Receipt, err error) {
	if err != nil {
		m.batches.Inc()
		return
	}
	counts := make(map[string]int, len(outcomes))
	for i := range r.Results {
		counts[outcome(&r.Results[i])]++
	}
	for outcome, n := range counts {
		m.observations.WithLabelValues(outcome).Add(float64(n))
	}
}

func outcome(r *history.Result) string {
	switch {
	case r.Err != nil:
		return refused
	case r.Unchanged:
		return unchanged
	case r.Kind == history.Created:
		return created
	case r.Kind == history.Deleted:
		return deleted
	}
	return updated
}

// Expiry tells when the certificate of the doors expires; at is asked at each
// look.
func (m *Metrics) Expiry(at func() time.Time) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "varve_tls_certificate_expiry_timestamp_seconds",
		Help: "When the certificate in force expires, in seconds since 1970.",
	}, func() float64 { return float64(at().Unix()) }))
}
