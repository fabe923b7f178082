package bolt

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// left is what is left of a resource.
type left struct {
	rid       rid
	of        grouped
	key       history.Key // where the log knows it
	named     bool
	rows      []leftRow // by number
	last      uint32    // highest number given, as far as known
	sightings []sightEntry
}

// leftRow is a row that is lost unless it has a payload, or needs none.
type leftRow struct {
	plan.Row
	payload []byte
	lost    bool // now
	origin  bool // its origin is, now
}

func (l *left) row(number uint32) *leftRow {
	i, ok := slices.BinarySearchFunc(l.rows, number, func(r leftRow, n uint32) int { return cmp.Compare(r.Number, n) })
	if !ok {
		return nil
	}
	return &l.rows[i]
}

// add adds a row unless its number is there.
func (l *left) add(r leftRow) {
	i, ok := slices.BinarySearchFunc(l.rows, r.Number, func(r leftRow, n uint32) int { return cmp.Compare(r.Number, n) })
	if !ok && r.Number != 0 {
		l.rows = slices.Insert(l.rows, i, r)
		l.last = max(l.last, r.Number)
	}
}

// addLost adds a row of which everything but the content is known, or part of it.
func (l *left) addLost(r plan.Row) {
	r.Erased, r.Lost, r.Bare = true, r.Lost || !r.Erased, false
	l.add(leftRow{Row: r, lost: true})
}

// settle checks what a row holds, and makes a tombstone of one that lost it.
func (r *leftRow) settle(payload []byte, err error) {
	if r.Erased || r.Bare {
		return
	}
	if err == nil {
		err = wholePayload(&r.Row, payload)
	}
	if r.payload = payload; err != nil {
		r.payload, r.Erased, r.Lost, r.lost = nil, true, true, true
	}
}

// lacks are the numbers that no row has.
func (l *left) lacks() map[uint32]bool {
	lacks := map[uint32]bool{}
	for n := uint32(1); n <= l.last && len(l.rows) < int(l.last); n++ {
		if l.row(n) == nil {
			lacks[n] = true
		}
	}
	return lacks
}

// highest is the highest number given, which no row may have if some were pruned or
// are lost.
func (l *left) highest(f *floors) (n uint32) {
	for i := range l.rows {
		if f.any() || l.rows[i].Lost {
			return l.last
		}
		n = max(n, l.rows[i].Number)
	}
	return n
}

// headLeft is a head with the resource's key in it.
type headLeft struct {
	head
	grouped
}

// byRid takes what belongs to one resource after the other from a bucket.
type byRid[T any] struct {
	next func() (rid, T, bool)
	stop func()
	rid  rid // of value; none: no more
	v    T
}

const noRid = rid(math.MaxUint32)

func newByRid[T any](seq iter.Seq2[rid, T]) *byRid[T] {
	b := &byRid[T]{}
	b.next, b.stop = iter.Pull2(seq)
	b.advance()
	return b
}

func (b *byRid[T]) advance() {
	var ok bool
	if b.rid, b.v, ok = b.next(); !ok {
		b.rid = noRid
	}
}

// take returns what there is of a resource. What stands too late to be in its order
// is passed over.
func (b *byRid[T]) take(r rid) (list []T) {
	for ; b.rid <= r && b.rid != noRid; b.advance() {
		if b.rid == r {
			list = append(list, b.v)
		}
	}
	return list
}

func (s *salvage) heads() iter.Seq2[rid, headLeft] {
	return func(yield func(rid, headLeft) bool) {
		for k, framed := range s.from.values(bucketHeads) {
			d := decoder{b: framed[4:]}
			h, n, id := d.head()
			if !d.short && !yield(parseRid(k), headLeft{h, grouped{n, string(id)}}) {
				return
			}
		}
	}
}

// segmentLeft is a segment, of which a doubtful one has a checksum that does not
// match.
type segmentLeft struct {
	segment
	doubtful bool
}

func (s *salvage) segments() iter.Seq2[rid, segmentLeft] {
	return func(yield func(rid, segmentLeft) bool) {
		last, doubtful := rid(0), []rescued(nil) // the last key, and what has to lie between it and the next
		flush := func(next rid) bool {
			for _, e := range doubtful {
				rows, err := parseRows(nil, e.v[4:])
				if r := parseRid(e.k); err == nil && r >= last && r <= next {
					if last = r; !yield(r, segmentLeft{rows, true}) {
						return false
					}
				}
			}
			doubtful = nil
			return true
		}
		for e := range s.from.each(string(bucketSegments)) {
			key, value, whole := s.from.open(string(bucketSegments), &e)
			if !whole {
				s.from.lost[string(bucketSegments)] = true
				if keyFits(string(bucketSegments), e.k) && len(e.v) > 4 {
					doubtful = append(doubtful, e)
				}
				continue
			}
			if parseRid(key) < last {
				s.from.disordered(string(bucketSegments))
				continue
			}
			if !flush(parseRid(key)) {
				return
			}
			last = parseRid(key)
			if rows, err := parseRows(nil, value[4:]); err == nil && !yield(last, segmentLeft{rows, false}) {
				return
			}
		}
		flush(noRid)
	}
}

