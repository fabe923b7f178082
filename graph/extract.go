package graph

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
	"unsafe"

	"github.com/varvehq/varve/history"
)

// Extract reads out of a version what it says of relationships: what its source
// declares, what the tables know of documents of its type, and what else in it
// has the shape of an identifier. A deletion claims nothing.
//
// s must be in normal form with canonical documents, as stores keep it; other
// documents give some claims or none. The answer depends on nothing but the
// arguments and the tables, and shares no memory with s. Safe for concurrent
// use. Of a version that names more than 16,384 others only the first ones
// count, in the order of the document. Resources of reserved types claim nothing.
func Extract(k history.Key, s *history.State) Claims {
	if s.Deleted || history.Reserved(k.Type) {
		return Claims{}
	}
	x := extractors.Get().(*extractor)
	defer extractors.Put(x)
	x.read(k, s)
	c := x.claims()
	x.forget()
	return c
}

var extractors = sync.Pool{New: func() any { return &extractor{t: theTables} }}

// extractor gathers the claims of one version. Its texts lie in one buffer, and
// what it finds refers to them by position, until all is known.
type extractor struct {
	t     *tables
	key   history.Key
	state *history.State
	plan  *plan

	walker
	within string // name of the supplementary configuration, if in one

	buf    []byte
	found  []finding
	bears  []borne
	labels []Label
	names  []string // the resource's own identifiers
	short  []string // its short names
	base   string   // what stands before the names of others in its template or place
	order  []int32  // of the findings, when all are found
	news   []uint8  // what each says that the one before it in order does not
	out    []byte   // the texts of links
	spans  []span   // and their terms there
	told   []Reason // of one reference

	hidden     []int    // positions of strings which an object's shape explains
	levels     []int    // how many were hidden before each object
	namespaces []string // where the selector that comes next chooses
	everywhere bool     // or: in all
	scratch    []byte   // a document that is a string of this one
	all        []byte   // see foundText
	inverse    []span   // terms of what is said to use the resource
	plain      []byte   // the last string that had escapes, without
}

type span struct{ from, to int }

// borne is a term that the resource bears, by its key alone or by its state.
type borne struct {
	span
	keyed bool
}

// finding is one reference from one source.
type finding struct {
	term, source    span
	account, region span
	name            string
	inverse         bool
	reach           Reach
	selector        Selector
}

// read finds all that there is in a version.
func (x *extractor) read(k history.Key, s *history.State) {
	x.key, x.state = k, s
	x.plan = x.t.plans.of(x.t, k.Type, k.ID)
	x.buf, x.found, x.bears, x.names = x.buf[:0], x.found[:0], x.bears[:0], x.names[:0]
	x.short = x.short[:0]
	x.labels, x.hidden, x.levels = nil, x.hidden[:0], x.levels[:0]
	x.within, x.namespaces, x.everywhere = "", nil, false
	x.seen, x.deep = x, x.plan.deep

	x.identity()
	x.declared()
	x.walk(s.Configuration, x.plan.root)
	if len(s.Supplementary) > 0 {
		x.supplementary()
	}
	if x.plan.chosenAs != "" {
		x.bearLabels()
	}
}

// forget lets go of what belongs to the version.
func (x *extractor) forget() {
	x.key, x.state, x.doc, x.base = history.Key{}, nil, nil, ""
	clear(x.found) // their selectors
	clear(x.names)
	clear(x.short)
	if cap(x.buf)+cap(x.out)+cap(x.scratch)+cap(x.plain) > 1<<20 {
		*x = extractor{t: x.t} // such documents are rare
	}
}

func (x *extractor) supplementary() {
	names := make([]string, 0, len(x.state.Supplementary))
	for name := range x.state.Supplementary {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if x.t.quietWithin(name) {
			continue
		}
		x.within = name
		x.walk(x.state.Supplementary[name], x.plan.within[name])
	}
	x.within = ""
}

// leave implements visitor.
func (x *extractor) leave() {
	x.hidden = x.hidden[:x.levels[len(x.levels)-1]]
	x.levels = x.levels[:len(x.levels)-1]
}

