package export_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"html"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"gonum.org/v1/gonum/graph/formats/dot"
	"gonum.org/v1/gonum/graph/formats/dot/ast"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/graph/export"
	"github.com/varvehq/varve/history"
)

// hostile are names that try to be something else.
var hostile = []string{
	`plain`, `-/view`, `a "quoted" name`, `back\slash`, `ends with \`, `\"`, `\N\G\n`, "two\nlines\r\n\tand a tab",
	`<b>bold</b> & &lt;`, `<script>alert(1)</script>`, `&#34;`, `#34;`, `a --> b`, "a -- b]; c[", `end`, `subgraph x`,
	"`md`", `"];` + "\n" + `evil [label="`, `]]>`, `<!-- -->`, `$$x$$`, `%% comment`, `a|b`, `{a}`, "zero\x00byte", "esc\x1b[2J", "\u202egnp.exe",
	"line\u2028paragraph\u2029", "c1\u009b", "多語 né 🜁", "half\xff\xfe", "\ufffe\uffff", `\u0000`, `'; DROP`, "",
}

func key(i int) history.Key {
	return history.Key{Account: hostile[i], Region: hostile[(i+1)%len(hostile)], Type: "T" + hostile[i], ID: hostile[i] + strconv.Itoa(i)}
}

// sub is a part of the graph in which every name stands at every place. The last
// node is told by an edge only.
func sub() *graph.Subgraph {
	s := &graph.Subgraph{}
	for i := range hostile {
		if i < len(hostile)-1 {
			s.Nodes = append(s.Nodes, graph.Node{Key: key(i), Name: hostile[i]})
		}
		s.Edges = append(s.Edges, graph.Relationship{
			Name: hostile[i], From: key(i), To: key((i + 1) % len(hostile)),
			Reasons: []graph.Reason{graph.Reason("/" + hostile[i]), graph.Declared},
		})
	}
	return s
}

func write(t *testing.T, f export.Format, s *graph.Subgraph) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := export.Write(&b, f, s); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			t.Errorf("%s: %U would reach a terminal", f, r)
		}
	}
	return b.Bytes()
}

// seen is a text as one sees it: characters that act, and bytes that are none, as
// escapes. It is written another way than that of the package.
func seen(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r := []rune(text)[0]
		n := len(string(r))
		switch {
		case r == 0xfffd && !strings.HasPrefix(text, "\uFFFD"):
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[0]), 16))
			n = 1
		case slices.Contains([]rune{0, '\n', '\r', '\t', 0x1b, 0x202e, 0x2028, 0x2029, 0x9b, 0xfffe, 0xffff}, r):
			b.WriteString(`\u` + strings.Repeat("0", 4-len(strconv.FormatInt(int64(r), 16))) + strconv.FormatInt(int64(r), 16))
		default:
			b.WriteRune(r)
		}
		text = text[n:]
	}
	return b.String()
}

func label(i int) []string {
	list := []string{seen(key(i).Type), seen(key(i).ID)}
	if i < len(hostile)-1 && hostile[i] != "" {
		list = append(list, seen(hostile[i]))
	}
	return list
}

// graphvizLines reads a quoted text as Graphviz does: \" by its lexer, then
// entities, then escapes.
func graphvizLines(t *testing.T, quoted string) []string {
	t.Helper()
	text, ok := strings.CutPrefix(quoted, `"`)
	text, ok2 := strings.CutSuffix(text, `"`)
	if !ok || !ok2 {
		t.Fatalf("%s is not quoted", quoted)
	}
	lines := []string{""}
	for i := 0; i < len(text); i++ {
		last := &lines[len(lines)-1]
		switch c := text[i]; {
		case c == '"':
			t.Fatalf("%s ends early", quoted)
		case c == '\\':
			if i++; i == len(text) {
				t.Fatalf("%s goes on behind its end", quoted)
			}
			switch text[i] {
			case '\\', '"':
				*last += text[i : i+1]
			case 'n':
				lines = append(lines, "")
			default:
				t.Fatalf("%s: \\%c means something", quoted, text[i])
			}
		default:
			*last += text[i : i+1]
		}
	}
	for i := range lines {
		lines[i] = html.UnescapeString(lines[i])
	}
	return lines
}

