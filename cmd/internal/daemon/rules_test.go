package daemon_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/cmd/internal/daemon"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/rules/conformance"
)

const closedRule = "name: closed\nresourceTypes: [T]\ncompliant: config.open == false\n"

// slowRule takes all the steps that a rule may, and then is an ERROR.
var slowRule = func() string {
	list := "[" + strings.TrimSuffix(strings.Repeat("1,", 40), ",") + "]"
	expression := "true"
	for _, v := range []string{"a", "b", "c", "d"} {
		expression = list + ".all(" + v + ", " + expression + ")"
	}
	return "name: slow\nresourceTypes: [T]\ncompliant: '" + expression + "'\n"
}()

// TestRules: they are evaluated while the daemon runs, which counts it, and what was
// evaluated is not recorded once more by the next one.
func TestRules(t *testing.T) {
	dir := t.TempDir()
	d, stop := start(t, daemon.Options{Dir: dir})
	conn := dial(t, d)
	comply := varvev1.NewComplianceServiceClient(conn)
	if _, err := comply.PutRules(t.Context(), &varvev1.PutRulesRequest{Text: closedRule}); err != nil {
		t.Fatal(err)
	}
	for _, rule := range []string{"gone", "coming"} { // neither is in force
		put := &varvev1.PutRulesRequest{Text: strings.Replace(closedRule, "closed", rule, 1)}
		if rule == "coming" {
			put.EffectiveFrom = timestamppb.New(time.Now().Add(time.Hour))
		}
		if _, err := comply.PutRules(t.Context(), put); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := comply.DeleteRule(t.Context(), &varvev1.DeleteRuleRequest{Name: "rules/gone"}); err != nil {
		t.Fatal(err)
	}
	// Resources that are there when the engine comes to the rule are evaluated because of it,
	// and then because of themselves.
	ask := &varvev1.ListComplianceResultsRequest{Wait: durationpb.New(time.Minute)}
	if _, err := comply.ListComplianceResults(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	_, err := varvev1.NewRecorderServiceClient(conn).BatchRecord(t.Context(), &varvev1.BatchRecordRequest{
		Observations: []*varvev1.Observation{observation("a", `{"open":true}`), observation("b", `{"open":false}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	before, err := comply.ListComplianceResults(t.Context(), ask)
	if err != nil || len(before.GetResults()) != 2 || before.GetResults()[0].GetCompliance() != "NON_COMPLIANT" {
		t.Fatal(before, err)
	}
	// The verdicts were recorded as well, and lie behind the engine once it has seen them.
	status, err := varvev1.NewHistoryServiceClient(conn).GetStatus(t.Context(), &varvev1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	own := &varvev1.ListComplianceResultsRequest{Wait: ask.Wait, WaitPosition: status.GetPosition()}
	if _, err := comply.ListComplianceResults(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	_, text := get(t, d, "/metrics")
	for _, want := range []string{
		`varve_rules_evaluations_total 2\n`, `varve_rules_transitions_total 2\n`, `varve_rules_active 1\n`,
		`varve_rules_failing 0\n`, `varve_rules_lag_revisions 0\n`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no %s", want)
		}
	}
	stop()

	d, _ = start(t, daemon.Options{Dir: dir})
	conn = dial(t, d)
	after, err := varvev1.NewComplianceServiceClient(conn).ListComplianceResults(t.Context(), ask)
	if err != nil || fmt.Sprint(after.GetResults()) != fmt.Sprint(before.GetResults()) {
		t.Errorf("%v, %v", after, err)
	}
	again, err := varvev1.NewHistoryServiceClient(conn).GetStatus(t.Context(), &varvev1.GetStatusRequest{})
	if err != nil || again.GetRevision() != status.GetRevision() {
		t.Errorf("a start recorded something: %d after %d, %v", again.GetRevision(), status.GetRevision(), err)
	}
}

// TestRecordingWaitsForNoRule: what is recorded is acknowledged before it is
// evaluated, and a daemon that is stopped amid evaluation goes on with the next start.
func TestRecordingWaitsForNoRule(t *testing.T) {
	dir := t.TempDir()
	d, stop := start(t, daemon.Options{Dir: dir})
	conn := dial(t, d)
	comply := varvev1.NewComplianceServiceClient(conn)
	if _, err := comply.PutRules(t.Context(), &varvev1.PutRulesRequest{Text: slowRule}); err != nil {
		t.Fatal(err)
	}
	const resources = 20
	var list []*varvev1.Observation
	for i := range resources {
		list = append(list, observation(fmt.Sprint(i), `{}`))
	}
	receipt, err := varvev1.NewRecorderServiceClient(conn).BatchRecord(t.Context(), &varvev1.BatchRecordRequest{Observations: list})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := comply.ListComplianceResults(t.Context(), &varvev1.ListComplianceResultsRequest{})
	if err != nil || resp.GetEvaluatedThrough().GetPosition() == receipt.GetPosition() {
		t.Errorf("evaluated at once: %v, %v", resp.GetEvaluatedThrough(), err)
	}
	stop()

	d, _ = start(t, daemon.Options{Dir: dir})
	comply = varvev1.NewComplianceServiceClient(dial(t, d))
	resp, err = comply.ListComplianceResults(t.Context(), &varvev1.ListComplianceResultsRequest{
		Wait: durationpb.New(2 * time.Minute), WaitPosition: receipt.GetPosition(), Status: []string{"ERROR"}, PageSize: 1000,
	})
	if err != nil || len(resp.GetResults()) != resources {
		t.Errorf("%d of %d, %v", len(resp.GetResults()), resources, err)
	}
}

// TestPacksAreRenewed: a start with more managed rules judges by them from then on, and
// says so in the log; the next one has nothing to do.
func TestPacksAreRenewed(t *testing.T) {
	dir := t.TempDir()
	lacking := func(identifier string) (conformance.Managed, bool) {
		if identifier == "INCOMING_SSH_DISABLED" {
			return conformance.Managed{}, false
		}
		return conformance.Computed(identifier)
	}
	d, stop := start(t, daemon.Options{Dir: dir, Managed: lacking})
	conn := dial(t, d)
	comply := varvev1.NewComplianceServiceClient(conn)
	put, err := comply.PutPack(t.Context(), &varvev1.PutPackRequest{Name: "packs/base", Template: `
Resources:
  Ssh: {Type: AWS::Config::ConfigRule, Properties: {ConfigRuleName: ssh, Source: {Owner: AWS, SourceIdentifier: INCOMING_SSH_DISABLED}}}
`})
	if err != nil || put.GetPack().GetRules()[0].GetState() != "UNSUPPORTED" {
		t.Fatal(put, err)
	}
	group := observation("sg-1", `{"ipPermissions":[]}`)
	group.Key.Type = "AWS::EC2::SecurityGroup"
	_, err = varvev1.NewRecorderServiceClient(conn).BatchRecord(t.Context(), &varvev1.BatchRecordRequest{Observations: []*varvev1.Observation{group}})
	if err != nil {
		t.Fatal(err)
	}
	ask := &varvev1.ListComplianceResultsRequest{Wait: durationpb.New(time.Minute)}
	if before, err := comply.ListComplianceResults(t.Context(), ask); err != nil || len(before.GetResults()) != 0 {
		t.Fatal(before, err)
	}
	stop()

	var log bytes.Buffer
	between := time.Now()
	d, stop = start(t, daemon.Options{Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	conn = dial(t, d)
	after, err := varvev1.NewComplianceServiceClient(conn).ListComplianceResults(t.Context(), ask)
	if err != nil || len(after.GetResults()) != 1 || after.GetResults()[0].GetCompliance() != "COMPLIANT" || after.GetResults()[0].GetFirstSeen().AsTime().Before(between.Truncate(time.Microsecond)) {
		t.Errorf("%v, %v", after, err)
	}
	status, err := varvev1.NewHistoryServiceClient(conn).GetStatus(t.Context(), &varvev1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if !regexp.MustCompile(`a conformance pack was put again.* pack.name=base .*"now judged"=\[ssh\]`).MatchString(log.String()) {
		t.Error(log.String())
	}

	d, _ = start(t, daemon.Options{Dir: dir})
	again, err := varvev1.NewHistoryServiceClient(dial(t, d)).GetStatus(t.Context(), &varvev1.GetStatusRequest{})
	if err != nil || again.GetRevision() != status.GetRevision() {
		t.Errorf("a start recorded something: %d after %d, %v", again.GetRevision(), status.GetRevision(), err)
	}
}
