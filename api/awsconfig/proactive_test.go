package awsconfig_test

import (
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

const (
	openGroup   = `{"GroupDescription":"d","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIp":"0.0.0.0/0"}],"Tags":[{"Key":"env","Value":"prod"}]}`
	closedGroup = `{"GroupDescription":"d","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIp":"10.0.0.0/8"}]}`
)

// propose starts the evaluation of a group.
func (c sdk) propose(id, properties string, change func(*configservice.StartResourceEvaluationInput)) (string, error) {
	in := &configservice.StartResourceEvaluationInput{
		EvaluationMode: types.EvaluationModeProactive,
		ResourceDetails: &types.ResourceDetails{
			ResourceType: aws.String(groups), ResourceId: aws.String(id), ResourceConfiguration: aws.String(properties),
			ResourceConfigurationSchemaType: types.ResourceConfigurationSchemaTypeCfnResourceSchema,
		},
	}
	if change != nil {
		change(in)
	}
	out, err := c.StartResourceEvaluation(c.ctx, in)
	if err != nil {
		return "", err
	}
	return *out.ResourceEvaluationId, nil
}

func proactiveRule(r *types.ConfigRule) *types.ConfigRule {
	r.EvaluationModes = []types.EvaluationModeConfiguration{{Mode: types.EvaluationModeDetective}, {Mode: types.EvaluationModeProactive}}
	return r
}

func TestProposedBuckets(t *testing.T) {
	w := open(t)
	c := w.sdk()
	c.must(c.putRecorder(nil))
	for name, identifier := range map[string]string{
		"versioned": "S3_BUCKET_VERSIONING_ENABLED", "logged": "S3_BUCKET_LOGGING_ENABLED",
		"encrypted": "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED", "with-kms": "S3_DEFAULT_ENCRYPTION_KMS", "closed": "S3_BUCKET_PUBLIC_READ_PROHIBITED",
	} {
		c.must(c.putRule(proactiveRule(managedRule(name, identifier))))
	}
	const kms = `"BucketEncryption":{"ServerSideEncryptionConfiguration":[{"ServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"k"}}]}`
	for name, tt := range map[string]struct{ properties, want string }{
		"Bare": {`{}`, "closed INSUFFICIENT_DATA, encrypted COMPLIANT, logged NON_COMPLIANT, versioned NON_COMPLIANT, with-kms NON_COMPLIANT"},
		"Suspended": {`{"VersioningConfiguration":{"Status":"Suspended"},"LoggingConfiguration":{}}`,
			"closed INSUFFICIENT_DATA, encrypted COMPLIANT, logged COMPLIANT, versioned NON_COMPLIANT, with-kms NON_COMPLIANT"},
		"Whole": {`{"VersioningConfiguration":{"Status":"Enabled"},"LoggingConfiguration":{"DestinationBucketName":"logs","LogFilePrefix":"b/"},` + kms +
			`,"PublicAccessBlockConfiguration":{"IgnorePublicAcls":true,"RestrictPublicBuckets":"true"}}`,
			"closed COMPLIANT, encrypted COMPLIANT, logged COMPLIANT, versioned COMPLIANT, with-kms COMPLIANT"},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := c.propose("b", tt.properties, func(in *configservice.StartResourceEvaluationInput) {
				in.ResourceDetails.ResourceType = aws.String("AWS::S3::Bucket")
			})
			c.must(err)
			out, err := c.GetComplianceDetailsByResource(c.ctx, &configservice.GetComplianceDetailsByResourceInput{ResourceEvaluationId: &id})
			c.must(err)
			if got := strings.ReplaceAll(found(out.EvaluationResults), "/b", ""); got != tt.want {
				t.Errorf("%s; want %s", got, tt.want)
			}
		})
	}
	_, err := c.propose("b", `{"VersioningConfiguration":[]}`, func(in *configservice.StartResourceEvaluationInput) {
		in.ResourceDetails.ResourceType = aws.String("AWS::S3::Bucket")
	})
	if err == nil || !strings.Contains(err.Error(), "InvalidParameterValueException") || !strings.Contains(err.Error(), "VersioningConfiguration") {
		t.Error(err)
	}
}

// proactiveWorld has rules of which some judge proposals.
func proactiveWorld(w *world) {
	c := w.sdk()
	c.must(c.putRecorder(nil))
	c.must(c.putRule(proactiveRule(managedRule("ssh", "INCOMING_SSH_DISABLED"))))
	prod := celRule("prod", `has(config.groupDescription)`)
	prod.Scope = &types.Scope{TagKey: aws.String("env")}
	c.must(c.putRule(proactiveRule(prod)))
	c.must(c.putRule(celRule("detective", "false", groups)))
}

