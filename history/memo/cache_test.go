package memo_test

import (
	"testing"

	"github.com/varvehq/varve/history/memo"
)

func TestCache(t *testing.T) {
	const bound, each = 1 << 16, 1 << 10
	c := memo.New[int, int](bound)
	count := func(to int) (n int) {
		for i := range to {
			if v, ok := c.Get(i); ok {
				n++
				if v != i*i {
					t.Fatalf("%d: %d", i, v)
				}
			}
		}
		return n
	}
	for i := range 1000 {
		c.Put(i, i*i, each)
		if v, ok := c.Get(i); !ok || v != i*i {
			t.Fatalf("%d is not kept", i)
		}
		if n := count(i + 1); n*each > bound+each {
			t.Fatalf("%d values of %d bytes are kept", n, each)
		}
	}
	t.Run("KeepsTheRecent", func(t *testing.T) {
		for i := 1000 - bound/each/3; i < 1000; i++ {
			if _, ok := c.Get(i); !ok {
				t.Errorf("%d is gone", i)
			}
		}
	})
	t.Run("LeavesOutTheLarge", func(t *testing.T) {
		if c.Put(-1, 1, bound); count(1000) == 0 {
			t.Error("it drove out the others")
		}
		if _, ok := c.Get(-1); ok {
			t.Error("it is kept")
		}
		c.Put(-2, 4, each)
		if c.Put(-2, 5, bound); count(1000) == 0 {
			t.Error("it drove out the others")
		}
		if v, ok := c.Get(-2); ok {
			t.Errorf("what was there before is kept: %d", v)
		}
	})
	t.Run("DropsSome", func(t *testing.T) {
		epoch, before := c.Epoch(), count(1000)
		c.PutSince(epoch, 2000, 1, each)
		if c.Drop(998, 999, 2000); count(1000) != before-2 {
			t.Errorf("%d of %d are left", count(1000), before)
		}
		if c.PutSince(epoch, 2000, 1, each); c.Epoch() == epoch {
			t.Error("no new epoch")
		}
		if _, ok := c.Get(2000); ok {
			t.Error("what was found out before is kept")
		}
		for i := 1000; i < 1500; i++ {
			c.Put(i, i*i, each)
			c.Drop(i)
		}
		if c.Put(1, 1, each); count(2) != 1 {
			t.Error("what was dropped counts")
		}
	})
	t.Run("Forgets", func(t *testing.T) {
		epoch := c.Epoch()
		if c.Forget(); count(1000) > 0 || c.Epoch() == epoch {
			t.Error("something is left")
		}
	})
}
