package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// Finding is one thing that is not as it should be.
type Finding struct {
	Bucket string
	Key    []byte
	Text   string

	// The resource that it is about, if it is about one: its number in the store, or
	// zero, and which that is, as far as it can be told; else its type is empty.
	Number   uint32
	Resource history.Key
}

// Subject is the resource that the finding is about, in words; empty if it is about
// none, or several.
func (f Finding) Subject() string {
	switch {
	case f.Resource.Type != "":
		return f.Resource.String()
	case f.Number != 0:
		return fmt.Sprintf("resource %d", f.Number)
	}
	return ""
}

// String reads `seg 00000001…: AWS::S3::Bucket logs: its checksum does not match`.
func (f Finding) String() string {
	text := f.Text
	if of := f.Subject(); of != "" {
		text = of + ": " + text
	}
	return f.at(text)
}

// place is String without the resource.
func (f Finding) place() string { return f.at(f.Text) }

func (f Finding) at(text string) string {
	if len(f.Key) == 0 {
		return fmt.Sprintf("%s: %s", f.Bucket, text)
	}
	return fmt.Sprintf("%s %x: %s", f.Bucket, f.Key, text)
}

// Summary says what a verification has read.
type Summary struct {
	Resources, Versions, Changes, Sightings, Runs, LogEntries uint64
	Documents                                                 uint64
	FileBytes, LiveBytes                                      int64 // of the file, and of its pages in use
	ContentBytes                                              int64 // of what versions held, as stored, dictionaries included
	Findings                                                  uint64
}

// Verify reads every value of the store in a folder, which no process may have
// open, and reports what is damaged or contradicts something else. It changes
// nothing. Whether the store's links are those of its versions is looked at if
// the linker that read them is given. The error tells that the store could not
// be read at all.
func Verify(ctx context.Context, dir string, by history.Linker, report func(Finding)) (Summary, error) {
	path := filepath.Join(dir, FileName)
	if _, err := os.Stat(path); err != nil {
		return Summary{}, &history.Error{Kind: history.NotFound, Field: "--data", Value: dir, Text: "holds no store"}
	}
	return verifyFile(ctx, path, by, report)
}

func verifyFile(ctx context.Context, path string, by history.Linker, report func(Finding)) (Summary, error) {
	o := Options{LockTimeout: time.Second, Linker: by}
	o.fill()
	db, err := openPath(path, &o, true)
	if err != nil {
		return Summary{}, err
	}
	s := &Store{o: o, db: db}
	defer func() { _ = s.closeFile() }() // nothing was written
	return s.examine(ctx, report)
}

// examine verifies a store into which nobody writes. What faults is a finding.
func (s *Store) examine(ctx context.Context, report func(Finding)) (Summary, error) {
	c := check{
		ctx: ctx, report: report, found: map[rid]*found{}, lost: map[rid]bool{}, named: map[rid]history.Key{},
		gaps: map[string][]gap{}, brokenOff: map[string]bool{}, without: map[dictNo]*wanted{},
	}
	file, err := os.Open(s.db.Path())
	if err != nil {
		return c.sum, err
	}
	defer file.Close()
	t := tree{file: file, deep: true}
	t.find = func(page uint64, bucket, text string) {
		c.add(pageFinding(page, bucket, text))
		c.gap([]byte(bucket), t.at.low, t.at.high)
	}
	if t.meta, err = inspect(file.Name()); err != nil {
		return c.sum, err
	}
	for _, page := range t.meta.damaged {
		c.find(bucketPages, nil, "meta page %d is damaged; if it was the newer one, the last commit is missing", page)
	}
	t.walk()
	c.sum.FileBytes, c.sum.LiveBytes = t.meta.size, int64(t.live)*t.meta.pageSize
	if t.circle || t.trap {
		return c.sum, nil // whoever follows the pages may never come to an end, or to one too soon
	}
	err = s.readTx(func(tx *bolt.Tx) error { return c.all(tx, s) })
	return c.sum, err
}

