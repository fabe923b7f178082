package awsconfig_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/recorded"
)

func TestPacksAreRefused(t *testing.T) {
	const (
		bad      = "InvalidParameterValueException"
		template = "ConformancePackTemplateValidationException"
		unknown  = "NoSuchConformancePackException"
	)
	pack := func(name, text string, change ...func(*configservice.PutConformancePackInput)) func(sdk) error {
		return func(c sdk) error { return c.putPack(name, text, change...) }
	}
	from := func(uri string) func(*configservice.PutConformancePackInput) {
		return func(in *configservice.PutConformancePackInput) { in.TemplateS3Uri = aws.String(uri) }
	}
	ssm := func(in *configservice.PutConformancePackInput) {
		in.TemplateSSMDocumentDetails = &types.TemplateSSMDocumentDetails{DocumentName: aws.String("best-practices")}
	}
	pairs := func(n int) []string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprint("P", i), "v")
		}
		return list
	}
	ssh := packText(sshOf)
	many := []string{sshOf}
	for i := range 130 {
		many = append(many, managedOf(fmt.Sprint("r", i), "NO_SUCH"))
	}

	describe := func(limit int32, token string, names ...string) func(sdk) error {
		return func(c sdk) error {
			return second(c.DescribeConformancePacks(c.ctx, &configservice.DescribeConformancePacksInput{ConformancePackNames: names, Limit: limit, NextToken: optional(token)}))
		}
	}
	status := func(limit int32, token string) func(sdk) error {
		return func(c sdk) error {
			return second(c.DescribeConformancePackStatus(c.ctx, &configservice.DescribeConformancePackStatusInput{Limit: limit, NextToken: optional(token)}))
		}
	}
	comply := func(name string, limit int32, token string, f *types.ConformancePackComplianceFilters) func(sdk) error {
		return func(c sdk) error {
			return second(c.DescribeConformancePackCompliance(c.ctx, &configservice.DescribeConformancePackComplianceInput{ConformancePackName: aws.String(name), Limit: limit, NextToken: optional(token), Filters: f}))
		}
	}
	detail := func(name string, limit int32, token string, f *types.ConformancePackEvaluationFilters) func(sdk) error {
		return func(c sdk) error {
			return second(c.GetConformancePackComplianceDetails(c.ctx, &configservice.GetConformancePackComplianceDetailsInput{ConformancePackName: aws.String(name), Limit: limit, NextToken: optional(token), Filters: f}))
		}
	}
	summary := func(limit int32, token string, names ...string) func(sdk) error {
		return func(c sdk) error {
			return second(c.GetConformancePackComplianceSummary(c.ctx, &configservice.GetConformancePackComplianceSummaryInput{ConformancePackNames: names, Limit: limit, NextToken: optional(token)}))
		}
	}
	score := func(change func(*configservice.ListConformancePackComplianceScoresInput)) func(sdk) error {
		return func(c sdk) error {
			in := &configservice.ListConformancePackComplianceScoresInput{}
			change(in)
			return second(c.ListConformancePackComplianceScores(c.ctx, in))
		}
	}

	refusedAll(t, func(w *world) {
		w.sdk().must(w.sdk().putPack("there", ssh))
		_, _, err := recorded.New(w.store).PutPack(w.t.Context(), rules.Owner{}, "everybodys", []byte(ssh), nil)
		w.sdk().must(err)
	}, []refusal{
		{"a name of a digit", pack("1st", ssh), "ValidationException", "conformancePackName"},
		{"a name with a dot", pack("a.b", ssh), "ValidationException", "conformancePackName"},
		{"a name of 257", pack(strings.Repeat("n", 257), ssh), "ValidationException", "less than or equal to 256"},
		{"a name of 129, which AWS Config takes", pack(strings.Repeat("n", 129), ssh), bad, "128 of them at most"},
		{"no template", pack("new", ""), bad, "No template is given"},
		{"two templates", pack("new", ssh, from("s3://b/k")), bad, "More than one template"},
		{"a body and a document", pack("new", ssh, ssm), bad, "More than one template"},
		{"a document", pack("new", "", ssm), bad, "TemplateSSMDocumentDetails are not offered here"},
		{"a body of more than 51200", pack("new", ssh+strings.Repeat("#", 51200)), "ValidationException", "less than or equal to 51200"},
		{"an address that is none", pack("new", "", from("https://b/k")), "ValidationException", "templateS3Uri"},
		{"an address of no key", pack("new", "", from("s3://b")), bad, "names no object"},
		{"an address of no bucket", pack("new", "", from("s3:///k")), bad, "names no object"},
		{"an address of nothing", pack("new", "", from("s3://none/k")), bad, "There is no template at TemplateS3Uri 's3://none/k'"},
		{"an address above the bucket", pack("new", "", from("s3://none/../../k")), bad, "There is no template"},

		{"no YAML", pack("new", "Resources: ["), template, "Invalid conformance pack template provided. Errors found: [template is no YAML"},
		{"no resources", pack("new", "Description: x\n"), template, "line 1, column 1"},
		{"another type", pack("new", "Resources:\n  A: {Type: AWS::S3::Bucket, Properties: {}}\n"), template, "Resources.A.Type (line 2, column 13)"},
		{"a key that is none", pack("new", "Resources:\n  A: {Typ: x}\n"), template, "Resources.A.Typ (line 2"},
		{"a reference to nothing", pack("new", packText(managedOf("a", "ACCESS_KEYS_ROTATED", ", InputParameters: {maxAccessKeyAge: !Ref Years}"))), template, "Years"},
		{"a parameter that the rule has not", pack("new", packText(managedOf("a", "ACCESS_KEYS_ROTATED", ", InputParameters: {age: 9}"))), template, "age"},
		{"two rules of one name", pack("new", packText(sshOf, strings.Replace(sshOf, "ssh:", "other:", 1))), template, "has the name ssh"},
		{"more than 130 rules", pack("new", packText(many...)), template, "Resources are 131 rules; a pack has at most 130"},
		{"a value that is not allowed", pack("new", packText(keysOf), given("Age", "old")), template, "Parameters.Age (line 2, column 8) is given as \"old\""},

		{"a parameter that is none", pack("new", ssh, given("Ages", "9")), bad, "parameters.Ages is no parameter of the pack"},
		{"a parameter twice", pack("new", ssh, given("Age", "9", "Age", "8")), bad, "'Age' is given twice"},
		{"61 parameters", pack("new", ssh, given(pairs(61)...)), "ValidationException", "less than or equal to 60"},
		{"a long value", pack("new", ssh, given("Age", strings.Repeat("9", 4097))), "ValidationException", "4096"},
		{"a long bucket", pack("new", ssh, func(in *configservice.PutConformancePackInput) {
			in.DeliveryS3Bucket = aws.String(strings.Repeat("b", 64))
		}), "ValidationException", "deliveryS3Bucket"},
		{"51 tags", pack("new", ssh, tagged(manyTags(0, 51)...)), "ValidationException", "less than or equal to 50"},
		{"a tag twice", pack("new", ssh, tagged(tag("a", ""), tag("A", ""))), "ValidationException", "Duplicate tag keys"},
		{"a reserved tag", pack("new", ssh, tagged(tag("aws:x", ""))), "ValidationException", "aws:"},
		{"everybody's", pack("everybodys", ssh), "AccessDeniedException", "put one under another name"},
		{"everybody's, to delete", func(c sdk) error { return c.deletePack("everybodys") }, "AccessDeniedException", "'everybodys'"},
		{"unknown, to delete", func(c sdk) error { return c.deletePack("none") }, unknown, "The conformance pack 'none' does not exist"},

		{"unknown, to describe", describe(0, "", "there", "none"), unknown, "'none'"},
		{"packs, 21 on a page", describe(21, ""), "InvalidLimitException", "less than or equal to 20"},
		{"packs, fewer than none on a page", describe(-1, ""), "InvalidLimitException", "-1"},
		{"packs, token", describe(0, "x"), "InvalidNextTokenException", ""},
		{"packs, 26 names", describe(0, "", strings.Fields(strings.Repeat("there ", 26))...), "ValidationException", "less than or equal to 25"},
		{"packs, token of another question", func(c sdk) error {
			c.must(c.putPack("two", ssh))
			out, err := c.DescribeConformancePackStatus(c.ctx, &configservice.DescribeConformancePackStatusInput{Limit: 1})
			c.must(err)
			return describe(1, *out.NextToken)(c)
		}, "InvalidNextTokenException", ""},
		{"status, 21 on a page", status(21, ""), "InvalidLimitException", "21"},
		{"status, token", status(0, "x"), "InvalidNextTokenException", ""},

		{"compliance, unknown", comply("none", 0, "", nil), unknown, "'none'"},
		{"compliance, unknown rule", comply("there", 0, "", &types.ConformancePackComplianceFilters{ConfigRuleNames: []string{"ssh"}}), "NoSuchConfigRuleInConformancePackException", "The ConfigRule 'ssh' is not in the conformance pack 'there'"},
		{"compliance, no word", comply("there", 0, "", &types.ConformancePackComplianceFilters{ComplianceType: "FINE"}), "ValidationException", "enum value set"},
		{"compliance, 1001 on a page", comply("there", 1001, "", nil), "InvalidLimitException", "1001"},
		{"compliance, token", comply("there", 0, "x", nil), "InvalidNextTokenException", ""},
		{"details, unknown", detail("none", 0, "", nil), unknown, "'none'"},
		{"details, unknown rule", detail("there", 0, "", &types.ConformancePackEvaluationFilters{ConfigRuleNames: []string{"x"}}), "NoSuchConfigRuleInConformancePackException", "'x'"},
		{"details, ids of no type", detail("there", 0, "", &types.ConformancePackEvaluationFilters{ResourceIds: []string{"x"}}), bad, "resourceType should be provided"},
		{"details, six ids", detail("there", 0, "", &types.ConformancePackEvaluationFilters{ResourceType: aws.String(groups), ResourceIds: strings.Fields("a b c d e f")}), "ValidationException", "less than or equal to 5"},
		{"details, 101 on a page", detail("there", 101, "", nil), "InvalidLimitException", "101"},
		{"details, token", detail("there", 0, "x", nil), "InvalidNextTokenException", ""},
		{"summary, unknown", summary(0, "", "there", "none"), unknown, "'none'"},
		{"summary, six names", summary(0, "", strings.Fields("a b c d e f")...), "ValidationException", "less than or equal to 5"},
		{"summary, 21 on a page", summary(21, "", "there"), "InvalidLimitException", "21"},
		{"summary, token", summary(0, "x", "there"), "InvalidNextTokenException", ""},
		{"scores, 21 on a page", score(func(in *configservice.ListConformancePackComplianceScoresInput) { in.Limit = 21 }), "InvalidLimitException", "21"},
		{"scores, token", score(func(in *configservice.ListConformancePackComplianceScoresInput) { in.NextToken = aws.String("x") }), "InvalidNextTokenException", ""},
		{"scores, no order", score(func(in *configservice.ListConformancePackComplianceScoresInput) { in.SortOrder = "UP" }), "ValidationException", "enum value set"},
		{"scores, by nothing", score(func(in *configservice.ListConformancePackComplianceScoresInput) { in.SortBy = "NAME" }), "ValidationException", "enum value set"},
	})
}

// optional is a text that may be left out.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func TestPacksThatAreRefusedLeaveNothing(t *testing.T) {
	w := open(t)
	c := w.sdk()
	var invalid *types.ConformancePackTemplateValidationException
	if err := c.putPack("base", packText(sshOf, managedOf("a", "ACCESS_KEYS_ROTATED", ", InputParameters: {age: 9}")), tagged(tag("a", ""))); !errors.As(err, &invalid) {
		t.Fatal(err)
	}
	if list, err := c.packs(0); err != nil || len(list) != 0 {
		t.Error(packNames(list), err)
	}
	if list, err := c.describeRules(); err != nil || len(list) != 0 {
		t.Error(ruleNames(list), err)
	}
	c.must(c.putPack("base", packText(sshOf)))
	if got := c.tags(*c.pack("base").ConformancePackArn); got != "" {
		t.Error(got)
	}
}
