package graph

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
)

// claims puts together what was found: references in order, each once with all
// its sources, but for those to what the resource itself bears.
func (x *extractor) claims() Claims {
	if len(x.found)+len(x.bears) == 0 {
		return Claims{}
	}
	distinct := x.sort()
	text := string(x.buf)
	c := Claims{Labels: x.labels}
	if len(x.bears) > 0 {
		c.Bears = make([]Term, len(x.bears))
		for i, b := range x.bears {
			c.Bears[i] = Term(b.of(text))
		}
	}
	if distinct == 0 {
		return c
	}
	sources := make([]Reason, 0, len(x.order))
	c.References = make([]Reference, 0, distinct)
	var last *Reference
	for i, at := range x.order {
		f := &x.found[at]
		source := Reason(f.source.of(text))
		if x.news[i] == sameReference {
			if len(last.Sources) < maxSources && source != last.Sources[len(last.Sources)-1] {
				sources = append(sources, source)
				last.Sources = last.Sources[:len(last.Sources)+1]
			}
			continue
		}
		n := len(sources)
		sources = append(sources, source)
		c.References = append(c.References, Reference{
			Term: Term(f.term.of(text)), Name: f.name, Inverse: f.inverse,
			Account: f.account.of(text), Region: f.region.of(text), Reach: f.reach,
			Selector: f.selector, Sources: sources[n : n+1],
		})
		last = &c.References[len(c.References)-1]
	}
	for i := range c.References {
		c.References[i].Sources = slices.Clip(c.References[i].Sources)
	}
	return c
}

func (s span) of(text string) string { return text[s.from:s.to] }

// How a finding differs from the one before it in order.
const (
	newTerm uint8 = iota
	newReference
	sameReference
)

// sort puts what was found and what is borne in order, and returns how many
// references there are. What is borne is then there once.
func (x *extractor) sort() int {
	x.order, x.news = x.order[:0], x.news[:0]
	for i := range x.found {
		if !x.isOwn(x.found[i].term) {
			x.order = append(x.order, int32(i))
		}
	}
	slices.SortFunc(x.order, x.compare)
	references := 0
	for i, at := range x.order {
		news := newTerm
		if i > 0 && x.compareSpans(x.found[x.order[i-1]].term, x.found[at].term) == 0 {
			if news = newReference; x.differ(x.order[i-1], at) == 0 {
				news = sameReference
			}
		}
		if x.news = append(x.news, news); news != sameReference {
			references++
		}
	}
	slices.SortFunc(x.bears, func(a, b borne) int {
		return cmp.Or(x.compareSpans(a.span, b.span), compareBools(b.keyed, a.keyed))
	})
	x.bears = slices.CompactFunc(x.bears, func(a, b borne) bool { return x.compareSpans(a.span, b.span) == 0 })
	return references
}

func (x *extractor) compareSpans(a, b span) int {
	return bytes.Compare(x.buf[a.from:a.to], x.buf[b.from:b.to])
}

// isOwn reports whether a term is one that the resource itself bears as its
// identifier: what was found before the identifier itself was met.
func (x *extractor) isOwn(term span) bool {
	if x.buf[term.from] != 'g' {
		return false
	}
	text := x.buf[term.from+1 : term.to]
	return slices.ContainsFunc(x.names, func(name string) bool { return string(text) == name })
}

// differ compares two findings by all but their sources.
func (x *extractor) differ(i, j int32) int {
	a, b := &x.found[i], &x.found[j]
	if d := bytes.Compare(x.buf[a.term.from:a.term.to], x.buf[b.term.from:b.term.to]); d != 0 {
		return d
	}
	if a.name != b.name {
		return strings.Compare(a.name, b.name)
	}
	return cmp.Or(
		compareBools(a.inverse, b.inverse),
		cmp.Compare(a.reach, b.reach),
		bytes.Compare(x.buf[a.account.from:a.account.to], x.buf[b.account.from:b.account.to]),
		bytes.Compare(x.buf[a.region.from:a.region.to], x.buf[b.region.from:b.region.to]),
		slices.CompareFunc(a.selector, b.selector, compareRequirements),
	)
}

func (x *extractor) compare(i, j int32) int {
	if d := x.differ(i, j); d != 0 {
		return d
	}
	a, b := x.found[i].source, x.found[j].source
	return bytes.Compare(x.buf[a.from:a.to], x.buf[b.from:b.to])
}

