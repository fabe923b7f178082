package awsconfig_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/smithy-go"

	"github.com/varvehq/varve/api/awsconfig"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/settings"
)

const (
	instances = "AWS::EC2::Instance"
	routers   = "Example::Edge::Router"
)

// key is that of a resource of the usual account and region.
func key(typ, id string) history.Key {
	return history.Key{Account: account, Region: region, Type: typ, ID: id}
}

// record takes what other doors record.
func (w *world) record(list ...history.Observation) {
	w.t.Helper()
	receipt, err := w.recorder.Record(w.t.Context(), history.Batch{Observations: list})
	if err != nil {
		w.t.Fatal(err)
	}
	for i, r := range receipt.Results {
		if r.Err != nil {
			w.t.Fatalf("%s: %v", list[i].Key, r.Err)
		}
	}
}

// state is an observation at a moment, with the configuration {"n": n}.
func state(k history.Key, at history.Moment, n int) history.Observation {
	return history.Observation{Key: k, CapturedAt: at, State: history.State{Configuration: fmt.Appendf(nil, `{"n":%d}`, n)}}
}

// running gives the usual owner a recorder that runs.
func (w *world) running(g settings.Group) {
	w.t.Helper()
	ctx, o := w.t.Context(), settings.Owner{Account: account, Region: region}
	_, err := w.settings.PutRecorder(ctx, settings.Recorder{Owner: o, RoleARN: "arn:aws:iam::" + account + ":role/config", Group: g}, nil)
	if err == nil {
		_, err = w.settings.PutChannel(ctx, settings.Channel{Owner: o, Bucket: "bucket"})
	}
	if err == nil {
		err = w.settings.StartRecorder(ctx, o, settings.DefaultName)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// answer posts a request as it stands and returns what comes back.
func (w *world) answer(operation, body string) (int, []byte) {
	w.t.Helper()
	return w.answerTo(account, region, operation, body)
}

func (w *world) answerTo(account, region, operation, body string) (int, []byte) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url, bytes.NewReader([]byte(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "StarlingDoveService."+operation)
	signed(w.t, r, []byte(body), account, region, w.clock.Now())
	answer, err := ownClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, text
}

// signed signs a request with the body.
func signed(t testing.TB, r *http.Request, body []byte, account, region string, now time.Time) {
	t.Helper()
	hash := sha256.Sum256(body)
	err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: account, SecretAccessKey: secret}, r,
		hex.EncodeToString(hash[:]), awsconfig.Service, region, now)
	if err != nil {
		t.Fatal(err)
	}
}