// object implements visitor.
func (x *extractor) object(at int, n *node) {
	x.levels = append(x.levels, len(x.hidden))
	for _, s := range n.objects {
		switch {
		case s.form == formTemplate:
			x.templateList(s, at)
		case s.form == formLogical:
			x.logicalList(s, at)
		case s.form == formLabels:
			x.ownLabels(s, at)
		case s.form == formNamespace:
			x.namespaceSelector(at)
		case s.form == formMap || s.form == formSelector:
			x.selector(s, at)
		case x.doc[at] == '{':
			x.whole(s, at)
		}
	}
}

// text implements visitor: shapes come first, and what they explain is no
// generic reference.
func (x *extractor) text(raw []byte, at int, n *node) {
	if len(x.hidden) > 0 && slices.Contains(x.hidden, at) {
		return
	}
	explained := false
	if n != nil && n.values != nil && len(raw) > 0 {
		for _, s := range n.values {
			if x.known(s, x.plainText(raw)) {
				explained = true
			}
		}
	}
	if explained {
		return
	}
	if x.plan.dialect == dialectTerraform {
		x.expressions(raw)
	}
	x.generic(raw)
}

// plainText is the text that a string's content stands for. It is good until
// the next call.
func (x *extractor) plainText(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	x.plain = unescape(x.plain[:0], raw)
	return x.plain
}

// generic looks whether a string that no shape explains is an identifier, or a
// document with identifiers in it.
func (x *extractor) generic(raw []byte) {
	if plausible(raw) {
		if id, ok := x.t.identify(view(raw)); ok {
			x.reference(id)
			return
		}
	}
	if len(raw) > 16 {
		x.nested(raw)
	}
}

// reference notes a generic reference, unless what it names is a part of the
// resource's own ARN: an id of its own.
func (x *extractor) reference(id identifier) {
	if !strings.HasPrefix(x.key.ID, "arn:") || !strings.Contains(x.key.ID, id.text) {
		x.identified("References", false, id)
	}
}

// identified notes a reference to what an identifier stands for.
func (x *extractor) identified(name string, inverse bool, id identifier) {
	alike := id.kind == 'g' || id.typ == x.key.Type || id.typ == logicalResource
	if alike && id.is(x.key.ID) || id.kind == 'g' && slices.ContainsFunc(x.names, id.is) {
		return
	}
	if len(x.found) >= maxFindings {
		return
	}
	f := finding{name: name, inverse: inverse, reach: id.reach, source: x.source()}
	f.term = x.term(id.kind, id.typ, id.before, id.text)
	f.account, f.region = x.put(id.account), x.put(id.region)
	x.found = append(x.found, f)
}

// maxFindings bounds what one version can refer to. Documents with more do not
// describe a resource, and each finding takes space in the index.
const maxFindings = 1 << 14

// maxSources bounds the places at which one thing is named: it says enough to
// know the first ones.
const maxSources = 64

// term writes a term into the buffer.
func (x *extractor) term(kind byte, typ, before, text string) span {
	from := len(x.buf)
	x.buf = append(x.buf, kind)
	if kind != 'g' {
		x.buf = append(append(x.buf, typ...), 0)
	}
	x.buf = append(append(x.buf, before...), text...)
	return span{from, len(x.buf)}
}

func (x *extractor) put(text string) span {
	if text == "" {
		return span{}
	}
	from := len(x.buf)
	x.buf = append(x.buf, text...)
	return span{from, len(x.buf)}
}

// source writes where the walker is.
func (x *extractor) source() span {
	from := len(x.buf)
	if x.within != "" {
		x.buf = append(x.buf, '@')
		x.buf = append(x.buf, strings.NewReplacer("~", "~0", "/", "~1").Replace(x.within)...)
	}
	x.buf = x.appendPointer(x.buf)
	return span{from, len(x.buf)}
}

func (x *extractor) bear(kind byte, typ, text string) {
	if text == "" || len(text) > maxIdentifier {
		return
	}
	x.bears = append(x.bears, borne{span: x.term(kind, typ, "", text)})
}

// view is b as a string without a copy, for as long as b does not change: what
// is kept of it is copied into the buffer.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func appendRune(b []byte, r rune) []byte { return utf8.AppendRune(b, r) }
