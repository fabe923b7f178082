package graph

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strconv"
)

// walker goes once through a canonical document: no white space, valid. What is
// not is left where it ends to make sense; nothing is read twice but objects
// that shapes want as a whole.
//
// It keeps the way from the root as positions in the document, so that a
// pointer costs something only where one is needed.
type walker struct {
	doc  []byte
	way  []step
	seen visitor
	deep *node

	pointer []byte // of the first steps of the way, as far as it was asked for
	ends    []int  // where in it each step ends
	same    int    // how many steps still are what they were then
}

// step is a member or an element on the way to the current value.
type step struct {
	from, to int // of the member's name in the document
	index    int // of the element; of a member -1
}

// visitor is told what the walker meets.
type visitor interface {
	// text is a string's content between its quotes, escapes as they stand. It
	// is not called for strings which are too short for an identifier, unless n
	// has shapes for strings.
	text(raw []byte, at int, n *node)
	// object is an object or array at which n has shapes for such.
	object(at int, n *node)
	// leave is called after what object was called for.
	leave()
}

// walk visits the whole document.
func (w *walker) walk(doc []byte, n *node) {
	w.doc, w.way, w.same = doc, w.way[:0], 0
	if len(doc) > 0 {
		w.value(0, n)
	}
}

// value visits the value at i and returns where it ends. Of a subtree that is
// quiet, only the end is found.
func (w *walker) value(i int, n *node) int {
	if i >= len(w.doc) {
		return i
	}
	if n != nil && n.quiet {
		return w.skip(i)
	}
	switch w.doc[i] {
	case '"':
		end := w.stringEnd(i + 1)
		if end-i > shortestIdentifier || n != nil && n.values != nil {
			w.seen.text(w.doc[i+1:end], i+1, n)
		}
		return end + 1
	case '{':
		if n != nil && n.objects != nil {
			w.seen.object(i, n)
			end := w.members(i, n)
			w.seen.leave()
			return end
		}
		return w.members(i, n)
	case '[':
		if n != nil && n.objects != nil {
			w.seen.object(i, n)
			end := w.elements(i, n)
			w.seen.leave()
			return end
		}
		return w.elements(i, n)
	}
	return w.scalarEnd(i)
}

func (w *walker) members(i int, n *node) int {
	doc := w.doc
	if i++; i < len(doc) && doc[i] == '}' {
		return i + 1
	}
	depth := w.enter(step{index: -1})
	for i < len(doc) && doc[i] == '"' {
		end := w.stringEnd(i + 1)
		if end >= len(doc) {
			break
		}
		here := &w.way[depth]
		here.from, here.to = i+1, end
		w.same = min(w.same, depth)
		var next *node
		if n != nil {
			next = n.child(doc[i+1 : end])
		}
		if w.deep != nil {
			if d := w.deep.child(doc[i+1 : end]); d != nil && (next == nil || next.values == nil && next.objects == nil) {
				next = d
			}
		}
		if i = w.value(end+2, next); i >= len(doc) || doc[i] != ',' {
			break
		}
		i++
	}
	w.leaveStep()
	return i + 1
}

// enter takes a step, and returns how many came before.
func (w *walker) enter(s step) int {
	depth := len(w.way)
	w.way = append(w.way, s)
	w.same = min(w.same, depth)
	return depth
}

// leaveStep takes the last step back.
func (w *walker) leaveStep() { w.way = w.way[:len(w.way)-1] }

func (w *walker) elements(i int, n *node) int {
	doc := w.doc
	if i++; i < len(doc) && doc[i] == ']' {
		return i + 1
	}
	var next *node
	if n != nil {
		next = n.any
	}
	depth := w.enter(step{})
	for i < len(doc) {
		if i = w.value(i, next); i >= len(doc) || doc[i] != ',' {
			break
		}
		w.way[depth].index++
		w.same = min(w.same, depth)
		i++
	}
	w.leaveStep()
	return i + 1
}

// stringEnd finds the quote that ends the string whose content begins at i.
func (w *walker) stringEnd(i int) int { return stringEnd(w.doc, i) }

func stringEnd(doc []byte, i int) int {
	for {
		q := quote(doc, i)
		if q >= len(doc) || q == 0 || doc[q-1] != '\\' {
			return q
		}
		back := q - 1
		for back >= 0 && doc[back] == '\\' {
			back--
		}
		if (q-back)%2 == 1 {
			return q
		}
		i = q + 1
	}
}

