package awsconfig_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/smithy-go"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/conformance"
	"github.com/varvehq/varve/rules/recorded"
)

// packRule is a resource of a template: a rule of a name, made of a source.
func packRule(name, more string) string {
	return "  " + strings.ReplaceAll(name, "-", "") + ":\n    Type: AWS::Config::ConfigRule\n    " + more
}

func managedOf(name, identifier string, more ...string) string {
	return packRule(name, fmt.Sprintf("Properties: {ConfigRuleName: %s, Source: {Owner: AWS, SourceIdentifier: %s}%s}\n", name, identifier, strings.Join(more, "")))
}

func celOf(name, text, typ string) string {
	return packRule(name, fmt.Sprintf("Properties: {ConfigRuleName: %s, Scope: {ComplianceResourceTypes: ['%s']}, Source: {Owner: CUSTOM_POLICY, CustomPolicyDetails: {PolicyRuntime: cel, PolicyText: \"%s\"}}}\n", name, typ, text))
}

// packText is a template with a parameter Age.
func packText(list ...string) string {
	return "Parameters:\n  Age: {Type: Number, Default: '90'}\nResources:\n" + strings.Join(list, "")
}

var (
	sshOf  = managedOf("ssh", "INCOMING_SSH_DISABLED")
	keysOf = managedOf("keys", "ACCESS_KEYS_ROTATED", ", InputParameters: {maxAccessKeyAge: !Ref Age}") + "    Controls: [A.1, B.2]\n"
	noneOf = managedOf("none", "NO_SUCH_RULE")
)

// putPack puts a pack of a template.
func (c sdk) putPack(name, text string, change ...func(*configservice.PutConformancePackInput)) error {
	in := &configservice.PutConformancePackInput{ConformancePackName: aws.String(name)}
	if text != "" {
		in.TemplateBody = aws.String(text)
	}
	for _, f := range change {
		f(in)
	}
	_, err := c.PutConformancePack(c.ctx, in)
	return err
}

func given(pairs ...string) func(*configservice.PutConformancePackInput) {
	return func(in *configservice.PutConformancePackInput) {
		for i := 0; i < len(pairs); i += 2 {
			in.ConformancePackInputParameters = append(in.ConformancePackInputParameters,
				types.ConformancePackInputParameter{ParameterName: aws.String(pairs[i]), ParameterValue: aws.String(pairs[i+1])})
		}
	}
}

func tagged(tags ...types.Tag) func(*configservice.PutConformancePackInput) {
	return func(in *configservice.PutConformancePackInput) { in.Tags = tags }
}

func (c sdk) deletePack(name string) error {
	_, err := c.DeleteConformancePack(c.ctx, &configservice.DeleteConformancePackInput{ConformancePackName: aws.String(name)})
	return err
}

// packs are those of these names, or all, by pages of a size.
func (c sdk) packs(size int32, names ...string) ([]types.ConformancePackDetail, error) {
	var list []types.ConformancePackDetail
	pages := configservice.NewDescribeConformancePacksPaginator(c.Client, &configservice.DescribeConformancePacksInput{ConformancePackNames: names, Limit: size})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		if err != nil {
			return nil, err
		}
		if size > 0 && len(page.ConformancePackDetails) > int(size) {
			c.t.Errorf("%d packs on a page of %d", len(page.ConformancePackDetails), size)
		}
		list = append(list, page.ConformancePackDetails...)
	}
	return list, nil
}

func (c sdk) pack(name string) types.ConformancePackDetail {
	c.t.Helper()
	list, err := c.packs(0, name)
	c.must(err)
	return list[0]
}

func packNames(list []types.ConformancePackDetail) string {
	var names []string
	for _, p := range list {
		names = append(names, *p.ConformancePackName)
	}
	return strings.Join(names, " ")
}

func (c sdk) packStatus(name string) types.ConformancePackStatusDetail {
	c.t.Helper()
	out, err := c.DescribeConformancePackStatus(c.ctx, &configservice.DescribeConformancePackStatusInput{ConformancePackNames: []string{name}})
	c.must(err)
	if len(out.ConformancePackStatusDetails) != 1 {
		c.t.Fatal(out.ConformancePackStatusDetails)
	}
	return out.ConformancePackStatusDetails[0]
}

