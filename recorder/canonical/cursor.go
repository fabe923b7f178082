package canonical

// A Cursor steps through JSON text in any form: what stands around documents is
// read with it, and documents are passed over and taken as they stand. It tells
// whether it went on, not why it did not: who must know reads again with
// something slower. Once a method has said no, so do all others.
//
// It takes what package jsontext takes, but for lone surrogates, which only that
// reads if it is told to. That a key comes twice is for the caller to see.
type Cursor struct {
	s   *scanner
	bad bool
}

// NewCursor begins to read text, which must not change. Close the Cursor.
func NewCursor(text []byte) *Cursor {
	s := newScanner(nil, text, Limits{HighestMaxBytes, HighestMaxDepth})
	s.quiet = true
	s.cut()
	s.space()
	return &Cursor{s: s, bad: len(s.bad) > 0 || len(text) > HighestMaxBytes}
}

// Close gives back what the Cursor works with. What it has returned stays.
func (c *Cursor) Close() {
	c.s.release()
	c.s = nil
}

// Peek returns the first byte of the next value, 0 at the end of the text.
func (c *Cursor) Peek() byte { return c.s.peek() }

// AtEnd reports whether all has been read.
func (c *Cursor) AtEnd() bool { return !c.bad && c.s.pos == len(c.s.src) }

// Value reads a value of any kind, and returns it as it stands: a part of the
// text.
func (c *Cursor) Value() ([]byte, bool) {
	if c.bad {
		return nil, false
	}
	from := c.s.pos
	if c.s.value() != nil {
		c.bad = true
		return nil, false
	}
	text := c.s.src[from:c.s.pos:c.s.pos]
	c.s.space()
	return text, true
}

// Text reads a string and returns what it stands for: a part of the text, unless
// there are escapes in it.
func (c *Cursor) Text() ([]byte, bool) {
	if c.bad || c.s.peek() != '"' {
		c.bad = true
		return nil, false
	}
	from := c.s.pos + 1
	escaped, err := c.s.str()
	if err != nil {
		c.bad = true
		return nil, false
	}
	end := c.s.pos - 1
	inside := c.s.src[from:end:end]
	c.s.space()
	if escaped {
		return appendUnescaped(nil, inside), true
	}
	return inside, true
}

// Object reads an object and calls member with each key, to read the value.
func (c *Cursor) Object(member func(key []byte) bool) bool {
	return c.list('{', '}', func() bool {
		key, ok := c.Text()
		return ok && c.byte(':') && member(key)
	})
}

// Array reads an array and calls element for each, to read the value.
func (c *Cursor) Array(element func() bool) bool { return c.list('[', ']', element) }

func (c *Cursor) list(open, end byte, each func() bool) bool {
	if !c.byte(open) {
		return false
	}
	if c.s.depth++; c.s.depth > c.s.lim.MaxDepth {
		c.bad = true
		return false
	}
	if c.s.peek() == end {
		c.s.depth--
		return c.byte(end)
	}
	for {
		if !each() || c.bad {
			c.bad = true
			return false
		}
		if c.s.peek() != ',' {
			break
		}
		c.byte(',')
	}
	c.s.depth--
	return c.byte(end)
}

// byte reads one of the bytes that hold values together.
func (c *Cursor) byte(b byte) bool {
	if c.bad || c.s.peek() != b {
		c.bad = true
		return false
	}
	c.s.pos++
	c.s.space()
	return true
}
