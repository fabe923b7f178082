package table

import (
	"io"
	"strings"

	"github.com/varvehq/varve/cmd/internal/terminal"
)

// Branch is one line of a tree, and what hangs below it.
type Branch struct {
	Cells []Cell // side by side
	Below []*Branch
}

// Add hangs a branch below b, and returns it.
func (b *Branch) Add(cells ...Cell) *Branch {
	below := &Branch{Cells: cells}
	b.Below = append(b.Below, below)
	return below
}

// WriteTree writes a tree, one branch a line.
func WriteTree(w io.Writer, screen terminal.Screen, root *Branch) error {
	var b strings.Builder
	root.write(&b, screen, "", "")
	_, err := io.WriteString(w, b.String())
	return err
}

// write writes b behind one indent, and what is below behind another.
func (b *Branch) write(out *strings.Builder, screen terminal.Screen, own, below string) {
	texts := make([]string, 0, len(b.Cells))
	for _, c := range b.Cells {
		if c.Text != "" {
			texts = append(texts, screen.Paint(c.Style, terminal.Clean(c.Text)))
		}
	}
	out.WriteString(screen.Paint(terminal.Dim, own) + strings.Join(texts, gap) + "\n")
	for i, next := range b.Below {
		if i == len(b.Below)-1 {
			next.write(out, screen, below+"└── ", below+"    ")
			continue
		}
		next.write(out, screen, below+"├── ", below+"│   ")
	}
}
