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
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/recorded"
)

// outcome is a text of what some results come to.
func outcome(c *types.Compliance) string {
	text := string(c.ComplianceType)
	if n := c.ComplianceContributorCount; n != nil {
		text += fmt.Sprint(" ", n.CappedCount)
		if n.CapExceeded {
			text += "+"
		}
	}
	return text
}

func counted(n *types.ComplianceContributorCount) string {
	text := fmt.Sprint(n.CappedCount)
	if n.CapExceeded {
		text += "+"
	}
	return text
}

// byRule is what rules come to, page by page.
func (c sdk) byRule(in configservice.DescribeComplianceByConfigRuleInput) string {
	c.t.Helper()
	var list []string
	pages := configservice.NewDescribeComplianceByConfigRulePaginator(c.Client, &in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		c.must(err)
		for _, r := range page.ComplianceByConfigRules {
			list = append(list, *r.ConfigRuleName+" "+outcome(r.Compliance))
		}
	}
	return strings.Join(list, ", ")
}

// byResource is what resources come to, page by page.
func (c sdk) byResource(in configservice.DescribeComplianceByResourceInput) string {
	c.t.Helper()
	var list []string
	pages := configservice.NewDescribeComplianceByResourcePaginator(c.Client, &in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		c.must(err)
		if in.Limit > 0 && len(page.ComplianceByResources) > int(in.Limit) {
			c.t.Errorf("%d on a page of %d", len(page.ComplianceByResources), in.Limit)
		}
		for _, r := range page.ComplianceByResources {
			list = append(list, *r.ResourceId+" "+outcome(r.Compliance))
		}
	}
	return strings.Join(list, ", ")
}

// ofRule are the results of a rule, page by page.
func (c sdk) ofRule(in configservice.GetComplianceDetailsByConfigRuleInput) (list []types.EvaluationResult) {
	c.t.Helper()
	pages := configservice.NewGetComplianceDetailsByConfigRulePaginator(c.Client, &in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		c.must(err)
		list = append(list, page.EvaluationResults...)
	}
	return list
}

