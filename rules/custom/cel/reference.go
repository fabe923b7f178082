package cel

import (
	_ "embed"

	"github.com/varvehq/varve/rules/internal/words"
)

//go:embed doc.go
var doc string

// Reference is the package comment: for people who write rules.
func Reference() string { return words.Comment(doc) }