func TestPackLifeCycle(t *testing.T) {
	w := open(t)
	c := w.sdk()
	own := rules.Owner{Account: account, Region: region}
	c.must(c.putPack("base", packText(sshOf, keysOf, noneOf), given("Age", "30"), tagged(tag("team", "net")), func(in *configservice.PutConformancePackInput) {
		in.DeliveryS3Bucket, in.DeliveryS3KeyPrefix = aws.String("parts"), aws.String("a/b")
	}))
	putAt := w.clock.Now()

	is := c.pack("base")
	id, arn := *is.ConformancePackId, *is.ConformancePackArn
	if !strings.HasPrefix(id, "conformance-pack-") || len(id) != 26 || arn != "arn:aws:config:eu-west-1:123456789012:conformance-pack/base/"+id {
		t.Errorf("%s, %s", id, arn)
	}
	if *is.DeliveryS3Bucket != "parts" || *is.DeliveryS3KeyPrefix != "a/b" || !is.LastUpdateRequestedTime.Equal(putAt) || is.TemplateSSMDocumentDetails != nil ||
		len(is.ConformancePackInputParameters) != 1 || *is.ConformancePackInputParameters[0].ParameterName != "Age" || *is.ConformancePackInputParameters[0].ParameterValue != "30" {
		t.Errorf("%+v", is)
	}
	status := c.packStatus("base")
	if status.ConformancePackState != types.ConformancePackStateCreateComplete || *status.ConformancePackArn != arn || *status.ConformancePackId != id ||
		!status.LastUpdateRequestedTime.Equal(putAt) || !status.LastUpdateCompletedTime.Equal(putAt) ||
		!strings.HasPrefix(*status.StackArn, "arn:aws:cloudformation:eu-west-1:123456789012:stack/awsconfigconforms-base-"+id+"/") {
		t.Errorf("%+v", status)
	}
	if got, want := *status.ConformancePackStatusReason, "1 of 3 rules are not judged, and have INSUFFICIENT_DATA: none (NO_SUCH_RULE is no managed rule that this version computes)"; got != want {
		t.Errorf("reason %q; want %q", got, want)
	}
	list, err := c.describeRules()
	c.must(err)
	end := "-" + id
	if got, want := ruleNames(list), "keys"+end+" ssh"+end; got != want {
		t.Errorf("rules %q; want %q", got, want)
	}
	if got := *c.rule("keys" + end).InputParameters; got != `{"maxAccessKeyAge":"30"}` {
		t.Error(got)
	}
	if got := c.tags(arn); got != "team=net" {
		t.Errorf("tags %q", got)
	}
	ssh := rules.ConfigRuleARN(own, "base/ssh", account, region)
	c.must(c.tag(ssh, tag("of", "rule")))

	t.Run("Update", func(t *testing.T) {
		w.clock.advance(time.Hour)
		c.must(c.putPack("base", packText(keysOf), tagged(tag("later", "ignored"))))
		now := c.pack("base")
		if *now.ConformancePackId != id || now.DeliveryS3Bucket != nil || len(now.ConformancePackInputParameters) != 0 || !now.LastUpdateRequestedTime.Equal(w.clock.Now()) {
			t.Errorf("%+v", now)
		}
		if s := c.packStatus("base"); s.ConformancePackStatusReason != nil || *s.StackArn != *status.StackArn {
			t.Errorf("%+v", s)
		}
		list, err := c.describeRules()
		c.must(err)
		if got := ruleNames(list); got != "keys"+end || *list[0].InputParameters != `{"maxAccessKeyAge":"90"}` {
			t.Errorf("rules %q", got)
		}
		w.clock.advance(time.Hour)
		c.must(c.putPack("base", packText(keysOf, sshOf)))
		if got := c.tags(ssh); got != "" {
			t.Errorf("a rule that came back has the tags %q of the one that was withdrawn", got)
		}
		c.must(c.tag(ssh, tag("of", "rule")))
	})
	t.Run("Tag", func(t *testing.T) {
		c.must(c.tag(arn, tag("stage", "test")))
		if got := c.tags(arn); got != "stage=test team=net" {
			t.Errorf("tags %q", got)
		}
		c.must(c.untag(arn, "team"))
		if got := c.tags(arn); got != "stage=test" {
			t.Errorf("tags %q", got)
		}
	})
	t.Run("Delete", func(t *testing.T) {
		c.must(c.deletePack("base"))
		var gone *types.NoSuchConformancePackException
		if _, err := c.packs(0, "base"); !errors.As(err, &gone) || !strings.Contains(*gone.Message, "'base'") {
			t.Error(err)
		}
		if err := c.deletePack("base"); !errors.As(err, &gone) {
			t.Error(err)
		}
		if list, err := c.describeRules(); err != nil || len(list) != 0 {
			t.Errorf("%v, %v", ruleNames(list), err)
		}
		w.clock.advance(time.Second)
		c.must(c.putPack("base", packText(keysOf, sshOf)))
		for _, arn := range []string{arn, ssh} {
			if got := c.tags(arn); got != "" {
				t.Errorf("what was put anew has the tags %q of what was deleted", got)
			}
		}
	})
}

