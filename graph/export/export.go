// Package export writes a part of the graph in the formats that other programs
// draw it from. Arrows lead from the user to the used and are called in the
// user's wording.
//
// Whatever names hold is taken for text: nothing of it is ever read as syntax,
// mark-up or a line of its own, and nothing acts on a terminal. GraphML and JSON
// give every text back as it was, but for what they cannot hold at all; in the
// others control characters become escapes that a reader sees (\u0000).
package export

import (
	"fmt"
	"io"
	"strings"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
)

// Format is the name of a format.
type Format string

// The formats.
const (
	DOT       Format = "dot"       // of Graphviz
	Mermaid   Format = "mermaid"   // a flowchart, as Markdown shows it
	GraphML   Format = "graphml"   // XML
	Cytoscape Format = "cytoscape" // JSON, as Cytoscape and Cytoscape.js read it
)

// Formats are all formats.
func Formats() []Format { return []Format{DOT, Mermaid, GraphML, Cytoscape} }

// Write writes a part of the graph. Nodes and edges come in the order they have;
// ends of edges that are not among the nodes follow these. An unknown format is
// an error.
func Write(w io.Writer, f Format, s *graph.Subgraph) error {
	d := drawingOf(s)
	switch f {
	case DOT:
		return d.dot(w)
	case Mermaid:
		return d.mermaid(w)
	case GraphML:
		return d.graphML(w)
	case Cytoscape:
		return d.cytoscape(w)
	}
	return fmt.Errorf("format %q is not known", f)
}

// drawing is a part of the graph whose nodes are numbered.
type drawing struct {
	nodes []graph.Node
	edges []arrow
}

// arrow leads from one node to another, by their numbers.
type arrow struct {
	from, to int
	*graph.Relationship
}

func drawingOf(s *graph.Subgraph) *drawing {
	d := &drawing{}
	number := make(map[history.Key]int, len(s.Nodes))
	node := func(n graph.Node) int {
		i, met := number[n.Key]
		if !met {
			i = len(d.nodes)
			number[n.Key] = i
			d.nodes = append(d.nodes, n)
		}
		return i
	}
	for _, n := range s.Nodes {
		node(n)
	}
	for i := range s.Edges {
		r := &s.Edges[i]
		d.edges = append(d.edges, arrow{node(graph.Node{Key: r.From}), node(graph.Node{Key: r.To}), r})
	}
	return d
}

// nodeID and edgeID are what a file calls them: the names themselves would have
// to be quoted wherever they stand.
func nodeID(i int) string { return fmt.Sprintf("n%d", i) }
func edgeID(i int) string { return fmt.Sprintf("e%d", i) }

// lines are the label of a node. A name that the id tells is not told again.
func lines(n *graph.Node) []string {
	l := []string{n.Key.Type, n.Key.ID}
	if n.Name != "" && n.Name != n.Key.ID && !strings.HasSuffix(n.Key.ID, "/"+n.Name) {
		l = append(l, n.Name)
	}
	return l
}

// place says where a resource is; empty where neither account nor region is known.
func place(k history.Key) string { return strings.Trim(k.Account+" "+k.Region, " ") }

func sources(r *graph.Relationship) string {
	texts := make([]string, len(r.Reasons))
	for i, reason := range r.Reasons {
		texts[i] = string(reason)
	}
	return strings.Join(texts, ", ")
}
