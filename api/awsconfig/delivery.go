package awsconfig

import (
	"context"
	"errors"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/recorder/delivery/snapshot"
	"github.com/varvehq/varve/recorder/settings"
)

// deliveryHandlers answer about snapshots.
func (d *Door) deliveryHandlers() []handler {
	return []handler{on("DeliverConfigSnapshot", d.deliverConfigSnapshot)}
}

// deliverConfigSnapshot answers when the wish is durable; how it goes is told by the
// status of the channel.
func (d *Door) deliverConfigSnapshot(ctx context.Context, c Caller, in *shape.DeliverConfigSnapshotInput) (*shape.DeliverConfigSnapshotOutput, error) {
	if d.o.Snapshots == nil {
		return nil, refuse("UnknownOperationException", "DeliverConfigSnapshot is not offered here: the daemon delivers no snapshots")
	}
	switch rec, err := d.o.Settings.Recorder(ctx, c.owner()); {
	case errors.Is(err, settings.UnknownRecorder):
		return nil, refuse("NoAvailableConfigurationRecorderException", "Configuration recorder is not available to deliver a configuration snapshot.")
	case err != nil:
		return nil, err
	case !rec.Recording:
		return nil, refuse("NoRunningConfigurationRecorderException", "There is no running configuration recorder to deliver a configuration snapshot of.")
	}
	is, err := d.o.Settings.Channel(ctx, c.owner())
	if err == nil && is.Name != in.DeliveryChannelName {
		err = settings.UnknownChannel.Of(in.DeliveryChannelName)
	}
	if err != nil {
		return nil, err
	}
	id, err := d.o.Snapshots.Request(ctx, c.owner())
	if errors.Is(err, snapshot.ErrBusy) {
		return nil, refuse("ThrottlingException", "%v", err)
	}
	return &shape.DeliverConfigSnapshotOutput{ConfigSnapshotID: id}, err
}

// deliverable refuses a channel to whose bucket nothing can be delivered.
func (d *Door) deliverable(ctx context.Context, c *settings.Channel) error {
	err := d.o.Snapshots.CheckChannel(ctx, c)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, snapshot.ErrNoBucket):
		return settings.NoBucket.Of(c.Bucket)
	case ctx.Err() != nil:
		return ctx.Err()
	}
	d.o.Logger.Warn("a bucket cannot be written to", "door", "AWS", "bucket", c.Bucket, "err", err)
	return refuse("InsufficientDeliveryPolicyException", "Insufficient delivery policy to s3 bucket: %s, unable to write to bucket.", c.Bucket)
}
