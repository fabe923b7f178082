package expr

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
)

// maxDepth is deeper than what is recorded: see recorder/canonical.
const maxDepth = 10_000

// Decode makes a value of one JSON document in canonical form; no bytes are null.
// The value shares the memory of raw, which nobody may change any more. It is
// never changed itself, so that any number of evaluations may share it. What it
// holds is made into values when it is asked for, and each time that it is: Decode
// only finds out where everything stands.
//
// A document that is damaged is an error value of kind DataLoss, wherever the
// damage is. A number which no CEL type holds exactly is an error value in its
// place: the rest of the document is there.
func Decode(raw []byte) ref.Val {
	if len(raw) == 0 {
		return types.NullValue
	}
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	d.text, d.at = unsafe.String(unsafe.SliceData(raw), len(raw)), 0
	d.nodes, d.places, d.open = d.nodes[:0], d.places[:0], d.open[:0]
	err := d.value(0)
	if err == nil && d.at < len(d.text) {
		err = d.damaged()
	}
	if err != nil {
		return Undecidable(err)
	}
	// Memory without pointers, of the size that it takes.
	doc := &document{d.text, append([]node(nil), d.nodes...), append([]uint32(nil), d.places...)}
	d.text = ""
	return doc.value(0)
}

// document is JSON text with the places of all values in it.
type document struct {
	text   string
	nodes  []node
	places []uint32 // of the elements of lists, of the names of objects; each's side by side
}

// node is a value, or the name of a member, whose value is the next node.
type node struct {
	from, to uint32 // in the text; of texts and names what stands between the quotes
	first, n uint32 // its elements, or the names of its members: places[first:first+n]
	kind     kind
	sorted   bool // names ascend as bytes; nearly always, see recorder/canonical
}

type kind byte

const (
	ofScalar  kind = iota // what its first character tells
	ofText                // as it stands
	ofEscaped             // with escapes
	ofList
	ofObject
)

func (d *document) raw(at uint32) string {
	n := &d.nodes[at]
	if n.kind == ofText || n.kind == ofEscaped {
		return d.text[n.from-1 : n.to+1]
	}
	return d.text[n.from:n.to]
}

func (d *document) inner(n *node) []uint32 { return d.places[n.first : n.first+n.n] }

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
	case ofObject:
		return &object{d, at}
	case ofList:
		return &list{d, at}
	case ofText, ofEscaped:
		return types.String(d.string(at))
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

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decoder reads text from at. What the containers around at hold so far lies on
// one stack for all of them.
type decoder struct {
	text   string
	at     int
	nodes  []node
	places []uint32
	open   []uint32
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

func (d *decoder) value(depth int) error {
	if d.at >= len(d.text) || depth > maxDepth || len(d.text) >= math.MaxUint32 {
		return d.damaged()
	}
	switch c := d.text[d.at]; c {
	case '{', '[':
		return d.container(c, depth)
	case '"':
		return d.string()
	case 't':
		return d.literal("true")
	case 'f':
		return d.literal("false")
	case 'n':
		return d.literal("null")
	}
	return d.number()
}

func (d *decoder) add(n node) { d.nodes = append(d.nodes, n) }

func (d *decoder) literal(word string) error {
	if !strings.HasPrefix(d.text[d.at:], word) {
		return d.damaged()
	}
	d.add(node{from: uint32(d.at), to: uint32(d.at + len(word))})
	d.at += len(word)
	return nil
}

// container reads an object or a list.
func (d *decoder) container(c byte, depth int) error {
	own, begin := len(d.nodes), len(d.open)
	d.add(node{from: uint32(d.at), kind: ofList, sorted: true})
	if c == '{' {
		d.nodes[own].kind = ofObject
	}
	end := c + 2 // ] and } stand so in ASCII
	before := ""
	d.at++
	for first := true; !d.skip(end); first = false {
		if !first && !d.skip(',') {
			return d.damaged()
		}
		place := uint32(len(d.nodes))
		d.open = append(d.open, place)
		if c == '{' {
			if err := d.string(); err != nil {
				return err
			}
			if !d.skip(':') {
				return d.damaged()
			}
			n := &d.nodes[place]
			name := d.text[n.from:n.to]
			if n.kind == ofEscaped || !first && name <= before {
				d.nodes[own].sorted = false
			}
			before = name
		}
		if err := d.value(depth + 1); err != nil {
			return err
		}
	}
	n := &d.nodes[own]
	n.to, n.first, n.n = uint32(d.at), uint32(len(d.places)), uint32(len(d.open)-begin)
	d.places = append(d.places, d.open[begin:]...)
	d.open = d.open[:begin]
	return nil
}

// string reads a string literal.
func (d *decoder) string() error {
	if !d.skip('"') {
		return d.damaged()
	}
	start, as := d.at, ofText
	for ; d.at < len(d.text); d.at++ {
		switch d.text[d.at] {
		case '"':
			if as == ofEscaped {
				if _, err := jsontext.AppendUnquote(nil, d.text[start-1:d.at+1]); err != nil {
					return d.damaged()
				}
			}
			d.add(node{from: uint32(start), to: uint32(d.at), kind: as})
			d.at++
			return nil
		case '\\':
			as = ofEscaped
			d.at++
		}
	}
	return d.damaged()
}

func (d *decoder) number() error {
	start := d.at
	for ; d.at < len(d.text); d.at++ {
		switch c := d.text[d.at]; {
		case '0' <= c && c <= '9', c == '-':
		case (c == '.' || c == 'e' || c == 'E' || c == '+') && d.at > start:
		case d.at == start:
			return d.damaged()
		default:
			d.add(node{from: uint32(start), to: uint32(d.at)})
			return nil
		}
	}
	d.add(node{from: uint32(start), to: uint32(d.at)})
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
