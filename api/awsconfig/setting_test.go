package awsconfig_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varvehq/varve/api/awsconfig"
	"github.com/varvehq/varve/api/awsconfig/sigv4"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/recorder/delivery/snapshot"
	"github.com/varvehq/varve/recorder/settings"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/recorded"
)

const role = "arn:aws:iam::123456789012:role/config"

// served serves the world through another door, whose options are changed.
func (w *world) served(change func(*awsconfig.Options)) {
	o := w.options
	change(&o)
	server := httptest.NewServer(awsconfig.New(o))
	w.t.Cleanup(server.Close)
	w.url = server.URL
}

// sdk shortens what tests ask of a client of the SDK.
type sdk struct {
	*configservice.Client
	t   *testing.T
	ctx context.Context
}

func (w *world) sdk() sdk { return sdk{w.client(), w.t, w.t.Context()} }

func (c sdk) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c sdk) putRecorder(change func(*types.ConfigurationRecorder), tags ...types.Tag) error {
	r := &types.ConfigurationRecorder{RoleARN: aws.String(role)}
	if change != nil {
		change(r)
	}
	_, err := c.PutConfigurationRecorder(c.ctx, &configservice.PutConfigurationRecorderInput{ConfigurationRecorder: r, Tags: tags})
	return err
}

func (c sdk) putChannel(change func(*types.DeliveryChannel)) error {
	ch := &types.DeliveryChannel{S3BucketName: aws.String("history")}
	if change != nil {
		change(ch)
	}
	_, err := c.PutDeliveryChannel(c.ctx, &configservice.PutDeliveryChannelInput{DeliveryChannel: ch})
	return err
}

func (c sdk) start() error {
	_, err := c.StartConfigurationRecorder(c.ctx, &configservice.StartConfigurationRecorderInput{ConfigurationRecorderName: aws.String("default")})
	return err
}

func (c sdk) recorder() types.ConfigurationRecorder {
	c.t.Helper()
	out, err := c.DescribeConfigurationRecorders(c.ctx, &configservice.DescribeConfigurationRecordersInput{})
	c.must(err)
	if len(out.ConfigurationRecorders) != 1 {
		c.t.Fatal(out.ConfigurationRecorders)
	}
	return out.ConfigurationRecorders[0]
}

func (c sdk) putQuery(name, expression, description string, tags ...types.Tag) (string, error) {
	q := &types.StoredQuery{QueryName: aws.String(name)}
	if expression != "" {
		q.Expression = aws.String(expression)
	}
	if description != "" {
		q.Description = aws.String(description)
	}
	out, err := c.PutStoredQuery(c.ctx, &configservice.PutStoredQueryInput{StoredQuery: q, Tags: tags})
	if err != nil {
		return "", err
	}
	return *out.QueryArn, nil
}

func tag(key, value string) types.Tag {
	return types.Tag{Key: aws.String(key), Value: aws.String(value)}
}

func (c sdk) tags(arn string) string {
	c.t.Helper()
	var all []string
	pages := configservice.NewListTagsForResourcePaginator(c.Client, &configservice.ListTagsForResourceInput{ResourceArn: aws.String(arn)},
		func(o *configservice.ListTagsForResourcePaginatorOptions) { o.Limit = 2 })
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		c.must(err)
		if len(page.Tags) > 2 {
			c.t.Errorf("%d tags on a page of 2", len(page.Tags))
		}
		for _, t := range page.Tags {
			all = append(all, *t.Key+"="+*t.Value)
		}
	}
	return strings.Join(all, " ")
}

func (c sdk) tag(arn string, tags ...types.Tag) error {
	_, err := c.TagResource(c.ctx, &configservice.TagResourceInput{ResourceArn: aws.String(arn), Tags: tags})
	return err
}

func (c sdk) untag(arn string, keys ...string) error {
	_, err := c.UntagResource(c.ctx, &configservice.UntagResourceInput{ResourceArn: aws.String(arn), TagKeys: keys})
	return err
}