// Packs of other doors are seen here, and the other way round.
func TestPacksOfOtherDoors(t *testing.T) {
	w := open(t)
	w.group(key(groups, "sg-1"), 22)
	c, ctx, shelf := w.sdk(), t.Context(), recorded.New(w.store)
	own, all := rules.Owner{Account: account, Region: region}, rules.Owner{}
	template, ok := conformance.BuiltinTemplate("security-checks")
	if !ok {
		t.Fatal(conformance.Builtin())
	}
	for owner, names := range map[rules.Owner][]string{
		own:                {"mine", "both"},
		all:                {"everybodys", "both"},
		{Account: account}: {"accounts"},
		{Account: "999999999999", Region: region}: {"anothers"},
		{Account: account, Region: "us-east-1"}:   {"far"},
	} {
		for _, name := range names {
			_, _, err := shelf.PutPack(ctx, owner, name, template, nil)
			c.must(err)
		}
	}
	list, err := c.packs(2)
	c.must(err)
	if got, want := packNames(list), "accounts both everybodys mine"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	if got := *c.pack("everybodys").ConformancePackArn; got != "arn:aws:config:eu-west-1:123456789012:conformance-pack/everybodys/"+rules.ConformancePackID(all, "everybodys") {
		t.Error(got)
	}
	t.Run("AreJudged", func(t *testing.T) {
		w.settle()
		for _, name := range []string{"everybodys", "mine"} {
			if got := c.summaries(name); got != name+" NON_COMPLIANT" {
				t.Error(got)
			}
		}
	})
	t.Run("AreNotChanged", func(t *testing.T) {
		for _, name := range []string{"everybodys", "accounts"} {
			if err := c.deletePack(name); codeOf(err) != "AccessDeniedException" {
				t.Errorf("%s: %v", name, err)
			}
			if err := c.putPack(name, packText(sshOf)); codeOf(err) != "AccessDeniedException" {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("AnOwnOneHidesAnothers", func(t *testing.T) {
		if got := *c.pack("both").ConformancePackId; got != rules.ConformancePackID(own, "both") {
			t.Error(got)
		}
		c.must(c.deletePack("both"))
		if got := *c.pack("both").ConformancePackId; got != rules.ConformancePackID(all, "both") {
			t.Error(got)
		}
	})
	t.Run("OursAreSeenThere", func(t *testing.T) {
		c.must(c.putPack("mine", packText(keysOf), given("Age", "7")))
		r, err := w.store.AsOf(ctx, history.At{})
		c.must(err)
		is, err := recorded.GetPack(ctx, r, own, "mine")
		c.must(err)
		if is.Given()["Age"] != "7" || is.Template != packText(keysOf) || is.Version != 2 {
			t.Errorf("%+v", is)
		}
	})
}

// TestPacksOfAWS puts AWS's own packs as they are.
func TestPacksOfAWS(t *testing.T) {
	for file, want := range map[string]int{
		"Operational-Best-Practices-for-Amazon-S3-with-Remediation": 6,
		"Operational-Best-Practices-for-CIS-AWS-v1.4-Level2":        62,
	} {
		t.Run(file, func(t *testing.T) {
			template, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "aws", "packs", file+".yaml"))
			if err != nil {
				if testing.Short() {
					t.Skip("reads a file beside the checkout")
				}
				t.Skipf("SKIP: ../shared/aws/packs/%s.yaml is not there: no real pack to put", file)
			}
			w := open(t)
			c := w.sdk()
			w.group(key(groups, "sg-1"), 22)
			name := strings.ReplaceAll(file, ".", "-")
			c.must(c.putPack(name, string(template)))
			w.settle()
			list := c.packCompliance(name, 10)
			if len(list) != want {
				t.Errorf("%d rules; want %d", len(list), want)
			}
			// What is not judged is told, and nothing else is missing among the rules.
			seen, err := c.describeRules()
			c.must(err)
			unjudged := want - len(seen)
			reason := aws.ToString(c.packStatus(name).ConformancePackStatusReason)
			if unjudged > 0 != strings.HasPrefix(reason, fmt.Sprintf("%d of %d rules are not judged", unjudged, want)) || unjudged == 0 && reason != "" {
				t.Errorf("%d rules of %d are there, and the reason is %q", len(seen), want, reason)
			}
			for _, r := range seen {
				if !slices.ContainsFunc(list, func(s string) bool { return strings.HasPrefix(s, *r.ConfigRuleName+" ") }) {
					t.Errorf("%s is not told of", *r.ConfigRuleName)
				}
			}
		})
	}
}

func TestAttestedInAPack(t *testing.T) {
	w := open(t)
	c := w.sdk()
	c.must(c.putPack("base", packText(managedOf("contacts", "AWS_CONFIG_PROCESS_CHECK"))))
	name := "contacts-" + *c.pack("base").ConformancePackId
	r := c.rule(name)
	if r.Source.Owner != types.OwnerAws || *r.Source.SourceIdentifier != "AWS_CONFIG_PROCESS_CHECK" || len(r.Source.SourceDetails) > 0 {
		t.Errorf("%+v", r.Source)
	}
	w.settle()
	if got := c.packCompliance("base", 0); !slices.Equal(got, []string{name + " INSUFFICIENT_DATA"}) {
		t.Error(got)
	}
	c.must(second(c.PutExternalEvaluation(c.ctx, &configservice.PutExternalEvaluationInput{ConfigRuleName: &name, ExternalEvaluation: &types.ExternalEvaluation{
		ComplianceResourceType: aws.String("AWS::::Account"), ComplianceResourceId: aws.String(account), ComplianceType: types.ComplianceTypeCompliant,
		OrderingTimestamp: aws.Time(w.clock.Now()),
	}})))
	w.settle()
	if got := c.packCompliance("base", 0); !slices.Equal(got, []string{name + " COMPLIANT"}) {
		t.Error(got)
	}
	var refused smithy.APIError
	err := c.putPack("other", packText(managedOf("contacts", "AWS_CONFIG_PROCESS_CHECK", ", InputParameters: {days: '1'}")))
	if !errors.As(err, &refused) || refused.ErrorCode() != "ConformancePackTemplateValidationException" || !strings.Contains(err.Error(), "days") {
		t.Error(err)
	}
}

func TestReasonsAreBounded(t *testing.T) {
	c := open(t).sdk()
	var list []string
	for i := range 130 {
		list = append(list, managedOf(fmt.Sprintf("rule-%03d", i), fmt.Sprintf("NO_SUCH_%03d", i)))
	}
	text := packText(list...)
	c.must(c.putPack("base", text))
	reason := *c.packStatus("base").ConformancePackStatusReason
	n := strings.Count(reason, "is no managed rule")
	if utf8.RuneCountInString(reason) > 2000 || n < 15 || !strings.HasPrefix(reason, "130 of 130 rules") || !strings.HasSuffix(reason, fmt.Sprintf("; and %d more", 130-n)) {
		t.Errorf("%d named: %s", n, reason)
	}
}

func TestTooManyPacks(t *testing.T) {
	c := open(t).sdk()
	for i := range 50 {
		c.must(c.putPack(fmt.Sprintf("pack-%02d", i), packText(noneOf)))
	}
	var many *types.MaxNumberOfConformancePacksExceededException
	if err := c.putPack("more", packText(noneOf)); !errors.As(err, &many) || !strings.Contains(*many.Message, "50") {
		t.Error(err)
	}
	c.must(c.putPack("pack-49", packText(sshOf))) // one that is there
	list, err := c.packs(0)
	c.must(err)
	if len(list) != 50 || !slices.IsSortedFunc(list, func(a, b types.ConformancePackDetail) int {
		return strings.Compare(*a.ConformancePackName, *b.ConformancePackName)
	}) {
		t.Error(packNames(list))
	}
	t.Run("StatusPages", func(t *testing.T) {
		n := 0
		pages := configservice.NewDescribeConformancePackStatusPaginator(c.Client, &configservice.DescribeConformancePackStatusInput{Limit: 7})
		for pages.HasMorePages() {
			page, err := pages.NextPage(c.ctx)
			c.must(err)
			if len(page.ConformancePackStatusDetails) > 7 {
				t.Errorf("%d on a page of 7", len(page.ConformancePackStatusDetails))
			}
			n += len(page.ConformancePackStatusDetails)
		}
		if n != 50 {
			t.Errorf("%d packs", n)
		}
	})
	t.Run("OfOneMoment", func(t *testing.T) {
		first, err := c.DescribeConformancePacks(c.ctx, &configservice.DescribeConformancePacksInput{Limit: 10})
		c.must(err)
		c.must(c.deletePack("pack-10"))
		second, err := c.DescribeConformancePacks(c.ctx, &configservice.DescribeConformancePacksInput{NextToken: first.NextToken})
		c.must(err)
		if got := *second.ConformancePackDetails[0].ConformancePackName; got != "pack-10" || len(second.ConformancePackDetails) != 20 {
			t.Error(got, len(second.ConformancePackDetails))
		}
	})
	t.Run("StatusOfNone", func(t *testing.T) {
		out, err := c.DescribeConformancePackStatus(c.ctx, &configservice.DescribeConformancePackStatusInput{ConformancePackNames: []string{"none"}})
		c.must(err)
		if len(out.ConformancePackStatusDetails) != 0 {
			t.Error(out.ConformancePackStatusDetails)
		}
	})
}
