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

func newGraphDiff(a *app) *cobra.Command {
	var from, to when.Moment
	var known when.Known
	var rootType string
	var rootIDs []string
	var account, region optional
	var c graphCap
	cmd := &cobra.Command{
		Use:   "graph-diff --from X --to Y",
		Short: "Compare the graph at two moments",
		Long: `Show which resources and relationships came and went between two moments.

With --root-type and --root-id, also what that resource reaches at Y and did not at
X, and the other way round: all that it uses, directly or through others. --root-id
may be given several times.`,
		Example: `  varve graph-diff --from 2026-07-17 --to 2026-07-18
  varve graph-diff --from -1d --root-type AWS::EC2::Instance --root-id i-1 -o json`,
		Args: noArgs,
	}
	flags := cmd.Flags()
	flags.Var(&from, "from", "the moment before")
	flags.Var(&to, "to", "the moment after (default: the newest state)")
	flags.StringVar(&rootType, "root-type", "", "compare what a resource of this `TYPE` reaches")
	flags.StringArrayVar(&rootIDs, "root-id", nil, "the `ID` of that resource; may be repeated")
	flags.Var(&account, "account", "`ACCOUNT`, project or cluster of that resource; may be empty")
	flags.Var(&region, "region", "`REGION` of that resource; may be empty")
	c.bind(cmd, "resources or relationships in each part")
	bindKnown(cmd, &known)
	_ = cmd.RegisterFlagCompletionFunc("root-type", completeType(a))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case !from.Given():
			return usagef(cmd, "--from is needed: a moment, such as 2026-07-17 or -1d")
		case (rootType == "") != (len(rootIDs) == 0):
			return usagef(cmd, "--root-type and --root-id are needed together")
		case rootType == "" && (account.given || region.given):
			return usagef(cmd, "--account and --region go with --root-type and --root-id")
		}
		if err := c.check(cmd); err != nil {
			return err
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		resp, err := conn.DiffGraph(cmd.Context(), &varvev1.DiffGraphRequest{
			From: from.Timestamp(), To: to.Timestamp(), KnownAt: known.String(),
			RootType: rootType, RootIds: rootIDs, Account: account.value(), Region: region.value(), Limit: c.limit,
		})
		if err != nil {
			return err
		}
		if a.output == asJSON {
			err = a.writeJSON(answer.GraphDiffOf(resp))
		} else {
			err = a.page(func(w io.Writer) error { return a.writeGraphDiff(w, resp) })
		}
		if err != nil {
			return err
		}
		if resp.GetDataSince() != nil {
			a.tellSince(resp.GetDataSince())
		}
		if resp.GetTruncated() {
			c.tell(a, int(c.limit), "in one part or more", "moments that lie closer together differ less")
		}
		return nil
	}
	return cmd
}

// signed is one line of a difference: what was added, or removed.
type signed struct {
	cells []table.Cell
	style terminal.Style
}

func (a *app) writeGraphDiff(w io.Writer, d *varvev1.DiffGraphResponse) error {
	keys := func(list []*varvev1.ResourceKey, sign string, style terminal.Style) (lines []signed) {
		for _, k := range list {
			lines = append(lines, signed{[]table.Cell{
				{Text: sign}, {Text: k.GetType()}, {Text: k.GetId()}, {Text: k.GetAccount()}, {Text: k.GetRegion()},
			}, style})
		}
		return lines
	}
	edges := func(list []*varvev1.Edge, sign string, style terminal.Style) (lines []signed) {
		for _, e := range list {
			lines = append(lines, signed{[]table.Cell{
				{Text: sign}, {Text: e.GetUser().GetType()}, {Text: e.GetUser().GetId()}, {Text: e.GetName()},
				{Text: e.GetUsed().GetType()}, {Text: e.GetUsed().GetId()},
			}, style})
		}
		return lines
	}
	place := []string{" ", "type", "id", "account", "region"}
	written := false
	for _, part := range []struct {
		title string
		head  []string
		lines []signed
	}{
		{"resources", place, append(keys(d.GetNodesAdded(), "+", terminal.Green), keys(d.GetNodesRemoved(), "-", terminal.Red)...)},
		{"relationships", []string{" ", "user", "id", "relationship", "used", "id"},
			append(edges(d.GetEdgesAdded(), "+", terminal.Green), edges(d.GetEdgesRemoved(), "-", terminal.Red)...)},
		{"reach", place, append(keys(d.GetGained(), "+", terminal.Green), keys(d.GetLost(), "-", terminal.Red)...)},
	} {
		if len(part.lines) == 0 {
			continue
		}
		if written {
			fmt.Fprintln(w)
		}
		written = true
		fmt.Fprintln(w, a.screen.Paint(terminal.Bold, part.title))
		t := table.New(a.screen, part.head...)
		for _, l := range part.lines {
			for i := range l.cells {
				l.cells[i].Style = l.style
			}
			t.Row(l.cells...)
		}
		if _, err := t.WriteTo(w); err != nil {
			return err
		}
	}
	if !written {
		_, err := fmt.Fprintln(w, "no differences")
		return err
	}
	return nil
}
