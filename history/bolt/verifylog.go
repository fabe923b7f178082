package bolt

import (
	"bytes"
	"encoding/binary"
)

// log checks what was not merged: each entry by itself, and that none is
// missing.
func (c *check) log() error {
	b := c.tx.Bucket(bucketLog)
	if b == nil {
		c.find(bucketLog, nil, "the bucket is missing")
		return nil
	}
	before, all := c.merged, newTail()
	cursor := b.Cursor()
	for k, framed := cursor.First(); k != nil; {
		key := bytes.Clone(k)
		entry, next, value, err := readLogEntry(cursor, k, framed)
		if err != nil {
			c.find(bucketLog, key, "a piece of it is missing, or its checksum does not match")
			if next, value = cursor.Seek(uint64Key(binary.BigEndian.Uint64(append(key, make([]byte, 8)...)) + 1)); bytes.Equal(next, key) {
				return nil // a key that is none
			}
			k, framed = next, value
			continue
		}
		k, framed = next, value
		d := decoder{b: entry}
		m := d.mark()
		if m.commit <= c.merged.commit {
			continue // merged; a merge was cut short while it deleted the log
		}
		c.sum.LogEntries++
		if d.short || m.commit != binary.BigEndian.Uint64(key) || m.commit != before.commit+1 {
			c.find(bucketLog, key, "commit %d follows %d", m.commit, before.commit)
		}
		if m.revision < before.revision || m.seq < before.seq || m.recordedAt < before.recordedAt {
			c.find(bucketLog, key, "commit %d runs backwards", m.commit)
		}
		before = m
		t := newTail()
		if err := t.readRecords(m, d.rest()); err != nil {
			c.find(bucketLog, key, "its records cannot be read")
			continue
		}
		c.sum.Versions += uint64(countRows(t))
		c.sum.Changes += uint64(len(t.changes))
		all.absorb(t)
	}
	return c.logContents(all)
}

// logContents restores what the rows of the log hold, for which it may take
// those that are merged.
func (c *check) logContents(t *tail) error {
	v := &view{s: c.s, tx: c.tx, tails: []*tail{t}, mark: c.end, floors: c.floors}
	for _, r := range sortedKeys(t.resources) {
		res := t.resources[r]
		if len(res.rows) == 0 {
			continue
		}
		if k, ok := t.keys[r]; ok {
			c.named[r] = k
		}
		l, err := v.load(r)
		if err != nil {
			if !c.lost[r] { // else it is for want of what is merged
				c.findOf(r, bucketLog, ridKey(r), "what it says of the resource cannot be read: %v", err)
			}
			continue
		}
		for i := range res.rows {
			row := &res.rows[i]
			key := logKey(row.commit, 0)
			if c.without(r, bucketLog, key, &row.row) {
				continue
			}
			payload, err := l.payloadOf(row.Number)
			c.payload(r, bucketLog, key, &row.Row, payload, err)
		}
	}
	return nil
}

func countRows(t *tail) int {
	n := 0
	for _, r := range t.resources {
		n += len(r.rows)
	}
	return n
}
