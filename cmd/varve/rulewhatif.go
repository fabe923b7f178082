package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/argv"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newRuleWhatIf(a *app) *cobra.Command {
	var account, region optional
	var by []string
	var tags tagFilter
	var of owner
	var deleted, wait, exitCode bool
	cmd := &cobra.Command{
		Use:   "what-if TYPE ID FILE | TYPE ID --deleted",
		Short: "Evaluate a proposed configuration, without recording it",
		Long: `Evaluate what a resource would be: FILE holds its configuration as JSON, "-" is
standard input. The rules see it among all that stands, with the relationships that
it would have. Told is what they would say of the resource, and which verdicts on
other resources would change, since they look at it, at all of its type or at its
relationships: up to 1,000 of 10,000 that are looked at, and "truncated" if there may
be more. Nothing is recorded.

By default all rules that are put judge it; --rule names some, or files with rules
that are not put. Tags are taken from the configuration where it has them, or from
--tag.`,
		Example: `  varve rule what-if AWS::EC2::SecurityGroup sg-07c41d9be52a8f360 proposed.json
  varve rule what-if AWS::S3::Bucket logs bucket.json --rule encrypted.yaml --exit-code`,
	}
	argv.IDAt(cmd, 1)
	flags := cmd.Flags()
	bindPlace(cmd, &account, &region)
	flags.StringArrayVar(&by, "rule", nil, "by this `RULE|FILE` only; may be given several times")
	flags.Var(&tags, "tag", "a tag that it would have; may be given several times")
	flags.BoolVar(&deleted, "deleted", false, "propose that it is deleted")
	flags.BoolVar(&exitCode, "exit-code", false, "exit with 1 if something told would not comply")
	flags.BoolVar(&wait, "wait", false, "wait until all that is recorded is evaluated; else for 10 seconds")
	of.bind(cmd)
	_ = cmd.RegisterFlagCompletionFunc("rule", completeRule(a, cobra.ShellCompDirectiveDefault))
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		want := 3
		if deleted {
			want = 2
		}
		if len(args) != want {
			return usagef(cmd, "TYPE ID FILE are needed, or TYPE ID and --deleted; %d arguments are given", len(args))
		}
		return nil
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) < 2 {
			return completeResource(a, &subject{account: account, region: region})(cmd, args, begun)
		}
		return nil, cobra.ShellCompDirectiveDefault
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		request := &varvev1.EvaluateProposalRequest{Proposal: &varvev1.Observation{
			Key:     &varvev1.ResourceKey{Account: account.text, Region: region.text, Type: args[0], Id: args[1]},
			Deleted: deleted, Tags: tagsOf(tags),
		}}
		if !deleted {
			text, err := readText(args[2])
			if err != nil {
				return usagef(cmd, "%w", err)
			}
			request.Proposal.Configuration = &varvev1.Json{Raw: []byte(text)}
		}
		for _, r := range by {
			choice, err := (&ruleChoice{owner: of}).request(cmd, r)
			if err != nil {
				return err
			}
			request.Rules = append(request.Rules, choice)
		}
		if wait {
			request.Wait = durationpb.New(evaluationWait)
		}
		file := ""
		if !deleted {
			file = args[2]
		}
		return a.whatIf(cmd, request, file, account, region, exitCode)
	}
	return cmd
}

func tagsOf(list tagFilter) map[string]string {
	if len(list) == 0 {
		return nil
	}
	tags := map[string]string{}
	for _, text := range list {
		k, v, _ := strings.Cut(text, "=")
		tags[k] = v
	}
	return tags
}

// ofFile tells of a refused configuration where it was written.
func ofFile(file string, err error) error {
	var refusal *client.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	rest, ok := strings.CutPrefix(refusal.Message, "proposal.configuration")
	if !ok || file == "" {
		return err
	}
	if file == "-" {
		file = "standard input"
	}
	told := *refusal
	told.Message = file + ":" + rest
	return &told
}

func (a *app) whatIf(cmd *cobra.Command, request *varvev1.EvaluateProposalRequest, file string, account, region optional, exitCode bool) error {
	conn, err := a.dial(cmd)
	if err != nil {
		return err
	}
	defer conn.Close()
	key := request.GetProposal().GetKey()
	if !account.given || !region.given {
		// A resource that is known need not be told in full.
		item, err := conn.LookupItem(cmd.Context(), &varvev1.LookupItemRequest{
			Type: key.GetType(), Id: key.GetId(), Account: account.value(), Region: region.value(), ReadMask: mask("key"),
		})
		switch {
		case err == nil:
			request.Proposal.Key = item.GetKey()
		case !isUnknown(err) || request.GetProposal().GetDeleted():
			return err
		}
	}
	resp, err := conn.EvaluateProposal(cmd.Context(), request)
	if err != nil {
		return ofFile(file, err)
	}
	would := answer.WhatIfOf(resp)
	if a.output == asJSON {
		err = a.writeJSON(would)
	} else {
		err = a.page(func(w io.Writer) error { return a.whatIfTables(w, &would) })
	}
	if err == nil && exitCode && would.Fails() {
		return errReported
	}
	return err
}

func (a *app) whatIfTables(w io.Writer, would *answer.WhatIf) error {
	if len(would.Prospects) == 0 {
		fmt.Fprintln(a.stderr, "no rule says anything about it")
	} else {
		t := table.New(a.screen, "rule", "severity", "now", "then")
		t.GiveWay()
		for i := range would.Prospects {
			t.Row(prospectCells(&would.Prospects[i])...)
		}
		if _, err := t.WriteTo(w); err != nil {
			return err
		}
	}
	if len(would.Dependants) > 0 {
		if len(would.Prospects) > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, a.screen.Paint(terminal.Bold, "On other resources:"))
		t := table.New(a.screen, "type", "id", "account", "region", "rule", "severity", "now", "then")
		t.GiveWay()
		for i := range would.Dependants {
			d := &would.Dependants[i]
			t.Row(append([]table.Cell{table.Text(d.Type), table.Text(d.ID), table.Text(d.Account), table.Text(d.Region)}, prospectCells(&d.Prospect)...)...)
		}
		if _, err := t.WriteTo(w); err != nil {
			return err
		}
	}
	if would.Truncated {
		fmt.Fprintf(w, "More may change on other resources: %s.\n", terminal.Clean(would.TruncatedReason))
	}
	return nil
}

func prospectCells(p *answer.Prospect) []table.Cell {
	return []table.Cell{table.Text(answer.Qualify(p.Pack, p.Rule)), severityCell(p.Severity), verdictCell(p.Now), verdictCell(p.Then)}
}

// isUnknown reports whether the daemon does not know, or no longer has, a resource.
func isUnknown(err error) bool {
	var refusal *client.Refusal
	return errors.As(err, &refusal) && refusal.Code == codes.NotFound
}
