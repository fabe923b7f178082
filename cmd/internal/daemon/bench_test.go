package daemon_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// document is a configuration of about 2 KiB that differs with n.
func document(n int) []byte {
	var rules []string
	for i := range 20 {
		rules = append(rules, fmt.Sprintf(`{"cidrIp":"10.%d.%d.0/24","description":"rule %d of the group","fromPort":%d,"ipProtocol":"tcp","toPort":%d}`, n%256, i, i, n, n))
	}
	return []byte(`{"groupId":"sg-1","ipPermissions":[` + strings.Join(rules, ",") + `]}`)
}

func batch(from, n int) []*varvev1.Observation {
	list := make([]*varvev1.Observation, n)
	for i := range list {
		list[i] = &varvev1.Observation{
			Key:           &varvev1.ResourceKey{Account: "123456789012", Region: "eu-west-1", Type: "AWS::EC2::SecurityGroup", Id: fmt.Sprintf("sg-%08d", from+i)},
			Configuration: &varvev1.Json{Raw: document(from + i)},
		}
	}
	return list
}

func benchDaemon(b *testing.B) (*daemon.Daemon, *grpc.ClientConn) {
	b.Helper()
	d, conn, stop := startBench(b, nil)
	b.Cleanup(stop)
	return d, conn
}

// startBench starts a daemon on a store, or on an empty one of its own, and
// connects to it.
func startBench(b *testing.B, store history.Store) (d *daemon.Daemon, conn *grpc.ClientConn, stop func()) {
	b.Helper()
	d = daemon.New(daemon.Options{Dir: b.TempDir(), GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", Store: store})
	if err := d.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	conn, err := grpc.NewClient("passthrough:///"+d.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)))
	if err != nil {
		b.Fatal(err)
	}
	return d, conn, func() {
		_ = conn.Close()
		_ = d.Stop(context.Background())
	}
}

// BenchmarkAsk asks a store of 10,000 resources.
func BenchmarkAsk(b *testing.B) {
	d, conn := benchDaemon(b)
	for i := range 10 {
		if _, err := varvev1.NewRecorderServiceClient(conn).BatchRecord(b.Context(), &varvev1.BatchRecordRequest{Observations: batch(i*1000, 1000)}); err != nil {
			b.Fatal(err)
		}
	}
	client := varvev1.NewHistoryServiceClient(conn)
	get := func(b *testing.B, path string) {
		resp, err := http.Get("http://" + d.HTTPAddr() + path)
		if err != nil || resp.StatusCode != 200 {
			b.Fatal(resp, err)
		}
		n, _ := io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		b.SetBytes(n)
	}
	const typ = "AWS::EC2::SecurityGroup"
	b.Run("LookupGRPC", func(b *testing.B) {
		account, region := "123456789012", "eu-west-1"
		for i := 0; b.Loop(); i++ {
			if _, err := client.LookupItem(b.Context(), &varvev1.LookupItemRequest{Type: typ, Id: fmt.Sprintf("sg-%08d", i%10000), Account: &account, Region: &region}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("LookupWithoutAccount", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := client.LookupItem(b.Context(), &varvev1.LookupItemRequest{Type: typ, Id: fmt.Sprintf("sg-%08d", i%10000)}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("LookupHTTP", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			get(b, fmt.Sprintf("/v1/items:lookup?type=%s&id=sg-%08d&account=123456789012&region=eu-west-1", typ, i%10000))
		}
	})
	b.Run("List1000GRPC", func(b *testing.B) {
		for b.Loop() {
			if _, err := client.ListItems(b.Context(), &varvev1.ListItemsRequest{PageSize: 1000}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("List1000HTTP", func(b *testing.B) {
		for b.Loop() {
			get(b, "/v1/items?pageSize=1000")
		}
	})
	b.Run("ExportHTTP", func(b *testing.B) {
		for b.Loop() {
			get(b, "/v1/items:export")
		}
	})
}
