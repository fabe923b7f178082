package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// Of a file that is built: how full its pages become, how much one transaction
// takes, how many names and entries of a run's set are held back so that they are
// written in order, and how many resources' names that may be.
const (
	buildFill  = 0.95
	buildBytes = 8 << 20
	buildNames = 48 << 20
	buildSeen  = 1 << 20
)

// buildHeld is how much of a file that is built is held back until there are
// dictionaries to write it with: the more there is to choose from, the better
// they are. Tests take less.
var buildHeld = 64 << 20

// builder is the sink that writes a fresh file, all of it merged: segments
// packed, keys in order, pages full. The file has no meta values, and so cannot
// be opened as a store, until it is complete; the disk is waited for once, at
// the end.
type builder struct {
	db     *bolt.DB
	path   string
	h      copyHeader
	counts copyCounts

	writes puts
	bytes  int // of writes
	names  puts
	named  int // bytes of names

	groups  map[history.Key]groupNo
	dicts   dicts
	held    []func() // what waits for dictionaries, in order
	heldFor int      // bytes in it

	// Of the resource that is told.
	typ   string
	first bool // no row of it was told yet

	// Of the one that is packed, which may be one told long before.
	rid    rid
	group  groupNo
	key    history.Key
	head   head
	rows   []span
	seg    segment
	before []byte // payload of the last row of seg; nil: there is none
	size   int    // of the bodies of seg

	blockOf rid // first of the block of spans under way
	block   map[rid][]byte

	sights []sightEntry // not yet in blocks

	seenRun  runNo
	seenPart uint64
	entries  []seenEntry
	feed     []change
}

// newBuilder makes a file, replacing what is there.
func newBuilder(path string) (*builder, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		NoSync: true, NoGrowSync: true, FreelistType: bolt.FreelistMapType, InitialMmapSize: 1 << 30,
	})
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range allBuckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	b := &builder{db: db, path: path, groups: map[history.Key]groupNo{}, block: map[rid][]byte{}}
	b.dicts.init()
	return b, nil
}

func (b *builder) add(bucket, key, value []byte) {
	b.writes.add(bucket, key, value)
	b.bytes += len(key) + len(value)
}

func (b *builder) begin(h *copyHeader) error {
	b.h = *h
	return nil
}

func (b *builder) document(d *history.Document) error {
	b.counts.documents++
	key := documentKey(d.Collection, d.Name)
	b.add(bucketDocuments, key, frontDocument(key, sealDocument(d.Body), d.Revision))
	return nil
}

func (b *builder) run(r *runRecord) error {
	b.counts.runs++
	key := binary.BigEndian.AppendUint32(nil, uint32(r.no))
	b.add(bucketRuns, key, sealValue(key, r.append(nil)))
	return nil
}

// resource, sighting, row and resourceDone hold back what is packed by means of
// dictionaries until there is enough to make these of, as a merge has it.

func (b *builder) resource(r rid, k history.Key) error {
	b.counts.resources++
	group := b.groupOf(k)
	name := nameKey(group, k.ID)
	b.names.add(bucketNames, name, sealValue(name, ridKey(r)))
	b.named += len(name) + 64
	b.typ, b.first = k.Type, true
	b.hold(len(name), func() {
		b.rid, b.group, b.key, b.head, b.rows = r, group, k, head{merged: b.h.mark.commit}, nil
	})
	return nil
}

func (b *builder) groupOf(k history.Key) groupNo {
	k.ID = ""
	n := b.groups[k]
	if n == 0 {
		n = groupNo(len(b.groups) + 1)
		b.groups[k] = n
		b.add(bucketGroups, groupKey(n), sealValue(groupKey(n), appendGroup(nil, k)))
	}
	return n
}

func (b *builder) sighting(s plan.Sighting, origin []byte) error {
	b.counts.sightings++
	origin = bytes.Clone(origin)
	b.hold(len(origin), func() {
		b.sights = append(b.sights, sightEntry{b.rid, s, origin})
		if len(b.sights) >= 2*sightBlockEntries {
			b.sights = b.sightBlock(b.sights)
		}
	})
	return nil
}

