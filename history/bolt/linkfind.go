package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
)

// linkFinder finds the links of one term after another within a view.
type linkFinder struct {
	v       *view
	q       *history.LinkQuery
	at      history.At
	base    history.Revision // up to which the links of all resources are merged
	known   history.Revision // at.Known, or base if that is earlier
	ahead   bool             // what is merged may know of later revisions than known
	changed ridSet           // resources of which the tails hold something

	c     *bolt.Cursor // over links
	block linkReader

	heads           *bolt.Cursor
	head, headValue []byte // where it stands

	*linkRoom                     // found: for the term
	apart     map[rid][]foundLink // of resources that have changed, those that were merged
}

func (v *view) findLinks(at history.At, q *history.LinkQuery, room *linkRoom) (*linkFinder, error) {
	state, err := readLinkState(v.tx)
	if err != nil {
		return nil, err
	}
	f := &linkFinder{v: v, q: q, at: at, base: v.mark.revision, linkRoom: room}
	for _, t := range v.tails {
		f.base = min(f.base, t.base)
	}
	f.known = min(at.Known, f.base)
	f.ahead = state.upTo > f.known
	f.changed = v.unmergedSet()
	f.c, f.heads = v.tx.Bucket(bucketLinks).Cursor(), v.tx.Bucket(bucketHeads).Cursor()
	return f, nil
}

// termsAtOnce is how many terms a scan lists before it looks at them.
const termsAtOnce = 1024

// terms lists the next terms that the query asks for, after one ("" = from the
// start), of what is merged and of the tails; last: there are no more.
func (f *linkFinder) terms(after string) (list []string, last bool, err error) {
	seek := appendTerm(nil, f.q.Prefix)
	if after != "" && after >= f.q.Prefix {
		seek = afterTerm(termKey(after))
	}
	k, _ := f.c.Seek(seek)
	for k != nil && len(list) < termsAtOnce {
		term, rest, ok := parseTerm(k)
		if !ok {
			return nil, false, damaged(bucketLinks, k)
		}
		if !strings.HasPrefix(term, f.q.Prefix) {
			k = nil
			break
		}
		list = append(list, term)
		k, _ = f.c.Seek(afterTerm(k[:len(k)-len(rest)]))
	}
	last = k == nil
	bound := ""
	if !last {
		bound = list[len(list)-1]
	}
	for _, t := range f.v.tails {
		more, err := f.v.tailTerms(t, func(term string) bool {
			return strings.HasPrefix(term, f.q.Prefix) && term > after && (last || term <= bound)
		})
		if err != nil {
			return nil, false, err
		}
		list = append(list, more...)
	}
	slices.Sort(list)
	return slices.Compact(list), last, nil
}

// afterTerm is a key after all blocks of a term.
func afterTerm(term []byte) []byte { return append(bytes.Clone(term), 0xFF) }

// find adds the links of a term to a list.
func (f *linkFinder) find(list []history.Linked, term string) ([]history.Linked, error) {
	f.found = f.found[:0]
	clear(f.apart)
	if err := f.scan(termKey(term)); err != nil {
		return list, err
	}
	apart := slices.Collect(maps.Keys(f.apart))
	for _, t := range f.v.tails {
		more, err := f.v.tailLinked(t, term)
		if err != nil {
			return list, err
		}
		apart = append(apart, more...)
	}
	slices.Sort(apart)
	for _, r := range slices.Compact(apart) {
		spans, err := f.overlaid(term, r, f.apart[r])
		if err != nil {
			return list, err
		}
		for _, s := range spans {
			if f.wants(s) {
				f.found = append(f.found, s)
			}
		}
	}
	f.sort()
	list = slices.Grow(list, len(f.found))
	for i := range f.found {
		var err error
		if list, err = f.add(list, term, f.found[i]); err != nil {
			return list, err
		}
	}
	return list, nil
}

// foundLink is a span of one term as it is known when it is asked for.
type foundLink struct {
	rid      rid
	kind     uint32 // of block.kinds
	from, to history.Moment
}

// answered is the order of answers for one term: it does not depend on what is
// merged.
func (f *linkFinder) answered(a, b foundLink) int {
	switch {
	case a.rid != b.rid:
		return cmp.Compare(a.rid, b.rid)
	case a.kind != b.kind:
		return f.block.kinds.list[a.kind].Compare(f.block.kinds.list[b.kind])
	}
	return cmp.Compare(a.from, b.from)
}

// wants reports whether a span is asked for.
func (f *linkFinder) wants(s foundLink) bool {
	return f.q.Wants(f.block.kinds.list[s.kind].Bears) &&
		(f.q.Ever || s.from <= f.at.Captured && (s.to > f.at.Captured || s.to == history.Newest))
}

