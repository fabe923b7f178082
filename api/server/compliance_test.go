package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/api/server"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/managed"
	"github.com/varvehq/varve/rules/recorded"
)

// judging opens the doors on a store whose resources rules judge.
func judging(t *testing.T) *apitest.Doors {
	t.Helper()
	store := memory.New(memory.Options{StoreID: [16]byte{1, 2, 3}})
	e, err := engine.New(t.Context(), engine.Options{Store: store, Language: managed.Language{}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return open(t, apitest.Options{Store: store, Server: server.Options{Compliance: &server.Compliance{
		Engine: e, Shelf: recorded.New(store), Prepare: recorder.New(store, recorder.Options{}).Prepare,
	}}})
}

const openRule = "name: open\nresourceTypes: [T]\nseverity: high\ncompliant: config.open == false\nannotation: '\"it is open\"'\n"

// putOpen puts the rule from a day on, and records two resources: a is opened on the
// third, b is closed.
func putOpen(t *testing.T, d *apitest.Doors) {
	t.Helper()
	_, err := d.Recorder.BatchRecord(t.Context(), &varvev1.BatchRecordRequest{Observations: []*varvev1.Observation{
		seen("a", 1, `{"open":false}`), seen("a", 3, `{"open":true}`, in("1", "")), seen("a", 3, `{"open":true}`), seen("b", 1, `{"open":false}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Comply.PutRules(t.Context(), &varvev1.PutRulesRequest{Text: openRule, EffectiveFrom: day(2)}); err != nil {
		t.Fatal(err)
	}
}

func results(t *testing.T, d *apitest.Doors, req *varvev1.ListComplianceResultsRequest) []*varvev1.ComplianceResult {
	t.Helper()
	req.Wait = durationpb.New(time.Minute)
	resp, err := d.Comply.ListComplianceResults(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetResults()
}

func told(list []*varvev1.ComplianceResult) string {
	var all []string
	for _, r := range list {
		text := r.GetKey().GetAccount() + r.GetKey().GetId() + " " + r.GetCompliance()
		if r.GetWaived() != nil {
			text += " waived"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func TestComplianceResults(t *testing.T) {
	d := judging(t)
	putOpen(t, d)
	head, err := d.History.GetStatus(t.Context(), &varvev1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	const all = "a NON_COMPLIANT, b COMPLIANT, 1a NON_COMPLIANT"
	if got := told(results(t, d, &varvev1.ListComplianceResultsRequest{})); got != all {
		t.Fatal(got)
	}
	for name, c := range map[string]struct {
		req  *varvev1.ListComplianceResultsRequest
		want string
	}{
		"Rule":      {&varvev1.ListComplianceResultsRequest{Rule: "open"}, all},
		"Type":      {&varvev1.ListComplianceResultsRequest{Type: "T"}, all},
		"Id":        {&varvev1.ListComplianceResultsRequest{Type: "T", Id: "a"}, "a NON_COMPLIANT, 1a NON_COMPLIANT"},
		"Account":   {&varvev1.ListComplianceResultsRequest{Account: ptr("1")}, "1a NON_COMPLIANT"},
		"NoAccount": {&varvev1.ListComplianceResultsRequest{Account: ptr("")}, "a NON_COMPLIANT, b COMPLIANT"},
		"Status":    {&varvev1.ListComplianceResultsRequest{Status: []string{"COMPLIANT", "ERROR"}}, "b COMPLIANT"},
		"At":        {&varvev1.ListComplianceResultsRequest{At: day(2)}, "a COMPLIANT, b COMPLIANT"},
		"Before":    {&varvev1.ListComplianceResultsRequest{At: day(1)}, ""},
		"Waived":    {&varvev1.ListComplianceResultsRequest{Waived: ptr(true)}, ""},
		"KnownAt":   {&varvev1.ListComplianceResultsRequest{KnownAt: fmt.Sprint(min(head.GetRevision(), 3))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := told(results(t, d, c.req)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}

	t.Run("Pages", func(t *testing.T) {
		var got []*varvev1.ComplianceResult
		req := &varvev1.ListComplianceResultsRequest{PageSize: 1}
		for n := 0; ; n++ {
			resp, err := d.Comply.ListComplianceResults(t.Context(), req)
			if err != nil || n > 3 {
				t.Fatal(n, err)
			}
			got = append(got, resp.GetResults()...)
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		if told(got) != all {
			t.Error(told(got))
		}
	})
	t.Run("Times", func(t *testing.T) {
		r := results(t, d, &varvev1.ListComplianceResultsRequest{Status: []string{"NON_COMPLIANT"}, Account: ptr("")})[0]
		if !r.GetSince().AsTime().Equal(day(3).AsTime()) || !r.GetFirstSeen().AsTime().Equal(day(3).AsTime()) || r.GetSeverity() != "high" ||
			r.GetAnnotation() != "it is open" || r.GetRuleVersion() != 1 {
			t.Errorf("%v", r)
		}
	})
	t.Run("OverHTTP", func(t *testing.T) {
		code, text := d.Get(t, "/v1/compliance?status=NON_COMPLIANT&account=1")
		var got struct {
			Results []struct{ Rule, Compliance string } `json:"results"`
			Through struct{ Position string }           `json:"evaluatedThrough"`
		}
		if err := json.Unmarshal(text, &got); err != nil || code != 200 || len(got.Results) != 1 || got.Results[0].Compliance != "NON_COMPLIANT" || got.Through.Position == "" {
			t.Errorf("%d %s", code, text)
		}
	})
	t.Run("Refused", func(t *testing.T) {
		for field, req := range map[string]*varvev1.ListComplianceResultsRequest{
			"status[1]": {Status: []string{"ERROR", "FINE"}}, "wait": {Wait: durationpb.New(time.Hour)},
		} {
			_, err := d.Comply.ListComplianceResults(t.Context(), req)
			if got := refused(t, err, history.Invalid)["field"]; got != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		_, err := d.Comply.ListComplianceResults(t.Context(), &varvev1.ListComplianceResultsRequest{Rule: "opne"})
		if refused(t, err, history.NotFound); !strings.Contains(err.Error(), "did you mean open?") {
			t.Error(err)
		}
	})
}

func TestComplianceTimelinesAndSums(t *testing.T) {
	d := judging(t)
	putOpen(t, d)
	req := &varvev1.ListComplianceTimelinesRequest{Type: "T", Id: "a", Account: ptr(""), Wait: durationpb.New(time.Minute)}
	resp, err := d.Comply.ListComplianceTimelines(t.Context(), req)
	if err != nil || len(resp.GetTimelines()) != 1 {
		t.Fatal(resp, err)
	}
	var got []string
	for _, v := range resp.GetTimelines()[0].GetIntervals() {
		got = append(got, fmt.Sprintf("%d %s %t", v.GetFrom().AsTime().Day(), v.GetCompliance(), v.GetTo().IsValid()))
	}
	if strings.Join(got, ", ") != "2 COMPLIANT true, 3 NON_COMPLIANT false" {
		t.Error(got)
	}
	one := &varvev1.ListComplianceTimelinesRequest{Rule: "open", PageSize: 2}
	if resp, err = d.Comply.ListComplianceTimelines(t.Context(), one); err != nil || len(resp.GetTimelines()) != 2 || resp.GetNextPageToken() == "" {
		t.Fatal(resp, err)
	}
	one.PageToken = resp.GetNextPageToken()
	if resp, err = d.Comply.ListComplianceTimelines(t.Context(), one); err != nil || len(resp.GetTimelines()) != 1 || resp.GetNextPageToken() != "" {
		t.Fatal(resp, err)
	}
	_, err = d.Comply.ListComplianceTimelines(t.Context(), &varvev1.ListComplianceTimelinesRequest{})
	refused(t, err, history.Invalid)

	for by, want := range map[varvev1.SummarizeComplianceRequest_GroupBy]string{
		varvev1.SummarizeComplianceRequest_GROUP_BY_UNSPECIFIED: "; total 1/2 33.33",
		varvev1.SummarizeComplianceRequest_GROUP_BY_RULE:        "open 1/2 33.33; total 1/2 33.33",
		varvev1.SummarizeComplianceRequest_GROUP_BY_TYPE:        "T 1/2 33.33; total 1/2 33.33",
		varvev1.SummarizeComplianceRequest_GROUP_BY_ACCOUNT:     " 1/1 50.00 1 0/1 0.00; total 1/2 33.33",
		varvev1.SummarizeComplianceRequest_GROUP_BY_PACK:        "; total 1/2 33.33",
	} {
		resp, err := d.Comply.SummarizeCompliance(t.Context(), &varvev1.SummarizeComplianceRequest{GroupBy: by})
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		line := func(name string, c *varvev1.ComplianceCounts) string {
			return fmt.Sprintf("%s %d/%d %s", name, c.GetCompliant(), c.GetNonCompliant(), c.GetScore())
		}
		for _, g := range resp.GetGroups() {
			lines = append(lines, line(g.GetName(), g.GetCounts()))
		}
		if got := strings.Join(lines, " ") + "; " + line("total", resp.GetTotal()); got != want {
			t.Errorf("by %v: %s, want %s", by, got, want)
		}
	}
}

func TestReplay(t *testing.T) {
	d := judging(t)
	putOpen(t, d)
	choice := &varvev1.RuleChoice{Text: strings.Replace(openRule, "name: open", "name: proposed", 1), File: "p.yaml"}
	stream, err := d.Comply.BacktestRule(t.Context(), &varvev1.BacktestRuleRequest{Rule: choice, To: day(5)})
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	var result *varvev1.BacktestRuleResponse_Result
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range part.GetResources().GetResources() {
			seen = append(seen, fmt.Sprintf("%s%s %v", r.GetKey().GetAccount(), r.GetKey().GetId(), r.GetExposure().AsDuration()))
			if v := r.GetFirstViolation(); v != nil && (v.GetChange().GetAfter().GetConfiguration() != nil || len(v.GetChange().GetPatch()) == 0) {
				t.Errorf("%v", v)
			}
		}
		if r := part.GetResult(); r != nil {
			result = r
		}
	}
	if got := strings.Join(seen, ", "); got != "a 48h0m0s, b 0s, 1a 48h0m0s" || result.GetVersionsEvaluated() != 4 || result.GetViolating() != 2 {
		t.Errorf("%s, %v", got, result)
	}

	bisect := &varvev1.BisectRuleRequest{Rule: &varvev1.RuleChoice{Name: "rules/open"}, Type: "T", Id: "a", Account: ptr("")}
	found, err := d.Comply.BisectRule(t.Context(), bisect)
	if err != nil || found.GetWhat() != varvev1.BisectRuleResponse_WHAT_RESOURCE || !found.GetAt().AsTime().Equal(day(3).AsTime()) ||
		found.GetBefore().GetCompliance() != "COMPLIANT" || len(found.GetChanges()) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	bisect.Account = nil
	_, err = d.Comply.BisectRule(t.Context(), bisect)
	refused(t, err, history.Ambiguous)

	proposal := &varvev1.EvaluateProposalRequest{Proposal: seen1("b", `{"open":true}`)}
	would, err := d.Comply.EvaluateProposal(t.Context(), proposal)
	if err != nil || len(would.GetProspects()) != 1 || would.GetProspects()[0].GetNow().GetCompliance() != "COMPLIANT" ||
		would.GetProspects()[0].GetThen().GetCompliance() != "NON_COMPLIANT" {
		t.Errorf("%v, %v", would, err)
	}
	if got := told(results(t, d, &varvev1.ListComplianceResultsRequest{Type: "T", Id: "b"})); got != "b COMPLIANT" {
		t.Errorf("a proposal was recorded: %s", got)
	}

	// A rule that looks at others tells what becomes of them; one that is not put is asked
	// of all.
	text := "name: peers\nresourceTypes: [T]\ncompliant: inventory('T').filter(p, p.config.open).size() < 2\n"
	if _, err := d.Comply.PutRules(t.Context(), &varvev1.PutRulesRequest{Text: text}); err != nil {
		t.Fatal(err)
	}
	proposal.Proposal = seen1("a", `{"open":false}`)
	proposal.Proposal.Key.Account = "1"
	for name, rules := range map[string][]*varvev1.RuleChoice{"put": nil, "chosen": {{Text: text}}} {
		proposal.Rules = rules
		would, err := d.Comply.EvaluateProposal(t.Context(), proposal)
		if err != nil || would.GetTruncated() || !would.GetEvaluatedThrough().GetTime().IsValid() {
			t.Fatal(would, err)
		}
		var got []string
		for _, e := range would.GetDependants() {
			got = append(got, fmt.Sprintf("%s%s %s %s>%s", e.GetKey().GetAccount(), e.GetKey().GetId(), e.GetProspect().GetRule(), e.GetProspect().GetNow().GetCompliance(), e.GetProspect().GetThen().GetCompliance()))
		}
		if got := strings.Join(got, ", "); got != "a peers NON_COMPLIANT>COMPLIANT, b peers NON_COMPLIANT>COMPLIANT" {
			t.Errorf("%s: %s", name, got)
		}
	}
	proposal.Wait = durationpb.New(time.Hour)
	_, err = d.Comply.EvaluateProposal(t.Context(), proposal)
	refused(t, err, history.Invalid)

	for field, c := range map[string]*varvev1.RuleChoice{
		"rule": {}, "rule.name": {Name: "open"}, "rule.identifier": {Identifier: "NO_SUCH"},
	} {
		_, err := d.Comply.BisectRule(t.Context(), &varvev1.BisectRuleRequest{Rule: c, Type: "T", Id: "b"})
		if got := refused(t, err, history.Invalid)["field"]; got != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func seen1(id, configuration string) *varvev1.Observation {
	o := seen(id, 1, configuration)
	o.CapturedAt = nil
	return o
}

func TestRulesOverTheAPI(t *testing.T) {
	d := judging(t)
	put, err := d.Comply.PutRules(t.Context(), &varvev1.PutRulesRequest{Identifier: "ACCESS_KEYS_ROTATED", Name: "keys", Account: "1"})
	if err != nil || put.GetRules()[0].GetName() != "rules/keys" || put.GetRules()[0].GetCompliant() == "" || put.GetPosition() == "" {
		t.Fatal(put, err)
	}
	if _, err := d.Comply.PutRules(t.Context(), &varvev1.PutRulesRequest{Text: openRule, ValidateOnly: true}); err != nil {
		t.Fatal(err)
	}
	list, err := d.Comply.ListRules(t.Context(), &varvev1.ListRulesRequest{})
	if err != nil || len(list.GetRules()) != 1 {
		t.Error(list, err)
	}
	if code, text := d.Get(t, "/v1/rules/keys?account=1"); code != 200 || !strings.Contains(string(text), `"identifier":"ACCESS_KEYS_ROTATED"`) {
		t.Errorf("%d %s", code, text)
	}
	if code, text := d.Do(t, "DELETE", "/v1/rules/keys?account=1", "", nil); code != 200 {
		t.Errorf("%d %s", code, text)
	}
	if code, text := d.Get(t, "/v1/rules/keys?account=1"); code != 404 {
		t.Errorf("%d %s", code, text)
	}
	_, err = d.Comply.PutRules(t.Context(), &varvev1.PutRulesRequest{Text: "name: a\ncompliant: x.y\n", File: "a.yaml"})
	if refused(t, err, history.Invalid); !strings.Contains(err.Error(), "a.yaml:2:12") {
		t.Error(err)
	}
	for name, req := range map[string]*varvev1.PutRulesRequest{
		"Nothing": {}, "Both": {Text: openRule, Identifier: "X"}, "TwoNamed": {Text: openRule + "---\nname: b\ncompliant: 'true'\n", Name: "c"},
	} {
		if _, err := d.Comply.PutRules(t.Context(), req); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEvaluationsThatArePut(t *testing.T) {
	d := judging(t)
	putOpen(t, d)
	if _, err := d.Comply.PutRules(t.Context(), &varvev1.PutRulesRequest{Text: "name: pentest\nresourceTypes: [T]\nexternal: true\n", EffectiveFrom: day(1)}); err != nil {
		t.Fatal(err)
	}
	evaluation := &varvev1.PutEvaluationsRequest_Evaluation{
		Rule: "rules/pentest", Key: &varvev1.ResourceKey{Type: "T", Id: "b"}, Compliance: "NON_COMPLIANT", Annotation: "weak", At: day(4),
	}
	if _, err := d.Comply.PutEvaluations(t.Context(), &varvev1.PutEvaluationsRequest{Evaluations: []*varvev1.PutEvaluationsRequest_Evaluation{evaluation}}); err != nil {
		t.Fatal(err)
	}
	r := results(t, d, &varvev1.ListComplianceResultsRequest{Rule: "pentest", Type: "T", Id: "b"})
	if len(r) != 1 || r[0].GetCompliance() != "NON_COMPLIANT" || r[0].GetAnnotation() != "weak" || !r[0].GetSince().AsTime().Equal(day(4).AsTime()) {
		t.Errorf("%v", r)
	}
	evaluation.Rule = "rules/open"
	_, err := d.Comply.PutEvaluations(t.Context(), &varvev1.PutEvaluationsRequest{Evaluations: []*varvev1.PutEvaluationsRequest_Evaluation{evaluation}})
	if got := refused(t, err, history.Invalid)["field"]; got != "evaluations[0].rule" {
		t.Error(err)
	}
	evaluation.Compliance = "FINE"
	_, err = d.Comply.PutEvaluations(t.Context(), &varvev1.PutEvaluationsRequest{Evaluations: []*varvev1.PutEvaluationsRequest_Evaluation{evaluation}})
	if got := refused(t, err, history.Invalid)["field"]; got != "evaluations[0].compliance" {
		t.Error(err)
	}
}

func TestWaiversOverTheAPI(t *testing.T) {
	d := judging(t)
	putOpen(t, d)
	w := &varvev1.Waiver{Name: "waivers/w", Scope: &varvev1.RuleScope{Types: []string{"T"}, Ids: []string{"a"}, Accounts: []string{"1"}}, Reason: "r", Author: "a"}
	if _, err := d.Comply.PutWaiver(t.Context(), &varvev1.PutWaiverRequest{Waiver: w}); err != nil {
		t.Fatal(err)
	}
	if got := told(results(t, d, &varvev1.ListComplianceResultsRequest{})); got != "a NON_COMPLIANT, b COMPLIANT, 1a NON_COMPLIANT waived" {
		t.Error(got)
	}
	if got := told(results(t, d, &varvev1.ListComplianceResultsRequest{Waived: ptr(true)})); got != "1a NON_COMPLIANT waived" {
		t.Error(got)
	}
	list, err := d.Comply.ListWaivers(t.Context(), &varvev1.ListWaiversRequest{})
	if err != nil || len(list.GetWaivers()) != 1 || list.GetWaivers()[0].GetPutAt() == nil {
		t.Error(list, err)
	}
	w.Author = ""
	_, err = d.Comply.PutWaiver(t.Context(), &varvev1.PutWaiverRequest{Waiver: w})
	if got := refused(t, err, history.Invalid)["field"]; got != "author" {
		t.Error(err)
	}
	if code, text := d.Do(t, "DELETE", "/v1/waivers/w", "", nil); code != 200 {
		t.Errorf("%d %s", code, text)
	}
}

// A store whose rules nobody evaluates says so, and whoever waits in vain is told.
func TestComplianceThatIsNotThere(t *testing.T) {
	d := open(t, apitest.Options{})
	_, err := d.Comply.ListComplianceResults(t.Context(), &varvev1.ListComplianceResultsRequest{})
	refused(t, err, history.Unimplemented)

	store := memory.New(memory.Options{})
	e, err := engine.New(t.Context(), engine.Options{Store: store, Language: managed.Language{}}) // which does not run
	if err != nil {
		t.Fatal(err)
	}
	d = open(t, apitest.Options{Store: store, Server: server.Options{Compliance: &server.Compliance{Engine: e, Shelf: recorded.New(store)}}})
	if _, err := d.Comply.PutRules(t.Context(), &varvev1.PutRulesRequest{Text: openRule}); err != nil {
		t.Fatal(err)
	}
	_, err = d.Comply.ListComplianceResults(t.Context(), &varvev1.ListComplianceResultsRequest{Wait: durationpb.New(10 * time.Millisecond)})
	if status.Code(err) != codes.DeadlineExceeded || !strings.Contains(err.Error(), "has not come that far") {
		t.Error(err)
	}
	d.Server.Drain()
	_, err = d.Comply.ListComplianceResults(t.Context(), &varvev1.ListComplianceResultsRequest{Wait: durationpb.New(time.Minute)})
	if status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
}
