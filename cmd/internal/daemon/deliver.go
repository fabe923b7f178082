package daemon

import (
	"context"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
	"github.com/varvehq/varve/recorder/delivery/format"
	"github.com/varvehq/varve/recorder/delivery/route"
)

// Delivery is what subscriptions need to know of the daemon's surroundings.
type Delivery struct {
	BaseURL string // where receivers reach the HTTP door, for what they are to fetch there
	Files   string // folder in or below which files are written. Default: anywhere, or nowhere where others can reach the daemon
}

// startDelivery begins to send to subscriptions, where the store can keep any.
func (d *Daemon) startDelivery(ctx context.Context) error {
	d.feed = feed.NewSource(d.store, feed.Options{})
	documents, ok := history.Power[history.Documents](d.store)
	if !ok {
		return nil
	}
	options := route.Options{
		Format: format.Options{BaseURL: d.o.Delivery.BaseURL},
		Folder: d.o.Delivery.Files, NoFiles: d.o.Delivery.Files == "" && d.beyondLoopback(),
		UserAgent: "varve/" + d.o.Version, Logger: d.o.Logger, Now: d.o.Now,
	}
	deliverer := delivery.New(d.store, documents, d.feed, delivery.Options{
		Check: options.Check, Open: options.Open, Logger: d.o.Logger, Now: d.o.Now,
	})
	if err := deliverer.Start(ctx); err != nil {
		return err
	}
	d.deliverer = deliverer
	return nil
}

// stopDelivery lets deliveries end, in the background; what it returns waits for
// that.
func (d *Daemon) stopDelivery(ctx context.Context) (wait func()) {
	if d.deliverer == nil {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := d.deliverer.Stop(ctx); err != nil {
			d.o.Logger.Error("how far subscriptions have come was not written", "err", err)
		}
	}()
	return func() { <-done }
}
