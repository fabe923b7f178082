package bolt

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// linkEdit is a change to the links of one term. Edits of a resource are carried
// out in their order, and to carry the same ones out again changes nothing: a
// merge that was cut short starts over.
type linkEdit struct {
	linkSpan             // its term is the one whose links change
	all      *[]linkSpan // of linkAll
	kind     linkEditKind
}

type linkEditKind uint8

const (
	linkBegin linkEditKind = iota // a span that has no end, known from Opened on
	linkEnd                       // the span without an end ends at To, as is known from Opened on
	linkAll                       // the resource's spans of the term are these
)

// sortEdits brings edits into the order of terms, those of a term as they were.
// They are large, and moved once.
func sortEdits(edits []linkEdit) []linkEdit {
	order := make([]int32, len(edits))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		if c := strings.Compare(edits[a].Term, edits[b].Term); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	sorted := make([]linkEdit, len(edits))
	for i, at := range order {
		sorted[i] = edits[at]
	}
	return sorted
}

// appendReplaced makes edits of all spans of a resource, in order, under every
// term that it may have had any.
func appendReplaced(edits []linkEdit, r rid, spans []plan.LinkSpan, terms map[string]bool) []linkEdit {
	byTerm := map[string][]linkSpan{}
	for _, s := range spans {
		term := s.Term
		s.Term = "" // as blocks have it
		byTerm[term] = append(byTerm[term], linkSpan{r, s})
		terms[term] = true
	}
	for term := range terms {
		all := byTerm[term]
		edits = append(edits, linkEdit{kind: linkAll, linkSpan: linkSpan{r, plan.LinkSpan{Link: history.Link{Term: term}}}, all: &all})
	}
	return edits
}

// addLinks adds the blocks that edits of some terms, sorted, change.
func (v *view) addLinks(p *puts, edits []linkEdit) error {
	for len(edits) > 0 {
		n := 1
		for n < len(edits) && edits[n].Term == edits[0].Term {
			n++
		}
		t, err := v.openTerm(edits[0].Term)
		if err != nil {
			return err
		}
		if err := t.edit(edits[:n]); err != nil {
			return err
		}
		t.write(p)
		edits = edits[n:]
	}
	return nil
}

// termLinks are the blocks of one term while they are edited.
type termLinks struct {
	term   []byte // as it stands in keys
	blocks []*termBlock
}

// termBlock is a block, read only when it is needed.
type termBlock struct {
	key, framed []byte // as they stand in the file; nil: new
	section     byte
	order       uint64
	rid         rid
	spans       []linkSpan    // in any order; those of no resource were taken out
	byRid       map[rid][]int // of spans, of a block with many; made when first needed
	read        bool
	changed     bool
}

// openTerm finds the blocks of a term.
func (v *view) openTerm(term string) (*termLinks, error) {
	t := &termLinks{term: termKey(term)}
	c := v.tx.Bucket(bucketLinks).Cursor()
	for k, framed := c.Seek(t.term); bytes.HasPrefix(k, t.term); k, framed = c.Next() {
		section, order, r, ok := parseLinkPlace(k[len(t.term):])
		if !ok {
			return nil, damaged(bucketLinks, k)
		}
		t.blocks = append(t.blocks, &termBlock{key: k, framed: framed, section: section, order: order, rid: r})
	}
	return t, nil
}

// load reads a block's spans.
func (b *termBlock) load() (err error) {
	if !b.read {
		b.spans, err = readLinkBlock(b.key, b.framed)
		b.read = err == nil
	}
	return err
}

// small reports whether all spans stand in one block.
func (t *termLinks) small() bool { return len(t.blocks) == 0 || t.blocks[0].section == sectionAll }

// edit carries edits out. Those of different resources do not meet.
func (t *termLinks) edit(edits []linkEdit) error {
	replaced := map[rid][]linkSpan{}
	for i := range edits {
		var err error
		switch e := &edits[i]; e.kind {
		case linkAll:
			replaced[e.rid] = *e.all
		case linkBegin:
			err = t.add(&e.linkSpan)
		case linkEnd:
			err = t.end(&e.linkSpan)
		}
		if err != nil {
			return err
		}
	}
	return t.replace(replaced)
}

// end gives the span without an end of a link one.
func (t *termLinks) end(at *linkSpan) error {
	b, err := t.place(sectionOpen, 0, at.rid)
	if err != nil || b == nil {
		return err
	}
	// None if it was ended before; twice if it has just been begun again.
	for i := b.open(at); i >= 0; i = b.open(at) {
		former := b.spans[i]
		past := former
		b.spans[i], b.changed = linkSpan{}, true
		past.To, past.Opened = at.To, at.Opened
		if err := t.add(&past); err != nil {
			return err
		}
		former.Closed = at.Opened
		if err := t.add(&former); err != nil {
			return err
		}
	}
	return nil
}

// manySpans is how many a block must have for an index to be worth its while.
const manySpans = 64

