package awsconfig_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/varvehq/varve/api/awsconfig/shape"
)

// codeOf is the code of an error as the SDK knows it; empty: it is none of the service.
func codeOf(err error) string {
	var told interface{ ErrorCode() string }
	if !errors.As(err, &told) {
		return ""
	}
	return told.ErrorCode()
}

// operationOf is the operation that an error of the SDK is of.
func operationOf(err error) string {
	var of interface{ Operation() string }
	if !errors.As(err, &of) {
		return ""
	}
	return of.Operation()
}

// common are the codes that every operation may answer.
var common = []string{"ValidationException", "SerializationException", "ThrottlingException", "AccessDeniedException", "ServiceUnavailable", "InternalFailure"}

// refusal is a case of something that AWS Config refuses.
type refusal struct {
	name string
	do   func(sdk) error
	code string
	text string // that the message holds
}

// refusedAll holds cases against a world that is prepared for each.
func refusedAll(t *testing.T, prepare func(*world), cases []refusal) {
	for _, test := range cases {
		t.Run(test.code+" "+test.name, func(t *testing.T) {
			t.Parallel()
			w := open(t)
			prepare(w)
			err := test.do(w.sdk())
			if codeOf(err) != test.code || !strings.Contains(err.Error(), test.text) {
				t.Fatalf("%v", err)
			}
			op, ok := shape.Find(operationOf(err))
			if !ok || !slices.Contains(op.Errors, test.code) && !slices.Contains(common, test.code) {
				t.Errorf("%s does not answer %s", operationOf(err), test.code)
			}
		})
	}
}

// second is the error of two results.
func second[T any](_ T, err error) error { return err }

func put(change func(*types.ConfigurationRecorder)) func(sdk) error {
	return func(c sdk) error { return c.putRecorder(change) }
}

func putGroup(change func(*types.RecordingGroup)) func(sdk) error { return put(group(change)) }

func putChannel(change func(*types.DeliveryChannel)) func(sdk) error {
	return func(c sdk) error { return c.putChannel(change) }
}

func associate(arn string, named ...types.ResourceType) func(sdk) error {
	return func(c sdk) error {
		if arn == "" {
			arn = *c.recorder().Arn
		}
		return second(c.AssociateResourceTypes(c.ctx, &configservice.AssociateResourceTypesInput{ConfigurationRecorderArn: &arn, ResourceTypes: named}))
	}
}

func disassociate(named ...types.ResourceType) func(sdk) error {
	return func(c sdk) error {
		return second(c.DisassociateResourceTypes(c.ctx, &configservice.DisassociateResourceTypesInput{ConfigurationRecorderArn: c.recorder().Arn, ResourceTypes: named}))
	}
}

// manyTags are so many from a number on.
func manyTags(from, n int) []types.Tag {
	var list []types.Tag
	for i := range n {
		list = append(list, tag(fmt.Sprint("k", from+i), ""))
	}
	return list
}

const bucket, user = types.ResourceTypeBucket, types.ResourceTypeUser

