package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/report"
)

// Formats of compliance, besides table and json.
const (
	asCSV   format = "csv"
	asSARIF format = "sarif"
	asJUnit format = "junit"
)

// complianceQuestion is what the flags of compliance ask.
type complianceQuestion struct {
	moment
	rule, pack, typ, id string
	status              []string
	account, region     optional
	wait                bool
	by                  string
	timeline, exitCode  bool
	severity            string
}

var countings = map[string]varvev1.SummarizeComplianceRequest_GroupBy{
	"rule": varvev1.SummarizeComplianceRequest_GROUP_BY_RULE, "type": varvev1.SummarizeComplianceRequest_GROUP_BY_TYPE,
	"account": varvev1.SummarizeComplianceRequest_GROUP_BY_ACCOUNT, "pack": varvev1.SummarizeComplianceRequest_GROUP_BY_PACK,
}

func newCompliance(a *app) *cobra.Command {
	var q complianceQuestion
	cmd := &cobra.Command{
		Use:   "compliance",
		Short: "Show what breaks which rule, since when, and did at any moment",
		Long: `Show the verdicts that stand, or stood at a moment: what each rule says of each
resource, since when this verdict has held, when the rule first said so of the
resource, and whether it is waived. Filters are joined by and.

--at asks about a moment, --known-at about what was known then: "was it so at the
audit date", and "what would we have answered on that day".

Rules are evaluated by themselves within a second after something was recorded;
--wait waits until everything that is recorded by now is evaluated.

--by counts verdicts by rule, type, account or pack instead, with a score: the share
that complies among what the rules apply to. --timeline shows the verdicts on one
resource (--type, --id) or by one rule (--rule) over all time.

sarif (2.1.0), junit and csv are for what builds software. With --exit-code the exit
code is 1 if something does not comply and is not waived, or is not known because
of an error or for want of data; --severity leaves lesser rules out of that.`,
		Example: `  varve compliance --status NON_COMPLIANT --wait
  varve compliance --pack security-checks --by rule
  varve compliance --type AWS::EC2::SecurityGroup --id sg-07c41d9be52a8f360 --timeline
  varve compliance --rule restricted-ssh --at 2026-06-30 --known-at 2026-06-30
  varve compliance -o sarif --exit-code --severity high > varve.sarif`,
		Args: noArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&q.rule, "rule", "", "only by this `RULE`: NAME, or PACK/NAME")
	flags.StringVar(&q.pack, "pack", "", "only by rules of this `PACK`")
	flags.StringVar(&q.typ, "type", "", "only on resources of this `TYPE`")
	flags.StringVar(&q.id, "id", "", "only on resources with this `ID`")
	flags.StringSliceVar(&q.status, "status", nil, "only this `VERDICT`, such as NON_COMPLIANT; may be given several times")
	flags.Var(&q.account, "account", "only on resources of this `ACCOUNT`; may be empty")
	flags.Var(&q.region, "region", "only on resources of this `REGION`; may be empty")
	q.bind(cmd)
	flags.BoolVar(&q.wait, "wait", false, "wait until all that is recorded is evaluated")
	flags.StringVar(&q.by, "by", "", "count by `WHAT`: rule, type, account or pack")
	flags.BoolVar(&q.timeline, "timeline", false, "show verdicts over all time, of a resource or a rule")
	flags.BoolVar(&q.exitCode, "exit-code", false, "exit with 1 if something does not comply")
	flags.StringVar(&q.severity, "severity", "", "with --exit-code: only rules of this `SEVERITY` or worse count")
	bindOutput(a, cmd, asTable, asJSON, asCSV, asSARIF, asJUnit)
	_ = cmd.RegisterFlagCompletionFunc("rule", completeRule(a, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("pack", completePack(a))
	_ = cmd.RegisterFlagCompletionFunc("type", completeType(a))
	_ = cmd.RegisterFlagCompletionFunc("status", cobra.FixedCompletions(
		[]string{"COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA", "ERROR"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("by", cobra.FixedCompletions([]string{"rule", "type", "account", "pack"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("severity", cobra.FixedCompletions([]string{"low", "medium", "high", "critical"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := q.check(cmd, a.output); err != nil {
			return err
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		switch {
		case q.by != "":
			return a.complianceSummary(cmd.Context(), conn, &q)
		case q.timeline:
			return a.complianceTimelines(cmd.Context(), conn, &q)
		}
		return a.complianceResults(cmd.Context(), conn, &q)
	}
	return cmd
}

func (q *complianceQuestion) check(cmd *cobra.Command, output format) error {
	if _, ok := countings[q.by]; q.by != "" && !ok {
		return usagef(cmd, "--by %s: choose rule, type, account or pack", q.by)
	}
	if q.severity != "" {
		if _, err := rules.ParseSeverity(q.severity); err != nil {
			return usagef(cmd, "--severity %s: choose low, medium, high or critical", q.severity)
		}
	}
	for i, s := range q.status {
		q.status[i] = strings.ToUpper(strings.ReplaceAll(s, "-", "_"))
	}
	plain := output == asTable || output == asJSON
	switch {
	case q.by != "" && q.timeline:
		return usagef(cmd, "--by does not go with --timeline; give one of both")
	case (q.by != "" || q.timeline) && !plain:
		return usagef(cmd, "--output %s is of results; it does not go with --by and --timeline", output)
	case (q.by != "" || q.timeline) && q.exitCode:
		return usagef(cmd, "--exit-code is of results; it does not go with --by and --timeline")
	case q.by != "" && (q.id != "" || len(q.status) > 0):
		return usagef(cmd, "--id and --status do not go with --by")
	case q.timeline && (q.pack != "" || len(q.status) > 0 || q.at.Given()):
		return usagef(cmd, "--pack, --status and --at do not go with --timeline")
	case q.timeline && (q.typ == "" || q.id == "") && q.rule == "":
		return usagef(cmd, "--timeline needs a resource, --type and --id, or a rule, --rule")
	}
	return nil
}

// waiting is what to ask for with --wait.
func (q *complianceQuestion) waiting() *durationpb.Duration {
	if !q.wait {
		return nil
	}
	return durationpb.New(evaluationWait)
}

// eachResult gives results page by page; the first page has what is unsupported.
func (q *complianceQuestion) eachResult(ctx context.Context, conn *client.Conn, use func(*varvev1.ListComplianceResultsResponse) error) error {
	request := &varvev1.ListComplianceResultsRequest{
		Rule: q.rule, Pack: q.pack, Type: q.typ, Id: q.id, Status: q.status, Account: q.account.value(), Region: q.region.value(),
		At: q.at.Timestamp(), KnownAt: q.knownAt.String(), Wait: q.waiting(), PageSize: fullPage,
	}
	for {
		page, err := conn.ListComplianceResults(ctx, request)
		if err != nil {
			return err
		}
		if err := use(page); err != nil {
			return err
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return nil
		}
	}
}

func (a *app) complianceResults(ctx context.Context, conn *client.Conn, q *complianceQuestion) error {
	var through *varvev1.EvaluatedThrough
	var unsupported []*varvev1.UnsupportedRule
	list := []*varvev1.ComplianceResult{}
	err := q.eachResult(ctx, conn, func(page *varvev1.ListComplianceResultsResponse) error {
		if through == nil {
			through, unsupported = page.GetEvaluatedThrough(), page.GetUnsupported()
		}
		list = append(list, page.GetResults()...)
		return nil
	})
	if err != nil {
		return err
	}
	r := reportOf(through, list)
	switch a.output {
	case asJSON:
		results := make([]answer.Result, len(list))
		for i, p := range list {
			results[i] = answer.ResultOf(p)
		}
		err = a.writeJSON(struct {
			Through answer.Through  `json:"evaluatedThrough"`
			Results []answer.Result `json:"results"`
		}{answer.ThroughOf(through), results})
	case asTable:
		err = a.page(func(w io.Writer) error { return a.resultTable(w, list) })
	default:
		if err := q.describe(ctx, conn, r); err != nil {
			return err
		}
		err = report.Write(a.stdout, report.Format(a.output), r, thisBuild().Version)
	}
	if err != nil {
		return err
	}
	a.tellThrough(through, len(list), unsupported)
	if q.exitCode && report.ExitCode(r.Results, rules.Severity(q.severity)) != report.ExitFine {
		return errReported
	}
	return nil
}

// tellThrough says how far evaluation has come, and what is not judged at all.
func (a *app) tellThrough(through *varvev1.EvaluatedThrough, results int, unsupported []*varvev1.UnsupportedRule) {
	if a.output == asTable {
		if results == 0 {
			fmt.Fprintln(a.stderr, "no verdicts")
		}
		if at := answer.Time(through.GetTime()); at != "" {
			fmt.Fprintf(a.stderr, "%s\n", a.errScreen.Paint(terminal.Dim, "evaluated through "+at))
		}
	}
	packs := map[string]int{}
	var names []string
	for _, u := range unsupported {
		if packs[u.GetPack()]++; packs[u.GetPack()] == 1 {
			names = append(names, u.GetPack())
		}
	}
	for _, name := range names {
		fmt.Fprintf(a.stderr, "not judged: %s of the pack %s; see `varve pack show %s`\n", several(packs[name], "rule"), terminal.Clean(name), terminal.Clean(name))
	}
}

// reportOf is what was found, in the words of package report.
func reportOf(through *varvev1.EvaluatedThrough, list []*varvev1.ComplianceResult) *report.Report {
	r := &report.Report{Through: report.Through{Position: through.GetPosition()}, Results: make([]report.Result, len(list))}
	if t := through.GetTime(); t != nil {
		r.Through.Time = history.MomentOf(t.AsTime())
	}
	for i, p := range list {
		k := p.GetKey()
		one := report.Result{
			Rule:      answer.Qualify(p.GetPack(), p.GetRule()),
			Owner:     rules.Owner{Account: p.GetOwnerAccount(), Region: p.GetOwnerRegion()},
			Resource:  history.Key{Account: k.GetAccount(), Region: k.GetRegion(), Type: k.GetType(), ID: k.GetId()},
			Verdict:   rules.Verdict{Compliance: rules.Compliance(p.GetCompliance()), Annotation: p.GetAnnotation()},
			Since:     history.MomentOf(p.GetSince().AsTime()),
			FirstSeen: history.MomentOf(p.GetFirstSeen().AsTime()),
			Severity:  rules.Severity(p.GetSeverity()),
		}
		if p.GetPack() != "" {
			one.Packs = []string{p.GetPack()}
		}
		if w := p.GetWaived(); w != nil {
			one.Waived = &report.Waiving{Name: w.GetWaiver(), Reason: w.GetReason(), Author: w.GetAuthor()}
			if w.GetExpiresAt() != nil {
				one.Waived.Expires = history.MomentOf(w.GetExpiresAt().AsTime())
			}
		}
		r.Results[i] = one
	}
	return r
}

// describe adds to a report what the rules ask for, as they stood then.
func (q *complianceQuestion) describe(ctx context.Context, conn *client.Conn, r *report.Report) error {
	all := map[string]*varvev1.Rule{}
	request := &varvev1.ListRulesRequest{At: q.at.Timestamp(), KnownAt: q.knownAt.String(), Pack: q.pack, PageSize: fullPage}
	for {
		page, err := conn.ListRules(ctx, request)
		if err != nil {
			return err
		}
		for _, p := range page.GetRules() {
			of := report.Result{
				Rule: strings.TrimPrefix(p.GetName(), wire.RuleNames), Owner: rules.Owner{Account: p.GetAccount(), Region: p.GetRegion()},
			}
			all[of.RuleName()] = p
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			break
		}
	}
	for i := range r.Results {
		if p := all[r.Results[i].RuleName()]; p != nil {
			r.Results[i].Help, r.Results[i].Identifier = p.GetDescription(), p.GetIdentifier()
		}
	}
	return nil
}

// several is a number of things, whose plural is regular.
func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// resultTable shows what is bad first, and the worse before the bad.
func (a *app) resultTable(w io.Writer, list []*varvev1.ComplianceResult) error {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(x, y *varvev1.ComplianceResult) int { return urgency(x) - urgency(y) })
	t := table.New(a.screen, "verdict", "severity", "rule", "type", "id", "account", "region", "since", "first seen", "why")
	t.GiveWay()
	for _, p := range list {
		r := answer.ResultOf(p)
		why := r.Annotation
		if waived := p.GetWaived(); waived != nil {
			why = strings.TrimSpace(fmt.Sprintf("%s (waived by %s: %s)", why, waived.GetAuthor(), waived.GetReason()))
		}
		first := r.FirstSeen
		if first == r.Since {
			first = ""
		}
		t.Row(complianceCell(r.Compliance, r.Waived), severityCell(p.GetSeverity()), table.Text(answer.Qualify(r.Pack, r.Rule)),
			table.Text(r.Type), table.Text(r.ID), table.Text(r.Account), table.Text(r.Region), table.Text(r.Since), table.Text(first), table.Text(why))
	}
	if t.Len() == 0 {
		return nil
	}
	_, err := t.WriteTo(w)
	return err
}

func urgency(p *varvev1.ComplianceResult) int {
	worst := 4 - slices.Index([]string{"low", "medium", "high", "critical"}, p.GetSeverity())
	switch p.GetCompliance() {
	case "NON_COMPLIANT":
		if p.GetWaived() != nil {
			return 40 + worst
		}
		return worst
	case "ERROR":
		return 10 + worst
	case "INSUFFICIENT_DATA":
		return 20 + worst
	case "COMPLIANT":
		return 50
	}
	return 60
}

func (a *app) complianceSummary(ctx context.Context, conn *client.Conn, q *complianceQuestion) error {
	resp, err := conn.SummarizeCompliance(ctx, &varvev1.SummarizeComplianceRequest{
		GroupBy: countings[q.by], Rule: q.rule, Pack: q.pack, Type: q.typ, Account: q.account.value(), Region: q.region.value(),
		At: q.at.Timestamp(), KnownAt: q.knownAt.String(), Wait: q.waiting(),
	})
	if err != nil {
		return err
	}
	groups := make([]answer.Group, len(resp.GetGroups()))
	for i, g := range resp.GetGroups() {
		groups[i] = answer.GroupOf(g)
	}
	total := answer.CountsOf(resp.GetTotal())
	if a.output == asJSON {
		return a.writeJSON(struct {
			Through answer.Through `json:"evaluatedThrough"`
			Groups  []answer.Group `json:"groups"`
			Total   answer.Counts  `json:"total"`
		}{answer.ThroughOf(resp.GetEvaluatedThrough()), groups, total})
	}
	t := table.New(a.screen, q.by, "compliance", ">score", ">compliant", ">non-compliant", ">waived", ">not applicable", ">no data", ">errors", ">unsupported")
	for _, g := range append(groups, answer.Group{Name: "total", Counts: total}) {
		compliance, score := complianceCell(g.Compliance, false), g.Score
		if g.UnsupportedRules > 0 && g.Compliant+g.NonCompliant+g.NotApplicable+g.InsufficientData+g.Errors == 0 {
			compliance, score = table.Cell{Text: "UNSUPPORTED", Style: terminal.Yellow}, ""
		}
		if score == g.Compliance {
			score = "" // there is none, for the reason that stands beside it
		}
		cells := []table.Cell{table.Text(g.Name), compliance, table.Text(score)}
		for _, n := range []uint64{g.Compliant, g.NonCompliant, g.Waived, g.NotApplicable, g.InsufficientData, g.Errors, g.UnsupportedRules} {
			cells = append(cells, table.Text(fmt.Sprint(n)))
		}
		t.Row(cells...)
	}
	_, err = t.WriteTo(a.stdout)
	return err
}

func (a *app) complianceTimelines(ctx context.Context, conn *client.Conn, q *complianceQuestion) error {
	request := &varvev1.ListComplianceTimelinesRequest{
		Rule: q.rule, KnownAt: q.knownAt.String(), Wait: q.waiting(), PageSize: fullPage,
	}
	if q.id != "" {
		request.Type, request.Id, request.Account, request.Region = q.typ, q.id, q.account.value(), q.region.value()
	}
	var through *varvev1.EvaluatedThrough
	list := []answer.Timeline{}
	for {
		page, err := conn.ListComplianceTimelines(ctx, request)
		if err != nil {
			return err
		}
		if through == nil {
			through = page.GetEvaluatedThrough()
		}
		for _, p := range page.GetTimelines() {
			list = append(list, answer.TimelineOf(p))
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			break
		}
	}
	if a.output == asJSON {
		return a.writeJSON(struct {
			Through   answer.Through    `json:"evaluatedThrough"`
			Timelines []answer.Timeline `json:"timelines"`
		}{answer.ThroughOf(through), list})
	}
	t := table.New(a.screen, "rule", "type", "id", "account", "region", "verdict", "from", "to", "why")
	t.GiveWay()
	for i := range list {
		for _, v := range list[i].Intervals {
			t.Row(table.Text(answer.Qualify(list[i].Pack, list[i].Rule)), table.Text(list[i].Type), table.Text(list[i].ID),
				table.Text(list[i].Account), table.Text(list[i].Region), complianceCell(v.Compliance, false),
				table.Text(v.From), table.Text(v.To), table.Text(v.Annotation))
		}
	}
	if t.Len() == 0 {
		fmt.Fprintln(a.stderr, "no verdicts")
		return nil
	}
	_, err := t.WriteTo(a.stdout)
	return err
}
