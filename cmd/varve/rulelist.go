package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newRuleList(a *app) *cobra.Command {
	var of owner
	var pack string
	var m moment
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List rules",
		Long: `List the rules that are put, or were at a moment, by owner and name. Those of packs
are named PACK/NAME; rules of packs that are not judged are shown by
` + "`varve pack show`" + `.`,
		Example: `  varve rule list
  varve rule list --pack security-checks -o json | jq -r '.rules[].name'`,
		Args: noArgs,
	}
	of.bindFilter(cmd)
	cmd.Flags().StringVar(&pack, "pack", "", "only rules of this `PACK`")
	_ = cmd.RegisterFlagCompletionFunc("pack", completePack(a))
	m.bind(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		account, region := of.filter()
		list := []answer.Rule{}
		err = eachRule(cmd.Context(), conn, &varvev1.ListRulesRequest{
			Account: account, Region: region, Pack: pack, At: m.at.Timestamp(), KnownAt: m.knownAt.String(),
		}, func(r answer.Rule) { list = append(list, r) })
		if err != nil {
			return err
		}
		if a.output == asJSON {
			return a.writeJSON(struct {
				Rules []answer.Rule `json:"rules"`
			}{list})
		}
		if len(list) == 0 {
			fmt.Fprintln(a.stderr, "no rules")
		}
		return a.page(func(w io.Writer) error { return a.ruleTable(w, list) })
	}
	return cmd
}

func newRuleShow(a *app) *cobra.Command {
	var of owner
	var m moment
	cmd := &cobra.Command{
		Use:     "show NAME",
		Short:   "Show a rule",
		Long:    `Show what a rule says, and from when on. A rule of a pack is named PACK/NAME.`,
		Example: `  varve rule show restricted-ssh`,
		Args:    oneName("rule"),
	}
	of.bind(cmd)
	m.bind(cmd)
	cmd.ValidArgsFunction = atFirst(completeRule(a, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		p, err := conn.GetRule(cmd.Context(), &varvev1.GetRuleRequest{
			Name: "rules/" + args[0], Account: of.account, Region: of.region, At: m.at.Timestamp(), KnownAt: m.knownAt.String(),
		})
		if err != nil {
			return err
		}
		r := answer.RuleOf(p)
		if a.output == asJSON {
			return a.writeJSON(r)
		}
		table.Fields(a.stdout, a.screen, ruleFields(&r))
		return nil
	}
	return cmd
}

func ruleFields(r *answer.Rule) []table.Field {
	text := func(name, value string) table.Field { return table.Field{Name: name, Cell: table.Text(value)} }
	fields := []table.Field{text("name", r.Name), text("pack", r.Pack), text("owner", r.Owner)}
	fields = append(fields, text("managed", r.Identifier), text("description", r.Description),
		table.Field{Name: "severity", Cell: severityCell(r.Severity)},
		text("types", strings.Join(r.Scope.Types, ", ")), text("ids", strings.Join(r.Scope.IDs, ", ")))
	if r.Scope.TagKey != "" {
		fields = append(fields, text("tag", strings.TrimSuffix(r.Scope.TagKey+"="+r.Scope.TagValue, "=")))
	}
	fields = append(fields, text("accounts", strings.Join(r.Scope.Accounts, ", ")), text("regions", strings.Join(r.Scope.Regions, ", ")),
		text("trigger", r.Trigger), text("period", r.Period), text("mode", r.Mode))
	for _, p := range r.Parameters {
		value, given := r.InputParameters[p.Name]
		switch {
		case given:
		case p.Default != nil:
			value = *p.Default + " (default)"
		case p.Required:
			value = "(required)"
		}
		fields = append(fields, text("parameter", p.Name+" = "+value))
	}
	for _, name := range slices.Sorted(maps.Keys(r.InputParameters)) {
		if !slices.ContainsFunc(r.Parameters, func(p answer.RuleParameter) bool { return p.Name == name }) {
			fields = append(fields, text("parameter", name+" = "+r.InputParameters[name]))
		}
	}
	return append(fields, text("frameworks", strings.Join(r.Frameworks, ", ")),
		text("applicable", oneLine(r.Applicable)), text("compliant", oneLine(r.Compliant)), text("annotation", oneLine(r.Annotation)),
		text("effective from", r.EffectiveFrom), text("put", r.PutAt), text("version", fmt.Sprint(r.Version)))
}

// oneLine is an expression as it fits into a field.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func newRuleDelete(a *app) *cobra.Command {
	var of owner
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a rule from now on",
		Long: `Delete a rule from now on: its verdicts end. What it said of the past is still
answered. A rule of a pack is deleted with its pack.`,
		Example: `  varve rule delete restricted-ssh`,
		Args:    oneName("rule"),
	}
	of.bind(cmd)
	cmd.ValidArgsFunction = atFirst(completeRule(a, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		resp, err := conn.DeleteRule(cmd.Context(), &varvev1.DeleteRuleRequest{Name: "rules/" + args[0], Account: of.account, Region: of.region})
		if err != nil {
			return err
		}
		return a.deleted(args[0], resp.GetPosition())
	}
	return cmd
}

