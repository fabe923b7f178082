package graph

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
)

// Links tells the claims of a version as links, in the order of stores. A
// version has one link at most for each term and side. One that bears other terms
// than its key tells, or says itself who uses it, bears the term of its type and
// id as well, with these terms for a detail: whoever has its key finds them.
func Links(k history.Key, s *history.State) []history.Link {
	if s.Deleted {
		return nil
	}
	x := extractors.Get().(*extractor)
	defer extractors.Put(x)
	x.read(k, s)
	links := x.links()
	x.forget()
	return links
}

// keyTerms are the terms that a resource bears by its key, whatever its state:
// its short names hang on that.
func keyTerms(k history.Key) []Term {
	c := Extract(k, &history.State{})
	names := NameTerm(k.Type, "")
	own := slices.DeleteFunc(c.Bears, func(t Term) bool { return strings.HasPrefix(string(t), string(names)) })
	return append(own, NameTerm(k.Type, k.ID))
}

// detailVersion begins every detail. A detail of another version is refused:
// the index is then made anew out of the versions.
const detailVersion = 2

const (
	flagInverse = 1 << iota
	flagAccount
	flagRegion
	flagSelector
	flagSameAccount
	flagSameRegion
	flagsEnd
)

// appendDetail encodes all but the term.
//
//	flags     byte
//	name      number of the verb in the tables, from 1; or 0 and text
//	account   text, if flagged
//	region    text, if flagged
//	selector  count, then key, operator, count of values, values, if flagged
//	sources   count, then texts
func (r *Reference) appendDetail(b []byte) []byte {
	var flags byte
	if r.Inverse {
		flags |= flagInverse
	}
	switch r.Reach {
	case SameAccount:
		flags |= flagSameAccount
	case SameRegion:
		flags |= flagSameRegion
	}
	if r.Account != "" {
		flags |= flagAccount
	}
	if r.Region != "" {
		flags |= flagRegion
	}
	if len(r.Selector) > 0 {
		flags |= flagSelector
	}
	b = append(b, flags)
	if n := slices.IndexFunc(theTables.verbs, func(v verb) bool { return v.user == r.Name }); n >= 0 {
		b = binary.AppendUvarint(b, uint64(n+1))
	} else {
		b = appendText(append(b, 0), r.Name)
	}
	if r.Account != "" {
		b = appendText(b, r.Account)
	}
	if r.Region != "" {
		b = appendText(b, r.Region)
	}
	if len(r.Selector) > 0 {
		b = binary.AppendUvarint(b, uint64(len(r.Selector)))
		for _, q := range r.Selector {
			b = append(appendText(b, q.Key), byte(q.Op))
			b = binary.AppendUvarint(b, uint64(len(q.Values)))
			for _, v := range q.Values {
				b = appendText(b, v)
			}
		}
	}
	b = binary.AppendUvarint(b, uint64(len(r.Sources)))
	for _, s := range r.Sources {
		b = appendText(b, string(s))
	}
	return b
}

// ReadTerms reads what goes with a link by which a resource bears the term of its
// own type and id: the terms that it bears beside those that its key tells, and
// those by which it refers to what uses it.
func ReadTerms(l history.Link) (terms, users []Term, err error) {
	d := detail{rest: l.Detail}
	d.version()
	terms, users = d.terms(), d.terms()
	if d.bad || d.rest != "" || !l.Bears {
		return nil, nil, errDetail
	}
	return terms, users, nil
}

func (d *detail) terms() []Term {
	terms := make([]Term, 0, d.count(1))
	for range cap(terms) {
		terms = append(terms, Term(d.text()))
	}
	return terms
}

func appendLabels(b []byte, labels []Label) []byte {
	if len(labels) == 0 {
		return b
	}
	b = binary.AppendUvarint(append(b, detailVersion), uint64(len(labels)))
	for _, l := range labels {
		b = appendText(appendText(b, l.Key), l.Value)
	}
	return b
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errDetail = errors.New("detail of a link is damaged or of another version")

// ReadReferences reads the references of a link that does not bear its term.
func ReadReferences(l history.Link) ([]Reference, error) {
	d := detail{rest: l.Detail}
	d.version()
	n := d.count(3)
	refs := make([]Reference, 0, n)
	for range n {
		r := Reference{Term: Term(l.Term)}
		flags := d.byte()
		r.Inverse = flags&flagInverse != 0
		if n := d.number(); n == 0 {
			r.Name = d.text()
		} else if n <= uint64(len(theTables.verbs)) {
			r.Name = theTables.verbs[n-1].user
		} else {
			d.fail()
		}
		if flags&flagAccount != 0 {
			r.Account = d.text()
		}
		if flags&flagRegion != 0 {
			r.Region = d.text()
		}
		if flags&flagSelector != 0 {
			r.Selector = d.selector()
		}
		sources := d.count(1)
		r.Sources = make([]Reason, 0, sources)
		for range sources {
			r.Sources = append(r.Sources, Reason(d.text()))
		}
		switch {
		case flags&flagSameRegion != 0:
			r.Reach = SameRegion
		case flags&flagSameAccount != 0:
			r.Reach = SameAccount
		}
		d.bad = d.bad || flags >= flagsEnd
		refs = append(refs, r)
	}
	if d.bad || d.rest != "" || n == 0 || l.Bears {
		return nil, errDetail
	}
	return refs, nil
}

// ReadLabels reads the labels that go with a link which bears a label term; none
// with others.
func ReadLabels(l history.Link) ([]Label, error) {
	if l.Detail == "" && l.Bears {
		return nil, nil
	}
	d := detail{rest: l.Detail}
	d.version()
	n := d.count(2)
	labels := make([]Label, 0, n)
	for range n {
		labels = append(labels, Label{Key: d.text(), Value: d.text()})
	}
	if d.bad || d.rest != "" || !l.Bears {
		return nil, errDetail
	}
	return labels, nil
}

// detail reads the front of rest; once bad it returns zero values only.
type detail struct {
	rest string
	bad  bool
}

func (d *detail) fail() { d.rest, d.bad = "", true }

func (d *detail) version() {
	if d.byte() != detailVersion {
		d.fail()
	}
}

func (d *detail) byte() byte {
	if d.rest == "" {
		d.fail()
		return 0
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c
}

// count reads a length, each of whose members takes so many bytes at least:
// damage must not ask for memory.
func (d *detail) count(least int) int {
	n := d.number()
	if n > uint64(len(d.rest)/least) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *detail) number() uint64 {
	var n uint64
	for shift := 0; ; shift += 7 {
		c := d.byte()
		if d.bad || shift > 28 {
			d.fail()
			return 0
		}
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
}

func (d *detail) text() string {
	n := d.count(1)
	s := d.rest[:n]
	d.rest = d.rest[n:]
	return s
}

func (d *detail) selector() Selector {
	s := make(Selector, d.count(3))
	for i := range s {
		s[i].Key = d.text()
		s[i].Op = Operator(d.byte())
		d.bad = d.bad || s[i].Op < In || s[i].Op > DoesNotExist
		for range d.count(1) {
			s[i].Values = append(s[i].Values, d.text())
		}
	}
	return s
}