// history asks for one page.
func (w *world) history(in configservice.GetResourceConfigHistoryInput) *configservice.GetResourceConfigHistoryOutput {
	w.t.Helper()
	out, err := w.client().GetResourceConfigHistory(w.t.Context(), &in)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// told are the configurations of items, in their order.
func told(items []types.ConfigurationItem) (list []string) {
	for _, it := range items {
		list = append(list, aws.ToString(it.Configuration))
	}
	return list
}

func TestLifeOfAResourceThatIsPut(t *testing.T) {
	w := open(t)
	w.running(settings.Group{Strategy: settings.AllSupported})
	c, ctx := w.client(), t.Context()
	put := func(configuration string, tags map[string]string) {
		t.Helper()
		w.clock.advance(time.Minute)
		if _, err := c.PutResourceConfig(ctx, &configservice.PutResourceConfigInput{
			ResourceType: aws.String(routers), ResourceId: aws.String("r-1"), ResourceName: aws.String("edge"),
			SchemaVersionId: aws.String("00000001"), Configuration: aws.String(configuration), Tags: tags,
		}); err != nil {
			t.Fatal(err)
		}
	}
	put(`{"b": 1.0, "a": [ ]}`, map[string]string{"team": "edge"})
	put(`{"a":[],"b":1.0}`, map[string]string{"team": "edge"}) // the same
	put(`{"a":[],"b":1}`, nil)
	w.clock.advance(time.Minute)
	gone := w.clock.Now()
	if _, err := c.DeleteResourceConfig(ctx, &configservice.DeleteResourceConfigInput{ResourceType: aws.String(routers), ResourceId: aws.String("r-1")}); err != nil {
		t.Fatal(err)
	}
	put(`{"a":[2]}`, nil)

	out := w.history(configservice.GetResourceConfigHistoryInput{ResourceType: routers, ResourceId: aws.String("r-1"), ChronologicalOrder: types.ChronologicalOrderForward})
	want := []struct {
		status        types.ConfigurationItemStatus
		configuration string
		tags          int
	}{
		{types.ConfigurationItemStatusResourceDiscovered, `{"a":[],"b":1.0}`, 1},
		{types.ConfigurationItemStatusOk, `{"a":[],"b":1}`, 0},
		{types.ConfigurationItemStatusResourceDeleted, "null", 0},
		{types.ConfigurationItemStatusResourceDiscovered, `{"a":[2]}`, 0},
	}
	if len(out.ConfigurationItems) != len(want) {
		t.Fatalf("%d items, want %d: %q", len(out.ConfigurationItems), len(want), told(out.ConfigurationItems))
	}
	for i, it := range out.ConfigurationItems {
		if it.ConfigurationItemStatus != want[i].status || aws.ToString(it.Configuration) != want[i].configuration || len(it.Tags) != want[i].tags {
			t.Errorf("item %d: %s %s %v, want %v", i, it.ConfigurationItemStatus, *it.Configuration, it.Tags, want[i])
		}
		if aws.ToString(it.AccountId) != account || aws.ToString(it.AwsRegion) != region || aws.ToString(it.Version) != "1.3" ||
			aws.ToString(it.ConfigurationItemMD5Hash) != "" || it.ConfigurationItemMD5Hash == nil ||
			aws.ToString(it.ConfigurationStateId) != fmt.Sprint(it.ConfigurationItemCaptureTime.UnixMilli()) {
			t.Errorf("item %d: %+v", i, it)
		}
	}
	if deleted := out.ConfigurationItems[2]; !deleted.ConfigurationItemCaptureTime.Equal(gone) || deleted.Tags == nil || deleted.Relationships == nil || deleted.RelatedEvents == nil {
		t.Errorf("the deletion: %+v", deleted)
	}

	// Other doors see the same, and by whom it was recorded.
	r, err := w.store.AsOf(ctx, history.At{})
	if err != nil {
		t.Fatal(err)
	}
	items, _, err := r.History(ctx, key(routers, "r-1"), history.HistoryQuery{})
	if err != nil || len(items) != 4 {
		t.Fatalf("%d versions, %v", len(items), err)
	}
	if first := items[3]; first.Origin.Source != "awsconfig" || string(first.Origin.Extras) != `{"schemaVersionId":"00000001"}` || first.State.Name != "edge" {
		t.Errorf("%+v", first)
	}
}

func TestExcludedTypesAreNotRecorded(t *testing.T) {
	w := open(t)
	w.running(settings.Group{Strategy: settings.Exclusion, Types: []string{routers}})
	c, ctx := w.client(), t.Context()
	for range 2 { // the second tells nothing new
		w.clock.advance(time.Minute)
		if _, err := c.PutResourceConfig(ctx, &configservice.PutResourceConfigInput{
			ResourceType: aws.String(routers), ResourceId: aws.String("r-1"), ResourceName: aws.String("edge"),
			SchemaVersionId: aws.String("1"), Configuration: aws.String(`{"secret":1}`), Tags: map[string]string{"a": "b"},
		}); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.advance(time.Minute)
	if _, err := c.DeleteResourceConfig(ctx, &configservice.DeleteResourceConfigInput{ResourceType: aws.String(routers), ResourceId: aws.String("r-1")}); err != nil {
		t.Fatal(err)
	}
	items := w.history(configservice.GetResourceConfigHistoryInput{ResourceType: routers, ResourceId: aws.String("r-1")}).ConfigurationItems
	if len(items) != 2 {
		t.Fatalf("%d items", len(items))
	}
	if it := items[0]; it.ConfigurationItemStatus != types.ConfigurationItemStatusResourceDeletedNotRecorded || aws.ToString(it.Configuration) != "null" {
		t.Errorf("%+v", it)
	}
	if it := items[1]; it.ConfigurationItemStatus != types.ConfigurationItemStatusResourceNotRecorded || it.Configuration != nil || it.ResourceName != nil || len(it.Tags) > 0 {
		t.Errorf("%+v", it)
	}
}

// TestItemErrors has every way in which these operations refuse, by AWS's code.
func TestItemErrors(t *testing.T) {
	const (
		validation = "ValidationException"
		put        = "PutResourceConfig"
		del        = "DeleteResourceConfig"
		get        = "GetResourceConfigHistory"
		list       = "ListDiscoveredResources"
		counts     = "GetDiscoveredResourceCounts"
		batch      = "BatchGetResourceConfig"
	)
	ids := func(n int) string {
		return `["x"` + string(bytes.Repeat([]byte(`,"x"`), n-1)) + `]`
	}
	long := string(bytes.Repeat([]byte("x"), 769))
	cases := []struct{ name, operation, body, code, says string }{
		{"history without a type", get, `{"resourceId":"a"}`, validation, "resourceType"},
		{"history without an id", get, `{"resourceType":"T"}`, validation, "resourceId"},
		{"history of an empty id", get, `{"resourceType":"T","resourceId":""}`, validation, "length greater than or equal to 1"},
		{"history of an id that is too long", get, `{"resourceType":"T","resourceId":"` + long + `"}`, validation, "less than or equal to 768"},
		{"history of an empty type", get, `{"resourceType":"","resourceId":"a"}`, validation, "type"},
		{"history in no order", get, `{"resourceType":"T","resourceId":"a","chronologicalOrder":"Sideways"}`, validation, "[Reverse, Forward]"},
		{"history with times the wrong way round", get, `{"resourceType":"T","resourceId":"a","earlierTime":1700000001,"laterTime":1700000000}`, "InvalidTimeRangeException", "earlierTime"},
		{"history from the future on", get, `{"resourceType":"T","resourceId":"a","earlierTime":4000000000}`, "InvalidTimeRangeException", "earlierTime"},
		{"history with a time that is text", get, `{"resourceType":"T","resourceId":"a","earlierTime":"yesterday"}`, "SerializationException", "earlierTime"},
		{"history over the limit", get, `{"resourceType":"T","resourceId":"a","limit":101}`, "InvalidLimitException", "less than or equal to 100"},
		{"history below the limit", get, `{"resourceType":"T","resourceId":"a","limit":-1}`, "InvalidLimitException", "greater than or equal to 0"},
		{"history with a token that is none", get, `{"resourceType":"T","resourceId":"a","nextToken":"x"}`, "InvalidNextTokenException", "nextToken"},
		{"history of what nobody has seen", get, `{"resourceType":"T","resourceId":"a"}`, "ResourceNotDiscoveredException", "Resource a of resourceType:T is unknown or has not been discovered"},
		{"history of what the program keeps for itself", get, `{"resourceType":"Varve::Rule","resourceId":"a"}`, "ResourceNotDiscoveredException", "Varve::Rule"},
		{"a batch of none", batch, `{"resourceKeys":[]}`, validation, "greater than or equal to 1"},
		{"a batch without keys", batch, `{}`, validation, "resourceKeys"},
		{"a batch of more than 100", batch, `{"resourceKeys":[{"resourceType":"T","resourceId":"a"}` + string(bytes.Repeat([]byte(`,{"resourceType":"T","resourceId":"a"}`), 100)) + `]}`, validation, "less than or equal to 100"},
		{"a batch with a key that has no id", batch, `{"resourceKeys":[{"resourceType":"T"}]}`, validation, "resourceId"},
		{"a list of no type", list, `{}`, validation, "resourceType"},
		{"a list of an empty type", list, `{"resourceType":""}`, validation, "type"},
		{"a list by ids and by name", list, `{"resourceType":"T","resourceIds":["a"],"resourceName":"b"}`, validation, "Both"},
		{"a list of more than 20 ids", list, `{"resourceType":"T","resourceIds":` + ids(21) + `}`, validation, "more than 20"},
		{"a list over the limit", list, `{"resourceType":"T","limit":101}`, "InvalidLimitException", "101"},
		{"a list with a token that is none", list, `{"resourceType":"T","nextToken":"AAAA"}`, "InvalidNextTokenException", "nextToken"},
		{"counts over the limit", counts, `{"limit":1000}`, "InvalidLimitException", "1000"},
		{"counts of more than 20 types", counts, `{"resourceTypes":` + ids(21) + `}`, validation, "less than or equal to 20"},
		{"counts with a token that is none", counts, `{"nextToken":"=="}`, "InvalidNextTokenException", "nextToken"},
		{"put without a configuration", put, `{"ResourceType":"Example::A::B","ResourceId":"a","SchemaVersionId":"1"}`, validation, "configuration"},
		{"put without a schema version", put, `{"ResourceType":"Example::A::B","ResourceId":"a","Configuration":"{}"}`, validation, "schemaVersionId"},
		{"put with a schema version that is none", put, `{"ResourceType":"Example::A::B","ResourceId":"a","SchemaVersionId":"1.0","Configuration":"{}"}`, validation, "regular expression"},
		{"put of a list", put, `{"ResourceType":"Example::A::B","ResourceId":"a","SchemaVersionId":"1","Configuration":"[]"}`, validation, "JSON object"},
		{"put of half an object", put, `{"ResourceType":"Example::A::B","ResourceId":"a","SchemaVersionId":"1","Configuration":"{"}`, validation, "JSON object"},
		{"put of an object with a name twice", put, `{"ResourceType":"Example::A::B","ResourceId":"a","SchemaVersionId":"1","Configuration":"{\"a\":1,\"a\":2}"}`, validation, "configuration"},
		{"put of what is too large", put, `{"ResourceType":"Example::A::B","ResourceId":"a","SchemaVersionId":"1","Configuration":"{\"a\":\"` + string(bytes.Repeat([]byte("x"), 64<<10)) + `\"}"}`, validation, "must not exceed 65536"},
		{"put of a type of Amazon's", put, `{"ResourceType":"Amazon::A::B","ResourceId":"a","SchemaVersionId":"1","Configuration":"{}"}`, validation, "organization name"},
		{"put of a type that stands for all", put, `{"ResourceType":"custom::A::B","ResourceId":"a","SchemaVersionId":"1","Configuration":"{}"}`, validation, "organization name"},
		{"put of a type of the program's own", put, `{"ResourceType":"Varve::Rule","ResourceId":"a","SchemaVersionId":"1","Configuration":"{}"}`, validation, "Varve::"},
		{"put of a type that is too long", put, `{"ResourceType":"` + long + `","ResourceId":"a","SchemaVersionId":"1","Configuration":"{}"}`, validation, "less than or equal to 196"},
		{"deletion of what nobody has seen", del, `{"ResourceType":"Example::A::B","ResourceId":"a"}`, validation, "unknown"},
		{"deletion of what is in another region", del, `{"ResourceType":"Example::A::B","ResourceId":"everywhere"}`, validation, "unknown"},
		{"deletion of a type of Amazon's", del, `{"ResourceType":"alexa::A::B","ResourceId":"a"}`, validation, "organization name"},
		{"deletion without an id", del, `{"ResourceType":"Example::A::B"}`, validation, "resourceId"},
	}
	w := openWithItem(t)
	w.running(settings.Group{Strategy: settings.AllSupported})
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) { w.refuses(t, tt.operation, tt.body, tt.code, tt.says) })
	}
	t.Run("without a recorder that runs", func(t *testing.T) {
		w := openWithItem(t)
		for _, tt := range []struct{ operation, body string }{
			{put, `{"ResourceType":"Example::A::B","ResourceId":"a","SchemaVersionId":"1","Configuration":"{}"}`},
			{del, `{"ResourceType":"Example::A::B","ResourceId":"everywhere"}`},
		} {
			w.refuses(t, tt.operation, tt.body, "NoRunningConfigurationRecorderException", "running")
		}
		w.running(settings.Group{Strategy: settings.AllSupported})
		if err := w.settings.StopRecorder(t.Context(), settings.Owner{Account: account, Region: region}, settings.DefaultName); err != nil {
			t.Fatal(err)
		}
		w.refuses(t, put, `{"ResourceType":"Example::A::B","ResourceId":"a","SchemaVersionId":"1","Configuration":"{}"}`, "NoRunningConfigurationRecorderException", "running")
		w.refuses(t, get, `{"resourceType":"T","resourceId":"a"}`, "ResourceNotDiscoveredException", "unknown")
	})
	t.Run("of a fresh account", func(t *testing.T) {
		w := open(t)
		for _, tt := range []struct{ operation, body string }{
			{get, `{"resourceType":"T","resourceId":"a"}`},
			{list, `{"resourceType":"T"}`},
			{batch, `{"resourceKeys":[{"resourceType":"T","resourceId":"a"}]}`},
		} {
			w.refuses(t, tt.operation, tt.body, "NoAvailableConfigurationRecorderException", "recorder")
		}
		if status, text := w.answer(counts, `{}`); status != http.StatusOK || string(text) != `{"totalDiscoveredResources":0,"resourceCounts":[]}` {
			t.Errorf("%d %s", status, text)
		}
	})
}