// quote finds the next quote from i on. Most strings are so short that a call
// of bytes.IndexByte costs more than to look at eight bytes at a time.
func quote(doc []byte, i int) int {
	const ones, quotes = 0x0101010101010101, 0x2222222222222222
	for range 4 {
		if i+8 > len(doc) {
			break
		}
		v := binary.LittleEndian.Uint64(doc[i:]) ^ quotes
		if hit := (v - ones) &^ v & (ones << 7); hit != 0 {
			return i + bits.TrailingZeros64(hit)>>3
		}
		i += 8
	}
	if i >= len(doc) {
		return len(doc)
	}
	if q := bytes.IndexByte(doc[i:], '"'); q >= 0 {
		return i + q
	}
	return len(doc)
}

// scalarEnd finds the end of a number or a literal.
func (w *walker) scalarEnd(i int) int {
	for i < len(w.doc) {
		switch w.doc[i] {
		case ',', '}', ']':
			return i
		}
		i++
	}
	return i
}

// skip finds the end of the value at i without a look inside.
func (w *walker) skip(i int) int {
	depth := 0
	for i < len(w.doc) {
		switch w.doc[i] {
		case '"':
			i = w.stringEnd(i + 1)
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
		if depth < 0 {
			return i
		}
		i++
		if depth == 0 && i < len(w.doc) && (w.doc[i] == ',' || w.doc[i] == '}' || w.doc[i] == ']') {
			return i
		}
	}
	return len(w.doc)
}

// fields calls each for the members of the object at i, with their names and
// where their values begin.
func (w *walker) fields(i int, each func(name []byte, value int)) {
	if i >= len(w.doc) || w.doc[i] != '{' {
		return
	}
	for i++; i < len(w.doc) && w.doc[i] == '"'; i++ {
		end := w.stringEnd(i + 1)
		if end+2 >= len(w.doc) {
			return
		}
		each(w.doc[i+1:end], end+2)
		if i = w.skip(end + 2); i >= len(w.doc) || w.doc[i] != ',' {
			return
		}
	}
}

// raw is the content of the string at i; false if no string stands there.
func (w *walker) raw(i int) ([]byte, bool) {
	if i >= len(w.doc) || w.doc[i] != '"' {
		return nil, false
	}
	return w.doc[i+1 : w.stringEnd(i+1)], true
}

// appendPointer appends the JSON pointer (RFC 6901) of the current value. What
// it has in common with the last one is not made again.
func (w *walker) appendPointer(b []byte) []byte {
	same := min(w.same, len(w.way))
	w.ends = w.ends[:same]
	end := 0
	if same > 0 {
		end = w.ends[same-1]
	}
	w.pointer = w.pointer[:end]
	for _, s := range w.way[same:] {
		w.pointer = w.appendStep(w.pointer, s)
		w.ends = append(w.ends, len(w.pointer))
	}
	w.same = len(w.way)
	return append(b, w.pointer...)
}

func (w *walker) appendStep(b []byte, s step) []byte {
	b = append(b, '/')
	if s.index >= 0 {
		return strconv.AppendInt(b, int64(s.index), 10)
	}
	name := w.doc[s.from:s.to]
	if bytes.IndexByte(name, '\\') >= 0 {
		name = unescape(nil, name)
	}
	from := 0
	for i, c := range name {
		switch c {
		case '~':
			b, from = append(append(b, name[from:i]...), '~', '0'), i+1
		case '/':
			b, from = append(append(b, name[from:i]...), '~', '1'), i+1
		}
	}
	return append(b, name[from:]...)
}

// unescape appends the text that a JSON string's content stands for.
func unescape(b, raw []byte) []byte {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 || i+1 >= len(raw) {
			return append(b, raw...)
		}
		b = append(b, raw[:i]...)
		switch c := raw[i+1]; c {
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			// Shortest escapes leave \u to control characters, and surrogates
			// stand as UTF-8.
			if i+6 > len(raw) {
				return append(b, raw[i:]...)
			}
			v, err := strconv.ParseUint(string(raw[i+2:i+6]), 16, 32)
			if err != nil {
				v = '\uFFFD'
			}
			b = appendRune(b, rune(v))
			raw = raw[i+6:]
			continue
		default:
			b = append(b, c)
		}
		raw = raw[i+2:]
	}
}