func (s *salvage) spans() iter.Seq2[rid, []byte] {
	return func(yield func(rid, []byte) bool) {
		for k, framed := range s.from.values(bucketSpans) {
			block, err := openSpans(k, framed)
			if err != nil {
				continue
			}
			first := parseRid(k) * spanSlots
			for r := first; r < first+spanSlots; r++ {
				if entry := block.entry(r); len(entry) > 0 && !yield(r, entry) {
					return
				}
			}
		}
	}
}

func (s *salvage) sightings() iter.Seq2[rid, sightEntry] {
	return func(yield func(rid, sightEntry) bool) {
		for k, framed := range s.from.values(bucketSightings) {
			list, err := new(sightReader).decode(k, framed)
			if err != nil {
				continue
			}
			for _, e := range list {
				if !yield(e.rid, e) {
					return
				}
			}
		}
	}
}

// resources puts together what is left of each resource, in order.
func (s *salvage) resources(ctx context.Context, f func(*left) error) error {
	heads, segments, spans, sightings := newByRid(s.heads()), newByRid(s.segments()), newByRid(s.spans()), newByRid(s.sightings())
	defer heads.stop()
	defer segments.stop()
	defer spans.stop()
	defer sightings.stop()
	others := sortedKeys(s.names) // those that no head may lead to
	for _, list := range [][]rid{sortedKeys(s.log.resources), sortedKeys(s.log.keys)} {
		others = append(others, list...)
	}
	slices.Sort(others)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		l := &left{rid: min(heads.rid, segments.rid, spans.rid)}
		if len(others) > 0 {
			l.rid = min(l.rid, others[0])
		}
		if l.rid == noRid {
			return nil
		}
		for len(others) > 0 && others[0] == l.rid {
			others = others[1:]
		}
		s.assemble(l, heads.take(l.rid), segments.take(l.rid), spans.take(l.rid))
		l.sightings = append(sightings.take(l.rid), s.recentSightings(l.rid)...)
		if err := f(l); err != nil {
			return err
		}
	}
}

// assemble puts the rows of a resource together: those of the segments, those of the
// log, then what others know of those that are missing.
func (s *salvage) assemble(l *left, heads []headLeft, segments []segmentLeft, entries [][]byte) {
	l.of, l.named = s.names[l.rid]
	for _, h := range heads {
		l.of, l.named, l.last = h.grouped, true, h.last
	}
	if k, ok := s.log.keys[l.rid]; ok {
		l.key, l.named = k, true
	}
	spans := l.readSpans(entries)
	for _, seg := range segments {
		with := unpacker{segment: seg.segment, with: &s.dicts}
		for i := range seg.segment {
			r := leftRow{Row: seg.segment[i].Row}
			if !r.Erased && !r.Bare {
				r.settle(with.payload(i))
			}
			if !seg.doubtful || r.trust(spans, s.recordedAt(r.Opened)) {
				l.add(r)
			}
		}
	}
	s.addRecent(l)
	for _, h := range heads {
		l.addLost(h.newest)
	}
	for _, r := range spans {
		l.addLost(plan.Row{
			Number: r.number, Start: r.start, Rank: r.rank, Opened: r.opened, Closed: r.closed, Deleted: r.deleted,
			RecordedAt: s.recordedAt(r.opened),
		})
	}
	for _, n := range sortedKeys(s.feed[l.rid]) {
		l.addLost(s.feed[l.rid][n])
	}
	if recent := s.log.resources[l.rid]; recent != nil {
		for _, c := range recent.closes {
			if r := l.row(c.number); r != nil && r.Closed == 0 {
				r.Closed = c.revision
			}
		}
	}
}

// readSpans reads what the spans say of the resource: of its group as well, where
// nothing else names it.
func (l *left) readSpans(entries [][]byte) (list []span) {
	for _, entry := range entries {
		n, rows := openEntry(entry)
		if !l.named {
			l.of.groupNo = n
		}
		for r, ok := rows.next(); ok; r, ok = rows.next() {
			list = append(list, *r)
		}
	}
	return list
}

// trust reports whether a row is to be believed that stands in a segment whose
// checksum does not match: its content has the hash it should have, and the spans say
// the same of it. Its origin is dropped, which no hash covers.
func (r *leftRow) trust(spans []span, recordedAt history.Moment) bool {
	if r.payload == nil || !slices.Contains(spans, spanOf(&row{Row: r.Row})) {
		return false
	}
	_, content, err := splitPayload(r.payload)
	r.payload, r.origin = append([]byte{0}, content...), !r.Derived
	if recordedAt != 0 {
		r.RecordedAt = recordedAt
	}
	return err == nil
}