// ofResource are the results on a resource, page by page.
func (c sdk) ofResource(typ, id string, only ...types.ComplianceType) (list []types.EvaluationResult) {
	c.t.Helper()
	pages := configservice.NewGetComplianceDetailsByResourcePaginator(c.Client, &configservice.GetComplianceDetailsByResourceInput{
		ResourceType: &typ, ResourceId: &id, ComplianceTypes: only,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		c.must(err)
		list = append(list, page.EvaluationResults...)
	}
	return list
}

// found is a text of results.
func found(list []types.EvaluationResult) string {
	var all []string
	for _, r := range list {
		q := r.EvaluationResultIdentifier.EvaluationResultQualifier
		all = append(all, *q.ConfigRuleName+"/"+*q.ResourceId+" "+string(r.ComplianceType))
	}
	return strings.Join(all, ", ")
}

// judgedWorld has some groups and rules about them.
func judgedWorld(t *testing.T) (*world, sdk) {
	w := open(t)
	w.group(key(groups, "sg-1"), 22)
	w.group(key(groups, "sg-2"), 0)
	w.group(key(groups, "sg-3"), 80)
	w.group(history.Key{Account: account, Region: "global", Type: groups, ID: "sg-global"}, 22)
	w.group(history.Key{Region: "", Type: groups, ID: "sg-nobodys"}, 0)
	w.group(history.Key{Account: account, Region: "us-east-1", Type: groups, ID: "sg-far"}, 22)
	w.group(history.Key{Account: "999999999999", Region: region, Type: groups, ID: "sg-anothers"}, 22)
	c := w.sdk()
	c.must(c.putRule(managedRule("ssh", "INCOMING_SSH_DISABLED")))
	c.must(c.putRule(celRule("odd", `resource.id == "sg-2" ? config.notThere == 1 : resource.id != "sg-3"`, groups)))
	c.must(c.putRule(celRule("fine", "true", groups)))
	c.must(c.putRule(celRule("nothing", "true", "AWS::Nothing::Here")))
	_, _, err := recorded.New(w.store).PutRules(t.Context(), rules.Owner{}, []*rules.Rule{
		{Name: "everybodys", Compliant: `resource.id != "sg-1" && resource.id != "sg-far"`, Applicable: `resource.id != "sg-2"`, Scope: rules.Scope{Types: []string{groups}}},
	}, 0)
	c.must(err)
	w.settle()
	return w, c
}

func TestCompliance(t *testing.T) {
	w, c := judgedWorld(t)
	t.Run("ByRule", func(t *testing.T) {
		const want = "everybodys NON_COMPLIANT 1, fine COMPLIANT, nothing INSUFFICIENT_DATA, odd NON_COMPLIANT 1, ssh NON_COMPLIANT 2"
		if got := c.byRule(configservice.DescribeComplianceByConfigRuleInput{}); got != want {
			t.Errorf("%s; want %s", got, want)
		}
		for only, want := range map[types.ComplianceType]string{
			"COMPLIANT": "fine COMPLIANT", "INSUFFICIENT_DATA": "nothing INSUFFICIENT_DATA",
		} {
			if got := c.byRule(configservice.DescribeComplianceByConfigRuleInput{ComplianceTypes: []types.ComplianceType{only}}); got != want {
				t.Errorf("%s; want %s", got, want)
			}
		}
		if got := c.byRule(configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{"ssh", "fine"}}); got != "ssh NON_COMPLIANT 2, fine COMPLIANT" {
			t.Error(got)
		}
	})
	t.Run("ByResource", func(t *testing.T) {
		const want = "sg-nobodys COMPLIANT, sg-1 NON_COMPLIANT 2, sg-2 INSUFFICIENT_DATA, sg-3 NON_COMPLIANT 1, sg-global NON_COMPLIANT 1"
		for _, limit := range []int32{0, 1, 2, 100} {
			if got := c.byResource(configservice.DescribeComplianceByResourceInput{Limit: limit}); got != want {
				t.Errorf("%d a page: %s; want %s", limit, got, want)
			}
		}
		if got := c.byResource(configservice.DescribeComplianceByResourceInput{ResourceType: aws.String(groups), ResourceId: aws.String("sg-3")}); got != "sg-3 NON_COMPLIANT 1" {
			t.Error(got)
		}
		if got := c.byResource(configservice.DescribeComplianceByResourceInput{ResourceType: aws.String(buckets)}); got != "" {
			t.Error(got)
		}
		if got := c.byResource(configservice.DescribeComplianceByResourceInput{ComplianceTypes: []types.ComplianceType{"COMPLIANT"}, Limit: 1}); got != "sg-nobodys COMPLIANT" {
			t.Error(got)
		}
	})
	t.Run("DetailsByRule", func(t *testing.T) {
		const want = "odd/sg-nobodys COMPLIANT, odd/sg-1 COMPLIANT, odd/sg-2 INSUFFICIENT_DATA, odd/sg-3 NON_COMPLIANT, odd/sg-global COMPLIANT"
		for _, limit := range []int32{0, 1, 3} {
			if got := found(c.ofRule(configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: aws.String("odd"), Limit: limit})); got != want {
				t.Errorf("%s; want %s", got, want)
			}
		}
		only := c.ofRule(configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: aws.String("odd"), ComplianceTypes: []types.ComplianceType{"INSUFFICIENT_DATA"}})
		if len(only) != 1 || !strings.Contains(*only[0].Annotation, "notThere") {
			t.Errorf("%+v", only)
		}
		if got := found(c.ofRule(configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: aws.String("everybodys")})); strings.Contains(got, "sg-2") || strings.Contains(got, "far") {
			t.Error(got)
		}
		if got := found(c.ofRule(configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: aws.String("everybodys"), ComplianceTypes: []types.ComplianceType{"NOT_APPLICABLE"}})); got != "everybodys/sg-2 NOT_APPLICABLE" {
			t.Error(got)
		}
	})
	t.Run("DetailsByResource", func(t *testing.T) {
		if got, want := found(c.ofResource(groups, "sg-1")), "everybodys/sg-1 NON_COMPLIANT, fine/sg-1 COMPLIANT, odd/sg-1 COMPLIANT, ssh/sg-1 NON_COMPLIANT"; got != want {
			t.Errorf("%s; want %s", got, want)
		}
		if got := found(c.ofResource(groups, "sg-1", "NON_COMPLIANT")); got != "everybodys/sg-1 NON_COMPLIANT, ssh/sg-1 NON_COMPLIANT" {
			t.Error(got)
		}
		if got := found(c.ofResource(groups, "sg-far")); got != "" {
			t.Errorf("of another region: %s", got)
		}
		if got := found(c.ofResource(groups, "sg-global", "NON_COMPLIANT")); got != "ssh/sg-global NON_COMPLIANT" {
			t.Error(got)
		}
	})
	t.Run("Times", func(t *testing.T) {
		captured := w.clock.Now().Add(time.Minute)
		w.clock.at.Store(captured.UnixMicro())
		w.group(key(groups, "sg-2"), 22)
		captured = w.clock.Now()
		w.settle()
		list := c.ofResource(groups, "sg-2", "NON_COMPLIANT")
		if len(list) != 1 || !list[0].EvaluationResultIdentifier.OrderingTimestamp.Equal(captured) || list[0].ResultRecordedTime.Before(captured) ||
			!list[0].ConfigRuleInvokedTime.Equal(*list[0].ResultRecordedTime) || *list[0].Annotation != "Port 22 is open to the world." || list[0].ResultToken != nil {
			t.Errorf("%+v", list)
		}
	})
}

