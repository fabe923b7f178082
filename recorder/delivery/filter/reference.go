package filter

import (
	_ "embed"

	"github.com/varvehq/varve/history/words"
)

//go:embed doc.go
var doc string

// Reference is the package comment: for people who write filters.
func Reference() string { return words.Comment(doc) }
