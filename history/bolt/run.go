package bolt

import (
	"bytes"
	"cmp"
	"context"
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
			after = f(s)
		}
	}
	if v.pending != nil {
		for _, m := range v.pending.seen {
			for _, s := range m[r] {
				f(s)
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
		found = append(found, t.seen[n][r]...)
	}
	v.s.mu.RUnlock()

	prefix := binary.BigEndian.AppendUint32(nil, uint32(n))
	c := v.tx.Bucket(bucketSeen).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); {
		// One merge after the other: the last block that begins at or before r.
		merge := slices.Clone(k[:12])
		target := binary.BigEndian.AppendUint32(slices.Clone(merge), uint32(r)+1)
		next, _ := c.Seek(target)
		var block, framed []byte
		if next == nil {
			block, framed = c.Last()
		} else {
			block, framed = c.Prev()
		}
		if bytes.HasPrefix(block, merge) {
			list, err := decodeSeen(block, framed)
			if err != nil {
				return nil, err
			}
			for _, e := range list {
				if e.rid == r {
					found = append(found, e.Sighting)
				}
			}
		}
		k, _ = c.Seek(append(merge, 0xff, 0xff, 0xff, 0xff))
	}
	return found, nil
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
		b = binary.AppendVarint(b, int64(e.At-before.At))
		b = binary.AppendVarint(b, int64(e.Rev-before.Rev))
		before = e
	}
	return b
}

func decodeSeen(key, framed []byte) ([]seenEntry, error) {
	value, ok := openValue(key, framed)
	if !ok {
		return nil, damaged(bucketSeen, key)
	}
	var (
		list []seenEntry
		e    seenEntry
	)
	for d := (decoder{b: value}); len(d.b) > 0; {
		e.rid += rid(d.uvarint())
		e.At += history.Moment(d.varint())
		e.Rev += history.Revision(d.varint())
		if d.short {
			return nil, damaged(bucketSeen, key)
		}
		list = append(list, e)
	}
	return list, nil
}

// gone tells which completed runs missed a resource, looking only at those
// whose moment is asked about. An error in doing so is left in *failed.
func (w *writer) gone(v *view, k history.Key, r rid, failed *error) plan.Gone {
	return func(after, before history.Moment) []history.Moment {
		var missed []history.Moment
		for _, run := range w.s.runs {
			if p := w.pending.runs[run.no]; p != nil {
				run = p
			}
			if run.State != history.RunComplete || run.Moment <= after || run.Moment >= before || !run.Scope.Covers(k) {
				continue
			}
			found, err := v.seen(run.no, r)
			if err != nil {
				*failed = err
			}
			if len(found) == 0 {
				missed = append(missed, run.Moment)
			}
		}
		slices.Sort(missed)
		return missed
	}
}

// OpenRun implements history.Store.
func (s *Store) OpenRun(ctx context.Context, r history.Run) (history.Run, error) {
	var opened history.Run
	err := s.writer.do(ctx, &request{plan: func(*view) (err error) {
		opened, err = s.writer.openRun(r)
		return err
	}})
	return opened, err
}

func (w *writer) openRun(r history.Run) (history.Run, error) {
	opened, err := plan.OpenRun(r, w.now, w.s.o.FutureSlack)
	if err != nil {
		return history.Run{}, err
	}
	if w.run(r.ID) != nil {
		return history.Run{}, plan.RunExists(r.ID)
	}
	opened.Scope = history.Scope{
		Accounts: slices.Clone(r.Scope.Accounts), Regions: slices.Clone(r.Scope.Regions), Types: slices.Clone(r.Scope.Types),
	}
	w.mark.runs++
	w.pending.runs[w.mark.runs] = &runRecord{Run: opened, no: w.mark.runs}
	return copyRun(&opened), nil
}

// run finds a run as the commit under way would leave it.
func (w *writer) run(id history.RunID) *runRecord {
	for _, r := range w.pending.runs {
		if r.ID == id {
			return r
		}
	}
	if no, ok := w.s.runByID[id]; ok {
		return w.s.runs[no-1]
	}
	return nil
}

// changeRun gives the commit under way a copy of a run to change.
func (w *writer) changeRun(r *runRecord) *runRecord {
	if p := w.pending.runs[r.no]; p != nil {
		return p
	}
	p := *r
	w.pending.runs[r.no] = &p
	return &p
}

func (w *writer) joinRun(id history.RunID) (*runRecord, error) {
	r := w.run(id)
	if r == nil {
		return nil, plan.NoRun(id)
	}
	if err := plan.Joins(&r.Run, w.now); err != nil {
		return nil, err
	}
	return w.changeRun(r), nil
}

