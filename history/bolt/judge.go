package bolt

import (
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

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
		switch {
		case i < own && !of.Sightings[i]:
			if !of.inRun[i] {
				p.Sightings++
			}
			writes.dropSighting(r, at)
		case i >= own && of.Sightings[i] && job.runs[of.runs[i-own]]:
			// The run's set will go.
			writes.addSighting(r, at, appendOrigin(nil, &history.Origin{Run: v.runID(of.runs[i-own])}))
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
	l, err := v.loadAll(r)
	if err != nil {
		return nil, nil, err
	}
	floor, known := job.floors.Of(k.Type), job.floors.RevisionOf(k.Type)
	of := &judgement{inRun: make([]bool, len(l.Sightings))}
	for i, at := range l.Sightings {
		encoded, found, err := v.originOfSighting(r, at)
		if err != nil {
			return nil, nil, err
		}
		origin, err := decodeOrigin(encoded)
		if err != nil || !found {
			return nil, nil, damaged(bucketSightings, sightingKey(r, at))
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
	all := rows
	open := func(m *mergeRow) ([]byte, error) { return v.mergedPayload(r, all, m) }
	size := 0
	for len(rows) > 0 {
		seg, rest, err := pack(rows, packer{with: v.s.dicts.of(k.Type)}, open)
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
