package diff_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/varvehq/varve/history/diff"
)

// FuzzDiffApply compares any two documents in every way, applies what it gets,
// and looks at the result as a person would. What is no document has to be
// refused by both functions; the first argument is also read as a patch.
func FuzzDiffApply(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"a":1.0}`, `{"a":1}`},
		{``, `null`},
		{`[1,2,3]`, `[3,2,1,"\u0000"]`},
		{`[{"name":"a","v":1},{"name":"b"}]`, `[{"name":"b"},{"name":"a","v":-0}]`},
		{`{"":[[]],"~/":1e400}`, `{"":[[],{}],"~/":1E400}`},
		{`"one\ntwo"`, `"one\n2\u001b"`},
		{`[{"op":"add","path":"/-","value":1},{"op":"move","from":"/0","path":"/1"}]`, `[0,1,2]`},
		{`[{"op":"copy","from":"","path":"/a"},{"op":"test","path":"/a","value":{}},{"op":"remove","path":""}]`, `{}`},
		{`{"a":1,"a":2}`, `"\ud800"`},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		valid := func(raw []byte) bool { return len(raw) == 0 || jsontext.Value(raw).IsValid() }
		_, err := diff.Compute(a, b, diff.Options{})
		if (err == nil) != (valid(a) && valid(b)) {
			t.Fatalf("Compute: %v", err)
		}
		if _, viewed := diff.Changes(a, b, diff.ViewOptions{}); (viewed == nil) != (err == nil) {
			t.Fatalf("Changes: %v, but Compute: %v", viewed, err)
		}

		if err == nil {
			for _, opts := range everyOption {
				checkPatch(t, string(a), string(b), opts)
			}
			checkChanges(t, string(a), string(b), diff.ViewOptions{ResourceType: "Kubernetes::core::Pod"})
		}

		var patch diff.Patch
		if patch.UnmarshalJSON(a) != nil {
			return
		}
		out, err := diff.Apply(b, patch)
		if err == nil && out != nil && canonical(t, string(out)) != string(out) {
			t.Fatalf("outcome is not canonical: %s", out)
		}
		wire(t, patch)
	})
}
