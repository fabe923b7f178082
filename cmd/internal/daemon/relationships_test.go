package daemon_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/cmd/internal/scenario"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/source/ndjson"
)

// BenchmarkRelationships records the shop's ninety days, for forty accounts, over
// gRPC: by turns with a store that reads relationships and with one that does not.
// ×without is the throughput of the first by that of the second, the median of
// the turns.
//
//	go test -run '^$' -bench Relationships -benchtime 5x ./cmd/internal/daemon
func BenchmarkRelationships(b *testing.B) {
	var batches []*varvev1.BatchRecordRequest
	items := 0
	for account := range 40 {
		list := shopObservations(b, account)
		items += len(list)
		for some := range slices.Chunk(list, 256) {
			batches = append(batches, &varvev1.BatchRecordRequest{Observations: some})
		}
	}
	var ratios []float64
	var took [2]time.Duration
	for range b.N {
		var turn [2]time.Duration
		for i, by := range []history.Linker{nil, graph.NewLinker()} {
			turn[i] = recordAll(b, by, batches)
			took[i] += turn[i]
		}
		ratios = append(ratios, turn[0].Seconds()/turn[1].Seconds())
	}
	slices.Sort(ratios)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(items*b.N)/took[1].Seconds(), "items/s")
	b.ReportMetric(ratios[len(ratios)/2], "×without")
}

// recordAll records batches into an empty store, four requests under way, and
// tells how long that took.
func recordAll(b *testing.B, by history.Linker, batches []*varvev1.BatchRecordRequest) time.Duration {
	store, err := bolt.Open(b.TempDir(), bolt.Options{Linker: by})
	if err != nil {
		b.Fatal(err)
	}
	_, conn, stop := startBench(b, store)
	defer stop()
	client := varvev1.NewRecorderServiceClient(conn)
	began := time.Now()
	var under errgroup.Group
	under.SetLimit(4)
	for _, batch := range batches {
		under.Go(func() error {
			answer, err := client.BatchRecord(b.Context(), batch)
			for _, r := range answer.GetResults() {
				if r.GetError() != nil {
					return fmt.Errorf("refused: %v", r.GetError())
				}
			}
			return err
		})
	}
	if err := under.Wait(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

// shopObservations are those of the shop, under accounts of their own.
func shopObservations(b *testing.B, account int) []*varvev1.Observation {
	var list []*varvev1.Observation
	for r := ndjson.NewReader(bytes.NewReader(scenario.Lines()), ndjson.Options{}); ; {
		o, _, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			b.Fatal(err)
		}
		o.Key.Account = fmt.Sprintf("%s-%d", o.Key.Account, account)
		list = append(list, wire.ObservationToProto(o))
	}
}