// add makes an answer of a span.
func (f *linkFinder) add(list []history.Linked, term string, s foundLink) ([]history.Linked, error) {
	k, ok, err := f.key(s.rid)
	if err != nil || !ok {
		return list, err
	}
	floor := f.v.floors.Of(k.Type)
	if s.to <= floor {
		return list, nil
	}
	link := f.block.kinds.list[s.kind]
	link.Term = term
	return append(list, history.Linked{Link: link, Key: k, From: max(s.from, floor), To: s.to}), nil
}

// headSteps is how far the next head is looked for step by step.
const headSteps = 4

// key finds the key of a resource, mostly near the one before; false: it was
// pruned. Of one that was pruned lately the key may still be at hand: its spans
// end below the floor.
func (f *linkFinder) key(r rid) (history.Key, bool, error) {
	if k, ok := f.v.s.keys.get(r); ok {
		return k, true, nil
	}
	if f.changed.has(r) {
		k, err := f.v.key(r)
		return k, err == nil, err
	}
	var want [4]byte
	binary.BigEndian.PutUint32(want[:], uint32(r))
	for range headSteps {
		if f.head == nil || bytes.Compare(f.head, want[:]) >= 0 {
			break
		}
		f.head, f.headValue = f.heads.Next()
	}
	if !bytes.Equal(f.head, want[:]) {
		f.head, f.headValue = f.heads.Seek(want[:])
	}
	if !bytes.Equal(f.head, want[:]) && f.v.floors.any() {
		return history.Key{}, false, nil
	}
	value, ok := openValue(want[:], f.headValue)
	d := decoder{b: value}
	n, id := groupNo(d.uvarint()), d.bytes()
	k, known := f.v.s.groups.Load().key(n, string(id))
	if !ok || d.short || !known {
		return history.Key{}, false, damaged(bucketHeads, want[:])
	}
	f.v.s.keys.put(r, k)
	return k, true, nil
}

// scan reads what is merged of a term.
func (f *linkFinder) scan(term []byte) error {
	k, framed := f.c.Seek(term)
	for bytes.HasPrefix(k, term) {
		section, _, _, ok := parseLinkPlace(k[len(term):])
		if !ok {
			return damaged(bucketLinks, k)
		}
		if section == sectionAll {
			return f.read(k, framed)
		}
		from, to, any := f.orders(section)
		if any && from > 0 {
			k, framed = f.seek(term, section, from)
		}
		for any && bytes.HasPrefix(k, term) {
			in, order, _, ok := parseLinkPlace(k[len(term):])
			if !ok {
				return damaged(bucketLinks, k)
			}
			if in != section || order > to {
				break
			}
			if err := f.read(k, framed); err != nil {
				return err
			}
			k, framed = f.c.Next()
		}
		if bytes.HasPrefix(k, term) && k[len(term)] == section {
			k, framed = f.c.Seek(appendLinkKey(term, section+1, 0, 0))
		}
	}
	return nil
}

// orders tells the orders of the spans of a section that may be asked for.
func (f *linkFinder) orders(section byte) (from, to uint64, any bool) {
	within := func(length byte, at uint64) (uint64, uint64, bool) {
		if length >= 64 || at < 1<<length {
			return 0, at, true
		}
		return at - 1<<length + 1, at, true
	}
	switch {
	case section >= sectionFormer && !f.ahead:
		return 0, 0, false
	case section == sectionOpen || f.q.Ever && section < sectionFormer:
		return 0, 1<<64 - 1, true
	case section >= sectionFormer:
		return within(section-sectionFormer, uint64(f.known))
	case f.at.Captured == history.Newest:
		return 0, 0, false // nothing that has an end
	}
	return within(section-sectionPast, uint64(f.at.Captured))
}

// seek finds the block in which a span of an order may stand.
func (f *linkFinder) seek(term []byte, section byte, order uint64) (k, framed []byte) {
	key := appendLinkKey(term, section, order, 0)
	k, framed = f.c.Seek(key)
	if bytes.Equal(k, key) {
		return k, framed
	}
	before, value, next := lastBefore(f.c, key)
	if bytes.HasPrefix(before, key[:len(term)+1]) {
		return before, value
	}
	if next == nil {
		return nil, nil
	}
	return f.c.Seek(key)
}

// read takes from a block what is asked for.
func (f *linkFinder) read(k, framed []byte) error {
	r := &f.block
	if err := r.open(k, framed); err != nil {
		return err
	}
	for r.next() {
		if !r.span.Visible(f.known) {
			continue
		}
		s := foundLink{r.rid, r.kind, r.span.From, r.span.To}
		switch {
		case !f.changed.has(s.rid):
			if f.wants(s) {
				f.found = append(f.found, s)
			}
		case s.to == history.Newest || f.wants(s):
			if f.apart == nil {
				f.apart = map[rid][]foundLink{}
			}
			f.apart[s.rid] = append(f.apart[s.rid], s)
		}
	}
	if r.d.short {
		return damaged(bucketLinks, k)
	}
	return nil
}
