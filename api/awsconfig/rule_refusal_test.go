package awsconfig_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
)

// putting puts a rule that is changed from a good one.
func putting(r *types.ConfigRule, change func(*types.ConfigRule)) func(sdk) error {
	return func(c sdk) error {
		own, source := *r, *r.Source
		own.Source = &source
		change(&own)
		return c.putRule(&own)
	}
}

func details(change func(*types.SourceDetail)) func(*types.ConfigRule) {
	return func(r *types.ConfigRule) {
		own := r.Source.SourceDetails[0]
		change(&own)
		r.Source.SourceDetails = []types.SourceDetail{own}
	}
}

func policy(change func(*types.CustomPolicyDetails)) func(*types.ConfigRule) {
	return func(r *types.ConfigRule) {
		own := *r.Source.CustomPolicyDetails
		change(&own)
		r.Source.CustomPolicyDetails = &own
	}
}

func TestRulesAreRefused(t *testing.T) {
	const bad = "InvalidParameterValueException"
	ssh, keys := managedRule("new", "INCOMING_SSH_DISABLED"), managedRule("new", "ACCESS_KEYS_ROTATED")
	cel, lambda := celRule("new", "true", buckets), functionRule("new", buckets)
	refusedAll(t, func(w *world) {
		w.sdk().must(w.sdk().putRecorder(nil))
		w.sdk().must(w.sdk().putRule(managedRule("there", "INCOMING_SSH_DISABLED")))
	}, []refusal{
		{"no name", putting(ssh, func(r *types.ConfigRule) { r.ConfigRuleName = nil }), bad, "One or more identifiers needs to be provided. Provide Name or Id or Arn"},
		{"unknown id", putting(ssh, func(r *types.ConfigRule) { r.ConfigRuleName, r.ConfigRuleId = nil, aws.String("config-rule-aaaaaa") }), bad, "One or more identifiers"},
		{"id of what is new", putting(ssh, func(r *types.ConfigRule) { r.ConfigRuleId = aws.String("config-rule-aaaaaa") }), bad, "can not be specified when creating a new ConfigRule"},
		{"another id", putting(ssh, func(r *types.ConfigRule) {
			r.ConfigRuleName, r.ConfigRuleId = aws.String("there"), aws.String("config-rule-aaaaaa")
		}), bad, "another Arn or Id"},
		{"another name", func(c sdk) error {
			r := managedRule("renamed", "INCOMING_SSH_DISABLED")
			r.ConfigRuleArn = c.rule("there").ConfigRuleArn
			return c.putRule(r)
		}, bad, "cannot be given another name"},
		{"name with a slash", putting(ssh, func(r *types.ConfigRule) { r.ConfigRuleName = aws.String("a/b") }), bad, "A-Z a-z 0-9 _ . -"},
		{"blank name", putting(ssh, func(r *types.ConfigRule) { r.ConfigRuleName = aws.String(" ") }), "ValidationException", "configRuleName"},
		{"long name", putting(ssh, func(r *types.ConfigRule) { r.ConfigRuleName = aws.String(strings.Repeat("n", 129)) }), "ValidationException", "less than or equal to 128"},
		{"created by", putting(ssh, func(r *types.ConfigRule) { r.CreatedBy = aws.String("me") }), bad, "Try again without populating the CreatedBy field"},
		{"state", putting(ssh, func(r *types.ConfigRule) { r.ConfigRuleState = types.ConfigRuleStateDeleting }), bad, "Only the following values are permitted: ACTIVE"},
		{"tag with a type", putting(ssh, func(r *types.ConfigRule) {
			r.Scope = &types.Scope{ComplianceResourceTypes: []string{groups}, TagKey: aws.String("k")}
		}), bad, "Scope cannot be applied to both resource and tag"},
		{"value without a key", putting(ssh, func(r *types.ConfigRule) { r.Scope = &types.Scope{TagValue: aws.String("v")} }), bad, "Tag key should not be empty"},
		{"id of two types", putting(ssh, func(r *types.ConfigRule) {
			r.Scope = &types.Scope{ComplianceResourceTypes: []string{groups, buckets}, ComplianceResourceId: aws.String("x")}
		}), bad, "A single resourceType should be provided"},
		{"id of no type", putting(ssh, func(r *types.ConfigRule) { r.Scope = &types.Scope{ComplianceResourceId: aws.String("x")} }), bad, "A single resourceType should be provided"},
		{"service in scope", putting(ssh, func(r *types.ConfigRule) { r.Scope = &types.Scope{ServicePrincipals: []string{"s"}} }), bad, "ServicePrincipals"},

		{"managed, unknown", putting(ssh, func(r *types.ConfigRule) { r.Source.SourceIdentifier = aws.String("INCOMING_SSH_DISABLE") }), bad, "INCOMING_SSH_DISABLE is invalid. Please refer to the documentation"},
		{"managed, none", putting(ssh, func(r *types.ConfigRule) { r.Source.SourceIdentifier = nil }), bad, "sourceIdentifier should not be null"},
		{"managed, with details", putting(ssh, func(r *types.ConfigRule) { r.Source.SourceDetails = lambda.Source.SourceDetails }), bad, "SourceDetails should be null/empty if the owner is AWS"},
		{"managed, with a policy", putting(ssh, func(r *types.ConfigRule) { r.Source.CustomPolicyDetails = cel.Source.CustomPolicyDetails }), bad, "CustomPolicyDetails should be null/empty"},
		{"managed, frequency with change", putting(ssh, func(r *types.ConfigRule) {
			r.Source.SourceIdentifier, r.MaximumExecutionFrequency = aws.String("LAMBDA_INSIDE_VPC"), types.MaximumExecutionFrequencyOneHour
		}), bad, "A maximum execution frequency is not allowed"},
		{"parameters, unknown", putting(keys, func(r *types.ConfigRule) { r.InputParameters = aws.String(`{"age":"9"}`) }), bad, `Unknown parameters provided in the inputParameters: {"age":"9"}`},
		{"parameters, mistyped", putting(keys, func(r *types.ConfigRule) { r.InputParameters = aws.String(`{"maxAccessKeyAge":"old"}`) }), bad, "maxAccessKeyAge"},
		{"parameters, blank", putting(keys, func(r *types.ConfigRule) { r.InputParameters = aws.String(`{"maxAccessKeyAge":" "}`) }), bad, "Blank spaces are not acceptable for input parameter: maxAccessKeyAge"},
		{"parameters, no json", putting(keys, func(r *types.ConfigRule) { r.InputParameters = aws.String(`{"maxAccessKeyAge":`) }), bad, "Invalid json"},
		{"parameters, nested", putting(keys, func(r *types.ConfigRule) { r.InputParameters = aws.String(`{"maxAccessKeyAge":[1]}`) }), bad, "no text"},
		{"parameters, long", putting(keys, func(r *types.ConfigRule) {
			r.InputParameters = aws.String(`{"maxAccessKeyAge":"` + strings.Repeat("1", 1024) + `"}`)
		}), "ValidationException", "inputParameters"},

		{"function, no ARN", putting(lambda, func(r *types.ConfigRule) { r.Source.SourceIdentifier = aws.String("judge") }), bad, "Arn of a Lambda function"},
		{"function, no details", putting(lambda, func(r *types.ConfigRule) { r.Source.SourceDetails = nil }), bad, "SourceDetails should not be null/empty"},
		{"function, no message", putting(lambda, details(func(d *types.SourceDetail) { d.MessageType = "" })), bad, "Missing required parameter in ConfigRule.SourceDetails"},
		{"function, frequency with change", putting(lambda, details(func(d *types.SourceDetail) { d.MaximumExecutionFrequency = types.MaximumExecutionFrequencyOneHour })), bad, "A maximum execution frequency is not allowed if MessageType is ConfigurationItemChangeNotification"},
		{"function, frequency of its own", putting(lambda, func(r *types.ConfigRule) { r.MaximumExecutionFrequency = types.MaximumExecutionFrequencyOneHour }), bad, "SourceDetails"},
		{"function, proactive", putting(lambda, func(r *types.ConfigRule) {
			r.EvaluationModes = []types.EvaluationModeConfiguration{{Mode: types.EvaluationModeProactive}}
		}), bad, "PROACTIVE is not available"},

		{"policy, Guard", putting(cel, policy(func(d *types.CustomPolicyDetails) { d.PolicyRuntime = aws.String("guard-2.x.x") })), bad, "Guard is not offered"},
		{"policy, another runtime", putting(cel, policy(func(d *types.CustomPolicyDetails) { d.PolicyRuntime = aws.String("rego") })), "ValidationException", "policyRuntime"},
		{"policy, none", putting(cel, func(r *types.ConfigRule) { r.Source.CustomPolicyDetails = nil }), bad, "CustomPolicyDetails should not be null"},
		{"policy, empty", putting(cel, policy(func(d *types.CustomPolicyDetails) { d.PolicyText = aws.String(" ") })), bad, "PolicyText should not be empty"},
		{"policy, no condition", putting(cel, policy(func(d *types.CustomPolicyDetails) { d.PolicyText = aws.String("1 +") })), bad, "compliant"},
		{"policy, long", putting(cel, policy(func(d *types.CustomPolicyDetails) { d.PolicyText = aws.String(strings.Repeat("x", 10001)) })), "ValidationException", "less than or equal to 10000"},
		{"policy, with identifier", putting(cel, func(r *types.ConfigRule) { r.Source.SourceIdentifier = aws.String("X") }), bad, "SourceIdentifier should be null"},

		{"process check, parameters", putting(managedRule("new", "AWS_CONFIG_PROCESS_CHECK"), func(r *types.ConfigRule) { r.InputParameters = aws.String(`{"a":"b"}`) }), bad, "Unknown parameters"},
		{"process check, scope", putting(managedRule("new", "AWS_CONFIG_PROCESS_CHECK"), func(r *types.ConfigRule) {
			r.Scope = &types.Scope{ComplianceResourceTypes: []string{buckets}}
		}), bad, "AWS::::Account only"},

		{"describe, unknown", func(c sdk) error { return second(c.describeRules("there", "none")) }, "NoSuchConfigRuleException", "The ConfigRule 'none' provided in the request is invalid. Please check the configRule name."},
		{"describe, too many", func(c sdk) error { return second(c.describeRules(strings.Fields(strings.Repeat("n ", 26))...)) }, "ValidationException", "less than or equal to 25"},
		{"describe, token", func(c sdk) error {
			return second(c.DescribeConfigRules(c.ctx, &configservice.DescribeConfigRulesInput{NextToken: aws.String("x")}))
		}, "InvalidNextTokenException", "nextToken"},
		{"delete, unknown", func(c sdk) error { return c.deleteRule("none") }, "NoSuchConfigRuleException", "'none'"},
		{"policy of none", func(c sdk) error {
			return second(c.GetCustomRulePolicy(c.ctx, &configservice.GetCustomRulePolicyInput{ConfigRuleName: aws.String("none")}))
		}, "NoSuchConfigRuleException", "'none'"},
		{"policy of a managed rule", func(c sdk) error {
			return second(c.GetCustomRulePolicy(c.ctx, &configservice.GetCustomRulePolicyInput{ConfigRuleName: aws.String("there")}))
		}, "NoSuchConfigRuleException", "none of a custom policy"},
		{"status, unknown", func(c sdk) error {
			return second(c.DescribeConfigRuleEvaluationStatus(c.ctx, &configservice.DescribeConfigRuleEvaluationStatusInput{ConfigRuleNames: []string{"none"}}))
		}, "NoSuchConfigRuleException", "'none'"},
		{"start, unknown", func(c sdk) error {
			return second(c.StartConfigRulesEvaluation(c.ctx, &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{"none"}}))
		}, "NoSuchConfigRuleException", "'none'"},
		{"start, none", func(c sdk) error {
			return second(c.StartConfigRulesEvaluation(c.ctx, &configservice.StartConfigRulesEvaluationInput{}))
		}, bad, "1 to 25"},
		{"delete results, unknown", func(c sdk) error {
			return second(c.DeleteEvaluationResults(c.ctx, &configservice.DeleteEvaluationResultsInput{ConfigRuleName: aws.String("none")}))
		}, "NoSuchConfigRuleException", "'none'"},
	})
}

