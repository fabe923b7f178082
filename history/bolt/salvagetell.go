package bolt

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/varvehq/varve/history"
)

// What salvage tells, but for the resources, each part in turn.

func (s *salvage) tellDocuments(context.Context) error {
	for k, framed := range s.from.values(bucketDocuments) {
		doc, err := openDocument(k, framed)
		if err != nil {
			s.lostValue(string(bucketDocuments), k)
			continue
		}
		if err := s.to.document(&doc); err != nil {
			return err
		}
	}
	return s.to.flush()
}

func (s *salvage) tellRuns(context.Context) error {
	for _, no := range sortedKeys(s.runs) {
		if err := s.to.run(s.runs[no]); err != nil {
			return err
		}
	}
	return s.to.flush()
}

func (s *salvage) tellGone(context.Context) error {
	for k, framed := range s.from.values(bucketGone) {
		seq, n, id, err := decodeGone(k, framed)
		r := parseRid(k)
		if err != nil || s.told.has(r) {
			continue
		}
		s.gone.add(r)
		if err := s.to.gone(r, min(seq, s.header.mark.seq), s.key(grouped{n, string(id)})); err != nil {
			return err
		}
	}
	return s.to.flush()
}

func (s *salvage) tellSeen(context.Context) error {
	last, set := runNo(0), []seenEntry(nil)
	tell := func() error {
		set = append(set, s.log.sights[last].sorted()...)
		slices.SortFunc(set, func(a, b seenEntry) int { return cmp.Or(cmp.Compare(a.rid, b.rid), a.Compare(b.Sighting)) })
		for _, e := range slices.Compact(set) {
			if !s.told.has(e.rid) && !s.header.floors.any() {
				continue
			}
			if err := s.to.seen(last, e); err != nil {
				return err
			}
		}
		set = set[:0]
		return s.to.flush()
	}
	upTo := func(no runNo) error { // the log may have runs that no block is of
		for ; last < no; last++ {
			if err := tell(); err != nil {
				return err
			}
		}
		return nil
	}
	for k, framed := range s.from.values(bucketSeen) {
		no := runNo(binary.BigEndian.Uint32(k))
		if no < last || no > s.header.mark.runs {
			continue
		}
		if err := upTo(no); err != nil {
			return err
		}
		_ = eachSeen(k, framed, func(e seenEntry) bool { set = append(set, e); return true })
	}
	return upTo(s.header.mark.runs + 1)
}

// tellChanges tells the changes behind the last one that is missing.
func (s *salvage) tellChanges(context.Context) error {
	floor, next := s.header.floors.Seq, s.header.floors.Seq+1
	for c := range s.changes() {
		if c.seq <= floor {
			continue
		}
		if c.seq != next {
			floor = c.seq - 1
		}
		if next = c.seq + 1; !s.told.has(c.rid) && !s.gone.has(c.rid) {
			floor = c.seq
		}
	}
	if next <= s.header.mark.seq {
		floor = s.header.mark.seq
	}
	if floor != s.header.floors.Seq {
		s.report(Loss{What: LostChanges, Text: fmt.Sprintf(
			"some changes up to sequence %d: the feed begins behind it. The versions that they told of are there, or reported by themselves", floor)})
		s.header.floors.Seq = floor
	}
	n := 0
	for c := range s.changes() {
		if c.seq <= floor {
			continue
		}
		if err := s.to.change(&c); err != nil {
			return err
		}
		if n++; n%feedBlock == 0 {
			if err := s.to.flush(); err != nil {
				return err
			}
		}
	}
	return s.to.flush()
}

func (s *salvage) tellClock(context.Context) error {
	if s.from.lostAny(bucketClock, bucketLog) {
		s.report(Loss{What: LostClock, Text: "when some revisions were recorded that made no version"})
	}
	s.clock = append(append(s.clock, s.rowClock...), s.header.mark.stamp())
	s.sortClock()
	last := history.Revision(0)
	for _, c := range s.clock {
		if c.RecordedAt <= 0 || c.Revision < last {
			continue
		}
		last = c.Revision
		if err := s.to.clock(c); err != nil {
			return err
		}
	}
	return s.to.flush()
}

func (s *salvage) tellOps(context.Context) error {
	ops := maps.Clone(s.log.ops)
	for k, framed := range s.from.values(bucketOps) {
		d := decoder{b: framed[4:]}
		o := opRecord{id: history.OpID(k), at: history.Moment(d.varint())}
		o.receipt = d.rest()
		if _, newer := ops[o.id]; d.short || newer {
			continue
		}
		if err := s.to.op(&o); err != nil {
			return err
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(ops), func(a, b history.OpID) int { return bytes.Compare(a[:], b[:]) }) {
		o := ops[id]
		if err := s.to.op(&o); err != nil {
			return err
		}
	}
	return s.to.flush()
}