// links tells what was found as the links of its claims.
func (x *extractor) links() []history.Link {
	if len(x.found)+len(x.bears) == 0 {
		return nil
	}
	x.sort()
	links, spans := make([]history.Link, 0, 1+len(x.bears)+len(x.order)), x.spans[:0]
	out := x.appendOwn(x.out[:0])
	if len(out) > 0 {
		n := 2 + len(x.key.Type) + len(x.key.ID)
		links, spans = append(links, history.Link{Bears: true}), append(spans, span{0, n})
	}
	from := len(out)
	out = appendLabels(out, x.labels)
	labels := span{from, len(out)}
	for _, b := range x.bears {
		links, spans = append(links, history.Link{Bears: true}), append(spans, span{len(out), len(out) + b.to - b.from})
		out = append(out, x.buf[b.from:b.to]...)
	}
	for i := 0; i < len(x.order); {
		term := x.found[x.order[i]].term
		links, spans = append(links, history.Link{}), append(spans, span{len(out), len(out) + term.to - term.from})
		out = append(out, x.buf[term.from:term.to]...)
		out, i = x.appendDetails(out, i)
	}

	text := string(out)
	for i := range links {
		l := &links[i]
		l.Term = spans[i].of(text)
		switch {
		case i == 0 && from > 0:
			l.Detail = text[spans[0].to:from]
		case l.Bears && Term(l.Term).selects():
			l.Detail = labels.of(text)
		case l.Bears:
		case i+1 < len(spans):
			l.Detail = text[spans[i].to:spans[i+1].from]
		default:
			l.Detail = text[spans[i].to:]
		}
	}
	x.out, x.spans = out, spans
	return history.NormalizeLinks(links)
}

// appendOwn writes the term of the resource's own type and id, and the detail
// that goes with it; nothing if that would say no more than the key does.
func (x *extractor) appendOwn(out []byte) []byte {
	own := 0
	for _, b := range x.bears {
		if !b.keyed {
			own++
		}
	}
	inverse := x.inverse[:0]
	for _, i := range x.order {
		f := &x.found[i]
		if f.inverse && (len(inverse) == 0 || x.compareSpans(inverse[len(inverse)-1], f.term) != 0) {
			inverse = append(inverse, f.term)
		}
	}
	x.inverse = inverse
	if own+len(inverse) == 0 {
		return out
	}
	out = append(append(append(append(out, 'i'), x.key.Type...), 0), x.key.ID...)
	out = binary.AppendUvarint(append(out, detailVersion), uint64(own))
	for _, b := range x.bears {
		if !b.keyed {
			out = appendText(out, x.buf[b.from:b.to])
		}
	}
	out = binary.AppendUvarint(out, uint64(len(inverse)))
	for _, t := range inverse {
		out = appendText(out, x.buf[t.from:t.to])
	}
	return out
}

// appendDetails writes the detail of the link of those findings from the first
// on which share a term, and returns where the others begin.
func (x *extractor) appendDetails(out []byte, first int) ([]byte, int) {
	end, references := first+1, 1
	for ; end < len(x.order) && x.news[end] != newTerm; end++ {
		if x.news[end] == newReference {
			references++
		}
	}
	out = binary.AppendUvarint(append(out, detailVersion), uint64(references))
	for i := first; i < end; {
		f := &x.found[x.order[i]]
		x.told = append(x.told[:0], x.reason(i))
		for i++; i < end && x.news[i] == sameReference; i++ {
			if source := x.reason(i); len(x.told) < maxSources && x.told[len(x.told)-1] != source {
				x.told = append(x.told, source)
			}
		}
		r := Reference{
			Name: f.name, Inverse: f.inverse, Reach: f.reach, Selector: f.selector, Sources: x.told,
			Account: view(x.buf[f.account.from:f.account.to]), Region: view(x.buf[f.region.from:f.region.to]),
		}
		out = r.appendDetail(out)
	}
	return out, end
}

// reason is the source of a finding, by its place in order, while the buffer
// lasts.
func (x *extractor) reason(i int) Reason {
	s := x.found[x.order[i]].source
	return Reason(view(x.buf[s.from:s.to]))
}
