package export

import (
	"encoding/xml"
	"io"

	"github.com/varvehq/varve/graph"
)

type (
	graphMLDocument struct {
		XMLName xml.Name     `xml:"http://graphml.graphdrawing.org/xmlns graphml"`
		Keys    []graphMLKey `xml:"key"`
		Graph   graphMLGraph `xml:"graph"`
	}
	graphMLKey struct {
		ID   string `xml:"id,attr"`
		For  string `xml:"for,attr"`
		Name string `xml:"attr.name,attr"`
		Type string `xml:"attr.type,attr"`
	}
	graphMLGraph struct {
		ID      string        `xml:"id,attr"`
		Default string        `xml:"edgedefault,attr"`
		Nodes   []graphMLNode `xml:"node"`
		Edges   []graphMLEdge `xml:"edge"`
	}
	graphMLNode struct {
		ID   string        `xml:"id,attr"`
		Data []graphMLData `xml:"data"`
	}
	graphMLEdge struct {
		ID     string        `xml:"id,attr"`
		Source string        `xml:"source,attr"`
		Target string        `xml:"target,attr"`
		Data   []graphMLData `xml:"data"`
	}
	graphMLData struct {
		Key  string `xml:"key,attr"`
		Text string `xml:",chardata"`
	}
)

var (
	nodeKeys = []string{"account", "region", "type", "resourceId", "name"}
	edgeKeys = []string{"relationship", "usedName", "sources"}
)

// graphML writes all that is known as data of nodes and edges.
func (d *drawing) graphML(w io.Writer) error {
	doc := graphMLDocument{Graph: graphMLGraph{ID: "varve", Default: "directed"}}
	for _, name := range nodeKeys {
		doc.Keys = append(doc.Keys, graphMLKey{name, "node", name, "string"})
	}
	for _, name := range edgeKeys {
		doc.Keys = append(doc.Keys, graphMLKey{name, "edge", name, "string"})
	}
	for i, n := range d.nodes {
		doc.Graph.Nodes = append(doc.Graph.Nodes, graphMLNode{nodeID(i),
			data(nodeKeys, n.Key.Account, n.Key.Region, n.Key.Type, n.Key.ID, n.Name)})
	}
	for i, e := range d.edges {
		_, used := graph.Wording(e.Name)
		doc.Graph.Edges = append(doc.Graph.Edges, graphMLEdge{edgeID(i), nodeID(e.from), nodeID(e.to),
			data(edgeKeys, e.Name, used, sources(e.Relationship))})
	}
	text, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(append([]byte(xml.Header), calm(text, "&#x%X;")...), '\n'))
	return err
}

// data is what is not empty.
func data(keys []string, values ...string) (list []graphMLData) {
	for i, v := range values {
		if v != "" {
			list = append(list, graphMLData{keys[i], forXML(v)})
		}
	}
	return list
}
