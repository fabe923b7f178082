// Package memo keeps what was used not long ago within a bound of memory.
package memo

import "sync"

// Cache is a map of two generations: when the young have filled half of the
// bound, the old go. What is put again is young again; finding alone keeps
// nothing. It is safe for concurrent use; values are shared, and must not change.
type Cache[K comparable, V any] struct {
	bound int // bytes

	mu         sync.RWMutex
	epoch      uint64
	young, old map[K]entry[V]
	bytes      int // of the young
}

type entry[V any] struct {
	value V
	bytes int
}

// spare is about what an entry takes beside its value.
const spare = 192

// New makes a cache of about so many bytes.
func New[K comparable, V any](bound int) *Cache[K, V] { return &Cache[K, V]{bound: bound} }

// Get finds a value.
func (c *Cache[K, V]) Get(k K) (V, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.young[k]
	if !ok {
		e, ok = c.old[k]
	}
	return e.value, ok
}

// Put keeps a value of so many bytes, in place of the one that was there; one of
// more than an eighth of the bound is not kept.
func (c *Cache[K, V]) Put(k K, v V, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(k, v, bytes)
}

// PutSince is Put, unless something was forgotten since an epoch: what was found
// out then may no longer be true.
func (c *Cache[K, V]) PutSince(epoch uint64, k K, v V, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch == c.epoch {
		c.put(k, v, bytes)
	}
}

func (c *Cache[K, V]) put(k K, v V, bytes int) {
	if bytes += spare; bytes > c.bound/8 {
		c.drop(k)
		return
	}
	if c.young == nil || c.bytes > c.bound/2 {
		c.old, c.young, c.bytes = c.young, map[K]entry[V]{}, 0
	}
	c.bytes += bytes - c.young[k].bytes
	c.young[k] = entry[V]{v, bytes}
}

// Epoch says how often something was forgotten.
func (c *Cache[K, V]) Epoch() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.epoch
}

// Drop forgets some values.
func (c *Cache[K, V]) Drop(keys ...K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	for _, k := range keys {
		c.drop(k)
	}
}

func (c *Cache[K, V]) drop(k K) {
	c.bytes -= c.young[k].bytes
	delete(c.young, k)
	delete(c.old, k)
}

// Forget drops all values.
func (c *Cache[K, V]) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	c.young, c.old, c.bytes = nil, nil, 0
}