// all looks at one bucket after the other.
func (c *check) all(tx *bolt.Tx, s *Store) error {
	file := &Store{o: s.o, db: s.db} // what the file says: s may be in use
	if err := file.loadMeta(tx); err != nil {
		return err
	}
	c.groups, c.dicts, c.s = newGroups(nil), &file.dicts, file
	c.tx, c.merged, c.end, c.floors = tx, file.mark, file.mark, file.floors.Load()
	if m := c.logEnd(); m.commit > c.merged.commit {
		c.end = m
	}
	defer c.tellWanted()
	for _, step := range []func() error{
		c.tables, c.names, c.segments, c.spans, c.heads, c.links, c.sightings, c.gone, c.feed, c.clock, c.runs, c.seen, c.ops, c.documents, c.log,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// bucketPages stands for the pages of the file, where a finding names a bucket.
var bucketPages = []byte("pages")

// pageFinding says what is wrong with a page of a bucket, if it is of one.
func pageFinding(page uint64, bucket, text string) Finding {
	if bucket != "" {
		bucket = " of " + bucket
	}
	return Finding{Bucket: string(bucketPages), Text: fmt.Sprintf("page %d%s: %s", page, bucket, text)}
}

// check walks the file bucket by bucket. A value that is damaged is told once: that
// others, which are to agree with it, do not is no finding where it may be the only
// reason. What else of them can be held against each other still is.
type check struct {
	ctx    context.Context
	tx     *bolt.Tx
	report func(Finding)
	sum    Summary
	merged mark // what the buckets but the log hold at least: a merge may have been cut short
	end    mark // what the log ends with
	found  map[rid]*found
	lost   map[rid]bool // resources of which a value is damaged, which was told
	floors *floors
	groups *groups
	dicts  *dicts
	s      *Store

	named     map[rid]history.Key // what heads do not tell of
	nameless  bool                // a group is missing: which are the others is not known
	ungrouped bool                // a group is damaged, or missing

	logCut bool // an entry of the log is damaged

	gaps      map[string][]gap // by bucket: what cannot be read of it, which was told
	brokenOff map[string]bool  // buckets of which it was told that the rest cannot be read
	without   map[dictNo]*wanted
}

// found is what the segments say of a resource.
type found struct {
	cut      bool // a segment is damaged: what it says is not here
	listed   bool // there is an entry of its spans, or was in a value that is damaged
	spans    []span
	newest   plan.Row
	last     uint32
	versions map[uint32]bool
	floor    history.Moment
	lost     bool      // versions are, since the store was repaired
	equal    []Finding // versions that follow each other and are equal
}

func (c *check) find(bucket, key []byte, format string, args ...any) {
	c.findOf(0, bucket, key, format, args...)
}

// findOf is find for what is about one resource; zero is none.
func (c *check) findOf(r rid, bucket, key []byte, format string, args ...any) {
	c.add(c.finding(r, bucket, key, format, args...))
}

func (c *check) finding(r rid, bucket, key []byte, format string, args ...any) Finding {
	f := Finding{Bucket: string(bucket), Key: bytes.Clone(key), Text: fmt.Sprintf(format, args...), Number: uint32(r)}
	if r != 0 {
		f.Resource = c.key(r)
	}
	return f
}

// loss is findOf for a value that cannot be read.
func (c *check) loss(r rid, bucket, key []byte, format string, args ...any) {
	c.findOf(r, bucket, key, format, args...)
	c.lost[r] = true
}

// broken says of a value that it is not what was written.
const broken = "its checksum does not match, or it is cut short"

// key is the resource of a number; the zero Key if that cannot be told.
func (c *check) key(r rid) (k history.Key) {
	defer func() {
		if p := recover(); p != nil {
			if _, damage := blame(p); !damage {
				panic(p)
			}
		}
	}()
	if k, ok := c.named[r]; ok {
		return k
	}
	value, ok := openValue(ridKey(r), c.tx.Bucket(bucketHeads).Get(ridKey(r)))
	d := decoder{b: value}
	_, n, id := d.head()
	if !ok || d.short {
		_, n, id, _ = decodeGone(ridKey(r), c.tx.Bucket(bucketGone).Get(ridKey(r)))
	}
	return c.keyOf(n, string(id))
}

// keyOf is the key of a group and an id, if the group is known.
func (c *check) keyOf(n groupNo, id string) history.Key {
	k, ok := c.groups.key(n, id)
	if !ok || k.Type == "" || c.nameless {
		return history.Key{}
	}
	return k
}

// ridAt is the number at the front of a key; zero if it is too short for one.
func ridAt(k []byte) rid {
	if len(k) < 4 {
		return 0
	}
	return parseRid(k)
}

func (c *check) add(f Finding) {
	c.sum.Findings++
	c.report(f)
}

// each walks a bucket, up to a page that cannot be read.
func (c *check) each(bucket []byte, f func(k, v []byte)) error {
	var last []byte
	defer func() {
		if p := recover(); p != nil {
			c.breakOff(bucket, last, p)
		}
	}()
	b := c.tx.Bucket(bucket)
	if b == nil {
		c.find(bucket, nil, "the bucket is missing")
		c.gap(bucket, nil, nil)
		return nil
	}
	n := 0
	return b.ForEach(func(k, v []byte) error {
		last = append(last[:0], k...)
		f(k, v)
		if n++; n%1024 == 0 {
			return c.ctx.Err()
		}
		return nil
	})
}

// sealed walks a bucket of framed values.
func (c *check) sealed(bucket []byte, f func(k []byte, d *decoder)) error {
	return c.each(bucket, func(k, framed []byte) {
		value, ok := openValue(k, framed)
		if !ok {
			c.find(bucket, k, "its checksum does not match")
			return
		}
		d := &decoder{b: value}
		f(k, d)
		if d.short {
			c.find(bucket, k, "it is cut short")
		}
	})
}

// tables reads the groups and dictionaries, which all else refers to.
func (c *check) tables() error {
	c.dicts.init()
	err := c.each(bucketDicts, func(k, framed []byte) {
		const text = "its checksum does not match, or it is no dictionary"
		c.sum.ContentBytes += int64(len(framed))
		no, typ, d, err := decodeDict(k, framed)
		switch {
		case err == nil:
			c.dicts.add(no, typ, d)
		case len(k) == 4:
			c.without[dictNo(binary.BigEndian.Uint32(k))] = &wanted{key: bytes.Clone(k), text: text}
		default:
			c.find(bucketDicts, k, text)
		}
	})
	if err != nil {
		return err
	}
	var list []history.Key
	next := groupNo(1)
	err = c.each(bucketGroups, func(k, framed []byte) {
		g, ok := decodeGroup(k, framed)
		if !ok || !bytes.Equal(k, groupKey(next)) {
			c.find(bucketGroups, k, "its checksum does not match, or one before it is missing")
			c.ungrouped, c.nameless = true, c.nameless || !bytes.Equal(k, groupKey(next))
		}
		list = append(list, g)
		next++
	})
	if c.hidden(bucketGroups, nil, nil) {
		c.ungrouped, c.nameless = true, true
	}
	c.groups = newGroups(list)
	return err
}

func (c *check) feed() error {
	next, last := c.floors.Seq+1, history.Revision(0)
	if b := c.tx.Bucket(bucketFeed); b != nil && !c.floors.swept {
		if k, _ := b.Cursor().First(); len(k) == 8 {
			next = min(next, history.Seq(binary.BigEndian.Uint64(k))) // not yet dropped
		}
	}
	err := c.each(bucketFeed, func(k, framed []byte) {
		list, err := decodeFeedBlock(k, framed)
		if err != nil {
			c.find(bucketFeed, k, broken)
			next = 0
			return
		}
		for i := range list {
			f := c.foundOf(list[i].rid)
			switch {
			case next != 0 && !c.hidden(bucketFeed, nil, nil) && list[i].seq != next:
				c.find(bucketFeed, k, "sequence %d follows %d", list[i].seq, next-1)
			case list[i].revision < last:
				c.find(bucketFeed, k, "sequence %d runs against the revisions", list[i].seq)
			case list[i].seq <= c.floors.Seq: // to be dropped
			case c.floors.any() && c.pruned(f, &list[i]):
			case f != nil && f.cut && list[i].version <= f.last: // of what is damaged
			case f == nil || !f.versions[list[i].version]:
				c.findOf(list[i].rid, bucketFeed, k, "sequence %d tells of a version that is not there", list[i].seq)
			}
			next, last = list[i].seq+1, list[i].revision
			c.sum.Changes++
		}
	})
	if next != 0 && next != c.merged.seq+1 && err == nil && !c.hidden(bucketFeed, nil, nil) {
		// A merge that was cut short leaves more than its mark says.
		if next <= c.merged.seq {
			c.find(bucketFeed, nil, "it ends with sequence %d, not %d", next-1, c.merged.seq)
		}
	}
	return err
}

// pruned reports whether a change tells of a version that went, or of one of a
// resource that did.
func (c *check) pruned(f *found, ch *change) bool {
	if f != nil {
		return ch.version <= f.last
	}
	framed, known := c.get(bucketGone, ridKey(ch.rid))
	seq, _, _, err := decodeGone(ridKey(ch.rid), framed)
	return !known || err == nil && seq >= ch.seq
}

// gone checks the keys of resources that went.
func (c *check) gone() error {
	return c.each(bucketGone, func(k, framed []byte) {
		seq, n, id, err := decodeGone(k, framed)
		_, known := c.groups.key(n, string(id))
		switch {
		case err != nil:
			c.findOf(ridAt(k), bucketGone, k, broken)
		case !known && !c.nameless || seq > c.end.seq || c.stands(parseRid(k)):
			c.findOf(parseRid(k), bucketGone, k, "it tells of no resource that went")
		}
	})
}

// stands reports whether versions of a resource were found.
func (c *check) stands(r rid) bool {
	f := c.found[r]
	return f != nil && len(f.spans) > 0
}

func (c *check) clock() error {
	var last history.Revision
	return c.each(bucketClock, func(k, framed []byte) {
		v, ok := openValue(k, framed)
		if !ok || len(k) != 8 || len(v) != 8 {
			c.find(bucketClock, k, broken)
			return
		}
		rev := history.Revision(binary.BigEndian.Uint64(v))
		if rev < last {
			c.find(bucketClock, k, "revision %d follows %d", rev, last)
		}
		if rev > c.end.revision || history.Moment(binary.BigEndian.Uint64(k)) > c.end.recordedAt {
			c.find(bucketClock, k, "it is of a revision that was not given")
		}
		last = rev
	})
}

func (c *check) runs() error {
	return c.sealed(bucketRuns, func(k []byte, d *decoder) {
		if r := d.run(); !d.short && (len(k) != 4 || uint32(r.no) != binary.BigEndian.Uint32(k) || r.no > c.end.runs) {
			c.find(bucketRuns, k, "it is the run of another number")
		}
	})
}

func (c *check) seen() error {
	return c.each(bucketSeen, func(k, framed []byte) {
		err := eachSeen(k, framed, func(e seenEntry) bool {
			went := c.floors.any() && e.rid <= c.end.rids
			if head, known := c.get(bucketHeads, ridKey(e.rid)); !went && head == nil && known {
				c.findOf(e.rid, bucketSeen, k, "the resource, which it names, is not there")
			}
			return true
		})
		if err != nil {
			c.find(bucketSeen, k, broken)
		}
	})
}

func (c *check) ops() error {
	err := c.sealed(bucketOps, func(k []byte, d *decoder) {
		at := d.varint()
		d.receipt(history.Lineage{})
		if age, known := c.get(bucketOpAges, append(uint64Key(at), k...)); !d.short && age == nil && known {
			c.find(bucketOps, k, "its age is missing: it would be kept for ever")
		}
	})
	return errors.Join(err, c.each(bucketOpAges, func(k, _ []byte) {
		var op []byte
		known := true
		if len(k) == 24 {
			op, known = c.get(bucketOps, k[8:])
		}
		if op == nil && known {
			c.find(bucketOpAges, k, "its operation is missing")
		}
	}))
}
