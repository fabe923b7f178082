package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// evidence is the span of captured time that a run's sightings cover.
type evidence struct {
	no       runNo
	from, to history.Moment
}

// witness widens the span.
func (r *runRecord) witness(at history.Moment) {
	if r.from == 0 || at < r.from {
		r.from = at
	}
	r.to = max(r.to, at)
}

// setRun stores a run record; true when its span has changed. s.mu is held, or
// the store is not yet open.
func (s *Store) setRun(r *runRecord) bool {
	for int(r.no) > len(s.runs) {
		s.runs = append(s.runs, nil)
	}
	was := s.runs[r.no-1]
	s.runs[r.no-1], s.runByID[r.ID] = r, r.no
	if r.State == history.RunComplete {
		s.completedTo = max(s.completedTo, r.Moment)
	}
	return was == nil || was.from != r.from || was.to != r.to
}

// sortEvidence lists the runs with sightings anew, latest first. Readers may
// hold the old list.
func (s *Store) sortEvidence() {
	list := make([]evidence, 0, len(s.runs))
	for _, r := range s.runs {
		if r.to != 0 {
			list = append(list, evidence{r.no, r.from, r.to})
		}
	}
	slices.SortFunc(list, func(a, b evidence) int { return -cmp.Compare(a.to, b.to) })
	s.evident = list
}

// evidenceOfRuns calls f with the resource's sightings in runs: all that lie
// within (after, before], and maybe others. f returns the bound from which on
// more are of interest.
func (v *view) evidenceOfRuns(r rid, after, before history.Moment, f func(plan.Sighting) history.Moment) error {
	return v.evidenceByRun(r, after, before, func(_ runNo, s plan.Sighting) history.Moment { return f(s) })
}

// evidenceByRun is evidenceOfRuns that tells the runs.
func (v *view) evidenceByRun(r rid, after, before history.Moment, f func(runNo, plan.Sighting) history.Moment) error {
	v.s.mu.RLock()
	runs := v.s.evident
	v.s.mu.RUnlock()
	for _, e := range runs {
		if e.to <= after {
			break
		}
		if e.from > before {
			continue
		}
		found, err := v.seen(e.no, r)
		if err != nil {
			return err
		}
		for _, s := range found {
			after = f(e.no, s)
		}
	}
	if v.pending != nil {
		for no, m := range v.pending.sights {
			if no != 0 {
				m.each(r, func(s *sightNote) { f(no, s.Sighting) })
			}
		}
	}
	return nil
}

// seen looks a resource up in a run's set.
func (v *view) seen(n runNo, r rid) ([]plan.Sighting, error) {
	var found []plan.Sighting
	v.s.mu.RLock()
	for _, t := range v.tails {
		t.sights[n].each(r, func(s *sightNote) { found = append(found, s.Sighting) })
	}
	v.s.mu.RUnlock()

	prefix := binary.BigEndian.AppendUint32(nil, uint32(n))
	c := v.tx.Bucket(bucketSeen).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); {
		// One merge after the other: the last block that begins at or before r.
		if len(k) != 16 {
			return nil, damaged(bucketSeen, k)
		}
		merge := slices.Clone(k[:12])
		target := binary.BigEndian.AppendUint32(slices.Clone(merge), uint32(r)+1)
		block, framed, _ := lastBefore(c, target)
		if bytes.HasPrefix(block, merge) {
			err := eachSeen(block, framed, func(e seenEntry) bool {
				if e.rid == r {
					found = append(found, e.Sighting)
				}
				return e.rid <= r
			})
			if err != nil {
				return nil, err
			}
		}
		if k, _ = c.Seek(append(merge, 0xff, 0xff, 0xff, 0xff)); k != nil && bytes.Compare(k, merge) <= 0 {
			return nil, damaged(bucketSeen, k) // keys that are out of order may lead in a circle
		}
	}
	return found, nil
}

// seenInRun reads a run's whole set, of which every merge wrote a part: asking
// for one resource after the other would look into each part each time.
func (v *view) seenInRun(n runNo) (map[rid]bool, error) {
	set := map[rid]bool{}
	v.s.mu.RLock()
	for _, t := range v.tails {
		if s := t.sights[n]; s != nil {
			for r := range s.last {
				set[r] = true
			}
		}
	}
	v.s.mu.RUnlock()
	prefix := binary.BigEndian.AppendUint32(nil, uint32(n))
	c := v.tx.Bucket(bucketSeen).Cursor()
	for k, framed := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, framed = c.Next() {
		err := eachSeen(k, framed, func(e seenEntry) bool {
			set[e.rid] = true
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return set, nil
}

// originInRun finds the run that a sighting belongs to; the run is all that is
// kept of where it came from.
func (v *view) originInRun(r rid, at plan.Sighting) ([]byte, error) {
	last := v.mark.runs
	if v.pending != nil {
		for n := range v.pending.runs {
			last = max(last, n)
		}
	}
	for n := runNo(1); n <= last; n++ {
		found, err := v.seen(n, r)
		if err != nil {
			return nil, err
		}
		if slices.Contains(found, at) {
			return appendOrigin(nil, &history.Origin{Run: v.runID(n)}), nil
		}
	}
	return nil, nil
}

// runID is the id of a run, as the commit under way would leave it.
func (v *view) runID(n runNo) history.RunID {
	if v.pending != nil {
		if r := v.pending.runs[n]; r != nil {
			return r.ID
		}
	}
	v.s.mu.RLock()
	defer v.s.mu.RUnlock()
	return v.s.runs[n-1].ID
}

// seenEntry is one sighting of a run's set.
type seenEntry struct {
	rid rid
	plan.Sighting
}

// A block of a run's set: crc32c, then entries by resource, each relative to
// the one before: resource, moment, revision.
const seenBlock = 512

func seenKey(n runNo, merge uint64, first rid) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(n))
	b = binary.BigEndian.AppendUint64(b, merge)
	return binary.BigEndian.AppendUint32(b, uint32(first))
}

func appendSeen(b []byte, list []seenEntry) []byte {
	var before seenEntry
	for _, e := range list {
		b = binary.AppendUvarint(b, uint64(e.rid-before.rid))
		b = appendSightingAfter(b, e.Sighting, before.Sighting)
		before = e
	}
	return b
}

// eachSeen calls f with the entries of a block until it returns false.
func eachSeen(key, framed []byte, f func(seenEntry) bool) error {
	value, ok := openValue(key, framed)
	if !ok {
		return damaged(bucketSeen, key)
	}
	var e seenEntry
	for d := (decoder{b: value}); d.more(); {
		e.rid += rid(d.uvarint())
		e.Sighting = d.sightingAfter(e.Sighting)
		if d.short {
			return damaged(bucketSeen, key)
		}
		if !f(e) {
			break
		}
	}
	return nil
}
