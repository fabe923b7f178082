//go:build unix

package graph_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/source/ndjson"
)

// BenchmarkShare records sets and tells what part of that work their links would
// be, in percent of the processor's time: recording uses all cores, and the
// machine has other work.
func BenchmarkShare(b *testing.B) {
	for _, set := range []string{"aws-recorded", "k8s-home-ops-a", "tf-cloud-platform", "cfn-templates", "gcp-audit", "k8s-cloud-platform"} {
		b.Run(set, func(b *testing.B) {
			observations := observe(b, set)
			var recording, linking time.Duration // processor's time
			for b.Loop() {
				begin := used(b)
				for i := range observations {
					graph.Links(observations[i].Key, &observations[i].State)
				}
				linking += used(b) - begin

				begin = used(b)
				store, err := bolt.Open(b.TempDir(), bolt.Options{NoSync: true})
				if err != nil {
					b.Fatal(err)
				}
				rec := recorder.New(store, recorder.Options{})
				for part := range slices.Chunk(observations, 1000) {
					if _, err := rec.Record(context.Background(), history.Batch{Observations: part}); err != nil {
						b.Fatal(err)
					}
				}
				if err := store.Close(); err != nil {
					b.Fatal(err)
				}
				recording += used(b) - begin
			}
			b.ReportMetric(100*linking.Seconds()/recording.Seconds(), "%")
			items := float64(b.N * len(observations))
			b.ReportMetric(float64(recording)/items, "ns-recording/item")
			b.ReportMetric(float64(linking)/items, "ns-linking/item")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// used is the time which this process had from all processors.
func used(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// observe reads a set whole, its documents in canonical form.
func observe(b *testing.B, set string) []history.Observation {
	f, err := os.Open(needShared(b, "data/"+set+".ndjson.gz"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	var all []history.Observation
	for in := ndjson.NewReader(z, ndjson.Options{}); ; {
		o, _, err := in.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			b.Fatal(err)
		}
		if o.State.Configuration != nil {
			o.State.Configuration = canonical(b, o.State.Configuration)
		}
		all = append(all, o)
	}
}
