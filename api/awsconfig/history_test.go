package awsconfig_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/settings"
)

// numbers are {"n": i} for i from one to another, up or down.
func numbers(from, to int) (list []string) {
	for i := from; ; i += sign(to - from) {
		list = append(list, fmt.Sprintf(`{"n":%d}`, i))
		if i == to {
			return list
		}
	}
}

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

// A client that turns pages sees one moment, whatever is recorded meanwhile.
func TestHistoryPages(t *testing.T) {
	const versions = 57
	for _, tt := range []struct {
		order types.ChronologicalOrder
		limit int32
		pages []int
		want  []string
	}{
		{"", 0, []int{10, 10, 10, 10, 10, 7}, numbers(versions, 1)},
		{types.ChronologicalOrderReverse, 30, []int{30, 27}, numbers(versions, 1)},
		{types.ChronologicalOrderForward, 20, []int{20, 20, 17}, numbers(1, versions)},
		{types.ChronologicalOrderForward, 57, []int{57}, numbers(1, versions)},
		{types.ChronologicalOrderForward, 0, []int{10, 10, 10, 10, 10, 7}, numbers(1, versions)},
	} {
		t.Run(fmt.Sprintf("%s by %d", tt.order, tt.limit), func(t *testing.T) {
			w := open(t)
			k, noon := key(instances, "i-1"), w.clock.moment()
			for i := versions; i >= 1; i-- { // the order in which they are learned does not matter
				// Every third moment has two versions.
				at := noon - history.Moment(versions-i)*60_000_000
				if i%3 == 0 {
					w.record(state(k, at+60_000_000, i))
					continue
				}
				w.record(state(k, at, i))
			}
			pages := configservice.NewGetResourceConfigHistoryPaginator(w.client(), &configservice.GetResourceConfigHistoryInput{
				ResourceType: instances, ResourceId: aws.String("i-1"), ChronologicalOrder: tt.order, Limit: tt.limit,
			})
			var items []types.ConfigurationItem
			var lengths []int
			for n := 1; pages.HasMorePages(); n++ {
				page, err := pages.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				items = append(items, page.ConfigurationItems...)
				lengths = append(lengths, len(page.ConfigurationItems))
				w.record(state(k, noon-history.Moment(n)*90_000_000-1, 1000+n), state(k, noon+history.Moment(n), 2000+n))
			}
			if !slices.Equal(lengths, tt.pages) {
				t.Errorf("pages of %v, want %v", lengths, tt.pages)
			}
			got := told(items)
			sorted := slices.IsSortedFunc(items, func(a, b types.ConfigurationItem) int {
				n := a.ConfigurationItemCaptureTime.Compare(*b.ConfigurationItemCaptureTime)
				if tt.order != types.ChronologicalOrderForward {
					n = -n
				}
				return n
			})
			if !sorted {
				t.Errorf("out of order: %q", got)
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(tt.want))
			if !slices.Equal(got, want) {
				t.Errorf("%q, want each of %q once", got, want)
			}
		})
	}
}

