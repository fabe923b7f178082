// Package memory is a history.Store in plain maps and slices: the model that
// the durable backends are compared with, and a store for tests. It keeps
// everything that is not pruned, erased or folded, and forgets it when the
// process ends.
package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// Options of a store; the zero value works.
type Options struct {
	Now         func() time.Time // default time.Now
	FutureSlack time.Duration    // how far ahead of Now a capture may lie; default 5 minutes
	StoreID     [16]byte
	Linker      history.Linker // nil: no links
}

// Store is safe for concurrent use.
type Store struct {
	o       Options
	lineage history.Lineage

	mu        sync.RWMutex
	closed    bool
	arrived   chan struct{} // closed and renewed by every commit
	head      plan.Stamp
	commits   []plan.Stamp // of every commit, in order
	keys      []history.Key
	resources map[history.Key]*resource
	runs      map[history.RunID]*run
	opened    []*run // in order of opening
	ops       map[history.OpID]operation
	feed      []history.Change // those after floors.Seq
	floors    history.Floors
	recorded  uint64 // resources ever
	documents documents
	unwritten uint64
}

// resource is everything about one key.
type resource struct {
	key history.Key
	plan.Timeline
	contents map[uint32]content               // by version number
	origins  map[plan.Sighting]history.Origin // of sightings
}

// operation is what an operation id stands for.
type operation struct {
	at      history.Moment
	receipt history.Receipt
}

type content struct {
	bytes  []byte
	origin history.Origin
}

type run struct {
	history.Run
	seen map[history.Key]bool
}

// New returns an empty store.
func New(o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.FutureSlack == 0 {
		o.FutureSlack = plan.DefaultFutureSlack
	}
	return &Store{
		o:         o,
		lineage:   history.Lineage{StoreID: o.StoreID, Incarnation: 1},
		arrived:   make(chan struct{}),
		resources: map[history.Key]*resource{},
		runs:      map[history.RunID]*run{},
		ops:       map[history.OpID]operation{},
	}
}

// Append implements history.Store.
func (s *Store) Append(ctx context.Context, b history.Batch) (history.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return history.Receipt{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return history.Receipt{}, errClosed
	}
	now := s.now()
	if op, ok := s.ops[b.Op]; ok && plan.Remembers(op.at, now) && b.Op != (history.OpID{}) {
		return copyReceipt(op.receipt), nil
	}
	var in *run
	if b.Run != "" {
		if in = s.runs[b.Run]; in == nil {
			return history.Receipt{}, noRun(b.Run)
		}
		if err := plan.Joins(&in.Run, now); err != nil {
			return history.Receipt{}, err
		}
		in.Refused += uint64(b.Refused)
	}

	receipt := history.Receipt{Results: make([]history.Result, len(b.Observations))}
	for i, o := range b.Observations {
		result, err := s.record(o, in, now)
		if err != nil {
			result = history.Result{Err: err}
			if in != nil {
				in.Refused++
			}
		}
		receipt.Results[i] = result
	}
	receipt.Revision, receipt.Position = s.head.Revision, s.end()
	if b.Op != (history.OpID{}) {
		s.ops[b.Op] = operation{now, copyReceipt(receipt)}
	}
	s.commit()
	return receipt, nil
}

