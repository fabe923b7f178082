package table_test

import (
	"strings"
	"testing"

	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
)

func TestTree(t *testing.T) {
	root := &table.Branch{Cells: []table.Cell{table.Text("root")}}
	a := root.Add(table.Text("a"), table.Text(""), table.Text("of\nroot"))
	a.Add(table.Text("a1")).Add(table.Text("deep"))
	a.Add(table.Text("a2\x1b[2J"))
	root.Add(table.Text("b")).Add(table.Text("b1"))
	var b strings.Builder
	if err := table.WriteTree(&b, terminal.Screen{}, root); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		`root`,
		`├── a  of\nroot`,
		`│   ├── a1`,
		`│   │   └── deep`,
		`│   └── a2\u001b[2J`,
		`└── b`,
		`    └── b1`,
		``,
	}, "\n")
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
