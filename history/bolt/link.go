package bolt

import (
	"context"

	"github.com/varvehq/varve/history"
)

// Links implements history.Reader.
func (r *reader) Links(context.Context, history.LinkQuery) ([]history.Linked, bool, error) {
	return nil, false, history.Errorf(history.Unimplemented, "this store does not keep links yet")
}