func TestComplianceSummaries(t *testing.T) {
	w, c := judgedWorld(t)
	rulesOf := func() string {
		out, err := c.GetComplianceSummaryByConfigRule(c.ctx, &configservice.GetComplianceSummaryByConfigRuleInput{})
		c.must(err)
		s := out.ComplianceSummary
		if !s.ComplianceSummaryTimestamp.Equal(w.clock.Now()) {
			t.Error(s.ComplianceSummaryTimestamp)
		}
		return counted(s.CompliantResourceCount) + " " + counted(s.NonCompliantResourceCount)
	}
	resourcesOf := func(named ...string) (text string) {
		out, err := c.GetComplianceSummaryByResourceType(c.ctx, &configservice.GetComplianceSummaryByResourceTypeInput{ResourceTypes: named})
		c.must(err)
		for _, s := range out.ComplianceSummariesByResourceType {
			if s.ResourceType != nil {
				text += *s.ResourceType + " "
			}
			text += counted(s.ComplianceSummary.CompliantResourceCount) + " " + counted(s.ComplianceSummary.NonCompliantResourceCount) + ","
		}
		return text
	}
	if got := rulesOf(); got != "1 3" {
		t.Error(got)
	}
	if got := resourcesOf(); got != "1 3," {
		t.Error(got)
	}
	if got := resourcesOf(buckets, groups); got != buckets+" 0 0,"+groups+" 1 3," {
		t.Error(got)
	}
	t.Run("Capped", func(t *testing.T) {
		var many []history.Observation
		for i := range 130 {
			text := `{"ipPermissions":[{"fromPort":22,"toPort":22,"ipProtocol":"tcp","ipRanges":["0.0.0.0/0"]}]}`
			many = append(many,
				history.Observation{Key: key(groups, fmt.Sprint("sg-many-", i)), State: history.State{Configuration: []byte(text)}},
				history.Observation{Key: key(groups, fmt.Sprint("sg-none-", i)), State: history.State{Configuration: []byte(`{"ipPermissions":[]}`)}})
		}
		w.record(many...)
		var list []*rules.Rule
		for i := range 30 {
			list = append(list,
				&rules.Rule{Name: fmt.Sprint("bad-", i), Scope: rules.Scope{Types: []string{groups}, IDs: []string{"sg-1"}}, Compliant: "false"},
				&rules.Rule{Name: fmt.Sprint("good-", i), Scope: rules.Scope{Types: []string{groups}, IDs: []string{"sg-3"}}, Compliant: "true"})
		}
		_, _, err := recorded.New(w.store).PutRules(t.Context(), rules.Owner{Account: account, Region: region}, list, 0)
		c.must(err)
		w.settle()
		if got := rulesOf(); got != "25+ 25+" {
			t.Error(got)
		}
		if got := resourcesOf(groups); got != groups+" 100+ 100+," {
			t.Error(got)
		}
		if got := c.byRule(configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{"ssh"}}); got != "ssh NON_COMPLIANT 25+" {
			t.Error(got)
		}
		if got := c.byResource(configservice.DescribeComplianceByResourceInput{ResourceType: aws.String(groups), ResourceId: aws.String("sg-1")}); got != "sg-1 NON_COMPLIANT 25+" {
			t.Error(got)
		}
		list2 := c.ofRule(configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: aws.String("ssh"), Limit: 7, ComplianceTypes: []types.ComplianceType{"NON_COMPLIANT"}})
		if len(list2) != 132 {
			t.Errorf("%d results", len(list2))
		}
		if n := strings.Count(c.byResource(configservice.DescribeComplianceByResourceInput{ResourceType: aws.String(groups), Limit: 33}), ","); n != 264 {
			t.Errorf("%d resources", n+1)
		}
		if n := strings.Count(c.byRule(configservice.DescribeComplianceByConfigRuleInput{}), ","); n != 64 {
			t.Errorf("%d rules", n+1)
		}
	})
}

