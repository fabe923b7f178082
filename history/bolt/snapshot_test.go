package bolt_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
)

// TestPagesOfOneMoment reads an inventory of one moment and revision again and again
// while the store changes around it: what was remembered of it when half of it was
// not merged yet must not be taken for all of it later.
func TestPagesOfOneMoment(t *testing.T) {
	ctx := context.Background()
	s := openStore(t, t.TempDir())
	put := func(from, to int, moment history.Moment) history.Revision {
		t.Helper()
		b := history.Batch{}
		for i := from; i < to; i++ {
			b.Observations = append(b.Observations, history.Observation{
				Key:        history.Key{Type: "T", ID: fmt.Sprintf("%03d", i*37%1000)},
				CapturedAt: moment, State: history.State{Configuration: fmt.Appendf(nil, "[%d]", moment)},
			})
		}
		receipt, err := s.Append(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		return receipt.Results[len(receipt.Results)-1].Revision
	}
	merge := func() {
		t.Helper()
		if err := s.Merge(); err != nil {
			t.Fatal(err)
		}
	}
	pages := func(at history.At, limit int) []history.Item {
		t.Helper()
		reader, err := s.AsOf(ctx, at)
		if err != nil {
			t.Fatal(err)
		}
		var all []history.Item
		q := history.Query{Limit: limit, Fields: history.FieldsKey, Deleted: true}
		for {
			items, more, err := reader.Items(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			if all = append(all, items...); !more {
				return all
			}
			q.After = &all[len(all)-1].Key
		}
	}
	check := func(at history.At, want []history.Item) {
		t.Helper()
		for _, limit := range []int{7, 100, 0} {
			if d := cmp.Diff(want, pages(at, limit)); d != "" {
				t.Fatalf("pages of %d (-want +got):\n%s", limit, d)
			}
		}
	}

	put(0, 300, 1000)
	merge()
	put(0, 150, 2000)
	known := put(300, 400, 1000) // in blocks that are half merged
	at := history.At{Captured: 2500, Known: known}
	want := pages(at, 1000) // one page: nothing is remembered
	if len(want) != 400 {
		t.Fatalf("%d of 400 resources", len(want))
	}
	check(at, want)
	put(100, 350, 2200) // later knowledge of the moment, by a revision that is not asked for
	put(400, 450, 500)
	check(at, want)
	merge()
	check(at, want)
	now := history.At{Captured: 2500}
	if got := pages(now, 7); len(got) != 450 || cmp.Diff(got, pages(now, 1000)) != "" {
		t.Fatalf("%d of 450 resources, or others, at the newest revision", len(got))
	}
	for i := range 5 { // others take its place
		pages(history.At{Captured: history.Moment(1100 + i), Known: known}, 50)
	}
	check(at, want)
}