func group(change func(*types.RecordingGroup)) func(*types.ConfigurationRecorder) {
	return func(r *types.ConfigurationRecorder) {
		r.RecordingGroup = &types.RecordingGroup{}
		change(r.RecordingGroup)
	}
}

func TestRecordingGroups(t *testing.T) {
	none := &types.ExclusionByResourceTypes{ResourceTypes: []types.ResourceType{}}
	some := []types.ResourceType{types.ResourceTypeBucket, types.ResourceTypeUser}
	for _, test := range []struct {
		name string
		put  *types.RecordingGroup
		want types.RecordingGroup
	}{
		{"None is all but the global ones", nil, types.RecordingGroup{
			AllSupported: true, ResourceTypes: []types.ResourceType{}, ExclusionByResourceTypes: none,
			RecordingStrategy: &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeAllSupportedResourceTypes},
		}},
		{"All", &types.RecordingGroup{AllSupported: true, IncludeGlobalResourceTypes: true}, types.RecordingGroup{
			AllSupported: true, IncludeGlobalResourceTypes: true, ResourceTypes: []types.ResourceType{}, ExclusionByResourceTypes: none,
			RecordingStrategy: &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeAllSupportedResourceTypes},
		}},
		{"Included", &types.RecordingGroup{ResourceTypes: some}, types.RecordingGroup{
			ResourceTypes: some, ExclusionByResourceTypes: none,
			RecordingStrategy: &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeInclusionByResourceTypes},
		}},
		{"Excluded", &types.RecordingGroup{
			ExclusionByResourceTypes: &types.ExclusionByResourceTypes{ResourceTypes: some},
			RecordingStrategy:        &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeExclusionByResourceTypes},
		}, types.RecordingGroup{
			ResourceTypes: []types.ResourceType{}, ExclusionByResourceTypes: &types.ExclusionByResourceTypes{ResourceTypes: some},
			RecordingStrategy: &types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeExclusionByResourceTypes},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := open(t).sdk()
			c.must(c.putRecorder(func(r *types.ConfigurationRecorder) { r.RecordingGroup = test.put }))
			is := c.recorder()
			if d := cmp.Diff(&test.want, is.RecordingGroup, cmpopts.IgnoreUnexported(types.RecordingGroup{}, types.ExclusionByResourceTypes{}, types.RecordingStrategy{})); d != "" {
				t.Error(d)
			}
			// What is described can be put again, and is the same.
			c.must(c.putRecorder(func(r *types.ConfigurationRecorder) { *r = is }))
			if d := cmp.Diff(is, c.recorder(), cmpopts.IgnoreUnexported(types.ConfigurationRecorder{}, types.RecordingGroup{},
				types.ExclusionByResourceTypes{}, types.RecordingStrategy{}, types.RecordingMode{})); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTypesAreAssociated(t *testing.T) {
	c := open(t).sdk()
	c.must(c.putRecorder(group(func(g *types.RecordingGroup) { g.ResourceTypes = []types.ResourceType{types.ResourceTypeBucket} })))
	arn := c.recorder().Arn
	with, err := c.AssociateResourceTypes(c.ctx, &configservice.AssociateResourceTypesInput{
		ConfigurationRecorderArn: arn, ResourceTypes: []types.ResourceType{types.ResourceTypeUser, types.ResourceTypeRole}})
	c.must(err)
	if got := with.ConfigurationRecorder.RecordingGroup.ResourceTypes; len(got) != 3 {
		t.Error(got)
	}
	_, err = c.DisassociateResourceTypes(c.ctx, &configservice.DisassociateResourceTypesInput{
		ConfigurationRecorderArn: arn, ResourceTypes: []types.ResourceType{types.ResourceTypeBucket, types.ResourceTypeUser}})
	c.must(err)
	if got := c.recorder().RecordingGroup.ResourceTypes; !slices.Equal(got, []types.ResourceType{types.ResourceTypeRole}) {
		t.Error(got)
	}
}