// What is waived stays what it is, since AWS Config knows no waivers; the annotation
// tells.
func TestWaivedResults(t *testing.T) {
	w, c := judgedWorld(t)
	_, _, err := recorded.New(w.store).PutWaiver(t.Context(), &engine.Waiver{
		Owner: rules.Owner{Account: account, Region: region}, Waiver: rules.Waiver{Name: "bastion", Rules: []string{"ssh"}, Reason: "it is one", Author: "a"},
	})
	c.must(err)
	list := c.ofResource(groups, "sg-1", "NON_COMPLIANT")
	if len(list) != 2 || *list[1].Annotation != "waived by bastion (it is one): Port 22 is open to the world." {
		t.Errorf("%+v", list)
	}
}

func TestDeletedResults(t *testing.T) {
	w, c := judgedWorld(t)
	drop := func() {
		t.Helper()
		w.clock.advance(time.Second)
		_, err := c.DeleteEvaluationResults(c.ctx, &configservice.DeleteEvaluationResultsInput{ConfigRuleName: aws.String("ssh")})
		c.must(err)
	}
	is := func(want string) {
		t.Helper()
		if got := c.byRule(configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{"ssh"}}); got != "ssh "+want {
			t.Errorf("%s; want %s", got, want)
		}
	}
	drop()
	is("INSUFFICIENT_DATA")
	if got := found(c.ofResource(groups, "sg-1")); strings.Contains(got, "ssh") {
		t.Error(got)
	}
	if got := c.byResource(configservice.DescribeComplianceByResourceInput{ResourceType: aws.String(groups), ResourceId: aws.String("sg-global")}); got != "sg-global COMPLIANT" {
		t.Error(got)
	}
	t.Run("OneResourceChanges", func(t *testing.T) {
		w.clock.advance(time.Second)
		w.record(history.Observation{Key: key(groups, "sg-1"), State: history.State{
			Name: "changed", Configuration: []byte(`{"ipPermissions":[{"fromPort":22,"toPort":22,"ipProtocol":"tcp","ipRanges":["0.0.0.0/0"]}]}`),
		}})
		w.settle()
		is("NON_COMPLIANT 1")
	})
	t.Run("EvaluatedAnew", func(t *testing.T) {
		w.clock.advance(time.Second)
		_, err := c.StartConfigRulesEvaluation(c.ctx, &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{"ssh"}})
		c.must(err)
		w.settle()
		is("NON_COMPLIANT 2")
	})
	t.Run("PutAgain", func(t *testing.T) {
		drop()
		is("INSUFFICIENT_DATA")
		w.clock.advance(time.Second)
		again := managedRule("ssh", "INCOMING_SSH_DISABLED")
		again.Description = aws.String("otherwise")
		c.must(c.putRule(again))
		w.settle()
		is("NON_COMPLIANT 2")
	})
	t.Run("HistoryStays", func(t *testing.T) {
		drop()
		r, err := w.store.AsOf(t.Context(), history.At{})
		c.must(err)
		list, err := engine.Intervals(t.Context(), r, engine.VerdictKey(rules.Owner{Account: account, Region: region}, "ssh", key(groups, "sg-1")))
		c.must(err)
		if len(list) == 0 || list[len(list)-1].To != history.Newest {
			t.Errorf("%+v", list)
		}
	})
	t.Run("NotOfEverybody", func(t *testing.T) {
		_, err := c.DeleteEvaluationResults(c.ctx, &configservice.DeleteEvaluationResultsInput{ConfigRuleName: aws.String("everybodys")})
		if codeOf(err) != "AccessDeniedException" {
			t.Error(err)
		}
	})
}

