package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// Prune implements history.Pruner. Readers and captures are bound by the floors
// as soon as these are raised; what is dropped afterwards, resource by resource,
// is seen by nobody, but for resources that go.
func (s *Store) Prune(ctx context.Context, r history.PruneRequest) (history.Pruned, error) {
	if err := ctx.Err(); err != nil {
		return history.Pruned{}, err
	}
	s.upkeep.whole.Lock()
	defer s.upkeep.whole.Unlock()
	was := s.floors.Load()
	is, err := s.raise(&r)
	if err != nil {
		return history.Pruned{}, err
	}
	p := history.Pruned{Floors: is.Clone(), Changes: uint64(is.Seq - was.Seq)}
	job := &sweep{floors: is, dry: r.DryRun, progress: r.Progress}
	if was.swept {
		job.only = r.Type
	}
	return p, s.sweep(ctx, job, &p)
}

// raise works out the floors that a request brings about and, if it is meant
// seriously, makes them stand.
func (s *Store) raise(r *history.PruneRequest) (*floors, error) {
	var is *floors
	work := func() error {
		return s.view(func(v *view) error {
			now := max(history.MomentOf(s.o.Now()), v.mark.recordedAt)
			recorded, err := plan.Prunable(r, now)
			if err != nil {
				return err
			}
			known, err := v.stampAt(recorded)
			if err != nil {
				return err
			}
			seq, err := v.lastChange(known.Revision)
			if err != nil {
				return err
			}
			is = &floors{Floors: plan.Raise(v.floors.Floors, r, known, seq)}
			return nil
		})
	}
	if r.DryRun {
		err := work()
		return is, err
	}
	err := s.alone(func() error {
		if err := work(); err != nil {
			return err
		}
		return s.setFloors(is)
	})
	return is, err
}

// sweep is a walk over all resources that drops what lies below the floors.
type sweep struct {
	floors   *floors
	only     string // type; "": all
	dry      bool
	progress func(done, total uint64)

	runs map[runNo]bool // that lie below the floors: their sets will go
	next rid
}

// sweep drops what the floors do not need. It may be cut short anywhere.
func (s *Store) sweep(ctx context.Context, job *sweep, p *history.Pruned) error {
	// What was recorded before the floors were raised is merged; nothing below
	// them comes after it.
	if err := s.Merge(); err != nil {
		return gone(err)
	}
	s.mu.RLock()
	total := s.mark.rids
	job.runs = map[runNo]bool{}
	for _, r := range s.runs {
		job.runs[r.no] = job.only == "" && r.below(job.floors)
	}
	s.mu.RUnlock()
	for job.next = 1; job.next != 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.sweepSlice(job, p); err != nil {
			return err
		}
		if job.progress != nil {
			done := job.next - 1
			if job.next == 0 {
				done = total
			}
			job.progress(uint64(min(done, total)), uint64(total))
		}
	}
	if job.dry {
		return nil
	}
	if job.only == "" {
		if err := s.sweepRest(ctx, job); err != nil {
			return err
		}
	}
	return s.alone(func() error {
		f := &floors{Floors: job.floors.Floors, swept: true}
		return s.setFloors(f)
	})
}

// below reports whether a run lies entirely below the floors: what it saw tells
// nothing any more but when resources were last seen.
func (r *runRecord) below(f *floors) bool {
	return r.to < f.Captured && (r.State == history.RunAborted || r.Moment < f.Captured)
}

// sweepSlice takes the next resources, as many as a merge's slice.
func (s *Store) sweepSlice(job *sweep, p *history.Pruned) error {
	s.upkeep.slice.Lock()
	defer s.upkeep.slice.Unlock()
	return s.betweenMerges(func() error {
		var going []rid
		writes := &puts{}
		err := s.mergedView(func(v *view) error {
			size := 0
			c := v.tx.Bucket(bucketHeads).Cursor()
			k, _ := c.Seek(ridKey(job.next))
			for n := 0; k != nil && n < mergeResources && size < mergeSlice; n++ {
				r := parseRid(k)
				bytes, goes, err := v.prune(job, r, writes, p)
				if err != nil {
					return err
				}
				if size += bytes; goes {
					going = append(going, r)
				}
				k, _ = c.Next()
			}
			if job.next = 0; k != nil {
				job.next = parseRid(k)
			}
			return writes.addSpans(v)
		})
		if err != nil || job.dry {
			return err
		}
		if len(writes.list)+len(writes.deletes) > 0 {
			if err := s.write(writes); err != nil {
				return err
			}
		}
		if len(going) == 0 {
			return nil
		}
		return s.alone(func() error { return s.remove(job, going, p) })
	})
}

