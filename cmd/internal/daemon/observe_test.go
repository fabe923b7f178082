package daemon_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/historytest"
	"github.com/varvehq/varve/history/memory"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

const secret = "hunter2-in-a-configuration"

func observation(id, configuration string) *varvev1.Observation {
	return &varvev1.Observation{Key: &varvev1.ResourceKey{Type: "T", Id: id}, Configuration: &varvev1.Json{Raw: []byte(configuration)}}
}

// TestMetrics: what was done on the real store can be read at /metrics.
func TestMetrics(t *testing.T) {
	d, _ := start(t, daemon.Options{Dir: t.TempDir(), Version: "1.2.3", Commit: "abc"})
	conn := dial(t, d)
	for range 2 {
		_, err := varvev1.NewRecorderServiceClient(conn).BatchRecord(t.Context(), &varvev1.BatchRecordRequest{
			Observations: []*varvev1.Observation{observation("a", `1`), observation("b", `{"a":1,"a":2}`)},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if code, _ := get(t, d, "/v1/items:lookup?type=T&id=nobody"); code != http.StatusNotFound {
		t.Error(code)
	}
	code, text := get(t, d, "/metrics")
	if code != http.StatusOK {
		t.Fatal(code, text)
	}
	for _, want := range []string{
		`varve_observations_total\{outcome="created"\} 1\n`,
		`varve_observations_total\{outcome="unchanged"\} 1\n`,
		`varve_observations_total\{outcome="refused"\} 2\n`,
		`varve_grpc_call_duration_seconds_count\{code="OK",method="/varve.v1.RecorderService/BatchRecord"\} 2\n`,
		`varve_grpc_call_duration_seconds_count\{code="NotFound",method="/varve.v1.HistoryService/LookupItem"\} 1\n`,
		`varve_http_requests_total\{code="404",method="get"\} 1\n`,
		`varve_http_requests_in_flight 1\n`, // this one
		`varve_build_info\{commit="abc",go_version="go[^"]+",version="1.2.3"\} 1\n`,
		`varve_store_resources 1\n`,
		`varve_store_revision [1-9]`,
		`go_goroutines `, `process_resident_memory_bytes `,

		`varve_store_file_bytes [1-9]`, `varve_store_live_bytes [1-9]`, `varve_store_commits_total [1-9]`,
		`varve_store_bucket_bytes\{bucket="meta"\} `, `varve_store_bucket_entries\{bucket="meta"\} [1-9]`, `varve_store_unmerged_records `, `varve_store_stall_seconds_total `,
		`varve_store_cache_misses_total\{cache="resource"\} [1-9]`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
}

// TestMethodsOfStrangers: whoever is not let in makes no metrics of his own.
func TestMethodsOfStrangers(t *testing.T) {
	d, _ := start(t, daemon.Options{Dir: t.TempDir(), TokenFile: tokenFile(t, oldToken)})
	conn := dial(t, d)
	for _, method := range []string{"/a.B/C", "/a.B/D"} {
		if err := conn.Invoke(t.Context(), method, &varvev1.GetStatusRequest{}, &varvev1.GetStatusResponse{}); err == nil {
			t.Error("it was answered")
		}
	}
	text := ask(t, http.DefaultClient, "http://"+d.HTTPAddr()+"/metrics", map[string]string{"Authorization": "Bearer " + oldToken}).body
	if want := `varve_grpc_call_duration_seconds_count{code="Unauthenticated",method="unknown"} 2`; !strings.Contains(text, want) || strings.Contains(text, "a.B") {
		t.Errorf("no %s in\n%s", want, text)
	}
}

func TestPprof(t *testing.T) {
	off, _ := start(t, daemon.Options{Dir: t.TempDir()})
	if code, _ := get(t, off, "/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("nobody asked for profiles, and they are there: %d", code)
	}
	on, _ := start(t, daemon.Options{Dir: t.TempDir(), Pprof: true})
	for path, want := range map[string]string{"/debug/pprof/": "heap", "/debug/pprof/goroutine?debug=1": "goroutine profile"} {
		if code, text := get(t, on, path); code != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
}

// TestTraces: one trace goes from the caller through both doors to the store.
func TestTraces(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	d, stop := start(t, daemon.Options{Dir: t.TempDir(), Traces: provider})

	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+d.HTTPAddr()+"/v1/items:batchRecord",
		strings.NewReader(`{"observations":[{"key":{"type":"T","id":"a"},"configuration":"`+secret+`"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("traceparent", parent)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	overGRPC := metadata.AppendToOutgoingContext(t.Context(), "traceparent", strings.Replace(parent, "0af7", "1af7", 1))
	if _, err := varvev1.NewHistoryServiceClient(dial(t, d)).GetStatus(overGRPC, &varvev1.GetStatusRequest{}); err != nil {
		t.Fatal(err)
	}
	if code, _ := get(t, d, "/readyz"); code != http.StatusOK {
		t.Error(code)
	}
	stop() // all spans have ended
	var names []string
	byID := map[string]string{}
	for _, s := range spans.GetSpans() {
		byID[s.SpanContext.SpanID().String()] = s.Name
	}
	for _, s := range spans.GetSpans() {
		from := byID[s.Parent.SpanID().String()]
		names = append(names, s.SpanContext.TraceID().String()[:4]+" "+from+" > "+s.Name)
		for _, a := range s.Attributes {
			if strings.Contains(a.Value.String(), secret) {
				t.Errorf("%s tells a configuration in %s", s.Name, a.Key)
			}
		}
	}
	for _, want := range []string{
		"0af7  > HTTP POST",
		"0af7 HTTP POST > varve.v1.RecorderService/BatchRecord",
		"0af7 varve.v1.RecorderService/BatchRecord > varve.v1.RecorderService/BatchRecord",
		"0af7 varve.v1.RecorderService/BatchRecord > store append",
		"1af7  > varve.v1.HistoryService/GetStatus",
	} {
		if !strings.Contains(strings.Join(names, "\n")+"\n", want+"\n") {
			t.Errorf("no span %q in\n%s", want, strings.Join(names, "\n"))
		}
	}
	if len(names) != 5 {
		t.Errorf("%d spans: probes and pages make none:\n%s", len(names), strings.Join(names, "\n"))
	}
}

// TestTracesKeepStreams: what traces look through passes on deadlines and flushes.
func TestTracesKeepStreams(t *testing.T) {
	d, _ := start(t, daemon.Options{Dir: t.TempDir(), Traces: sdktrace.NewTracerProvider()})
	if code, text := get(t, d, "/v1/changes?wait=0.05s"); code != http.StatusOK {
		t.Error(code, text)
	}
	if code, text := get(t, d, "/v1/items:export"); code != http.StatusOK {
		t.Error(code, text)
	}
}

// ailing is a store that stops taking writes when it is told to.
type ailing struct {
	history.Store
	mu   sync.Mutex
	fail error
}

func (s *ailing) Probe(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fail
}

func (s *ailing) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// TestReady: when the store takes no more writes all who ask are told the same,
// and that the process lives.
func TestReady(t *testing.T) {
	log := &safeLog{}
	s := &ailing{Store: memory.New(memory.Options{})}
	d, _ := start(t, daemon.Options{Store: s, Logger: slog.New(slog.NewTextHandler(log, nil))})
	health := healthv1.NewHealthClient(dial(t, d))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	watch, err := health.Watch(ctx, &healthv1.HealthCheckRequest{Service: "varve.v1.RecorderService"})
	if err != nil {
		t.Fatal(err)
	}
	told := func(ready bool) {
		t.Helper()
		for path, want := range map[string]int{"/livez": 200, "/readyz": 200, "/healthz": 200} {
			if !ready && path != "/livez" {
				want = http.StatusServiceUnavailable
			}
			if code, text := get(t, d, path); code != want || strings.Contains(text, "the disk") {
				t.Errorf("%s: %d %s", path, code, text)
			}
		}
		want := healthv1.HealthCheckResponse_SERVING
		if !ready {
			want = healthv1.HealthCheckResponse_NOT_SERVING
		}
		if resp, err := health.Check(ctx, &healthv1.HealthCheckRequest{}); err != nil || resp.GetStatus() != want {
			t.Errorf("%v, %v", resp, err)
		}
		if resp, err := watch.Recv(); err != nil || resp.GetStatus() != want {
			t.Errorf("%v, %v", resp, err)
		}
	}
	told(true)
	s.set(errors.New("the disk is gone"))
	told(false)
	s.set(nil)
	told(true)
	if !strings.Contains(log.String(), `msg="not ready" err="the disk is gone"`) || !strings.Contains(log.String(), `msg="ready again"`) {
		t.Error(log)
	}
}

// slow is a store whose look-ups take a while, and in which nothing happens while
// somebody waits for changes: so its clock has it.
type slow struct {
	history.Store
	clock *historytest.Clock
}

func (s slow) Run(ctx context.Context, id history.RunID) (history.Run, error) {
	s.clock.Advance(600 * time.Millisecond)
	return s.Store.Run(ctx, id)
}

func (s slow) Changes(ctx context.Context, after history.Position, limit int, wait time.Duration) ([]history.Change, history.Position, error) {
	s.clock.Advance(wait)
	return s.Store.Changes(ctx, after, limit, 0)
}

// TestLog: slow calls are told with what helps to find them, waiting is not slow,
// and no configuration is ever in the log, whatever becomes of it.
func TestLog(t *testing.T) {
	for name, tt := range map[string]struct {
		level slog.Level
		want  []string
		not   []string
	}{
		"Info": {slog.LevelInfo,
			[]string{`msg="slow call" method=/varve.v1.RunService/GetRun request=r-1 principal=local peer=127.0.0.1 code=NotFound took=600ms`},
			[]string{"ListChanges"}},
		"Debug": {slog.LevelDebug,
			[]string{"msg=call method=/varve.v1.RecorderService/BatchRecord", "method=/varve.v1.HistoryService/ListChanges"},
			[]string{`"slow call" method=/varve.v1.HistoryService/ListChanges`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &safeLog{}
			clock := historytest.NewClock(time.Now())
			d, stop := start(t, daemon.Options{
				Store: slow{memory.New(memory.Options{Now: clock.Now}), clock}, Now: clock.Now, Slow: 500 * time.Millisecond,
				Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: tt.level})),
			})
			ask(t, http.DefaultClient, "http://"+d.HTTPAddr()+"/v1/runs/a", map[string]string{"X-Request-Id": "r-1", "X-Forwarded-For": "6.6.6.6"})
			get(t, d, "/v1/changes?wait=0.6s")
			_, err := varvev1.NewRecorderServiceClient(dial(t, d)).BatchRecord(t.Context(), &varvev1.BatchRecordRequest{
				Observations: []*varvev1.Observation{
					observation("good", `"`+secret+`"`), observation("torn", `{"`+secret+`":`), observation("twice", `{"`+secret+`":1,"`+secret+`":1}`),
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if code, _ := get(t, d, "/v1/items:lookup?type=T&id=good&at="+secret); code != http.StatusBadRequest {
				t.Error(code)
			}
			stop()
			for _, want := range tt.want {
				if !strings.Contains(log.String(), want) {
					t.Errorf("no %s in\n%s", want, log)
				}
			}
			for _, not := range append(tt.not, secret) {
				if strings.Contains(log.String(), not) {
					t.Errorf("%s is in\n%s", not, log)
				}
			}
		})
	}
}
