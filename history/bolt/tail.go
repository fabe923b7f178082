package bolt

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// tail is part of the log in memory, by resource. There are up to four: the
// active one takes what commits bring, the merging one is being carried into
// the other buckets, one is held of what cannot be merged, and the writer's pending
// one becomes part of the active one when its commit is durable. What is in a tail is never changed, only
// added to.
type tail struct {
	base        history.Revision // newest when the tail began
	first, last uint64           // commits; first 0: empty
	end         mark             // where the store stands after the last
	resources   map[rid]*tailResource
	changed     ridSet              // of resources, those with rows or closes
	names       map[history.Key]rid // resources first recorded here
	keys        map[rid]history.Key
	sorting     sync.Mutex
	sorted      []history.Key // of names, made when asked for; under sorting
	changes     []change      // dense
	clock       []plan.Stamp  // one per commit
	runs        map[runNo]*runRecord
	sights      map[runNo]*sightSet // by run; 0: those in none
	origins     origins             // of those in none
	ops         map[history.OpID]opRecord
	records     int
	sighted     int // of the records, sightings
	bytes       int
	linked      tailTerms
}

// tailResource is what a tail holds of one resource.
type tailResource struct {
	rows   []tailRow
	closes []tailClose
}

type tailRow struct {
	commit uint64
	row
	links *linkSet
}

type tailClose struct {
	commit   uint64
	number   uint32
	revision history.Revision
}

func newTail() *tail {
	return &tail{
		resources: map[rid]*tailResource{},
		names:     map[history.Key]rid{},
		keys:      map[rid]history.Key{},
		runs:      map[runNo]*runRecord{},
		sights:    map[runNo]*sightSet{},
		ops:       map[history.OpID]opRecord{},
	}
}

// weight is how many records a tail is worth to the merger: of sightings more are
// to come, since each merge writes whole blocks of them anew.
func (t *tail) weight() int { return t.records - t.sighted + t.sighted/4 }

func (t *tail) resource(r rid) *tailResource {
	res := t.resources[r]
	if res == nil {
		res = &tailResource{}
		t.resources[r] = res
	}
	t.records++
	return res
}

func (t *tail) addResource(r rid, k history.Key) {
	t.names[k], t.keys[r] = r, k
	t.records++
}

// absorb adds what a commit brought.
func (t *tail) absorb(p *tail) {
	if t.first == 0 {
		t.first = p.first
	}
	t.last, t.end = p.last, p.end
	for r, from := range p.resources {
		t.changed.add(r)
		t.linked.news = append(t.linked.news, r)
		to := t.resources[r]
		if to == nil {
			t.resources[r] = from
			continue
		}
		to.rows = append(to.rows, from.rows...)
		to.closes = append(to.closes, from.closes...)
	}
	for k, r := range p.names {
		t.names[k], t.keys[r] = r, k
	}
	t.absorbSightings(p)
	for n, r := range p.runs {
		t.runs[n] = r
	}
	for id, op := range p.ops {
		t.ops[id] = op
	}
	t.changes = append(t.changes, p.changes...)
	t.clock = append(t.clock, p.clock...)
	t.records += p.records
	t.sighted += p.sighted
	t.bytes += p.bytes
}

// sortedNames lists the tail's new resources in key order. Resources are only
// ever added, so that their number tells whether the list is current.
func (t *tail) sortedNames() []history.Key {
	t.sorting.Lock()
	defer t.sorting.Unlock()
	if len(t.sorted) != len(t.names) {
		list := make([]history.Key, 0, len(t.names))
		for k := range t.names {
			list = append(list, k)
		}
		slices.SortFunc(list, history.Key.Compare)
		t.sorted = list
	}
	return t.sorted
}

