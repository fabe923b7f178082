package recorder_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder"
)

// TestPrepareRemembers prepares states again and again: what came before comes
// out as it did then, and a state that differs in anything comes out as from a
// recorder that remembers nothing.
func TestPrepareRemembers(t *testing.T) {
	forms := []func(o *history.Observation){
		func(*history.Observation) {},
		func(o *history.Observation) { o.State.Configuration = []byte(`{ "b": 1, "a": [ 1.0 ] }`) },
		func(o *history.Observation) { o.State.Configuration = []byte(`{"a":[1.0],"b":1}`) },
		func(o *history.Observation) { o.State.Configuration = []byte(`{"a":[1],"b":1}`) },
		func(o *history.Observation) { o.State.Tags = map[string]string{"k": "v"} },
		func(o *history.Observation) { o.State.Name = "n" },
		func(o *history.Observation) { o.State.Deleted, o.State.Configuration = true, nil },
		func(o *history.Observation) { o.State.Supplementary = map[string][]byte{"s": []byte(`{ }`)} },
		func(o *history.Observation) { o.Origin.Extras = []byte(`{ "x": 1 }`) },
		func(o *history.Observation) { o.Origin.Extras = []byte(`{"x":1}`) },
		func(o *history.Observation) {
			o.State.Relationships = []history.Relationship{{Name: "b", Type: "T", ID: "1"}, {Name: "a", Type: "T", ID: "1"}}
		},
		func(o *history.Observation) {
			o.State.Relationships = []history.Relationship{{Name: "a", Type: "T", ID: "1"}, {Name: "b", Type: "T", ID: "1"}}
		},
	}
	r := recorder.New(nil, recorder.Options{})
	for i := range 3 * len(forms) {
		for _, n := range []int{i % len(forms), i % len(forms), (i * 7) % len(forms)} {
			got, want := bucket("b", `{"z":1}`), bucket("b", `{"z":1}`)
			forms[n](&got)
			forms[n](&want)
			got.Origin.Source = fmt.Sprint("source ", i)
			want.Origin.Source = got.Origin.Source
			if err := r.Prepare(&got); err != nil {
				t.Fatal(err)
			}
			if err := recorder.New(nil, recorder.Options{}).Prepare(&want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("form %d: %s", n, diff)
			}
			if !bytes.Equal(got.Content, got.State.AppendContent(nil)) || got.Hash != history.HashContent(got.Content) {
				t.Fatalf("form %d: content and hash are not those of the state", n)
			}
		}
	}
}

// TestPrepareKeepsNothingOfTheCaller changes what was given afterwards.
func TestPrepareKeepsNothingOfTheCaller(t *testing.T) {
	r := recorder.New(nil, recorder.Options{})
	doc := []byte(`{"a":1}`)
	o := bucket("b", "")
	o.State.Configuration, o.State.Tags = doc, map[string]string{"k": "v"}
	given := o.State.Tags
	if err := r.Prepare(&o); err != nil {
		t.Fatal(err)
	}
	copy(doc, `{"x":2}`)
	given["k"] = "changed"
	again := bucket("b", `{"a":1}`)
	again.State.Tags = map[string]string{"k": "v"}
	if err := r.Prepare(&again); err != nil {
		t.Fatal(err)
	}
	if string(again.State.Configuration) != `{"a":1}` || again.State.Tags["k"] != "v" || string(o.State.Configuration) != `{"a":1}` {
		t.Errorf("%s %v, %s", again.State.Configuration, again.State.Tags, o.State.Configuration)
	}
}
