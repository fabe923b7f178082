package filter

import (
	_ "embed"
	"strings"
)

//go:embed doc.go
var doc string

// Reference is the package comment: for people who write filters.
func Reference() string {
	comment, _, _ := strings.Cut(doc, "\npackage ")
	lines := strings.Split(comment, "\n")
	for i, line := range lines {
		line = strings.TrimPrefix(strings.TrimPrefix(line, "//"), " ")
		lines[i] = strings.Replace(line, "\t", "  ", 1)
	}
	text := strings.Join(lines, "\n")
	return "A filter" + strings.TrimPrefix(text, "Package filter")
}
