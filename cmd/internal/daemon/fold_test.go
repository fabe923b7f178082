package daemon_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
)

// folding tells before which moment it was to fold. Its first fold fails.
type folding struct {
	history.Store
	before chan history.Moment
	folds  atomic.Int32
}

func (f *folding) Fold(ctx context.Context, before history.Moment) (uint64, error) {
	select {
	case f.before <- before:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if f.folds.Add(1) == 1 {
		return 0, errors.New("not this time")
	}
	return 3, nil
}

// TestFold: sightings past their horizon are folded when the daemon starts and
// from time to time, whatever became of the fold before, and until it stops.
func TestFold(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	store := &folding{Store: memory.New(memory.Options{}), before: make(chan history.Moment)}
	_, stop := start(t, daemon.Options{Store: store, Now: func() time.Time { return now }, FoldEvery: time.Millisecond})
	for range 3 {
		select {
		case before := <-store.before:
			if want := history.MomentOf(now.AddDate(0, 0, -30)); before != want {
				t.Errorf("folds what was recorded before %v, want %v", before, want)
			}
		case <-time.After(time.Minute):
			t.Fatal("nothing is folded")
		}
	}
	stop()
}