func TestPutEvaluations(t *testing.T) {
	w := open(t)
	w.record(state(key(buckets, "b"), w.clock.moment(), 1), state(key(buckets, "c"), w.clock.moment(), 1))
	c := w.sdk()
	c.must(c.putRule(functionRule("function", buckets)))
	w.settle()
	open := c.ofRule(configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: aws.String("function")})
	if got := found(open); got != "function/b INSUFFICIENT_DATA, function/c INSUFFICIENT_DATA" {
		t.Fatal(got)
	}
	token := open[0].ResultToken
	w.clock.advance(time.Minute)
	put := func(test bool, list ...types.Evaluation) []types.Evaluation {
		t.Helper()
		out, err := c.PutEvaluations(c.ctx, &configservice.PutEvaluationsInput{ResultToken: token, TestMode: test, Evaluations: list})
		c.must(err)
		w.settle()
		return out.FailedEvaluations
	}
	on := func(typ, id string, is types.ComplianceType, at time.Time, annotation string) types.Evaluation {
		e := types.Evaluation{ComplianceResourceType: &typ, ComplianceResourceId: &id, ComplianceType: is, OrderingTimestamp: &at}
		if annotation != "" {
			e.Annotation = &annotation
		}
		return e
	}
	is := func(want string) {
		t.Helper()
		if got := found(c.ofRule(configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: aws.String("function")})); got != want {
			t.Errorf("%s; want %s", got, want)
		}
	}
	now := w.clock.Now()
	if failed := put(true, on(buckets, "b", "COMPLIANT", now, "")); len(failed) > 0 {
		t.Error(failed)
	}
	is("function/b INSUFFICIENT_DATA, function/c INSUFFICIENT_DATA")
	failed := put(false, on(buckets, "b", "NON_COMPLIANT", now, "because"), on(groups, "sg", "COMPLIANT", now, ""), on(buckets, "unrecorded", "COMPLIANT", now, ""))
	if len(failed) != 1 || *failed[0].ComplianceResourceId != "sg" {
		t.Errorf("%+v", failed)
	}
	is("function/b NON_COMPLIANT, function/c INSUFFICIENT_DATA, function/unrecorded COMPLIANT")
	if got := c.byResource(configservice.DescribeComplianceByResourceInput{Limit: 1}); got != "b NON_COMPLIANT 1, c INSUFFICIENT_DATA, unrecorded COMPLIANT" {
		t.Error(got)
	}
	if got := found(c.ofResource(buckets, "unrecorded")); got != "function/unrecorded COMPLIANT" {
		t.Error(got)
	}
	t.Run("OlderLoses", func(t *testing.T) {
		put(false, on(buckets, "b", "COMPLIANT", now.Add(-time.Second), ""))
		is("function/b NON_COMPLIANT, function/c INSUFFICIENT_DATA, function/unrecorded COMPLIANT")
	})
	t.Run("SameAgainIsNewer", func(t *testing.T) {
		w.clock.advance(time.Minute)
		put(false, on(buckets, "b", "NON_COMPLIANT", w.clock.Now(), "because"))
		r := c.ofResource(buckets, "b")[0]
		if !r.EvaluationResultIdentifier.OrderingTimestamp.Equal(w.clock.Now()) || !r.ResultRecordedTime.Equal(w.clock.Now()) || *r.Annotation != "because" || r.ResultToken == nil {
			t.Errorf("%+v", r)
		}
		if s := c.status("function"); !s.LastSuccessfulEvaluationTime.Equal(now) {
			t.Errorf("%+v", s)
		}
	})
	t.Run("NotApplicableTakesAway", func(t *testing.T) {
		w.clock.advance(time.Minute)
		put(false, on(buckets, "b", "NOT_APPLICABLE", w.clock.Now(), ""))
		is("function/c INSUFFICIENT_DATA, function/unrecorded COMPLIANT")
	})
	t.Run("OfAnotherAccount", func(t *testing.T) {
		other := sdk{w.clientOf("999999999999", region), t, t.Context()}
		_, err := other.PutEvaluations(t.Context(), &configservice.PutEvaluationsInput{ResultToken: token})
		var unknown *types.NoSuchConfigRuleException
		if !errors.As(err, &unknown) {
			t.Error(err)
		}
	})
	t.Run("RuleIsGone", func(t *testing.T) {
		w.clock.advance(time.Minute)
		c.must(c.deleteRule("function"))
		_, err := c.PutEvaluations(c.ctx, &configservice.PutEvaluationsInput{ResultToken: token})
		var unknown *types.NoSuchConfigRuleException
		if !errors.As(err, &unknown) {
			t.Error(err)
		}
		w.settle()
		if got := c.byResource(configservice.DescribeComplianceByResourceInput{}); got != "" {
			t.Error(got)
		}
	})
	t.Run("RuleIsAnotherNow", func(t *testing.T) {
		w.clock.advance(time.Minute)
		c.must(c.putRule(celRule("function", "true", buckets)))
		_, err := c.PutEvaluations(c.ctx, &configservice.PutEvaluationsInput{ResultToken: token})
		var bad *types.InvalidResultTokenException
		if !errors.As(err, &bad) {
			t.Error(err)
		}
	})
	t.Run("TokenIsChanged", func(t *testing.T) {
		b := []byte(*token)
		b[20] ^= 1
		_, err := c.PutEvaluations(c.ctx, &configservice.PutEvaluationsInput{ResultToken: aws.String(string(b))})
		var bad *types.InvalidResultTokenException
		if !errors.As(err, &bad) {
			t.Error(err)
		}
	})
}

