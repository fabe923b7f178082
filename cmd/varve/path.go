package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/argv"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Bounds of a search for paths.
const (
	longestPath = 32
	mostPaths   = 1000
)

func newPath(a *app) *cobra.Command {
	var from, to subject
	var m moment
	var depth, limit int32
	cmd := &cobra.Command{
		Use:   "path TYPE ID TYPE ID",
		Short: "Show how two resources are connected",
		Long: `Show the shortest ways from one resource to another, all of them. Relationships are
followed both ways: → leads from a user to what it uses, ← back to the user. Each is
worded as the resource above it would.

--account and --region are those of both resources; where the second one's differ,
--to-account and --to-region tell.`,
		Example: `  varve path AWS::EC2::Instance i-1 AWS::RDS::DBInstance db-1
  varve path AWS::EC2::Instance i-1 AWS::IAM::Role AROA4XQ7M2KPZL5RNDTVB --at 2026-07-18 -o mermaid`,
	}
	argv.IDAt(cmd, 1, 3)
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		for _, arg := range args {
			if strings.HasPrefix(arg, "--") && len(args) > 4 {
				return usagef(cmd, "unknown flag: %s", arg)
			}
			if arg == "" {
				return usagef(cmd, "TYPE and ID must not be empty")
			}
			if !utf8.ValidString(arg) {
				return usagef(cmd, "TYPE and ID must be UTF-8")
			}
		}
		if len(args) != 4 {
			return usagef(cmd, "TYPE ID TYPE ID are needed, %d arguments are given", len(args))
		}
		from.typ, from.id, to.typ, to.id = args[0], args[1], args[2], args[3]
		return nil
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) < 2 {
			return completeResource(a, &from)(cmd, args, begun)
		}
		return completeResource(a, &to)(cmd, args[2:], begun)
	}
	bindPlace(cmd, &from.account, &from.region)
	cmd.Flags().Var(&to.account, "to-account", "`ACCOUNT` of the second resource (default: that of --account)")
	cmd.Flags().Var(&to.region, "to-region", "`REGION` of the second resource (default: that of --region)")
	cmd.Flags().Int32Var(&depth, "depth", 16, "look for paths of up to `N` relationships; 32 is the most")
	cmd.Flags().Int32Var(&limit, "limit", 100, "at most `N` paths; 1000 is the most")
	m.bind(cmd)
	bindOutput(a, cmd, append([]format{asTable, asJSON}, drawings()...)...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkDepth(cmd, depth); err != nil {
			return err
		}
		if limit < 1 || limit > mostPaths {
			return usagef(cmd, "--limit %d: it must lie between 1 and %d", limit, mostPaths)
		}
		if !to.account.given {
			to.account = from.account
		}
		if !to.region.given {
			to.region = from.region
		}
		conn, err := a.dial(cmd)
		if err != nil {
			return err
		}
		defer conn.Close()
		resp, err := conn.FindPaths(cmd.Context(), &varvev1.FindPathsRequest{
			Type: from.typ, Id: from.id, Account: from.account.value(), Region: from.region.value(),
			ToType: to.typ, ToId: to.id, ToAccount: to.account.value(), ToRegion: to.region.value(),
			At: m.at.Timestamp(), KnownAt: m.knownAt.String(), Depth: depth, Limit: limit,
		})
		if err != nil {
			return err
		}
		switch a.output {
		case asJSON:
			err = a.writeJSON(answer.PathsOf(resp))
		case asTable:
			err = a.pathsTable(resp)
		default:
			err = a.drawPaths(resp)
		}
		if err != nil {
			return err
		}
		a.tellAbsent(&m, resp.GetAbsent()...)
		a.tellPaths(resp, depth)
		return nil
	}
	return cmd
}

// tellPaths says why there are no paths, or that there are more.
func (a *app) tellPaths(resp *varvev1.FindPathsResponse, depth int32) {
	switch n := len(resp.GetPaths()); {
	case n > 0 && resp.GetTruncated():
		fmt.Fprintf(a.stderr, "cut after %d, there are more paths of that length; --limit shows up to %d\n", n, mostPaths)
	case n > 0 || len(resp.GetAbsent()) > 0:
	case resp.GetTruncated():
		fmt.Fprintln(a.stderr, "the search was broken off: too many resources lie around; a path may exist")
	case sameKey(resp.GetFrom(), resp.GetTo()):
		fmt.Fprintln(a.stderr, "both are the same resource")
	case depth < longestPath:
		fmt.Fprintf(a.stderr, "no path of up to %d relationships; --depth looks farther, up to %d\n", depth, longestPath)
	default:
		fmt.Fprintf(a.stderr, "no path of up to %d relationships\n", depth)
	}
}

func (a *app) pathsTable(resp *varvev1.FindPathsResponse) error {
	t := table.New(a.screen, ">path", "relationship", "type", "id", "account", "region", "source")
	t.GiveWay()
	for i, p := range resp.GetPaths() {
		number := ""
		if len(resp.GetPaths()) > 1 {
			number = fmt.Sprint(i + 1)
		}
		row := func(name, source table.Cell, k *varvev1.ResourceKey) {
			cells := []table.Cell{table.Text(number), name, table.Text(k.GetType()), table.Text(k.GetId())}
			t.Row(append(append(cells, placeCells(k, resp.GetFrom())...), source)...)
		}
		row(table.Cell{}, table.Cell{}, resp.GetFrom())
		for _, h := range p.GetHops() {
			e := h.GetEdge()
			name := "→ " + e.GetName()
			if sameKey(e.GetUser(), h.GetKey()) {
				name = "← " + e.GetUsedName()
			}
			row(table.Cell{Text: name, Style: terminal.Cyan}, sourceCell(e), h.GetKey())
		}
	}
	_, err := t.WriteTo(a.stdout)
	return err
}

func (a *app) drawPaths(resp *varvev1.FindPathsResponse) error {
	s := newSketch()
	for _, p := range resp.GetPaths() {
		s.node(resp.GetFrom(), "")
		for _, h := range p.GetHops() {
			s.node(h.GetKey(), "")
		}
		s.hops(p.GetHops())
	}
	return a.draw(&s.Subgraph)
}
