package bolt_test

import (
	"context"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestGetOfWhatIsBeingRecorded reads keys, and nothing else, of resources that
// somebody records for the first time meanwhile: each is there or not.
func TestGetOfWhatIsBeingRecorded(t *testing.T) {
	const resources = 1000
	ctx := context.Background()
	s := openWith(t, memoryDir(t), bolt.Options{MergeIdle: time.Hour})
	keys := make([]history.Key, resources)
	for r := range keys {
		keys[r] = observed(r, 0, "").Key
	}
	done := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			reader, err := s.AsOf(ctx, history.At{})
			if err != nil {
				t.Error(err)
				return
			}
			items, err := reader.Get(ctx, keys, history.FieldsKey)
			if err != nil {
				t.Error("get of keys while they are recorded:", err)
				return
			}
			for _, item := range items {
				if item.Exists() && item.Revision > reader.At().Known {
					t.Errorf("%v is of revision %d, seen from %d", item.Key, item.Revision, reader.At().Known)
				}
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for r := range resources {
		record(t, s, history.Batch{Observations: []history.Observation{observed(r, firstMoment, `1`)}})
		if r%100 == 0 {
			if err := s.Merge(); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(done)
	reading.Wait()
}

// TestHurriedScans counts and lists with the shortest turns there are.
func TestHurriedScans(t *testing.T) {
	const resources = 3000
	bolt.HurryScans(t, time.Nanosecond)
	ctx := context.Background()
	s := openWith(t, memoryDir(t), bolt.Options{MergeIdle: time.Hour})
	var b history.Batch
	for r := range resources {
		b.Observations = append(b.Observations, observed(r, firstMoment, `1`))
	}
	record(t, s, b)
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	reader, err := s.AsOf(ctx, history.At{})
	if err != nil {
		t.Fatal(err)
	}
	groups, err := reader.Count(ctx, history.Query{}, history.ByNothing)
	if err != nil || len(groups) != 1 || groups[0].Count != resources {
		t.Errorf("counted %v of %d, %v", groups, resources, err)
	}
	for _, limit := range []int{0, resources - 1, resources, math.MaxInt} {
		items, more, err := reader.Items(ctx, history.Query{Limit: limit})
		want := resources
		if limit > 0 {
			want = min(want, limit)
		}
		if err != nil || len(items) != want || more != (want < resources) {
			t.Errorf("limit %d: %d items, more %v, %v", limit, len(items), more, err)
		}
	}
}