// addRecent adds the rows of the log.
func (s *salvage) addRecent(l *left) {
	recent := s.log.resources[l.rid]
	if recent == nil {
		return
	}
	for i := range recent.rows {
		from := &recent.rows[i].row
		r := leftRow{Row: from.Row}
		if codecOf(from.body) != codecBase {
			r.settle(openBody(from.body, &s.dicts, nil))
			l.add(r)
			continue
		}
		number, delta, err := openBase(from)
		base := l.row(number)
		if err == nil && (base == nil || base.payload == nil) {
			err = errBody
		}
		var payload []byte
		if err == nil {
			payload, err = applyDelta(nil, base.payload, delta)
		}
		r.settle(payload, err)
		l.add(r)
	}
}

func (s *salvage) recentSightings(r rid) (list []sightEntry) {
	s.log.sights[0].each(r, func(n *sightNote) {
		list = append(list, sightEntry{r, n.Sighting, s.log.origins.of(n.origin)})
	})
	return list
}

func (s *salvage) tellResources(ctx context.Context) error {
	clock := s.from.lostAny(bucketClock)
	err := s.resources(ctx, func(l *left) error {
		s.progress(uint64(l.rid), uint64(s.header.mark.rids))
		if len(l.rows) == 0 {
			return s.nothingLeft(l)
		}
		if clock {
			for i := range l.rows {
				if l.rows[i].RecordedAt == 0 {
					continue
				}
				s.rowClock = append(s.rowClock, plan.Stamp{RecordedAt: l.rows[i].RecordedAt, Revision: l.rows[i].Opened})
			}
		}
		return s.tellResource(l)
	})
	if len(s.sighted) > 0 {
		s.report(Loss{What: LostSightings, Text: "sightings of resources that are not known"})
	}
	return err
}

// keyOf is the key of a resource; one that is lost gets an id that says so.
func (s *salvage) keyOf(l *left) history.Key {
	if l.key != (history.Key{}) {
		return l.key
	}
	if !l.named {
		l.of.id = fmt.Sprintf("lost-%d", l.rid)
	}
	return s.key(l.of)
}

func (s *salvage) nothingLeft(l *left) error {
	if l.named {
		s.report(Loss{What: LostContent, Key: s.keyOf(l), Text: "all versions"})
	}
	return nil
}

func (s *salvage) tellResource(l *left) error {
	k := s.keyOf(l)
	if !l.named {
		s.report(Loss{What: LostName, Key: k, Text: "the id: it is now called that"})
	}
	if err := s.to.resource(l.rid, k); err != nil {
		return err
	}
	s.told.add(l.rid)
	slices.SortFunc(l.sightings, func(a, b sightEntry) int { return a.compare(&b) })
	for i := range l.sightings {
		e := &l.sightings[i]
		if i > 0 && e.compare(&l.sightings[i-1]) == 0 {
			continue // it was being merged
		}
		if err := s.to.sighting(e.Sighting, e.origin); err != nil {
			return err
		}
	}
	if s.sighted[l.rid] {
		delete(s.sighted, l.rid)
		s.report(Loss{What: LostSightings, Key: k, Text: "some sightings, and perhaps some of the resources recorded next: they may have been last seen later than the store says"})
	}
	var lost, origins []uint32
	for i := range l.rows {
		if l.rows[i].lost {
			lost = append(lost, l.rows[i].Number)
		} else if l.rows[i].origin {
			origins = append(origins, l.rows[i].Number)
		}
	}
	if len(origins) > 0 {
		s.report(Loss{What: LostOrigin, Key: k, Text: "where " + versionList(origins) + " came from, and who made the change; the content is whole"})
	}
	if len(lost) > 0 {
		s.report(Loss{What: LostContent, Key: k, Text: "the content of " + versionList(lost)})
	}
	slices.SortFunc(l.rows, func(a, b leftRow) int { return a.Compare(&b.Row) })
	for i := range l.rows {
		if err := s.to.row(&l.rows[i].Row, l.rows[i].payload); err != nil {
			return err
		}
	}
	if err := s.to.resourceDone(l.highest(s.header.floors)); err != nil {
		return err
	}
	return s.to.flush()
}

// versionList reads "versions 3 to 5, 9".
func versionList(numbers []uint32) string {
	var parts []string
	for i := 0; i < len(numbers); {
		n := i + 1
		for n < len(numbers) && numbers[n] == numbers[n-1]+1 {
			n++
		}
		if part := fmt.Sprint(numbers[i]); n == i+1 {
			parts = append(parts, part)
		} else {
			parts = append(parts, fmt.Sprint(part, " to ", numbers[n-1]))
		}
		i = n
	}
	if len(numbers) == 1 {
		return "version " + parts[0]
	}
	return "versions " + strings.Join(parts, ", ")
}
