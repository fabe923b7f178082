package awsconfig_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/varvehq/varve/api/server"
	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/settings"
)

// What comes in by one door goes out by the other, to the digit.
func TestBothDoorsTellTheSame(t *testing.T) {
	w, ctx := open(t), t.Context()
	w.running(settings.Group{Strategy: settings.AllSupported})
	grpc := server.New(w.store, w.recorder, server.Options{})
	conn, err := grpc.Connect(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { grpc.Stop(t.Context()) })
	t.Cleanup(func() { _ = conn.Close() })

	const configuration = `{"":1E+2,"a key":"é\n","big":12345678901234567890,"huge":1e400,"one":1.0,"text":"{\"a\":1}"}`
	recorded, put := key(routers, "recorded"), key(routers, "put")
	answer, err := varvev1.NewRecorderServiceClient(conn).BatchRecord(ctx, &varvev1.BatchRecordRequest{Observations: []*varvev1.Observation{{
		Key: wire.KeyToProto(recorded), Configuration: wire.JSONToProto([]byte(configuration)), Name: "edge",
	}}})
	if err != nil || answer.GetResults()[0].GetError() != nil {
		t.Fatal(answer, err)
	}
	if _, err := w.client().PutResourceConfig(ctx, &configservice.PutResourceConfigInput{
		ResourceType: &put.Type, ResourceId: &put.ID, ResourceName: aws.String("edge"), SchemaVersionId: aws.String("1"), Configuration: aws.String(configuration),
	}); err != nil {
		t.Fatal(err)
	}
	for _, k := range []history.Key{recorded, put} {
		native, err := varvev1.NewHistoryServiceClient(conn).LookupItem(ctx, &varvev1.LookupItemRequest{Type: k.Type, Id: k.ID, Account: &k.Account, Region: &k.Region})
		if err != nil {
			t.Fatal(err)
		}
		here := w.history(configservice.GetResourceConfigHistoryInput{ResourceType: types.ResourceType(k.Type), ResourceId: &k.ID}).ConfigurationItems[0]
		if got := string(native.GetConfiguration().GetRaw()); got != aws.ToString(here.Configuration) || got != configuration {
			t.Errorf("%s: gRPC %s, here %s, want %s", k.ID, got, *here.Configuration, configuration)
		}
		if aws.ToString(here.ResourceName) != native.GetName() || !here.ConfigurationItemCaptureTime.Equal(native.GetCapturedAt().AsTime()) || string(here.ConfigurationItemStatus) != native.GetStatus() {
			t.Errorf("%+v, gRPC %v", here, native)
		}
	}
}

// A batch that would be too large is answered in parts.
func TestLargeBatchesLeaveKeysUnprocessed(t *testing.T) {
	const resources = 40
	w := open(t)
	var keys []types.ResourceKey
	for i := range resources {
		o := state(key(instances, fmt.Sprint(i)), w.clock.moment(), i)
		o.State.Configuration = fmt.Appendf(nil, `{"filler":%q}`, strings.Repeat("x", 1<<20))
		w.record(o)
		keys = append(keys, types.ResourceKey{ResourceType: instances, ResourceId: aws.String(fmt.Sprint(i))})
	}
	var got []string
	answers := 0
	for ; len(keys) > 0; answers++ {
		out, err := w.client().BatchGetResourceConfig(t.Context(), &configservice.BatchGetResourceConfigInput{ResourceKeys: keys})
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range out.BaseConfigurationItems {
			got = append(got, aws.ToString(it.ResourceId))
		}
		if keys = out.UnprocessedResourceKeys; len(out.BaseConfigurationItems) == 0 {
			t.Fatalf("nothing was answered, and %d left", len(keys))
		}
	}
	if len(got) != resources || answers < 2 || answers > 4 {
		t.Errorf("%d items in %d answers: %v", len(got), answers, got)
	}
}

// What was forgotten between two pages is not told, and nothing is told twice.
func TestPagesOfWhatIsForgotten(t *testing.T) {
	w := open(t)
	k, noon := key(instances, "i-1"), w.clock.moment()
	for i := range 10 {
		w.record(state(k, noon-history.Moment(10-i)*60_000_000, i))
	}
	in := configservice.GetResourceConfigHistoryInput{ResourceType: instances, ResourceId: aws.String("i-1"), Limit: 3}
	in.NextToken = w.history(in).NextToken
	if err := w.store.Erase(t.Context(), k, 10); err != nil { // the newest
		t.Fatal(err)
	}
	w.clock.advance(time.Hour)
	if _, err := w.store.Prune(t.Context(), history.PruneRequest{Floor: noon + 1}); err != nil {
		t.Fatal(err)
	}
	w.refuses(t, "GetResourceConfigHistory", `{"resourceType":"AWS::EC2::Instance","resourceId":"i-1","limit":3,"nextToken":"`+*in.NextToken+`"}`, "InvalidNextTokenException", "not kept")
	in.NextToken = nil
	items := w.history(in).ConfigurationItems
	if len(items) != 1 || items[0].Configuration != nil || items[0].ConfigurationItemStatus != types.ConfigurationItemStatusOk {
		t.Errorf("what is left is the erased version that stands: %+v", items)
	}
}