// open finds the span without an end of a link; -1 if there is none.
func (b *termBlock) open(at *linkSpan) int {
	is := func(s *linkSpan) bool {
		return s.Closed == 0 && s.To == history.Newest && s.From < at.To && s.same(at)
	}
	if len(b.spans) < manySpans {
		return slices.IndexFunc(b.spans, func(s linkSpan) bool { return is(&s) })
	}
	if b.byRid == nil {
		b.byRid = make(map[rid][]int, len(b.spans))
		for i := range b.spans {
			b.byRid[b.spans[i].rid] = append(b.byRid[b.spans[i].rid], i)
		}
	}
	for _, i := range b.byRid[at.rid] {
		if is(&b.spans[i]) {
			return i
		}
	}
	return -1
}

// replace gives resources other spans.
func (t *termLinks) replace(by map[rid][]linkSpan) error {
	if len(by) == 0 {
		return nil
	}
	for _, b := range t.blocks {
		if err := b.load(); err != nil {
			return err
		}
		for i := range b.spans {
			if spans, ok := by[b.spans[i].rid]; ok && !slices.Contains(spans, b.spans[i]) {
				b.spans[i], b.changed = linkSpan{}, true
			}
		}
	}
	for _, spans := range by {
		for i := range spans {
			if err := t.add(&spans[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// place is the block where a span of an order stands or belongs, read; nil if its
// section has none.
func (t *termLinks) place(section byte, order uint64, r rid) (*termBlock, error) {
	if len(t.blocks) == 0 {
		return nil, nil
	}
	at := 0
	if !t.small() {
		after, _ := slices.BinarySearchFunc(t.blocks, 0, func(b *termBlock, _ int) int {
			if cmp.Or(cmp.Compare(b.section, section), cmp.Compare(b.order, order), cmp.Compare(b.rid, r)) <= 0 {
				return -1
			}
			return 1
		})
		switch {
		case after > 0 && t.blocks[after-1].section == section:
			at = after - 1
		case after < len(t.blocks) && t.blocks[after].section == section:
			at = after
		default:
			return nil, nil
		}
	}
	return t.blocks[at], t.blocks[at].load()
}

// add puts a span in its place, where it may be already.
func (t *termLinks) add(s *linkSpan) error {
	section, order := s.section()
	if t.small() {
		section, order = sectionAll, 0
	}
	b, err := t.place(section, order, s.rid)
	if err != nil {
		return err
	}
	if b == nil {
		b = &termBlock{section: section, order: order, rid: s.rid, read: true}
		at := slices.IndexFunc(t.blocks, func(o *termBlock) bool { return o.section > section })
		if at < 0 {
			at = len(t.blocks)
		}
		t.blocks = slices.Insert(t.blocks, at, b)
	}
	if b.byRid != nil {
		b.byRid[s.rid] = append(b.byRid[s.rid], len(b.spans))
	}
	own := *s
	own.Term = "" // as blocks have it: what is there already is the same
	b.spans, b.changed = append(b.spans, own), true
	return nil
}

// settle puts the spans of a block in order, each once.
func (b *termBlock) settle() {
	b.spans = slices.DeleteFunc(b.spans, func(s linkSpan) bool { return s.rid == 0 })
	sortLinks(b.spans)
	b.spans, b.byRid = slices.Compact(b.spans), nil
}

// write adds what was changed to what is to be written.
func (t *termLinks) write(p *puts) {
	for _, b := range t.blocks {
		if b.changed {
			b.settle()
		}
	}
	if len(t.blocks) == 1 && t.small() && len(t.blocks[0].spans) > linkBlock {
		t.part()
	}
	for _, b := range t.blocks {
		if !b.changed {
			continue
		}
		section := b.section
		var keys [][]byte
		for spans := b.spans; len(spans) > 0; {
			n := len(spans)
			var order uint64
			var first rid
			if section != sectionAll {
				if n > linkBlock {
					n = partAt(spans)
				}
				_, order = spans[0].section()
				first = spans[0].rid
			}
			key := appendLinkKey(t.term, section, order, first)
			keys = append(keys, key)
			p.add(bucketLinks, key, sealValue(key, appendLinkBlock(nil, spans[:n])))
			spans = spans[n:]
		}
		if b.key != nil && !slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, b.key) }) {
			p.deletes = append(p.deletes, put{bucket: bucketLinks, key: bytes.Clone(b.key)})
		}
	}
}

// partAt is how many spans a block takes of too many: those that a key cannot
// part stay together.
func partAt(spans []linkSpan) int {
	key := func(s *linkSpan) [2]uint64 {
		_, order := s.section()
		return [2]uint64{order, uint64(s.rid)}
	}
	n := linkBlock * 3 / 4
	for n < len(spans) && key(&spans[n]) == key(&spans[n-1]) {
		n++
	}
	return n
}

// part gives a term that has become large its sections.
func (t *termLinks) part() {
	all := t.blocks[0]
	t.blocks = nil
	if all.key != nil {
		t.blocks = append(t.blocks, &termBlock{key: all.key, section: sectionAll, read: true, changed: true})
	}
	bySection := map[byte][]linkSpan{}
	for _, s := range all.spans {
		section, _ := s.section()
		bySection[section] = append(bySection[section], s)
	}
	for section, spans := range bySection {
		t.blocks = append(t.blocks, &termBlock{section: section, spans: spans, read: true, changed: true})
	}
}
