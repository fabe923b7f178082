package shape_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/api/awsconfig/shape"
)

// TestRealSnapshots sends the requests and answers that AWS's own client is tested
// with through the shapes of all operations: nothing is lost, nothing added.
func TestRealSnapshots(t *testing.T) {
	name := filepath.Join("..", "..", "..", "..", "shared", "aws", "wire-snapshots.json.gz")
	packed, err := os.ReadFile(name)
	if err != nil {
		if testing.Short() {
			t.Skip("reads a file beside the checkout")
		}
		t.Skipf("SKIP: ../shared/aws/wire-snapshots.json.gz is not there: nothing of AWS's client to compare with")
	}
	in, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	type message struct{ Body json.RawMessage }
	var snapshots struct {
		Operations map[string]struct{ Request, Response message }
	}
	if err := json.NewDecoder(in).Decode(&snapshots); err != nil {
		t.Fatal(err)
	}
	if len(snapshots.Operations) != len(shape.Operations) {
		t.Errorf("%d operations in the snapshots, %d here", len(snapshots.Operations), len(shape.Operations))
	}
	for _, o := range shape.Operations {
		t.Run(o.Name, func(t *testing.T) {
			s, ok := snapshots.Operations[o.Name]
			if !ok {
				t.Fatal("not among the snapshots")
			}
			roundTrip(t, o.Input, s.Request.Body)
			roundTrip(t, o.Output, s.Response.Body)
		})
	}
}

// roundTrip decodes and encodes. The values in the snapshots are placeholders, so
// limits do not count.
func roundTrip(t *testing.T, typ reflect.Type, body []byte) {
	t.Helper()
	if len(body) == 0 {
		body = []byte("{}")
	}
	v := reflect.New(typ).Interface()
	if err := shape.Decode(body, v); err != nil {
		if !errors.As(err, new(shape.Violations)) {
			t.Fatalf("%s: %v", typ.Name(), err)
		}
	}
	got, err := shape.Encode(v)
	if err != nil {
		t.Fatalf("%s: %v", typ.Name(), err)
	}
	want := jsontext.Value(body)
	if err := want.Canonicalize(); err != nil {
		t.Fatal(err)
	}
	if again := jsontext.Value(got); again.Canonicalize() != nil || !bytes.Equal(again, want) {
		t.Errorf("%s\n got %s\nwant %s", typ.Name(), again, want)
	}
}
