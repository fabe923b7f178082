package expr

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
)

// maxDepth is deeper than what is recorded: see recorder/canonical.
const maxDepth = 10_000

// Decode makes a value of one JSON document in canonical form; no bytes are null.
// The value shares the memory of raw, which nobody may change any more. Any number of
// evaluations may share it. What it holds is read when it is asked for: of an object
// Decode finds the members alone, so it costs little not to look at them.
//
// A document that is damaged is an error value of kind DataLoss; where the damage lies
// within a member, that member is. A number which no CEL type holds exactly is an error
// value in its place. The rest of the document is there.
func Decode(raw []byte) ref.Val {
	if len(raw) == 0 {
		return types.NullValue
	}
	text := unsafe.String(unsafe.SliceData(raw), len(raw))
	doc, err := takeApart(text, text[0] == '{')
	if err != nil {
		return Undecidable(err)
	}
	return doc.value(0)
}

// takeApart finds all values, or of an object its members alone.
func takeApart(text string, members bool) (*document, error) {
	d := decoders.Get().(*decoder)
	defer d.release()
	d.text, d.at, d.members = text, 0, members
	d.nodes, d.places, d.open = d.nodes[:0], d.places[:0], d.open[:0]
	err := d.read(0)
	if err == nil && d.at < len(text) || len(text) >= math.MaxUint32 {
		err = d.damaged()
	}
	if err != nil {
		return nil, err
	}
	// Memory without pointers, of the size that it takes.
	doc := &document{text: text, nodes: append([]node(nil), d.nodes...), places: append([]uint32(nil), d.places...)}
	if slices.ContainsFunc(doc.nodes, func(n node) bool { return n.kind == ofClosed }) {
		doc.later = make([]atomic.Pointer[document], len(doc.nodes))
	}
	return doc, nil
}

// document is JSON text with the places of all values in it.
type document struct {
	text   string
	nodes  []node
	places []uint32
	later  []atomic.Pointer[document] // what was found in nodes that are closed
}

// node is a value, or the name of a member, whose value is the next node.
type node struct {
	from, to uint32 // in the text; of texts and names what stands between the quotes
	inner    uint32 // places from here on: how many elements or members, then their nodes or names
	kind     kind
}

type kind byte

const (
	ofScalar  kind = iota // what its first character tells
	ofText                // as it stands
	ofEscaped             // with escapes
	ofList
	ofObject
	ofClosed // an object or a list that nobody has looked into
	ofSorted // an object of many names which ascend as bytes; nearly always, see recorder/canonical
)

// many is more names than are looked through one by one.
const many = 16

func (d *document) raw(at uint32) string {
	n := &d.nodes[at]
	if n.kind == ofText || n.kind == ofEscaped {
		return d.text[n.from-1 : n.to+1]
	}
	return d.text[n.from:n.to]
}

// inner are the elements of a list, the names of an object.
func (d *document) inner(n *node) []uint32 {
	first := n.inner + 1
	return d.places[first : first+d.places[n.inner]]
}

func (n *node) isObject() bool { return n.kind == ofObject || n.kind == ofSorted }

// string is a text or a name.
func (d *document) string(at uint32) string {
	n := &d.nodes[at]
	if n.kind == ofText {
		return d.text[n.from:n.to]
	}
	plain, _ := jsontext.AppendUnquote(nil, d.text[n.from-1:n.to+1]) // it went well before
	return string(plain)
}

func (d *document) value(at uint32) ref.Val {
	n := &d.nodes[at]
	switch n.kind {
	case ofObject, ofSorted:
		return &object{d, at}
	case ofList:
		return &list{d, at}
	case ofText, ofEscaped:
		return types.String(d.string(at))
	case ofClosed:
		inner, err := d.opened(at)
		if err != nil {
			return Undecidable(err)
		}
		return inner.value(0)
	}
	switch d.text[n.from] {
	case 't':
		return types.True
	case 'f':
		return types.False
	case 'n':
		return types.NullValue
	}
	return number(d.text[n.from:n.to])
}

