package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// The links of all resources stand by term. A term with few of them has one
// block. One with many has its blocks in sections, so that a question for any
// moment reads little more than it answers:
//
//   - open: spans without an end, as they are known now, by resource;
//   - past: spans with an end, as they are known now, by how long they are in
//     powers of two and then by where they begin: of those as long as 2^n, the
//     ones that contain a moment begin within 2^n before it;
//   - former: spans that are known otherwise now, in the same manner by how long
//     they were known and the revision they were known from.
//
// A key is the term, each zero byte in it followed by 0xFF and its end marked by
// 0x00 0x01; then the section and, unless that has all spans, the order of the
// block's first span in it, u64, and that span's resource, u32. A block is
//
//	crc32c   4 bytes, of the key and the rest
//	uvarint  number of kinds of links, then for each bytes: 1 byte, borne or not, and the detail
//	uvarint  number of spans, then for each, relative to the one before: 1 byte of
//	         flags (1 has an end, 2 former), varint resource, uvarint kind,
//	         varint from, varint opened, uvarint to - from, uvarint closed - opened
type linkSpan struct {
	rid rid
	plan.LinkSpan
}

// Sections; past and former ones are as many as a length has bits.
const (
	sectionAll    = 0
	sectionOpen   = 1
	sectionPast   = 2
	sectionFormer = 128

	linkBlock = 256 // spans; a term with more has sections, a block with more is split

	linkEnds   = 1
	linkFormer = 2
)

// section tells where a span stands among those of a term with many, and its
// order there.
func (s *linkSpan) section() (section byte, order uint64) {
	switch {
	case s.Closed != 0:
		return sectionFormer + byte(bits.Len64(uint64(s.Closed-s.Opened))), uint64(s.Opened)
	case s.To != history.Newest:
		return sectionPast + byte(bits.Len64(uint64(s.To-s.From))), uint64(s.From)
	}
	return sectionOpen, 0
}

// same reports whether two spans are of one link of one resource.
func (s *linkSpan) same(o *linkSpan) bool {
	return s.rid == o.rid && s.Bears == o.Bears && s.Detail == o.Detail
}

// linkOrder is the order of spans within a section.
func linkOrder(a, b *linkSpan) int {
	_, x := a.section()
	_, y := b.section()
	return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.rid, b.rid), a.LinkSpan.Compare(b.LinkSpan))
}

// termKey is the part of a key that all blocks of a term have in common.
func termKey(term string) []byte { return append(appendTerm(nil, term), 0, 1) }

func appendTerm(b []byte, term string) []byte {
	for i := range len(term) {
		if b = append(b, term[i]); term[i] == 0 {
			b = append(b, 0xFF)
		}
	}
	return b
}

func appendLinkKey(term []byte, section byte, order uint64, r rid) []byte {
	b := append(make([]byte, 0, len(term)+1+8+4), term...)
	if b = append(b, section); section == sectionAll {
		return b
	}
	b = binary.BigEndian.AppendUint64(b, order)
	return binary.BigEndian.AppendUint32(b, uint32(r))
}

// parseLinkPlace reads what stands behind the term in a key.
func parseLinkPlace(b []byte) (section byte, order uint64, r rid, ok bool) {
	switch {
	case len(b) == 1 && b[0] == sectionAll:
		return sectionAll, 0, 0, true
	case len(b) == 1+8+4 && b[0] != sectionAll:
		return b[0], binary.BigEndian.Uint64(b[1:]), rid(binary.BigEndian.Uint32(b[9:])), true
	}
	return 0, 0, 0, false
}

// parseTerm reads the term at the front of a block's key, and returns the rest.
func parseTerm(key []byte) (term string, rest []byte, ok bool) {
	var b []byte
	for {
		i := bytes.IndexByte(key, 0)
		if i < 0 || i+1 == len(key) {
			return "", nil, false
		}
		b = append(b, key[:i]...)
		mark := key[i+1]
		key = key[i+2:]
		switch mark {
		case 0xFF:
			b = append(b, 0)
		case 1:
			_, _, _, ok = parseLinkPlace(key)
			return string(b), key, ok
		default:
			return "", nil, false
		}
	}
}

