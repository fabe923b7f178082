package metrics_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/grpc/codes"

	"github.com/varvehq/varve/cmd/internal/metrics"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
)

// telling is a real store that tells of itself as well.
type telling struct {
	history.Store
	asked  int
	stats  history.Stats
	refuse error
}

func (s *telling) Stats(context.Context) (history.Stats, error) {
	s.asked++
	s.stats.FileBytes++
	return s.stats, nil
}

func (s *telling) Probe(context.Context) error { return s.refuse }

func full() *telling {
	return &telling{Store: memory.New(memory.Options{}), stats: history.Stats{
		FileBytes: 99, LiveBytes: 60, FreeBytes: 40, Unmerged: 7, UnmergedBytes: 700, MergeNanos: 1_500_000_000,
		Buckets:   []history.BucketStats{{Name: "log", Entries: 3, Bytes: 4096}},
		CacheHits: map[string]uint64{"resources": 5}, CacheMisses: map[string]uint64{"resources": 2},
	}}
}

// TestNames: every name, unit and help text is as Prometheus has them.
func TestNames(t *testing.T) {
	m := metrics.New(metrics.Build{Version: "1.2.3", Commit: "abc", Go: "go1.26"})
	m.Store(full(), time.Now, slog.New(slog.DiscardHandler))
	m.Expiry(time.Now)
	m.Call("/varve.v1.HistoryService/GetStatus", codes.OK, time.Millisecond)
	m.Batch(history.Receipt{}, errors.New("lost"))
	m.HTTP(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))

	problems, err := testutil.GatherAndLint(m.Registry())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	families, err := m.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, f := range families {
		have[f.GetName()] = true
	}
	for _, name := range []string{
		"go_goroutines", "process_open_fds", "varve_build_info", "varve_grpc_call_duration_seconds", "varve_http_requests_total",
		"varve_store_revision", "varve_store_bucket_bytes", "varve_store_cache_hits_total", "varve_store_stall_seconds_total",
	} {
		if !have[name] {
			t.Errorf("no %s", name)
		}
	}
}

func TestObservations(t *testing.T) {
	m := metrics.New(metrics.Build{})
	m.Batch(history.Receipt{Results: []history.Result{
		{Kind: history.Created}, {Kind: history.Created}, {Kind: history.Updated}, {Kind: history.Deleted},
		{Unchanged: true}, {Err: history.NotFound},
	}}, nil)
	m.Batch(history.Receipt{Results: []history.Result{{Unchanged: true}}}, nil)
	m.Batch(history.Receipt{}, errors.New("lost"))
	const want = `
# HELP varve_observation_batches_failed_total Batches of observations of which nothing was recorded, or nothing is known.
# TYPE varve_observation_batches_failed_total counter
varve_observation_batches_failed_total 1
# HELP varve_observations_total Observations answered, by outcome; a batch that is sent again counts again.
# TYPE varve_observations_total counter
varve_observations_total{outcome="created"} 2
varve_observations_total{outcome="deleted"} 1
varve_observations_total{outcome="refused"} 1
varve_observations_total{outcome="unchanged"} 2
varve_observations_total{outcome="updated"} 1
`
	if err := testutil.GatherAndCompare(m.Registry(), strings.NewReader(want), "varve_observations_total", "varve_observation_batches_failed_total"); err != nil {
		t.Error(err)
	}
}

func text(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body, err := io.ReadAll(w.Body)
	if err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	return string(body)
}

// TestStore: what a store tells of itself is asked for every 15 seconds at most,
// and its counters of nanoseconds are seconds.
func TestStore(t *testing.T) {
	s, now := full(), time.Now()
	m := metrics.New(metrics.Build{})
	m.Store(s, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	for _, step := range []struct {
		after time.Duration
		asked int
		want  string
	}{{0, 1, "varve_store_file_bytes 100\n"}, {14 * time.Second, 1, "varve_store_file_bytes 100\n"}, {2 * time.Second, 2, "varve_store_file_bytes 101\n"}} {
		now = now.Add(step.after)
		if got := text(t, m); s.asked != step.asked || !strings.Contains(got, step.want) {
			t.Errorf("asked %d times, want %d; no %s", s.asked, step.asked, step.want)
		}
	}
	got := text(t, m)
	for _, want := range []string{
		"varve_store_merge_seconds_total 1.5\n", `varve_store_bucket_bytes{bucket="log"} 4096`, `varve_store_bucket_entries{bucket="log"} 3`,
		`varve_store_cache_hits_total{cache="resources"} 5`, `varve_store_cache_misses_total{cache="resources"} 2`,
		"varve_store_unmerged_records 7\n", "varve_store_writable 1\n", "varve_store_resources 0\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s", want)
		}
	}
	s.refuse = errors.New("a sync failed")
	if got := text(t, m); !strings.Contains(got, "varve_store_writable 0\n") {
		t.Error("the store is still writable")
	}
}

// TestStoreThatTellsNothing: what a store lacks is left out, and so is what a
// closed one cannot tell; the rest is there.
func TestStoreThatTellsNothing(t *testing.T) {
	s := memory.New(memory.Options{})
	m := metrics.New(metrics.Build{Version: "v"})
	m.Store(s, time.Now, slog.New(slog.DiscardHandler))
	if got := text(t, m); !strings.Contains(got, "varve_store_revision 0\n") || strings.Contains(got, "varve_store_file_bytes") {
		t.Error(got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := text(t, m); !strings.Contains(got, `varve_build_info{commit="",go_version="",version="v"} 1`) {
		t.Error(got)
	}
}

// TestHTTPKeepsControl: handlers behind the counters can still set deadlines.
func TestHTTPKeepsControl(t *testing.T) {
	m := metrics.New(metrics.Build{})
	var deadline, flush error
	s := httptest.NewServer(m.HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		control := http.NewResponseController(w)
		deadline = control.SetReadDeadline(time.Now().Add(time.Minute))
		w.WriteHeader(http.StatusTeapot)
		flush = control.Flush()
	})))
	resp, err := http.Get(s.URL)
	s.Close() // waits for the handler, which the flushed answer overtook
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if deadline != nil || flush != nil {
		t.Error(deadline, flush)
	}
	if got := text(t, m); !strings.Contains(got, `varve_http_requests_total{code="418",method="get"} 1`) || !strings.Contains(got, "varve_http_requests_in_flight 0") {
		t.Error(got)
	}
}
