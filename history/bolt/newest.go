package bolt

import (
	"bytes"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memo"
)

// latest is the payload of a resource's newest row, as it was recorded not long
// ago: the next one is written as a delta from it. Callers prepare deltas by what
// they find in the cache; the writer alone says whether that is still the newest
// row. The cache forgets when what was recorded may not be what was written, or a
// content is about to be destroyed; the epoch tells.
type latest struct {
	epoch   uint64
	number  uint32
	deltas  int // one after another, that lead from a body that stands alone to this row
	hash    history.Hash
	origin  int // where the content begins in payload
	payload []byte
	links   *[]history.Link // nil: not read
}

type latestCache = memo.Cache[history.Key, *latest]

const (
	latestBytes  = 32 << 20
	latestDeltas = 16 // in the log, before one stands alone again
)

// holds reports whether a content is that of the row.
func (l *latest) holds(content []byte) bool { return bytes.Equal(l.payload[l.origin:], content) }
