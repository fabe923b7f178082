package bolt

import (
	"context"
	"errors"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// Append implements history.Store.
func (s *Store) Append(ctx context.Context, b history.Batch) (history.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return history.Receipt{}, err
	}
	items := make([]prepared, len(b.Observations))
	var first encodedOrigin
	if len(items) > 0 {
		first = encodeOrigin(&b.Observations[0].Origin, b.Run)
	}
	onAllCores(len(items), func(i int) { items[i] = s.prepare(&b.Observations[i], b.Run, &first) })
	r := &request{}
	for i := range items {
		r.bytes += len(items[i].body) + len(items[i].origin)
	}
	var receipt history.Receipt
	r.plan = func(v *view) (err error) {
		receipt, err = s.writer.append(v, &b, items)
		return err
	}
	if err := s.writer.do(ctx, r); err != nil {
		return history.Receipt{}, err
	}
	s.counters.count(receipt.Results)
	return receipt, nil
}

// append plans a batch.
func (w *writer) append(v *view, b *history.Batch, items []prepared) (history.Receipt, error) {
	if b.Op != (history.OpID{}) {
		if receipt, ok, err := w.replay(v, b.Op); ok || err != nil {
			return receipt, err
		}
	}
	var in *runRecord
	if b.Run != "" {
		var err error
		if in, err = w.joinRun(b.Run); err != nil {
			return history.Receipt{}, err
		}
		in.Refused += uint64(b.Refused)
	}
	receipt := history.Receipt{Results: make([]history.Result, len(items))}
	for i := range items {
		result, err := w.record(v, &items[i], in)
		if err != nil {
			e := asError(err)
			if e == nil {
				return history.Receipt{}, err // ours, not the item's
			}
			result = history.Result{Err: asError(lossOf(&items[i].Key, e))}
			if in != nil {
				in.Refused++
			}
		}
		receipt.Results[i] = result
	}
	receipt.Revision, receipt.Position = w.mark.revision, w.s.lineage.Position(w.mark.seq)
	if b.Op != (history.OpID{}) {
		w.pending.ops[b.Op] = opRecord{b.Op, w.now, appendReceipt(nil, &receipt, w.mark.seq)}
	}
	return receipt, nil
}

// record plans one observation.
func (w *writer) record(v *view, p *prepared, in *runRecord) (history.Result, error) {
	var open *history.Run
	if in != nil {
		open = &in.Run
	}
	if err := plan.Admit(&p.Observation, open, w.now, w.s.o.FutureSlack); err != nil {
		return history.Result{}, err
	}
	if err := plan.Takes(&v.floors.Floors, &p.Observation); err != nil {
		return history.Result{}, err
	}
	r, err := v.rid(p.Key)
	if err != nil {
		return history.Result{}, err
	}
	fresh := false
	if r == 0 {
		r, fresh = w.mark.rids+1, true
	}
	h, err := w.head(v, r, fresh)
	if err != nil {
		return history.Result{}, err
	}
	window, err := w.window(v, r, p.Key, h, p.CapturedAt)
	if err != nil {
		return history.Result{}, err
	}
	stamp := plan.Stamp{Revision: w.mark.revision + 1, RecordedAt: w.now}
	out, err := plan.Observe(window, plan.Evidence{
		At: p.CapturedAt, Hash: p.hash, Deleted: p.State.Deleted, Status: p.State.Status, Expect: p.Expect,
	}, stamp)
	if err != nil {
		return history.Result{}, err
	}
	bodies, err := resumed(v, r, out)
	if err != nil {
		return history.Result{}, err
	}
	if len(out.Open) > 0 && p.payload == nil {
		if err := p.complete(); err != nil {
			return history.Result{}, err
		}
	}

	// Nothing can fail from here on.
	w.mark.revision = stamp.Revision
	if fresh {
		w.mark.rids = r
		w.pending.addResource(r, p.Key)
	}
	if in != nil {
		in.Observed++
		in.witness(p.CapturedAt)
		w.pending.addSighting(in.no, r, plan.Sighting{At: p.CapturedAt, Rev: stamp.Revision}, nil)
	} else if out.Sighting {
		w.pending.addSighting(0, r, plan.Sighting{At: p.CapturedAt, Rev: stamp.Revision}, p.origin)
	}
	seq := w.apply(r, h, out, stamp, p, bodies)
	if t := w.timelines[r]; t != nil {
		t.Apply(&out, plan.Sighting{At: p.CapturedAt, Rev: stamp.Revision})
		w.rows += len(out.Open) + 1
	}
	h.seen = max(h.seen, p.CapturedAt)

	result := history.Result{Unchanged: len(out.Changes) == 0, Version: out.Version, CapturedAt: out.Start, Revision: stamp.Revision}
	if !result.Unchanged {
		result.Kind, result.Late, result.Seq = out.Changes[0].Kind, out.Changes[0].Late, seq
	}
	return result, nil
}

