package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/argv"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/cmd/internal/when"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newRuleBacktest(a *app) *cobra.Command {
	var c ruleChoice
	var from, to when.Moment
	var known when.Known
	var all bool
	cmd := &cobra.Command{
		Use:   "backtest RULE|FILE | --managed IDENTIFIER",
		Short: "Evaluate a rule over the recorded past",
		Long: `Evaluate a rule over all that is recorded of the past, as if it had always been in
force: one that is put, or one in a file that is not. It shows for each resource when
it did not comply, for how long all in all, and which version of it was the first
bad one. Nothing is recorded.

The table shows violations; --all shows the other verdicts, too. JSON has all.`,
		Example: `  varve rule backtest restricted-ssh.yaml --from 2026-01-01 --to 2026-07-01
  varve rule backtest --managed INCOMING_SSH_DISABLED --from -30d -o json | jq '.resources[] | select(.exposureHours > 0)'`,
	}
	c.bind(a, cmd)
	flags := cmd.Flags()
	flags.Var(&from, "from", "begin of the span (default: the first capture)")
	flags.Var(&to, "to", "end of the span, not part of it (default: now)")
	flags.BoolVar(&all, "all", false, "show what complied, too")
	bindKnown(cmd, &known)
	cmd.Args = func(cmd *cobra.Command, args []string) error { return c.check(cmd, args, 0) }
	cmd.ValidArgsFunction = atFirst(completeRule(a, cobra.ShellCompDirectiveDefault))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		choice, err := c.request(cmd, first(args))
		if err != nil {
			return err
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		ctx, stop := interruptible(cmd.Context())
		defer stop()
		request := &varvev1.BacktestRuleRequest{Rule: choice, From: from.Timestamp(), To: to.Timestamp(), KnownAt: known.String()}
		if a.output == asJSON {
			return a.backtestJSON(ctx, conn, request)
		}
		return a.backtestTable(ctx, conn, request, all)
	}
	return cmd
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// check is for commands that take RULE|FILE, unless --managed is given, and so many
// further arguments.
func (c *ruleChoice) check(cmd *cobra.Command, args []string, further int) error {
	want := 1 + further
	if c.managed != "" {
		want--
	}
	switch {
	case len(args) == want && (want == 0 || args[0] != ""):
		return nil
	case c.managed == "" && len(args) == 0:
		return usagef(cmd, "the RULE is needed: its name, the file of one, or --managed with an identifier")
	}
	return usagef(cmd, "%d arguments are needed, %d are given", want, len(args))
}

// backtest follows a back-test to its end.
func (a *app) backtest(ctx context.Context, conn *client.Conn, request *varvev1.BacktestRuleRequest, use func(*varvev1.BacktestRuleResponse_Resource) error) (result *varvev1.BacktestRuleResponse_Result, err error) {
	bar := newBar(a, "evaluating", 0, progress.UnitsDefault)
	defer func() { bar.end(err) }()
	err = conn.Once(ctx, func() error {
		stream, err := conn.BacktestRule(ctx, request)
		if err != nil {
			return err
		}
		for {
			part, err := stream.Recv()
			if err != nil {
				return err
			}
			conn.Progress(nil)
			if result = part.GetResult(); result != nil {
				return nil
			}
			if p := part.GetProgress(); p != nil {
				bar.reached(p.GetDone(), p.GetTotal())
			}
			for _, r := range part.GetResources().GetResources() {
				if err := use(r); err != nil {
					return err
				}
			}
		}
	})
	return result, err
}

func (a *app) backtestJSON(ctx context.Context, conn *client.Conn, request *varvev1.BacktestRuleRequest) error {
	list := a.array("resources")
	result, err := a.backtest(ctx, conn, request, func(r *varvev1.BacktestRuleResponse_Resource) error { return list.add(answer.ExposureOf(r)) })
	if err != nil {
		return err
	}
	tail := struct {
		Versions uint64  `json:"versionsEvaluated"`
		Exposure float64 `json:"exposureHours"`
		From     string  `json:"from"`
		To       string  `json:"to"`
	}{result.GetVersionsEvaluated(), answer.Hours(result.GetExposure().AsDuration()), answer.Time(result.GetFrom()), answer.Time(result.GetTo())}
	return list.closeWith(tail)
}

func (a *app) backtestTable(ctx context.Context, conn *client.Conn, request *varvev1.BacktestRuleRequest, all bool) error {
	t := table.New(a.screen, "type", "id", "account", "region", "verdict", "from", "to", ">hours", "first bad version", "annotation")
	t.GiveWay()
	result, err := a.backtest(ctx, conn, request, func(p *varvev1.BacktestRuleResponse_Resource) error {
		e := answer.ExposureOf(p)
		bad := ""
		if v := e.FirstViolation; v != nil {
			bad = versionText(v.To)
		}
		for i, interval := range e.Intervals {
			violating := interval.Compliance == "NON_COMPLIANT"
			if !all && !violating && interval.Compliance != "ERROR" {
				continue
			}
			hours, of := "", ""
			if violating {
				span := p.GetIntervals()[i]
				hours = strconv.FormatFloat(span.GetTo().AsTime().Sub(span.GetFrom().AsTime()).Hours(), 'f', 2, 64)
				of, bad = bad, ""
			}
			t.Row(table.Text(e.Type), table.Text(e.ID), table.Text(e.Account), table.Text(e.Region), complianceCell(interval.Compliance, false),
				table.Text(interval.From), table.Text(interval.To), table.Text(hours), table.Text(of), table.Text(interval.Annotation))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if t.Len() > 0 || all {
		if _, err := t.WriteTo(a.stdout); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(a.stdout, "%d of %d resources did not comply at some time, for %s resource-hours; %d versions evaluated, %s to %s\n",
		result.GetViolating(), result.GetResources(), strconv.FormatFloat(answer.Hours(result.GetExposure().AsDuration()), 'f', 2, 64),
		result.GetVersionsEvaluated(), answer.Time(result.GetFrom()), answer.Time(result.GetTo()))
	return err
}

// versionText says which version it is, and who made it.
func versionText(s *answer.State) string {
	if s == nil {
		return ""
	}
	text := fmt.Sprintf("v%d %s", s.Version, s.CapturedAt)
	if s.Cause != nil && s.Cause.Actor != "" {
		text += " by " + shortActor(s.Cause.Actor)
	}
	return text
}

func newRuleBisect(a *app) *cobra.Command {
	var c ruleChoice
	var from, to when.Moment
	var known when.Known
	var account, region optional
	cmd := &cobra.Command{
		Use:   "bisect RULE|FILE TYPE ID",
		Short: "Find the change that made a rule fail for a resource",
		Long: `Find the first change that made a rule fail for a resource, as if the rule had always
been in force: what changed, when, and by whom. It may be another resource, which the
rule looks at, or time that went by.`,
		Example: `  varve rule bisect restricted-ssh AWS::EC2::SecurityGroup sg-07c41d9be52a8f360
  varve rule bisect ssh.yaml AWS::EC2::SecurityGroup sg-07c41d9be52a8f360 --from 2026-07-01`,
	}
	argv.IDAt(cmd, 2)
	c.bind(a, cmd)
	flags := cmd.Flags()
	bindPlace(cmd, &account, &region)
	flags.Var(&from, "from", "begin of the search (default: the first capture)")
	flags.Var(&to, "to", "end of the search (default: now)")
	bindKnown(cmd, &known)
	cmd.Args = func(cmd *cobra.Command, args []string) error { return c.check(cmd, args, 2) }
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 && c.managed == "" {
			return completeRule(a, cobra.ShellCompDirectiveDefault)(cmd, args, begun)
		}
		if c.managed == "" {
			args = args[1:]
		}
		return completeResource(a, &subject{account: account, region: region})(cmd, args, begun)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		choice, err := c.request(cmd, first(args))
		if err != nil {
			return err
		}
		of := args[len(args)-2:]
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		resp, err := conn.BisectRule(cmd.Context(), &varvev1.BisectRuleRequest{
			Rule: choice, Type: of[0], Id: of[1], Account: account.value(), Region: region.value(),
			From: from.Timestamp(), To: to.Timestamp(), KnownAt: known.String(),
		})
		if err != nil {
			return err
		}
		b := answer.BisectionOf(resp)
		if a.output == asJSON {
			return a.writeJSON(b)
		}
		return a.page(func(w io.Writer) error { return a.writeBisection(w, &b) })
	}
	return cmd
}

func (a *app) writeBisection(w io.Writer, b *answer.Bisection) error {
	fmt.Fprintln(w, a.screen.Paint(terminal.Bold, terminal.Clean(b.Type+" "+b.ID)))
	what := map[string]string{
		"resource": "a change of the resource", "rule": "a version of the rule", "other": "a change of what the rule looks at", "clock": "time went by",
	}[b.What]
	table.Fields(w, a.screen, []table.Field{
		{Name: "failed at", Cell: table.Text(b.At)}, {Name: "because of", Cell: table.Text(what)},
		{Name: "before", Cell: verdictCell(b.Before)}, {Name: "after", Cell: verdictCell(b.After)},
	})
	for i := range b.Changes {
		c := &b.Changes[i]
		fmt.Fprintf(w, "\n%s\n", a.screen.Paint(terminal.Bold, terminal.Clean(c.Type+" "+c.ID)))
		table.Fields(w, a.screen, []table.Field{
			{Name: "from", Cell: table.Text(versionText(c.From))}, {Name: "to", Cell: table.Text(versionText(c.To))},
		})
		t := table.New(a.screen, "change", "at", "value")
		t.GiveWay()
		for _, op := range c.Patch {
			t.Row(table.Text(op.Op), table.Text(op.Path), table.Text(cutValue(op.Value)))
		}
		if _, err := t.WriteTo(w); err != nil {
			return err
		}
	}
	return nil
}

// cutValue is a value as people read one.
func cutValue(v jsontext.Value) string {
	const most = 400
	if len(v) > most {
		return string(v[:most]) + "…"
	}
	return string(v)
}

func verdictCell(v *answer.Verdict) table.Cell {
	if v == nil {
		return table.Cell{Text: "no verdict", Style: terminal.Dim}
	}
	cell := complianceCell(v.Compliance, false)
	if v.Annotation != "" {
		cell.Text += ": " + v.Annotation
	}
	return cell
}
