package snapshot

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/uuid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/settings"
)

// Options of a deliverer. Store and Settings are needed.
type Options struct {
	Store    history.Store
	Settings *settings.Settings
	Place    Place  // nil: there are no buckets, and every delivery fails with that
	Temp     string // the folder in which files are made; default that of the system

	Now    func() time.Time // default time.Now
	Logger *slog.Logger     // default: discard
	Every  time.Duration    // how often it is looked for what is due; default a minute
}

// Deliverer delivers snapshots and histories. Its methods are safe for concurrent
// use.
//
// What is asked of it is written down in the settings of the channel before it is
// answered, so it survives the end of the program. A delivery that the end of the
// program interrupts is made again from the start: a snapshot under the key it
// had, a history up to the later moment, which may repeat what was delivered.
type Deliverer struct {
	o    Options
	wake chan struct{}
}

// New makes a deliverer, which delivers when Run is called.
func New(o Options) *Deliverer {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Every <= 0 {
		o.Every = time.Minute
	}
	return &Deliverer{o: o, wake: make(chan struct{}, 1)}
}

// HistoryPeriod is how often histories are delivered, about as AWS Config does.
const HistoryPeriod = 6 * time.Hour

// retryAfter is how long a failed delivery that makes itself waits.
const retryAfter = 15 * time.Minute

// maxPending is how many snapshots one channel may have waiting.
const maxPending = 100

// ErrBusy says that too many snapshots are waiting.
var ErrBusy = errors.New("100 snapshots of the channel are waiting to be delivered; ask again when some are")

// Request asks for a snapshot of an owner's channel, and returns its id when that
// is durable. UnknownChannel; ErrBusy if too many are waiting.
func (d *Deliverer) Request(ctx context.Context, owner settings.Owner) (string, error) {
	c, err := d.o.Settings.Channel(ctx, owner)
	if err != nil {
		return "", err
	}
	if len(c.Snapshot.Pending) >= maxPending {
		return "", ErrBusy
	}
	p := settings.Pending{ID: uuid.NewString(), At: history.MomentOf(d.o.Now())}
	err = d.o.Settings.SetDeliveries(ctx, owner, c.Name, func(c *settings.Channel) {
		c.Snapshot.Pending = append(slices.Clip(c.Snapshot.Pending), p)
	})
	if err != nil {
		return "", err
	}
	select {
	case d.wake <- struct{}{}:
	default:
	}
	return p.ID, nil
}

// CheckChannel says whether a channel's bucket can be written to, by an empty
// object, as AWS Config does when a channel is put. ErrNoBucket if there is no
// such bucket; without a place for buckets all channels are accepted.
func (d *Deliverer) CheckChannel(ctx context.Context, c *settings.Channel) error {
	if d.o.Place == nil {
		return nil
	}
	if err := d.o.Place.Check(ctx, c.Bucket); err != nil {
		return err
	}
	return d.o.Place.Put(ctx, c.Bucket, writabilityKey(c), bytes.NewReader(nil))
}

