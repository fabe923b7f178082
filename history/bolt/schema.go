package bolt

import (
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/plan"
)

// formatVersion is written into the file when it is made. A file of a newer
// version is refused, an older one is migrated.
const formatVersion = 3

// Buckets. FORMAT.md describes every byte of them.
var (
	bucketMeta      = []byte("meta")
	bucketLog       = []byte("log")
	bucketGroups    = []byte("group")
	bucketDicts     = []byte("dict")
	bucketNames     = []byte("name")
	bucketHeads     = []byte("head")
	bucketSegments  = []byte("seg")
	bucketSpans     = []byte("span")
	bucketSightings = []byte("sight")
	bucketFeed      = []byte("feed")
	bucketClock     = []byte("clock")
	bucketRuns      = []byte("run")
	bucketGone      = []byte("gone")
	bucketSeen      = []byte("seen")
	bucketOps       = []byte("op")
	bucketOpAges    = []byte("opage")
	bucketLinks     = []byte("link")
	bucketDocuments = []byte("doc")

	allBuckets = [][]byte{
		bucketMeta, bucketLog, bucketGroups, bucketDicts, bucketNames, bucketHeads, bucketSegments, bucketSpans, bucketSightings,
		bucketFeed, bucketClock, bucketRuns, bucketSeen, bucketOps, bucketOpAges, bucketGone, bucketLinks,
		bucketDocuments,
	}
)

// Keys of the meta bucket.
var (
	metaFormat  = []byte("format")
	metaLineage = []byte("lineage")
	metaMerged  = []byte("merged") // a mark: how far the log has been merged
	metaFloors  = []byte("floors") // what is no longer kept; absent: all is
	metaLinks   = []byte("links")  // which links bucketLinks holds; absent: none

	metaDocuments = []byte("documents") // the revision of their newest put; absent: there was none
)

// rid numbers resources in the order of their first recording, from 1.
type rid uint32

// runNo numbers runs in the order of their opening, from 1.
type runNo uint32

func ridKey(r rid) []byte { return binary.BigEndian.AppendUint32(nil, uint32(r)) }

// segmentKey is rid, then the place of the segment's first row.
func segmentKey(r rid, first *plan.Row) []byte {
	b := make([]byte, 0, 24)
	b = binary.BigEndian.AppendUint32(b, uint32(r))
	b = binary.BigEndian.AppendUint64(b, uint64(first.Start))
	b = binary.BigEndian.AppendUint64(b, uint64(first.Rank))
	return binary.BigEndian.AppendUint32(b, first.Number)
}

func sightingKey(r rid, s plan.Sighting) []byte {
	b := make([]byte, 0, 20)
	b = binary.BigEndian.AppendUint32(b, uint32(r))
	b = binary.BigEndian.AppendUint64(b, uint64(s.At))
	return binary.BigEndian.AppendUint64(b, uint64(s.Rev))
}

func uint64Key[T ~uint64 | ~int64](v T) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(v))
}

// badKey is what is panicked with over a key that nobody has written, of a wrong
// length or not covered by its value: read and writeTx make DataLoss of it.
type badKey []byte

func (k badKey) Error() string { return fmt.Sprintf("no key that was written is %x", []byte(k)) }

// lastBefore moves a cursor to the last key before a given one, nil if there is
// none; next is the first key that is not before it.
func lastBefore(c *bolt.Cursor, key []byte) (k, v, next []byte) {
	if next, _ = c.Seek(key); next == nil {
		k, v = c.Last()
	} else {
		k, v = c.Prev()
	}
	return k, v, next
}

// damaged names the place of a value that cannot be what was written.
func damaged(bucket, key []byte) error {
	return &history.Error{Kind: history.DataLoss,
		Text: fmt.Sprintf("a stored value is damaged (bucket %s, key %x); run varve verify", bucket, key)}
}