func TestRefusedOfNothing(t *testing.T) {
	refusedAll(t, func(*world) {}, []refusal{
		{"A recorder by its name", func(c sdk) error {
			return second(c.DescribeConfigurationRecorders(c.ctx, &configservice.DescribeConfigurationRecordersInput{ConfigurationRecorderNames: []string{"default"}}))
		}, "NoSuchConfigurationRecorderException", "name 'default'"},
		{"Status by a name", func(c sdk) error {
			return second(c.DescribeConfigurationRecorderStatus(c.ctx, &configservice.DescribeConfigurationRecorderStatusInput{ConfigurationRecorderNames: []string{"x"}}))
		}, "NoSuchConfigurationRecorderException", "name 'x'"},
		{"A recorder by its ARN", func(c sdk) error {
			return second(c.DescribeConfigurationRecorders(c.ctx, &configservice.DescribeConfigurationRecordersInput{Arn: aws.String("arn:aws:config:x")}))
		}, "NoSuchConfigurationRecorderException", "arn:aws:config:x"},
		{"A recorder of a service", func(c sdk) error {
			return second(c.DescribeConfigurationRecorders(c.ctx, &configservice.DescribeConfigurationRecordersInput{ServicePrincipal: aws.String("securityhub.amazonaws.com")}))
		}, "NoSuchConfigurationRecorderException", "securityhub"},
		{"By name and ARN", func(c sdk) error {
			return second(c.DescribeConfigurationRecorders(c.ctx, &configservice.DescribeConfigurationRecordersInput{Arn: aws.String("arn:aws:config:x"), ConfigurationRecorderNames: []string{"x"}}))
		}, "ValidationException", "only one"},
		{"Start", sdk.start, "NoSuchConfigurationRecorderException", "'default'"},
		{"Stop", func(c sdk) error {
			return second(c.StopConfigurationRecorder(c.ctx, &configservice.StopConfigurationRecorderInput{ConfigurationRecorderName: aws.String("x")}))
		}, "NoSuchConfigurationRecorderException", "'x'"},
		{"Delete a recorder", func(c sdk) error {
			return second(c.DeleteConfigurationRecorder(c.ctx, &configservice.DeleteConfigurationRecorderInput{ConfigurationRecorderName: aws.String("x")}))
		}, "NoSuchConfigurationRecorderException", "'x'"},
		{"Associate", associate("arn:aws:config:x", bucket), "NoSuchConfigurationRecorderException", ""},
		{"A channel before the recorder", putChannel(nil), "NoAvailableConfigurationRecorderException", "put delivery channel"},
		{"A channel by its name", func(c sdk) error {
			return second(c.DescribeDeliveryChannels(c.ctx, &configservice.DescribeDeliveryChannelsInput{DeliveryChannelNames: []string{"x"}}))
		}, "NoSuchDeliveryChannelException", "'x'"},
		{"Status of a channel", func(c sdk) error {
			return second(c.DescribeDeliveryChannelStatus(c.ctx, &configservice.DescribeDeliveryChannelStatusInput{DeliveryChannelNames: []string{"x"}}))
		}, "NoSuchDeliveryChannelException", "'x'"},
		{"Delete a channel", func(c sdk) error {
			return second(c.DeleteDeliveryChannel(c.ctx, &configservice.DeleteDeliveryChannelInput{DeliveryChannelName: aws.String("x")}))
		}, "NoSuchDeliveryChannelException", "'x'"},
		{"Retention by name", func(c sdk) error {
			return second(c.DescribeRetentionConfigurations(c.ctx, &configservice.DescribeRetentionConfigurationsInput{RetentionConfigurationNames: []string{"default"}}))
		}, "NoSuchRetentionConfigurationException", "'default'"},
		{"Retention of another name", func(c sdk) error {
			return second(c.DescribeRetentionConfigurations(c.ctx, &configservice.DescribeRetentionConfigurationsInput{RetentionConfigurationNames: []string{"x"}}))
		}, "NoSuchRetentionConfigurationException", "'x'"},
		{"Delete retention", func(c sdk) error {
			return second(c.DeleteRetentionConfiguration(c.ctx, &configservice.DeleteRetentionConfigurationInput{RetentionConfigurationName: aws.String("default")}))
		}, "NoSuchRetentionConfigurationException", "'default'"},
		{"Delete retention of another name", func(c sdk) error {
			return second(c.DeleteRetentionConfiguration(c.ctx, &configservice.DeleteRetentionConfigurationInput{RetentionConfigurationName: aws.String("x")}))
		}, "NoSuchRetentionConfigurationException", "'x'"},
		{"Retention of a month less a day", func(c sdk) error {
			return second(c.PutRetentionConfiguration(c.ctx, &configservice.PutRetentionConfigurationInput{RetentionPeriodInDays: aws.Int32(29)}))
		}, "ValidationException", "greater than or equal to 30"},
		{"Retention of more than seven years", func(c sdk) error {
			return second(c.PutRetentionConfiguration(c.ctx, &configservice.PutRetentionConfigurationInput{RetentionPeriodInDays: aws.Int32(2558)}))
		}, "ValidationException", "less than or equal to 2557"},
		{"Retention with a token", func(c sdk) error {
			return second(c.DescribeRetentionConfigurations(c.ctx, &configservice.DescribeRetentionConfigurationsInput{NextToken: aws.String("x")}))
		}, "InvalidNextTokenException", ""},
		{"Recorders with a token", func(c sdk) error {
			return second(c.ListConfigurationRecorders(c.ctx, &configservice.ListConfigurationRecordersInput{NextToken: aws.String("x")}))
		}, "ValidationException", "nextToken"},
		{"A query", func(c sdk) error {
			return second(c.GetStoredQuery(c.ctx, &configservice.GetStoredQueryInput{QueryName: aws.String("x")}))
		}, "ResourceNotFoundException", "'x'"},
		{"Delete a query", func(c sdk) error {
			return second(c.DeleteStoredQuery(c.ctx, &configservice.DeleteStoredQueryInput{QueryName: aws.String("x")}))
		}, "ResourceNotFoundException", "'x'"},
		{"A query without expression", func(c sdk) error { return second(c.putQuery("x", "", "")) }, "ValidationException", "expression"},
		{"A query of another language", func(c sdk) error { return second(c.putQuery("x", "MATCH (n)", "")) }, "ValidationException", "SELECT"},
		{"A query of a long expression", func(c sdk) error { return second(c.putQuery("x", "SELECT "+strings.Repeat("a", 4090), "")) }, "ValidationException", "4096"},
		{"A query of a bad name", func(c sdk) error { return second(c.putQuery("a b", "SELECT arn", "")) }, "ValidationException", "regular expression"},
		{"Queries with a token", func(c sdk) error {
			return second(c.ListStoredQueries(c.ctx, &configservice.ListStoredQueriesInput{NextToken: aws.String("x")}))
		}, "InvalidNextTokenException", ""},
		{"Tags of a reserved key", func(c sdk) error { return second(c.putQuery("x", "SELECT arn", "", tag("aws:x", ""))) }, "ValidationException", "aws:"},
	})
}

