package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/varvehq/varve/cmd/internal/daemon"
)

// A snapshot that is asked for as AWS's tools do lies in the bucket soon.
func TestBuckets(t *testing.T) {
	folder := t.TempDir()
	d, _ := start(t, daemon.Options{Dir: t.TempDir(), AWS: daemon.AWS{Anyone: true, Account: "123456789012"}, Buckets: daemon.Buckets{Folder: folder}})
	c := configservice.New(configservice.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://" + d.HTTPAddr()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("anybody", "secret", ""),
	})
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.PutConfigurationRecorder(ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: &types.ConfigurationRecorder{
		RoleARN: aws.String("arn:aws:iam::123456789012:role/recorder"),
	}})
	must(err)
	_, err = c.PutDeliveryChannel(ctx, &configservice.PutDeliveryChannelInput{DeliveryChannel: &types.DeliveryChannel{S3BucketName: aws.String("audit-bucket")}})
	must(err)
	_, err = c.StartConfigurationRecorder(ctx, &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: aws.String("default")})
	must(err)
	asked, err := c.DeliverConfigSnapshot(ctx, &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: aws.String("default")})
	must(err)
	for {
		status, err := c.DescribeDeliveryChannelStatus(ctx, &configservice.DescribeDeliveryChannelStatusInput{})
		must(err)
		if s := status.DeliveryChannelsStatus[0].ConfigSnapshotDeliveryInfo; s.LastStatus == "SUCCESS" {
			break
		} else if s.LastStatus != "" {
			t.Fatalf("%+v", s)
		}
		time.Sleep(5 * time.Millisecond)
	}
	found, err := filepath.Glob(filepath.Join(folder, "audit-bucket/AWSLogs/123456789012/Config/eu-west-1/*/*/*/ConfigSnapshot/*_"+*asked.ConfigSnapshotId+".json.gz"))
	if err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

// A place that cannot be is told at the start.
func TestBucketsAreRefused(t *testing.T) {
	open := filepath.Join(t.TempDir(), "key")
	must := os.WriteFile(open, []byte("AKIA secret"), 0o644)
	long := keyFile(t, "AKIA secret and more")
	if must != nil {
		t.Fatal(must)
	}
	for name, tt := range map[string]struct {
		buckets daemon.Buckets
		want    string
	}{
		"NoFolder": {daemon.Buckets{Folder: filepath.Join(t.TempDir(), "gone")}, "the folder of buckets"},
		"NoKey":    {daemon.Buckets{Region: "eu-west-1", KeyFile: filepath.Join(t.TempDir(), "gone")}, "the access key of the buckets"},
		"OpenKey":  {daemon.Buckets{Region: "eu-west-1", KeyFile: open}, "chmod 600"},
		"LongKey":  {daemon.Buckets{Region: "eu-west-1", KeyFile: long}, "one line of two words"},
	} {
		err := daemon.New(daemon.Options{Dir: t.TempDir(), GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", Buckets: tt.buckets}).Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret and") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
