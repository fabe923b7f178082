package export

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// mermaid writes a flowchart.
func (d *drawing) mermaid(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "flowchart LR")
	for i := range d.nodes {
		fmt.Fprintf(out, "    %s[%s]\n", nodeID(i), mermaidText(lines(&d.nodes[i])...))
	}
	for _, e := range d.edges {
		label := ""
		if e.Name != "" {
			label = "|" + mermaidText(e.Name) + "|"
		}
		fmt.Fprintf(out, "    %s -->%s %s\n", nodeID(e.from), label, nodeID(e.to))
	}
	return out.Flush()
}

// mermaidText writes lines as one quoted text. Mermaid reads it as HTML, with
// Markdown, mathematics and escapes of its own: all characters of ASCII but those
// which never mean anything are written as entities, in its form #CODE;.
func mermaidText(lines ...string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, line := range lines {
		if i > 0 {
			b.WriteString("<br/>")
		}
		for _, r := range visible(line) {
			if r < 0x80 && !plain(byte(r)) {
				fmt.Fprintf(&b, "#%d;", r)
				continue
			}
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(" -./:", c) >= 0
}
