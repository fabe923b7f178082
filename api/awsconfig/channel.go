package awsconfig

import (
	"context"
	"errors"
	"slices"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/recorder/settings"
)

// channelHandlers answer about delivery channels.
func (d *Door) channelHandlers() []handler {
	return []handler{
		on("PutDeliveryChannel", d.putDeliveryChannel),
		on("DescribeDeliveryChannels", d.describeDeliveryChannels),
		on("DescribeDeliveryChannelStatus", d.describeDeliveryChannelStatus),
		on("DeleteDeliveryChannel", d.deleteDeliveryChannel),
	}
}

func (d *Door) putDeliveryChannel(ctx context.Context, c Caller, in *shape.PutDeliveryChannelInput) (*shape.Empty, error) {
	asked := in.DeliveryChannel
	put := settings.Channel{
		Owner: c.owner(), Name: asked.Name, Bucket: asked.S3BucketName, KeyPrefix: asked.S3KeyPrefix,
		KMSKeyARN: asked.S3KMSKeyARN, TopicARN: asked.SNSTopicARN,
	}
	if p := asked.ConfigSnapshotDeliveryProperties; p != nil {
		put.Frequency = p.DeliveryFrequency
	}
	if d.o.Snapshots != nil {
		if err := d.o.Settings.CheckChannel(ctx, put); err != nil {
			return nil, err
		}
		if err := d.deliverable(ctx, &put); err != nil {
			return nil, err
		}
	}
	_, err := d.o.Settings.PutChannel(ctx, put)
	return &shape.Empty{}, err
}

func (d *Door) describeDeliveryChannels(ctx context.Context, c Caller, in *shape.DescribeDeliveryChannelsInput) (*shape.DescribeDeliveryChannelsOutput, error) {
	is, err := d.channelAsked(ctx, c, in.DeliveryChannelNames)
	out := &shape.DescribeDeliveryChannelsOutput{}
	if is != nil {
		told := shape.DeliveryChannel{
			Name: is.Name, S3BucketName: is.Bucket, S3KeyPrefix: is.KeyPrefix, S3KMSKeyARN: is.KMSKeyARN, SNSTopicARN: is.TopicARN,
		}
		if is.Frequency != "" {
			told.ConfigSnapshotDeliveryProperties = &shape.ConfigSnapshotDeliveryProperties{DeliveryFrequency: is.Frequency}
		}
		out.DeliveryChannels = []shape.DeliveryChannel{told}
	}
	return out, err
}

func (d *Door) describeDeliveryChannelStatus(ctx context.Context, c Caller, in *shape.DescribeDeliveryChannelStatusInput) (*shape.DescribeDeliveryChannelStatusOutput, error) {
	is, err := d.channelAsked(ctx, c, in.DeliveryChannelNames)
	out := &shape.DescribeDeliveryChannelStatusOutput{}
	if is != nil {
		out.DeliveryChannelsStatus = []shape.DeliveryChannelStatus{{
			Name:                       is.Name,
			ConfigSnapshotDeliveryInfo: toldDelivery(is.Snapshot),
			ConfigHistoryDeliveryInfo:  toldDelivery(is.History),
			ConfigStreamDeliveryInfo:   toldStream(is),
		}}
	}
	return out, err
}

// toldDelivery is empty before the first.
func toldDelivery(went settings.Delivery) *shape.ConfigExportDeliveryInfo {
	return &shape.ConfigExportDeliveryInfo{
		LastStatus: went.Status, LastErrorCode: went.Error, LastErrorMessage: went.Text,
		LastAttemptTime: went.AttemptAt, LastSuccessfulTime: went.SuccessAt, NextDeliveryTime: went.NextAt,
	}
}

// toldStream says NOT_APPLICABLE of what nothing was sent to, since the channel was put.
func toldStream(is *settings.Channel) *shape.ConfigStreamDeliveryInfo {
	went := is.Stream
	if went.Status == "" {
		went.Status, went.ChangedAt = settings.NotApplicable, is.CreatedAt
	}
	return &shape.ConfigStreamDeliveryInfo{
		LastStatus: went.Status, LastErrorCode: went.Error, LastErrorMessage: went.Text, LastStatusChangeTime: went.ChangedAt,
	}
}

// channelAsked is the caller's channel, if it is what he asks for, by names or by
// nothing. nil: there is none, and none was named.
func (d *Door) channelAsked(ctx context.Context, c Caller, names []string) (*settings.Channel, error) {
	is, err := d.o.Settings.Channel(ctx, c.owner())
	missing := errors.Is(err, settings.UnknownChannel)
	if err != nil && !missing {
		return nil, err
	}
	if i := slices.IndexFunc(names, func(name string) bool { return missing || name != is.Name }); i >= 0 {
		return nil, settings.UnknownChannel.Of(names[i])
	}
	if missing {
		return nil, nil
	}
	return &is, nil
}

func (d *Door) deleteDeliveryChannel(ctx context.Context, c Caller, in *shape.DeleteDeliveryChannelInput) (*shape.Empty, error) {
	return &shape.Empty{}, d.o.Settings.DeleteChannel(ctx, c.owner(), in.DeliveryChannelName)
}
