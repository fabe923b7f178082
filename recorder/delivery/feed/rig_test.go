package feed_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// backends are the stores that every case runs on.
var backends = []struct {
	name string
	open func(testing.TB, func() time.Time) history.Store
}{
	{"memory", func(_ testing.TB, now func() time.Time) history.Store { return memory.New(memory.Options{Now: now}) }},
	{"bolt", func(t testing.TB, now func() time.Time) history.Store {
		s, err := bolt.Open(t.TempDir(), bolt.Options{Now: now, NoSync: true, MergeRecords: 40})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}},
}

func onBackends(t *testing.T, run func(*testing.T, *rig)) {
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			r := &rig{TB: t}
			r.now.Store(at(1000).Time().UnixMicro())
			r.store = b.open(t, func() time.Time { return time.UnixMicro(r.now.Add(1)) })
			t.Cleanup(func() { _ = r.store.Close() })
			r.source = feed.NewSource(r.store, feed.Options{})
			run(t, r)
		})
	}
}

func at(seconds int) history.Moment { return history.Moment(1_700_000_000+seconds) * 1e6 }

// rig is a store, its clock, which goes on by a microsecond at each look, and a
// source of it.
type rig struct {
	testing.TB
	store  history.Store
	source *feed.Source
	now    atomic.Int64
}

func key(id string) history.Key { return history.Key{Account: "1", Type: "T", ID: id} }

// letter is a state: "-" is a deletion.
func letter(l string) history.State {
	if l == "-" {
		return history.State{Deleted: true}
	}
	return history.State{
		Name: l, Tags: map[string]string{"letter": l},
		Configuration: fmt.Appendf(nil, `{"is":%q,"n":1.0}`, l),
	}
}

func (r *rig) record(id, l string, captured history.Moment, run history.RunID) {
	r.Helper()
	got, err := r.store.Append(r.Context(), history.Batch{Run: run, Observations: []history.Observation{{
		Key: key(id), State: letter(l), CapturedAt: captured, Origin: history.Origin{Cause: history.Cause{Actor: "ann"}},
	}}})
	if err == nil {
		err = got.Results[0].Err
	}
	if err != nil {
		r.Fatal(err)
	}
}

// events reads the feed to its end, so many at a time.
func (r *rig) events(s *feed.Source, after history.Position, limit int) []*feed.Event {
	r.Helper()
	var all []*feed.Event
	for {
		page, next, err := s.Events(r.Context(), after, limit, 0)
		if err != nil {
			r.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		if last := page[len(page)-1].Position; next != last {
			r.Fatalf("the page ends at %s, and says %s", last, next)
		}
		all, after = append(all, page...), next
	}
}

// counting is a store that notes which versions are read, and can hold readers up
// after they have read.
type counting struct {
	history.Store
	mu    sync.Mutex
	reads map[history.Key]int
	hold  func()
}

func (c *counting) Unwrap() history.Store { return c.Store }

func (c *counting) AsOf(ctx ctx, at history.At) (history.Reader, error) {
	r, err := c.Store.AsOf(ctx, at)
	return countingReader{r, c}, err
}

type countingReader struct {
	history.Reader
	c *counting
}

func (r countingReader) History(ctx ctx, k history.Key, q history.HistoryQuery) ([]history.Item, bool, error) {
	items, more, err := r.Reader.History(ctx, k, q)
	r.c.mu.Lock()
	r.c.reads[k]++
	r.c.mu.Unlock()
	if r.c.hold != nil {
		r.c.hold()
	}
	return items, more, err
}

func sequences(events []*feed.Event) []history.Seq {
	var list []history.Seq
	for _, e := range events {
		list = append(list, e.Seq)
	}
	return list
}

func dense(n int) []history.Seq {
	list := make([]history.Seq, n)
	for i := range list {
		list[i] = history.Seq(i + 1)
	}
	return list
}

func wantDense(t testing.TB, events []*feed.Event, n int) {
	t.Helper()
	if got := sequences(events); !slices.Equal(got, dense(n)) {
		t.Fatalf("sequences %v, want 1 to %d", got, n)
	}
}
