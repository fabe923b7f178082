package bolt

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// Merge carries all that is in the log at the moment into the other buckets.
// The store does so by itself; calling it makes sizes and benchmarks steady.
func (s *Store) Merge() error {
	s.merger.calls.Add(1)
	defer s.merger.calls.Add(-1)
	s.merger.one.Lock()
	defer s.merger.one.Unlock()
	return s.merge()
}

// mergeAside is Merge that gives way to those who record.
func (s *Store) mergeAside() error {
	s.merger.one.Lock()
	defer s.merger.one.Unlock()
	s.merger.turn = mergeTurn{time.Now(), s.merger.lastCommit()}
	defer func() { s.merger.turn = mergeTurn{} }()
	return s.merge()
}

func (s *Store) merge() error {
	if err := s.Failed(); err != nil {
		return err
	}
	s.mu.Lock()
	half := s.merging != nil // a merge before failed
	s.mu.Unlock()
	if half {
		if err := s.mergeNext(); err != nil && !isApart(err) {
			return err
		}
	}
	return s.mergeNext()
}

// mergeNext merges what an earlier merge has left, else what the log holds. It
// returns an apartError if there is anything that it cannot merge.
func (s *Store) mergeNext() error {
	if err := s.takeUpHeld(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.merging == nil {
		if s.active.first == 0 {
			s.mu.Unlock()
			return nil
		}
		s.merging, s.active = s.active, newTail()
		s.active.base = s.mark.revision
	}
	t := s.merging
	s.mu.Unlock()

	if err := s.mergeTail(t); err != nil {
		return err
	}

	s.mu.Lock()
	s.merging, s.heldBy = nil, nil
	s.mu.Unlock()
	return nil
}

func (s *Store) mergeTail(t *tail) error {
	apart := s.apart()
	if err := s.carry(t, apart); err != nil {
		return err
	}
	if len(apart) > 0 {
		return s.hold(t, apart)
	}
	return s.cutLog(t.end)
}

// carry writes a tail into the other buckets, but for resources that are set apart.
func (s *Store) carry(t *tail, apart apart) error {
	if err := s.prepareTables(t); err != nil {
		return err
	}
	if err := s.mergeLinks(t, apart); err != nil {
		return err
	}
	rids := sortedKeys(t.resources)
	for len(rids) > 0 {
		if err := s.merger.yield(); err != nil {
			return err
		}
		writes, rest, err := s.mergeSlice(t, rids, apart)
		if err != nil {
			return err
		}
		if err := s.writeTx(writes.put); err != nil {
			return err
		}
		rids = rest
	}
	if err := s.mergeSightings(t); err != nil {
		return err
	}
	return s.mergeRest(t)
}

// puts is what a merge transaction writes, in the order of buckets and keys.
type puts struct {
	deletes []put // values are not looked at
	list    []put
	spans   map[rid][]byte // entries of spans, not yet put into blocks
	sights  []sightEdit    // not yet put into blocks
	sighted []sightChange  // what becomes of them, by resource
}

type put struct{ bucket, key, value []byte }

func (p *puts) add(bucket, key, value []byte) { p.list = append(p.list, put{bucket, key, value}) }

func (p *puts) put(tx *bolt.Tx) error {
	slices.SortStableFunc(p.list, func(a, b put) int {
		return cmp.Or(bytes.Compare(a.bucket, b.bucket), bytes.Compare(a.key, b.key))
	})
	// Looked at before anything is deleted: in a bucket whose last page has
	// lost all it held, bbolt's Cursor.Last does not come to an end.
	buckets := map[string]*bolt.Bucket{}
	for _, w := range p.list {
		if buckets[string(w.bucket)] == nil {
			b := tx.Bucket(w.bucket)
			if last, _ := b.Cursor().Last(); bytes.Compare(last, w.key) < 0 {
				b.FillPercent = fillAppended
			} else if bytes.Equal(w.bucket, bucketLinks) {
				b.FillPercent = fillLinks
			}
			buckets[string(w.bucket)] = b
		}
	}
	for _, d := range p.deletes {
		if err := tx.Bucket(d.bucket).Delete(d.key); err != nil {
			return err
		}
	}
	for _, w := range p.list {
		if err := buckets[string(w.bucket)].Put(w.key, w.value); err != nil {
			return err
		}
	}
	return nil
}

// fillAppended is how full pages become to which only greater keys are added;
// elsewhere a page is split in the middle, so that both halves can grow.
const fillAppended = 0.95

// fillLinks is how full pages of links are left: many come at once.
const fillLinks = 0.8

// mergeSlice prepares the first resources of a list in a transaction that only
// reads: nobody else changes what it reads.
func (s *Store) mergeSlice(t *tail, rids []rid, apart apart) (*puts, []rid, error) {
	p := &puts{}
	size, known := 0, false
	err := s.readTx(func(tx *bolt.Tx) error {
		v := &view{s: s, tx: tx, tails: []*tail{t}}
		for n := 0; len(rids) > 0 && n < mergeResources && size < mergeSlice; n++ {
			_, fresh := t.keys[rids[0]]
			if n > 0 && fresh != known {
				break // those that are new are written behind all others
			}
			known = fresh
			if apart[rids[0]] == nil {
				before := *p
				bytes, err := v.mergeResource(p, t, rids[0])
				if err != nil {
					p.list, p.deletes = before.list, before.deletes
					delete(p.spans, rids[0])
					if err := apart.keep(rids[0], err); err != nil {
						return err
					}
				}
				size += bytes
			}
			rids = rids[1:]
		}
		return p.addSpans(v)
	})
	return p, rids, err
}

// mergeRest carries what belongs to no single resource.
func (s *Store) mergeRest(t *tail) error {
	p := &puts{}
	// First, and two by two: no transaction parts an operation from its age.
	for id, op := range t.ops {
		value := append(binary.AppendVarint(nil, int64(op.at)), op.receipt...)
		p.add(bucketOps, bytes.Clone(id[:]), sealValue(id[:], value))
		p.add(bucketOpAges, append(uint64Key(op.at), id[:]...), []byte{})
	}
	for i := 0; i < len(t.changes); i += feedBlock {
		list := t.changes[i:min(i+feedBlock, len(t.changes))]
		key := uint64Key(list[0].seq)
		p.add(bucketFeed, key, sealValue(key, appendFeedBlock(nil, list)))
	}
	for _, c := range t.clock {
		key := uint64Key(c.RecordedAt)
		p.add(bucketClock, key, sealValue(key, uint64Key(c.Revision)))
	}
	for no, r := range t.runs {
		key := binary.BigEndian.AppendUint32(nil, uint32(no))
		p.add(bucketRuns, key, sealValue(key, r.append(nil)))
	}
	var err error
	if p.deletes, err = s.seenBlocks(t); err != nil {
		return err
	}
	for no, set := range t.sights {
		if no == 0 {
			continue
		}
		list := set.sorted()
		// Blocks never part the entries of one resource.
		for len(list) > 0 {
			n := min(seenBlock, len(list))
			for n < len(list) && list[n].rid == list[n-1].rid {
				n++
			}
			key := seenKey(no, t.first, list[0].rid)
			p.add(bucketSeen, key, sealValue(key, appendSeen(nil, list[:n])))
			list = list[n:]
		}
	}
	for len(p.list) > 0 {
		if err := s.merger.yield(); err != nil {
			return err
		}
		n := min(len(p.list), 4*mergeResources)
		part := &puts{deletes: p.deletes, list: p.list[:n]}
		if err := s.writeTx(part.put); err != nil {
			return err
		}
		p.deletes, p.list = nil, p.list[n:]
	}
	return nil
}

// seenBlocks lists what a merge of this tail that was cut short left of runs'
// sets. The tail may have grown since, which parts the sets elsewhere: an old
// block among new ones would hide entries of the block that it begins within.
func (s *Store) seenBlocks(t *tail) (old []put, err error) {
	err = s.readTx(func(tx *bolt.Tx) error {
		c := tx.Bucket(bucketSeen).Cursor()
		for no := range t.sights {
			first := seenKey(no, t.first, 0)
			prefix := first[:len(first)-4]
			for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
				old = append(old, put{bucket: bucketSeen, key: bytes.Clone(k)})
			}
		}
		return nil
	})
	return old, err
}

