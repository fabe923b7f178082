package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"

	bolt "go.etcd.io/bbolt"
)

// log checks what was not merged: each entry by itself, and that none is
// missing.
func (c *check) log() error {
	b := c.tx.Bucket(bucketLog)
	if b == nil {
		c.find(bucketLog, nil, "the bucket is missing")
		return nil
	}
	all := newTail()
	c.logEntries(b.Cursor(), all)
	return c.logContents(all)
}

// logEnd is the mark of the last entry; the zero mark if it cannot be read.
func (c *check) logEnd() (m mark) {
	defer func() {
		if p := recover(); p != nil {
			if _, damage := blame(p); !damage {
				panic(p)
			}
		}
	}()
	cursor := c.tx.Bucket(bucketLog).Cursor()
	last, _ := cursor.Last()
	if len(last) != 10 {
		return mark{}
	}
	k, framed := cursor.Seek(last[:8])
	entry, _, _, err := readLogEntry(cursor, k, framed)
	if err != nil {
		return mark{}
	}
	d := decoder{b: entry}
	return d.mark()
}

// logEntries gathers what the entries say, up to a page that cannot be read.
func (c *check) logEntries(cursor *bolt.Cursor, all *tail) {
	before := c.merged
	var last []byte
	defer func() {
		if p := recover(); p != nil {
			c.breakOff(bucketLog, last, p)
		}
	}()
	for k, framed := cursor.First(); k != nil; {
		key := bytes.Clone(k)
		last = key
		entry, next, value, err := readLogEntry(cursor, k, framed)
		if err != nil {
			c.find(bucketLog, key, "a piece of it is missing, or its checksum does not match")
			c.logCut = true
			commit := binary.BigEndian.Uint64(append(key, make([]byte, 8)...))
			if next, value = cursor.Seek(uint64Key(commit + 1)); bytes.Equal(next, key) {
				return // a key that is none
			}
			if commit == before.commit+1 {
				before.commit++ // the next one follows
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
			c.logCut = true
			continue
		}
		c.sum.Versions += uint64(countRows(t))
		c.sum.Changes += uint64(len(t.changes))
		all.absorb(t)
	}
}

// logContents restores what the rows of the log hold, for which it may take
// those that are merged. Those that build on what an entry held which is damaged
// are counted.
func (c *check) logContents(t *tail) error {
	lost := 0
	v := &view{s: c.s, tx: c.tx, tails: []*tail{t}, mark: c.end, floors: c.floors}
	for _, r := range sortedKeys(t.resources) {
		res := t.resources[r]
		if len(res.rows) == 0 {
			continue
		}
		if k, ok := t.keys[r]; ok {
			c.named[r] = k
		}
		if c.hidden(bucketSegments, ridKey(r), ridKey(r+1)) || c.hidden(bucketHeads, ridKey(r), ridKey(r)) {
			continue // what is merged of it cannot be read
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
			if c.bare(r, bucketLog, key, &row.row) {
				continue
			}
			payload, err := l.payloadOf(row.Number)
			if errors.Is(err, errBody) && c.logCut && codecOf(row.body) == codecBase {
				lost++
				continue
			}
			c.payload(r, bucketLog, key, &row.Row, payload, err)
		}
	}
	if lost > 0 {
		c.find(bucketLog, nil, "%d contents build on versions of the entries that cannot be read", lost)
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
