package daemon

import (
	"context"
	"time"

	"github.com/varvehq/varve/history"
)

// fold thins out sightings that are past their horizon, at the start and then
// day by day: a daemon that is started anew every night folds as well.
func (d *Daemon) fold(ctx context.Context, folder history.Folder) {
	tick := time.NewTicker(d.o.FoldEvery)
	defer tick.Stop()
	for {
		dropped, err := folder.Fold(ctx, history.MomentOf(d.o.Now().Add(-d.o.FoldAfter)))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			d.o.Logger.Error("sightings could not be folded", "err", err)
		case dropped > 0:
			d.o.Logger.Info("old sightings folded", "dropped", dropped)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
