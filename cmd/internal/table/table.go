// Package table lays answers out in columns for people.
package table

import (
	"io"
	"slices"
	"strings"
	"unicode/utf8"

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
	rows    [][]Cell // whose texts are clean
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
// others are shown in full, since people copy them, but for cells that would make
// every line several lines long: see shorten.
func (t *Table) GiveWay() { t.giveWay = true }

// Row adds a row, with a cell for each column.
func (t *Table) Row(cells ...Cell) {
	row := make([]Cell, len(t.head))
	for i, c := range cells {
		row[i] = Cell{terminal.Clean(c.Text), c.Style}
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
	t.shorten(columns)
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
			cells[i] = t.screen.Paint(row[c].Style, row[c].Text)
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
		if slices.ContainsFunc(t.rows, func(row []Cell) bool { return row[c].Text != "" }) {
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
	if !t.givesWay(last) {
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
		width = max(width, text.StringWidthWithoutEscSequences(row[column].Text))
	}
	return width
}

// givesWay reports whether a column is cut off where the screen is too narrow.
func (t *Table) givesWay(column int) bool {
	return t.giveWay && t.screen.Width > 0 && column == len(t.head)-1
}

// longest is how wide a cell may be, other than in a column that gives way, before
// it is shortened on a screen. ARNs and paths of resources are within it.
const longest = 128

// shorten takes out the middle of cells that are very long, such as an id of 1,000
// characters, and wider than the screen: every row is as wide as the widest. What
// is left has room on half the screen. Files and pipes get all of it.
func (t *Table) shorten(columns []int) {
	if t.screen.Width == 0 {
		return
	}
	for _, c := range columns {
		if t.givesWay(c) {
			continue
		}
		for _, row := range t.rows {
			if text.StringWidthWithoutEscSequences(row[c].Text) > max(longest, t.screen.Width) {
				row[c].Text = middleOut(row[c].Text, max(t.screen.Width/2, 2*narrowest))
			}
		}
	}
}

// middleOut shortens a text to a width. Its beginning and its end stay.
func middleOut(s string, width int) string {
	head := text.Trim(s, (width-1)/2)
	room, tail := width-1-text.StringWidthWithoutEscSequences(head), len(s)
	for tail > len(head) {
		r, size := utf8.DecodeLastRuneInString(s[:tail])
		if room -= text.RuneWidth(r); room < 0 {
			break
		}
		tail -= size
	}
	return head + "…" + s[tail:]
}