func TestPutExternalEvaluation(t *testing.T) {
	w := open(t)
	c := w.sdk()
	c.must(c.putRecorder(nil))
	c.must(c.putRule(managedRule("attested", "AWS_CONFIG_PROCESS_CHECK")))
	w.settle()
	if got := c.byRule(configservice.DescribeComplianceByConfigRuleInput{}); got != "attested INSUFFICIENT_DATA" {
		t.Error(got)
	}
	for _, is := range []types.ComplianceType{types.ComplianceTypeNonCompliant, types.ComplianceTypeCompliant} {
		w.clock.advance(time.Minute)
		_, err := c.PutExternalEvaluation(c.ctx, &configservice.PutExternalEvaluationInput{ConfigRuleName: aws.String("attested"), ExternalEvaluation: &types.ExternalEvaluation{
			ComplianceResourceType: aws.String("AWS::::Account"), ComplianceResourceId: aws.String(account), ComplianceType: is,
			Annotation: aws.String("seen"), OrderingTimestamp: aws.Time(w.clock.Now()),
		}})
		c.must(err)
		w.settle()
		list := c.ofResource("AWS::::Account", account)
		if len(list) != 1 || list[0].ComplianceType != is || list[0].ResultToken != nil {
			t.Errorf("%+v", list)
		}
	}
	if got := c.byRule(configservice.DescribeComplianceByConfigRuleInput{}); got != "attested COMPLIANT" {
		t.Error(got)
	}
	if got := c.byResource(configservice.DescribeComplianceByResourceInput{ResourceType: aws.String("AWS::::Account")}); got != account+" COMPLIANT" {
		t.Error(got)
	}
}

