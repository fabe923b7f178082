package awsconfig_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/varvehq/varve/history"
)

// complianceOf are the compliance items of a resource, page by page, the oldest first.
func (c sdk) complianceOf(id string) (list []types.ConfigurationItem, err error) {
	pages := configservice.NewGetResourceConfigHistoryPaginator(c.Client, &configservice.GetResourceConfigHistoryInput{
		ResourceType: "AWS::Config::ResourceCompliance", ResourceId: &id, ChronologicalOrder: types.ChronologicalOrderForward, Limit: 2,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, page.ConfigurationItems...)
	}
	return list, nil
}

// A compliance timeline is the history of an item.
func TestComplianceItems(t *testing.T) {
	w := open(t)
	sg := key(groups, "sg-1")
	w.group(sg, 22)
	c := w.sdk()
	w.clock.advance(time.Minute)
	c.must(c.putRule(managedRule("ssh", "INCOMING_SSH_DISABLED")))
	w.settle()
	putAt := w.clock.Now()
	w.clock.advance(time.Minute)
	c.must(c.putRule(celRule("fine", "true", groups)))
	w.settle()
	w.clock.advance(time.Minute)
	w.group(sg, 80)
	w.settle()
	w.clock.advance(time.Minute)
	w.record(history.Observation{Key: sg, State: history.State{Deleted: true}})
	w.settle()

	list, err := c.complianceOf(groups + "/sg-1")
	c.must(err)
	type document struct {
		ComplianceType, TargetResourceId, TargetResourceType string
		ConfigRuleList                                       []struct{ ConfigRuleName, ConfigRuleArn, ConfigRuleId, ComplianceType string }
	}
	var got []string
	for _, i := range list {
		text := string(i.ConfigurationItemStatus)
		if *i.Configuration != "null" {
			var d document
			c.must(json.Unmarshal([]byte(*i.Configuration), &d))
			text += " " + d.ComplianceType
			for _, r := range d.ConfigRuleList {
				text += " " + r.ConfigRuleName + "=" + r.ComplianceType
				if is := c.rule(r.ConfigRuleName); r.ConfigRuleArn != *is.ConfigRuleArn || r.ConfigRuleId != *is.ConfigRuleId {
					t.Errorf("%+v", r)
				}
			}
			if d.TargetResourceId != "sg-1" || d.TargetResourceType != groups {
				t.Errorf("%+v", d)
			}
			if len(i.Relationships) != 1 || *i.Relationships[0].RelationshipName != "Is associated with " || *i.Relationships[0].ResourceId != "sg-1" {
				t.Errorf("%+v", i.Relationships)
			}
		}
		got = append(got, text)
	}
	want := []string{
		"ResourceDiscovered NON_COMPLIANT ssh=NON_COMPLIANT", "OK NON_COMPLIANT fine=COMPLIANT ssh=NON_COMPLIANT",
		"OK COMPLIANT fine=COMPLIANT ssh=COMPLIANT", "ResourceDeleted",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if first := list[0]; !first.ConfigurationItemCaptureTime.Equal(putAt) || *first.AccountId != account || *first.AwsRegion != region || *first.ResourceId != groups+"/sg-1" {
		t.Errorf("%+v", first)
	}

	t.Run("Unknown", func(t *testing.T) {
		var unknown *types.ResourceNotDiscoveredException
		for _, id := range []string{groups + "/sg-2", "nonsense"} {
			if _, err := c.complianceOf(id); !errors.As(err, &unknown) {
				t.Error(err)
			}
		}
	})
	t.Run("NotOfOthers", func(t *testing.T) {
		other := sdk{w.clientOf("999999999999", region), t, t.Context()}
		w.record(state(history.Key{Account: "999999999999", Region: region, Type: "T", ID: "x"}, w.clock.moment(), 1))
		if _, err := other.complianceOf(groups + "/sg-1"); codeOf(err) != "ResourceNotDiscoveredException" {
			t.Error(err)
		}
	})
	t.Run("Listed", func(t *testing.T) {
		var want []string
		for i := range 5 {
			w.group(key(groups, fmt.Sprint("sg-", 10+i)), 22)
			want = append(want, fmt.Sprint(groups, "/sg-", 10+i))
		}
		w.group(history.Key{Account: account, Region: "global", Type: groups, ID: "sg-20"}, 22)
		w.record(state(key(buckets, "no-rule-is-about-it"), w.clock.moment(), 1))
		want = append(want, groups+"/sg-20")
		w.settle()
		var ids []string
		pages := configservice.NewListDiscoveredResourcesPaginator(c.Client, &configservice.ListDiscoveredResourcesInput{ResourceType: "AWS::Config::ResourceCompliance", Limit: 2})
		for pages.HasMorePages() {
			page, err := pages.NextPage(c.ctx)
			c.must(err)
			for _, r := range page.ResourceIdentifiers {
				ids = append(ids, *r.ResourceId)
			}
		}
		if !slices.Equal(ids, want) {
			t.Errorf("%v; want %v", ids, want)
		}
	})
	t.Run("InABatch", func(t *testing.T) {
		out, err := c.BatchGetResourceConfig(c.ctx, &configservice.BatchGetResourceConfigInput{ResourceKeys: []types.ResourceKey{
			{ResourceType: "AWS::Config::ResourceCompliance", ResourceId: aws.String(groups + "/sg-10")}, {ResourceType: groups, ResourceId: aws.String("sg-10")},
		}})
		c.must(err)
		if len(out.BaseConfigurationItems) != 2 || !strings.Contains(*out.BaseConfigurationItems[0].Configuration, `"complianceType":"NON_COMPLIANT"`) {
			t.Errorf("%+v", out.BaseConfigurationItems)
		}
	})
	t.Run("RecordedOnesAreTold", func(t *testing.T) {
		k := key("AWS::Config::ResourceCompliance", groups+"/sg-10")
		w.record(state(k, w.clock.moment(), 7))
		list, err := c.complianceOf(k.ID)
		c.must(err)
		if len(list) != 1 || *list[0].Configuration != `{"n":7}` {
			t.Errorf("%+v", list)
		}
	})
}
