package graph

import (
	"encoding/binary"
	"errors"

	"github.com/varvehq/varve/history"
)

// Links tells the claims of a version as links, sorted by term, with what the
// version bears before what it refers to.
func Links(k history.Key, s *history.State) []history.Link {
	c := Extract(k, s)
	return c.Links()
}

// Links tells c as links; see the function of that name.
func (c *Claims) Links() []history.Link {
	if len(c.Bears)+len(c.References) == 0 {
		return nil
	}
	links := make([]history.Link, 0, len(c.Bears)+len(c.References))
	var labels string
	if len(c.Labels) > 0 {
		labels = string(appendLabels(nil, c.Labels))
	}
	refs, buf := c.References, make([]byte, 0, 256)
	for _, t := range c.Bears {
		for len(refs) > 0 && refs[0].Term < t {
			links, refs, buf = appendReferences(links, refs, buf)
		}
		l := history.Link{Term: string(t), Bears: true}
		if t.selects() {
			l.Detail = labels
		}
		links = append(links, l)
	}
	for len(refs) > 0 {
		links, refs, buf = appendReferences(links, refs, buf)
	}
	return links
}

// appendReferences makes a link of those references at the front that share a
// term, and returns the others.
func appendReferences(links []history.Link, refs []Reference, buf []byte) ([]history.Link, []Reference, []byte) {
	n := 1
	for n < len(refs) && refs[n].Term == refs[0].Term {
		n++
	}
	buf = binary.AppendUvarint(append(buf[:0], detailVersion), uint64(n))
	for i := range refs[:n] {
		buf = refs[i].appendDetail(buf)
	}
	return append(links, history.Link{Term: string(refs[0].Term), Detail: string(buf)}), refs[n:], buf
}

// detailVersion begins every detail. A detail of another version is refused:
// the index is then made anew out of the versions.
const detailVersion = 1

const (
	flagInverse = 1 << iota
	flagAccount
	flagRegion
	flagSelector
)

// appendDetail encodes all but the term.
//
//	flags     byte
//	name      text
//	account   text, if flagged
//	region    text, if flagged
//	selector  count, then key, operator, count of values, values, if flagged
//	sources   count, then texts
func (r *Reference) appendDetail(b []byte) []byte {
	var flags byte
	if r.Inverse {
		flags |= flagInverse
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
	b = appendText(append(b, flags), r.Name)
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

func appendLabels(b []byte, labels []Label) []byte {
	b = binary.AppendUvarint(append(b, detailVersion), uint64(len(labels)))
	for _, l := range labels {
		b = appendText(appendText(b, l.Key), l.Value)
	}
	return b
}

func appendText(b []byte, s string) []byte {
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
		r.Name = d.text()
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
		d.bad = d.bad || flags > 2*flagSelector-1
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
	var n uint64
	for shift := 0; ; shift += 7 {
		c := d.byte()
		if d.bad || shift > 28 {
			d.fail()
			return 0
		}
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			break
		}
	}
	if n > uint64(len(d.rest)/least) {
		d.fail()
		return 0
	}
	return int(n)
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