func TestComplianceIsRefused(t *testing.T) {
	const bad = "InvalidParameterValueException"
	four := []types.ComplianceType{"COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA"}
	refusedAll(t, func(w *world) { w.sdk().must(w.sdk().putRecorder(nil)) }, []refusal{
		{"by rule, unknown", func(c sdk) error {
			return second(c.DescribeComplianceByConfigRule(c.ctx, &configservice.DescribeComplianceByConfigRuleInput{ConfigRuleNames: []string{"none"}}))
		}, "NoSuchConfigRuleException", "'none'"},
		{"by rule, four words", func(c sdk) error {
			return second(c.DescribeComplianceByConfigRule(c.ctx, &configservice.DescribeComplianceByConfigRuleInput{ComplianceTypes: four}))
		}, "ValidationException", "less than or equal to 3"},
		{"by rule, token", func(c sdk) error {
			return second(c.DescribeComplianceByConfigRule(c.ctx, &configservice.DescribeComplianceByConfigRuleInput{NextToken: aws.String("x")}))
		}, "InvalidNextTokenException", "nextToken"},
		{"by resource, no type", func(c sdk) error {
			return second(c.DescribeComplianceByResource(c.ctx, &configservice.DescribeComplianceByResourceInput{ResourceId: aws.String("x")}))
		}, bad, "resourceType"},
		{"by resource, limit", func(c sdk) error {
			return second(c.DescribeComplianceByResource(c.ctx, &configservice.DescribeComplianceByResourceInput{Limit: 101}))
		}, "ValidationException", "less than or equal to 100"},
		{"by resource, token", func(c sdk) error {
			return second(c.DescribeComplianceByResource(c.ctx, &configservice.DescribeComplianceByResourceInput{NextToken: aws.String("x")}))
		}, "InvalidNextTokenException", "nextToken"},
		{"details of a rule, unknown", func(c sdk) error {
			return second(c.GetComplianceDetailsByConfigRule(c.ctx, &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: aws.String("none")}))
		}, "NoSuchConfigRuleException", "'none'"},
		{"details of a resource, of which", func(c sdk) error {
			return second(c.GetComplianceDetailsByResource(c.ctx, &configservice.GetComplianceDetailsByResourceInput{ResourceType: aws.String(groups)}))
		}, bad, "resourceId"},
		{"details of a resource, token", func(c sdk) error {
			return second(c.GetComplianceDetailsByResource(c.ctx, &configservice.GetComplianceDetailsByResourceInput{
				ResourceType: aws.String(groups), ResourceId: aws.String("x"), NextToken: aws.String("x"),
			}))
		}, bad, "nextToken"},
		{"details of a proposal, unknown", func(c sdk) error {
			return second(c.GetComplianceDetailsByResource(c.ctx, &configservice.GetComplianceDetailsByResourceInput{ResourceEvaluationId: aws.String("x")}))
		}, bad, "does not exist"},
		{"summary, too many types", func(c sdk) error {
			return second(c.GetComplianceSummaryByResourceType(c.ctx, &configservice.GetComplianceSummaryByResourceTypeInput{ResourceTypes: slices.Repeat([]string{"T"}, 21)}))
		}, "ValidationException", "less than or equal to 20"},
	})
}