// prune drops what the floors do not need of a resource, or counts it. goes: all
// of it is to go, which has not been done.
func (v *view) prune(job *sweep, r rid, writes *puts, p *history.Pruned) (size int, goes bool, err error) {
	k, err := v.key(r)
	if err != nil || job.only != "" && job.only != k.Type {
		return 0, false, err
	}
	l, of, err := v.judge(job, k, r)
	if err != nil {
		return 0, false, err
	}
	if of.Goes {
		if job.dry {
			l.countAll(of, p)
		}
		return 0, !job.dry, nil
	}
	change := false
	for i, row := range l.Rows {
		if of.Rows[i] != plan.Stays && !row.Bare {
			p.Versions++
		}
		change = change || of.Rows[i] == plan.Drops || of.Rows[i] == plan.Bares && !row.Bare
	}
	own := len(of.inRun)
	for i, at := range l.Sightings {
		key := sightingKey(r, at)
		switch {
		case i < own && !of.Sightings[i]:
			if !of.inRun[i] {
				p.Sightings++
			}
			writes.deletes = append(writes.deletes, put{bucket: bucketSightings, key: key})
			writes.sighted = append(writes.sighted, r)
		case i >= own && of.Sightings[i] && job.runs[of.runs[i-own]]:
			// The run's set will go.
			writes.sighted = append(writes.sighted, r)
			origin := appendOrigin(nil, &history.Origin{Run: v.runID(of.runs[i-own])})
			writes.add(bucketSightings, key, sealValue(key, origin))
		}
	}
	if job.dry || !change {
		return 0, false, nil
	}
	var spans []span
	for i := range l.Rows {
		if of.Rows[i] != plan.Drops {
			spans = append(spans, spanOf(&row{Row: *l.Rows[i]}))
		}
	}
	writes.setSpans(r, v.s.groups.Load().find(k), spans)
	size, err = v.repack(writes, r, k, l, func(i int, row *row) *row {
		switch {
		case of.Rows[i] == plan.Drops:
			return nil
		case of.Rows[i] == plan.Bares && !row.Bare:
			bare := *row
			bare.Bare, bare.body = true, erasedBody
			return &bare
		}
		return row
	})
	return size, false, err
}

// judgement is a pruning with what it takes to carry it out. Of the timeline's
// sightings the first are those in the bucket, the others those in sets of runs.
type judgement struct {
	plan.Pruning
	inRun []bool  // of the first: it was moved here when its run's set went
	runs  []runNo // of the others
}

// judge tells what has to stay of a resource.
func (v *view) judge(job *sweep, k history.Key, r rid) (*loaded, *judgement, error) {
	l, err := v.load(r)
	if err != nil {
		return nil, nil, err
	}
	floor, known := job.floors.Of(k.Type), job.floors.RevisionOf(k.Type)
	of := &judgement{inRun: make([]bool, len(l.Sightings))}
	for i, at := range l.Sightings {
		key := sightingKey(r, at)
		value, ok := openValue(key, v.tx.Bucket(bucketSightings).Get(key))
		if !ok {
			return nil, nil, damaged(bucketSightings, key)
		}
		origin, err := decodeOrigin(value)
		if err != nil {
			return nil, nil, damaged(bucketSightings, key)
		}
		of.inRun[i] = origin.Run != ""
	}

	// Of the runs' evidence below the floor matters what is newer than any that
	// every revision asked about knows.
	var bound history.Moment
	newer := func(s plan.Sighting) {
		if s.At < floor && s.Rev <= known {
			bound = max(bound, s.At-1) // another of that moment may be the later one
		}
	}
	for _, row := range l.Rows {
		if !row.Derived {
			newer(plan.Sighting{At: row.Start, Rev: row.Rank})
		}
	}
	for _, s := range l.Sightings {
		newer(s)
	}
	err = v.evidenceByRun(r, bound, floor-1, func(no runNo, s plan.Sighting) history.Moment {
		if s.At < floor {
			l.Sightings, of.runs = append(l.Sightings, s), append(of.runs, no)
			newer(s)
		}
		return bound
	})
	if err != nil {
		return nil, nil, err
	}
	for i := len(l.Sightings) - 1; i >= len(of.inRun); i-- {
		if l.Repeats(l.Sightings[i]) {
			n := i - len(of.inRun)
			l.Sightings, of.runs = slices.Delete(l.Sightings, i, i+1), slices.Delete(of.runs, n, n+1)
		}
	}
	of.Pruning = l.Prune(floor, known)
	if of.Goes {
		err = v.evidenceOfRuns(r, floor, history.Newest, func(s plan.Sighting) history.Moment {
			of.Goes = of.Goes && s.At <= floor
			return floor
		})
	}
	return l, of, err
}

// countAll counts a resource that goes.
func (l *loaded) countAll(of *judgement, p *history.Pruned) {
	p.Resources++
	for _, row := range l.Rows {
		if !row.Bare {
			p.Versions++
		}
	}
	for _, inRun := range of.inRun {
		if !inRun {
			p.Sightings++
		}
	}
}