// appendRecords writes a pending tail as the records of a log value.
func (t *tail) appendRecords(b []byte) []byte {
	kind := func(k recordKind, r uint64) {
		b = append(b, byte(k))
		b = binary.AppendUvarint(b, r)
	}
	for _, r := range sortedKeys(t.keys) {
		k := t.keys[r]
		kind(recResource, uint64(r))
		b = appendBytes(appendBytes(appendBytes(appendBytes(b, k.Account), k.Region), k.Type), k.ID)
	}
	for _, r := range sortedKeys(t.resources) {
		res := t.resources[r]
		for i := range res.rows {
			kind(recRow, uint64(r))
			b = appendRow(b, &res.rows[i].Row, &plan.Row{})
			b = appendBytes(b, res.rows[i].body)
		}
		for _, c := range res.closes {
			kind(recClose, uint64(r))
			b = binary.AppendUvarint(b, uint64(c.number))
			b = binary.AppendUvarint(b, uint64(c.revision))
		}
	}
	for i := range t.changes {
		kind(recChange, uint64(t.changes[i].seq))
		b = t.changes[i].append(b, &change{})
	}
	for _, r := range t.runs {
		b = r.append(append(b, byte(recRun)))
	}
	b = t.appendSightings(b)
	for _, op := range t.ops {
		b = append(b, byte(recOp))
		b = append(b, op.id[:]...)
		b = binary.AppendVarint(b, int64(op.at))
		b = appendBytes(b, op.receipt)
	}
	return b
}

// readRecords reads the records of one log value back.
func (t *tail) readRecords(m mark, b []byte) error {
	if t.first == 0 {
		t.first = m.commit
	}
	t.last, t.end = m.commit, m
	t.clock = append(t.clock, m.stamp())
	t.bytes += len(b)
	for d := (decoder{b: b}); d.more(); {
		if err := t.readRecord(m, &d); err != nil {
			return err
		}
	}
	return nil
}

// readRecord reads one of them.
func (t *tail) readRecord(m mark, d *decoder) error {
	switch recordKind(d.byte()) {
	case recResource:
		r := rid(d.uvarint())
		t.addResource(r, history.Key{Account: d.string(), Region: d.string(), Type: d.string(), ID: d.string()})
	case recRow:
		r := rid(d.uvarint())
		res := t.resource(r)
		t.changed.add(r)
		res.rows = append(res.rows, tailRow{m.commit, row{Row: d.aloneRow(), body: slices.Clone(d.bytes())}, &linkSet{}})
		t.linked.news = append(t.linked.news, r)
	case recClose:
		r := rid(d.uvarint())
		res := t.resource(r)
		t.changed.add(r)
		res.closes = append(res.closes, tailClose{m.commit, uint32(d.uvarint()), history.Revision(d.uvarint())})
	case recSighting:
		r, s := rid(d.uvarint()), plan.Sighting{At: history.Moment(d.uvarint()), Rev: history.Revision(d.uvarint())}
		t.addSighting(0, r, s, slices.Clone(d.bytes()))
	case recChange:
		seq := history.Seq(d.uvarint())
		t.changes = append(t.changes, d.change(&change{seq: seq - 1}))
		t.records++
	case recRun:
		r := d.run()
		t.runs[r.no] = &r
	case recSeen:
		n := runNo(d.uvarint())
		t.addSighting(n, rid(d.uvarint()), plan.Sighting{At: history.Moment(d.uvarint()), Rev: history.Revision(d.uvarint())}, nil)
	case recSightings:
		t.readSightings(d)
	case recOp:
		op := opRecord{id: history.OpID(d.take16()), at: history.Moment(d.varint())}
		op.receipt = slices.Clone(d.bytes())
		t.ops[op.id] = op
	default:
		return errShort
	}
	return d.err()
}

func (d *decoder) take16() (v [16]byte) {
	copy(v[:], d.take(16))
	return v
}

// ridSet is a set of resources, a bit for each.
type ridSet []uint64

func (s *ridSet) add(r rid) {
	if n := int(r / 64); n >= len(*s) {
		*s = append(*s, make([]uint64, n+1-len(*s))...)
	}
	(*s)[r/64] |= 1 << (r % 64)
}

func (s ridSet) has(r rid) bool { return int(r/64) < len(s) && s[r/64]&(1<<(r%64)) != 0 }

func (s ridSet) remove(r rid) {
	if int(r/64) < len(s) {
		s[r/64] &^= 1 << (r % 64)
	}
}

// union adds the resources of another set.
func (s *ridSet) union(o ridSet) {
	if len(o) > len(*s) {
		*s = append(*s, make([]uint64, len(o)-len(*s))...)
	}
	for i, w := range o {
		(*s)[i] |= w
	}
}

// each calls f with the resources of the set in order until it returns an error.
func (s ridSet) each(f func(rid) error) error {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			if err := f(rid(64*i + bits.TrailingZeros64(w))); err != nil {
				return err
			}
		}
	}
	return nil
}

func sortedKeys[K ~uint32, V any](m map[K]V) []K {
	list := make([]K, 0, len(m))
	for r := range m {
		list = append(list, r)
	}
	slices.Sort(list)
	return list
}