func TestRefusedOfRecorders(t *testing.T) {
	running := func(w *world) {
		c := w.sdk()
		c.must(c.putRecorder(group(func(g *types.RecordingGroup) { g.ResourceTypes = []types.ResourceType{bucket, user} })))
		c.must(c.putChannel(nil))
		c.must(c.start())
	}
	all := types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeAllSupportedResourceTypes}
	some := types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeInclusionByResourceTypes}
	others := types.RecordingStrategy{UseOnly: types.RecordingStrategyTypeExclusionByResourceTypes}
	excluded := &types.ExclusionByResourceTypes{ResourceTypes: []types.ResourceType{bucket}}
	refusedAll(t, running, []refusal{
		{"A second", put(func(r *types.ConfigurationRecorder) { r.Name = aws.String("x") }), "MaxNumberOfConfigurationRecordersExceededException", "recorders: 1 is reached."},
		{"A blank name", put(func(r *types.ConfigurationRecorder) { r.Name = aws.String(" ") }), "InvalidConfigurationRecorderNameException", ""},
		{"A reserved name", put(func(r *types.ConfigurationRecorder) { r.Name = aws.String("AWSConfigurationRecorderForX") }), "InvalidConfigurationRecorderNameException", "AWSConfigurationRecorderFor"},
		{"A long name", put(func(r *types.ConfigurationRecorder) { r.Name = aws.String(strings.Repeat("a", 257)) }), "ValidationException", "less than or equal to 256"},
		{"No role", put(func(r *types.ConfigurationRecorder) { r.RoleARN = nil }), "InvalidRoleException", ""},
		{"A role that is none", put(func(r *types.ConfigurationRecorder) { r.RoleARN = aws.String("admin") }), "InvalidRoleException", "admin"},
		{"A service's", put(func(r *types.ConfigurationRecorder) { r.ServicePrincipal = aws.String("x.amazonaws.com") }), "UnmodifiableEntityException", "servicePrincipal"},
		{"A scope that is a service's", put(func(r *types.ConfigurationRecorder) { r.RecordingScope = types.RecordingScopeInternal }), "UnmodifiableEntityException", "recordingScope"},
		{"Of a connector", put(func(r *types.ConfigurationRecorder) { r.ConnectorArn = aws.String("arn") }), "UnmodifiableEntityException", "connectorArn"},

		{"Nothing", putGroup(func(*types.RecordingGroup) {}), "InvalidRecordingGroupException", "The recording group provided is not valid"},
		{"All and some", putGroup(func(g *types.RecordingGroup) {
			g.AllSupported, g.ResourceTypes = true, []types.ResourceType{bucket}
		}), "InvalidRecordingGroupException", ""},
		{"All but some", putGroup(func(g *types.RecordingGroup) { g.AllSupported, g.ExclusionByResourceTypes = true, excluded }), "InvalidRecordingGroupException", ""},
		{"All as exclusion", putGroup(func(g *types.RecordingGroup) {
			g.AllSupported, g.RecordingStrategy, g.ExclusionByResourceTypes = true, &others, excluded
		}), "InvalidRecordingGroupException", ""},
		{"All by strategy alone", putGroup(func(g *types.RecordingGroup) { g.RecordingStrategy = &all }), "InvalidRecordingGroupException", ""},
		{"Global ones alone", putGroup(func(g *types.RecordingGroup) { g.IncludeGlobalResourceTypes = true }), "InvalidRecordingGroupException", ""},
		{"Global ones and some", putGroup(func(g *types.RecordingGroup) {
			g.IncludeGlobalResourceTypes, g.ResourceTypes = true, []types.ResourceType{bucket}
		}), "InvalidRecordingGroupException", ""},
		{"Inclusion of none", putGroup(func(g *types.RecordingGroup) { g.RecordingStrategy = &some }), "InvalidRecordingGroupException", ""},
		{"Exclusion of none", putGroup(func(g *types.RecordingGroup) { g.RecordingStrategy = &others }), "InvalidRecordingGroupException", ""},
		{"Exclusion without strategy", putGroup(func(g *types.RecordingGroup) { g.ExclusionByResourceTypes = excluded }), "InvalidRecordingGroupException", ""},
		{"Exclusion and inclusion", putGroup(func(g *types.RecordingGroup) {
			g.RecordingStrategy, g.ExclusionByResourceTypes, g.ResourceTypes = &others, excluded, []types.ResourceType{user}
		}), "InvalidRecordingGroupException", ""},
		{"No such strategy", putGroup(func(g *types.RecordingGroup) {
			g.RecordingStrategy = &types.RecordingStrategy{UseOnly: "SOME"}
		}), "ValidationException", "enum value set"},
		{"No such frequency", put(func(r *types.ConfigurationRecorder) {
			r.RecordingMode = &types.RecordingMode{RecordingFrequency: "WEEKLY"}
		}), "ValidationException", "enum value set"},
		{"An override of nothing", put(func(r *types.ConfigurationRecorder) {
			r.RecordingMode = &types.RecordingMode{RecordingFrequency: "DAILY", RecordingModeOverrides: []types.RecordingModeOverride{{RecordingFrequency: "DAILY", ResourceTypes: []types.ResourceType{}}}}
		}), "ValidationException", "recording_mode.overrides.types"},

		{"There already", associate("", bucket), "ValidationException", "recorded already"},
		{"Not there", disassociate(types.ResourceTypeRole), "ValidationException", "not recorded"},
		{"The last ones", disassociate(bucket, user), "ValidationException", "would name none"},
		{"None", associate("", []types.ResourceType{}...), "ValidationException", "resourceTypes"},
		{"One of all", func(c sdk) error {
			c.must(c.putRecorder(nil))
			return associate("", bucket)(c)
		}, "ValidationException", "strategy"},

		{"A second channel", putChannel(func(ch *types.DeliveryChannel) { ch.Name = aws.String("x") }), "MaxNumberOfDeliveryChannelsExceededException", "channels: 1 is reached."},
		{"A blank channel", putChannel(func(ch *types.DeliveryChannel) { ch.Name = aws.String(" ") }), "InvalidDeliveryChannelNameException", ""},
		{"No bucket", putChannel(func(ch *types.DeliveryChannel) { ch.S3BucketName = nil }), "NoSuchBucketException", ""},
		{"A bucket above", putChannel(func(ch *types.DeliveryChannel) { ch.S3BucketName = aws.String("../b") }), "NoSuchBucketException", "../b"},
		{"A prefix above", putChannel(func(ch *types.DeliveryChannel) { ch.S3KeyPrefix = aws.String("a/../..") }), "InvalidS3KeyPrefixException", ""},
		{"A key of no ARN", putChannel(func(ch *types.DeliveryChannel) { ch.S3KmsKeyArn = aws.String("alias/x") }), "InvalidS3KmsKeyArnException", "alias/x"},
		{"A topic of no ARN", putChannel(func(ch *types.DeliveryChannel) { ch.SnsTopicARN = aws.String("news") }), "InvalidSNSTopicARNException", "news"},
		{"A channel of no such frequency", putChannel(func(ch *types.DeliveryChannel) {
			ch.ConfigSnapshotDeliveryProperties = &types.ConfigSnapshotDeliveryProperties{DeliveryFrequency: "Daily"}
		}), "ValidationException", "TwentyFour_Hours"},
		{"A channel in use", func(c sdk) error {
			return second(c.DeleteDeliveryChannel(c.ctx, &configservice.DeleteDeliveryChannelInput{DeliveryChannelName: aws.String("default")}))
		}, "LastDeliveryChannelDeleteFailedException", "running configuration recorder"},
		{"A start without channel", func(c sdk) error {
			c.must(second(c.StopConfigurationRecorder(c.ctx, &configservice.StopConfigurationRecorderInput{ConfigurationRecorderName: aws.String("default")})))
			c.must(second(c.DeleteDeliveryChannel(c.ctx, &configservice.DeleteDeliveryChannelInput{DeliveryChannelName: aws.String("default")})))
			return c.start()
		}, "NoAvailableDeliveryChannelException", "start configuration recorder"},
	})
}

