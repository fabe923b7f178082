package export

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// dot writes a digraph. Labels are what Graphviz calls escape strings, in which
// both backslashes and entities of HTML mean something.
func (d *drawing) dot(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "digraph varve {")
	fmt.Fprintln(out, "\trankdir=LR;")
	fmt.Fprintln(out, "\tnode [shape=box];")
	for i := range d.nodes {
		n := &d.nodes[i]
		fmt.Fprintf(out, "\t%s [label=%s, tooltip=%s];\n", nodeID(i), dotText(lines(n)...), dotText(place(n.Key)))
	}
	for _, e := range d.edges {
		fmt.Fprintf(out, "\t%s -> %s [label=%s, tooltip=%s];\n", nodeID(e.from), nodeID(e.to), dotText(e.Name), dotText(sources(e.Relationship)))
	}
	fmt.Fprintln(out, "}")
	return out.Flush()
}

var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `&`, `&amp;`)

// dotText writes lines as one quoted text.
func dotText(lines ...string) string {
	for i := range lines {
		lines[i] = dotEscapes.Replace(visible(lines[i]))
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}
