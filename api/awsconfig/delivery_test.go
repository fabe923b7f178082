package awsconfig_test

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/varvehq/varve/history"
)

// TestSnapshot asks for a snapshot and finds it in the bucket.
func TestSnapshot(t *testing.T) {
	w := open(t)
	c, ctx := w.sdk(), t.Context()
	deliver := func() (*configservice.DeliverConfigSnapshotOutput, error) {
		return c.DeliverConfigSnapshot(ctx, &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: aws.String("default")})
	}
	_, err := deliver()
	if code := codeOf(err); code != "NoAvailableConfigurationRecorderException" {
		t.Error(err)
	}
	_, err = c.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{
		RoleARN: aws.String("arn:aws:iam::123456789012:role/recorder"), RecordingGroup: &types.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true},
	}})
	c.must(err)
	_, err = deliver()
	if code := codeOf(err); code != "NoRunningConfigurationRecorderException" {
		t.Error(err)
	}
	_, err = c.PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{DeliveryChannel: &types.DeliveryChannel{S3BucketName: aws.String("audit-bucket")}})
	c.must(err)
	_, err = os.Stat(filepath.Join(w.buckets, "audit-bucket", "AWSLogs", account, "Config", "ConfigWritabilityCheckFile"))
	c.must(err)
	_, err = c.StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: aws.String("default")})
	c.must(err)
	_, err = c.DeliverConfigSnapshot(ctx, &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: aws.String("another")})
	if code := codeOf(err); code != "NoSuchDeliveryChannelException" {
		t.Error(err)
	}

	receipt, err := w.recorder.Record(ctx, history.Batch{Observations: []history.Observation{{
		Key:        history.Key{Account: account, Region: region, Type: "AWS::EC2::Instance", ID: "i-1"},
		CapturedAt: w.clock.moment(), State: history.State{Configuration: []byte(`{"n":1.0}`)},
	}}})
	c.must(err)
	c.must(receipt.Results[0].Err)
	asked, err := deliver()
	c.must(err)
	w.clock.advance(time.Minute)
	c.must(w.snapshot.Deliver(ctx))

	f, err := os.Open(filepath.Join(w.buckets, "audit-bucket", "AWSLogs", account, "Config", region, "2026", "7", "18", "ConfigSnapshot",
		account+"_Config_"+region+"_ConfigSnapshot_20260718T120000Z_"+*asked.ConfigSnapshotId+".json.gz"))
	c.must(err)
	defer func() { _ = f.Close() }()
	unpacked, err := gzip.NewReader(f)
	c.must(err)
	var got struct {
		ConfigSnapshotID   string `json:"configSnapshotId"`
		ConfigurationItems []struct{ Configuration json.RawMessage }
	}
	c.must(json.NewDecoder(unpacked).Decode(&got))
	if got.ConfigSnapshotID != *asked.ConfigSnapshotId || len(got.ConfigurationItems) != 1 || string(got.ConfigurationItems[0].Configuration) != `{"n":1.0}` {
		t.Errorf("%+v", got)
	}

	status, err := c.DescribeDeliveryChannelStatus(ctx, &configservice.DescribeDeliveryChannelStatusInput{})
	c.must(err)
	if s := status.DeliveryChannelsStatus[0].ConfigSnapshotDeliveryInfo; s.LastStatus != "SUCCESS" || !s.LastSuccessfulTime.Equal(w.clock.Now()) {
		t.Errorf("%+v", s)
	}
}
