package daemon_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	awstypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/smithy-go"
	"go.etcd.io/bbolt"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history/bolt"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// damageRules makes a store with resources and the rules "closed" and "open", both
// evaluated, two packs and two waivers, and damages the last value of a bucket that is chosen.
func damageRules(t *testing.T, bucket string, chosen func(k, v []byte) bool) (dir string) {
	t.Helper()
	dir = t.TempDir()
	d, stop := start(t, daemon.Options{Dir: dir})
	conn := dial(t, d)
	var list []*varvev1.Observation
	for i := range 200 { // spans tell of 64 resources each: rules stand apart from the first ones
		list = append(list, observation(fmt.Sprint(i), `{"open":true}`))
	}
	_, err := varvev1.NewRecorderServiceClient(conn).BatchRecord(t.Context(), &varvev1.BatchRecordRequest{Observations: list})
	if err != nil {
		t.Fatal(err)
	}
	comply := varvev1.NewComplianceServiceClient(conn)
	for _, rule := range []string{closedRule, "name: open\ndescription: DAMAGE-ME\nresourceTypes: [T]\ncompliant: config.open == true\n"} {
		if _, err := comply.PutRules(t.Context(), &varvev1.PutRulesRequest{Text: rule}); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"first": "DAMAGE-PACK", "second": "sound"} {
		template := fmt.Sprintf("Description: %s\nResources:\n  One:\n    Type: AWS::Config::ConfigRule\n    Properties:\n      ConfigRuleName: one\n"+
			"      Scope: {ComplianceResourceTypes: [U]}\n      Source: {Owner: CUSTOM_POLICY, CustomPolicyDetails: {PolicyRuntime: guard-2.x.x, PolicyText: \"rule a { true }\"}}\n", text)
		if _, err := comply.PutPack(t.Context(), &varvev1.PutPackRequest{Name: "packs/" + name, Template: template}); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"first": "DAMAGE-WAIVER", "second": "sound"} {
		w := &varvev1.Waiver{Name: "waivers/" + name, Rules: []string{"closed"}, Reason: text, Author: "somebody"}
		if _, err := comply.PutWaiver(t.Context(), &varvev1.PutWaiverRequest{Waiver: w}); err != nil {
			t.Fatal(err)
		}
	}
	for _, rule := range []string{"closed", "open"} {
		results, err := comply.ListComplianceResults(t.Context(), &varvev1.ListComplianceResultsRequest{Wait: durationpb.New(time.Minute), Rule: rule, PageSize: 1000})
		if err != nil || len(results.GetResults()) != len(list) {
			t.Fatalf("%s: %d results, %v", rule, len(results.GetResults()), err)
		}
	}
	stop()

	s, err := bolt.Open(dir, bolt.Options{Linker: graph.NewLinker(), MergeIdle: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Merge(), s.Close()); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(filepath.Join(dir, bolt.FileName), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte(bucket)).Cursor()
		k, v := c.Last()
		for k != nil && !chosen(k, v) {
			k, v = c.Prev()
		}
		if k == nil {
			return errors.New("there is nothing to damage")
		}
		v = bytes.Clone(v)
		v[len(v)-1] ^= 1
		return tx.Bucket([]byte(bucket)).Put(k, v)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tools are AWS's, let in as anyone.
func tools(d *daemon.Daemon) *configservice.Client {
	return configservice.New(configservice.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String("http://" + d.HTTPAddr()), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""),
	})
}

// contains complains of what of a text is missing.
func contains(t *testing.T, what, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s: no %s in %s", what, w, text)
		}
	}
}

