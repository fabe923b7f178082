package graph

import (
	"encoding/binary"
	"slices"

	"github.com/varvehq/varve/history"
)

// Links tells the claims of a resource's version as links, in the plain way: what
// the function of that name is to give.
func (c *Claims) Links(k history.Key) []history.Link {
	if len(c.Bears)+len(c.References) == 0 {
		return nil
	}
	links := make([]history.Link, 0, 1+len(c.Bears)+len(c.References))
	buf := make([]byte, 0, 64*(2+len(c.Bears)+len(c.References)))
	var ends []int // of their details in buf
	add := func(t Term, bears bool) {
		links, ends = append(links, history.Link{Term: string(t), Bears: bears}), append(ends, len(buf))
	}
	var inverse []Term
	for i := range c.References {
		if r := &c.References[i]; r.Inverse && (len(inverse) == 0 || inverse[len(inverse)-1] != r.Term) {
			inverse = append(inverse, r.Term)
		}
	}
	own := c.Bears
	if len(own) > 0 {
		known := keyTerms(k)
		own = slices.DeleteFunc(slices.Clone(own), func(t Term) bool { return slices.Contains(known, t) })
	}
	first := len(own)+len(inverse) > 0
	if first {
		buf = appendTerms(buf, own, inverse)
		add(IDTerm(k.Type, k.ID), true)
	}
	before := len(buf)
	buf = appendLabels(buf, c.Labels)
	labels := len(buf)
	for _, t := range c.Bears {
		add(t, true)
	}
	for refs := c.References; len(refs) > 0; {
		n := 1
		for n < len(refs) && refs[n].Term == refs[0].Term {
			n++
		}
		buf = binary.AppendUvarint(append(buf, detailVersion), uint64(n))
		for i := range refs[:n] {
			buf = refs[i].appendDetail(buf)
		}
		add(refs[0].Term, false)
		refs = refs[n:]
	}

	text, from := string(buf), labels
	for i := range links {
		l := &links[i]
		switch {
		case !l.Bears:
			l.Detail = text[from:ends[i]]
			from = ends[i]
		case i == 0 && first:
			l.Detail = text[:before]
		case Term(l.Term).selects():
			l.Detail = text[before:labels]
		}
	}
	return history.NormalizeLinks(links)
}

func appendTerms(b []byte, lists ...[]Term) []byte {
	b = append(b, detailVersion)
	for _, terms := range lists {
		b = binary.AppendUvarint(b, uint64(len(terms)))
		for _, t := range terms {
			b = appendText(b, string(t))
		}
	}
	return b
}
