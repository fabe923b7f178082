package awsconfig_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/varvehq/varve/history"
)

func TestBatchGet(t *testing.T) {
	w := open(t)
	at := w.clock.moment()
	bucket := state(key("AWS::S3::Bucket", "logs"), at, 1)
	bucket.State.Tags = map[string]string{"team": "a"}
	bucket.State.Supplementary = map[string][]byte{
		"BucketPolicy": []byte(`{"policyText":null}`), "BucketTaggingConfiguration": []byte(`{"tagSets":[]}`), "Tags": []byte(`[]`), "tags": []byte(`{}`),
	}
	w.record(bucket, state(key(instances, "i-1"), at, 2), state(key(instances, "gone"), at-1, 3))
	w.record(history.Observation{Key: key(instances, "gone"), CapturedAt: at, State: history.State{Deleted: true}})

	ask := func(typ, id string) types.ResourceKey {
		return types.ResourceKey{ResourceType: types.ResourceType(typ), ResourceId: aws.String(id)}
	}
	out, err := w.client().BatchGetResourceConfig(t.Context(), &configservice.BatchGetResourceConfigInput{ResourceKeys: []types.ResourceKey{
		ask(instances, "i-1"), ask(instances, "gone"), ask(instances, "never"), ask("AWS::S3::Bucket", "logs"), ask(instances, "i-1"), ask("Varve::Rule", "x"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if out.UnprocessedResourceKeys == nil || len(out.UnprocessedResourceKeys) != 0 {
		t.Errorf("unprocessed: %v", out.UnprocessedResourceKeys)
	}
	if len(out.BaseConfigurationItems) != 2 {
		t.Fatalf("%d items: %+v", len(out.BaseConfigurationItems), out.BaseConfigurationItems)
	}
	if it := out.BaseConfigurationItems[0]; aws.ToString(it.ResourceId) != "i-1" || aws.ToString(it.Configuration) != `{"n":2}` || it.ConfigurationItemStatus != "ResourceDiscovered" {
		t.Errorf("%+v", it)
	}
	if s := out.BaseConfigurationItems[1].SupplementaryConfiguration; len(s) != 1 || s["BucketPolicy"] != `{"policyText":null}` {
		t.Errorf("tags are told: %v", s)
	}
	// History has them.
	if it := w.history(configservice.GetResourceConfigHistoryInput{ResourceType: "AWS::S3::Bucket", ResourceId: aws.String("logs")}).ConfigurationItems[0]; len(it.SupplementaryConfiguration) != 4 || it.Tags["team"] != "a" {
		t.Errorf("%+v", it)
	}
}

func TestBatchGetOfAHundred(t *testing.T) {
	w := open(t)
	var list []history.Observation
	in := &configservice.BatchGetResourceConfigInput{}
	for i := range 100 {
		id := fmt.Sprintf("i-%d", i)
		list = append(list, state(key(instances, id), w.clock.moment(), i))
		in.ResourceKeys = append(in.ResourceKeys, types.ResourceKey{ResourceType: instances, ResourceId: aws.String(id)})
	}
	w.record(list...)
	out, err := w.client().BatchGetResourceConfig(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for i, it := range out.BaseConfigurationItems {
		if aws.ToString(it.Configuration) != fmt.Sprintf(`{"n":%d}`, i) {
			t.Errorf("%d: %s", i, *it.Configuration)
		}
	}
	if len(out.BaseConfigurationItems) != 100 {
		t.Errorf("%d items", len(out.BaseConfigurationItems))
	}
}

func TestListDiscoveredResources(t *testing.T) {
	const second = 1_000_000 // AWS's client cuts moments to milliseconds
	for _, tt := range []struct {
		name  string
		in    configservice.ListDiscoveredResourcesInput
		want  int
		pages int
	}{
		{"what lives", configservice.ListDiscoveredResourcesInput{}, 24, 1},
		{"what is gone, too", configservice.ListDiscoveredResourcesInput{IncludeDeletedResources: true}, 25, 1},
		{"by pages of seven", configservice.ListDiscoveredResourcesInput{Limit: 7, IncludeDeletedResources: true}, 25, 4},
		{"by pages that are all full", configservice.ListDiscoveredResourcesInput{Limit: 12}, 24, 2},
		{"by name", configservice.ListDiscoveredResourcesInput{ResourceName: aws.String("web-1"), Limit: 3}, 8, 3},
		{"by ids", configservice.ListDiscoveredResourcesInput{ResourceIds: []string{"i-03", "i-24", "i-02", "i-02", "never"}}, 2, 1},
		{"by ids, with what is gone", configservice.ListDiscoveredResourcesInput{ResourceIds: []string{"i-03", "i-24", "i-02"}, IncludeDeletedResources: true, Limit: 2}, 3, 2},
		{"of a type that nobody has seen", configservice.ListDiscoveredResourcesInput{ResourceType: "AWS::EC2::Volume"}, 0, 1},
		{"of a type of the program's own", configservice.ListDiscoveredResourcesInput{ResourceType: "Varve::Rule"}, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := open(t)
			at := w.clock.moment()
			for i := range 25 {
				o := state(key(instances, fmt.Sprintf("i-%02d", i)), at-10*second, i)
				o.State.Name = fmt.Sprintf("web-%d", i%3)
				if i%2 == 1 {
					o.Key.Region = "global"
				}
				w.record(o)
			}
			gone := history.Observation{Key: key(instances, "i-24"), CapturedAt: at - 5*second, State: history.State{Deleted: true}}
			w.record(gone, state(key("AWS::S3::Bucket", "b"), at, 1))

			if tt.in.ResourceType == "" {
				tt.in.ResourceType = instances
			}
			pages := configservice.NewListDiscoveredResourcesPaginator(w.client(), &tt.in)
			var ids []string
			n := 0
			for ; pages.HasMorePages(); n++ {
				page, err := pages.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.ResourceIdentifiers {
					id := aws.ToString(r.ResourceId)
					ids = append(ids, id)
					deleted := id == "i-24"
					if deleted != (r.ResourceDeletionTime != nil) || deleted && !r.ResourceDeletionTime.Equal(gone.CapturedAt.Time()) {
						t.Errorf("%s: deleted at %v", id, r.ResourceDeletionTime)
					}
					if !deleted && aws.ToString(r.ResourceName) == "" || r.ResourceType != instances {
						t.Errorf("%s: %+v", id, r)
					}
				}
				// Meanwhile others come, and one goes.
				o := state(key(instances, fmt.Sprintf("i-%d-new", n)), at, 1)
				o.State.Name = "web-1"
				w.record(o, history.Observation{Key: key(instances, "i-22"), CapturedAt: at, State: history.State{Deleted: true}})
			}
			slices.Sort(ids)
			if len(slices.Compact(slices.Clone(ids))) != len(ids) || n != tt.pages || len(ids) != tt.want {
				t.Errorf("%d resources in %d pages, want %d in %d: %q", len(ids), n, tt.want, tt.pages, ids)
			}
		})
	}
}

func TestCounts(t *testing.T) {
	counted := func(t *testing.T) *world {
		w := open(t)
		at := w.clock.moment()
		for typ, n := range map[string]int{"T::A": 3, "T::B": 5, "T::C": 3, "T::D": 1} {
			for i := range n {
				k := history.Key{Account: account, Region: []string{region, "global", ""}[i%3], Type: typ, ID: fmt.Sprint(i)}
				w.record(state(k, at, i))
			}
		}
		w.record(
			state(key("T::A", "gone"), at-1, 1), history.Observation{Key: key("T::A", "gone"), CapturedAt: at, State: history.State{Deleted: true}},
			state(history.Key{Account: account, Region: "us-east-1", Type: "T::E", ID: "1"}, at, 1),
		)
		return w
	}
	for _, limit := range []int32{0, 1, 2, 3, 4} {
		t.Run(fmt.Sprintf("by pages of %d", limit), func(t *testing.T) {
			w := counted(t)
			in := &configservice.GetDiscoveredResourceCountsInput{Limit: limit}
			var got []string
			for n := 0; ; n++ {
				out, err := w.client().GetDiscoveredResourceCounts(t.Context(), in)
				if err != nil {
					t.Fatal(err)
				}
				if out.TotalDiscoveredResources != 12 {
					t.Errorf("%d in all", out.TotalDiscoveredResources)
				}
				for _, c := range out.ResourceCounts {
					got = append(got, fmt.Sprint(c.ResourceType, " ", c.Count))
				}
				if in.NextToken = out.NextToken; in.NextToken == nil {
					break
				}
				// What is recorded meanwhile would change the order.
				w.record(state(key("T::D", fmt.Sprintf("new-%d-a", n)), w.clock.moment(), 1), state(key("T::D", fmt.Sprintf("new-%d-b", n)), w.clock.moment(), 1))
			}
			if want := []string{"T::B 5", "T::A 3", "T::C 3", "T::D 1"}; !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
	t.Run("of some types", func(t *testing.T) {
		out, err := counted(t).client().GetDiscoveredResourceCounts(t.Context(), &configservice.GetDiscoveredResourceCountsInput{ResourceTypes: []string{"T::C", "T::D", "T::X"}})
		if err != nil || out.TotalDiscoveredResources != 4 || len(out.ResourceCounts) != 2 {
			t.Errorf("%+v, %v", out, err)
		}
	})
}
