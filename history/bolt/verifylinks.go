package bolt

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// links holds the spans of links against what the linker reads from the versions:
// over all that is kept and merged, each resource bears each link at the same
// moments and revisions. Spans are not compared one by one, since floors may cut
// them in different ways, but by a sum over what they cover. Where a block, or a
// group, is damaged no sum would be right.
func (c *check) links() error {
	state, err := readLinkState(c.tx)
	if err != nil {
		c.find(bucketMeta, metaLinks, "its checksum does not match, or it is cut short")
		return nil
	}
	if c.tx.Bucket(bucketLinks) == nil {
		if state.complete {
			c.find(bucketLinks, nil, "the bucket is missing")
		}
		return nil
	}
	s := linkSums{c: c, seed: maphash.MakeSeed(), sums: map[rid]uint64{}}
	told := c.sum.Findings
	if err := c.linkBlocks(&s); err != nil {
		return err
	}
	if c.sum.Findings > told || c.hidden(bucketLinks, nil, nil) || c.ungrouped {
		return nil
	}
	by := c.s.o.Linker
	if by == nil || !state.complete || state.tables != by.Tables() || state.commit != c.merged.commit {
		return nil // nobody asks this file for links before they are read anew
	}
	v := &view{s: c.s, tx: c.tx, mark: c.merged, floors: c.floors}
	err = c.each(bucketHeads, func(k, framed []byte) {
		value, ok := openValue(k, framed)
		d := decoder{b: value}
		_, n, id := d.head()
		key, known := c.groups.key(n, string(id))
		if !ok || d.short || !known || c.cut(parseRid(k)) {
			return // told elsewhere
		}
		l, err := v.load(parseRid(k))
		if err != nil {
			return
		}
		spans, err := plan.LinkSpans(l.Rows, func(row *plan.Row) ([]history.Link, error) { return v.rowLinks(l, key, row) })
		if err != nil {
			return
		}
		for i := range spans {
			s.take(&linkSpan{l.rid, spans[i]}, spans[i].Term, false)
		}
	})
	for _, r := range sortedKeys(s.sums) {
		if s.sums[r] != 0 && !c.cut(r) { // what is lost may have had any
			c.findOf(r, bucketLinks, nil, "it does not tell the links of the resource")
		}
	}
	return err
}

// linkBlocks reads all spans there are.
func (c *check) linkBlocks(s *linkSums) error {
	var before []byte // the term of the block before, as it stands in keys
	var section byte
	return c.each(bucketLinks, func(k, framed []byte) {
		term, rest, ok := parseTerm(k)
		if !ok {
			c.find(bucketLinks, k, "it is of no term")
			return
		}
		spans, err := readLinkBlock(k, framed)
		if err != nil {
			c.find(bucketLinks, k, broken)
			return
		}
		if own := k[:len(k)-len(rest)]; bytes.Equal(own, before) {
			if section == sectionAll {
				c.find(bucketLinks, k, "its term has a block for all of its spans")
			}
		} else {
			before = bytes.Clone(own)
		}
		section = rest[0]
		if section == sectionAll && len(spans) > linkBlock {
			c.find(bucketLinks, k, "it holds %d spans", len(spans))
		}
		for i := range spans {
			of, order := spans[i].section()
			at := appendLinkKey(nil, of, order, spans[i].rid)
			if section != sectionAll && (of != section || bytes.Compare(at, rest) < 0) {
				c.find(bucketLinks, k, "span %d belongs elsewhere", i)
			}
			s.take(&spans[i], term, true)
		}
	})
}

// linkSums adds up, for each resource, what spans cover: nothing is left when
// both sides cover the same.
type linkSums struct {
	c    *check
	seed maphash.Seed
	sums map[rid]uint64
}

func (l *linkSums) take(s *linkSpan, term string, stored bool) {
	floor, known := l.c.floorsOf(s.rid)
	opened, closed := s.Opened, s.Closed
	if end := l.c.merged.revision + 1; closed == 0 || closed > end {
		closed = end
	}
	opened = max(opened, known)
	if s.To <= floor || opened >= closed {
		return
	}
	var h maphash.Hash
	h.SetSeed(l.seed)
	var b []byte
	b = appendBytes(appendBytes(append(b, bit(s.Bears)), term), s.Detail)
	b = binary.AppendVarint(b, int64(max(s.From, floor)))
	b = binary.AppendVarint(b, int64(s.To))
	h.Write(b)
	sum := h.Sum64() * uint64(closed-opened)
	if stored {
		l.sums[s.rid] += sum
	} else {
		l.sums[s.rid] -= sum
	}
}