// openWithItem is a world in which one resource is known, in no particular region.
func openWithItem(t *testing.T) *world {
	w := open(t)
	w.record(state(history.Key{Account: account, Region: "global", Type: "Example::A::B", ID: "everywhere"}, w.clock.moment(), 1))
	return w
}

// refuses asks, bare and through AWS's client where that lets the request out, and
// expects a code of AWS's and a part of what is said.
func (w *world) refuses(t *testing.T, operation, body, code, says string) {
	t.Helper()
	status, text := w.answer(operation, body)
	if status != http.StatusBadRequest || !bytes.Contains(text, []byte(`"__type":"`+code+`"`)) || !bytes.Contains(text, []byte(says)) {
		t.Errorf("%s: %d %s; want %s and %q", operation, status, text, code, says)
	}
	err := asks[operation](t.Context(), w.client(), body)
	var refusal smithy.APIError
	if err == nil || errors.As(err, &refusal) && (refusal.ErrorCode() != code || !strings.Contains(refusal.ErrorMessage(), says)) {
		t.Errorf("%s: AWS's client has %v; want %s and %q", operation, err, code, says)
	}
	if errors.As(err, new(*smithy.GenericAPIError)) && slices.Contains(modelled, code) {
		t.Errorf("%s: AWS's client knows %s, but not in %v", operation, code, err)
	}
}