// deleted tells that something was.
func (a *app) deleted(name, position string) error {
	if a.output == asJSON {
		return a.writeJSON(struct {
			Deleted  string `json:"deleted"`
			Position string `json:"position"`
		}{name, position})
	}
	_, err := fmt.Fprintf(a.stdout, "deleted %s\n", terminal.Clean(name))
	return err
}

func newRuleEvaluate(a *app) *cobra.Command {
	var of owner
	cmd := &cobra.Command{
		Use:   "evaluate NAME",
		Short: "Wait until a rule is evaluated on everything, and count its verdicts",
		Long: `Wait until a rule is evaluated on all that is recorded by now, and as of now, and
count its verdicts. Rules are evaluated by themselves as soon as something they judge
is recorded; this tells when that is done.`,
		Example: `  varve rule evaluate restricted-ssh`,
		Args:    oneName("rule"),
	}
	of.bind(cmd)
	cmd.ValidArgsFunction = atFirst(completeRule(a, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		resp, err := conn.EvaluateRule(cmd.Context(), &varvev1.EvaluateRuleRequest{
			Name: "rules/" + args[0], Account: of.account, Region: of.region, Wait: durationpb.New(evaluationWait),
		})
		if err != nil {
			return err
		}
		counts, through := answer.CountsOf(resp.GetCounts()), answer.ThroughOf(resp.GetEvaluatedThrough())
		if a.output == asJSON {
			return a.writeJSON(struct {
				Through answer.Through `json:"evaluatedThrough"`
				Counts  answer.Counts  `json:"counts"`
			}{through, counts})
		}
		table.Fields(a.stdout, a.screen, append(countFields(counts), table.Field{Name: "evaluated through", Cell: table.Text(through.Time)}))
		return nil
	}
	return cmd
}

// evaluationWait is how long --wait waits.
const evaluationWait = 10 * time.Minute

func countFields(c answer.Counts) []table.Field {
	number := func(name string, n uint64, style terminal.Style) table.Field {
		cell := table.Cell{Text: fmt.Sprint(n), Style: style}
		if n == 0 {
			cell.Style = terminal.Dim
		}
		return table.Field{Name: name, Cell: cell}
	}
	return []table.Field{
		{Name: "compliance", Cell: complianceCell(c.Compliance, false)}, {Name: "score", Cell: table.Text(c.Score)},
		number("compliant", c.Compliant, terminal.Green), number("non-compliant", c.NonCompliant, terminal.Red),
		number("waived", c.Waived, terminal.Cyan), number("not applicable", c.NotApplicable, terminal.Dim),
		number("insufficient data", c.InsufficientData, terminal.Yellow), number("errors", c.Errors, terminal.Red),
	}
}

// complianceCell paints a verdict.
func complianceCell(compliance string, waived bool) table.Cell {
	cell := table.Cell{Text: compliance, Style: map[string]terminal.Style{
		"COMPLIANT": terminal.Green, "NON_COMPLIANT": terminal.Red, "ERROR": terminal.Red,
		"INSUFFICIENT_DATA": terminal.Yellow, "NOT_APPLICABLE": terminal.Dim,
	}[compliance]}
	if waived {
		cell.Text, cell.Style = cell.Text+" (waived)", terminal.Cyan
	}
	return cell
}