func attribute(list []*ast.Attr, name string) string {
	for _, a := range list {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestDOT(t *testing.T) {
	file, err := dot.ParseBytes(write(t, export.DOT, sub()))
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Graphs) != 1 || !file.Graphs[0].Directed {
		t.Fatalf("got %v", file)
	}
	nodes, edges := 0, 0
	for _, statement := range file.Graphs[0].Stmts {
		switch s := statement.(type) {
		case *ast.NodeStmt:
			if got := graphvizLines(t, attribute(s.Attrs, "label")); s.Node.ID != "n"+strconv.Itoa(nodes) || !slices.Equal(got, label(nodes)) {
				t.Errorf("node %d: got %s %q, want %q", nodes, s.Node.ID, got, label(nodes))
			}
			nodes++
		case *ast.EdgeStmt:
			from, to := s.From.(*ast.Node).ID, s.To.Vertex.(*ast.Node).ID
			if from != "n"+strconv.Itoa(edges) || to != "n"+strconv.Itoa((edges+1)%len(hostile)) || !s.To.Directed {
				t.Errorf("edge %d leads from %s to %s", edges, from, to)
			}
			if got := graphvizLines(t, attribute(s.Attrs, "label")); got[0] != seen(hostile[edges]) || len(got) != 1 {
				t.Errorf("edge %d: got %q", edges, got)
			}
			if got := graphvizLines(t, attribute(s.Attrs, "tooltip")); got[0] != "/"+seen(hostile[edges])+", declared" {
				t.Errorf("edge %d: got %q", edges, got)
			}
			edges++
		}
	}
	if nodes != len(hostile) || edges != len(hostile) {
		t.Errorf("%d nodes and %d edges", nodes, edges)
	}
}

func TestMermaid(t *testing.T) {
	read := func(text string) []string {
		lines := strings.Split(text, "<br/>")
		for i, l := range lines {
			l = regexp.MustCompile(`#([0-9]+);`).ReplaceAllString(l, "&#$1;")
			lines[i] = html.UnescapeString(l)
		}
		return lines
	}
	node := regexp.MustCompile(`^    (n[0-9]+)\["([^"#;<>&\\|]|#[0-9]+;|<br/>)*"\]$`)
	edge := regexp.MustCompile(`^    (n[0-9]+) -->(?:\|"((?:[^"#;<>&\\|]|#[0-9]+;)+)"\|)? (n[0-9]+)$`)
	text := string(write(t, export.Mermaid, sub()))
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != "flowchart LR" || len(lines) != 1+2*len(hostile) {
		t.Fatalf("%d lines, the first is %s", len(lines), lines[0])
	}
	for i, line := range lines[1 : 1+len(hostile)] {
		m := node.FindStringSubmatch(line)
		if m == nil || m[1] != "n"+strconv.Itoa(i) {
			t.Errorf("not a node: %s", line)
			continue
		}
		if got := read(line[strings.Index(line, `"`)+1 : strings.LastIndex(line, `"`)]); !slices.Equal(got, label(i)) {
			t.Errorf("node %d: got %q, want %q", i, got, label(i))
		}
	}
	for i, line := range lines[1+len(hostile):] {
		m := edge.FindStringSubmatch(line)
		if m == nil || m[1] != "n"+strconv.Itoa(i) || m[3] != "n"+strconv.Itoa((i+1)%len(hostile)) {
			t.Errorf("not edge %d: %s", i, line)
			continue
		}
		if got := read(m[2]); got[0] != seen(hostile[i]) {
			t.Errorf("edge %d: got %q", i, got)
		}
	}
}

func TestGraphML(t *testing.T) {
	type element struct {
		ID     string `xml:"id,attr"`
		Source string `xml:"source,attr"`
		Target string `xml:"target,attr"`
		Data   []struct {
			Key  string `xml:"key,attr"`
			Text string `xml:",chardata"`
		} `xml:"data"`
	}
	var doc struct {
		XMLName xml.Name `xml:"http://graphml.graphdrawing.org/xmlns graphml"`
		Keys    []struct {
			ID  string `xml:"id,attr"`
			For string `xml:"for,attr"`
		} `xml:"key"`
		Graph struct {
			Direction string    `xml:"edgedefault,attr"`
			Nodes     []element `xml:"node"`
			Edges     []element `xml:"edge"`
		} `xml:"graph"`
	}
	if err := xml.Unmarshal(write(t, export.GraphML, sub()), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Graph.Direction != "directed" || len(doc.Graph.Nodes) != len(hostile) || len(doc.Graph.Edges) != len(hostile) {
		t.Fatalf("%s, %d nodes, %d edges", doc.Graph.Direction, len(doc.Graph.Nodes), len(doc.Graph.Edges))
	}
	keys := map[string]string{}
	for _, k := range doc.Keys {
		keys[k.ID] = k.For
	}
	// What XML cannot hold is seen; all else comes back as it was.
	held := strings.NewReplacer("\x00", `\u0000`, "\x1b", `\u001b`, "\xff", `\xff`, "\xfe", `\xfe`, "\ufffe", `\ufffe`, "\uffff", `\uffff`)
	check := func(kind string, e element, want map[string]string) {
		got := map[string]string{}
		for _, d := range e.Data {
			if keys[d.Key] != kind {
				t.Errorf("%s: %s is no key of a %s", e.ID, d.Key, kind)
			}
			got[d.Key] = d.Text
		}
		for k, v := range want {
			if valid := held.Replace(v); got[k] != valid {
				t.Errorf("%s: %s is %q, want %q", e.ID, k, got[k], valid)
			}
		}
	}
	for i, n := range doc.Graph.Nodes {
		want := map[string]string{"account": key(i).Account, "region": key(i).Region, "type": key(i).Type, "resourceId": key(i).ID}
		if i < len(hostile)-1 {
			want["name"] = hostile[i]
		}
		check("node", n, want)
	}
	for i, e := range doc.Graph.Edges {
		if e.Source != doc.Graph.Nodes[i].ID || e.Target != doc.Graph.Nodes[(i+1)%len(hostile)].ID {
			t.Errorf("%s leads from %s to %s", e.ID, e.Source, e.Target)
		}
		check("edge", e, map[string]string{"relationship": hostile[i], "sources": "/" + hostile[i] + ", declared"})
	}
}

func TestCytoscape(t *testing.T) {
	var doc struct {
		Elements struct {
			Nodes []struct{ Data map[string]string }
			Edges []struct {
				Data struct {
					ID, Source, Target, Relationship string
					Sources                          []string
				}
			}
		}
	}
	if err := json.Unmarshal(write(t, export.Cytoscape, sub()), &doc); err != nil {
		t.Fatal(err)
	}
	nodes, edges := doc.Elements.Nodes, doc.Elements.Edges
	if len(nodes) != len(hostile) || len(edges) != len(hostile) {
		t.Fatalf("%d nodes, %d edges", len(nodes), len(edges))
	}
	valid := func(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
	met := map[string]bool{}
	for i, n := range nodes {
		k := key(i)
		for member, want := range map[string]string{"account": k.Account, "region": k.Region, "type": k.Type, "resourceId": k.ID} {
			if n.Data[member] != valid(want) {
				t.Errorf("node %d: %s is %q, want %q", i, member, n.Data[member], want)
			}
		}
		if met[n.Data["id"]] {
			t.Errorf("id %s is given twice", n.Data["id"])
		}
		met[n.Data["id"]] = true
	}
	for i, e := range edges {
		if e.Data.Source != nodes[i].Data["id"] || e.Data.Target != nodes[(i+1)%len(hostile)].Data["id"] || met[e.Data.ID] {
			t.Errorf("edge %d: got %+v", i, e.Data)
		}
		if e.Data.Relationship != valid(hostile[i]) || !slices.Equal(e.Data.Sources, []string{"/" + valid(hostile[i]), "declared"}) {
			t.Errorf("edge %d: got %+v", i, e.Data)
		}
		met[e.Data.ID] = true
	}
}

// TestStory holds each format to a file that programs have drawn.
func TestStory(t *testing.T) {
	in := func(typ, id string) history.Key {
		return history.Key{Account: "1", Region: "eu-west-1", Type: "AWS::EC2::" + typ, ID: id}
	}
	instance, group, vpc := in("Instance", "i-1"), in("SecurityGroup", "sg-1"), in("VPC", "vpc-1")
	s := &graph.Subgraph{
		Nodes: []graph.Node{{Key: instance, Name: "web"}, {Key: group}, {Key: vpc}},
		Edges: []graph.Relationship{
			{Name: "Is associated with", From: instance, To: group, Reasons: []graph.Reason{"/securityGroups/0/groupId"}},
			{Name: "Is contained in", From: group, To: vpc, Reasons: []graph.Reason{"/vpcId", graph.Declared}},
		},
	}
	for _, f := range export.Formats() {
		got, file := write(t, f, s), "testdata/story."+string(f)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%swant\n%s%v", f, got, want, err)
		}
	}
}

func TestEmpty(t *testing.T) {
	for _, f := range export.Formats() {
		if len(write(t, f, &graph.Subgraph{})) == 0 {
			t.Errorf("%s: nothing was written", f)
		}
	}
	if got := string(write(t, export.Cytoscape, &graph.Subgraph{})); got != `{"elements":{"nodes":[],"edges":[]}}`+"\n" {
		t.Errorf("got %s", got)
	}
	if err := export.Write(&bytes.Buffer{}, "svg", &graph.Subgraph{}); err == nil {
		t.Error("an unknown format is written")
	}
}
