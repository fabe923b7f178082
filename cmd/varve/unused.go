package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newUnused(a *app) *cobra.Command {
	var m moment
	var account, region optional
	cmd := &cobra.Command{
		Use:   "unused TYPE",
		Short: "List the resources of a type that nobody uses",
		Long: `List the resources of a type that nobody uses, or used at a moment, in order of
account, region and id. They are told as "varve list" does.

"Nobody" means: none of what is recorded. A key that only a resource of another
account uses, which is not recorded, seems unused.`,
		Example: `  varve unused AWS::EC2::SecurityGroup
  varve unused AWS::EC2::Volume --account 111122223333 --at -30d
  varve unused Kubernetes::core::Secret -o json | jq -r '.resources[].id'`,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeType(a)(cmd, args, begun)
		},
	}
	var typ string
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 || args[0] == "" {
			return usagef(cmd, "TYPE is needed, and nothing else; %d arguments are given", len(args))
		}
		typ = args[0]
		return nil
	}
	cmd.Flags().Var(&account, "account", "only this `ACCOUNT`, project or cluster; may be empty")
	cmd.Flags().Var(&region, "region", "only this `REGION`; may be empty")
	m.bind(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		request := &varvev1.ListUnusedRequest{
			Type: typ, Account: account.value(), Region: region.value(),
			At: m.at.Timestamp(), KnownAt: m.knownAt.String(),
			PageSize: fullPage, ReadMask: mask(answer.ResourceFields...),
		}
		var since *timestamppb.Timestamp
		pages := func(use func([]*varvev1.Item) error) error {
			for {
				page, err := conn.ListUnused(cmd.Context(), request)
				if err != nil {
					return err
				}
				if err := use(page.GetItems()); err != nil {
					return err
				}
				since = page.GetDataSince()
				if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
					return nil
				}
			}
		}
		if a.output == asJSON {
			err = a.listJSON(pages)
		} else {
			err = a.listTable(pages, false, "no unused resources")
		}
		if err == nil && since != nil {
			a.tellSince(since)
		}
		return err
	}
	return cmd
}

// tellSince says that a moment lies before all data.
func (a *app) tellSince(since *timestamppb.Timestamp) {
	fmt.Fprintf(a.stderr, "nothing was captured before %s\n", since.AsTime().UTC().Format(time.RFC3339Nano))
}

func newLastUsed(a *app) *cobra.Command {
	var s subject
	var m moment
	var c graphCap
	cmd := &cobra.Command{
		Use:   "last-used TYPE ID",
		Short: "Say when the last use of a resource ended, and whose it was",
		Long: `Say whether a resource is used, and by whom; else when the last use ended, and whose
it was. Only uses up to --at count.

A use ends when either end changes so that it is none, or goes. Of what was never
used, as far as is known, there is nothing to tell.`,
		Example: `  varve last-used AWS::EC2::SecurityGroup sg-07c41d9be52a8f360
  varve last-used AWS::IAM::Role AROA4XQ7M2KPZL5RNDTVB -o json | jq -r .endedAt`,
	}
	s.bind(a, cmd)
	c.bind(cmd, "uses")
	m.bind(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := c.check(cmd); err != nil {
			return err
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		resp, err := conn.GetLastUsed(cmd.Context(), &varvev1.GetLastUsedRequest{
			Type: s.typ, Id: s.id, Account: s.account.value(), Region: s.region.value(),
			At: m.at.Timestamp(), KnownAt: m.knownAt.String(), Limit: c.limit,
		})
		if err != nil {
			return err
		}
		if a.output == asJSON {
			err = a.writeJSON(answer.LastUseOf(resp))
		} else {
			err = a.lastUseTable(resp)
		}
		if err != nil {
			return err
		}
		a.tellAbsent(&m, resp.GetAbsent())
		if resp.GetTruncated() {
			c.tell(a, len(resp.GetBy()), "uses", "`varve uses` lists them while they last")
		}
		return nil
	}
	return cmd
}

func (a *app) lastUseTable(resp *varvev1.GetLastUsedResponse) error {
	inUse := table.Cell{Text: "no, and no use of it is known", Style: terminal.Yellow}
	switch {
	case resp.GetInUse():
		inUse = table.Cell{Text: "yes", Style: terminal.Green}
	case resp.GetEndedAt() != nil:
		inUse.Text = "no"
	}
	table.Fields(a.stdout, a.screen, []table.Field{
		{Name: "in use", Cell: inUse},
		{Name: "until", Cell: table.Text(answer.Time(resp.GetEndedAt()))},
	})
	if len(resp.GetBy()) == 0 {
		return nil
	}
	fmt.Fprintln(a.stdout)
	t := table.New(a.screen, "by", "id", "account", "region", "relationship", "source")
	t.GiveWay()
	for _, e := range resp.GetBy() {
		row := []table.Cell{table.Text(e.GetUser().GetType()), table.Text(e.GetUser().GetId())}
		row = append(row, placeCells(e.GetUser(), resp.GetKey())...)
		t.Row(append(row, table.Text(e.GetName()), sourceCell(e))...)
	}
	_, err := t.WriteTo(a.stdout)
	return err
}
