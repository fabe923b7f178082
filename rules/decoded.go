package rules

import (
	"sync"

	"github.com/varvehq/varve/history"
)

// Decoded is a version of a resource whose documents are decoded once, by the
// first rule that looks into them, and shared by all that follow. It is never
// changed, and safe for concurrent use.
type Decoded struct {
	history.Item

	once  sync.Once
	value any
}

// Decode keeps what a language makes of the item: made by the first caller, it is
// given to all of them.
func (d *Decoded) Decode(make func(*history.Item) any) any {
	d.once.Do(func() { d.value = make(&d.Item) })
	return d.value
}
