package bolt

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// salvage tells what can be read of a damaged file, the log included, as it stands
// after the last commit that is there. What one value has lost another may know:
//
//	head   the names, and the resource's rows
//	name   the head
//	seg    when each version began and ended: the spans, the head, the feed
//	span   the rows
//	clock  the rows, for revisions that brought any
//
// Where nothing else knows it, the content of a version becomes a tombstone, a run
// an aborted one without a scope, and the feed begins behind the last change that
// is missing.
type salvage struct {
	from     *rescue
	to       sink
	report   func(Loss)
	progress func(done, total uint64)

	lineage   history.Lineage
	header    copyHeader
	groups    map[groupNo]history.Key
	dicts     dicts
	runs      map[runNo]*runRecord
	log       *tail
	clock     []plan.Stamp
	rowClock  []plan.Stamp                // what the rows know of it, if some is lost
	names     map[rid]grouped             // of resources whose head is lost
	sighted   map[rid]bool                // resources of which sightings are lost
	feed      map[rid]map[uint32]plan.Row // versions of which nothing but the feed may know
	told      ridSet                      // resources that were told
	floorless bool                        // it is not known whether the store was pruned
	gone      ridSet                      // resources that are told to be gone
}

func (s *salvage) run(ctx context.Context) error {
	s.from.value = s.lostValue
	s.groups, s.runs, s.names = map[groupNo]history.Key{}, map[runNo]*runRecord{}, map[rid]grouped{}
	s.sighted, s.feed, s.log = map[rid]bool{}, map[rid]map[uint32]plan.Row{}, newTail()
	if err := s.meta(); err != nil {
		return err
	}
	s.tables()
	if s.header.mark == (mark{}) { // what is merged, the heads tell
		for _, h := range s.heads() {
			s.header.mark.commit = max(s.header.mark.commit, h.merged)
		}
	}
	s.readLog()
	s.readRuns()
	s.readClock()
	if err := s.survey(ctx); err != nil {
		return err
	}
	if err := s.to.begin(&s.header); err != nil { // whose floors may still rise
		return err
	}
	for _, step := range []func(context.Context) error{
		s.tellDocuments, s.tellRuns, s.tellResources, s.tellGone, s.tellSeen, s.tellChanges, s.tellClock, s.tellOps,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return s.to.end()
}

// lostValue says what is lost with a value of which nothing else knows.
func (s *salvage) lostValue(bucket string, key []byte) {
	number := func(at, size int) (n uint64) {
		if len(key) >= at+size {
			for _, b := range key[at : at+size] {
				n = n<<8 | uint64(b)
			}
		}
		return n
	}
	lose := func(what LossKind, format string, args ...any) {
		s.from.once(Loss{What: what, Text: fmt.Sprintf(format, args...)})
	}
	switch bucket {
	case string(bucketSightings):
		s.sighted[rid(number(0, 4))] = true
	case string(bucketSeen):
		lose(LostSightings, "sightings in run number %d, which witnessed that resources were unchanged", number(0, 4))
	case string(bucketOps):
		lose(LostOperation, "the result of operation %x: if it is repeated it is carried out again", key)
	case string(bucketDocuments):
		collection, name, _ := strings.Cut(string(key), "\x00")
		lose(LostDocument, "document %q of %q", name, collection)
	case string(bucketDicts):
		lose(LostContent, "dictionary %d: what was written with it cannot be read", number(0, 4))
	}
}

// meta reads what the file says of itself.
func (s *salvage) meta() error {
	values, unknown := map[string][]byte{}, s.from.lostAny(bucketMeta)
	for e := range s.from.each(string(bucketMeta)) {
		if bytes.Equal(e.k, metaFormat) {
			if err := repairable(e.v); err != nil {
				return err
			}
			continue
		}
		key, value, ok := s.from.open(string(bucketMeta), &e)
		if ok {
			values[string(key)] = value[4:]
		}
		if !ok {
			unknown, s.from.lost[string(bucketMeta)] = true, true
		}
	}
	s.header.floors = &floors{swept: true}
	if v, ok := values[string(metaFloors)]; ok {
		d := decoder{b: v}
		s.header.floors = d.floors()
	} else {
		s.floorless = unknown
	}
	var ok bool
	if s.lineage, ok = parseLineage(values[string(metaLineage)]); !ok {
		s.lineage = history.Lineage{StoreID: uuid.New(), Incarnation: 1}
		s.report(Loss{What: LostIdentity, Text: "the id of the store: positions that it gave resume nowhere, and subscriptions have to be put again"})
	}
	d := decoder{b: values[string(metaMerged)]}
	if m := d.mark(); !d.short {
		s.header.mark = m
	}
	d = decoder{b: values[string(metaDocuments)]}
	if n := d.uvarint(); !d.short {
		s.header.documents = n
	}
	return nil
}

// repairable refuses a file of another format version. Nothing tells whether the
// version itself is damaged.
func repairable(format []byte) error {
	if len(format) != 4 {
		return nil
	}
	switch v := binary.BigEndian.Uint32(format); {
	case v > formatVersion:
		return history.Errorf(history.NewerFormat, "the store has format version %d, this program knows versions up to %d: use a newer one, "+
			"or, if none was ever used on it, that is the damage: restore a backup", v, formatVersion)
	case v < formatVersion:
		return history.Errorf(history.Unimplemented, "the store has format version %d, and only one of version %d can be repaired: "+
			"start a daemon on a copy of it, which migrates that, or, if this program has used it before, that is the damage: restore a backup", v, formatVersion)
	}
	return nil
}

// tables reads the groups and dictionaries.
func (s *salvage) tables() {
	for k, framed := range s.from.values(bucketGroups) {
		if g, ok := decodeGroup(k, framed); ok {
			s.groups[groupNo(binary.BigEndian.Uint32(k))] = g
		}
	}
	s.dicts.init()
	for k, framed := range s.from.values(bucketDicts) {
		if no, typ, d, err := decodeDict(k, framed); err == nil {
			s.dicts.add(no, typ, d)
		}
	}
}

// key is the key of a resource; one whose group is lost gets a type that says so.
func (s *salvage) key(of grouped) history.Key {
	k, ok := s.groups[of.groupNo]
	if !ok {
		k = history.Key{Type: fmt.Sprintf("Lost::Group::%d", of.groupNo)}
		s.groups[of.groupNo] = k
		s.report(Loss{What: LostName, Text: fmt.Sprintf("the account, region and type of some resources, which are now of the type %s", k.Type)})
	}
	k.ID = of.id
	return k
}

// later is the highest of each number of two marks.
func (m mark) later(o mark) mark {
	return mark{
		commit: max(m.commit, o.commit), revision: max(m.revision, o.revision), recordedAt: max(m.recordedAt, o.recordedAt),
		seq: max(m.seq, o.seq), rids: max(m.rids, o.rids), runs: max(m.runs, o.runs),
	}
}

func (s *salvage) readRuns() {
	for k, framed := range s.from.values(bucketRuns) {
		d := decoder{b: framed[4:]}
		if r := d.run(); !d.short && uint32(r.no) == binary.BigEndian.Uint32(k) {
			s.runs[r.no] = &r
		}
	}
	maps.Copy(s.runs, s.log.runs)
	for no := range s.runs {
		s.header.mark.runs = max(s.header.mark.runs, no)
	}
	if len(s.runs) == int(s.header.mark.runs) {
		return
	}
	witnessed := s.witnessed()
	for no := runNo(1); no <= s.header.mark.runs; no++ {
		if s.runs[no] == nil {
			s.runs[no] = s.lostRun(no, witnessed[no])
		}
	}
}

// lostRun stands for a run whose record is lost: aborted, so that nothing follows
// from what it did not see.
func (s *salvage) lostRun(no runNo, seen *runRecord) *runRecord {
	r := &runRecord{no: no, from: seen.from, to: seen.to, Run: history.Run{
		ID: history.RunID(fmt.Sprintf("lost-%d", no)), State: history.RunAborted, Reason: "its record was lost to damage of the store",
	}}
	r.Moment = r.from
	r.OpenedAt, r.Deadline, r.ClosedAt = r.from, r.to, r.to
	s.report(Loss{What: LostRun, Text: fmt.Sprintf("the record of run number %d, which is now %s and counts as aborted", no, r.ID)})
	return r
}

// witnessed gathers from when to when the runs saw anything.
func (s *salvage) witnessed() []*runRecord {
	list := make([]*runRecord, s.header.mark.runs+1)
	for no := range list {
		list[no] = &runRecord{}
		for _, e := range s.log.sights[runNo(no)].sorted() {
			list[no].witness(e.At)
		}
	}
	for k, framed := range s.from.values(bucketSeen) {
		if no := int(binary.BigEndian.Uint32(k)); no < len(list) {
			_ = eachSeen(k, framed, func(e seenEntry) bool { list[no].witness(e.At); return true })
		}
	}
	return list
}

func (s *salvage) readClock() {
	for k, framed := range s.from.values(bucketClock) {
		if len(framed) == 12 {
			s.clock = append(s.clock, plan.Stamp{
				RecordedAt: history.Moment(binary.BigEndian.Uint64(k)), Revision: history.Revision(binary.BigEndian.Uint64(framed[4:])),
			})
		}
	}
	s.clock = append(s.clock, s.log.clock...)
	s.sortClock()
}

func (s *salvage) sortClock() {
	slices.SortFunc(s.clock, func(a, b plan.Stamp) int {
		return cmp.Or(cmp.Compare(a.RecordedAt, b.RecordedAt), -cmp.Compare(a.Revision, b.Revision))
	})
	s.clock = slices.CompactFunc(s.clock, func(a, b plan.Stamp) bool { return a.RecordedAt == b.RecordedAt })
}

// recordedAt is when a revision was recorded; zero: that is not known.
func (s *salvage) recordedAt(rev history.Revision) history.Moment {
	if rev <= s.header.floors.Revision || s.from.lostAny(bucketClock) {
		return 0
	}
	i, _ := slices.BinarySearchFunc(s.clock, rev, func(c plan.Stamp, r history.Revision) int { return cmp.Compare(c.Revision, r) })
	if i == len(s.clock) {
		return 0
	}
	return s.clock[i].RecordedAt
}

// survey looks for what it takes to tell the resources: where the store stands, the
// names of those whose heads are lost, and what only the feed knows.
func (s *salvage) survey(ctx context.Context) error {
	var headed ridSet
	m := mark{}
	for k, framed := range s.from.values(bucketHeads) {
		d := decoder{b: framed[4:]}
		if h, _, _ := d.head(); !d.short {
			headed.add(parseRid(k))
			m.commit, m.rids = max(m.commit, h.merged), max(m.rids, parseRid(k))
			m.revision = max(m.revision, h.newest.Opened)
		}
	}
	for k, framed := range s.from.values(bucketNames) {
		r, err := openName(k, framed)
		if err == nil && !headed.has(r) {
			s.names[r] = grouped{groupNo(binary.BigEndian.Uint32(k)), string(k[4:])}
			m.rids = max(m.rids, r)
		}
	}
	for r := range s.log.resources {
		m.rids = max(m.rids, r)
	}
	for k := range s.from.values(bucketGone) {
		m.rids = max(m.rids, parseRid(k))
	}
	if n := len(s.clock); n > 0 {
		m.revision, m.recordedAt = max(m.revision, s.clock[n-1].Revision), s.clock[n-1].RecordedAt
	}
	for k, framed := range s.from.values(bucketDocuments) {
		if doc, err := openDocument(k, framed); err == nil {
			s.header.documents = max(s.header.documents, doc.Revision)
		}
	}
	s.header.mark = s.header.mark.later(m)
	return s.surveyRows(ctx)
}

// surveyRows looks for versions of which only the feed knows, and at the highest
// numbers that rows and changes have.
func (s *salvage) surveyRows(ctx context.Context) error {
	for range s.segments() { // so that it is known what is lost
	}
	for range s.from.values(bucketSpans) {
	}
	m, pruned, rows := mark{}, false, 0
	missing := map[rid]map[uint32]bool{}
	if s.from.lostAny(bucketSegments, bucketSpans, bucketHeads, bucketLog, bucketMeta) {
		err := s.resources(ctx, func(l *left) error {
			m.rids, rows = max(m.rids, l.rid), rows+len(l.rows)
			for i := range l.rows {
				m.revision = max(m.revision, l.rows[i].Opened, l.rows[i].Closed)
				m.recordedAt = max(m.recordedAt, l.rows[i].RecordedAt)
				pruned = pruned || l.rows[i].Bare
			}
			if lacks := l.lacks(); len(lacks) > 0 && !s.header.floors.any() { // else they were pruned
				missing[l.rid] = lacks
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for range s.from.values(bucketGone) {
		pruned = true
	}
	first := history.Seq(0)
	for c := range s.changes() {
		if first == 0 {
			first = c.seq
		}
		m.seq, m.revision, m.recordedAt = max(m.seq, c.seq), max(m.revision, c.revision), max(m.recordedAt, c.recordedAt)
		if missing[c.rid][c.version] {
			if s.feed[c.rid] == nil {
				s.feed[c.rid] = map[uint32]plan.Row{}
			}
			s.feed[c.rid][c.version] = plan.Row{
				Number: c.version, Start: c.start, Rank: c.revision, Opened: c.revision, RecordedAt: c.recordedAt, Deleted: c.kind == history.Deleted,
			}
		}
	}
	if s.floorless && (pruned || first != 1 && rows > 0) {
		return history.Errorf(history.DataLoss, "how far the store was pruned cannot be read, and so what it may answer: restore a backup")
	}
	s.header.mark = s.header.mark.later(m)
	return nil
}

// lostAny reports whether anything of some buckets is lost.
func (r *rescue) lostAny(buckets ...[]byte) bool {
	return slices.ContainsFunc(buckets, func(b []byte) bool { return r.lost[string(b)] }) || r.lost[""]
}

// changes hands out what is left of the feed, in order, each change once.
func (s *salvage) changes() iter.Seq[change] {
	return func(yield func(change) bool) {
		last := history.Seq(0)
		hand := func(list []change) bool {
			for _, c := range list {
				if c.seq > last {
					if last = c.seq; !yield(c) {
						return false
					}
				}
			}
			return true
		}
		for k, framed := range s.from.values(bucketFeed) {
			if list, err := decodeFeedBlock(k, framed); err == nil && !hand(list) {
				return
			}
		}
		hand(s.log.changes)
	}
}