// TestDamagedRule: one rule cannot be read. It is told so where it is asked for, and
// the other one is evaluated, at every start.
func TestDamagedRule(t *testing.T) {
	dir := damageRules(t, "seg", func(_, v []byte) bool { return bytes.Contains(v, []byte("DAMAGE-ME")) })
	for i := range 2 {
		log := &safeLog{}
		d, stop := start(t, daemon.Options{Dir: dir, AWS: daemon.AWS{Anyone: true}, Logger: slog.New(slog.NewTextHandler(log, nil))})
		conn := dial(t, d)
		comply := varvev1.NewComplianceServiceClient(conn)
		_, err := varvev1.NewRecorderServiceClient(conn).BatchRecord(t.Context(), &varvev1.BatchRecordRequest{
			Observations: []*varvev1.Observation{observation(fmt.Sprint("new", i), `{"open":false}`)},
		})
		if err != nil {
			t.Fatal(err)
		}
		results, err := comply.ListComplianceResults(t.Context(), &varvev1.ListComplianceResultsRequest{Wait: durationpb.New(time.Minute), Status: []string{"COMPLIANT"}, Rule: "closed"})
		if err != nil || len(results.GetResults()) != i+1 {
			t.Errorf("the other rule: %v, %v", results.GetResults(), err)
		}
		if results.GetEvaluatedThrough() == nil {
			t.Error("the other rule: it is not told how far it was evaluated")
		}
		results, err = comply.ListComplianceResults(t.Context(), &varvev1.ListComplianceResultsRequest{Rule: "open", PageSize: 1})
		if err != nil || len(results.GetResults()) != 1 || results.GetEvaluatedThrough() != nil {
			t.Errorf("what the damaged rule said: %v, %v", results, err)
		}
		list, err := comply.ListRules(t.Context(), &varvev1.ListRulesRequest{})
		if err != nil || len(list.GetRules()) != 2 || list.GetRules()[0].GetName() != "rules/closed" || !strings.Contains(list.GetRules()[1].GetDescription(), "a stored value is damaged") {
			t.Errorf("%v, %v", list, err)
		}
		for what, ask := range map[string]func() error{
			"Get": func() error {
				_, err := comply.GetRule(t.Context(), &varvev1.GetRuleRequest{Name: "rules/open"})
				return err
			},
			"Evaluate": func() error {
				_, err := comply.EvaluateRule(t.Context(), &varvev1.EvaluateRuleRequest{Name: "rules/open"})
				return err
			},
		} {
			err := ask()
			if status.Code(err) != codes.DataLoss {
				t.Errorf("%s: got %v, want DataLoss", what, err)
			}
			contains(t, what, fmt.Sprint(err), "Varve::Compliance::Rule open: a stored value is damaged")
		}
		rules, err := tools(d).DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
		if err != nil || len(rules.ConfigRules) != 2 {
			t.Errorf("AWS's tools: %v, %v", rules, err)
		}
		statuses, err := tools(d).DescribeConfigRuleEvaluationStatus(t.Context(), &configservice.DescribeConfigRuleEvaluationStatusInput{ConfigRuleNames: []string{"closed", "open"}})
		if err != nil || len(statuses.ConfigRulesEvaluationStatus) != 2 {
			t.Fatalf("AWS's tools: %v, %v", statuses, err)
		}
		if s := statuses.ConfigRulesEvaluationStatus[0]; s.LastErrorCode != nil || s.LastSuccessfulEvaluationTime == nil {
			t.Errorf("the other rule: %+v", s)
		}
		if s := statuses.ConfigRulesEvaluationStatus[1]; aws.ToString(s.LastErrorCode) != "DataLoss" || s.LastSuccessfulEvaluationTime != nil {
			t.Errorf("the damaged rule: %+v", s)
		}
		if code, text := get(t, d, "/v1/rules"); code != 200 || strings.Contains(text, "(0)") {
			t.Errorf("%d %s", code, text)
		}
		_, text := get(t, d, "/metrics")
		contains(t, "metrics", text, "varve_rules_damaged 1\n", "varve_rules_active 1\n", "varve_rules_failing 0\n")
		if n := strings.Count(log.String(), "a rule is not evaluated"); n != 1 {
			t.Errorf("it is logged %d times", n)
		}
		stop()
	}
}

// TestDamagedSpans: which versions of the rules stand cannot be read where inventories
// have it. The versions themselves can be: both rules are listed, and evaluated.
func TestDamagedSpans(t *testing.T) {
	dir := damageRules(t, "span", func(k, _ []byte) bool { return binary.BigEndian.Uint32(k) == 200/64 })
	d, _ := start(t, daemon.Options{Dir: dir})
	comply := varvev1.NewComplianceServiceClient(dial(t, d))
	list, err := comply.ListRules(t.Context(), &varvev1.ListRulesRequest{})
	if err != nil || len(list.GetRules()) != 2 || list.GetRules()[1].GetDescription() != "DAMAGE-ME" {
		t.Errorf("%v, %v", list, err)
	}
	_, text := get(t, d, "/metrics")
	contains(t, "metrics", text, "varve_rules_damaged 0\n", "varve_rules_active 2\n", "varve_rules_failing 0\n")
}