func TestEvaluationsAreRefused(t *testing.T) {
	const bad = "InvalidParameterValueException"
	put := func(token string, test bool, change func(*types.Evaluation)) func(sdk) error {
		return func(c sdk) error {
			e := types.Evaluation{
				ComplianceResourceType: aws.String(buckets), ComplianceResourceId: aws.String("b"),
				ComplianceType: types.ComplianceTypeCompliant, OrderingTimestamp: aws.Time(noon),
			}
			change(&e)
			return second(c.PutEvaluations(c.ctx, &configservice.PutEvaluationsInput{ResultToken: &token, TestMode: test, Evaluations: []types.Evaluation{e}}))
		}
	}
	attest := func(name string, change func(*types.ExternalEvaluation)) func(sdk) error {
		return func(c sdk) error {
			e := types.ExternalEvaluation{
				ComplianceResourceType: aws.String("AWS::::Account"), ComplianceResourceId: aws.String(account),
				ComplianceType: types.ComplianceTypeCompliant, OrderingTimestamp: aws.Time(noon),
			}
			change(&e)
			return second(c.PutExternalEvaluation(c.ctx, &configservice.PutExternalEvaluationInput{ConfigRuleName: &name, ExternalEvaluation: &e}))
		}
	}
	as := func(*types.Evaluation) {}
	refusedAll(t, func(w *world) {
		c := w.sdk()
		c.must(c.putRecorder(nil))
		c.must(c.putRule(functionRule("function", buckets)))
		c.must(c.putRule(managedRule("attested", "AWS_CONFIG_PROCESS_CHECK")))
	}, []refusal{
		{"empty token", put("", false, as), "InvalidResultTokenException", "resultToken"},
		{"token of nobody", put("bm9uc2Vuc2U", false, as), "InvalidResultTokenException", "resultToken"},
		{"no verdict yet", put("x", true, func(e *types.Evaluation) { e.ComplianceType = types.ComplianceTypeInsufficientData }), bad, "INSUFFICIENT_DATA is not accepted"},
		{"no word", put("x", true, func(e *types.Evaluation) { e.ComplianceType = "FINE" }), "ValidationException", "enum value set"},
		{"of the future", put("x", true, func(e *types.Evaluation) { e.OrderingTimestamp = aws.Time(noon.Add(time.Hour)) }), bad, "in the future"},
		{"long annotation", put("x", true, func(e *types.Evaluation) { e.Annotation = aws.String(strings.Repeat("a", 257)) }), "ValidationException", "less than or equal to 256"},
		{"attested, unknown", attest("none", func(*types.ExternalEvaluation) {}), "NoSuchConfigRuleException", "'none'"},
		{"attested, another rule", attest("function", func(*types.ExternalEvaluation) {}), bad, "AWS_CONFIG_PROCESS_CHECK"},
		{"attested, another type", attest("attested", func(e *types.ExternalEvaluation) { e.ComplianceResourceType = aws.String(buckets) }), bad, "AWS::::Account"},
		{"attested, another account", attest("attested", func(e *types.ExternalEvaluation) { e.ComplianceResourceId = aws.String("999999999999") }), bad, account},
		{"attested, no verdict", attest("attested", func(e *types.ExternalEvaluation) { e.ComplianceType = types.ComplianceTypeInsufficientData }), bad, "INSUFFICIENT_DATA"},
	})
}

// noon is when the clock of a world begins.
var noon = time.Date(2026, 7, 18, 12, 0, 0, 0, time.UTC)

func TestRulesNeedARecorderOrResources(t *testing.T) {
	w := open(t)
	c := w.sdk()
	if err := c.putRule(managedRule("ssh", "INCOMING_SSH_DISABLED")); codeOf(err) != "NoAvailableConfigurationRecorderException" {
		t.Error(err)
	}
	w.group(key(groups, "sg-1"), 22)
	c.must(c.putRule(managedRule("ssh", "INCOMING_SSH_DISABLED")))
}
