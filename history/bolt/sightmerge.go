package bolt

import (
	"bytes"
	"cmp"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history/plan"
)

// mergeSightings carries a tail's sightings of no run into blocks. Heads know
// nothing of them: what is merged and still in the tail is the same.
func (s *Store) mergeSightings(t *tail) error {
	set := t.sights[0]
	if set == nil {
		return nil
	}
	order := make([]int32, len(set.list)) // by resource, moment and revision
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		x, y := &set.list[a], &set.list[b]
		return cmp.Or(cmp.Compare(x.rid, y.rid), x.Sighting.Compare(y.Sighting))
	})
	for len(order) > 0 {
		if err := s.merger.yield(); err != nil {
			return err
		}
		writes := &puts{}
		size := 0
		for len(order) > 0 && len(writes.sights) < mergeSights && size < mergeSlice {
			n := &set.list[order[0]]
			origin := t.origins.of(n.origin)
			writes.addSighting(n.rid, n.Sighting, origin)
			size += len(origin)
			order = order[1:]
		}
		err := s.readTx(func(tx *bolt.Tx) error { return writes.addSightings(&view{s: s, tx: tx}) })
		if err == nil {
			err = s.write(writes)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sightEdit is a merged sighting that comes or goes.
type sightEdit struct {
	sightEntry
	drop bool
}

func (p *puts) addSighting(r rid, at plan.Sighting, origin []byte) {
	p.sights = append(p.sights, sightEdit{sightEntry: sightEntry{r, at, origin}})
}

func (p *puts) dropSighting(r rid, at plan.Sighting) {
	p.sights = append(p.sights, sightEdit{sightEntry{rid: r, Sighting: at}, true})
}

// addSightings adds the blocks that come of the sightings that were added and
// dropped. Origins may be part of the transaction's memory up to here.
func (p *puts) addSightings(v *view) error {
	edits := p.sights
	p.sights = nil
	slices.SortStableFunc(edits, func(a, b sightEdit) int { return a.compare(&b.sightEntry) })
	for i := range edits {
		e := &edits[i]
		if i == 0 || e.rid != edits[i-1].rid {
			p.sighted = append(p.sighted, sightChange{rid: e.rid})
		}
		change := &p.sighted[len(p.sighted)-1]
		if change.drops = change.drops || e.drop; !e.drop {
			change.added = change.added.with(sightRange{e.At, e.Sighting})
		}
	}
	s := v.sights.open(v.tx)
	for len(edits) > 0 {
		// The last block that begins at or before the first edit, else the first.
		k, framed, next := lastBefore(s.c, append(edits[0].key(), 0))
		if k == nil && next != nil {
			k, framed = s.c.First()
			next, _ = s.c.Next()
		}
		n := len(edits)
		if next != nil {
			n, _ = slices.BinarySearchFunc(edits, next, func(e sightEdit, next []byte) int { return bytes.Compare(e.key(), next) })
		}
		var old []sightEntry
		if k != nil {
			var err error
			if old, err = s.decode(k, framed); err != nil {
				return err
			}
		}
		list := editSightings(old, edits[:n])
		if k != nil && (len(list) == 0 || !bytes.Equal(k, list[0].key())) {
			p.deletes = append(p.deletes, put{bucket: bucketSightings, key: bytes.Clone(k)})
		}
		for len(list) > 0 {
			var block []sightEntry
			block, list = cutSightings(list)
			key := block[0].key()
			p.add(bucketSightings, key, sealValue(key, appendSightBlock(nil, block)))
		}
		edits = edits[n:]
	}
	return nil
}

// editSightings merges edits into the entries of a block. One that is there
// already is replaced.
func editSightings(old []sightEntry, edits []sightEdit) []sightEntry {
	list := make([]sightEntry, 0, len(old)+len(edits))
	for len(old) > 0 || len(edits) > 0 {
		order := -1
		if len(old) == 0 {
			order = 1
		} else if len(edits) > 0 {
			order = old[0].compare(&edits[0].sightEntry)
		}
		if order < 0 {
			list, old = append(list, old[0]), old[1:]
			continue
		}
		e := &edits[0]
		edits = edits[1:]
		if order == 0 {
			old = old[1:]
		}
		if n := len(list); n > 0 && list[n-1].compare(&e.sightEntry) == 0 {
			list = list[:n-1] // edited twice
		}
		if !e.drop {
			list = append(list, e.sightEntry)
		}
	}
	return list
}