// Both orders tell the same, also of several versions of one moment.
func TestForwardIsReverseTurnedRound(t *testing.T) {
	w := open(t)
	k, noon := key(instances, "i-1"), w.clock.moment()
	for i := range 9 {
		w.record(state(k, noon-history.Moment(i/3)*1000, i))
	}
	in := configservice.GetResourceConfigHistoryInput{ResourceType: instances, ResourceId: aws.String("i-1")}
	reverse := told(w.history(in).ConfigurationItems)
	in.ChronologicalOrder, in.Limit = types.ChronologicalOrderForward, 2
	var forward []string
	for {
		out := w.history(in)
		forward = append(forward, told(out.ConfigurationItems)...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	slices.Reverse(forward)
	if !slices.Equal(forward, reverse) || len(reverse) != 9 {
		t.Errorf("forward, turned round, %q\nreverse %q", forward, reverse)
	}
}

func TestHistoryInARangeOfTime(t *testing.T) {
	w := open(t)
	k, noon := key(instances, "i-1"), w.clock.Now()
	minute := func(n int) time.Time { return noon.Add(time.Duration(n-10) * time.Minute) }
	for i := range 10 {
		w.record(state(k, history.MomentOf(minute(i)), i))
	}
	for _, tt := range []struct {
		name           string
		earlier, later *time.Time
		want           []string
	}{
		{"both ends belong to it", aws.Time(minute(2)), aws.Time(minute(4)), numbers(4, 2)},
		{"up to a microsecond before", aws.Time(minute(2)), aws.Time(minute(4).Add(-time.Microsecond)), numbers(3, 2)},
		{"without a beginning", nil, aws.Time(minute(1)), numbers(1, 0)},
		{"without an end", aws.Time(minute(8)), nil, numbers(9, 8)},
		{"one moment", aws.Time(minute(5)), aws.Time(minute(5)), numbers(5, 5)},
		{"nothing in it", aws.Time(minute(5).Add(time.Second)), aws.Time(minute(5).Add(2 * time.Second)), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, order := range []types.ChronologicalOrder{types.ChronologicalOrderReverse, types.ChronologicalOrderForward} {
				got := told(w.history(configservice.GetResourceConfigHistoryInput{
					ResourceType: instances, ResourceId: aws.String("i-1"), EarlierTime: tt.earlier, LaterTime: tt.later, ChronologicalOrder: order,
				}).ConfigurationItems)
				if order == types.ChronologicalOrderForward {
					slices.Reverse(got)
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("%s: %q, want %q", order, got, tt.want)
				}
			}
		})
	}
}

// The retention period hides what was over before it began.
func TestRetentionHidesHistory(t *testing.T) {
	const days = 30
	w := open(t)
	owner := settings.Owner{Account: account, Region: region}
	k := key(instances, "i-1")
	ago := func(d int) history.Moment { return history.MomentOf(w.clock.Now().AddDate(0, 0, -d)) }
	for i, d := range []int{90, 60, 40, 20, 10} {
		w.record(state(k, ago(d), i))
	}
	w.record(state(key(instances, "old"), ago(2000), 7), state(key(instances, "old"), ago(3000), 6))
	ask := func(id string, order types.ChronologicalOrder) []string {
		return told(w.history(configservice.GetResourceConfigHistoryInput{ResourceType: instances, ResourceId: aws.String(id), ChronologicalOrder: order}).ConfigurationItems)
	}
	if got := ask("i-1", ""); !slices.Equal(got, numbers(4, 0)) {
		t.Errorf("by default %q", got)
	}
	if got := ask("old", ""); !slices.Equal(got, numbers(7, 6)) {
		t.Errorf("by default, what stood seven years ago: %q", got)
	}
	if err := w.settings.PutRetention(t.Context(), owner, days); err != nil {
		t.Fatal(err)
	}
	if got := ask("i-1", ""); !slices.Equal(got, numbers(4, 2)) {
		t.Errorf("of %d days %q, want what stood at their beginning and what came later", days, got)
	}
	if got := ask("i-1", types.ChronologicalOrderForward); !slices.Equal(got, numbers(2, 4)) {
		t.Errorf("of %d days, forward, %q", days, got)
	}
	if got := ask("old", ""); !slices.Equal(got, numbers(7, 7)) {
		t.Errorf("the present state: %q", got)
	}
}

// One type and id may be the name of several resources.
func TestTheNearestResourceIsMeant(t *testing.T) {
	w := open(t)
	at := w.clock.moment()
	others := []history.Key{{Account: "999999999999", Region: region}, {Account: account, Region: "us-east-1"}}
	places := []history.Key{ // from the farthest to the nearest
		{}, {Region: "global"}, {Region: region}, {Account: account}, {Account: account, Region: "global"}, {Account: account, Region: region},
	}
	for i := range others {
		others[i].Type, others[i].ID = instances, "i-1"
		w.record(state(others[i], at, -1))
	}
	asked := []types.ResourceKey{{ResourceType: instances, ResourceId: aws.String("i-1")}}
	ctx, c := t.Context(), w.client()
	batch, err := c.BatchGetResourceConfig(ctx, &configservice.BatchGetResourceConfigInput{ResourceKeys: asked})
	if err == nil {
		t.Errorf("resources of others are told: %+v", batch)
	}
	for i, k := range places {
		k.Type, k.ID = instances, "i-1"
		w.record(state(k, at, i))
		want := fmt.Sprintf(`{"n":%d}`, i)
		if got := told(w.history(configservice.GetResourceConfigHistoryInput{ResourceType: instances, ResourceId: aws.String("i-1")}).ConfigurationItems); !slices.Equal(got, []string{want}) {
			t.Errorf("history %q, want that of %+v", got, k)
		}
		batch, err := c.BatchGetResourceConfig(ctx, &configservice.BatchGetResourceConfigInput{ResourceKeys: asked})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(batch.BaseConfigurationItems); n != 1 || aws.ToString(batch.BaseConfigurationItems[0].Configuration) != want {
			t.Errorf("batch of %d: %+v, want that of %+v", n, batch.BaseConfigurationItems, k)
		}
		// The inventory has each of them.
		list, err := c.ListDiscoveredResources(ctx, &configservice.ListDiscoveredResourcesInput{ResourceType: instances})
		if err != nil || len(list.ResourceIdentifiers) != i+1 {
			t.Errorf("%v, %v; want %d", list, err, i+1)
		}
		counts, err := c.GetDiscoveredResourceCounts(ctx, &configservice.GetDiscoveredResourceCountsInput{})
		if err != nil || counts.TotalDiscoveredResources != int64(i+1) {
			t.Errorf("%v, %v; want %d", counts, err, i+1)
		}
	}
}

// What nobody declared is what AWS Config would have, in its spelling.
func TestRelationshipsAreTold(t *testing.T) {
	w := open(t)
	at := w.clock.moment()
	configuration := []byte(`{"securityGroups":[{"groupId":"sg-1"}],"subnetId":"subnet-1"}`)
	seen := []types.Relationship{
		{RelationshipName: aws.String("Is associated with SecurityGroup"), ResourceType: "AWS::EC2::SecurityGroup", ResourceId: aws.String("sg-1")},
		{RelationshipName: aws.String("Is contained in Subnet"), ResourceType: "AWS::EC2::Subnet", ResourceId: aws.String("subnet-1")},
	}
	for id, tt := range map[string]struct {
		o    history.Observation
		want []types.Relationship
	}{
		"native":        {history.Observation{}, seen},
		"from AWS":      {history.Observation{Origin: history.Origin{Extras: []byte(`{"configurationStateId":1}`)}}, nil},
		"declares some": {history.Observation{State: history.State{Relationships: []history.Relationship{{Name: "Is attached to ", Type: "X", ResourceName: "x"}}}}, []types.Relationship{{RelationshipName: aws.String("Is attached to "), ResourceType: "X", ResourceName: aws.String("x")}}},
	} {
		t.Run(id, func(t *testing.T) {
			o := tt.o
			o.Key, o.CapturedAt, o.State.Configuration = key(instances, id), at, configuration
			w.record(o)
			got := w.history(configservice.GetResourceConfigHistoryInput{ResourceType: instances, ResourceId: aws.String(id)}).ConfigurationItems[0].Relationships
			if !slices.EqualFunc(got, tt.want, func(a, b types.Relationship) bool {
				return aws.ToString(a.RelationshipName) == aws.ToString(b.RelationshipName) && a.ResourceType == b.ResourceType &&
					aws.ToString(a.ResourceId) == aws.ToString(b.ResourceId) && aws.ToString(a.ResourceName) == aws.ToString(b.ResourceName)
			}) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