// cutLog says that the log is merged up to a commit, and deletes it that far.
// It takes nothing from the log itself: after a transaction that failed, of
// which nothing is known, all of it may be gone.
func (s *Store) cutLog(end mark) error {
	links := s.links.Load().merged(end.commit)
	for done := false; !done; {
		err := s.writeTx(func(tx *bolt.Tx) error {
			if err := noteMerged(tx, end, links); err != nil {
				return err
			}
			forgot, err := forgetOps(tx, end.recordedAt)
			if err != nil {
				return err
			}
			cut, err := deleteLog(tx, end.commit)
			done = forgot && cut
			s.merger.measure(tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	s.links.Store(links)
	return nil
}

// noteMerged notes how far the log counts as merged, and how links are.
func noteMerged(tx *bolt.Tx, end mark, links *linkState) error {
	if err := tx.Bucket(bucketMeta).Put(metaMerged, sealValue(metaMerged, end.append(nil))); err != nil {
		return err
	}
	return links.put(tx)
}

// deleteLog deletes some of the log up to a commit; true: there is no more.
func deleteLog(tx *bolt.Tx, last uint64) (done bool, err error) {
	return deleteFirst(tx, bucketLog, func(k []byte) (goes bool, err error) {
		return len(k) >= 8 && binary.BigEndian.Uint64(k) <= last, nil
	})
}

// deleteFirst deletes some keys at the front of a bucket, up to one that does not
// go; true: there is no more to delete.
func deleteFirst(tx *bolt.Tx, bucket []byte, goes func(k []byte) (bool, error)) (done bool, err error) {
	var before []byte
	c := tx.Bucket(bucket).Cursor()
	for range mergeDeletes {
		k, _ := c.First()
		if k == nil {
			return true, nil
		}
		if bytes.Equal(k, before) { // where keys are out of order bbolt finds none to delete
			return false, damaged(bucket, k)
		}
		if more, err := goes(k); err != nil || !more {
			return err == nil, err
		}
		before = bytes.Clone(k)
		if err := c.Delete(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// forgetOps drops some results of operations that nobody is promised any more;
// true: there are no more.
func forgetOps(tx *bolt.Tx, now history.Moment) (done bool, err error) {
	return deleteFirst(tx, bucketOpAges, func(k []byte) (goes bool, err error) {
		if len(k) != 24 || plan.Remembers(history.Moment(binary.BigEndian.Uint64(k)), now) {
			return false, nil
		}
		// The id may have been given again since.
		ops, id := tx.Bucket(bucketOps), bytes.Clone(k[8:])
		if value, ok := openValue(id, ops.Get(id)); ok {
			d := decoder{b: value}
			if bytes.Equal(uint64Key(d.varint()), k[:8]) {
				return true, ops.Delete(id)
			}
		}
		return true, nil
	})
}
