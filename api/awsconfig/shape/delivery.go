package shape

import "github.com/varvehq/varve/history"

type DeleteDeliveryChannelInput struct {
	DeliveryChannelName string `aws:"DeliveryChannelName,required" check:"len=1..256"`
}

type DeliverConfigSnapshotInput struct {
	DeliveryChannelName string `aws:"deliveryChannelName,required" check:"len=1..256"`
}

type DeliverConfigSnapshotOutput struct {
	ConfigSnapshotID string `aws:"configSnapshotId"`
}

type DescribeDeliveryChannelStatusInput struct {
	DeliveryChannelNames []string `aws:"DeliveryChannelNames" check:"each.len=1..256"`
}

type DescribeDeliveryChannelStatusOutput struct {
	DeliveryChannelsStatus []DeliveryChannelStatus `aws:"DeliveryChannelsStatus,always"`
}

type DeliveryChannelStatus struct {
	Name                       string                    `aws:"name"`
	ConfigSnapshotDeliveryInfo *ConfigExportDeliveryInfo `aws:"configSnapshotDeliveryInfo"`
	ConfigHistoryDeliveryInfo  *ConfigExportDeliveryInfo `aws:"configHistoryDeliveryInfo"`
	ConfigStreamDeliveryInfo   *ConfigStreamDeliveryInfo `aws:"configStreamDeliveryInfo"`
}

type ConfigExportDeliveryInfo struct {
	LastStatus         string         `aws:"lastStatus"`
	LastErrorCode      string         `aws:"lastErrorCode"`
	LastErrorMessage   string         `aws:"lastErrorMessage"`
	LastAttemptTime    history.Moment `aws:"lastAttemptTime"`
	LastSuccessfulTime history.Moment `aws:"lastSuccessfulTime"`
	NextDeliveryTime   history.Moment `aws:"nextDeliveryTime"`
}

type ConfigStreamDeliveryInfo struct {
	LastStatus           string         `aws:"lastStatus"`
	LastErrorCode        string         `aws:"lastErrorCode"`
	LastErrorMessage     string         `aws:"lastErrorMessage"`
	LastStatusChangeTime history.Moment `aws:"lastStatusChangeTime"`
}

type DescribeDeliveryChannelsInput struct {
	DeliveryChannelNames []string `aws:"DeliveryChannelNames" check:"each.len=1..256"`
}

type DescribeDeliveryChannelsOutput struct {
	DeliveryChannels []DeliveryChannel `aws:"DeliveryChannels,always"`
}

type DeliveryChannel struct {
	Name                             string                            `aws:"name" check:"len=1..256"`
	S3BucketName                     string                            `aws:"s3BucketName"`
	S3KeyPrefix                      string                            `aws:"s3KeyPrefix"`
	S3KMSKeyARN                      string                            `aws:"s3KmsKeyArn"`
	SNSTopicARN                      string                            `aws:"snsTopicARN"`
	ConfigSnapshotDeliveryProperties *ConfigSnapshotDeliveryProperties `aws:"configSnapshotDeliveryProperties"`
}

type ConfigSnapshotDeliveryProperties struct {
	DeliveryFrequency string `aws:"deliveryFrequency" check:"enum=One_Hour|Three_Hours|Six_Hours|Twelve_Hours|TwentyFour_Hours"`
}

type PutDeliveryChannelInput struct {
	DeliveryChannel *DeliveryChannel `aws:"DeliveryChannel,required"`
}
