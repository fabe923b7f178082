package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

var groupings = map[string]varvev1.CountItemsRequest_GroupBy{
	"":        varvev1.CountItemsRequest_GROUP_BY_UNSPECIFIED,
	"type":    varvev1.CountItemsRequest_GROUP_BY_TYPE,
	"account": varvev1.CountItemsRequest_GROUP_BY_ACCOUNT,
	"region":  varvev1.CountItemsRequest_GROUP_BY_REGION,
}

func newCount(a *app) *cobra.Command {
	var f filter
	var by string
	cmd := &cobra.Command{
		Use:   "count",
		Short: "Count what existed at a moment",
		Long:  `Count the resources that list would show, in all or by type, account or region.`,
		Example: `  varve count
  varve count --by type --at 2026-07-18
  varve count --type AWS::EC2::Instance --by region -o json`,
		Args: noArgs,
	}
	f.bind(a, cmd)
	cmd.Flags().StringVar(&by, "by", "", "count by `MEMBER`: type, account or region")
	_ = cmd.RegisterFlagCompletionFunc("by", cobra.FixedCompletions([]string{"type", "account", "region"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		group, ok := groupings[by]
		if !ok {
			return usagef(cmd, "--by %s: choose type, account or region", by)
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		counts, err := conn.CountItems(cmd.Context(), &varvev1.CountItemsRequest{
			At: f.at.Timestamp(), KnownAt: f.knownAt.String(),
			Type: f.typ, Account: f.account.value(), Region: f.region.value(),
			IdPrefix: f.idPrefix, Name: f.name, Tags: f.tags, ShowDeleted: f.deleted,
			GroupBy: group,
		})
		if err != nil {
			return err
		}
		if a.output == asJSON {
			return a.countJSON(counts, by)
		}
		return a.countTable(counts, by)
	}
	return cmd
}

// group is one line of a count. It has the member that is counted by, even if
// that is empty.
type group struct {
	Type    *string `json:"type,omitzero"`
	Account *string `json:"account,omitzero"`
	Region  *string `json:"region,omitzero"`
	Count   uint32  `json:"count"`
}

func (a *app) countJSON(counts *varvev1.CountItemsResponse, by string) error {
	out := struct {
		Count  uint32  `json:"count"`
		Counts []group `json:"counts,omitzero"`
	}{Count: counts.GetCount()}
	if by != "" {
		out.Counts = []group{}
	}
	for _, g := range counts.GetGroups() {
		line := group{Count: g.GetCount()}
		switch by {
		case "type":
			line.Type = &g.Name
		case "account":
			line.Account = &g.Name
		case "region":
			line.Region = &g.Name
		}
		out.Counts = append(out.Counts, line)
	}
	return a.writeJSON(out)
}

func (a *app) countTable(counts *varvev1.CountItemsResponse, by string) error {
	if by == "" {
		_, err := fmt.Fprintln(a.stdout, counts.GetCount())
		return err
	}
	t := table.New(a.screen, ">count", by)
	for _, g := range counts.GetGroups() {
		name := table.Text(g.GetName())
		if name.Text == "" {
			name = table.Cell{Text: "(no " + by + ")", Style: terminal.Dim}
		}
		t.Row(table.Text(fmt.Sprint(g.GetCount())), name)
	}
	t.Row(table.Text(fmt.Sprint(counts.GetCount())), table.Cell{Text: "all " + by + "s", Style: terminal.Bold})
	_, err := t.WriteTo(a.stdout)
	return err
}
