package recorder_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder"
)

func TestCheck(t *testing.T) {
	with := func(change func(*history.Observation)) history.Observation {
		o := bucket("b", `{}`)
		change(&o)
		return o
	}
	relate := func(r history.Relationship) history.Observation {
		return with(func(o *history.Observation) {
			o.State.Relationships = []history.Relationship{{Name: "n", Type: "t", ID: "i"}, r}
		})
	}
	for name, c := range map[string]struct {
		o    history.Observation
		want string // "" = accepted
	}{
		"OK":       {with(func(*history.Observation) {}), ""},
		"NoMoment": {with(func(o *history.Observation) { o.CapturedAt = 0 }), ""},
		"NoID":     {with(func(o *history.Observation) { o.Key.ID = "" }), `id is required`},
		"Reserved": {with(func(o *history.Observation) { o.Key.Type = "Varve::Compliance::Verdict" }),
			`type Varve::Compliance::Verdict: is recorded by the program itself; types that begin with Varve:: cannot be given`},
		"Early":      {with(func(o *history.Observation) { o.CapturedAt = -1 }), `time -1 µs: lies outside the years 1970 to 9999`},
		"CreatedFar": {with(func(o *history.Observation) { o.State.CreatedAt = history.Newest }), `createdAt 9223372036854775807 µs: lies outside the years 1970 to 9999`},
		"BadStatus": {with(func(o *history.Observation) { o.State.Status = "Fine" }),
			`status "Fine": is not a status; known are OK, ResourceDiscovered, ResourceNotRecorded, ResourceDeleted and ResourceDeletedNotRecorded`},
		"NoConfiguration": {with(func(o *history.Observation) { o.State.Configuration = nil }),
			`configuration is required, and null is none; set deleted if the resource is gone, or status ResourceNotRecorded`},
		"NullConfiguration": {with(func(o *history.Observation) { o.State.Configuration = []byte(" null\n") }),
			`configuration is required, and null is none; set deleted if the resource is gone, or status ResourceNotRecorded`},
		"NotRecorded": {with(func(o *history.Observation) {
			o.State.Configuration, o.State.Status = []byte("null"), history.StatusNotRecorded
		}), ""},
		"Deletion": {with(func(o *history.Observation) { o.State.Configuration, o.State.Deleted = []byte("null"), true }), ""},
		"DeletionByStatus": {with(func(o *history.Observation) {
			o.State.Configuration, o.State.Status = nil, history.StatusDeletedNotRecorded
		}), ""},
		"DeletionWithConfiguration": {with(func(o *history.Observation) { o.State.Deleted = true }), `configuration contradicts deleted; a deleted resource has none`},
		"DeletedAndOK": {with(func(o *history.Observation) {
			o.State.Configuration, o.State.Deleted, o.State.Status = nil, true, history.StatusOK
		}), `status "OK": contradicts deleted; leave one of them out`},
		"Unnamed":     {relate(history.Relationship{Type: "t", ID: "i"}), `relationships/1/name is required`},
		"Untyped":     {relate(history.Relationship{Name: "n", ID: "i"}), `relationships/1/type is required`},
		"Unaimed":     {relate(history.Relationship{Name: "n", Type: "t"}), `relationships/1 needs an id or a resourceName`},
		"NameInstead": {relate(history.Relationship{Name: "n", Type: "t", ResourceName: "r"}), ""},
		"BadEdge":     {relate(history.Relationship{Name: "n", Type: "t", ID: "\xff"}), `relationships/1 is not valid UTF-8`},
		"BadTagKey":   {with(func(o *history.Observation) { o.State.Tags = map[string]string{"\xff": ""} }), `tags "\xff": is not valid UTF-8`},
		"BadTagValue": {with(func(o *history.Observation) { o.State.Tags = map[string]string{"k": "\xff"} }), `tags "k": is not valid UTF-8`},
		"BadName":     {with(func(o *history.Observation) { o.State.Name = "\xff" }), `name is not valid UTF-8`},
		"BadSource":   {with(func(o *history.Observation) { o.Origin.Source = "\xff" }), `source is not valid UTF-8`},
		"BadDocumentName": {with(func(o *history.Observation) {
			o.State.Supplementary = map[string][]byte{"\xff": nil}
		}), `supplementary "\xff": is not valid UTF-8`},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := recorder.Check(&c.o); err != nil {
				got = err.Error()
				if !errors.As(err, new(*history.Error)) {
					t.Errorf("%T", err)
				}
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPrepareRefuses(t *testing.T) {
	r := recorder.New(nil, recorder.Options{})
	for name, c := range map[string]struct {
		change func(*history.Observation)
		want   string
	}{
		"Supplementary": {func(o *history.Observation) { o.State.Supplementary = map[string][]byte{"Policy": []byte(`[1,]`)} },
			`supplementary "Policy": unexpected ']'`},
		"EmptySupplementary": {func(o *history.Observation) { o.State.Supplementary = map[string][]byte{"Policy": nil} },
			`supplementary "Policy": document is empty`},
		"Extras":       {func(o *history.Observation) { o.Origin.Extras = []byte(`{"a":"\ud800"}`) }, `extras lone surrogate`},
		"ExtrasNoList": {func(o *history.Observation) { o.Origin.Extras = []byte(`[]`) }, `extras is not a JSON object`},
	} {
		t.Run(name, func(t *testing.T) {
			o := bucket("b", `{}`)
			c.change(&o)
			if err := r.Prepare(&o); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}

	t.Run("LongPointer", func(t *testing.T) {
		o := bucket("b", `{"`+strings.Repeat("ü", 2000)+`":{"a":1,"a":2}}`)
		var e *history.Error
		if err := r.Prepare(&o); !errors.As(err, &e) || len(e.Meta["pointer"]) > 520 || !strings.HasPrefix(e.Meta["pointer"], "/ü") {
			t.Errorf("%v, %d", err, len(e.Meta["pointer"]))
		}
	})
}

func TestPrepareDropsWhatIsEmpty(t *testing.T) {
	r := recorder.New(nil, recorder.Options{})
	o := bucket("b", `{}`)
	o.Origin.Extras = []byte(` { } `)
	o.State.Tags, o.State.Supplementary = map[string]string{}, map[string][]byte{}
	o.State.Relationships = []history.Relationship{}
	if err := r.Prepare(&o); err != nil {
		t.Fatal(err)
	}
	want := bucket("b", `{}`)
	want.Content = want.State.AppendContent(nil)
	want.Hash = history.HashContent(want.Content)
	if diff := cmp.Diff(want, o); diff != "" {
		t.Error(diff)
	}
}
