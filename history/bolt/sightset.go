package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// sightSet is what a tail holds of sightings, of one run or of none. Most of what a
// collector brings is unchanged: it takes no memory of its own for each of them.
type sightSet struct {
	list []sightNote   // in the order of recording
	last map[rid]int32 // where in list a resource's latest stands, plus one
}

type sightNote struct {
	plan.Sighting
	rid
	origin originNo
	before int32 // where in the list the resource's one before stands, plus one; 0: none
}

func (s *sightSet) add(r rid, at plan.Sighting, origin originNo) {
	if s.last == nil {
		s.last = map[rid]int32{}
	}
	s.list = append(s.list, sightNote{at, r, origin, s.last[r]})
	s.last[r] = int32(len(s.list))
}

// each calls f with the sightings of a resource, the latest recorded first.
func (s *sightSet) each(r rid, f func(*sightNote)) {
	if s == nil {
		return
	}
	for i := s.last[r]; i > 0; i = s.list[i-1].before {
		f(&s.list[i-1])
	}
}

// sorted lists all of them by resource, and of one in the order of recording.
func (s *sightSet) sorted() []seenEntry {
	if s == nil {
		return nil
	}
	list := make([]seenEntry, len(s.list))
	for i := range s.list {
		list[i] = seenEntry{s.list[i].rid, s.list[i].Sighting}
	}
	slices.SortStableFunc(list, func(a, b seenEntry) int { return cmp.Compare(a.rid, b.rid) })
	return list
}

func (s *sightSet) has(r rid) bool { return s != nil && s.last[r] != 0 }

// originNo numbers the origins of a tail's sightings; 0 is the empty one.
type originNo uint32

type origins struct {
	list [][]byte // encoded
	no   map[string]originNo
}

func (o *origins) of(n originNo) []byte {
	if n == 0 {
		return nil
	}
	return o.list[n-1]
}

// number keeps an origin, which must not change any more.
func (o *origins) number(origin []byte) originNo {
	if len(origin) == 0 {
		return 0
	}
	if n := len(o.list); n > 0 && bytes.Equal(o.list[n-1], origin) {
		return originNo(n) // they come in batches
	}
	n, ok := o.no[string(origin)]
	if !ok {
		if o.no == nil {
			o.no = map[string]originNo{}
		}
		o.list = append(o.list, origin)
		n = originNo(len(o.list))
		o.no[string(origin)] = n
	}
	return n
}

// addSighting adds a sighting in a run, or in none.
func (t *tail) addSighting(run runNo, r rid, at plan.Sighting, origin []byte) {
	s := t.sights[run]
	if s == nil {
		s = &sightSet{}
		t.sights[run] = s
	}
	s.add(r, at, t.origins.number(origin))
	t.records++
	t.sighted++
}

// absorbSightings adds those of a commit.
func (t *tail) absorbSightings(p *tail) {
	for run, from := range p.sights {
		to := t.sights[run]
		if to == nil {
			t.sights[run] = from
			if run != 0 {
				continue // they have no origins
			}
			for i := range from.list {
				n := &from.list[i]
				n.origin = t.origins.number(p.origins.of(n.origin))
			}
			continue
		}
		for i := range from.list {
			n := &from.list[i]
			to.add(n.rid, n.Sighting, t.origins.number(p.origins.of(n.origin)))
		}
	}
}

// appendSightings writes the sightings as records of the log: each holds those
// of one run and one origin that were recorded one after the other.
func (t *tail) appendSightings(b []byte) []byte {
	for _, run := range sortedKeys(t.sights) {
		for list := t.sights[run].list; len(list) > 0; {
			n := 1
			for n < len(list) && list[n].origin == list[0].origin {
				n++
			}
			b = append(b, byte(recSightings))
			b = binary.AppendUvarint(b, uint64(run))
			b = appendBytes(b, t.origins.of(list[0].origin))
			b = binary.AppendUvarint(b, uint64(n))
			var before sightNote
			for i := range list[:n] {
				s := &list[i]
				b = binary.AppendVarint(b, int64(s.rid)-int64(before.rid))
				b = appendSightingAfter(b, s.Sighting, before.Sighting)
				before = *s
			}
			list = list[n:]
		}
	}
	return b
}

// readSightings reads one such record.
func (t *tail) readSightings(d *decoder) {
	run, origin := runNo(d.uvarint()), bytes.Clone(d.bytes())
	var before sightNote
	for n := d.uvarint(); n > 0 && !d.short; n-- {
		before.rid = rid(int64(before.rid) + d.varint())
		before.Sighting = d.sightingAfter(before.Sighting)
		t.addSighting(run, before.rid, before.Sighting, origin)
	}
}

// appendSightingAfter writes a sighting relative to the one before it.
func appendSightingAfter(b []byte, s, before plan.Sighting) []byte {
	b = binary.AppendVarint(b, int64(s.At-before.At))
	return binary.AppendVarint(b, int64(s.Rev-before.Rev))
}

func (d *decoder) sightingAfter(before plan.Sighting) plan.Sighting {
	return plan.Sighting{At: before.At + history.Moment(d.varint()), Rev: before.Rev + history.Revision(d.varint())}
}
