package diff

import (
	"fmt"
	"iter"
	"math"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A document is the canonical text of one JSON value with an index over it: a
// node for every value and every object key, in the order of the text. A node
// knows where the next one outside of it begins, so that stepping over a child
// costs the same whatever its size.
type document struct {
	text  string
	nodes []node
}

// A node spans text[start:end]; the nodes inside it are those up to next.
type node struct {
	start, end, next uint32
}

// A value is one place in a document. Values of equal text are equal.
type value struct {
	doc *document
	at  uint32
}

// parse brings raw into canonical form and indexes it.
func parse(raw []byte) (value, error) {
	text, err := canonical(raw)
	if err != nil {
		return value{}, err
	}
	return index(text), nil
}

// canonical checks raw and returns its canonical form.
func canonical(raw []byte) (string, error) {
	if uint64(len(raw)) > math.MaxUint32 {
		return "", fmt.Errorf("%w: longer than 4 GiB", ErrDocument)
	}
	text, err := jsontext.AppendFormat(make([]byte, 0, len(raw)), raw, jsontext.ReorderRawObjects(true))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrDocument, err)
	}
	return string(text), nil
}

// index reads canonical text. It relies on it: there is no white space, every
// string is closed, every bracket has its partner.
func index(text string) value {
	doc := &document{text: text, nodes: make([]node, 0, 1+len(text)/12)}
	var open []uint32 // the objects and arrays around i

	for i := 0; i < len(text); {
		start := i
		switch text[i] {
		case ',', ':':
			i++
			continue
		case '}', ']':
			i++
			last := open[len(open)-1]
			open = open[:len(open)-1]
			doc.nodes[last].end = uint32(i)
			doc.nodes[last].next = uint32(len(doc.nodes))
			continue
		case '{', '[':
			i++
			open = append(open, uint32(len(doc.nodes)))
		case '"':
			i = stringEnd(text, i)
		default:
			for i++; i < len(text) && !strings.ContainsRune(",]}", rune(text[i])); i++ {
			}
		}
		doc.nodes = append(doc.nodes, node{uint32(start), uint32(i), uint32(len(doc.nodes) + 1)})
	}
	return value{doc: doc}
}

// stringEnd returns the offset after the string literal that begins at i.
func stringEnd(text string, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// text is the canonical JSON of v. It shares the memory of the document.
func (v value) text() string {
	n := v.doc.nodes[v.at]
	return v.doc.text[n.start:n.end]
}

// bytes is the canonical JSON of v in memory of its own.
func (v value) bytes() []byte { return []byte(v.text()) }

// kind is the first byte of the text: { for an object, [ for an array, " for a
// string, t or f or n for a literal, a digit or - for a number.
func (v value) kind() byte { return v.doc.text[v.doc.nodes[v.at].start] }

func (v value) isObject() bool { return v.kind() == '{' }
func (v value) isArray() bool  { return v.kind() == '[' }
func (v value) isScalar() bool { return !v.isObject() && !v.isArray() }

// unquote is the string that v, a string or an object key, stands for.
func (v value) unquote() string { return unquote(v.text()) }

// unquote decodes a canonical string literal.
func unquote(literal string) string {
	if strings.IndexByte(literal, '\\') < 0 {
		return literal[1 : len(literal)-1]
	}
	plain, err := jsontext.AppendUnquote(nil, literal)
	if err != nil {
		panic("diff: canonical string does not decode: " + err.Error())
	}
	return string(plain)
}

// children gives the elements of an array, or the keys and values of an object
// in turn.
func (v value) children() iter.Seq[value] {
	return func(yield func(value) bool) {
		for at := v.at + 1; at < v.doc.nodes[v.at].next; at = v.doc.nodes[at].next {
			if !yield(value{v.doc, at}) {
				return
			}
		}
	}
}

// elements returns the elements of an array.
func (v value) elements() []value {
	var all []value
	for child := range v.children() {
		all = append(all, child)
	}
	return all
}

// A member is one key of an object with its value.
type member struct {
	key string // decoded
	value
}

// members returns the members of an object, sorted as in its canonical text.
func (v value) members() []member {
	var all []member
	isKey := true
	for child := range v.children() {
		if isKey {
			all = append(all, member{key: child.unquote()})
		} else {
			all[len(all)-1].value = child
		}
		isKey = !isKey
	}
	return all
}

// member returns the value under a key of an object.
func (v value) member(key string) (value, bool) {
	found := false
	isKey := true
	for child := range v.children() {
		if found {
			return child, true
		}
		found = isKey && child.unquote() == key
		isKey = !isKey
	}
	return value{}, false
}
