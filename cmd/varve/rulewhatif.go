package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/argv"
	"github.com/varvehq/varve/cmd/internal/client"
	"github.com/varvehq/varve/cmd/internal/table"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newRuleWhatIf(a *app) *cobra.Command {
	var account, region optional
	var by []string
	var tags tagFilter
	var of owner
	var deleted, exitCode bool
	cmd := &cobra.Command{
		Use:   "what-if TYPE ID FILE | TYPE ID --deleted",
		Short: "Evaluate a proposed configuration, without recording it",
		Long: `Evaluate what a resource would be: FILE holds its configuration as JSON, "-" is
standard input. The rules see it among all that stands, with the relationships that
it would have. Nothing is recorded.

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
	flags.BoolVar(&exitCode, "exit-code", false, "exit with 1 if something would not comply")
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
		return a.whatIf(cmd, request, account, region, exitCode)
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

func (a *app) whatIf(cmd *cobra.Command, request *varvev1.EvaluateProposalRequest, account, region optional, exitCode bool) error {
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
		case !isUnknown(err):
			return err
		}
	}
	resp, err := conn.EvaluateProposal(cmd.Context(), request)
	if err != nil {
		return err
	}
	prospects := make([]answer.Prospect, len(resp.GetProspects()))
	bad := false
	for i, p := range resp.GetProspects() {
		prospects[i] = answer.ProspectOf(p)
		switch p.GetThen().GetCompliance() {
		case "NON_COMPLIANT", "ERROR":
			bad = true
		}
	}
	if a.output == asJSON {
		err = a.writeJSON(struct {
			answer.Key
			Prospects []answer.Prospect `json:"prospects"`
		}{answer.KeyOf(resp.GetKey()), prospects})
	} else {
		err = a.page(func(w io.Writer) error { return a.prospectTable(w, prospects) })
	}
	if err == nil && bad && exitCode {
		return errReported
	}
	return err
}

func (a *app) prospectTable(w io.Writer, list []answer.Prospect) error {
	if len(list) == 0 {
		fmt.Fprintln(a.stderr, "no rule says anything about it")
		return nil
	}
	t := table.New(a.screen, "rule", "severity", "now", "then")
	t.GiveWay()
	for _, p := range list {
		t.Row(table.Text(answer.Qualify(p.Pack, p.Rule)), severityCell(p.Severity), verdictCell(p.Now), verdictCell(p.Then))
	}
	_, err := t.WriteTo(w)
	return err
}

// isUnknown reports whether the daemon does not know, or no longer has, a resource.
func isUnknown(err error) bool {
	var refusal *client.Refusal
	return errors.As(err, &refusal) && refusal.Code == codes.NotFound
}
