package export

import (
	"io"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/varvehq/varve/graph"
)

type (
	cytoscapeDocument struct {
		Elements cytoscapeElements `json:"elements"`
	}
	cytoscapeElements struct {
		Nodes []element[cytoscapeNode] `json:"nodes"`
		Edges []element[cytoscapeEdge] `json:"edges"`
	}
	element[T any] struct {
		Data T `json:"data"`
	}
	cytoscapeNode struct {
		ID         string `json:"id"` // within the document
		Label      string `json:"label"`
		Account    string `json:"account"`
		Region     string `json:"region"`
		Type       string `json:"type"`
		ResourceID string `json:"resourceId"`
		Name       string `json:"name"`
	}
	cytoscapeEdge struct {
		ID           string   `json:"id"`
		Source       string   `json:"source"`
		Target       string   `json:"target"`
		Label        string   `json:"label"`
		Relationship string   `json:"relationship"`
		UsedName     string   `json:"usedName"`
		Sources      []string `json:"sources"`
	}
)

// cytoscape writes one line of JSON.
func (d *drawing) cytoscape(w io.Writer) error {
	doc := cytoscapeDocument{cytoscapeElements{
		make([]element[cytoscapeNode], len(d.nodes)), make([]element[cytoscapeEdge], len(d.edges)),
	}}
	for i := range d.nodes {
		n := &d.nodes[i]
		doc.Elements.Nodes[i].Data = cytoscapeNode{
			ID: nodeID(i), Label: utf(strings.Join(lines(n), "\n")), Account: utf(n.Key.Account), Region: utf(n.Key.Region),
			Type: utf(n.Key.Type), ResourceID: utf(n.Key.ID), Name: utf(n.Name),
		}
	}
	for i, e := range d.edges {
		_, used := graph.Wording(e.Name)
		data := cytoscapeEdge{
			ID: edgeID(i), Source: nodeID(e.from), Target: nodeID(e.to), Label: utf(e.Name),
			Relationship: utf(e.Name), UsedName: utf(used), Sources: make([]string, len(e.Reasons)),
		}
		for j, reason := range e.Reasons {
			data.Sources[j] = utf(string(reason))
		}
		doc.Elements.Edges[i].Data = data
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	_, err = w.Write(append(calm(text, `\u%04x`), '\n'))
	return err
}

// utf makes a text one that JSON can hold.
func utf(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
