package daemon_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/varvehq/varve/cmd/internal/daemon"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// BenchmarkDoor has 64 clients ask the same of 10,000 resources, as AWS's command
// line does, each with connections of its own and every request signed, and over
// gRPC. Beside the time of a call, of all clients together, it tells the 99th
// hundredth of how long they waited. What the clients themselves do, to sign, write
// and read, is in it.
func BenchmarkDoor(b *testing.B) {
	const clients = 64
	d := daemon.New(daemon.Options{
		Dir: b.TempDir(), GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0",
		AWS: daemon.AWS{KeysFile: keyFile(b, oldKey+" "+keySecret+" 123456789012")},
	})
	if err := d.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = d.Stop(context.Background()) })

	native := make([]*grpc.ClientConn, clients)
	tools := make([]*configservice.Client, clients)
	for i := range clients {
		conn, err := grpc.NewClient("passthrough:///"+d.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)))
		if err != nil {
			b.Fatal(err)
		}
		transport := &http.Transport{}
		b.Cleanup(func() {
			_ = conn.Close()
			transport.CloseIdleConnections()
		})
		native[i] = conn
		tools[i] = configservice.New(configservice.Options{
			Region: "eu-west-1", BaseEndpoint: aws.String("http://" + d.HTTPAddr()), RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider(oldKey, keySecret, ""),
			HTTPClient:  &http.Client{Transport: transport},
		})
	}
	for i := range 10 {
		if _, err := varvev1.NewRecorderServiceClient(native[0]).BatchRecord(b.Context(), &varvev1.BatchRecordRequest{Observations: batch(i*1000, 1000)}); err != nil {
			b.Fatal(err)
		}
	}

	typ, account, region := "AWS::EC2::SecurityGroup", "123456789012", "eu-west-1"
	id := func(n int) string { return fmt.Sprintf("sg-%08d", n%10000) }
	for _, call := range []struct {
		name string
		ask  func(ctx context.Context, client, n int) error
	}{
		{"Lookup/GRPC", func(ctx context.Context, client, n int) error {
			_, err := varvev1.NewHistoryServiceClient(native[client]).LookupItem(ctx, &varvev1.LookupItemRequest{Type: typ, Id: id(n), Account: &account, Region: &region})
			return err
		}},
		{"Lookup/AWS", func(ctx context.Context, client, n int) error {
			out, err := tools[client].BatchGetResourceConfig(ctx, &configservice.BatchGetResourceConfigInput{
				ResourceKeys: []types.ResourceKey{{ResourceType: types.ResourceType(typ), ResourceId: aws.String(id(n))}},
			})
			if err == nil && len(out.BaseConfigurationItems) != 1 {
				err = fmt.Errorf("%s was not found", id(n))
			}
			return err
		}},
		{"History/GRPC", func(ctx context.Context, client, n int) error {
			_, err := varvev1.NewHistoryServiceClient(native[client]).ListItemHistory(ctx, &varvev1.ListItemHistoryRequest{Type: typ, Id: id(n), Account: &account, Region: &region, PageSize: 10})
			return err
		}},
		{"History/AWS", func(ctx context.Context, client, n int) error {
			_, err := tools[client].GetResourceConfigHistory(ctx, &configservice.GetResourceConfigHistoryInput{ResourceType: types.ResourceType(typ), ResourceId: aws.String(id(n))})
			return err
		}},
		{"List100/GRPC", func(ctx context.Context, client, _ int) error {
			_, err := varvev1.NewHistoryServiceClient(native[client]).ListItems(ctx, &varvev1.ListItemsRequest{Type: typ, Account: &account, Region: &region, PageSize: 100})
			return err
		}},
		{"List100/AWS", func(ctx context.Context, client, _ int) error {
			_, err := tools[client].ListDiscoveredResources(ctx, &configservice.ListDiscoveredResourcesInput{ResourceType: types.ResourceType(typ)})
			return err
		}},
	} {
		b.Run(call.name, func(b *testing.B) {
			var (
				asked atomic.Int64
				group sync.WaitGroup
				took  [clients][]time.Duration
			)
			for client := range clients {
				group.Go(func() {
					for n := int(asked.Add(1)); n <= b.N; n = int(asked.Add(1)) {
						began := time.Now()
						if err := call.ask(b.Context(), client, n*7919); err != nil {
							b.Error(err)
							return
						}
						took[client] = append(took[client], time.Since(began))
					}
				})
			}
			group.Wait()
			all := slices.Concat(took[:]...)
			slices.Sort(all)
			if len(all) > 0 {
				b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
				b.ReportMetric(float64(len(all))/b.Elapsed().Seconds(), "calls/s")
			}
		})
	}
}
