package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/graph/export"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Formats of questions about the graph, besides table and json. Those of package
// export go by its names.
const asTree format = "tree"

// drawings are the formats that other programs draw a graph from.
func drawings() []format {
	var list []format
	for _, f := range export.Formats() {
		list = append(list, format(f))
	}
	return list
}

// oneOf is --output of a command that has more formats than others.
type oneOf struct {
	*format
	all []format
}

func (o oneOf) names() []string {
	names := make([]string, len(o.all))
	for i, f := range o.all {
		names[i] = string(f)
	}
	return names
}

// Type lists the values; package argv reads it.
func (o oneOf) Type() string { return strings.Join(o.names(), "|") }

func (o oneOf) Set(text string) error {
	if slices.Contains(o.all, format(text)) {
		*o.format = format(text)
		return nil
	}
	names := o.names()
	last := len(names) - 1
	return errors.New("choose " + strings.Join(names[:last], ", ") + " or " + names[last])
}

// bindOutput gives a command an --output of its own.
func bindOutput(a *app, cmd *cobra.Command, formats ...format) {
	o := oneOf{&a.output, formats}
	cmd.Flags().VarP(o, "output", "o", "how to answer: for people, for programs, or for those that draw")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(o.names(), cobra.ShellCompDirectiveNoFileComp))
}

// graphCap bounds how much a question about the graph is answered with.
type graphCap struct{ limit int32 }

// most is the largest limit, and what 0 means.
const most = 100_000

func (c *graphCap) bind(cmd *cobra.Command, what string) {
	cmd.Flags().Int32Var(&c.limit, "limit", 10_000, "at most `N` "+what+"; 0 for 100000, which is the most")
}

func (c *graphCap) check(cmd *cobra.Command) error {
	switch {
	case c.limit < 0:
		return usagef(cmd, "--limit %d: it must not be negative", c.limit)
	case c.limit > most:
		return usagef(cmd, "--limit %d: %d is the most", c.limit, most)
	case c.limit == 0:
		c.limit = most
	}
	return nil
}

// tell says that there is more than was shown, and how to see it.
func (c *graphCap) tell(a *app, shown int, what, narrower string) {
	more := "--limit shows more, up to 100000"
	if int(c.limit) == most {
		more = narrower
	}
	fmt.Fprintf(a.stderr, "cut after %d, there are more %s; %s\n", shown, what, more)
}

func bindDepth(cmd *cobra.Command, depth *int32, text string) {
	cmd.Flags().Int32Var(depth, "depth", 1, text)
}

func checkDepth(cmd *cobra.Command, depth int32) error {
	if depth < 1 {
		return usagef(cmd, "--depth %d: 1 is the least", depth)
	}
	return nil
}

// tellAbsent says why an answer is empty: a resource did not exist at the moment.
func (a *app) tellAbsent(m *moment, list ...*varvev1.Absence) {
	for _, absent := range list {
		if absent == nil {
			continue
		}
		k := absent.GetKey()
		did := "does not exist any more"
		if m.at.Given() {
			did = "did not exist at " + m.at.String()
		}
		why := existed(absent)
		if since := absent.GetDataSince(); since != nil {
			why = "nothing is known of it before " + history.MomentOf(since.AsTime()).String()
		}
		fmt.Fprintf(a.stderr, "%s %s %s; %s\n", terminal.Clean(k.GetType()), terminal.Clean(k.GetId()), did, why)
	}
}

func existed(absent *varvev1.Absence) string {
	var texts []string
	for _, i := range absent.GetExisted() {
		text := "since " + history.MomentOf(i.GetFrom().AsTime()).String()
		if i.GetUntil() != nil {
			text = "from " + history.MomentOf(i.GetFrom().AsTime()).String() + " to " + history.MomentOf(i.GetUntil().AsTime()).String()
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		return "nothing but its deletion is known"
	}
	return "it existed " + strings.Join(texts, ", ")
}

// draw writes a part of the graph in a format of package export.
func (a *app) draw(s *graph.Subgraph) error {
	return export.Write(a.stdout, export.Format(a.output), s)
}

// sketch gathers what is to be drawn out of edges and resources that are met more
// than once.
type sketch struct {
	graph.Subgraph
	nodes map[history.Key]bool
	edges map[string]bool
}

func newSketch() *sketch {
	return &sketch{nodes: map[history.Key]bool{}, edges: map[string]bool{}}
}

func (s *sketch) node(p *varvev1.ResourceKey, name string) {
	if k := wire.KeyFromAnswer(p); !s.nodes[k] {
		s.nodes[k] = true
		s.Nodes = append(s.Nodes, graph.Node{Key: k, Name: name})
	}
}

func (s *sketch) hops(list []*varvev1.Hop) {
	for _, h := range list {
		r := wire.EdgeFromProto(h.GetEdge())
		if id := fmt.Sprintf("%q %q %q", r.From, r.To, r.Name); !s.edges[id] {
			s.edges[id] = true
			s.Edges = append(s.Edges, r)
		}
	}
}

// placeCells are account and region of a resource where they are not those of the
// one that is asked about, which need not be told.
func placeCells(k, of *varvev1.ResourceKey) []table.Cell {
	if k.GetAccount() == of.GetAccount() && k.GetRegion() == of.GetRegion() {
		return []table.Cell{{}, {}}
	}
	return []table.Cell{table.Text(k.GetAccount()), table.Text(k.GetRegion())}
}

// elsewhere is the same in one text.
func elsewhere(k, of *varvev1.ResourceKey) table.Cell {
	cells := placeCells(k, of)
	return table.Cell{Text: strings.TrimSpace(cells[0].Text + " " + cells[1].Text), Style: terminal.Dim}
}

// nameText is the name of a resource, where its id does not tell it already.
func nameText(k *varvev1.ResourceKey, name string) string {
	if k.GetId() == name || strings.HasSuffix(k.GetId(), "/"+name) {
		return ""
	}
	return name
}

// sourceCell tells the shortest place where a relationship was read, and how many
// others there are: JSON has them all. A place says more than that it was declared.
func sourceCell(e *varvev1.Edge) table.Cell {
	all := e.GetSources()
	if len(all) == 0 {
		return table.Cell{}
	}
	vague := func(source string) int {
		if strings.HasPrefix(source, "/") || strings.HasPrefix(source, "@") {
			return 0
		}
		return 1
	}
	text := slices.MinFunc(all, func(a, b string) int { return cmp.Or(vague(a)-vague(b), len(a)-len(b)) })
	if len(all) > 1 {
		text += fmt.Sprintf(" +%d", len(all)-1)
	}
	return table.Cell{Text: text, Style: terminal.Dim}
}
