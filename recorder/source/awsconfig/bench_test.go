package awsconfig_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/internal/realdata"
	"github.com/varvehq/varve/recorder/source"
	"github.com/varvehq/varve/recorder/source/awsconfig"
	"github.com/varvehq/varve/recorder/source/ndjson"
)

// load reads a set in the form that stores take.
func load(b *testing.B, set string) []history.Observation {
	f, err := source.Open(realdata.Path(b, set+".ndjson.gz"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	list, _, _ := all(b, ndjson.NewReader(f, ndjson.Options{}))
	prepare := recorder.New(nil, recorder.Options{})
	for i := range list {
		if err := prepare.Prepare(&list[i]); err != nil {
			b.Fatal(err)
		}
	}
	return list
}

func BenchmarkReader(b *testing.B) {
	text := snapshot(b, load(b, "aws-managed-policies"), awsconfig.WriterOptions{})
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r := awsconfig.NewReader(bytes.NewReader(text), awsconfig.Options{})
		for {
			_, _, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkWriter(b *testing.B) {
	list := load(b, "aws-managed-policies")
	b.SetBytes(int64(len(snapshot(b, list, awsconfig.WriterOptions{}))))
	for b.Loop() {
		w := awsconfig.NewWriter(io.Discard, awsconfig.WriterOptions{})
		for i := range list {
			if err := w.Write(item(list[i])); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
