package main

import (
	"context"
	"os"
	"path/filepath"

	"peers/harness"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/recorder"
)

// varve is a bolt store behind a recorder, as the daemon has it. It keeps what an
// application has at hand anyway: the types of the resources that it knows.
type varve struct {
	name  string
	links bool
	s     *bolt.Store
	cache *graph.Cache
	r     *recorder.Recorder
	dir   string
	types map[string]string // by id; only Prepare, which runs by itself, adds to it
}

// newVarve makes an empty store in a folder of its own; by nobody it keeps no links.
func newVarve(dir, name string, by history.Linker) (harness.Peer, error) {
	dir = filepath.Join(dir, name)
	os.RemoveAll(dir)
	s, err := bolt.Open(dir, bolt.Options{Linker: by})
	if err != nil {
		return nil, err
	}
	return &varve{name: name, links: by != nil, s: s, cache: graph.NewCache(s, 0), r: recorder.New(s, recorder.Options{MaxBatchItems: 1 << 20, MaxBatchBytes: 1 << 30}), dir: dir, types: map[string]string{}}, nil
}
func (v *varve) Name() string { return v.name }

func (v *varve) Prepare(items []harness.Item) error {
	for i := range items {
		v.types[items[i].ID] = items[i].Type
	}
	return nil
}

func (v *varve) key(id string) history.Key {
	t, ok := v.types[id]
	if !ok {
		t = "?"
	}
	return history.Key{Type: t, ID: id}
}

// record records a batch, and counts what changed. What is unchanged is kept as
// durable sightings.
func (v *varve) record(items []harness.Item) (int, error) {
	b := history.Batch{Observations: make([]history.Observation, len(items))}
	for i := range items {
		it := &items[i]
		o := &b.Observations[i]
		o.Key = history.Key{Type: it.Type, ID: it.ID}
		o.CapturedAt = history.Moment(it.TS * 1000)
		o.State.Configuration = it.Doc
		for _, r := range it.Rel {
			t := v.key(r).Type
			o.State.Relationships = append(o.State.Relationships, history.Relationship{Name: "uses", Type: t, ID: r})
		}
	}
	rec, err := v.r.Record(context.Background(), b)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, r := range rec.Results {
		if r.Err != nil {
			return 0, r.Err
		}
		if !r.Unchanged {
			n++
		}
	}
	return n, nil
}

func (v *varve) Put(items []harness.Item) error           { _, err := v.record(items); return err }
func (v *varve) Rescan(items []harness.Item) (int, error) { return v.record(items) }
func (v *varve) Settle() error                            { return v.s.Merge() }

func (v *varve) at(ts int64) history.At {
	if ts == harness.Now {
		return history.At{}
	}
	return history.At{Captured: history.Moment(ts * 1000)}
}

func (v *varve) AsOf(id string, ts int64) ([]byte, error) {
	ctx := context.Background()
	r, err := v.s.AsOf(ctx, v.at(ts))
	if err != nil {
		return nil, err
	}
	items, err := r.Get(ctx, []history.Key{v.key(id)}, history.FieldsAll)
	if err != nil {
		return nil, err
	}
	return items[0].State.Configuration, nil
}

func (v *varve) History(id string) (int, int64, error) {
	ctx := context.Background()
	r, err := v.s.AsOf(ctx, history.At{})
	if err != nil {
		return 0, 0, err
	}
	items, _, err := r.History(ctx, v.key(id), history.HistoryQuery{})
	var n int64
	for i := range items {
		n += int64(len(items[i].State.Configuration))
	}
	return len(items), n, err
}

func (v *varve) Inventory(ts int64, docs bool) (int, int64, error) {
	ctx := context.Background()
	r, err := v.s.AsOf(ctx, v.at(ts))
	if err != nil {
		return 0, 0, err
	}
	q := history.Query{Limit: 1000, Fields: history.FieldsKey}
	if docs {
		q.Fields = history.FieldsAll
	}
	n, size := 0, int64(0)
	for {
		items, more, err := r.Items(ctx, q)
		if err != nil {
			return 0, 0, err
		}
		for i := range items {
			n++
			size += int64(len(items[i].State.Configuration))
		}
		if !more {
			return n, size, nil
		}
		q.After = &items[len(items)-1].Key
	}
}

func (v *varve) Users(id string, ts int64) (int, error) { return v.Blast(id, ts, 1) }

func (v *varve) Blast(id string, ts int64, depth int) (int, error) {
	if !v.links {
		return 0, harness.ErrSkip
	}
	ctx := context.Background()
	r, err := v.s.AsOf(ctx, v.at(ts))
	if err != nil {
		return 0, err
	}
	hits, err := v.cache.At(r).Uses(ctx, v.key(id), depth, 0)
	if err != nil {
		return 0, err
	}
	n := 0
	for hit := range hits.All() {
		if hit.Key.ID != "" {
			n++
		}
	}
	return n, nil
}

func (v *varve) Size() (int64, error) {
	st, err := os.Stat(filepath.Join(v.dir, bolt.FileName))
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

func (v *varve) Close() error { return v.s.Close() }
