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
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/recorded"
)

const (
	function = "arn:aws:lambda:eu-west-1:123456789012:function:judge"
	groups   = "AWS::EC2::SecurityGroup"
	buckets  = "AWS::S3::Bucket"
)

// managedRule is one of AWS's own.
func managedRule(name, identifier string) *types.ConfigRule {
	return &types.ConfigRule{ConfigRuleName: aws.String(name), Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: aws.String(identifier)}}
}

// celRule is a policy in CEL.
func celRule(name, text string, onTypes ...string) *types.ConfigRule {
	return &types.ConfigRule{
		ConfigRuleName: aws.String(name), Scope: &types.Scope{ComplianceResourceTypes: onTypes},
		Source: &types.Source{Owner: types.OwnerCustomPolicy, CustomPolicyDetails: &types.CustomPolicyDetails{
			PolicyRuntime: aws.String("cel"), PolicyText: aws.String(text),
		}},
	}
}

// functionRule is evaluated by a function.
func functionRule(name string, onTypes ...string) *types.ConfigRule {
	return &types.ConfigRule{
		ConfigRuleName: aws.String(name), Scope: &types.Scope{ComplianceResourceTypes: onTypes},
		Source: &types.Source{Owner: types.OwnerCustomLambda, SourceIdentifier: aws.String(function), SourceDetails: []types.SourceDetail{
			{EventSource: types.EventSourceAwsConfig, MessageType: types.MessageTypeConfigurationItemChangeNotification},
		}},
	}
}

func (c sdk) putRule(r *types.ConfigRule, tags ...types.Tag) error {
	_, err := c.PutConfigRule(c.ctx, &configservice.PutConfigRuleInput{ConfigRule: r, Tags: tags})
	return err
}

// describeRules are the rules of these names, or all, page by page.
func (c sdk) describeRules(names ...string) ([]types.ConfigRule, error) {
	var list []types.ConfigRule
	pages := configservice.NewDescribeConfigRulesPaginator(c.Client, &configservice.DescribeConfigRulesInput{ConfigRuleNames: names})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, page.ConfigRules...)
	}
	return list, nil
}

func (c sdk) rule(name string) types.ConfigRule {
	c.t.Helper()
	list, err := c.describeRules(name)
	c.must(err)
	return list[0]
}

func ruleNames(list []types.ConfigRule) string {
	var names []string
	for _, r := range list {
		names = append(names, *r.ConfigRuleName)
	}
	return strings.Join(names, " ")
}

func (c sdk) deleteRule(name string) error {
	_, err := c.DeleteConfigRule(c.ctx, &configservice.DeleteConfigRuleInput{ConfigRuleName: &name})
	return err
}

