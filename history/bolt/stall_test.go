package bolt_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// rounds records round after round of new versions of the same resources, so
// that merges free pages all the time.
type rounds struct {
	s        *bolt.Store
	n        int
	observed int
}

const roundResources = 500

func (r *rounds) key(n int) history.Key { return history.Key{Type: "t", ID: fmt.Sprintf("r%06d", n)} }

func (r *rounds) record(t testing.TB) {
	b := history.Batch{}
	for i := range roundResources {
		b.Observations = append(b.Observations, history.Observation{
			Key: r.key(i), CapturedAt: usedFirst + history.Moment(r.n)*1_000_000,
			State: history.State{Configuration: fmt.Appendf(nil, `{"round":%d,"noise":"%016x%016x","n":%d}`, r.n, rand.Uint64(), rand.Uint64(), i)},
		})
	}
	if _, err := r.s.Append(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	r.n++
	r.observed += len(b.Observations)
}

// TestStalledReader has a reader stall in the middle of what it reads while
// others record: the file grows as it does without, and the writer goes on. A
// transaction that is held open instead shows what that would look like.
func TestStalledReader(t *testing.T) {
	stall := time.Duration(min(scale(), 60)) * time.Second
	type figures struct{ bytes, rate float64 } // of the file for an observation; observations a second
	measure := func(t *testing.T, stall time.Duration, begin func(s *bolt.Store) (end func())) figures {
		s := openWith(t, memoryDir(t), bolt.Options{MergeRecords: 4 * roundResources, MergeIdle: time.Hour})
		r := rounds{s: s}
		used := func() (n float64) {
			if err := s.Read(func(tx *bbolt.Tx) error { n = float64(tx.Size()); return nil }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for range 20 {
			r.record(t)
		}
		if err := s.Merge(); err != nil {
			t.Fatal(err)
		}
		end := begin(s)
		before, observed, started := used(), r.observed, time.Now()
		for time.Since(started) < stall {
			r.record(t)
		}
		took := time.Since(started)
		if err := s.Merge(); err != nil {
			t.Fatal(err)
		}
		after := used()
		end()
		n := float64(r.observed - observed)
		return figures{(after - before) / n, n / took.Seconds()}
	}

	alone := measure(t, stall, func(*bolt.Store) func() { return func() {} })
	reader := measure(t, stall, func(s *bolt.Store) func() {
		ctx := context.Background()
		reader, err := s.AsOf(ctx, history.At{})
		if err != nil {
			t.Fatal(err)
		}
		want, _, err := reader.Items(ctx, history.Query{})
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := reader.Items(ctx, history.Query{Limit: roundResources / 2})
		if err != nil {
			t.Fatal(err)
		}
		return func() {
			rest, _, err := reader.Items(ctx, history.Query{After: &got[len(got)-1].Key})
			if err != nil || digest(append(got, rest...)) != digest(want) {
				t.Errorf("a reader that stalled goes on with another answer: %v", err)
			}
		}
	})
	// Not for long: the writer waits for it once the file has outgrown what is mapped.
	held := measure(t, min(stall, time.Second), func(s *bolt.Store) func() {
		begun, done := make(chan struct{}), make(chan struct{})
		var work sync.WaitGroup
		work.Go(func() {
			_ = s.Read(func(*bbolt.Tx) error {
				close(begun)
				<-done
				return nil
			})
		})
		<-begun
		return func() {
			close(done)
			work.Wait()
		}
	})
	t.Logf("stalled for %s: bytes of the file for an observation %.0f alone, ×%.2f beside a stalled reader, ×%.2f beside an open transaction; "+
		"observations a second %.0f alone, ×%.2f and ×%.2f", stall,
		alone.bytes, reader.bytes/alone.bytes, held.bytes/alone.bytes, alone.rate, reader.rate/alone.rate, held.rate/alone.rate)
	if reader.bytes > (alone.bytes+held.bytes)/2 {
		t.Error("a stalled reader has the file grow")
	}
	if held.bytes < 2*alone.bytes {
		t.Error("an open transaction does not have the file grow: this test shows nothing")
	}
	if reader.rate < alone.rate/5 {
		t.Error("a stalled reader holds the writer up")
	}
}

// BenchmarkBeside has 64 readers ask for random resources and moments while
// others record at full speed, and tells what that costs both: the readers'
// 99th percentile and the writer's rate, each as a ratio to alone.
func BenchmarkBeside(b *testing.B) {
	const (
		readers = 64
		phase   = 2 * time.Second
	)
	s, err := bolt.Open(b.TempDir(), bolt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	r := rounds{s: s}
	for range 40 {
		r.record(b)
	}
	write := func(ctx context.Context) (rate float64) {
		before, begin := r.observed, time.Now()
		for ctx.Err() == nil {
			r.record(b)
		}
		return float64(r.observed-before) / time.Since(begin).Seconds()
	}
	read := func(ctx context.Context) (p99, rate float64) {
		var (
			mu   sync.Mutex
			all  []time.Duration
			work sync.WaitGroup
		)
		for range readers {
			work.Go(func() {
				var took []time.Duration
				for ctx.Err() == nil {
					begin := time.Now()
					reader, err := s.AsOf(context.Background(), history.At{Captured: usedFirst + history.Moment(rand.IntN(40))*1_000_000})
					if err != nil {
						b.Error(err)
						return
					}
					if _, err := reader.Get(context.Background(), []history.Key{r.key(rand.IntN(roundResources))}, history.FieldsAll); err != nil {
						b.Error(err)
						return
					}
					took = append(took, time.Since(begin))
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, took...)
			})
		}
		work.Wait()
		slices.Sort(all)
		return float64(all[len(all)*99/100]), float64(len(all)) / phase.Seconds()
	}
	for b.Loop() {
		ctx, stop := context.WithTimeout(context.Background(), phase)
		p99Alone, readsAlone := read(ctx)
		stop()
		ctx, stop = context.WithTimeout(context.Background(), phase)
		rateAlone := write(ctx)
		stop()
		ctx, stop = context.WithTimeout(context.Background(), phase)
		var (
			p99, reads float64
			work       sync.WaitGroup
		)
		work.Go(func() { p99, reads = read(ctx) })
		rate := write(ctx)
		work.Wait()
		stop()
		b.ReportMetric(p99/p99Alone, "p99/alone")
		b.ReportMetric(p99/1e3, "p99-µs")
		b.ReportMetric(reads/readsAlone, "reads/alone")
		b.ReportMetric(rate/rateAlone, "writes/alone")
	}
}