func TestProposals(t *testing.T) {
	w := open(t)
	proactiveWorld(w)
	c := w.sdk()
	results := func(id string) string {
		t.Helper()
		out, err := c.GetComplianceDetailsByResource(c.ctx, &configservice.GetComplianceDetailsByResourceInput{ResourceEvaluationId: &id})
		c.must(err)
		for _, r := range out.EvaluationResults {
			if *r.EvaluationResultIdentifier.ResourceEvaluationId != id {
				t.Errorf("%+v", r)
			}
		}
		return found(out.EvaluationResults)
	}
	summary := func(id string) *configservice.GetResourceEvaluationSummaryOutput {
		t.Helper()
		out, err := c.GetResourceEvaluationSummary(c.ctx, &configservice.GetResourceEvaluationSummaryInput{ResourceEvaluationId: &id})
		c.must(err)
		return out
	}
	bad, err := c.propose("sg-new", openGroup, func(in *configservice.StartResourceEvaluationInput) {
		in.EvaluationContext = &types.EvaluationContext{EvaluationContextIdentifier: aws.String("build 1")}
	})
	c.must(err)
	if got := results(bad); got != "prod/sg-new COMPLIANT, ssh/sg-new NON_COMPLIANT" {
		t.Error(got)
	}
	s := summary(bad)
	if s.Compliance != types.ComplianceTypeNonCompliant || s.EvaluationMode != types.EvaluationModeProactive || s.EvaluationStatus.Status != types.ResourceEvaluationStatusSucceeded ||
		!s.EvaluationStartTimestamp.Equal(w.clock.Now()) || *s.EvaluationContext.EvaluationContextIdentifier != "build 1" ||
		*s.ResourceDetails.ResourceConfiguration != openGroup || *s.ResourceDetails.ResourceId != "sg-new" {
		t.Errorf("%+v", s)
	}
	w.clock.advance(time.Second)
	good, err := c.propose("sg-new", closedGroup, nil)
	c.must(err)
	if got := results(good); got != "ssh/sg-new COMPLIANT" || summary(good).Compliance != types.ComplianceTypeCompliant {
		t.Error(got)
	}
	w.clock.advance(time.Second)
	// What is there is proposed to be otherwise, and stays as it is.
	w.group(history.Key{Account: account, Region: "global", Type: groups, ID: "sg-there"}, 0)
	there, err := c.propose("sg-there", openGroup, func(in *configservice.StartResourceEvaluationInput) {
		in.EvaluationMode = types.EvaluationModeDetective
	})
	c.must(err)
	if got := results(there); got != "detective/sg-there NON_COMPLIANT, prod/sg-there COMPLIANT, ssh/sg-there NON_COMPLIANT" {
		t.Error(got)
	}
	w.settle()
	if got := found(c.ofResource(groups, "sg-there")); got != "detective/sg-there NON_COMPLIANT, ssh/sg-there COMPLIANT" {
		t.Error(got)
	}
	if got := found(c.ofResource(groups, "sg-new")); got != "" {
		t.Errorf("a proposal was recorded: %s", got)
	}

	t.Run("List", func(t *testing.T) {
		list := func(f *types.ResourceEvaluationFilters) (ids []string) {
			t.Helper()
			pages := configservice.NewListResourceEvaluationsPaginator(c.Client, &configservice.ListResourceEvaluationsInput{Filters: f, Limit: 2})
			for pages.HasMorePages() {
				page, err := pages.NextPage(c.ctx)
				c.must(err)
				for _, e := range page.ResourceEvaluations {
					ids = append(ids, *e.ResourceEvaluationId)
				}
			}
			return ids
		}
		for name, test := range map[string]struct {
			f    *types.ResourceEvaluationFilters
			want []string
		}{
			"All":     {nil, []string{there, good, bad}},
			"Mode":    {&types.ResourceEvaluationFilters{EvaluationMode: types.EvaluationModeProactive}, []string{good, bad}},
			"Context": {&types.ResourceEvaluationFilters{EvaluationContextIdentifier: aws.String("build 1")}, []string{bad}},
			"Window":  {&types.ResourceEvaluationFilters{TimeWindow: &types.TimeWindow{StartTime: aws.Time(noon.Add(time.Second)), EndTime: aws.Time(noon.Add(time.Second))}}, []string{good}},
		} {
			if got := list(test.f); !slices.Equal(got, test.want) {
				t.Errorf("%s: %v; want %v", name, got, test.want)
			}
		}
	})
	t.Run("OthersSeeNone", func(t *testing.T) {
		other := sdk{w.clientOf("999999999999", region), t, t.Context()}
		out, err := other.ListResourceEvaluations(t.Context(), &configservice.ListResourceEvaluationsInput{})
		c.must(err)
		if len(out.ResourceEvaluations) > 0 {
			t.Error(out.ResourceEvaluations)
		}
		_, err = other.GetResourceEvaluationSummary(t.Context(), &configservice.GetResourceEvaluationSummaryInput{ResourceEvaluationId: &bad})
		var unknown *types.ResourceNotFoundException
		if !errors.As(err, &unknown) {
			t.Error(err)
		}
	})
	t.Run("ForAWeek", func(t *testing.T) {
		w.clock.advance(7*24*time.Hour - 2*time.Second)
		out, err := c.ListResourceEvaluations(c.ctx, &configservice.ListResourceEvaluationsInput{})
		c.must(err)
		if len(out.ResourceEvaluations) != 1 {
			t.Errorf("%d are left", len(out.ResourceEvaluations))
		}
		_, err = c.GetResourceEvaluationSummary(c.ctx, &configservice.GetResourceEvaluationSummaryInput{ResourceEvaluationId: &bad})
		var unknown *types.ResourceNotFoundException
		if !errors.As(err, &unknown) {
			t.Error(err)
		}
		_, err = c.propose("sg-new", closedGroup, nil)
		c.must(err)
		for _, collection := range []string{"aws/proposal", "aws/proposal-resource"} {
			docs, _, err := w.store.Documents(t.Context(), collection, "", 0)
			c.must(err)
			if len(docs) != 2 {
				t.Errorf("%s has %d documents", collection, len(docs))
			}
		}
	})
}