// apply carries an outcome into the pending tail and returns the sequence of
// its first change.
func (w *writer) apply(r rid, h *head, out plan.Outcome, stamp plan.Stamp, own *prepared, bodies map[uint32][]byte) history.Seq {
	first := w.mark.seq + 1
	if len(out.Changes) == 0 && len(out.Open) == 0 {
		return first
	}
	res := w.pending.resource(r)
	w.pending.changed.add(r)
	for _, n := range out.Close {
		res.closes = append(res.closes, tailClose{w.mark.commit, n, stamp.Revision})
	}
	for _, n := range out.Open {
		var body []byte
		links := &linkSet{}
		switch n.Source {
		case plan.FromObservation:
			links.known.Store(own.links)
			follows := own.base != nil && len(out.Open) == 1 && len(out.Close) == 0 && w.s.latest.Epoch() == own.base.epoch &&
				h.newest.Number == own.base.number && h.newest.Hash == own.base.hash && h.newest.Compare(&n.Row) < 0
			body = own.sealed(w.s, follows)
			if h.newest.Number == 0 || h.newest.Compare(&n.Row) < 0 {
				w.keep(own, n.Number)
			}
		case plan.FromRow:
			body = bodies[n.Number]
		case plan.FromAbsence:
			body = absenceBody
		}
		res.rows = append(res.rows, tailRow{w.mark.commit, row{Row: n.Row, body: body}, links})
		w.pending.bytes += len(body)
	}
	for _, c := range out.Changes {
		w.mark.seq++
		w.pending.changes = append(w.pending.changes, change{
			seq: w.mark.seq, revision: stamp.Revision, recordedAt: stamp.RecordedAt, rid: r,
			kind: c.Kind, late: c.Late, version: c.Version, start: c.Start,
		})
	}
	if h.update(&out) {
		return first
	}
	w.heads.Drop(r) // the newest row is gone: read it again when needed
	return first
}

// keep makes the payload of a row that is the newest now a base for the next.
func (w *writer) keep(p *prepared, number uint32) {
	l := &latest{epoch: w.s.latest.Epoch(), number: number, hash: p.hash, payload: p.payload, origin: len(p.payload) - p.content, links: p.links}
	if p.base != nil {
		l.deltas = p.base.deltas + 1
	}
	w.s.latest.Put(p.Key, l, len(p.payload))
}

// update keeps a head in step with an outcome; false when it cannot.
func (h *head) update(out *plan.Outcome) bool {
	for _, n := range out.Close {
		if n == h.newest.Number {
			return false
		}
	}
	for i := range out.Open {
		n := &out.Open[i].Row
		h.last = max(h.last, n.Number)
		h.seen = max(h.seen, n.Start)
		if h.newest.Number == 0 || h.newest.Compare(n) < 0 {
			h.newest = *n
		}
	}
	return true
}

// absenceBody is the body of a derived deletion.
var absenceBody = sealBody(appendPayload(nil, &history.Origin{}, plan.Absence.AppendContent(nil)), nil)

// resumed makes the bodies of rows that resume the state of another: its
// content, and the origin of the evidence they begin with.
func resumed(v *view, r rid, out plan.Outcome) (map[uint32][]byte, error) {
	var (
		bodies map[uint32][]byte
		l      *loaded
	)
	for i := range out.Open {
		n := &out.Open[i]
		if n.Source != plan.FromRow {
			continue
		}
		if l == nil {
			var err error
			if l, err = v.load(r); err != nil {
				return nil, err
			}
			bodies = map[uint32][]byte{}
		}
		like := l.like(n)
		if like == nil {
			bodies[n.Number], n.Erased, n.Lost = erasedBody, true, l.lost(n.Hash)
			continue
		}
		payload, err := l.payload(like)
		if err != nil {
			return nil, damaged(bucketSegments, ridKey(r))
		}
		_, content, err := splitPayload(payload)
		if err != nil {
			return nil, damaged(bucketSegments, ridKey(r))
		}
		origin, err := v.origin(l, plan.Sighting{At: n.Start, Rev: n.Rank})
		if err != nil {
			return nil, err
		}
		bodies[n.Number] = sealBody(append(appendBytes(nil, origin), content...), nil)
	}
	return bodies, nil
}

// like is the row that a new one takes its content from; nil if none has it any
// more.
func (l *loaded) like(n *plan.NewRow) *plan.Row {
	var other *plan.Row
	for _, r := range l.Rows {
		switch {
		case r.Erased || r.Bare || r.Hash != n.Hash:
		case r.Number == n.Like:
			return r
		case other == nil:
			other = r
		}
	}
	return other
}

// lost reports whether a content was lost to damage.
func (l *loaded) lost(h history.Hash) bool {
	return slices.ContainsFunc(l.Rows, func(r *plan.Row) bool { return r.Lost && r.Hash == h })
}

// origin finds the encoded origin of a piece of evidence; where every row that
// begins with it was erased, nobody knows.
func (v *view) origin(l *loaded, at plan.Sighting) ([]byte, error) {
	erased := false
	for _, r := range l.Rows {
		if r.Start == at.At && r.Rank == at.Rev && !r.Derived {
			if r.Erased || r.Bare {
				erased = erased || r.Erased
				continue
			}
			payload, err := l.payload(r)
			if err != nil {
				return nil, damaged(bucketSegments, ridKey(l.rid))
			}
			origin, _, err := splitPayload(payload)
			return origin, err
		}
	}
	if erased {
		return nil, nil
	}
	origin, found, err := v.originOfSighting(l.rid, at)
	if found || err != nil {
		return origin, err
	}
	return v.originInRun(l.rid, at)
}

// replay finds the receipt of an operation that was carried out before.
func (w *writer) replay(v *view, id history.OpID) (history.Receipt, bool, error) {
	var op opRecord
	for _, t := range v.tails {
		if found, ok := t.ops[id]; ok {
			op = found
		}
	}
	if framed := v.tx.Bucket(bucketOps).Get(id[:]); op.receipt == nil && framed != nil {
		value, ok := openValue(id[:], framed)
		if !ok {
			return history.Receipt{}, false, damaged(bucketOps, id[:])
		}
		d := decoder{b: value}
		op = opRecord{id, history.Moment(d.varint()), d.rest()}
	}
	if op.receipt == nil || !plan.Remembers(op.at, w.now) {
		return history.Receipt{}, false, nil
	}
	d := decoder{b: op.receipt}
	r := d.receipt(w.s.lineage)
	if d.short {
		return r, false, damaged(bucketOps, id[:])
	}
	return r, true, nil
}

func asError(err error) *history.Error {
	var e *history.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
