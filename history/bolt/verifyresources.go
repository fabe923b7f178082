package bolt

import (
	"bytes"
	"errors"
	"math"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// What the file holds of resources: their names, versions, spans, heads and sightings.

func (c *check) names() error {
	c.sum.Resources, c.sum.Runs = uint64(c.end.rids), uint64(c.end.runs)
	return c.each(bucketNames, func(k, framed []byte) {
		if len(k) < 5 {
			c.find(bucketNames, k, broken)
			return
		}
		resource := c.keyOf(parseNameKey(k))
		r, err := openName(k, framed)
		if err != nil {
			c.add(Finding{Bucket: string(bucketNames), Key: bytes.Clone(k), Text: broken, Resource: resource})
			return
		}
		framedHead, known := c.get(bucketHeads, ridKey(r))
		head, ok := openValue(ridKey(r), framedHead)
		d := decoder{b: head}
		_, n, id := d.head()
		if !ok {
			c.named[r] = resource
		}
		switch {
		case !ok && (framedHead != nil || !known): // told of the head
		case d.short || !bytes.Equal(nameKey(n, string(id)), k):
			c.add(Finding{Bucket: string(bucketNames), Key: bytes.Clone(k), Text: "its number does not lead back to it", Number: uint32(r), Resource: resource})
		}
	})
}

func (c *check) segments() error {
	var before, open plan.Row
	err := c.each(bucketSegments, func(k, framed []byte) {
		r := ridAt(k)
		seg, err := decodeSegment(k, framed)
		if r == 0 {
			c.find(bucketSegments, k, broken)
			return
		}
		f := c.found[r]
		if f == nil {
			f = &found{versions: map[uint32]bool{}}
			f.floor, _ = c.floorsOf(r)
			c.found[r], before, open = f, plan.Row{}, plan.Row{}
		}
		if err != nil {
			c.loss(r, bucketSegments, k, broken)
			f.cut, open = true, plan.Row{} // what follows it may be equal to what stands before it
			return
		}
		if head, known := c.get(bucketHeads, ridKey(r)); head == nil && known {
			c.findOf(r, bucketSegments, k, "no resource has its number")
		}
		if !bytes.Equal(k, segmentKey(r, &seg[0].Row)) {
			c.findOf(r, bucketSegments, k, "its first version belongs elsewhere")
		}
		for i := range seg {
			f.spans = append(f.spans, spanOf(&seg[i]))
			c.sum.ContentBytes += int64(len(seg[i].body))
			c.row(r, k, f, &seg[i].Row, &before, &open)
			if c.bare(r, bucketSegments, k, &seg[i]) {
				continue
			}
			payload, err := seg.payload(i, c.dicts, nil)
			c.payload(r, bucketSegments, k, &seg[i].Row, payload, err)
		}
	})
	for _, r := range sortedKeys(c.found) {
		f := c.found[r]
		f.cut = f.cut || c.hidden(bucketSegments, ridKey(r), ridKey(r+1))
		if len(f.versions) >= int(f.last) { // else one between them may have been lost, or pruned
			for _, equal := range f.equal {
				c.add(equal)
			}
		}
	}
	return err
}

// floorsOf are the floors of a resource.
func (c *check) floorsOf(r rid) (history.Moment, history.Revision) {
	if !c.floors.any() {
		return 0, 0
	}
	framed, _ := c.get(bucketHeads, ridKey(r))
	value, _ := openValue(ridKey(r), framed)
	if value == nil {
		return history.Newest, 0 // it went, or is damaged
	}
	d := decoder{b: value}
	_, n, _ := d.head()
	k, _ := c.groups.key(n, "")
	return c.floors.Of(k.Type), c.floors.RevisionOf(k.Type)
}

// bare reports whether a row is to have no content, and checks that it has none.
func (c *check) bare(of rid, bucket, k []byte, r *row) bool {
	bare := r.Erased || r.Bare
	if bare != bytes.Equal(r.body, erasedBody) {
		c.loss(of, bucket, k, "version %d was erased or pruned, or was not, and its content disagrees", r.Number)
		return true
	}
	return bare
}

// row checks a row of a segment against those before it.
func (c *check) row(of rid, k []byte, f *found, r, before, open *plan.Row) {
	c.sum.Versions++
	switch {
	case before.Number != 0 && before.Compare(r) >= 0:
		c.findOf(of, bucketSegments, k, "version %d is out of order", r.Number)
	case f.versions[r.Number] || r.Number == 0:
		c.findOf(of, bucketSegments, k, "version number %d is given twice", r.Number)
	case r.Closed != 0 && r.Closed <= r.Opened:
		c.findOf(of, bucketSegments, k, "version %d is closed before it is opened", r.Number)
	case r.Opened > c.end.revision || r.Closed > c.end.revision:
		c.findOf(of, bucketSegments, k, "version %d has a revision that was not given", r.Number)
	}
	f.versions[r.Number], f.lost = true, f.lost || r.Lost
	f.last = max(f.last, r.Number)
	if r.Closed == 0 {
		// Of what stood below the floor, some may have been pruned.
		if open.Number != 0 && r.Start >= f.floor && open.Hash == r.Hash && !r.Lost {
			f.equal = append(f.equal, c.finding(of, bucketSegments, k, "versions %d and %d follow each other and are equal", open.Number, r.Number))
		}
		*open, f.newest = *r, *r
	}
	*before = *r
}

func (c *check) payload(of rid, bucket, k []byte, r *plan.Row, payload []byte, err error) {
	var no noDict
	if errors.As(err, &no) {
		w := c.without[dictNo(no)]
		if w == nil {
			w = &wanted{key: dictKey(dictNo(no)), text: "it is missing"}
			c.without[dictNo(no)] = w
		}
		w.contents++
		c.lost[of] = true
	} else if err != nil {
		c.loss(of, bucket, k, "the content of version %d cannot be restored", r.Number)
	} else if err := wholePayload(r, payload); errors.Is(err, errDisagree) {
		c.findOf(of, bucket, k, "the content of version %d %v", r.Number, err)
	} else if err != nil {
		c.loss(of, bucket, k, "the content of version %d %v", r.Number, err)
	}
}

// wholePayload says what is wrong with the payload of a row.
func wholePayload(r *plan.Row, payload []byte) error {
	from, content, err := splitPayload(payload)
	if err != nil {
		return errUnreadable
	}
	_, bad := decodeOrigin(from)
	state, err := history.DecodeContent(content)
	switch {
	case bad != nil || err != nil:
		return errUnreadable
	case history.HashContent(content) != r.Hash:
		return errors.New("does not match its hash")
	case state.Deleted != r.Deleted || state.Status != r.Status:
		return errDisagree
	}
	return nil
}

var (
	errUnreadable = errors.New("cannot be read")
	errDisagree   = errors.New("and the version disagree")
)

// spans holds what inventories read against the segments.
func (c *check) spans() error {
	err := c.each(bucketSpans, func(k, framed []byte) {
		block, err := openSpans(k, framed)
		first := ridAt(k) * spanSlots
		if err != nil || len(k) != 4 {
			c.find(bucketSpans, k, broken)
			for r := first; r < first+spanSlots; r++ {
				c.list(r)
			}
			return
		}
		for r := first; r < first+spanSlots; r++ {
			entry := block.entry(r)
			if len(entry) == 0 {
				continue
			}
			c.list(r)
			n, rows := openEntry(entry)
			var list []span
			for s, ok := rows.next(); ok; s, ok = rows.next() {
				list = append(list, *s)
			}
			if f := c.foundOf(r); f == nil || !f.are(list) {
				c.findOf(r, bucketSpans, k, "it does not tell the versions of the resource")
			}
			if _, ok := c.groups.key(n, ""); !ok && !c.nameless {
				c.findOf(r, bucketSpans, k, "the resource is of no group")
			}
		}
	})
	missing, first := 0, rid(0)
	for r, f := range c.found {
		if !f.listed && len(f.spans) > 0 && !c.hidden(bucketSpans, spanKey(r), spanKey(r)) {
			if missing++; first == 0 || r < first {
				first = r
			}
		}
	}
	if missing > 0 {
		c.findOf(first, bucketSpans, nil, "there is no entry of %d resources; this is the first of them", missing)
	}
	return err
}

// list notes that a resource has an entry.
func (c *check) list(r rid) {
	if f := c.found[r]; f != nil {
		f.listed = true
	}
}

// are reports whether the versions of a resource are those that an entry lists, as
// far as they can be read.
func (f *found) are(list []span) bool {
	if !f.cut {
		return slices.Equal(list, f.spans)
	}
	rest := f.spans
	for i := range list {
		if len(rest) > 0 && list[i] == rest[0] {
			rest = rest[1:]
		}
	}
	return len(rest) == 0
}

func (c *check) heads() error {
	return c.each(bucketHeads, func(k, framed []byte) {
		r := ridAt(k)
		f := c.foundOf(r)
		value, ok := openValue(k, framed)
		d := decoder{b: value}
		h, n, id := d.head()
		if !ok || d.short {
			c.loss(r, bucketHeads, k, broken)
			if f != nil {
				f.last = math.MaxUint32 // not known
			}
			return
		}
		key, ok := c.groups.key(n, string(id))
		name := nameKey(n, key.ID)
		named, known := c.get(bucketNames, name)
		back, err := openName(name, named)
		switch {
		case ok && err != nil && (named != nil || !known): // told of the name
		case !ok && c.nameless: // told of the groups
		case !ok || err != nil || back != r:
			c.findOf(r, bucketHeads, k, "its name does not lead back to it")
		}
		if f == nil || !c.sums(&h, f) {
			c.findOf(r, bucketHeads, k, "it does not sum up its resource")
			return
		}
		f.last = h.last
	})
}

// sums reports whether a head sums up the versions of its resource, as far as they
// can be read.
func (c *check) sums(h *head, f *found) bool {
	if f.cut {
		return f.last <= h.last && (f.newest == h.newest || f.newest.Compare(&h.newest) < 0)
	}
	return f.newest == h.newest && (f.last == h.last || (f.lost || c.floors.any()) && f.last < h.last)
}

func (c *check) sightings() error {
	var (
		read   sightReader
		before sightEntry
	)
	return c.each(bucketSightings, func(k, framed []byte) {
		list, err := read.decode(k, framed)
		if err != nil {
			c.find(bucketSightings, k, broken)
			return
		}
		for i := range list {
			e := &list[i]
			c.sum.Sightings++
			if _, err := decodeOrigin(e.origin); err != nil {
				c.findOf(e.rid, bucketSightings, k, "the origin of a sighting cannot be read")
			}
			if c.foundOf(e.rid) == nil {
				c.findOf(e.rid, bucketSightings, k, "the resource, which it names, is not there")
			}
			if before.compare(e) >= 0 {
				c.findOf(e.rid, bucketSightings, k, "a sighting of the resource is not in order")
			}
			before = sightEntry{rid: e.rid, Sighting: e.Sighting}
		}
	})
}