// CloseRun implements history.Store.
func (s *Store) CloseRun(ctx context.Context, id history.RunID, how history.Disposal, reason string) (history.Run, error) {
	var run history.Run
	err := s.writer.do(ctx, &request{plan: func(v *view) (err error) {
		run, err = s.writer.closeRun(v, id, how, reason)
		return err
	}})
	return run, err
}

func (w *writer) closeRun(v *view, id history.RunID, how history.Disposal, reason string) (history.Run, error) {
	r := w.run(id)
	if r == nil {
		return history.Run{}, plan.NoRun(id)
	}
	shown := copyRun(&r.Run)
	plan.Expire(&shown, w.now)
	if done, err := plan.Disposed(&shown, how, w.now); done || err != nil {
		return shown, err
	}
	if how == history.Abort {
		r = w.changeRun(r)
		r.State, r.ClosedAt, r.Reason = history.RunAborted, w.now, reason
		return copyRun(&r.Run), nil
	}
	stamp := plan.Stamp{Revision: w.mark.revision + 1, RecordedAt: w.now}
	missed, alive, err := w.missed(v, r, stamp)
	if err != nil {
		return history.Run{}, err
	}
	if err := plan.Greedy(&r.Run, how, uint64(len(missed)), alive); err != nil {
		return history.Run{}, err
	}
	w.mark.revision = stamp.Revision
	for _, m := range missed {
		w.apply(m.rid, m.head, m.out, stamp, nil, m.bodies)
		if t := w.timelines[m.rid]; t != nil {
			t.Apply(&m.out, plan.Sighting{Rev: stamp.Revision})
		}
	}
	r = w.changeRun(r)
	r.State, r.ClosedAt, r.Deleted = history.RunComplete, w.now, uint64(len(missed))
	w.completedTo = max(w.completedTo, r.Moment)
	return copyRun(&r.Run), nil
}

// miss is what a completed run does to a resource it missed.
type miss struct {
	rid    rid
	head   *head
	out    plan.Outcome
	bodies map[uint32][]byte
}

// missed plans the deletions of a run, in key order, and counts what lived in
// its scope just before.
func (w *writer) missed(v *view, run *runRecord, stamp plan.Stamp) (missed []miss, alive uint64, err error) {
	err = v.eachKey(nil, func(k history.Key) bool { return run.Scope.Covers(k) }, func(k history.Key) error {
		r := v.rid(k)
		_, p, err := v.around(r, run.Moment-1, w.mark.revision)
		if err != nil {
			return err
		}
		if p.Row == nil || p.Row.Deleted {
			return nil // not alive just before
		}
		alive++
		if found, err := v.seen(run.no, r); err != nil || len(found) > 0 {
			return err
		}
		t, err := w.timeline(v, r)
		if err != nil {
			return err
		}
		var failed error
		out := plan.Miss(t.Window(run.Moment, plan.With(w.gone(v, k, r, &failed), run.Moment)), stamp)
		if failed != nil {
			return failed
		}
		if len(out.Changes) == 0 {
			return nil
		}
		bodies, err := resumed(v, r, out)
		if err != nil {
			return err
		}
		h, err := w.head(v, r, false)
		if err != nil {
			return err
		}
		missed = append(missed, miss{r, h, out, bodies})
		return nil
	})
	return missed, alive, err
}

// Run implements history.Store.
func (s *Store) Run(_ context.Context, id history.RunID) (history.Run, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return history.Run{}, errClosed
	}
	no, ok := s.runByID[id]
	if !ok {
		return history.Run{}, plan.NoRun(id)
	}
	return s.show(s.runs[no-1]), nil
}

// Runs implements history.Store.
func (s *Store) Runs(_ context.Context, after history.RunID, limit int) ([]history.Run, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, false, errClosed
	}
	last := len(s.runs)
	if after != "" {
		no, ok := s.runByID[after]
		if !ok {
			return nil, false, plan.NoRun(after)
		}
		last = int(no) - 1
	}
	var list []history.Run
	for last > 0 && len(list) < limit {
		last--
		list = append(list, s.show(s.runs[last]))
	}
	return list, last > 0, nil
}

// show is a run as it stands now.
func (s *Store) show(r *runRecord) history.Run {
	shown := copyRun(&r.Run)
	plan.Expire(&shown, max(history.MomentOf(s.o.Now()), s.mark.recordedAt))
	return shown
}

func copyRun(r *history.Run) history.Run {
	c := *r
	c.Scope = history.Scope{
		Accounts: slices.Clone(r.Scope.Accounts), Regions: slices.Clone(r.Scope.Regions), Types: slices.Clone(r.Scope.Types),
	}
	return c
}
