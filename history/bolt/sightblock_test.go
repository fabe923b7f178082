package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// TestSightBlocks edits blocks of sightings at random: what is read, from
// anywhere and in both directions, is what a sorted list holds that was edited
// alike, and no block is larger than it may be.
func TestSightBlocks(t *testing.T) {
	dir := t.TempDir()
	files := 0
	rapid.Check(t, func(t *rapid.T) {
		files++
		db, err := bbolt.Open(filepath.Join(dir, fmt.Sprint(files)), 0o600, &bbolt.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}()
		update := func(f func(tx *bbolt.Tx) error) {
			if err := db.Update(f); err != nil {
				t.Fatal(err)
			}
		}
		update(func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket(bucketSightings)
			return err
		})
		var model []sightEntry
		few := rapid.IntRange(1, 6).Draw(t, "resources")
		sighting := rapid.Custom(func(t *rapid.T) sightEntry {
			return sightEntry{
				rid: rid(rapid.IntRange(1, few).Draw(t, "rid")),
				Sighting: plan.Sighting{
					At:  history.Moment(rapid.IntRange(1, 60).Draw(t, "at")) * 1_000_000,
					Rev: history.Revision(rapid.IntRange(1, 3).Draw(t, "rev")),
				},
			}
		})
		origin := rapid.SampledFrom([][]byte{nil, []byte("import a"), []byte("import b"), bytes.Repeat([]byte("x"), 700)})
		for range rapid.IntRange(1, 4).Draw(t, "rounds") {
			p := &puts{}
			for _, e := range rapid.SliceOfN(sighting, 1, 200).Draw(t, "edits") {
				i, found := slices.BinarySearchFunc(model, e, func(a, b sightEntry) int { return a.compare(&b) })
				if rapid.IntRange(0, 3).Draw(t, "drops") == 0 {
					p.dropSighting(e.rid, e.Sighting)
					if found {
						model = slices.Delete(model, i, i+1)
					}
					continue
				}
				if e.origin = origin.Draw(t, "origin"); found {
					model[i] = e
				} else {
					model = slices.Insert(model, i, e)
				}
				p.addSighting(e.rid, e.Sighting, e.origin)
			}
			err := db.View(func(tx *bbolt.Tx) error { return p.addSightings(&view{tx: tx}) })
			if err != nil {
				t.Fatal(err)
			}
			update(p.put)
			if err := db.View(func(tx *bbolt.Tx) error { return checkBlocks(t, tx, model, sighting.Draw(t, "place")) }); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// checkBlocks compares a bucket's blocks with the sightings that it is to hold.
func checkBlocks(t *rapid.T, tx *bbolt.Tx, model []sightEntry, place sightEntry) error {
	var read sightReader
	read.open(tx)
	collect := func(list *[]sightEntry) func(*sightEntry) bool {
		return func(e *sightEntry) bool {
			copied := *e
			copied.origin = bytes.Clone(e.origin)
			*list = append(*list, copied)
			return true
		}
	}
	same := func(a, b []sightEntry) bool {
		return slices.EqualFunc(a, b, func(a, b sightEntry) bool { return a.compare(&b) == 0 && bytes.Equal(a.origin, b.origin) })
	}
	i, _ := slices.BinarySearchFunc(model, place, func(a, b sightEntry) int { return a.compare(&b) })
	var all, after, before []sightEntry
	err := errors.Join(
		read.from(&sightEntry{}, collect(&all)),
		read.from(&place, collect(&after)),
		read.back(&place, collect(&before)),
	)
	if slices.Reverse(before); !same(all, model) || !same(after, model[i:]) || !same(before, model[:i]) {
		t.Errorf("got %d, after %d, before %d; want %d, %d, %d", len(all), len(after), len(before), len(model), len(model)-i, i)
	}
	return errors.Join(err, tx.Bucket(bucketSightings).ForEach(func(k, framed []byte) error {
		list, err := read.decode(k, framed)
		if len(list) > sightBlockEntries || len(list) > 1 && len(framed) > 2*sightBlockBytes {
			t.Errorf("a block of %d sightings, %d bytes", len(list), len(framed))
		}
		return err
	}))
}

// TestSightBlockDamaged: a block that is not as it was written is DataLoss.
func TestSightBlockDamaged(t *testing.T) {
	list := []sightEntry{
		{rid: 7, Sighting: plan.Sighting{At: 5, Rev: 9}, origin: []byte("a")},
		{rid: 7, Sighting: plan.Sighting{At: 6, Rev: 2}, origin: []byte("b")},
		{rid: 300, Sighting: plan.Sighting{At: 1, Rev: 70000}, origin: []byte("a")},
	}
	whole := appendSightBlock(nil, list)
	key := list[0].key()
	decode := func(key, value []byte) error {
		var read sightReader
		_, err := read.decode(key, sealValue(key, value))
		return err
	}
	if err := decode(key, whole); err != nil {
		t.Fatal(err)
	}
	for n := range len(appendSightBlock(nil, list[:1])) + 1 { // later it may end between two entries
		if err := decode(key, whole[:n]); !errors.Is(err, history.DataLoss) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	if err := decode(list[1].key(), whole); !errors.Is(err, history.DataLoss) {
		t.Errorf("under another key: %v", err)
	}
	framed := sealValue(key, whole)
	for i := range framed {
		framed[i] ^= 0x20
		var read sightReader
		if _, err := read.decode(key, framed); !errors.Is(err, history.DataLoss) {
			t.Errorf("byte %d flipped: %v", i, err)
		}
		framed[i] ^= 0x20
	}
}

// FuzzSightBlock: whatever stands in a block, reading it ends, and what is read
// is written again as it was.
func FuzzSightBlock(f *testing.F) {
	f.Add(appendSightBlock(nil, []sightEntry{
		{rid: 1, Sighting: plan.Sighting{At: 5, Rev: 9}, origin: []byte("a")},
		{rid: 2, Sighting: plan.Sighting{At: 3, Rev: 10}, origin: []byte("b")},
	}), []byte(nil))
	f.Fuzz(func(t *testing.T, value, key []byte) {
		if len(key) == 0 {
			key = sightingKey(1, plan.Sighting{At: 5, Rev: 9})
		}
		var read, again sightReader
		list, err := read.decode(key, sealValue(key, value))
		if err != nil {
			return
		}
		list2, err := again.decode(key, sealValue(key, appendSightBlock(nil, list)))
		if err != nil || len(list2) != len(list) {
			t.Fatalf("%d sightings, then %d, %v", len(list), len(list2), err)
		}
		for i := range list {
			if list[i].compare(&list2[i]) != 0 || !bytes.Equal(list[i].origin, list2[i].origin) {
				t.Errorf("%d: %v, then %v", i, list[i], list2[i])
			}
		}
	})
}
