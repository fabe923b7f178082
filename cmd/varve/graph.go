package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/cmd/internal/answer"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/graph"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

var directions = map[string]varvev1.Direction{
	"both": varvev1.Direction_DIRECTION_BOTH,
	"in":   varvev1.Direction_DIRECTION_IN,
	"out":  varvev1.Direction_DIRECTION_OUT,
}

// around is a question about the relationships of a resource.
type around struct {
	subject
	moment
	graphCap
	direction, name, otherType string
	depth                      int32
}

func newGraph(a *app) *cobra.Command {
	q := &around{}
	cmd := &cobra.Command{
		Use:   "graph TYPE ID",
		Short: "Show what a resource uses, and what uses it",
		Long: `Show the relationships of a resource at a moment. Each leads from a user to what
it uses: an instance uses its security group, a security group is contained in,
and so uses, its VPC. "out" are those in which the resource is the user, "in" those
in which it is the used one, which has a wording of its own: what "Is contained in"
a VPC, the VPC "Contains". --name takes either wording. In a tree, → leads to what
is used and ← to a user, worded as the resource above would.

Relationships are read out of what was recorded: declared by the source, known
from the shape of a type, or found because a value has the form of another
resource's identifier. The source of each is a JSON pointer into the configuration
of one of its two ends, @NAME and a pointer into the supplementary configuration of
that name, or the word "declared"; "+2" are two more, which -o json tells. A
relationship exists while both ends do, whichever of them was recorded first.

Other questions about the graph:
  varve uses TYPE ID             who uses it, directly or through others
  varve path TYPE ID TYPE ID     how two resources are connected
  varve unused TYPE              what nobody uses
  varve last-used TYPE ID        when the last use ended, and whose it was
  varve graph-diff --from TIME   what came and went between two moments

All of them take --at and --known-at. What is shown is bounded by --limit; where
that cuts something off, standard error says so, and JSON has "truncated":true.

To draw it: -o dot for Graphviz, -o mermaid for Markdown, -o graphml, or
-o cytoscape for Cytoscape and Cytoscape.js. Arrows lead from the user to the used.`,
		Example: `  varve graph AWS::EC2::SecurityGroup sg-07c41d9be52a8f360
  varve graph AWS::EC2::VPC vpc-1 --direction in --name Contains --at 2026-07-18
  varve graph Kubernetes::apps::Deployment payments/checkout --depth 2 -o tree
  varve graph AWS::EC2::Instance i-1 --depth 3 -o dot | dot -Tsvg > graph.svg`,
	}
	q.subject.bind(a, cmd)
	flags := cmd.Flags()
	flags.StringVar(&q.direction, "direction", "both", "`SIDE`: out shows what it uses, in who uses it, both shows all")
	flags.StringVar(&q.name, "name", "", "only relationships of this `NAME`, in either wording")
	flags.StringVar(&q.otherType, "type", "", "only relationships that lead to this `TYPE`, or come from it")
	bindDepth(cmd, &q.depth, "show what is up to `N` relationships away")
	q.graphCap.bind(cmd, "relationships")
	q.moment.bind(cmd)
	bindOutput(a, cmd, append([]format{asTable, asTree, asJSON}, drawings()...)...)
	_ = cmd.RegisterFlagCompletionFunc("direction", cobra.FixedCompletions([]string{"in", "out", "both"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("type", completeType(a))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if _, ok := directions[q.direction]; !ok {
			return usagef(cmd, "--direction %s: choose in, out or both", q.direction)
		}
		if err := checkDepth(cmd, q.depth); err != nil {
			return err
		}
		if err := q.check(cmd); err != nil {
			return err
		}
		switch a.output {
		case asTable, asTree, asJSON:
			return a.relationships(cmd, q)
		}
		return a.subgraph(cmd, q)
	}
	return cmd
}

func (a *app) relationships(cmd *cobra.Command, q *around) error {
	conn, err := a.dial(cmd)
	if err != nil {
		return err
	}
	defer conn.Close()
	resp, err := conn.GetRelationships(cmd.Context(), &varvev1.GetRelationshipsRequest{
		Type: q.typ, Id: q.id, Account: q.account.value(), Region: q.region.value(),
		At: q.at.Timestamp(), KnownAt: q.knownAt.String(), Direction: directions[q.direction],
		Name: q.name, OtherType: q.otherType, Depth: q.depth, Limit: q.limit,
	})
	if err != nil {
		return err
	}
	switch a.output {
	case asJSON:
		err = a.writeJSON(answer.Relationships{
			Relationships: answer.EdgesOf(resp.GetEdges()), Truncated: resp.GetTruncated(),
			DataSince: answer.Time(resp.GetAbsent().GetDataSince()),
		})
	case asTree:
		err = a.page(func(w io.Writer) error { return writeGraphTree(w, a.screen, resp.GetKey(), resp.GetEdges()) })
	default:
		err = a.edgesTable(resp.GetKey(), resp.GetEdges())
	}
	if err != nil {
		return err
	}
	a.tellAbsent(&q.moment, resp.GetAbsent())
	if len(resp.GetEdges()) == 0 && resp.GetAbsent() == nil && a.output != asJSON {
		fmt.Fprintln(a.stderr, "no relationships")
	}
	if resp.GetTruncated() {
		q.tell(a, len(resp.GetEdges()), "relationships", "--name, --type or --direction show a part")
	}
	return nil
}

func (a *app) subgraph(cmd *cobra.Command, q *around) error {
	conn, err := a.dial(cmd)
	if err != nil {
		return err
	}
	defer conn.Close()
	resp, err := conn.GetSubgraph(cmd.Context(), &varvev1.GetSubgraphRequest{
		Type: q.typ, Ids: []string{q.id}, Account: q.account.value(), Region: q.region.value(),
		At: q.at.Timestamp(), KnownAt: q.knownAt.String(), Direction: directions[q.direction],
		Name: q.name, OtherType: q.otherType, Depth: q.depth, Limit: q.limit,
	})
	if err != nil {
		return err
	}
	s := &graph.Subgraph{}
	for _, n := range resp.GetNodes() {
		s.Nodes = append(s.Nodes, graph.Node{Key: wire.KeyFromAnswer(n.GetKey()), Name: n.GetName()})
	}
	for _, e := range resp.GetEdges() {
		s.Edges = append(s.Edges, wire.EdgeFromProto(e))
	}
	if err := a.draw(s); err != nil {
		return err
	}
	a.tellAbsent(&q.moment, resp.GetAbsent()...)
	if resp.GetTruncated() {
		q.tell(a, len(s.Edges), "relationships", "--name, --type or --direction show a part")
	}
	return nil
}

// edgesTable shows relationships as a resource sees them, where it is an end of
// all of them, else from user to used.
func (a *app) edgesTable(of *varvev1.ResourceKey, edges []*varvev1.Edge) error {
	for _, e := range edges {
		if !sameKey(e.GetUser(), of) && !sameKey(e.GetUsed(), of) {
			return a.fullEdgesTable(of, edges)
		}
	}
	t := table.New(a.screen, "side", "relationship", "type", "id", "account", "region", "source")
	t.GiveWay()
	for _, e := range edges {
		side, name, other := "out", e.GetName(), e.GetUsed()
		if !sameKey(e.GetUser(), of) {
			side, name, other = "in", e.GetUsedName(), e.GetUser()
		}
		row := []table.Cell{{Text: side, Style: terminal.Dim}, table.Text(name), table.Text(other.GetType()), table.Text(other.GetId())}
		t.Row(append(append(row, placeCells(other, of)...), sourceCell(e))...)
	}
	_, err := t.WriteTo(a.stdout)
	return err
}

func (a *app) fullEdgesTable(of *varvev1.ResourceKey, edges []*varvev1.Edge) error {
	t := table.New(a.screen, "user", "id", "at", "relationship", "used", "id", "at", "source")
	t.GiveWay()
	for _, e := range edges {
		t.Row(table.Text(e.GetUser().GetType()), table.Text(e.GetUser().GetId()), elsewhere(e.GetUser(), of), table.Text(e.GetName()),
			table.Text(e.GetUsed().GetType()), table.Text(e.GetUsed().GetId()), elsewhere(e.GetUsed(), of), sourceCell(e))
	}
	_, err := t.WriteTo(a.stdout)
	return err
}

func sameKey(a, b *varvev1.ResourceKey) bool {
	return answer.KeyOf(a) == answer.KeyOf(b)
}
