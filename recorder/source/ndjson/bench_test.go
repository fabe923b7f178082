package ndjson_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/internal/realdata"
	"github.com/varvehq/varve/recorder/source"
	"github.com/varvehq/varve/recorder/source/ndjson"
)

// load reads a set whole, so that the benchmark is not one of gzip.
func load(b *testing.B, set string) []byte {
	f, err := source.Open(realdata.Path(b, set+".ndjson.gz"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		b.Fatal(err)
	}
	return text
}

func each(b *testing.B, text []byte, do func(*history.Observation)) {
	r := ndjson.NewReader(bytes.NewReader(text), ndjson.Options{})
	for {
		o, _, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
		do(&o)
	}
}

var sets = []string{"tf-cloud-platform", "k8s-home-ops-a", "aws-managed-policies"}

func BenchmarkReader(b *testing.B) {
	for _, set := range sets {
		b.Run(set, func(b *testing.B) {
			text := load(b, set)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				each(b, text, func(*history.Observation) {})
			}
		})
	}
}

func BenchmarkReadAndPrepare(b *testing.B) {
	for _, set := range sets {
		b.Run(set, func(b *testing.B) {
			text := load(b, set)
			r := recorder.New(nil, recorder.Options{})
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				each(b, text, func(o *history.Observation) {
					if err := r.Prepare(o); err != nil {
						b.Fatal(err)
					}
				})
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, set := range sets {
		b.Run(set, func(b *testing.B) {
			text := load(b, set)
			var list []history.Observation
			each(b, text, func(o *history.Observation) { list = append(list, *o) })
			b.SetBytes(int64(len(text)))
			var line []byte
			for b.Loop() {
				for i := range list {
					var err error
					if line, err = ndjson.AppendObservation(line[:0], &list[i]); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