// settle waits until all that is recorded is evaluated.
func (w *world) settle() {
	w.t.Helper()
	head, err := w.store.Head(w.t.Context())
	if err == nil {
		err = w.engine.Wait(w.t.Context(), head.Position)
	}
	if err == nil {
		err = w.engine.WaitTime(w.t.Context(), w.clock.moment())
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// group records a security group that is open to the world on a port, or to none.
func (w *world) group(k history.Key, port int) {
	w.t.Helper()
	w.clock.advance(time.Second)
	text := `{"ipPermissions":[]}`
	if port > 0 {
		text = fmt.Sprintf(`{"ipPermissions":[{"fromPort":%d,"toPort":%d,"ipProtocol":"tcp","ipRanges":["0.0.0.0/0"]}]}`, port, port)
	}
	w.record(history.Observation{Key: k, State: history.State{Configuration: []byte(text)}})
}

func TestRuleLifeCycle(t *testing.T) {
	w := open(t)
	c := w.sdk()
	c.must(c.putRecorder(nil))

	put := managedRule("ssh", "INCOMING_SSH_DISABLED")
	put.Description = aws.String("nobody from everywhere")
	put.Scope = &types.Scope{ComplianceResourceTypes: []string{groups}}
	put.MaximumExecutionFrequency = types.MaximumExecutionFrequencySixHours
	c.must(c.putRule(put, tag("team", "net")))

	is := c.rule("ssh")
	want := *put
	want.ConfigRuleId, want.ConfigRuleArn = is.ConfigRuleId, is.ConfigRuleArn
	want.ConfigRuleState, want.InputParameters = types.ConfigRuleStateActive, aws.String("{}")
	want.EvaluationModes = []types.EvaluationModeConfiguration{{Mode: types.EvaluationModeDetective}}
	if d := cmp.Diff(want, is, cmpopts.IgnoreUnexported(types.ConfigRule{}, types.Scope{}, types.Source{}, types.EvaluationModeConfiguration{})); d != "" {
		t.Errorf("described (-put +is):\n%s", d)
	}
	if id, arn := *is.ConfigRuleId, *is.ConfigRuleArn; !strings.HasPrefix(id, "config-rule-") || len(id) != 18 || arn != "arn:aws:config:eu-west-1:123456789012:config-rule/"+id {
		t.Errorf("%s, %s", id, arn)
	}
	if got := c.tags(*is.ConfigRuleArn); got != "team=net" {
		t.Errorf("tags %q", got)
	}

	t.Run("Update", func(t *testing.T) {
		put.ConfigRuleName, put.ConfigRuleArn = nil, is.ConfigRuleArn
		put.Description, put.MaximumExecutionFrequency = nil, ""
		c.must(c.putRule(put, tag("later", "ignored")))
		now := c.rule("ssh")
		if now.Description != nil || now.MaximumExecutionFrequency != "" || *now.ConfigRuleId != *is.ConfigRuleId {
			t.Errorf("%+v", now)
		}
	})
	t.Run("Tag", func(t *testing.T) {
		c.must(c.tag(*is.ConfigRuleArn, tag("stage", "test")))
		if got := c.tags(*is.ConfigRuleArn); got != "stage=test team=net" {
			t.Errorf("tags %q", got)
		}
		c.must(c.untag(*is.ConfigRuleArn, "team"))
		if got := c.tags(*is.ConfigRuleArn); got != "stage=test" {
			t.Errorf("tags %q", got)
		}
	})
	t.Run("Delete", func(t *testing.T) {
		c.must(c.deleteRule("ssh"))
		var gone *types.NoSuchConfigRuleException
		if _, err := c.describeRules("ssh"); !errors.As(err, &gone) ||
			*gone.Message != "The ConfigRule 'ssh' provided in the request is invalid. Please check the configRule name." {
			t.Error(err)
		}
		w.clock.advance(time.Second)
		put.ConfigRuleName, put.ConfigRuleArn = aws.String("ssh"), nil
		c.must(c.putRule(put))
		if got := c.tags(*is.ConfigRuleArn); got != "" {
			t.Errorf("a rule that was put anew has the tags %q of the one that was deleted", got)
		}
	})
}

// A client that compares what it put with what it is answered finds what it put.
func TestRulesAreDescribedAsTheyWerePut(t *testing.T) {
	w := open(t)
	c := w.sdk()
	c.must(c.putRecorder(nil))
	tagged := managedRule("tagged", "INCOMING_SSH_DISABLED")
	tagged.Scope = &types.Scope{TagKey: aws.String("env"), TagValue: aws.String("prod")}
	one := managedRule("one", "S3_BUCKET_VERSIONING_ENABLED")
	one.Scope = &types.Scope{ComplianceResourceTypes: []string{buckets}, ComplianceResourceId: aws.String("logs")}
	both := managedRule("both", "INCOMING_SSH_DISABLED")
	both.EvaluationModes = []types.EvaluationModeConfiguration{{Mode: types.EvaluationModeDetective}, {Mode: types.EvaluationModeProactive}}
	keys := managedRule("keys", "ACCESS_KEYS_ROTATED")
	keys.InputParameters = aws.String(`{"maxAccessKeyAge":"30"}`)
	timed := functionRule("timed")
	timed.InputParameters = aws.String(`{"any":"thing"}`)
	timed.Source.SourceDetails = []types.SourceDetail{
		{EventSource: types.EventSourceAwsConfig, MessageType: types.MessageTypeScheduledNotification, MaximumExecutionFrequency: types.MaximumExecutionFrequencyOneHour},
	}
	policy := celRule("policy", `resource.name.startsWith(params.prefix)`, buckets)
	policy.InputParameters = aws.String(`{"prefix":"eu-"}`)
	attested := managedRule("attested", "AWS_CONFIG_PROCESS_CHECK")
	for _, put := range []*types.ConfigRule{tagged, one, both, keys, timed, policy, attested, functionRule("function", buckets)} {
		t.Run(*put.ConfigRuleName, func(t *testing.T) {
			c.must(c.putRule(put))
			got := c.rule(*put.ConfigRuleName)
			want := *put
			want.ConfigRuleId, want.ConfigRuleArn, want.ConfigRuleState = got.ConfigRuleId, got.ConfigRuleArn, types.ConfigRuleStateActive
			if want.InputParameters == nil {
				want.InputParameters = aws.String("{}")
			}
			if want.EvaluationModes == nil {
				want.EvaluationModes = []types.EvaluationModeConfiguration{{Mode: types.EvaluationModeDetective}}
			}
			if want.Source.CustomPolicyDetails != nil { // the text is asked for by itself
				text, err := c.GetCustomRulePolicy(c.ctx, &configservice.GetCustomRulePolicyInput{ConfigRuleName: put.ConfigRuleName})
				c.must(err)
				if *text.PolicyText != *put.Source.CustomPolicyDetails.PolicyText {
					t.Errorf("the policy is %q", *text.PolicyText)
				}
				source, details := *want.Source, *want.Source.CustomPolicyDetails
				details.PolicyText = nil
				source.CustomPolicyDetails, want.Source = &details, &source
			}
			if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(types.ConfigRule{}, types.Scope{}, types.Source{}, types.SourceDetail{}, types.CustomPolicyDetails{}, types.EvaluationModeConfiguration{})); d != "" {
				t.Errorf("described (-put +is):\n%s", d)
			}
		})
	}
}

// Rules of other doors are seen here, and the other way round.
func TestRulesOfOtherDoors(t *testing.T) {
	w := open(t)
	w.group(key(groups, "sg-1"), 22)
	c, ctx, shelf := w.sdk(), t.Context(), recorded.New(w.store)
	own, all := rules.Owner{Account: account, Region: region}, rules.Owner{}
	for owner, list := range map[rules.Owner][]*rules.Rule{
		own: {{Name: "mine", Description: "d", Scope: rules.Scope{Types: []string{buckets}}, Compliant: "true", Period: time.Hour, Trigger: rules.Periodic}, {Name: "elsewhere", External: true}},
		all: {
			{Name: "everybodys", Identifier: "INCOMING_SSH_DISABLED", Trigger: rules.OnChange | rules.Periodic, Period: time.Hour},
			{Name: "mine", Compliant: "false"},
		},
		{Account: account}:                        {{Name: "accounts", Compliant: "true"}},
		{Account: "999999999999", Region: region}: {{Name: "anothers", Compliant: "true"}},
		{Account: account, Region: "us-east-1"}:   {{Name: "far", Compliant: "true"}},
		{Account: account, Region: "global"}:      {{Name: "global", Compliant: "true"}},
	} {
		_, _, err := shelf.PutRules(ctx, owner, list, 0)
		c.must(err)
	}
	template := "Resources:\n  Keys: {Type: 'AWS::Config::ConfigRule', Properties: {ConfigRuleName: keys, InputParameters: {maxAccessKeyAge: 30}, Source: {Owner: AWS, SourceIdentifier: ACCESS_KEYS_ROTATED}}}\n"
	_, _, err := shelf.PutPack(ctx, own, "base", []byte(template), nil)
	c.must(err)

	list, err := c.describeRules()
	c.must(err)
	of := "keys-" + rules.ConformancePackID(own, "base")
	if got, want := ruleNames(list), "accounts elsewhere everybodys global "+of+" mine"; got != want {
		t.Errorf("%s; want %s", got, want)
	}
	if r := c.rule("mine"); *r.Description != "d" || r.Source.Owner != types.OwnerCustomPolicy || *r.Source.CustomPolicyDetails.PolicyRuntime != "cel" ||
		r.Source.SourceDetails[0].MaximumExecutionFrequency != types.MaximumExecutionFrequencyOneHour || r.Scope.ComplianceResourceTypes[0] != buckets {
		t.Errorf("%+v", r)
	}
	if r := c.rule("everybodys"); *r.Source.SourceIdentifier != "INCOMING_SSH_DISABLED" || r.MaximumExecutionFrequency != types.MaximumExecutionFrequencyOneHour || r.CreatedBy != nil {
		t.Errorf("%+v", r)
	}
	if r := c.rule(of); *r.InputParameters != `{"maxAccessKeyAge":"30"}` || *r.CreatedBy != "config-conforms.amazonaws.com" {
		t.Errorf("%+v", r)
	}
	if r := c.rule("elsewhere"); r.Source.Owner != types.OwnerCustomLambda {
		t.Errorf("%+v", r)
	}

	t.Run("AreNotChanged", func(t *testing.T) {
		var inUse *types.ResourceInUseException
		if err := c.deleteRule(of); !errors.As(err, &inUse) {
			t.Errorf("a rule of a pack: %v", err)
		}
		if err := c.putRule(managedRule(of, "INCOMING_SSH_DISABLED")); !errors.As(err, &inUse) {
			t.Errorf("a rule of a pack: %v", err)
		}
		if err := c.deleteRule("everybodys"); codeOf(err) != "AccessDeniedException" {
			t.Errorf("a rule of the installation: %v", err)
		}
		if err := c.putRule(managedRule("everybodys", "INCOMING_SSH_DISABLED")); codeOf(err) != "AccessDeniedException" {
			t.Errorf("a rule of the installation: %v", err)
		}
	})
	t.Run("OursAreSeenThere", func(t *testing.T) {
		c.must(c.putRule(celRule("ours", "resource.id != 'x'", buckets)))
		r, err := w.store.AsOf(ctx, history.At{})
		c.must(err)
		is, err := recorded.GetRule(ctx, r, own, "ours")
		c.must(err)
		if is.Compliant != "resource.id != 'x'" || is.PutAt != w.clock.moment() {
			t.Errorf("%+v", is)
		}
	})
	t.Run("PutThereIsDescribedAsPutThere", func(t *testing.T) {
		_, _, err := shelf.PutRules(ctx, own, []*rules.Rule{{Name: "ours", Identifier: "INCOMING_SSH_DISABLED"}}, 0)
		c.must(err)
		if r := c.rule("ours"); r.Source.Owner != types.OwnerAws {
			t.Errorf("%+v", r)
		}
	})
	t.Run("AnOwnOneHidesAnothers", func(t *testing.T) {
		c.must(c.deleteRule("mine"))
		if r := c.rule("mine"); r.Source.Owner != types.OwnerCustomPolicy {
			t.Errorf("%+v", r)
		}
		if err := c.deleteRule("mine"); codeOf(err) != "AccessDeniedException" {
			t.Error(err)
		}
	})
}

func TestDescribeConfigRulesPages(t *testing.T) {
	w := open(t)
	c := w.sdk()
	c.must(c.putRecorder(nil))
	var want []string
	for i := range 60 {
		name := fmt.Sprintf("rule-%02d", i)
		want = append(want, name)
		r := celRule(name, "true", buckets)
		if i%20 == 0 {
			r.EvaluationModes = []types.EvaluationModeConfiguration{{Mode: types.EvaluationModeProactive}}
		}
		c.must(c.putRule(r))
	}
	list, err := c.describeRules()
	c.must(err)
	if got := ruleNames(list); got != strings.Join(want, " ") {
		t.Error(got)
	}
	t.Run("OfOneMode", func(t *testing.T) {
		out, err := c.DescribeConfigRules(c.ctx, &configservice.DescribeConfigRulesInput{Filters: &types.DescribeConfigRulesFilters{EvaluationMode: types.EvaluationModeProactive}})
		c.must(err)
		if got := ruleNames(out.ConfigRules); got != "rule-00 rule-20 rule-40" {
			t.Error(got)
		}
	})
	t.Run("OfOneMoment", func(t *testing.T) {
		first, err := c.DescribeConfigRules(c.ctx, &configservice.DescribeConfigRulesInput{})
		c.must(err)
		c.must(c.deleteRule("rule-25"))
		second, err := c.DescribeConfigRules(c.ctx, &configservice.DescribeConfigRulesInput{NextToken: first.NextToken})
		c.must(err)
		if *second.ConfigRules[0].ConfigRuleName != "rule-25" {
			t.Error(*second.ConfigRules[0].ConfigRuleName)
		}
	})
	t.Run("EvaluationStatus", func(t *testing.T) {
		w.settle()
		var names []string
		pages := configservice.NewDescribeConfigRuleEvaluationStatusPaginator(c.Client, &configservice.DescribeConfigRuleEvaluationStatusInput{Limit: 7})
		for pages.HasMorePages() {
			page, err := pages.NextPage(c.ctx)
			c.must(err)
			if len(page.ConfigRulesEvaluationStatus) > 7 {
				t.Errorf("%d on a page of 7", len(page.ConfigRulesEvaluationStatus))
			}
			for _, s := range page.ConfigRulesEvaluationStatus {
				names = append(names, *s.ConfigRuleName)
				if !s.FirstEvaluationStarted || s.FirstActivatedTime == nil || s.LastSuccessfulInvocationTime == nil || s.LastSuccessfulEvaluationTime == nil {
					t.Errorf("%+v", s)
				}
			}
		}
		if want := slices.DeleteFunc(slices.Clone(want), func(n string) bool { return n == "rule-25" }); !slices.Equal(names, want) {
			t.Error(names)
		}
	})
}

func TestTooManyRules(t *testing.T) {
	w := open(t)
	c := w.sdk()
	c.must(c.putRecorder(nil))
	shelf, own := recorded.New(w.store), rules.Owner{Account: account, Region: region}
	for part := range 2 {
		var list []*rules.Rule
		for i := range 500 {
			list = append(list, &rules.Rule{Name: fmt.Sprintf("r%d-%03d", part, i), Compliant: "true", Scope: rules.Scope{Types: []string{"T"}}})
		}
		_, _, err := shelf.PutRules(t.Context(), own, list, 0)
		c.must(err)
	}
	var many *types.MaxNumberOfConfigRulesExceededException
	if err := c.putRule(celRule("more", "true", "T")); !errors.As(err, &many) {
		t.Error(err)
	}
	c.must(c.putRule(celRule("r1-499", "false", "T"))) // one that is there
}

// status is what is told of the evaluation of a rule.
func (c sdk) status(name string) types.ConfigRuleEvaluationStatus {
	c.t.Helper()
	out, err := c.DescribeConfigRuleEvaluationStatus(c.ctx, &configservice.DescribeConfigRuleEvaluationStatusInput{ConfigRuleNames: []string{name}})
	c.must(err)
	return out.ConfigRulesEvaluationStatus[0]
}

func TestEvaluationStatus(t *testing.T) {
	w := open(t)
	w.group(key(groups, "sg-1"), 22)
	c := w.sdk()
	c.must(c.putRule(celRule("odd", "config.notThere > 1", groups)))
	w.settle()
	putAt := w.clock.Now()
	if s := c.status("odd"); s.LastErrorCode == nil || !strings.Contains(*s.LastErrorMessage, "notThere") || !s.LastFailedEvaluationTime.Equal(putAt) ||
		!s.FirstActivatedTime.Equal(putAt) || !s.LastSuccessfulInvocationTime.Equal(putAt) {
		t.Errorf("%+v", s)
	}
	w.clock.advance(time.Hour)
	c.must(c.putRule(celRule("odd", "true", groups)))
	w.settle()
	if s := c.status("odd"); s.LastErrorCode != nil || !s.FirstActivatedTime.Equal(putAt) || !s.LastSuccessfulInvocationTime.Equal(w.clock.Now()) {
		t.Errorf("%+v", s)
	}
	w.clock.advance(time.Hour)
	_, err := c.StartConfigRulesEvaluation(c.ctx, &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{"odd"}})
	c.must(err)
	w.settle()
	if s := c.status("odd"); !s.LastSuccessfulInvocationTime.Equal(w.clock.Now()) || !s.LastSuccessfulEvaluationTime.Equal(w.clock.Now()) {
		t.Errorf("%+v", s)
	}
	w.clock.advance(time.Minute - time.Microsecond)
	var limit *types.LimitExceededException
	if _, err := c.StartConfigRulesEvaluation(c.ctx, &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{"odd"}}); !errors.As(err, &limit) {
		t.Error(err)
	}
	w.clock.advance(time.Microsecond)
	_, err = c.StartConfigRulesEvaluation(c.ctx, &configservice.StartConfigRulesEvaluationInput{ConfigRuleNames: []string{"odd"}})
	c.must(err)
}