// remove drops resources that go, between two commits. What was recorded of one
// since it was found to be going keeps it.
func (s *Store) remove(job *sweep, going []rid, p *history.Pruned) error {
	var (
		keys []history.Key
		gone []rid
	)
	counts := *p
	v := &view{s: s, floors: s.floors.Load()}
	s.mu.RLock()
	v.tails, v.mark = s.tails(), s.mark
	s.mu.RUnlock()
	written := s.sighted.writing(going)
	err := s.db.Update(func(tx *bolt.Tx) error {
		v.tx = tx
		writes := &puts{}
		for _, r := range going {
			if v.inTails(r) {
				continue
			}
			k, err := v.key(r)
			if err != nil {
				return err
			}
			l, of, err := v.judge(job, k, r)
			if err != nil {
				return err
			}
			if !of.Goes {
				continue
			}
			if err := v.remove(writes, job, k, l); err != nil {
				return err
			}
			l.countAll(of, &counts)
			keys, gone = append(keys, k), append(gone, r)
		}
		if err := writes.addSpans(v); err != nil {
			return err
		}
		return writes.put(tx)
	})
	written()
	if err != nil {
		return err
	}
	*p = counts
	s.merged.forget(keys)
	w := &s.writer
	for i, r := range gone {
		delete(w.rids, keys[i])
		delete(w.heads, r)
		delete(w.timelines, r)
	}
	return nil
}

// remove deletes all that the file has of a resource, but for its key where the
// feed still tells of it.
func (v *view) remove(writes *puts, job *sweep, k history.Key, l *loaded) error {
	h, group, id, err := v.headValue(l.rid)
	if err != nil {
		return err
	}
	last := history.Revision(math.MaxUint64) // of its changes; not known if the row was dropped
	for _, row := range l.Rows {
		if row.Number == h.last {
			last = row.Opened
		}
	}
	key := ridKey(l.rid)
	if last > job.floors.Revision {
		value := binary.AppendUvarint(nil, uint64(v.mark.seq))
		value = appendBytes(binary.AppendUvarint(value, uint64(group)), id)
		writes.add(bucketGone, key, sealValue(key, value))
	}
	writes.deletes = append(writes.deletes, put{bucket: bucketNames, key: nameKey(group, k.ID)})
	for _, bucket := range [][]byte{bucketSegments, bucketSightings, bucketHeads} {
		c := v.tx.Bucket(bucket).Cursor()
		for found, _ := c.Seek(key); bytes.HasPrefix(found, key); found, _ = c.Next() {
			writes.deletes = append(writes.deletes, put{bucket: bucket, key: bytes.Clone(found)})
		}
	}
	writes.setSpans(l.rid, group, nil)
	return nil
}

// goneKey finds the key of a resource that went, as long as the feed tells of it.
func (v *view) goneKey(r rid) (groupNo, []byte, error) {
	_, n, id, err := decodeGone(ridKey(r), v.tx.Bucket(bucketGone).Get(ridKey(r)))
	return n, id, err
}

func decodeGone(key, framed []byte) (history.Seq, groupNo, []byte, error) {
	value, ok := openValue(key, framed)
	d := decoder{b: value}
	seq, n, id := history.Seq(d.uvarint()), groupNo(d.uvarint()), d.bytes()
	if !ok || d.short {
		return 0, 0, nil, damaged(bucketGone, key)
	}
	return seq, n, id, nil
}

// repack writes the segments of a resource anew with what edit makes of each
// row; nil drops it. It returns how many bytes that takes.
func (v *view) repack(p *puts, r rid, k history.Key, l *loaded, edit func(i int, r *row) *row) (int, error) {
	var rows []mergeRow
	n := 0
	for _, seg := range l.segments {
		from := &unpacker{segment: slices.Clone(seg), with: &v.s.dicts}
		p.deletes = append(p.deletes, put{bucket: bucketSegments, key: segmentKey(r, &seg[0].Row)})
		for i := range seg {
			switch edited := edit(n, &seg[i]); {
			case edited == &seg[i]:
				rows = append(rows, mergeRow{row: edited, from: from, i: i})
			case edited != nil:
				rows = append(rows, mergeRow{row: edited, i: -1})
			}
			n++
		}
	}
	size := 0
	for len(rows) > 0 {
		seg, rest, err := pack(rows, v.s.dicts.of(k.Type), &v.s.dicts)
		if err != nil {
			return 0, damaged(bucketSegments, ridKey(r))
		}
		key := segmentKey(r, &seg[0].Row)
		value := sealValue(key, seg.append(nil))
		p.add(bucketSegments, key, value)
		size += len(value)
		rows = rest
	}
	return size, nil
}