func TestRefusedOfTags(t *testing.T) {
	const gone = "arn:aws:config:eu-west-1:123456789012:config-rule/config-rule-abcdef"
	arn := func(c sdk) string { return *c.recorder().Arn }
	refusedAll(t, func(w *world) { w.sdk().must(w.sdk().putRecorder(nil, manyTags(0, 50)...)) }, []refusal{
		{"A rule that is gone", func(c sdk) error { return c.tag(gone, tag("a", "")) }, "ResourceNotFoundException", "ResourceArn '" + gone + "' does not exist"},
		{"To untag", func(c sdk) error { return c.untag(gone, "a") }, "ResourceNotFoundException", gone},
		{"To list", func(c sdk) error {
			return second(c.ListTagsForResource(c.ctx, &configservice.ListTagsForResourceInput{ResourceArn: aws.String(gone)}))
		}, "ResourceNotFoundException", gone},
		{"A recorder of another id", func(c sdk) error { return c.tag(arn(c)+"x", tag("a", "")) }, "ResourceNotFoundException", ""},
		{"A recorder of another region", func(c sdk) error {
			return c.tag(strings.Replace(arn(c), region, "us-east-1", 1), tag("a", ""))
		}, "ResourceNotFoundException", ""},
		{"A pack that is gone", func(c sdk) error {
			return c.tag("arn:aws:config:eu-west-1:123456789012:conformance-pack/p/conformance-pack-abcdefghi", tag("a", ""))
		}, "ResourceNotFoundException", ""},
		{"No ARN", func(c sdk) error { return c.tag("default", tag("a", "")) }, "ResourceNotFoundException", "'default'"},
		{"One more than 50", func(c sdk) error { return c.tag(arn(c), tag("more", "")) }, "TooManyTagsException", "50"},
		{"51 at once", func(c sdk) error { return c.tag(arn(c), manyTags(100, 51)...) }, "ValidationException", "less than or equal to 50"},
		{"Twice", func(c sdk) error { return c.tag(arn(c), tag("k1", ""), tag("K1", "")) }, "ValidationException", "Duplicate tag keys"},
		{"A long key", func(c sdk) error { return c.tag(arn(c), tag(strings.Repeat("a", 129), "")) }, "ValidationException", "128"},
		{"A long value", func(c sdk) error { return c.tag(arn(c), tag("k1", strings.Repeat("a", 257))) }, "ValidationException", "256"},
		{"A sign that cannot be", func(c sdk) error { return c.tag(arn(c), tag("k1", "a#b")) }, "ValidationException", "a#b"},
		{"No key", func(c sdk) error { return c.tag(arn(c), types.Tag{Value: aws.String("a")}) }, "ValidationException", "key"},
		{"None", func(c sdk) error { return c.tag(arn(c), []types.Tag{}...) }, "ValidationException", "greater than or equal to 1"},
		{"A limit below 0", func(c sdk) error {
			return second(c.ListTagsForResource(c.ctx, &configservice.ListTagsForResourceInput{ResourceArn: aws.String(arn(c)), Limit: -1}))
		}, "InvalidLimitException", "-1"},
		{"A limit above 100", func(c sdk) error {
			return second(c.ListTagsForResource(c.ctx, &configservice.ListTagsForResourceInput{ResourceArn: aws.String(arn(c)), Limit: 101}))
		}, "InvalidLimitException", "101"},
		{"A token of nowhere", func(c sdk) error {
			return second(c.ListTagsForResource(c.ctx, &configservice.ListTagsForResourceInput{ResourceArn: aws.String(arn(c)), NextToken: aws.String("x")}))
		}, "InvalidNextTokenException", ""},
	})
}