func TestRecordersAreFoundBy(t *testing.T) {
	c := open(t).sdk()
	c.must(c.putRecorder(nil))
	is := c.recorder()
	byARN, err := c.DescribeConfigurationRecorders(c.ctx, &configservice.DescribeConfigurationRecordersInput{Arn: is.Arn})
	c.must(err)
	if len(byARN.ConfigurationRecorders) != 1 {
		t.Error("not by ARN")
	}
	for scope, want := range map[string]int{"PAID": 1, "INTERNAL": 0} {
		n := 0
		pages := configservice.NewListConfigurationRecordersPaginator(c.Client, &configservice.ListConfigurationRecordersInput{
			Filters: []types.ConfigurationRecorderFilter{{FilterName: types.ConfigurationRecorderFilterNameRecordingScope, FilterValue: []string{scope}}},
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(c.ctx)
			c.must(err)
			n += len(page.ConfigurationRecorderSummaries)
		}
		if n != want {
			t.Errorf("%d of the scope %s", n, scope)
		}
	}
}

func TestSettingsAreOfOneOwner(t *testing.T) {
	w := open(t)
	c := w.sdk()
	c.must(c.putRecorder(nil))
	arn, err := c.putQuery("q", "SELECT resourceId", "")
	c.must(err)
	for _, other := range []sdk{{w.clientOf(account, "us-east-1"), t, t.Context()}, {w.clientOf("210987654321", region), t, t.Context()}} {
		out, err := other.DescribeConfigurationRecorders(other.ctx, &configservice.DescribeConfigurationRecordersInput{})
		if err != nil || len(out.ConfigurationRecorders) != 0 {
			t.Error(out, err)
		}
		if code := codeOf(other.tag(arn, tag("a", "b"))); code != "ResourceNotFoundException" {
			t.Error(code)
		}
		other.must(other.putRecorder(func(r *types.ConfigurationRecorder) { r.Name = aws.String("theirs") }))
	}
}

func TestDeliveriesAreTold(t *testing.T) {
	w := open(t)
	c := w.sdk()
	c.must(c.putRecorder(nil))
	c.must(c.putChannel(nil))
	c.must(w.settings.SetDeliveries(c.ctx, settings.Owner{Account: account, Region: region}, "default", func(ch *settings.Channel) {
		ch.Snapshot = settings.Delivery{Status: settings.Failure, Error: "NoSuchBucket", Text: "it went away", AttemptAt: w.clock.moment()}
		ch.History = settings.Delivery{Status: settings.Success, AttemptAt: w.clock.moment(), SuccessAt: w.clock.moment(), NextAt: w.clock.moment() + 6*3600*1e6}
	}))
	out, err := c.DescribeDeliveryChannelStatus(c.ctx, &configservice.DescribeDeliveryChannelStatusInput{DeliveryChannelNames: []string{"default"}})
	c.must(err)
	is := out.DeliveryChannelsStatus[0]
	if s := is.ConfigSnapshotDeliveryInfo; s.LastStatus != "FAILURE" || *s.LastErrorCode != "NoSuchBucket" || *s.LastErrorMessage != "it went away" ||
		!s.LastAttemptTime.Equal(w.clock.Now()) || s.LastSuccessfulTime != nil {
		t.Errorf("%+v", s)
	}
	if h := is.ConfigHistoryDeliveryInfo; h.LastStatus != "SUCCESS" || !h.NextDeliveryTime.Equal(w.clock.Now().Add(6*time.Hour)) {
		t.Errorf("%+v", h)
	}
	if s := is.ConfigStreamDeliveryInfo; s.LastStatus != "NOT_APPLICABLE" {
		t.Errorf("%+v", s)
	}
}

func TestRetentionLives(t *testing.T) {
	c := open(t).sdk()
	describe := func(names ...string) string {
		t.Helper()
		var all []string
		pages := configservice.NewDescribeRetentionConfigurationsPaginator(c.Client, &configservice.DescribeRetentionConfigurationsInput{RetentionConfigurationNames: names})
		for pages.HasMorePages() {
			page, err := pages.NextPage(c.ctx)
			c.must(err)
			for _, r := range page.RetentionConfigurations {
				all = append(all, fmt.Sprint(*r.Name, " ", *r.RetentionPeriodInDays))
			}
		}
		return strings.Join(all, " ")
	}
	if got := describe(); got != "" {
		t.Error(got)
	}
	for _, days := range []int32{365, 30, 2557} {
		out, err := c.PutRetentionConfiguration(c.ctx, &configservice.PutRetentionConfigurationInput{RetentionPeriodInDays: aws.Int32(days)})
		c.must(err)
		if *out.RetentionConfiguration.RetentionPeriodInDays != days || describe("default") != fmt.Sprint("default ", days) {
			t.Error(days, out.RetentionConfiguration, describe())
		}
	}
	_, err := c.DeleteRetentionConfiguration(c.ctx, &configservice.DeleteRetentionConfigurationInput{RetentionConfigurationName: aws.String("default")})
	c.must(err)
	if got := describe(); got != "" {
		t.Error(got)
	}
}

func TestQueriesLive(t *testing.T) {
	c := open(t).sdk()
	arn, err := c.putQuery("buckets", "SELECT resourceId WHERE resourceType = 'AWS::S3::Bucket'", "all of them", tag("team", "a"))
	c.must(err)
	again, err := c.putQuery("buckets", "select resourceId, tags", "", tag("team", "b"))
	if err != nil || again != arn {
		t.Error(again, err)
	}
	got, err := c.GetStoredQuery(c.ctx, &configservice.GetStoredQueryInput{QueryName: aws.String("buckets")})
	c.must(err)
	if q := got.StoredQuery; *q.Expression != "select resourceId, tags" || *q.Description != "all of them" || *q.QueryArn != arn ||
		!strings.HasSuffix(arn, ":stored-query/buckets/"+*q.QueryId) || !strings.HasPrefix(*q.QueryId, "query-") {
		t.Errorf("%+v", q)
	}
	if got := c.tags(arn); got != "team=a" {
		t.Error(got)
	}
	var want []string
	for n := range 7 {
		name := fmt.Sprint("q", n)
		_, err := c.putQuery(name, "SELECT arn", "")
		c.must(err)
		want = append(want, name)
	}
	var names []string
	in := &configservice.ListStoredQueriesInput{MaxResults: aws.Int32(3)}
	for {
		page, err := c.ListStoredQueries(c.ctx, in)
		c.must(err)
		for _, q := range page.StoredQueryMetadata {
			names = append(names, *q.QueryName)
		}
		if page.NextToken == nil {
			break
		}
		in.NextToken = page.NextToken
	}
	if d := cmp.Diff(append([]string{"buckets"}, want...), names); d != "" {
		t.Error(d)
	}
	_, err = c.DeleteStoredQuery(c.ctx, &configservice.DeleteStoredQueryInput{QueryName: aws.String("buckets")})
	c.must(err)
	if code := codeOf(c.tag(arn, tag("a", "b"))); code != "ResourceNotFoundException" {
		t.Error(code)
	}
}

func TestTagsOfAllThatHasThem(t *testing.T) {
	w := open(t)
	c := w.sdk()
	c.must(c.putRecorder(nil, tag("team", "net"), tag("stage", "")))
	c.must(c.putRecorder(nil, tag("team", "other")))
	recorder := *c.recorder().Arn
	if got := c.tags(recorder); got != "stage= team=net" {
		t.Error(got)
	}
	query, err := c.putQuery("q", "SELECT arn", "")
	c.must(err)

	owner := rules.Owner{Account: account, Region: region}
	shelf := recorded.New(w.store)
	rule := func() *rules.Rule {
		return &rules.Rule{Name: "r", Scope: rules.Scope{Types: []string{"T"}}, Compliant: "true"}
	}
	for _, o := range []rules.Owner{owner, {}} {
		if _, _, err := shelf.PutRules(t.Context(), o, []*rules.Rule{rule()}, 0); err != nil {
			t.Fatal(err)
		}
	}
	template := "Resources:\n  R:\n    Type: AWS::Config::ConfigRule\n    Properties:\n      ConfigRuleName: r\n      Source:\n        Owner: AWS\n        SourceIdentifier: S3_BUCKET_VERSIONING_ENABLED\n"
	if _, _, err := shelf.PutPack(t.Context(), owner, "p", []byte(template), nil); err != nil {
		t.Fatal(err)
	}
	for what, arn := range map[string]string{
		"recorder": recorder, "query": query,
		"rule":             rules.ConfigRuleARN(owner, "r", account, region),
		"everybody's rule": rules.ConfigRuleARN(rules.Owner{}, "r", account, region),
		"rule of a pack":   rules.ConfigRuleARN(owner, "p/r", account, region),
		"pack":             rules.ConformancePackARN(owner, "p", account, region),
	} {
		t.Run(what, func(t *testing.T) {
			c.must(c.untag(arn, "team", "stage", "none"))
			c.must(c.tag(arn, tag("a", "1"), tag("b", "2"), tag("c", "3")))
			c.must(c.tag(arn, tag("b", "zwei"), tag("d", "4"), tag("e", "")))
			c.must(c.untag(arn, "a", "none"))
			if got := c.tags(arn); got != "b=zwei c=3 d=4 e=" {
				t.Error(got)
			}
		})
	}
	if _, err := shelf.DeleteRule(t.Context(), owner, "r"); err != nil {
		t.Fatal(err)
	}
	if code := codeOf(c.tag(rules.ConfigRuleARN(owner, "r", account, region), tag("a", "1"))); code != "ResourceNotFoundException" {
		t.Error(code)
	}
}

// TestSettingsOutliveARestart serves a store in a file, closes it, and serves it again.
func TestSettingsOutliveARestart(t *testing.T) {
	dir := t.TempDir()
	now := func() time.Time { return time.Date(2026, 7, 18, 12, 0, 0, 0, time.UTC) }
	serve := func(do func(sdk)) {
		store, err := bolt.Open(dir, bolt.Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(awsconfig.New(awsconfig.Options{
			Store: store, Settings: settings.New(store, now), Now: now,
			Authenticate: awsconfig.Signed(&sigv4.Verifier{Service: awsconfig.Service, Find: keys, Now: now}),
		}))
		w := &world{t: t, url: server.URL, clock: &clock{}}
		w.clock.at.Store(now().UnixMicro())
		do(w.sdk())
		server.Close()
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	tell := func(c sdk) []any {
		status, err := c.DescribeConfigurationRecorderStatus(c.ctx, &configservice.DescribeConfigurationRecorderStatusInput{})
		c.must(err)
		channels, err := c.DescribeDeliveryChannels(c.ctx, &configservice.DescribeDeliveryChannelsInput{})
		c.must(err)
		retention, err := c.DescribeRetentionConfigurations(c.ctx, &configservice.DescribeRetentionConfigurationsInput{})
		c.must(err)
		query, err := c.GetStoredQuery(c.ctx, &configservice.GetStoredQueryInput{QueryName: aws.String("q")})
		c.must(err)
		return []any{c.recorder(), status.ConfigurationRecordersStatus, channels.DeliveryChannels, retention.RetentionConfigurations,
			query.StoredQuery, c.tags(*query.StoredQuery.QueryArn), c.tags(*c.recorder().Arn)}
	}
	var before []any
	serve(func(c sdk) {
		c.must(c.putRecorder(group(func(g *types.RecordingGroup) { g.ResourceTypes = []types.ResourceType{types.ResourceTypeBucket} }), tag("a", "1")))
		c.must(c.putChannel(func(ch *types.DeliveryChannel) {
			ch.S3KeyPrefix, ch.SnsTopicARN = aws.String("a/b"), aws.String("arn:aws:sns:eu-west-1:123456789012:news")
			ch.S3KmsKeyArn = aws.String("arn:aws:kms:eu-west-1:123456789012:key/1")
		}))
		c.must(c.start())
		_, err := c.PutRetentionConfiguration(c.ctx, &configservice.PutRetentionConfigurationInput{RetentionPeriodInDays: aws.Int32(90)})
		c.must(err)
		_, err = c.putQuery("q", "SELECT arn", "", tag("b", "2"))
		c.must(err)
		before = tell(c)
	})
	serve(func(c sdk) {
		if d := cmp.Diff(before, tell(c), cmp.Exporter(func(reflect.Type) bool { return true })); d != "" {
			t.Error(d)
		}
	})
}

// closed is a place whose buckets take nothing if they are closed.
type closed struct{ asked int }

func (p *closed) CheckChannel(_ context.Context, c *settings.Channel) error {
	p.asked++
	switch c.Bucket {
	case "closed":
		return errors.New("it takes nothing")
	case "missing":
		return snapshot.ErrNoBucket
	}
	return nil
}

func (p *closed) Request(context.Context, settings.Owner) (string, error) {
	return "", snapshot.ErrBusy
}

func (p *closed) Object(context.Context, string, string, int64) ([]byte, error) {
	return nil, errors.New("it is not to be read")
}

func TestBucketsAreTried(t *testing.T) {
	w := open(t)
	place := &closed{}
	w.served(func(o *awsconfig.Options) { o.Snapshots = place })
	c := w.sdk()
	if code := codeOf(c.putChannel(nil)); code != "NoAvailableConfigurationRecorderException" || place.asked != 0 {
		t.Error(code, place.asked)
	}
	c.must(c.putRecorder(nil))
	err := c.putChannel(func(ch *types.DeliveryChannel) { ch.S3BucketName = aws.String("closed") })
	var insufficient *types.InsufficientDeliveryPolicyException
	if !errors.As(err, &insufficient) || place.asked != 1 {
		t.Error(err, place.asked)
	}
	err = c.putChannel(func(ch *types.DeliveryChannel) { ch.S3BucketName = aws.String("missing") })
	if code := codeOf(err); code != "NoSuchBucketException" {
		t.Error(err)
	}
	c.must(c.putChannel(nil))
	c.must(c.start())
	_, err = c.DeliverConfigSnapshot(c.ctx, &configservice.DeliverConfigSnapshotInput{DeliveryChannelName: aws.String("default")})
	if code := codeOf(err); code != "ThrottlingException" {
		t.Error(err)
	}
}

func TestChangesOfAQueryThatMeet(t *testing.T) {
	w := open(t)
	between := &meanwhile{documents: w.store}
	w.served(func(o *awsconfig.Options) { o.Settings = settings.New(between, w.clock.Now) })
	c := w.sdk()
	between.do = func() {
		_, err := w.settings.PutQuery(c.ctx, settings.Query{Owner: settings.Owner{Account: account, Region: region}, Name: "q", Expression: "select a"}, nil)
		c.must(err)
	}
	_, err := c.putQuery("q", "SELECT arn", "")
	var conflict *types.ResourceConcurrentModificationException
	if !errors.As(err, &conflict) {
		t.Error(err)
	}
}

// meanwhile lets something happen between a read and the put that follows it.
type meanwhile struct {
	documents
	do func()
}

type documents = history.Documents

func (m *meanwhile) PutDocuments(ctx context.Context, w []history.DocumentWrite) ([]history.Document, error) {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return m.documents.PutDocuments(ctx, w)
}
