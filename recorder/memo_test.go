package recorder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/memory"
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

// TestRecordRemembers records states that come again into stores of both kinds, by
// one recorder each, and by one that is new every time into a third: all tell the
// same. The buffers that documents are given in are used again at once.
func TestRecordRemembers(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	disk, err := bolt.Open(dir, bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := disk.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := bolt.Verify(ctx, dir, nil, func(f bolt.Finding) { t.Error(f) }); err != nil {
			t.Error(err)
		}
	}()
	mem, plain := memory.New(memory.Options{}), memory.New(memory.Options{})
	onDisk, inMemory := recorder.New(disk, recorder.Options{}), recorder.New(mem, recorder.Options{})
	docs := []string{`{ "b": 1, "a": [ 1.0 ] }`, `{"a":[1.0],"b":1}`, `{"a":[1],"b":1}`, `{"Tags":[{"Key":"k","Value":"v"}],"a":2}`, `null`}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		var list []history.Observation
		for range 1 + rnd.IntN(8) {
			o := bucket(fmt.Sprint(rnd.IntN(4)), docs[rnd.IntN(len(docs))])
			o.State.Name = ""
			o.CapturedAt = day + history.Moment(i*1000+rnd.IntN(3000))
			if string(o.State.Configuration) == "null" {
				o.State.Status = history.StatusDeleted
			}
			if rnd.IntN(3) == 0 {
				o.Origin.Extras = []byte(`{ "x": 1 }`)
			}
			list = append(list, o)
		}
		var got []history.Receipt
		for _, r := range []*recorder.Recorder{onDisk, inMemory, recorder.New(plain, recorder.Options{})} {
			given := slices.Clone(list)
			for j := range given {
				given[j].State.Configuration = bytes.Clone(list[j].State.Configuration)
			}
			receipt := record(t, r, history.Batch{Observations: given})
			receipt.Position = ""
			got = append(got, receipt)
			for j := range given {
				clear(given[j].State.Configuration)
			}
		}
		if d := cmp.Diff(got[2], got[0]) + cmp.Diff(got[2], got[1]); d != "" {
			t.Fatalf("batch %d: %s", i, d)
		}
	}
	for n := range 4 {
		k := bucket(fmt.Sprint(n), "").Key
		var lists [3][]history.Item
		for i, s := range []history.Store{disk, mem, plain} {
			reader, err := s.AsOf(ctx, history.At{})
			if err != nil {
				t.Fatal(err)
			}
			if lists[i], _, err = reader.History(ctx, k, history.HistoryQuery{}); err != nil {
				t.Fatal(err)
			}
			for j := range lists[i] {
				lists[i][j].RecordedAt = 0
			}
		}
		if d := cmp.Diff(lists[2], lists[0]) + cmp.Diff(lists[2], lists[1]); d != "" || len(lists[0]) < 20 {
			t.Errorf("%d versions of %v: %s", len(lists[0]), k, d)
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

// leaver is a store that gives every batch up as one does whose caller waits no
// longer: it may still be at it.
type leaver struct {
	history.Store
	left []history.Observation
}

func (l *leaver) Append(_ context.Context, b history.Batch) (history.Receipt, error) {
	l.left = append(l.left, b.Observations...)
	return history.Receipt{}, context.Canceled
}

// TestRecordGivenUp: what a store was left with can be completed, whatever is
// recorded meanwhile.
func TestRecordGivenUp(t *testing.T) {
	s := &leaver{Store: memory.New(memory.Options{})}
	r := recorder.New(s, recorder.Options{})
	var list []history.Observation
	for i := range 20 {
		o := bucket("a", fmt.Sprintf(`{ "n": %d }`, 10+i))
		if o := o; r.Prepare(&o) != nil {
			t.Fatal("not prepared")
		}
		list = append(list, o)
	}
	for i := range list {
		if _, err := r.Record(context.Background(), history.Batch{Observations: list[i : i+1]}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	for i, o := range s.left {
		state, err := o.Complete()
		if err != nil || history.HashContent(state.AppendContent(nil)) != o.Hash {
			t.Errorf("observation %d: %s, %v", i, state.Configuration, err)
		}
	}
}