// record takes one observation.
func (s *Store) record(o history.Observation, in *run, now history.Moment) (history.Result, error) {
	var open *history.Run
	if in != nil {
		open = &in.Run
		o.Origin.Run = in.ID
	}
	if err := plan.Admit(&o, open, now, s.o.FutureSlack); err != nil {
		return history.Result{}, err
	}
	if err := plan.Takes(&s.floors, &o); err != nil {
		return history.Result{}, err
	}
	if o.Complete != nil {
		var err error
		if o.State, err = o.Complete(); err != nil {
			return history.Result{}, err
		}
	}
	bytes := o.State.AppendContent(nil)
	o.Origin.Extras = slices.Clone(o.Origin.Extras)
	stamp := plan.Stamp{Revision: s.head.Revision + 1, RecordedAt: now}
	res := s.resources[o.Key]
	if res == nil {
		res = &resource{key: o.Key, contents: map[uint32]content{}, origins: map[plan.Sighting]history.Origin{}}
	}
	out, err := plan.Observe(res.Window(o.CapturedAt, s.gone(o.Key)), plan.Evidence{
		At: o.CapturedAt, Hash: history.HashContent(bytes), Deleted: o.State.Deleted,
		Status: o.State.Status, Expect: o.Expect,
	}, stamp)
	if err != nil {
		return history.Result{}, err
	}

	s.head = stamp
	if s.resources[o.Key] == nil {
		s.resources[o.Key] = res
		s.recorded++
		i, _ := slices.BinarySearchFunc(s.keys, o.Key, history.Key.Compare)
		s.keys = slices.Insert(s.keys, i, o.Key)
	}
	if in != nil {
		in.Observed++
		in.seen[o.Key] = true
	}
	if out.Sighting {
		at := plan.Sighting{At: o.CapturedAt, Rev: stamp.Revision}
		res.Sightings = append(res.Sightings, at)
		if res.origins[at] = o.Origin; in != nil {
			res.origins[at] = history.Origin{Run: in.ID} // a run packs its sightings
		}
	}
	s.apply(res, out, stamp, content{bytes, o.Origin})

	result := history.Result{
		Unchanged: len(out.Changes) == 0, Version: out.Version, CapturedAt: out.Start, Revision: stamp.Revision,
	}
	if !result.Unchanged {
		result.Kind, result.Late = out.Changes[0].Kind, out.Changes[0].Late
		result.Seq = s.seq() - history.Seq(len(out.Changes)) + 1
	}
	return result, nil
}

// apply carries an outcome out.
func (s *Store) apply(res *resource, out plan.Outcome, stamp plan.Stamp, own content) {
	for _, n := range out.Close {
		res.CloseRow(n, stamp.Revision)
	}
	for _, n := range out.Open {
		row := n.Row
		res.Insert(&row)
		switch n.Source {
		case plan.FromObservation:
			res.contents[n.Number] = own
		case plan.FromRow:
			if bytes := res.like(n.Like, n.Hash); bytes != nil {
				res.contents[n.Number] = content{bytes, res.origin(n.Start, n.Rank)}
			} else {
				row.Erased = true
			}
		case plan.FromAbsence:
			res.contents[n.Number] = content{plan.Absence.AppendContent(nil), history.Origin{}}
		}
	}
	for _, c := range out.Changes {
		seq := s.seq() + 1
		s.feed = append(s.feed, history.Change{
			Seq: seq, Position: s.lineage.Position(seq), Revision: stamp.Revision, RecordedAt: stamp.RecordedAt,
			Kind: c.Kind, Late: c.Late, Key: res.key, Version: c.Version, CapturedAt: c.Start,
		})
	}
}

// like is the content of a version, or of another of the same hash if it was
// erased; nil if there is none.
func (r *resource) like(number uint32, hash history.Hash) []byte {
	if c, ok := r.contents[number]; ok {
		return c.bytes
	}
	for _, row := range r.Rows {
		if c, ok := r.contents[row.Number]; ok && row.Hash == hash {
			return c.bytes
		}
	}
	return nil
}

// origin is where the evidence of a place in the timeline came from; where
// every version that begins with it was erased, nobody knows.
func (r *resource) origin(start history.Moment, rank history.Revision) history.Origin {
	erased := false
	for _, row := range r.Rows {
		if row.Start == start && row.Rank == rank && !row.Derived {
			if c, ok := r.contents[row.Number]; ok {
				return c.origin
			}
			erased = erased || row.Erased
		}
	}
	if erased {
		return history.Origin{}
	}
	return r.origins[plan.Sighting{At: start, Rev: rank}]
}

// gone tells which completed runs missed a key.
func (s *Store) gone(k history.Key) plan.Gone {
	return func(after, before history.Moment) []history.Moment {
		var list []history.Moment
		for _, r := range s.opened {
			if r.State == history.RunComplete && r.Moment > after && r.Moment < before && r.Moment >= s.floors.Of(k.Type) &&
				r.Scope.Covers(k) && !r.seen[k] {
				list = append(list, r.Moment)
			}
		}
		slices.Sort(list)
		return list
	}
}

