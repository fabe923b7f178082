package awsconfig_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/source"
	"github.com/varvehq/varve/recorder/source/awsconfig"
	"github.com/varvehq/varve/recorder/source/ndjson"
)

var update = flag.Bool("update", false, "write the golden files anew")

var _ source.Reader = (*awsconfig.Reader)(nil)

// all reads everything; what cannot be taken it returns as text.
func all(t testing.TB, r source.Reader) (list []history.Observation, lines []int, bad []string) {
	t.Helper()
	for {
		o, line, err := r.Next()
		var skip *source.LineError
		var broken *source.BrokenError
		switch {
		case errors.Is(err, io.EOF):
			return list, lines, bad
		case errors.As(err, &skip):
			if skip.Line != line || !errors.As(err, new(*history.Error)) {
				t.Errorf("line %d: %#v", line, err)
			}
			bad = append(bad, err.Error())
		case errors.As(err, &broken):
			return list, lines, append(bad, err.Error())
		case err != nil:
			t.Fatalf("%T: %v", err, err)
		default:
			list, lines = append(list, o), append(lines, line)
		}
	}
}

// prepared puts observations into the form that stores take.
func prepared(t testing.TB, list []history.Observation) []history.Observation {
	t.Helper()
	r := recorder.New(nil, recorder.Options{})
	for i := range list {
		if err := r.Prepare(&list[i]); err != nil {
			t.Fatalf("%s: %v", list[i].Key, err)
		}
	}
	return list
}

// item is an observation as it comes out of a store.
func item(o history.Observation) *history.Item {
	return &history.Item{
		Key: o.Key, Version: 1, CapturedAt: o.CapturedAt, State: o.State, Origin: o.Origin,
		Status: history.DeriveStatus(o.State.Status, o.State.Deleted, false),
	}
}

func snapshot(t testing.TB, list []history.Observation, o awsconfig.WriterOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	w := awsconfig.NewWriter(&b, o)
	for _, o := range list {
		if err := w.Write(item(o)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Each file of testdata reads as the .ndjson beside it says, refusals after a
// #, and is written as the .snapshot says.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.json")
	if err != nil || len(inputs) == 0 {
		t.Fatal(err, inputs)
	}
	for _, path := range inputs {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			list, lines, bad := all(t, awsconfig.NewReader(f, awsconfig.Options{}))
			list = prepared(t, list)

			var read []byte
			for i := range list {
				read = fmt.Appendf(read, "line %d: ", lines[i])
				if read, err = ndjson.AppendObservation(read, &list[i]); err != nil {
					t.Fatal(err)
				}
			}
			for _, text := range bad {
				read = fmt.Appendf(read, "# %s\n", text)
			}
			written := snapshot(t, list, awsconfig.WriterOptions{})

			base := strings.TrimSuffix(path, ".json")
			compare(t, base+".ndjson", read)
			compare(t, base+".snapshot", written)

			back, _, worse := all(t, awsconfig.NewReader(bytes.NewReader(written), awsconfig.Options{}))
			if len(worse) > 0 {
				t.Fatal(worse)
			}
			if again := snapshot(t, prepared(t, back), awsconfig.WriterOptions{}); !bytes.Equal(again, written) {
				t.Errorf("written again it is\n%s", again)
			}
		})
	}
}

func compare(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; got\n%s", path, got)
	}
}
