package recorder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/canonical"
)

const day = history.Moment(1700000000000000)

func bucket(id, configuration string) history.Observation {
	return history.Observation{
		Key:        history.Key{Account: "1", Region: "eu-west-1", Type: "AWS::S3::Bucket", ID: id},
		CapturedAt: day,
		State:      history.State{Name: id, Configuration: []byte(configuration)},
	}
}

func record(t *testing.T, r *recorder.Recorder, b history.Batch) history.Receipt {
	t.Helper()
	receipt, err := r.Record(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	if len(receipt.Results) != len(b.Observations) {
		t.Fatalf("%d results for %d observations", len(receipt.Results), len(b.Observations))
	}
	return receipt
}

func get(t *testing.T, s history.Store, k history.Key) history.Item {
	t.Helper()
	reader, err := s.AsOf(context.Background(), history.At{})
	if err != nil {
		t.Fatal(err)
	}
	items, err := reader.Get(context.Background(), []history.Key{k}, history.FieldsAll)
	if err != nil {
		t.Fatal(err)
	}
	return items[0]
}

func TestRecord(t *testing.T) {
	t.Run("OneForm", func(t *testing.T) {
		store := memory.New(memory.Options{})
		r := recorder.New(store, recorder.Options{})
		first := bucket("b", `{"b": 1.0, "a": "\u0041"}`)
		first.State.Supplementary = map[string][]byte{"Policy": []byte(`{"z":1 , "a":null}`)}
		first.State.Relationships = []history.Relationship{
			{Name: "n", Type: "t", ID: "2"}, {Name: "n", Type: "t", ID: "1"}, {Name: "n", Type: "t", ID: "2"},
		}
		first.Origin.Extras = []byte(` { "y" : 1, "x" : 2 } `)
		record(t, r, history.Batch{Observations: []history.Observation{first}})

		item := get(t, store, first.Key)
		for _, c := range [][2]string{
			{string(item.State.Configuration), `{"a":"A","b":1.0}`},
			{string(item.State.Supplementary["Policy"]), `{"a":null,"z":1}`},
			{string(item.Origin.Extras), `{"x":2,"y":1}`},
			{fmt.Sprint(item.State.Relationships), `[{n t 1   } {n t 2   }]`},
		} {
			if c[0] != c[1] {
				t.Errorf("got %s, want %s", c[0], c[1])
			}
		}

		second := bucket("b", `{"a":"A","b":1.0}`)
		second.CapturedAt += 5
		second.State.Supplementary = map[string][]byte{"Policy": []byte(`{"a":null,"z":1}`)}
		second.State.Relationships = []history.Relationship{{Name: "n", Type: "t", ID: "1"}, {Name: "n", Type: "t", ID: "2"}}
		if got := record(t, r, history.Batch{Observations: []history.Observation{second}}).Results[0]; !got.Unchanged {
			t.Errorf("the same state in other words is a change: %+v", got)
		}
		if string(first.State.Configuration) != `{"b": 1.0, "a": "\u0041"}` || first.State.Relationships[0].ID != "2" {
			t.Error("the batch was changed")
		}
	})

	t.Run("RefusedAmongOthers", func(t *testing.T) {
		store := memory.New(memory.Options{})
		r := recorder.New(store, recorder.Options{})
		batch := history.Batch{Observations: []history.Observation{
			bucket("a", `{}`), bucket("b", `{"x":1,"x":2}`), bucket("c", `[]`), bucket("d", ``), bucket("e", `0`),
		}}
		receipt := record(t, r, batch)
		for i, refused := range []bool{false, true, false, true, false} {
			if got := receipt.Results[i]; (got.Err != nil) != refused {
				t.Errorf("result %d: %+v", i, got)
			}
		}
		if got := receipt.Results[4].Version; got != 1 {
			t.Errorf("version %d of e", got)
		}
		var e *history.Error
		if err := receipt.Results[1].Err; !errors.As(err, &e) || e.Kind != history.Invalid || e.Field != "configuration" {
			t.Errorf("refused with %v", err)
		} else if want := `configuration duplicate key "x" at top level (byte 7): also given at byte 1; keep one of them`; e.Error() != want {
			t.Errorf("got  %s\nwant %s", e, want)
		}
		if get(t, store, batch.Observations[4].Key).Version != 1 {
			t.Error("e is not there")
		}
	})

	t.Run("AllRefusedOutsideRun", func(t *testing.T) {
		store := memory.New(memory.Options{})
		r := recorder.New(store, recorder.Options{})
		record(t, r, history.Batch{Observations: []history.Observation{bucket("a", `{}`)}})
		receipt := record(t, r, history.Batch{Observations: []history.Observation{bucket("b", `{`)}})
		head, _ := store.Head(context.Background())
		if receipt.Results[0].Err == nil || receipt.Revision != head.Revision || receipt.Position != head.Position {
			t.Errorf("%+v, head %+v", receipt, head)
		}
	})

	t.Run("TaintsRun", func(t *testing.T) {
		for _, n := range []int{1, 3} { // all refused, some refused
			store := memory.New(memory.Options{})
			r := recorder.New(store, recorder.Options{})
			ctx := context.Background()
			if _, err := r.OpenRun(ctx, history.Run{ID: "run"}); err != nil {
				t.Fatal(err)
			}
			batch := history.Batch{Run: "run", Refused: 2, Observations: []history.Observation{bucket("a", `{`)}}
			for i := 1; i < n; i++ {
				batch.Observations = append(batch.Observations, bucket(fmt.Sprint(i), `{}`))
			}
			record(t, r, batch)
			run, _ := r.Run(ctx, "run")
			if run.Refused != 3 || run.Observed != uint64(n-1) {
				t.Errorf("%+v", run)
			}
			if _, err := r.CloseRun(ctx, "run", history.Complete, ""); !errors.Is(err, history.RunTainted) {
				t.Errorf("closed with %v", err)
			}
		}
	})

	t.Run("Empty", func(t *testing.T) {
		r := recorder.New(memory.New(memory.Options{}), recorder.Options{})
		if receipt := record(t, r, history.Batch{}); receipt.Revision != 0 || receipt.Position == "" {
			t.Errorf("%+v", receipt)
		}
	})

	t.Run("TooLarge", func(t *testing.T) {
		r := recorder.New(memory.New(memory.Options{}), recorder.Options{MaxBatchItems: 3, MaxBatchBytes: 1000})
		many := history.Batch{Observations: []history.Observation{bucket("a", `0`), bucket("b", `0`), bucket("c", `0`), bucket("d", `0`)}}
		if _, err := r.Record(context.Background(), many); !errors.Is(err, history.TooLarge) {
			t.Errorf("four items: %v", err)
		}
		wide := bucket("a", `0`)
		wide.State.Tags = map[string]string{"k": strings.Repeat("x", 1000)}
		if _, err := r.Record(context.Background(), history.Batch{Observations: []history.Observation{wide}}); !errors.Is(err, history.TooLarge) {
			t.Errorf("more than 1,000 bytes: %v", err)
		}
	})

	t.Run("DocumentTooLargeOrDeep", func(t *testing.T) {
		r := recorder.New(memory.New(memory.Options{}), recorder.Options{Limits: canonical.Limits{MaxBytes: 100, MaxDepth: 3}})
		receipt := record(t, r, history.Batch{Observations: []history.Observation{
			bucket("a", `[[[1]]]`), bucket("b", `[[[[1]]]]`), bucket("c", `"`+strings.Repeat("x", 100)+`"`),
		}})
		if receipt.Results[0].Err != nil || !errors.Is(receipt.Results[1].Err, history.TooLarge) || !errors.Is(receipt.Results[2].Err, history.TooLarge) {
			t.Errorf("%+v", receipt.Results)
		}
	})

	t.Run("BadRunID", func(t *testing.T) {
		r := recorder.New(memory.New(memory.Options{}), recorder.Options{})
		if _, err := r.Record(context.Background(), history.Batch{Run: "a b"}); !errors.Is(err, history.Invalid) {
			t.Error(err)
		}
	})

	t.Run("Cancelled", func(t *testing.T) {
		r := recorder.New(memory.New(memory.Options{}), recorder.Options{})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := r.Record(ctx, history.Batch{Observations: []history.Observation{bucket("a", `0`)}}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})

	t.Run("Replay", func(t *testing.T) {
		r := recorder.New(memory.New(memory.Options{}), recorder.Options{})
		batch := history.Batch{Op: history.OpID{1}, Observations: []history.Observation{bucket("a", `{`), bucket("b", `{}`)}}
		first, second := record(t, r, batch), record(t, r, batch)
		if diff := cmp.Diff(first.Results[1], second.Results[1]); diff != "" || second.Results[0].Err == nil {
			t.Errorf("a replay differs: %s", diff)
		}
		batch.Observations = append(batch.Observations, bucket("c", `{}`))
		if _, err := r.Record(context.Background(), batch); !errors.Is(err, history.Invalid) {
			t.Errorf("another batch with the same operation id: %v", err)
		}
	})
}

// A big batch is prepared on several cores and keeps its order.
func TestRecordInParallel(t *testing.T) {
	store := memory.New(memory.Options{})
	r := recorder.New(store, recorder.Options{})
	var batch history.Batch
	filler := strings.Repeat("x", 1000)
	for i := range 1000 {
		o := bucket(fmt.Sprint(i), fmt.Sprintf(`{"n":%d,"a":%q}`, i, filler))
		if i%7 == 0 {
			o.State.Configuration = append(o.State.Configuration, '}')
		}
		batch.Observations = append(batch.Observations, o)
	}
	receipt := record(t, r, batch)
	for i, result := range receipt.Results {
		if (result.Err != nil) != (i%7 == 0) {
			t.Fatalf("%d: %v", i, result.Err)
		}
		if i%7 != 0 && !bytes.Contains(get(t, store, batch.Observations[i].Key).State.Configuration, fmt.Appendf(nil, `"n":%d}`, i)) {
			t.Fatalf("%d is another's", i)
		}
	}
}

func TestRedact(t *testing.T) {
	store := memory.New(memory.Options{})
	r := recorder.New(store, recorder.Options{Redact: func(o *history.Observation) error {
		switch o.Key.ID {
		case "refused":
			return &history.Error{Kind: history.Invalid, Field: "configuration", Text: "holds a key"}
		case "failing":
			return errors.New("hunter2")
		}
		o.State.Configuration = bytes.ReplaceAll(o.State.Configuration, []byte("hunter2"), []byte("REDACTED"))
		for name, doc := range o.State.Supplementary {
			copy(doc, bytes.Repeat([]byte{' '}, len(doc)))
			copy(doc, "0")
			o.State.Supplementary[name] = doc
		}
		for k := range o.State.Tags {
			o.State.Tags[k] = "REDACTED"
		}
		return nil
	}})
	o := bucket("a", ` {"password": "hunter2"} `)
	o.State.Tags = map[string]string{"password": "hunter2"}
	o.State.Supplementary = map[string][]byte{"x": []byte(`"hunter2"`)}
	receipt := record(t, r, history.Batch{Observations: []history.Observation{
		o, bucket("refused", `{}`), bucket("failing", `{}`), bucket("broken", `{"password":"hunter2`),
	}})

	item := get(t, store, o.Key)
	if got := string(item.State.AppendContent(nil)); strings.Contains(got, "hunter2") {
		t.Errorf("stored %q", got)
	}
	if string(item.State.Supplementary["x"]) != "0" {
		t.Errorf("stored %q", item.State.Supplementary)
	}
	if o.State.Tags["password"] != "hunter2" || string(o.State.Supplementary["x"]) != `"hunter2"` {
		t.Error("the hook worked on the caller's own")
	}
	for i, kind := range map[int]history.Kind{1: history.Invalid, 2: history.Internal, 3: history.Invalid} {
		var e *history.Error
		err := receipt.Results[i].Err
		if !errors.Is(err, kind) || !errors.As(err, &e) || strings.Contains(e.Message(), "hunter2") {
			t.Errorf("%d: %v", i, err)
		}
	}
}