// sightBlock writes the first of some sightings, and returns the others.
func (b *builder) sightBlock(list []sightEntry) []sightEntry {
	block, rest := cutSightings(list)
	key := block[0].key()
	b.add(bucketSightings, key, sealValue(key, appendSightBlock(nil, block)))
	return rest
}

func (b *builder) row(r *plan.Row, payload []byte) error {
	b.counts.rows++
	if b.first && payload != nil {
		b.first = false
		b.dicts.gather(b.typ, payload)
	}
	n := row{Row: *r}
	b.hold(len(payload), func() { b.pack(n, payload) })
	return nil
}

// hold keeps a step, with so many bytes in it.
func (b *builder) hold(bytes int, step func()) {
	const overhead = 128
	b.held, b.heldFor = append(b.held, step), b.heldFor+bytes+overhead
	if b.heldFor >= buildHeld {
		b.release()
	}
}

// release makes the dictionaries that have become due and packs what waited for
// them.
func (b *builder) release() {
	made := b.dicts.make()
	for _, m := range made {
		b.add(bucketDicts, dictKey(m.no), m.value)
	}
	b.dicts.publish(made)
	for _, step := range b.held {
		step()
	}
	clear(b.held)
	b.held, b.heldFor = b.held[:0], 0
}

// pack puts a row into the segment under way.
func (b *builder) pack(n row, payload []byte) {
	if len(b.seg) > 0 && isFull(b.seg, b.size) {
		b.closeSegment()
	}
	with := packer{with: b.dicts.of(b.key.Type), smaller: true}
	switch {
	case n.Erased || n.Bare:
		n.body, payload = erasedBody, nil
	case b.before == nil:
		n.body = with.alone(payload)
	default:
		n.body = with.follow(b.before, payload)
	}
	b.rows = append(b.rows, spanOf(&n))
	b.head.seen = max(b.head.seen, evidenceAt(&n))
	if n.Closed == 0 {
		b.head.newest = n.Row
	}
	b.seg, b.before, b.size = append(b.seg, n), payload, b.size+len(n.body)
}

func (b *builder) closeSegment() {
	if len(b.seg) == 0 {
		return
	}
	key := segmentKey(b.rid, &b.seg[0].Row)
	b.add(bucketSegments, key, sealValue(key, b.seg.append(nil)))
	b.seg, b.before, b.size = nil, nil, 0
}

func (b *builder) resourceDone(last uint32) error {
	b.hold(0, func() {
		b.closeSegment()
		b.head.last = last
		b.add(bucketHeads, ridKey(b.rid), sealValue(ridKey(b.rid), b.head.append(nil, b.group, []byte(b.key.ID))))
		if first := b.rid / spanSlots * spanSlots; first != b.blockOf {
			b.closeSpans()
			b.blockOf = first
		}
		b.block[b.rid] = appendEntry(nil, b.group, b.rows)
	})
	return nil
}

func (b *builder) closeSpans() {
	if len(b.block) > 0 {
		key := spanKey(b.blockOf)
		b.add(bucketSpans, key, sealValue(key, spanBlock(nil).with(b.block, b.blockOf)))
		clear(b.block)
	}
}

func (b *builder) gone(r rid, until history.Seq, k history.Key) error {
	b.counts.gone++
	value := appendBytes(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(until)), uint64(b.groupOf(k))), k.ID)
	b.add(bucketGone, ridKey(r), sealValue(ridKey(r), value))
	return nil
}

// seen gathers the set of a run, of which every merge wrote a part, into one
// part, or a few if it is very large.
func (b *builder) seen(n runNo, e seenEntry) error {
	b.counts.seen++
	if n != b.seenRun {
		b.closeSeen()
		b.seenRun, b.seenPart = n, 1
	}
	if b.entries = append(b.entries, e); len(b.entries) == buildSeen {
		b.closeSeen()
		b.seenPart++
	}
	return nil
}

