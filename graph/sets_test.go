package graph_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
)

// shared is where the real sets lie, beside the checkout.
var shared = filepath.Join("..", "..", "shared")

// needShared skips without the files beside the checkout. CI has none either: a
// clone has no such neighbour.
func needShared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(shared, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		if testing.Short() {
			t.Skip("reads files beside the checkout")
		}
		t.Skipf("SKIP: ../shared/%s is not there: nothing real to test with", name)
	}
	return path
}

// live is a resource as a set leaves it.
type live struct {
	key   history.Key
	state history.State
}

// lastStates reads what of a set is alive at its end, in the order of keys.
func lastStates(t testing.TB, set string) []live {
	t.Helper()
	f, err := os.Open(needShared(t, "data/"+set+".ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	last := map[history.Key][]byte{}
	for text := range bytes.Lines(raw) {
		var k struct {
			Account, Region, Type, ID string
			Deleted                   bool
		}
		if err := json.Unmarshal(text, &k); err != nil {
			t.Fatal(err)
		}
		key := history.Key{Account: k.Account, Region: k.Region, Type: k.Type, ID: k.ID}
		if delete(last, key); !k.Deleted {
			last[key] = text
		}
	}
	all := make([]live, 0, len(last))
	for key, text := range last {
		var l struct {
			ARN, Name     string
			Tags          map[string]string
			Configuration json.RawMessage
		}
		if err := json.Unmarshal(text, &l); err != nil {
			t.Fatal(err)
		}
		s := history.State{ARN: l.ARN, Name: l.Name, Tags: l.Tags, Configuration: canonical(t, l.Configuration)}
		s.Normalize()
		all = append(all, live{key, s})
	}
	slices.SortFunc(all, func(a, b live) int { return a.key.Compare(b.key) })
	return all
}

// canonical is the form in which stores keep documents.
func canonical(t testing.TB, raw []byte) []byte {
	t.Helper()
	v := jsontext.Value(bytes.Clone(raw))
	if err := v.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return v
}

func owners(all []live) []graph.Owner {
	out := make([]graph.Owner, len(all))
	for i := range all {
		out[i] = graph.Owner{Key: all[i].key, Claims: graph.Extract(all[i].key, &all[i].state)}
	}
	return out
}