// modelled are errors that have a type of their own in AWS's client.
var modelled = []string{
	"ValidationException", "InvalidLimitException", "InvalidNextTokenException", "InvalidTimeRangeException", "ResourceNotDiscoveredException",
	"NoAvailableConfigurationRecorderException", "NoRunningConfigurationRecorderException",
}

// asks are the operations on items, of AWS's client.
var asks = map[string]func(context.Context, *configservice.Client, string) error{
	"GetResourceConfigHistory":    asking((*configservice.Client).GetResourceConfigHistory),
	"BatchGetResourceConfig":      asking((*configservice.Client).BatchGetResourceConfig),
	"ListDiscoveredResources":     asking((*configservice.Client).ListDiscoveredResources),
	"GetDiscoveredResourceCounts": asking((*configservice.Client).GetDiscoveredResourceCounts),
	"PutResourceConfig":           asking((*configservice.Client).PutResourceConfig),
	"DeleteResourceConfig":        asking((*configservice.Client).DeleteResourceConfig),
}

// asking asks with an input of which the members are given as JSON. It fails, too,
// with what the client cannot be given.
func asking[In, Out any](call func(*configservice.Client, context.Context, *In, ...func(*configservice.Options)) (*Out, error)) func(context.Context, *configservice.Client, string) error {
	return func(ctx context.Context, c *configservice.Client, body string) error {
		var in In
		if err := json.Unmarshal([]byte(body), &in); err != nil {
			return err
		}
		_, err := call(c, ctx, &in)
		return err
	}
}
