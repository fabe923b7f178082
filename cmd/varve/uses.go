package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func newUses(a *app) *cobra.Command {
	var s subject
	var m moment
	var c graphCap
	var depth int32
	cmd := &cobra.Command{
		Use:   "uses TYPE ID",
		Short: "Show who uses a resource, now or at any moment",
		Long: `Show who uses a resource: the nearest first, each with a shortest way to it and the
reason for every step. With --depth 2 those who use the users are shown as well, and
so on: what is hit when the resource fails.

What contains a resource does not use it: a VPC is no user of its subnets, but these
are users of the VPC. "varve help graph" says what a relationship is, and where it
is read.`,
		Example: `  varve uses AWS::EC2::SecurityGroup sg-07c41d9be52a8f360
  varve uses AWS::EC2::SecurityGroup sg-07c41d9be52a8f360 --at 2026-07-18
  varve uses AWS::KMS::Key 1234abcd-12ab-34cd-56ef-1234567890ab --depth 3 -o tree
  varve uses Kubernetes::core::Secret payments/db -o json | jq -r '.hits[].id'`,
	}
	s.bind(a, cmd)
	bindDepth(cmd, &depth, "through up to `N`-1 others")
	c.bind(cmd, "users")
	m.bind(cmd)
	bindOutput(a, cmd, append([]format{asTable, asTree, asJSON}, drawings()...)...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkDepth(cmd, depth); err != nil {
			return err
		}
		if err := c.check(cmd); err != nil {
			return err
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		resp, err := conn.ListUses(cmd.Context(), &varvev1.ListUsesRequest{
			Type: s.typ, Id: s.id, Account: s.account.value(), Region: s.region.value(),
			At: m.at.Timestamp(), KnownAt: m.knownAt.String(), Depth: depth, Limit: c.limit,
		})
		if err != nil {
			return err
		}
		switch a.output {
		case asJSON:
			err = a.writeJSON(answer.UsesOf(resp))
		case asTable:
			err = a.usesTable(resp, depth)
		case asTree:
			err = a.page(func(w io.Writer) error { return writeUsesTree(w, a.screen, resp) })
		default:
			err = a.drawUses(resp)
		}
		if err != nil {
			return err
		}
		a.tellAbsent(&m, resp.GetAbsent())
		if len(resp.GetHits()) == 0 && resp.GetAbsent() == nil && (a.output == asTable || a.output == asTree) {
			fmt.Fprintln(a.stderr, "nobody uses it")
		}
		if resp.GetTruncated() {
			c.tell(a, len(resp.GetHits()), "users", "a smaller --depth shows the nearest")
		}
		return nil
	}
	return cmd
}

func (a *app) usesTable(resp *varvev1.ListUsesResponse, depth int32) error {
	t := table.New(a.screen, ">depth", "type", "id", "name", "account", "region", "relationship", "of", "source")
	t.GiveWay()
	for _, h := range resp.GetHits() {
		var deep, of table.Cell
		if depth > 1 {
			deep, of = table.Text(fmt.Sprint(h.GetDepth())), table.Text(usedBy(h, resp.GetKey()).GetId())
		}
		last := h.GetPath()[len(h.GetPath())-1].GetEdge()
		row := []table.Cell{deep, table.Text(h.GetKey().GetType()), table.Text(h.GetKey().GetId()), table.Text(nameText(h.GetKey(), h.GetName()))}
		row = append(row, placeCells(h.GetKey(), resp.GetKey())...)
		t.Row(append(row, table.Text(last.GetName()), of, sourceCell(last))...)
	}
	_, err := t.WriteTo(a.stdout)
	return err
}

// usedBy is what a user uses on its way to the resource asked about.
func usedBy(h *varvev1.ListUsesResponse_Hit, of *varvev1.ResourceKey) *varvev1.ResourceKey {
	if n := len(h.GetPath()); n > 1 {
		return h.GetPath()[n-2].GetKey()
	}
	return of
}

// writeUsesTree hangs every user below what it uses, which came before it, in whose
// wording it is told.
func writeUsesTree(w io.Writer, screen terminal.Screen, resp *varvev1.ListUsesResponse) error {
	of := resp.GetKey()
	root := &table.Branch{Cells: resourceCells(of, of)}
	branches := map[answer.Key]*table.Branch{answer.KeyOf(of): root}
	for _, h := range resp.GetHits() {
		below, ok := branches[answer.KeyOf(usedBy(h, of))]
		if !ok {
			below = root
		}
		cells := append([]table.Cell{{Text: "← " + h.GetPath()[len(h.GetPath())-1].GetEdge().GetUsedName(), Style: terminal.Cyan}},
			resourceCells(h.GetKey(), of)...)
		branches[answer.KeyOf(h.GetKey())] = below.Add(append(cells, table.Text(nameText(h.GetKey(), h.GetName())))...)
	}
	return table.WriteTree(w, screen, root)
}

func (a *app) drawUses(resp *varvev1.ListUsesResponse) error {
	s := newSketch()
	if resp.GetAbsent() == nil {
		s.node(resp.GetKey(), "")
	}
	for _, h := range resp.GetHits() {
		s.node(h.GetKey(), h.GetName())
		s.hops(h.GetPath())
	}
	return a.draw(&s.Subgraph)
}
