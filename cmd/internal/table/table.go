// Package table lays answers out in columns for people.
package table

import (
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/varvehq/varve/cmd/internal/terminal"
)

// Cell is one field: stored text, made safe for a terminal, in a style.
type Cell struct {
	Text  string
	Style terminal.Style
}

// Text is a plain cell.
func Text(s string) Cell { return Cell{Text: s} }

// Table is rows below a head, without lines. Columns that are empty in every row
// are left out.
type Table struct {
	screen  terminal.Screen
	head    []string
	right   []bool
	rows    [][]string
	giveWay bool
}

// New starts a table. A column whose head begins with ">" is set to the right.
func New(screen terminal.Screen, head ...string) *Table {
	t := &Table{screen: screen}
	for _, h := range head {
		name, right := strings.CutPrefix(h, ">")
		t.head = append(t.head, strings.ToUpper(name))
		t.right = append(t.right, right)
	}
	return t
}

// GiveWay lets the last column be cut off where the screen is too narrow. All
// others are shown in full, since people copy them.
func (t *Table) GiveWay() { t.giveWay = true }

// Row adds a row, with a cell for each column.
func (t *Table) Row(cells ...Cell) {
	row := make([]string, len(t.head))
	for i, c := range cells {
		row[i] = t.screen.Paint(c.Style, terminal.Clean(c.Text))
	}
	t.rows = append(t.rows, row)
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// WriteTo writes the table; nothing where there are no rows.
func (t *Table) WriteTo(w io.Writer) (int64, error) {
	columns := t.columns()
	if len(columns) == 0 {
		return 0, nil
	}
	out := table.NewWriter()
	out.SetStyle(style)
	out.SuppressTrailingSpaces()

	head := make(table.Row, len(columns))
	for i, c := range columns {
		head[i] = t.screen.Paint(terminal.Dim, t.head[c])
	}
	out.AppendHeader(head)
	for _, row := range t.rows {
		cells := make(table.Row, len(columns))
		for i, c := range columns {
			cells[i] = row[c]
		}
		out.AppendRow(cells)
	}
	out.SetColumnConfigs(t.configs(columns))

	n, err := io.WriteString(w, out.Render()+"\n")
	return int64(n), err
}

// columns are the indexes of those that hold anything.
func (t *Table) columns() []int {
	var columns []int
	for c := range t.head {
		if slices.ContainsFunc(t.rows, func(row []string) bool { return row[c] != "" }) {
			columns = append(columns, c)
		}
	}
	return columns
}

var style = table.Style{
	Name:    "varve",
	Box:     table.BoxStyle{PaddingRight: gap},
	Options: table.OptionsNoBordersAndSeparators,
}

const (
	gap       = "  "
	narrowest = 20 // what a column that gives way keeps in any case
)

func (t *Table) configs(columns []int) []table.ColumnConfig {
	configs := make([]table.ColumnConfig, len(columns))
	rest := t.screen.Width
	for i, c := range columns {
		configs[i].Number = i + 1
		if t.right[c] {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
		rest -= t.width(c) + len(gap)
	}
	last := columns[len(columns)-1]
	if !t.giveWay || t.screen.Width == 0 || last != len(t.head)-1 {
		return configs
	}
	config := &configs[len(configs)-1]
	config.WidthMax = max(rest+t.width(last)+len(gap), narrowest)
	config.WidthMaxEnforcer = func(cell string, width int) string { return text.Snip(cell, width, "…") }
	return configs
}

func (t *Table) width(column int) int {
	width := text.StringWidthWithoutEscSequences(t.head[column])
	for _, row := range t.rows {
		width = max(width, text.StringWidthWithoutEscSequences(row[column]))
	}
	return width
}
