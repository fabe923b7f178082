package awsconfig_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/api/awsconfig"
	"github.com/varvehq/varve/api/awsconfig/sigv4"
	"github.com/varvehq/varve/api/server"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/recorder/settings"
)

// BenchmarkItems asks the same of this door and of gRPC, both without a network,
// of a store with 5,000 instances and one of them with 200 versions. gRPC has no
// batch by ids: its page of 100 items, all in one place of the store, is the least
// that a batch of 100 can take, its lookups one by one the most.
func BenchmarkItems(b *testing.B) {
	const resources, versions = 5000, 200
	store, err := bolt.Open(b.TempDir(), bolt.Options{Linker: graph.NewLinker(), NoSync: true, MergeRecords: 500})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	take := recorder.New(store, recorder.Options{})
	noon := history.MomentOf(time.Now().Add(-time.Hour))
	var list []history.Observation
	flush := func() {
		if _, err := take.Record(b.Context(), history.Batch{Observations: list}); err != nil {
			b.Fatal(err)
		}
		list = list[:0]
	}
	observe := func(i, version int) {
		list = append(list, history.Observation{Key: key(instances, fmt.Sprintf("i-%05d", i)), CapturedAt: noon + history.Moment(version), State: history.State{
			ARN: "arn:aws:ec2:eu-west-1:123456789012:instance/i", Tags: map[string]string{"team": "shop", "n": fmt.Sprint(version)},
			Configuration: fmt.Appendf(nil, `{"instanceId":"i-%05d","version":%d,"subnetId":"subnet-1","vpcId":"vpc-1","securityGroups":[{"groupId":"sg-1","groupName":"web"}],"filler":%q}`,
				i, version, strings.Repeat("lorem ipsum ", 120)),
		}})
		if len(list) == 500 {
			flush()
		}
	}
	for i := range resources {
		observe(i, 0)
	}
	for v := range versions {
		observe(17, v+1)
	}
	flush()

	door := awsconfig.New(awsconfig.Options{
		Store: store, Recorder: take, Settings: settings.New(store, time.Now), Authenticate: awsconfig.Signed(&sigv4.Verifier{Service: awsconfig.Service, Find: keys, Now: time.Now}),
	})
	ask := func(b *testing.B, operation, body string) {
		b.Helper()
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "StarlingDoveService."+operation)
		signed(b, r, []byte(body), account, region, time.Now())
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.Len() < 1000 {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	grpc := server.New(store, take, server.Options{})
	conn, err := grpc.Connect(nil)
	if err != nil {
		b.Fatal(err)
	}
	defer grpc.Stop(b.Context())
	defer func() { _ = conn.Close() }()
	client := varvev1.NewHistoryServiceClient(conn)

	b.Run("history=10/door=aws", func(b *testing.B) {
		for b.Loop() {
			ask(b, "GetResourceConfigHistory", `{"resourceType":"AWS::EC2::Instance","resourceId":"i-00017"}`)
		}
	})
	b.Run("history=10/door=aws,forward", func(b *testing.B) {
		for b.Loop() {
			ask(b, "GetResourceConfigHistory", `{"resourceType":"AWS::EC2::Instance","resourceId":"i-00017","chronologicalOrder":"Forward"}`)
		}
	})
	b.Run("history=10/door=grpc", func(b *testing.B) {
		for b.Loop() {
			out, err := client.ListItemHistory(b.Context(), &varvev1.ListItemHistoryRequest{Type: instances, Id: "i-00017", PageSize: 10})
			if err != nil || len(out.GetItems()) != 10 {
				b.Fatal(out, err)
			}
		}
	})
	var keys []string
	for i := range 100 {
		keys = append(keys, fmt.Sprintf(`{"resourceType":"AWS::EC2::Instance","resourceId":"i-%05d"}`, i*37))
	}
	batch := `{"resourceKeys":[` + strings.Join(keys, ",") + `]}`
	b.Run("batch=100/door=aws", func(b *testing.B) {
		for b.Loop() {
			ask(b, "BatchGetResourceConfig", batch)
		}
	})
	b.Run("batch=100/door=grpc,page", func(b *testing.B) {
		for b.Loop() {
			out, err := client.ListItems(b.Context(), &varvev1.ListItemsRequest{Type: instances, PageSize: 100})
			if err != nil || len(out.GetItems()) != 100 {
				b.Fatal(out, err)
			}
		}
	})
	b.Run("batch=100/door=grpc,lookups", func(b *testing.B) {
		for b.Loop() {
			for i := range 100 {
				if _, err := client.LookupItem(b.Context(), &varvev1.LookupItemRequest{Type: instances, Id: fmt.Sprintf("i-%05d", i*37)}); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
