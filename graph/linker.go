package graph

import "github.com/varvehq/varve/history"

// Linker reads the links of versions for a store. It implements history.Linker.
type Linker struct{}

// Tables implements history.Linker.
func (Linker) Tables() string { return TablesVersion() }

// Links implements history.Linker.
func (Linker) Links(k history.Key, s *history.State) []history.Link { return Links(k, s) }
