package bolt

import (
	"bytes"
	"slices"
)

// What was told of is not told again by what depends on it: here is what a check
// knows of that.

// gap is a range of keys of which some stand on a page that is damaged. Without low
// it begins with the first key, without high it ends with the last.
type gap struct{ low, high []byte }

func (c *check) gap(bucket, low, high []byte) {
	c.gaps[string(bucket)] = append(c.gaps[string(bucket)], gap{bytes.Clone(low), bytes.Clone(high)})
}

// hidden reports whether keys of a range, its ends among them, may stand where they
// cannot be read. Without high it ends with the last key.
func (c *check) hidden(bucket, low, high []byte) bool {
	return slices.ContainsFunc(c.gaps[string(bucket)], func(g gap) bool {
		return (g.high == nil || bytes.Compare(low, g.high) < 0) && (high == nil || bytes.Compare(g.low, high) <= 0)
	})
}

// get reads a value, nil if there is none; false: that it cannot be read was told.
func (c *check) get(bucket, key []byte) (framed []byte, known bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, damage := blame(p); !damage {
				panic(p)
			}
			framed, known = nil, false
		}
	}()
	b := c.tx.Bucket(bucket)
	if b == nil {
		return nil, false
	}
	framed = b.Get(key)
	return framed, framed != nil || !c.hidden(bucket, key, key)
}

// cut reports whether it was told of something that is merged of a resource that it
// cannot be read.
func (c *check) cut(r rid) bool {
	f := c.foundOf(r)
	return c.lost[r] || f != nil && f.cut || c.hidden(bucketHeads, ridKey(r), ridKey(r))
}

// foundOf is what the segments say of a resource, nil if nothing.
func (c *check) foundOf(r rid) *found {
	f := c.found[r]
	if f == nil && c.hidden(bucketSegments, ridKey(r), ridKey(r+1)) {
		f = &found{cut: true, versions: map[uint32]bool{}}
		c.found[r] = f
	}
	return f
}

// wanted is a dictionary that cannot be had, and how many contents were written with
// it, none of which can be restored.
type wanted struct {
	key      []byte
	text     string
	contents int
}

// tellWanted tells of the dictionaries that cannot be had, at the end, since what was
// written with them is then counted.
func (c *check) tellWanted() {
	for _, no := range sortedKeys(c.without) {
		w := c.without[no]
		c.find(bucketDicts, w.key, "%s; %d contents were written with it", w.text, w.contents)
	}
}

// breakOff tells, once, that a bucket cannot be read after a key, for which it takes
// the value of a panic.
func (c *check) breakOff(bucket, last []byte, p any) {
	if _, damage := blame(p); !damage {
		panic(p)
	}
	if c.brokenOff[string(bucket)] {
		return
	}
	c.brokenOff[string(bucket)] = true
	c.find(bucket, last, "what follows this key cannot be read: %v", p)
	c.gap(bucket, last, nil)
}