func TestProposalsAreIdempotent(t *testing.T) {
	w := open(t)
	proactiveWorld(w)
	c := w.sdk()
	token := func(n int) func(*configservice.StartResourceEvaluationInput) {
		return func(in *configservice.StartResourceEvaluationInput) {
			in.ClientToken = aws.String(strings.Repeat(fmt.Sprint(n), 64))
		}
	}
	first, err := c.propose("sg-new", openGroup, token(1))
	c.must(err)
	w.clock.advance(time.Second)
	again, err := c.propose("sg-new", openGroup, token(1))
	c.must(err)
	if again != first {
		t.Errorf("%s, then %s", first, again)
	}
	_, err = c.propose("sg-new", closedGroup, token(1))
	var mismatch *types.IdempotentParameterMismatch
	if !errors.As(err, &mismatch) {
		t.Error(err)
	}
	other, err := c.propose("sg-new", openGroup, token(2))
	c.must(err)
	if other == first {
		t.Error("another token is another evaluation")
	}
}

func TestProposalsAreRefused(t *testing.T) {
	const bad = "InvalidParameterValueException"
	propose := func(properties string, change func(*configservice.StartResourceEvaluationInput)) func(sdk) error {
		return func(c sdk) error { return second(c.propose("sg", properties, change)) }
	}
	refusedAll(t, proactiveWorld, []refusal{
		{"no JSON", propose("{", nil), bad, "resourceConfiguration"},
		{"no object", propose("[]", nil), bad, "resourceConfiguration"},
		{"a member twice", propose(`{"a":1,"a":2}`, nil), bad, "resourceConfiguration"},
		{"long", propose(`{"a":"`+strings.Repeat("x", 51200)+`"}`, nil), "ValidationException", "less than or equal to 51200"},
		{"no mode", propose("{}", func(in *configservice.StartResourceEvaluationInput) { in.EvaluationMode = "SOMETIME" }), "ValidationException", "evaluationMode"},
		{"short token", propose("{}", func(in *configservice.StartResourceEvaluationInput) { in.ClientToken = aws.String("x") }), "ValidationException", "clientToken"},
		{"our own type", propose("{}", func(in *configservice.StartResourceEvaluationInput) {
			in.ResourceDetails.ResourceType = aws.String("Varve::Compliance::Rule")
		}), bad, "Varve::"},
		{"long timeout", propose("{}", func(in *configservice.StartResourceEvaluationInput) { in.EvaluationTimeout = 3601 }), "ValidationException", "evaluationTimeout"},
		{"unknown", func(c sdk) error {
			return second(c.GetResourceEvaluationSummary(c.ctx, &configservice.GetResourceEvaluationSummaryInput{ResourceEvaluationId: aws.String("x")}))
		}, "ResourceNotFoundException", "does not exist"},
		{"window", func(c sdk) error {
			return second(c.ListResourceEvaluations(c.ctx, &configservice.ListResourceEvaluationsInput{Filters: &types.ResourceEvaluationFilters{
				TimeWindow: &types.TimeWindow{StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(-time.Hour))},
			}}))
		}, "InvalidTimeRangeException", "timeWindow"},
		{"list, token", func(c sdk) error {
			return second(c.ListResourceEvaluations(c.ctx, &configservice.ListResourceEvaluationsInput{NextToken: aws.String("x")}))
		}, "InvalidNextTokenException", "nextToken"},
		{"details with a resource", func(c sdk) error {
			id, err := c.propose("sg", "{}", nil)
			c.must(err)
			return second(c.GetComplianceDetailsByResource(c.ctx, &configservice.GetComplianceDetailsByResourceInput{
				ResourceEvaluationId: &id, ResourceType: aws.String(groups), ResourceId: aws.String("sg"),
			}))
		}, bad, "leave resourceType"},
	})
}
