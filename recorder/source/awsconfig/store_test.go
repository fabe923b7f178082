package awsconfig_test

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/internal/realdata"
	"github.com/varvehq/varve/recorder/source/awsconfig"
)

// record has a store take everything that a file holds.
func record(t *testing.T, store history.Store, text []byte) {
	t.Helper()
	list, _, _ := all(t, awsconfig.NewReader(bytes.NewReader(text), awsconfig.Options{}))
	receipt, err := recorder.New(store, recorder.Options{}).Record(t.Context(), history.Batch{Observations: list})
	if err != nil {
		t.Fatal(err)
	}
	for i, result := range receipt.Results {
		if result.Err != nil {
			t.Errorf("%s: %v", list[i].Key, result.Err)
		}
	}
}

// versions returns every version in a store, without what tells when it was
// learned.
func versions(t *testing.T, store history.Store) (list []history.Item) {
	t.Helper()
	ctx := context.Background()
	reader, err := store.AsOf(ctx, history.At{})
	if err != nil {
		t.Fatal(err)
	}
	resources, _, err := reader.Items(ctx, history.Query{Deleted: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range resources {
		items, _, err := reader.History(ctx, r.Key, history.HistoryQuery{})
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range items {
			it.Version, it.Revision, it.RecordedAt, it.LastSeenAt = 0, 0, 0, 0
			list = append(list, it)
		}
	}
	return list
}

// What was exported makes the same versions in another store, in every part.
func TestRealDataThroughStores(t *testing.T) {
	first, second := memory.New(memory.Options{}), memory.New(memory.Options{})
	for _, path := range realdata.Glob(t, "native/aws-config/*/*.json") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		record(t, first, text)
	}
	before := versions(t, first)

	var b bytes.Buffer
	w := awsconfig.NewWriter(&b, awsconfig.WriterOptions{})
	for i := range before {
		if err := w.Write(&before[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	record(t, second, b.Bytes())

	if diff := cmp.Diff(before, versions(t, second)); diff != "" || len(before) < 50 {
		t.Errorf("%d versions; %s", len(before), diff)
	}
}
