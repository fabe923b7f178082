package server_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/api/server"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

func benchStore(b *testing.B) *bolt.Store {
	s, err := bolt.Open(b.TempDir(), bolt.Options{Linker: graph.Linker{}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// benchDocument is a configuration of a kilobyte and a half, of which one leaf
// changes from version to version.
func benchDocument(i, version int) string {
	doc := fmt.Appendf(nil, `{"id":"i-%d","interfaces":[`, i)
	for j := range 12 {
		if j > 0 {
			doc = append(doc, ',')
		}
		doc = fmt.Appendf(doc, `{"address":"10.%d.%d.%d","groups":["sg-%d","sg-%d"],"mac":"06:00:00:%02x:%02x","primary":%t}`,
			i%250, i/250, j, i%40, i%7, i%256, j, j == 0)
	}
	return fmt.Sprintf(`%s],"release":%d}`, doc, version)
}

// The feed from its start: from a source that holds nothing yet, whole and bare,
// and over gRPC from a server whose source holds nothing yet either. Read the
// ratios.
//
//	go test -run '^$' -bench WatchReplay ./api/server
func BenchmarkWatchReplay(b *testing.B) {
	const resources, versions = 1000, 5
	s := benchStore(b)
	for v := range versions {
		for from := 0; from < resources; from += 500 {
			var batch history.Batch
			for i := from; i < from+500; i++ {
				batch.Observations = append(batch.Observations, history.Observation{
					Key: history.Key{Type: "T", ID: fmt.Sprint(i)}, CapturedAt: history.Moment(1_700_000_000_000_000 + v),
					State: history.State{Configuration: []byte(benchDocument(i, v))},
				})
			}
			if _, err := s.Append(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
	}
	source := func(use func([]*feed.Event)) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				source := feed.NewSource(s, feed.Options{})
				for n, after := 0, history.Position(""); n < resources*versions; {
					events, next, err := source.Events(b.Context(), after, 256, 0)
					if err != nil {
						b.Fatal(err)
					}
					use(events)
					n, after = n+len(events), next
				}
			}
			b.ReportMetric(float64(b.N)*resources*versions/b.Elapsed().Seconds(), "events/s")
		}
	}
	b.Run("Source", source(func([]*feed.Event) {}))
	b.Run("SourceWorkedOut", source(feed.WorkOut))
	for name, req := range map[string]*varvev1.WatchChangesRequest{
		"GRPC":       {Since: day(-1000)},
		"GRPCHeads":  {Since: day(-1000), View: varvev1.WatchChangesRequest_VIEW_HEAD},
		"GRPCFilter": {Since: day(-1000), Filter: `kind == "updated" && id == "999"`},
	} {
		b.Run(name, func(b *testing.B) {
			want := resources * versions
			if req.GetFilter() != "" {
				want = versions - 1
			}
			for b.Loop() {
				d := apitest.Open(b, apitest.Options{Store: s, Server: server.Options{Feed: feed.NewSource(s, feed.Options{})}})
				ctx, cancel := context.WithCancel(b.Context())
				stream, err := d.Watch.WatchChanges(ctx, req)
				for n := 0; err == nil && n < want; {
					var m *varvev1.WatchChangesResponse
					if m, err = stream.Recv(); m.GetChange() != nil {
						n++
					}
				}
				if err != nil {
					b.Fatal(err)
				}
				cancel()
			}
			b.ReportMetric(float64(b.N)*resources*versions/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// From the call that records to the event at a watcher, one observation at a time.
// The call's own time, up to its acknowledgement, stands beside it.
//
//	go test -run '^$' -bench WatchLatency ./api/server
func BenchmarkWatchLatency(b *testing.B) {
	d := apitest.Open(b, apitest.Options{Store: benchStore(b)})
	for _, watchers := range []int{1, 100} {
		b.Run(fmt.Sprint("watchers=", watchers), func(b *testing.B) {
			arrived := make([]chan time.Time, watchers)
			for i := range arrived {
				arrived[i] = make(chan time.Time, 1)
				w := watch(b, d, &varvev1.WatchChangesRequest{})
				go func() {
					for {
						m, err := w.stream.Recv()
						if err != nil {
							return
						}
						if m.GetChange() != nil {
							arrived[i] <- time.Now()
						}
					}
				}()
			}
			var acknowledged, seen []time.Duration
			n := 0
			for b.Loop() {
				n++
				begun := time.Now()
				o := &varvev1.Observation{
					Key: &varvev1.ResourceKey{Type: "T", Id: fmt.Sprint(watchers)}, CapturedAt: timestamppb.Now(),
					Configuration: &varvev1.Json{Raw: []byte(benchDocument(1, n))},
				}
				if _, err := d.Recorder.BatchRecord(b.Context(), &varvev1.BatchRecordRequest{Observations: []*varvev1.Observation{o}}); err != nil {
					b.Fatal(err)
				}
				acknowledged = append(acknowledged, time.Since(begun))
				for i := range arrived {
					seen = append(seen, (<-arrived[i]).Sub(begun))
				}
			}
			for name, list := range map[string][]time.Duration{"ack": acknowledged, "event": seen} {
				slices.Sort(list)
				b.ReportMetric(float64(list[len(list)/2].Microseconds()), name+"-p50-µs")
				b.ReportMetric(float64(list[len(list)*99/100].Microseconds()), name+"-p99-µs")
			}
		})
	}
}