func TestTypedErrors(t *testing.T) {
	c := open(t).sdk()
	var (
		noRecorder *types.NoSuchConfigurationRecorderException
		noChannel  *types.NoAvailableDeliveryChannelException
		badGroup   *types.InvalidRecordingGroupException
		notFound   *types.ResourceNotFoundException
	)
	if err := c.start(); !errors.As(err, &noRecorder) {
		t.Error(err)
	}
	c.must(c.putRecorder(nil))
	if err := c.start(); !errors.As(err, &noChannel) {
		t.Error(err)
	}
	if err := putGroup(func(*types.RecordingGroup) {})(c); !errors.As(err, &badGroup) {
		t.Error(err)
	}
	if err := c.untag("arn:aws:config:x", "a"); !errors.As(err, &notFound) {
		t.Error(err)
	}
}

func TestQueriesAreCounted(t *testing.T) {
	c := open(t).sdk()
	for n := range 300 {
		c.must(second(c.putQuery(fmt.Sprint("q", n), "SELECT arn", "")))
	}
	if err := second(c.putQuery("more", "SELECT arn", "")); codeOf(err) != "ValidationException" || !strings.Contains(err.Error(), "300") {
		t.Error(err)
	}
	c.must(second(c.putQuery("q7", "SELECT tags", "")))
}
