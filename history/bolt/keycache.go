package bolt

import (
	"sync/atomic"

	"github.com/varvehq/varve/history"
)

// cachedKeys is how many keys are kept in memory: a power of two, some 10 MB.
const cachedKeys = 1 << 16

// keyCache remembers which resource has a number, of heads that were read. A
// number is never given twice, so what it says holds for ever; only of a resource
// that was pruned it may speak for longer than the file. Those that follow each
// other displace nobody among themselves.
type keyCache [cachedKeys]atomic.Pointer[numberedKey]

type numberedKey struct {
	rid rid
	key history.Key
}

func (c *keyCache) get(r rid) (history.Key, bool) {
	if k := c[r%cachedKeys].Load(); k != nil && k.rid == r {
		return k.key, true
	}
	return history.Key{}, false
}

func (c *keyCache) put(r rid, k history.Key) { c[r%cachedKeys].Store(&numberedKey{r, k}) }