func (b *builder) closeSeen() {
	list := b.entries
	slices.SortStableFunc(list, func(a, b seenEntry) int { return cmp.Compare(a.rid, b.rid) })
	for len(list) > 0 {
		n := min(seenBlock, len(list))
		for n < len(list) && list[n].rid == list[n-1].rid {
			n++ // blocks never part the entries of one resource
		}
		key := seenKey(b.seenRun, b.seenPart, list[0].rid)
		b.add(bucketSeen, key, sealValue(key, appendSeen(nil, list[:n])))
		list = list[n:]
	}
	b.entries = b.entries[:0]
}

func (b *builder) change(c *change) error {
	b.counts.changes++
	if b.feed = append(b.feed, *c); len(b.feed) == feedBlock {
		b.closeFeed()
	}
	return nil
}

func (b *builder) closeFeed() {
	if len(b.feed) == 0 {
		return
	}
	key := uint64Key(b.feed[0].seq)
	b.add(bucketFeed, key, sealValue(key, appendFeedBlock(nil, b.feed)))
	b.feed = b.feed[:0]
}

func (b *builder) clock(s plan.Stamp) error {
	b.counts.clock++
	key := uint64Key(s.RecordedAt)
	b.add(bucketClock, key, sealValue(key, uint64Key(s.Revision)))
	return nil
}

func (b *builder) op(o *opRecord) error {
	b.counts.ops++
	value := append(binary.AppendVarint(nil, int64(o.at)), o.receipt...)
	b.add(bucketOps, bytes.Clone(o.id[:]), sealValue(o.id[:], value))
	b.add(bucketOpAges, append(uint64Key(o.at), o.id[:]...), []byte{})
	return nil
}

func (b *builder) end() error {
	b.release()
	for len(b.sights) > 0 {
		b.sights = b.sightBlock(b.sights)
	}
	b.closeSpans()
	b.closeSeen()
	b.closeFeed()
	return errors.Join(b.commit(&b.names), b.commit(&b.writes))
}

func (b *builder) flush() error {
	if b.named >= buildNames {
		if err := b.commit(&b.names); err != nil {
			return err
		}
		b.named = 0
	}
	if b.bytes < buildBytes {
		return nil
	}
	b.bytes = 0
	return b.commit(&b.writes)
}

// commit writes what has gathered, in order of buckets and keys, and lets go of
// it.
func (b *builder) commit(p *puts) error {
	slices.SortFunc(p.list, func(a, b put) int {
		return cmp.Or(bytes.Compare(a.bucket, b.bucket), bytes.Compare(a.key, b.key))
	})
	err := b.db.Update(func(tx *bolt.Tx) error {
		for _, w := range p.list {
			bucket := tx.Bucket(w.bucket)
			bucket.FillPercent = buildFill
			if err := bucket.Put(w.key, w.value); err != nil {
				return err
			}
		}
		return nil
	})
	clear(p.list)
	p.list = p.list[:0]
	return err
}

// finish makes the file a store of a lineage, on the disk, and closes it.
func (b *builder) finish(l *history.Lineage) error {
	err := b.db.Update(func(tx *bolt.Tx) error {
		if b.h.documents > 0 {
			if err := putDocumentRevision(tx, b.h.documents); err != nil {
				return err
			}
		}
		m := tx.Bucket(bucketMeta)
		return errors.Join(
			m.Put(metaFormat, binary.BigEndian.AppendUint32(nil, formatVersion)),
			m.Put(metaLineage, sealValue(metaLineage, appendLineage(nil, l))),
			m.Put(metaMerged, sealValue(metaMerged, b.h.mark.append(nil))),
			m.Put(metaFloors, sealValue(metaFloors, b.h.floors.append(nil))),
		)
	})
	if err := errors.Join(err, b.db.Close()); err != nil {
		return err
	}
	return trim(b.path)
}

// abandon closes the file and takes it away.
func (b *builder) abandon() { _ = errors.Join(b.db.Close(), os.Remove(b.path)) }

// trim cuts off what a file was grown ahead of its use, and waits for the disk.
func trim(path string) error {
	state, err := inspect(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if state.needs > 0 && state.needs < state.size {
		err = f.Truncate(state.needs)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
