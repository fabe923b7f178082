package graph

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/varvehq/varve/history"
)

// Extract reads out of a version what it says of relationships: what its source
// declares, what the tables know of documents of its type, and what else in it
// has the shape of an identifier. A deletion claims nothing.
//
// s must be in normal form with canonical documents, as stores keep it; other
// documents give some claims or none. The answer depends on nothing but the
// arguments and the tables, and shares no memory with s. Safe for concurrent
// use.
func Extract(k history.Key, s *history.State) Claims {
	if s.Deleted {
		return Claims{}
	}
	x := extractors.Get().(*extractor)
	defer extractors.Put(x)
	return x.extract(k, s)
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
	inside bool   // in a document that is a string of another
	root   *node

	buf    []byte
	found  []finding
	bears  []span
	labels []Label
	names  []string // the resource's own names and identifiers

	hidden     []int // positions of strings which an object's shape explains
	levels     []int // how many were hidden before each object
	namespaces []string
	everywhere bool
	scratch    []byte
	plain      []byte
}

type span struct{ from, to int }

// finding is one reference from one source.
type finding struct {
	term, source    span
	account, region span
	name            string
	inverse         bool
	selector        Selector
}

func (x *extractor) extract(k history.Key, s *history.State) Claims {
	x.key, x.state = k, s
	x.plan = x.t.plans.of(x.t, k.Type, k.ID)
	x.buf, x.found, x.bears, x.names = x.buf[:0], x.found[:0], x.bears[:0], x.names[:0]
	x.labels, x.hidden, x.levels = nil, x.hidden[:0], x.levels[:0]
	x.within, x.inside, x.namespaces, x.everywhere = "", false, nil, false
	x.seen, x.deep = x, x.plan.deep

	x.identity()
	x.declared()
	x.root = x.plan.root
	x.walk(s.Configuration, x.root)
	if len(s.Supplementary) > 0 {
		x.supplementary()
	}
	if x.plan.chosenAs != "" {
		x.bearLabels()
	}
	claims := x.claims()
	x.key, x.state, x.doc = history.Key{}, nil, nil
	return claims
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
		x.within, x.root = name, x.plan.within[name]
		x.walk(x.state.Supplementary[name], x.root)
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
	if x.plan.dialect == dialectTerraform && bytes.IndexByte(raw, '{') >= 0 {
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
		if id, ok := x.t.identify(string(raw)); ok {
			x.reference(id)
			return
		}
	}
	if len(raw) > 16 {
		x.nested(raw)
	}
}

// reference notes a generic reference, unless what it names is a part of the
// resource's own id.
func (x *extractor) reference(id identifier) {
	if !strings.Contains(x.key.ID, id.text) {
		x.identified("References", false, id)
	}
}

// identified notes a reference to what an identifier stands for.
func (x *extractor) identified(name string, inverse bool, id identifier) {
	if id.text == x.key.ID && (id.kind != 'i' || id.typ == x.key.Type) || slices.Contains(x.names, id.text) {
		return
	}
	f := finding{name: name, inverse: inverse, source: x.source()}
	f.term = x.term(id.kind, id.typ, id.text)
	f.account, f.region = x.put(id.account), x.put(id.region)
	x.found = append(x.found, f)
}

// term writes a term into the buffer.
func (x *extractor) term(kind byte, typ, text string) span {
	from := len(x.buf)
	x.buf = append(x.buf, kind)
	if kind != 'g' {
		x.buf = append(append(x.buf, typ...), 0)
	}
	x.buf = append(x.buf, text...)
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
	x.bears = append(x.bears, x.term(kind, typ, text))
}

// claims puts together what was found.
func (x *extractor) claims() Claims {
	if len(x.found)+len(x.bears) == 0 {
		return Claims{}
	}
	text := string(x.buf)
	cut := func(s span) string { return text[s.from:s.to] }
	c := Claims{Labels: x.labels}
	if len(x.bears) > 0 {
		c.Bears = make([]Term, len(x.bears))
		for i, s := range x.bears {
			c.Bears[i] = Term(cut(s))
		}
		slices.Sort(c.Bears)
		c.Bears = slices.Compact(c.Bears)
	}
	if len(x.found) == 0 {
		return c
	}
	sources := make([]Reason, len(x.found))
	refs := make([]Reference, len(x.found))
	for i := range x.found {
		f := &x.found[i]
		sources[i] = Reason(cut(f.source))
		refs[i] = Reference{
			Term: Term(cut(f.term)), Name: f.name, Inverse: f.inverse,
			Account: cut(f.account), Region: cut(f.region),
			Selector: f.selector, Sources: sources[i : i+1 : i+1],
		}
		f.selector = nil
	}
	c.References = merged(refs)
	return c
}

// merged sorts references and makes one of those that differ in their sources
// alone.
func merged(refs []Reference) []Reference {
	slices.SortFunc(refs, func(a, b Reference) int {
		if d := a.compare(&b); d != 0 {
			return d
		}
		return strings.Compare(string(a.Sources[0]), string(b.Sources[0]))
	})
	kept := refs[:1]
	for i := 1; i < len(refs); i++ {
		last := &kept[len(kept)-1]
		switch {
		case refs[i].compare(last) != 0:
			kept = append(kept, refs[i])
		case refs[i].Sources[0] != last.Sources[len(last.Sources)-1]:
			last.Sources = append(last.Sources, refs[i].Sources[0])
		}
	}
	return kept
}

func appendRune(b []byte, r rune) []byte { return utf8.AppendRune(b, r) }