// now is the wall clock, held so that it never runs backwards.
func (s *Store) now() history.Moment {
	return max(history.MomentOf(s.o.Now()), s.head.RecordedAt)
}

// seq is that of the newest change.
func (s *Store) seq() history.Seq { return s.floors.Seq + history.Seq(len(s.feed)) }

// Lineage implements history.Descendant.
func (s *Store) Lineage() history.Lineage { return s.lineage }

func (s *Store) end() history.Position { return s.lineage.Position(s.seq()) }

func (s *Store) commit() {
	s.commits = append(s.commits, s.head)
	close(s.arrived)
	s.arrived = make(chan struct{})
}

// AsOf implements history.Store.
func (s *Store) AsOf(_ context.Context, at history.At) (history.Reader, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, errClosed
	}
	switch {
	case at.Known > s.head.Revision:
		return nil, plan.Ahead(at.Known, s.head.Revision)
	case at.Known == 0:
		at.Known = s.head.Revision
	}
	if at.Captured == 0 {
		at.Captured = history.Newest
	}
	if err := plan.Reads(&s.floors, at); err != nil {
		return nil, err
	}
	return &reader{s, at}, nil
}

// KnownAt implements history.Store.
func (s *Store) KnownAt(_ context.Context, recorded history.Moment) (history.Revision, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return 0, errClosed
	}
	if err := plan.Recalls(&s.floors, recorded); err != nil {
		return 0, err
	}
	return s.knownAt(recorded).Revision, nil
}

func (s *Store) knownAt(recorded history.Moment) plan.Stamp {
	i := sort.Search(len(s.commits), func(i int) bool { return s.commits[i].RecordedAt > recorded })
	if i == 0 {
		return plan.Stamp{}
	}
	return s.commits[i-1]
}

// Changes implements history.Store.
func (s *Store) Changes(ctx context.Context, after history.Position, limit int, wait time.Duration) ([]history.Change, history.Position, error) {
	timeout := time.After(wait)
	for {
		s.mu.RLock()
		seq, err := s.lineage.Seq(after, s.seq())
		if err == nil {
			seq, err = plan.Resumes(&s.floors, after, seq)
		}
		arrived, closed := s.arrived, s.closed
		var list []history.Change
		if err == nil {
			kept := s.feed[seq-s.floors.Seq:]
			list = slices.Clone(kept[:min(len(kept), limit)])
		}
		s.mu.RUnlock()
		switch {
		case closed:
			return nil, "", errClosed
		case err != nil:
			return nil, "", err
		case len(list) > 0:
			return list, list[len(list)-1].Position, nil
		case wait <= 0:
			return nil, s.lineage.Position(seq), nil
		}
		select {
		case <-arrived:
		case <-timeout:
			wait = 0
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
	}
}

// PositionAt implements history.Store.
func (s *Store) PositionAt(_ context.Context, recorded history.Moment) (history.Position, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return "", errClosed
	}
	i, _ := slices.BinarySearchFunc(s.feed, recorded, func(c history.Change, m history.Moment) int {
		return cmp.Compare(c.RecordedAt, m)
	})
	return s.lineage.Position(s.floors.Seq + history.Seq(i)), nil
}

// Head implements history.Store.
func (s *Store) Head(context.Context) (history.Head, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return history.Head{}, errClosed
	}
	return history.Head{
		StoreID: s.lineage.StoreID, Revision: s.head.Revision, RecordedAt: s.head.RecordedAt,
		Position: s.end(), Resources: s.recorded,
	}, nil
}

// Close implements history.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.unwritten++
		close(s.arrived)
	}
	return nil
}

var errClosed = history.Errorf(history.Unavailable, "the store is closed")

func copyReceipt(r history.Receipt) history.Receipt {
	r.Results = slices.Clone(r.Results)
	return r
}

func copyState(s history.State) history.State {
	s.Tags = maps.Clone(s.Tags)
	s.Supplementary = maps.Clone(s.Supplementary)
	for k, v := range s.Supplementary {
		s.Supplementary[k] = slices.Clone(v)
	}
	s.Relationships = slices.Clone(s.Relationships)
	s.Configuration = slices.Clone(s.Configuration)
	return s
}