// TestDamagedPack: one hides no others, nor what is judged.
func TestDamagedPack(t *testing.T) {
	dir := damageRules(t, "seg", func(_, v []byte) bool { return bytes.Contains(v, []byte("DAMAGE-PACK")) })
	d, _ := start(t, daemon.Options{Dir: dir, AWS: daemon.AWS{Anyone: true}})
	comply := varvev1.NewComplianceServiceClient(dial(t, d))
	list, err := comply.ListPacks(t.Context(), &varvev1.ListPacksRequest{})
	if err != nil || len(list.GetPacks()) != 2 || !strings.Contains(list.GetPacks()[0].GetDescription(), "a stored value is damaged") || list.GetPacks()[1].GetDescription() != "sound" {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := comply.ListComplianceResults(t.Context(), &varvev1.ListComplianceResultsRequest{}); err != nil {
		t.Error(err)
	}
	if _, err := comply.GetPack(t.Context(), &varvev1.GetPackRequest{Name: "packs/first"}); status.Code(err) != codes.DataLoss {
		t.Errorf("got %v, want DataLoss", err)
	}
	packs, err := tools(d).DescribeConformancePackStatus(t.Context(), &configservice.DescribeConformancePackStatusInput{})
	if err != nil || len(packs.ConformancePackStatusDetails) != 2 || !strings.Contains(aws.ToString(packs.ConformancePackStatusDetails[0].ConformancePackStatusReason), "cannot be read") {
		t.Errorf("AWS's tools: %v, %v", packs, err)
	}
}

// TestDamagedWaiver: one hides no others, and excuses nothing.
func TestDamagedWaiver(t *testing.T) {
	dir := damageRules(t, "seg", func(_, v []byte) bool { return bytes.Contains(v, []byte("DAMAGE-WAIVER")) })
	d, _ := start(t, daemon.Options{Dir: dir})
	comply := varvev1.NewComplianceServiceClient(dial(t, d))
	list, err := comply.ListWaivers(t.Context(), &varvev1.ListWaiversRequest{})
	if err != nil || len(list.GetWaivers()) != 2 || !strings.Contains(list.GetWaivers()[0].GetReason(), "a stored value is damaged") {
		t.Errorf("%v, %v", list, err)
	}
	results, err := comply.ListComplianceResults(t.Context(), &varvev1.ListComplianceResultsRequest{Status: []string{"NON_COMPLIANT"}, Rule: "closed", PageSize: 1})
	if err != nil || len(results.GetResults()) != 1 || results.GetResults()[0].GetWaived().GetReason() != "sound" {
		t.Errorf("%v, %v", results, err)
	}
}

// misname damages the name of a rule so that others stand behind it out of order.
func misname(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, bolt.FileName)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile("(\x00\x00\x00[\x01-\x09])closed") // group and id
	if !name.Match(file) {
		t.Fatal("there is no name to damage")
	}
	if err := os.WriteFile(path, name.ReplaceAll(file, []byte("${1}zlosed")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestRulesCannotBeRead: it cannot be told which rules there are. Whoever needs them is
// told so, and what is damaged; all else is as ever.
func TestRulesCannotBeRead(t *testing.T) {
	dir := damageRules(t, "name", func(k, _ []byte) bool { return string(k[4:]) == "closed" })
	misname(t, dir)
	d, _ := start(t, daemon.Options{Dir: dir, AWS: daemon.AWS{Anyone: true}})
	conn := dial(t, d)
	comply := varvev1.NewComplianceServiceClient(conn)
	for what, ask := range map[string]func(context.Context) error{
		"PutRules": func(ctx context.Context) error {
			_, err := comply.PutRules(ctx, &varvev1.PutRulesRequest{Text: closedRule})
			return err
		},
		"ListRules": func(ctx context.Context) error {
			_, err := comply.ListRules(ctx, &varvev1.ListRulesRequest{})
			return err
		},
		"ListComplianceResults": func(ctx context.Context) error {
			_, err := comply.ListComplianceResults(ctx, &varvev1.ListComplianceResultsRequest{})
			return err
		},
		"EvaluateProposal": func(ctx context.Context) error {
			_, err := comply.EvaluateProposal(ctx, &varvev1.EvaluateProposalRequest{Proposal: observation("0", `{}`)})
			return err
		},
	} {
		err := ask(t.Context())
		if status.Code(err) != codes.DataLoss {
			t.Errorf("%s: got %v, want DataLoss", what, err)
		}
		contains(t, what, fmt.Sprint(err), "a stored value is damaged", "run varve verify")
	}
	if code, text := get(t, d, "/v1/items:lookup?type=T&id=7"); code != 200 || !strings.Contains(text, `"open":true`) {
		t.Errorf("a resource: %d %s", code, text)
	}
	_, text := get(t, d, "/metrics")
	contains(t, "metrics", text, "varve_rules_failing 1\n")

	c := tools(d)
	if _, err := c.DescribeConfigurationRecorders(t.Context(), &configservice.DescribeConfigurationRecordersInput{}); err != nil {
		t.Errorf("what needs no rules, as AWS's tools ask: %v", err)
	}
	for what, ask := range map[string]func() error{
		"DescribeConfigRules": func() error {
			_, err := c.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
			return err
		},
		"ListResourceEvaluations": func() error {
			_, err := c.ListResourceEvaluations(t.Context(), &configservice.ListResourceEvaluationsInput{})
			return err
		},
		"PutEvaluations": func() error {
			_, err := c.PutEvaluations(t.Context(), &configservice.PutEvaluationsInput{
				ResultToken: aws.String("token"), Evaluations: []awstypes.Evaluation{{
					ComplianceResourceType: aws.String("T"), ComplianceResourceId: aws.String("7"), ComplianceType: "COMPLIANT", OrderingTimestamp: aws.Time(time.Now()),
				}},
			})
			return err
		},
	} {
		var refused smithy.APIError
		if err := ask(); !errors.As(err, &refused) || refused.ErrorCode() != "InternalFailure" {
			t.Errorf("%s: got %v, want InternalFailure", what, err)
		}
	}
}
