package bolt_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestReadersWhileRecording has 64 readers ask for random moments while two
// writers record at full speed and the log is merged all the time. Every
// document says which resource and moment it is of, so that an answer that is
// torn, or of another resource or moment, shows.
func TestReadersWhileRecording(t *testing.T) {
	const (
		readers   = 64
		resources = 60
		first     = history.Moment(1_600_000_000_000_000)
		step      = history.Moment(1_000_000)
	)
	s, err := bolt.Open(t.TempDir(), bolt.Options{MergeRecords: 400, MergeIdle: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	key := func(r int) history.Key { return history.Key{Account: "a", Type: "t", ID: fmt.Sprint("r", r)} }

	// Round n captures every resource at first+n*step; a writer owns every
	// second round, and tells when one is recorded.
	var recorded [2]atomic.Int64
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Second)
	defer stop()
	var work sync.WaitGroup
	for w := range 2 {
		work.Go(func() {
			for n := w; ctx.Err() == nil; n += 2 {
				batch := history.Batch{}
				for r := range resources {
					batch.Observations = append(batch.Observations, history.Observation{
						Key: key(r), CapturedAt: first + history.Moment(n)*step,
						State: history.State{Configuration: fmt.Appendf(nil, `{"n":%d,"r":%d}`, n, r)},
					})
				}
				if _, err := s.Append(context.Background(), batch); err != nil {
					t.Error(err)
					return
				}
				recorded[w].Store(int64(n) + 1)
			}
		})
	}
	var asked atomic.Int64
	for range readers {
		work.Go(func() {
			for ctx.Err() == nil {
				// Rounds below both marks are all there.
				done := min(recorded[0].Load(), recorded[1].Load())
				if done == 0 {
					time.Sleep(time.Millisecond)
					continue
				}
				n := rand.Int64N(done)
				reader, err := s.AsOf(context.Background(), history.At{Captured: first + history.Moment(n)*step + step/2})
				if err != nil {
					t.Error(err)
					return
				}
				r := rand.IntN(resources)
				items, err := reader.Get(context.Background(), []history.Key{key(r)}, history.FieldsAll)
				if err != nil {
					t.Error(err)
					return
				}
				var doc struct{ N, R int64 }
				if err := json.Unmarshal(items[0].State.Configuration, &doc); err != nil || doc.N != n || doc.R != int64(r) {
					t.Errorf("resource %d, round %d: got %s (%v)", r, n, items[0].State.Configuration, err)
					return
				}
				runtime.Gosched() // a client would wait for the network now
				if asked.Add(1)%97 == 0 {
					all, _, err := reader.Items(context.Background(), history.Query{})
					if err != nil || len(all) != resources {
						t.Errorf("round %d: %d resources, %v", n, len(all), err)
						return
					}
				}
			}
		})
	}
	work.Wait()
	t.Logf("%d questions, %d rounds of %d", asked.Load(), min(recorded[0].Load(), recorded[1].Load()), resources)
}
