package graph

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// A table is a text file below shapes/: one row a line, columns between tabs,
// blank lines and lines that begin with # left out. Cells at the end of a row
// may be missing and are then empty; a lone - is an empty cell as well. Several
// tabs in a row count as one, so that columns can be set under each other.

// row is one row of a table.
type row struct {
	file  string
	line  int
	cells []string
}

// errorf names the place in the table.
func (r *row) errorf(format string, args ...any) error {
	return fmt.Errorf("graph: %s:%d: %s", r.file, r.line, fmt.Sprintf(format, args...))
}

var tabs = regexp.MustCompile(`\t+`)

// readTable reads a table whose rows have between least and most cells; every
// row is filled up to most.
func readTable(dir fs.FS, file string, least, most int) ([]row, error) {
	text, err := fs.ReadFile(dir, file)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	var rows []row
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimRight(line, " \t\r")
		if line == "" || line[0] == '#' {
			continue
		}
		r := row{file: file, line: i + 1, cells: tabs.Split(line, -1)}
		if n := len(r.cells); n < least || n > most {
			return nil, r.errorf("%d columns, want %d to %d", n, least, most)
		}
		for j, c := range r.cells {
			if c = strings.TrimSpace(c); c == "-" {
				c = ""
			}
			r.cells[j] = c
		}
		for len(r.cells) < most {
			r.cells = append(r.cells, "")
		}
		rows = append(rows, r)
	}
	return rows, nil
}
