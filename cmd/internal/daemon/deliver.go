package daemon

import (
	"context"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
	"github.com/varvehq/varve/recorder/delivery/route"
)

// startDelivery begins to send to subscriptions, where the store can keep any.
func (d *Daemon) startDelivery(ctx context.Context) error {
	d.feed = feed.NewSource(d.store, feed.Options{})
	documents, ok := history.Power[history.Documents](d.store)
	if !ok {
		return nil
	}
	options := route.Options{UserAgent: "varve/" + d.o.Version, Logger: d.o.Logger, Now: d.o.Now}
	deliverer := delivery.New(d.store, documents, d.feed, delivery.Options{
		Check: route.Check,
		Open: func(s delivery.Subscription) (delivery.Format, delivery.Target, error) {
			return route.Open(s, options)
		},
		Logger: d.o.Logger,
		Now:    d.o.Now,
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