// opened is what a closed node holds.
func (d *document) opened(at uint32) (*document, error) {
	if inner := d.later[at].Load(); inner != nil {
		return inner, nil
	}
	inner, err := takeApart(d.raw(at), false)
	if err == nil {
		d.later[at].Store(inner) // whoever else does, has found the same
	}
	return inner, err
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decoder takes a document apart, from at on. What the containers around at hold so
// far lies on one stack for all of them.
type decoder struct {
	document
	at      int
	open    []uint32
	members bool // of the outermost object alone
}

// release ends the use of a decoder, and of the document that it holds.
func (d *decoder) release() {
	d.text = ""
	decoders.Put(d)
}

func (d *decoder) damaged() error {
	return &history.Error{Kind: history.DataLoss, Text: fmt.Sprintf("a document is damaged at byte %d; run verify", d.at)}
}

// skip steps over c if it comes next.
func (d *decoder) skip(c byte) bool {
	if d.at < len(d.text) && d.text[d.at] == c {
		d.at++
		return true
	}
	return false
}

func (d *decoder) read(depth int) error {
	if d.at >= len(d.text) || depth > maxDepth {
		return d.damaged()
	}
	switch c := d.text[d.at]; c {
	case '{', '[':
		if d.members && depth > 0 {
			return d.closed()
		}
		return d.container(c, depth)
	case '"':
		return d.quoted()
	case 't':
		return d.literal("true")
	case 'f':
		return d.literal("false")
	case 'n':
		return d.literal("null")
	}
	return d.number()
}

func (d *decoder) add(from, to int, as kind) {
	d.nodes = append(d.nodes, node{from: uint32(from), to: uint32(to), kind: as})
}

func (d *decoder) literal(word string) error {
	if !strings.HasPrefix(d.text[d.at:], word) {
		return d.damaged()
	}
	d.add(d.at, d.at+len(word), ofScalar)
	d.at += len(word)
	return nil
}

// container reads an object or a list.
func (d *decoder) container(c byte, depth int) error {
	own, begin := len(d.nodes), len(d.open)
	d.add(d.at, 0, ofList)
	end := c + 2 // ] and } stand so in ASCII
	d.at++
	for first := true; !d.skip(end); first = false {
		if !first && !d.skip(',') {
			return d.damaged()
		}
		d.open = append(d.open, uint32(len(d.nodes)))
		if c == '{' {
			if err := d.quoted(); err != nil {
				return err
			}
			if !d.skip(':') {
				return d.damaged()
			}
		}
		if err := d.read(depth + 1); err != nil {
			return err
		}
	}
	inner := d.open[begin:]
	n := &d.nodes[own]
	n.to, n.inner = uint32(d.at), uint32(len(d.places))
	if c == '{' {
		n.kind = ofObject
		if len(inner) > many && slices.IsSortedFunc(inner, func(a, b uint32) int { return strings.Compare(d.string(a), d.string(b)) }) {
			n.kind = ofSorted
		}
	}
	d.places = append(append(d.places, uint32(len(inner))), inner...)
	d.open = d.open[:begin]
	return nil
}

// closed steps over an object or a list.
func (d *decoder) closed() error {
	text, depth := d.text, 0
	for i := d.at; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				d.add(d.at, i+1, ofClosed)
				d.at = i + 1
				return nil
			}
		}
	}
	return d.damaged()
}

// quoted reads a text.
func (d *decoder) quoted() error {
	if !d.skip('"') {
		return d.damaged()
	}
	text, start, as := d.text, d.at, ofText
	for i := start; i < len(text); i++ {
		switch text[i] {
		case '"':
			if as == ofEscaped {
				if _, err := jsontext.AppendUnquote(nil, text[start-1:i+1]); err != nil {
					return d.damaged()
				}
			}
			d.add(start, i, as)
			d.at = i + 1
			return nil
		case '\\':
			as = ofEscaped
			i++
		}
	}
	return d.damaged()
}

func (d *decoder) number() error {
	text, i := d.text, d.at
	for i < len(text) && (text[i]-'0' <= 9 || strings.IndexByte("-+.eE", text[i]) >= 0) {
		i++
	}
	if c := text[d.at]; i == d.at || c != '-' && c-'0' > 9 {
		return d.damaged()
	}
	d.add(d.at, i, ofScalar)
	d.at = i
	return nil
}

func number(literal string) ref.Val {
	if strings.ContainsAny(literal, ".eE") {
		f, err := strconv.ParseFloat(literal, 64)
		if err != nil {
			return Undecidable(unheld(literal))
		}
		return types.Double(f)
	}
	if i, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return types.Int(i)
	}
	if u, err := strconv.ParseUint(literal, 10, 64); err == nil {
		return types.Uint(u)
	}
	return Undecidable(unheld(literal))
}

// unheld is a number that no type of the language holds: its literal.
type unheld string

// Error tells the number, shortened.
func (u unheld) Error() string {
	if len(u) > 40 {
		return fmt.Sprintf("number %s… of %d digits has no exact value here", string(u[:40]), len(u))
	}
	return fmt.Sprintf("number %s has no exact value here", string(u))
}

func (u unheld) whole() bool { return u != "" && !strings.ContainsAny(string(u), ".eE") }

// literalOf is the literal of an error value that stands for a number.
func literalOf(v ref.Val) unheld {
	if e, ok := v.(*types.Err); ok {
		var u unheld
		errors.As(e, &u)
		return u
	}
	return ""
}
