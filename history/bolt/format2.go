package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// Format 2, to be read only. It is as the present one, but for its sightings, of
// which each stood by itself: under resource, moment and revision, its origin as
// the value.

// convert2 writes what a file of format 2 holds as a new file of the present
// format: a copy, of which the sightings are packed into blocks.
func convert2(dir string, db *bolt.DB, progress func(done, total uint64)) error {
	path := filepath.Join(dir, newFileName)
	err := guardedView(db, func(tx *bolt.Tx) error { return tx.CopyFile(path, 0o600) })
	if err != nil {
		return err
	}
	to, err := bolt.Open(path, 0o600, &bolt.Options{
		NoSync: true, NoGrowSync: true, FreelistType: bolt.FreelistMapType, InitialMmapSize: 1 << 30,
	})
	if err != nil {
		return err
	}
	err = guardedView(db, func(tx *bolt.Tx) error { return packSightings(tx, to, progress) })
	if err == nil {
		err = to.Update(func(tx *bolt.Tx) error {
			return tx.Bucket(bucketMeta).Put(metaFormat, binary.BigEndian.AppendUint32(nil, formatVersion))
		})
	}
	if err == nil {
		err = to.Sync()
	}
	return errors.Join(err, to.Close())
}

// packSightings writes the sightings of format 2 anew, in order.
func packSightings(from *bolt.Tx, to *bolt.DB, progress func(done, total uint64)) error {
	err := to.Update(func(tx *bolt.Tx) error {
		if err := tx.DeleteBucket(bucketSightings); err != nil {
			return err
		}
		_, err := tx.CreateBucket(bucketSightings)
		return err
	})
	if err != nil {
		return err
	}
	last, _ := from.Bucket(bucketHeads).Cursor().Last()
	var (
		p     puts
		list  []sightEntry
		bytes int
	)
	pack := func(least int) {
		for len(list) > least {
			var block []sightEntry
			block, list = cutSightings(list)
			key := block[0].key()
			value := sealValue(key, appendSightBlock(nil, block))
			p.add(bucketSightings, key, value)
			bytes += len(value)
		}
	}
	c := from.Bucket(bucketSightings).Cursor()
	for k, framed := c.First(); k != nil; k, framed = c.Next() {
		origin, ok := openValue(k, framed)
		if !ok || len(k) != 20 {
			return damaged(bucketSightings, k)
		}
		list = append(list, sightEntry{parseRid(k), parseSightingKey(k), origin})
		if len(list) >= 2*sightBlockEntries {
			pack(sightBlockEntries)
		}
		if bytes >= buildBytes {
			if err := to.Update(p.put); err != nil {
				return err
			}
			p, bytes = puts{}, 0
			if last != nil {
				progress(uint64(parseRid(k)), uint64(parseRid(last)))
			}
		}
	}
	pack(0)
	if err := to.Update(p.put); err != nil {
		return fmt.Errorf("packing the sightings: %w", err)
	}
	return nil
}
