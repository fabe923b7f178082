package graph

import "github.com/varvehq/varve/history"

// Graph answers questions about one moment: that of a reader. It is safe for
// concurrent use.
type Graph struct {
	reader history.Reader
	cache  *Cache // nil: none
}

// At is the graph as a reader sees it.
func At(r history.Reader) *Graph { return &Graph{reader: r} }

// Query selects relationships around a resource.
type Query struct {
	Direction Direction // default Both
	Name      string    // in either wording; "" = all
	Type      string    // of the resource at the other end; "" = all
	Depth     int       // how many relationships away; default 1
	Limit     int       // of relationships; 0 = all
}

// Node is a resource as the graph shows it.
type Node struct {
	Key  history.Key
	Name string
}

// LastUse tells of the last use of a resource.
type LastUse struct {
	InUse bool           // it is used at the moment
	Ended history.Moment // else when the last use ended; zero: it was never used, as far as is known
	By    []Relationship // whose it was, or is
}

// Difference is what changed between two moments.
type Difference struct {
	NodesAdded, NodesRemoved []history.Key
	EdgesAdded, EdgesRemoved []Relationship
	Gained, Lost             []history.Key // what roots reach, over whatever they use
	Truncated                bool
}

// Subgraph is a part of the graph, for export.
type Subgraph struct {
	Nodes     []Node
	Edges     []Relationship
	Truncated bool
}
