package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/cmd/internal/when"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newRulePut(a *app) *cobra.Command {
	var name, managed string
	var params parameters
	var from when.Moment
	var of owner
	cmd := &cobra.Command{
		Use:   "put FILE… | --managed IDENTIFIER",
		Short: "Put rules, from files or managed ones",
		Long: `Put rules: from then on they are evaluated, on what is recorded by now and on what
will be. A rule of the same name is replaced. Files are checked, all of them, before
a rule is put; a file with "-" for its name is standard input. What is put as it is
changes nothing.

--effective-from says from when on they are in force (default: from now on). A past
moment evaluates the past: what was known then, and answered then, stays as it was.

--managed puts one of the rules that are part of the program, under its own name or
--name, with the parameters of --param. See ` + "`varve help rules`" + `.`,
		Example: `  varve rule put restricted-ssh.yaml
  varve rule put rules/*.yaml --effective-from 2026-01-01
  varve rule put --managed ACCESS_KEYS_ROTATED --param maxAccessKeyAge=60 --name keys-60
  varve rule put restricted-ssh.yaml --owner 111122223333/eu-west-1`,
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0 && managed == "":
			return usagef(cmd, "a FILE with rules is needed, or --managed with the identifier of a managed rule")
		case len(args) > 0 && managed != "":
			return usagef(cmd, "--managed does not go with a FILE; give one of both")
		case len(args) > 1 && (name != "" || len(params) > 0):
			return usagef(cmd, "--name and --param are for one rule; %d files are given", len(args))
		}
		return nil
	}
	flags := cmd.Flags()
	flags.StringVar(&managed, "managed", "", "put the managed rule `IDENTIFIER`, such as INCOMING_SSH_DISABLED")
	flags.StringVar(&name, "name", "", "put the rule under `NAME` (default: its own)")
	params.bind(cmd)
	flags.Var(&from, "effective-from", "from when on the rule is in force (default: from now on)")
	of.bind(cmd)
	_ = cmd.RegisterFlagCompletionFunc("managed", completeManaged)
	cmd.ValidArgsFunction = cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		base := &varvev1.PutRulesRequest{
			Account: of.account, Region: of.region, Name: name, InputParameters: params, EffectiveFrom: from.Timestamp(), Identifier: managed,
		}
		requests := []*varvev1.PutRulesRequest{base}
		if managed == "" {
			requests = nil
			for _, file := range args {
				text, err := readText(file)
				if err != nil {
					return usagef(cmd, "%w", err)
				}
				requests = append(requests, &varvev1.PutRulesRequest{
					Account: of.account, Region: of.region, Name: name, InputParameters: params, EffectiveFrom: from.Timestamp(),
					Text: text, File: file,
				})
			}
		}
		return a.putRules(cmd, requests)
	}
	return cmd
}

// putRules puts rules, none if one of them is refused.
func (a *app) putRules(cmd *cobra.Command, requests []*varvev1.PutRulesRequest) error {
	conn, err := a.dial(cmd)
	if err != nil {
		return err
	}
	defer conn.Close()
	if len(requests) > 1 {
		for _, r := range requests {
			r.ValidateOnly = true
			if _, err := conn.PutRules(cmd.Context(), r); err != nil {
				return err
			}
		}
	}
	put := struct {
		Rules    []answer.Rule `json:"rules"`
		Position string        `json:"position"`
	}{Rules: []answer.Rule{}}
	for _, r := range requests {
		r.ValidateOnly = false
		resp, err := conn.PutRules(cmd.Context(), r)
		if err != nil {
			return err
		}
		for _, p := range resp.GetRules() {
			put.Rules = append(put.Rules, answer.RuleOf(p))
		}
		put.Position = resp.GetPosition()
	}
	if a.output == asJSON {
		return a.writeJSON(put)
	}
	return a.page(func(w io.Writer) error { return a.ruleTable(w, put.Rules) })
}

// severityCell paints what is bad.
func severityCell(severity string) table.Cell {
	styles := map[string]terminal.Style{"critical": terminal.Red, "high": terminal.Red, "medium": terminal.Yellow}
	return table.Cell{Text: severity, Style: styles[severity]}
}

func (a *app) ruleTable(w io.Writer, list []answer.Rule) error {
	t := table.New(a.screen, "rule", "owner", ">v", "severity", "managed", "effective from", "description")
	t.GiveWay()
	for i := range list {
		r := &list[i]
		identifier := r.Identifier
		if r.External {
			identifier = "(external)"
		}
		t.Row(table.Text(r.Recorded()), table.Text(r.Owner), table.Text(fmt.Sprint(r.Version)), severityCell(r.Severity),
			table.Text(identifier), table.Text(r.EffectiveFrom), table.Text(r.Description))
	}
	_, err := t.WriteTo(w)
	return err
}