// appendLinkBlock writes spans of one term, in their order.
func appendLinkBlock(b []byte, spans []linkSpan) []byte {
	var kinds linkKinds
	own := make([]uint32, len(spans))
	for i := range spans {
		own[i] = kinds.of(spans[i].Bears, spans[i].Detail)
	}
	b = binary.AppendUvarint(b, uint64(len(kinds.list)))
	for _, k := range kinds.list {
		b = binary.AppendUvarint(b, uint64(1+len(k.Detail)))
		b = append(append(b, bit(k.Bears)), k.Detail...)
	}
	b = binary.AppendUvarint(b, uint64(len(spans)))
	var before linkSpan
	for i := range spans {
		s := &spans[i]
		var flags byte
		if s.To != history.Newest {
			flags |= linkEnds
		}
		if s.Closed != 0 {
			flags |= linkFormer
		}
		b = append(b, flags)
		b = binary.AppendVarint(b, int64(s.rid)-int64(before.rid))
		b = binary.AppendUvarint(b, uint64(own[i]))
		b = binary.AppendVarint(b, int64(s.From-before.From))
		b = binary.AppendVarint(b, int64(s.Opened-before.Opened))
		if flags&linkEnds != 0 {
			b = binary.AppendUvarint(b, uint64(s.To-s.From))
		}
		if flags&linkFormer != 0 {
			b = binary.AppendUvarint(b, uint64(s.Closed-s.Opened))
		}
		before = *s
	}
	return b
}

// linkKinds are kinds of links, without their terms, each once: many spans share
// few of them.
type linkKinds struct {
	list   []history.Link
	number map[history.Link]uint32 // of those in list, once they are many
}

// fewKinds are looked for one by one.
const fewKinds = 8

// of is the number of a kind.
func (l *linkKinds) of(bears bool, detail string) uint32 {
	link := history.Link{Bears: bears, Detail: detail}
	if l.number == nil {
		if i := slices.Index(l.list, link); i >= 0 {
			return uint32(i)
		}
		if len(l.list) == fewKinds {
			l.number = map[history.Link]uint32{}
			for i, k := range l.list {
				l.number[k] = uint32(i)
			}
		}
	} else if n, ok := l.number[link]; ok {
		return n
	}
	n := uint32(len(l.list))
	if l.list = append(l.list, link); l.number != nil {
		l.number[link] = n
	}
	return n
}

// read is the number of the kind that is written so. Only a new one is copied.
func (l *linkKinds) read(text []byte) uint32 {
	bears, detail := text[0] == 1, text[1:]
	if l.number != nil {
		if n, ok := l.number[history.Link{Bears: bears, Detail: string(detail)}]; ok {
			return n
		}
	} else {
		for i := range l.list {
			if l.list[i].Bears == bears && l.list[i].Detail == string(detail) {
				return uint32(i)
			}
		}
	}
	return l.of(bears, string(detail))
}

// linkReader reads a block span by span.
type linkReader struct {
	d     decoder
	kinds linkKinds // of all blocks read
	own   []uint32  // of the block
	left  uint64
	rid   rid
	kind  uint32
	span  plan.LinkSpan // without its link
}

// open checks a block and makes it ready to be read.
func (r *linkReader) open(key, framed []byte) error {
	value, ok := openValue(key, framed)
	if !ok {
		return damaged(bucketLinks, key)
	}
	r.d, r.own, r.rid, r.span = decoder{b: value}, r.own[:0], 0, plan.LinkSpan{}
	for n := r.d.uvarint(); n > 0 && !r.d.short; n-- {
		if text := r.d.bytes(); len(text) > 0 {
			r.own = append(r.own, r.kinds.read(text))
		} else {
			r.d.fail()
		}
	}
	if r.left = r.d.uvarint(); r.d.short {
		return damaged(bucketLinks, key)
	}
	return nil
}

// next reads a span into the reader; false at the end. A block whose checksum is
// right holds what was written.
func (r *linkReader) next() bool {
	if r.left == 0 || r.d.short {
		return false
	}
	r.left--
	flags := r.d.byte()
	s := &r.span
	r.rid = rid(int64(r.rid) + r.d.varint())
	kind := r.d.uvarint()
	s.From += history.Moment(r.d.varint())
	s.Opened += history.Revision(r.d.varint())
	s.To, s.Closed = history.Newest, 0
	if flags&linkEnds != 0 {
		s.To = s.From + history.Moment(r.d.uvarint())
	}
	if flags&linkFormer != 0 {
		s.Closed = s.Opened + history.Revision(r.d.uvarint())
	}
	if r.d.short || kind >= uint64(len(r.own)) {
		r.d.short = true
		return false
	}
	r.kind = r.own[kind]
	return true
}

// readLinkBlock reads a block whole.
func readLinkBlock(key, framed []byte) ([]linkSpan, error) {
	var r linkReader
	if err := r.open(key, framed); err != nil {
		return nil, err
	}
	spans := make([]linkSpan, 0, min(r.left, 2*linkBlock))
	for r.next() {
		s := linkSpan{r.rid, r.span}
		s.Link = r.kinds.list[r.kind]
		spans = append(spans, s)
	}
	if r.d.short {
		return nil, damaged(bucketLinks, key)
	}
	return spans, nil
}

// sortLinks puts spans into the order of their section.
func sortLinks(spans []linkSpan) {
	slices.SortFunc(spans, func(a, b linkSpan) int { return linkOrder(&a, &b) })
}