// Run delivers what is asked for and what is due until ctx ends.
func (d *Deliverer) Run(ctx context.Context) error {
	tick := time.NewTicker(d.o.Every)
	defer tick.Stop()
	for {
		if err := d.Deliver(ctx); err != nil && ctx.Err() == nil {
			d.o.Logger.Error("nothing can be delivered to buckets", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-d.wake:
		}
	}
}

// Deliver makes all deliveries that are asked for or due now. What goes wrong with
// one is written into its channel's status; the error is of the settings.
func (d *Deliverer) Deliver(ctx context.Context) error {
	channels, err := d.o.Settings.Channels(ctx)
	if err != nil {
		return err
	}
	for i := range channels {
		if err := d.serve(ctx, &channels[i]); err != nil {
			return err
		}
	}
	return nil
}

// serve makes the deliveries of one channel.
func (d *Deliverer) serve(ctx context.Context, c *settings.Channel) error {
	rec, err := d.o.Settings.Recorder(ctx, c.Owner)
	if errors.Is(err, settings.UnknownRecorder) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range c.Snapshot.Pending {
		if err := d.snapshot(ctx, c, &rec, p); err != nil {
			return err
		}
	}
	now := history.MomentOf(d.o.Now())
	if every := c.Every(); every > 0 && rec.Recording && due(&c.Snapshot, c.CreatedAt, every, now) {
		p := settings.Pending{ID: uuid.NewString(), At: now}
		if err := d.snapshot(ctx, c, &rec, p); err != nil {
			return err
		}
	}
	if rec.Recording && due(&c.History, max(c.CreatedAt, rec.StartedAt), HistoryPeriod, now) {
		return d.history(ctx, c, &rec, now)
	}
	return nil
}

// due says whether a delivery that makes itself is: a period after the last one, or
// after since where there was none, and a while after one that failed.
func due(s *settings.Delivery, since history.Moment, every time.Duration, now history.Moment) bool {
	if s.Status == settings.Failure {
		return now >= s.AttemptAt+history.Moment(min(every, retryAfter).Microseconds())
	}
	return now >= max(since, s.AttemptAt)+history.Moment(every.Microseconds())
}

// snapshot delivers one snapshot, and writes down how that went.
func (d *Deliverer) snapshot(ctx context.Context, c *settings.Channel, rec *settings.Recorder, p settings.Pending) error {
	key := snapshotKey(c, p.At.Time(), p.ID)
	items, failed := d.putSnapshot(ctx, c, rec, p.ID, key)
	if ctx.Err() != nil {
		return ctx.Err() // it is made again by the next start
	}
	d.log("snapshot", c, key, items, failed)
	return d.settle(ctx, c, func(c *settings.Channel) {
		c.Snapshot.Pending = slices.DeleteFunc(slices.Clone(c.Snapshot.Pending), func(q settings.Pending) bool { return q.ID == p.ID })
		d.told(&c.Snapshot, failed, c.Every())
		c.Snapshot.SnapshotID = p.ID
	})
}

func (d *Deliverer) putSnapshot(ctx context.Context, c *settings.Channel, rec *settings.Recorder, id, key string) (items int, err error) {
	if d.o.Place == nil {
		return 0, ErrNoPlace
	}
	r, err := d.o.Store.AsOf(ctx, history.At{})
	if err != nil {
		return 0, err
	}
	f, err := newFile(d.o.Temp, id)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.discard()) }()
	if err := f.addAll(ctx, r, rec); err != nil {
		return 0, err
	}
	body, err := f.body()
	if err != nil {
		return 0, err
	}
	return f.Items, d.o.Place.Put(ctx, c.Bucket, key, body)
}

// settle writes down how deliveries went, unless the channel is gone by now.
func (d *Deliverer) settle(ctx context.Context, c *settings.Channel, change func(*settings.Channel)) error {
	err := d.o.Settings.SetDeliveries(ctx, c.Owner, c.Name, change)
	if errors.Is(err, settings.UnknownChannel) {
		return nil
	}
	return err
}

// told writes down how a delivery went.
func (d *Deliverer) told(s *settings.Delivery, failed error, every time.Duration) {
	now := history.MomentOf(d.o.Now())
	was := s.Status
	s.AttemptAt, s.NextAt = now, 0
	if every > 0 {
		s.NextAt = now + history.Moment(every.Microseconds())
	}
	s.Status, s.Error, s.Text = settings.Success, "", ""
	if failed == nil {
		s.SuccessAt = now
	} else {
		s.Status, s.Error, s.Text = settings.Failure, codeOf(failed), failed.Error()
		if every > 0 {
			s.NextAt = now + history.Moment(min(every, retryAfter).Microseconds())
		}
	}
	if s.Status != was {
		s.ChangedAt = now
	}
}

// codeOf is the code by which a channel's status tells an error.
func codeOf(err error) string {
	var api smithy.APIError
	switch {
	case errors.Is(err, ErrNoBucket), errors.Is(err, ErrNoPlace):
		return "NoSuchBucket"
	case errors.As(err, &api):
		return api.ErrorCode()
	}
	return "InternalError"
}

func (d *Deliverer) log(what string, c *settings.Channel, key string, items int, failed error) {
	args := []any{"what", what, "account", c.Owner.Account, "region", c.Owner.Region, "bucket", c.Bucket, "key", key}
	if failed != nil {
		d.o.Logger.Warn("not delivered to bucket", append(args, "err", failed)...)
		return
	}
	d.o.Logger.Info("delivered to bucket", append(args, "items", items)...)
}
