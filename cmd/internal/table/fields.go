package table

import (
	"fmt"
	"io"

	"github.com/varvehq/varve/cmd/internal/terminal"
)

// Field is one named line of a [Fields] list.
type Field struct {
	Name string
	Cell Cell
}

// Fields writes names and values below each other, leaving out empty values.
func Fields(w io.Writer, screen terminal.Screen, fields []Field) {
	widest := 0
	for _, f := range fields {
		if f.Cell.Text != "" {
			widest = max(widest, len(f.Name))
		}
	}
	for _, f := range fields {
		if f.Cell.Text == "" {
			continue
		}
		name := fmt.Sprintf("%-*s", widest, f.Name)
		fmt.Fprintf(w, "%s  %s\n", screen.Paint(terminal.Dim, name), screen.Paint(f.Cell.Style, terminal.Clean(f.Cell.Text)))
	}
}
