package bolt

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
)

// counters are what a store has done since it was opened.
type counters struct {
	commits, commitNanos             atomic.Uint64
	observations, unchanged, refused atomic.Uint64
	merges, mergeFailed, mergeNanos  atomic.Uint64
	stallNanos, withoutRoom          atomic.Uint64
	contentHits, contentMisses       atomic.Uint64
	ridHits, ridMisses               atomic.Uint64
	headHits, headMisses             atomic.Uint64
}

// since adds the time that has passed to a counter.
func since(c *atomic.Uint64, began time.Time) { c.Add(uint64(time.Since(began).Nanoseconds())) }

// count adds the results of a batch.
func (c *counters) count(results []history.Result) {
	var unchanged, refused uint64
	for i := range results {
		switch {
		case results[i].Err != nil:
			refused++
		case results[i].Unchanged:
			unchanged++
		}
	}
	c.observations.Add(uint64(len(results)) - refused)
	c.unchanged.Add(unchanged)
	c.refused.Add(refused)
}

// bucketSizes are the sizes of the buckets, which takes a walk over all pages to
// learn: they are kept until they may have changed and are old.
type bucketSizes struct {
	mu     sync.Mutex
	list   []history.BucketStats
	writes uint64 // commits and merges, when they were learned
	taken  time.Time
	took   time.Duration
}

const (
	bucketSizesAge  = time.Minute // after which they are learned again, or before,
	bucketSizesRest = 100         // after so many times what it took the last time
)

// Stats implements history.Statter. Sizes of buckets are up to a minute old.
func (s *Store) Stats(context.Context) (history.Stats, error) {
	s.mu.RLock()
	closed := s.closed
	var records, bytes int
	for _, t := range s.tails(nil) {
		records, bytes = records+t.records, bytes+t.bytes
	}
	apart := 0
	if s.heldBy != nil {
		apart = s.heldBy.resources
	}
	s.mu.RUnlock()
	if closed {
		return history.Stats{}, errClosed
	}
	n := &s.counters
	stats := history.Stats{
		Format: formatVersion, Unmerged: uint64(records), UnmergedBytes: uint64(bytes), Apart: uint64(apart),
		Commits: n.commits.Load(), CommitNanos: n.commitNanos.Load(),
		Observations: n.observations.Load(), Unchanged: n.unchanged.Load(), Refused: n.refused.Load(),
		Merges: n.merges.Load(), MergeFailed: n.mergeFailed.Load(), MergeNanos: n.mergeNanos.Load(),
		StallNanos: n.stallNanos.Load(), WithoutRoom: n.withoutRoom.Load(),
		CacheHits: map[string]uint64{
			"content": n.contentHits.Load(), "resource": n.ridHits.Load(), "head": n.headHits.Load(),
		},
		CacheMisses: map[string]uint64{
			"content": n.contentMisses.Load(), "resource": n.ridMisses.Load(), "head": n.headMisses.Load(),
		},
	}
	err := s.view(func(v *view) error {
		page := int64(s.db.Info().PageSize)
		stats.FreeBytes = int64(s.db.Stats().FreePageN+s.db.Stats().PendingPageN) * page
		stats.LiveBytes = v.tx.Size() - stats.FreeBytes
		stats.Buckets = s.sizes.of(v.tx, stats.Commits+stats.Merges)
		return nil
	})
	if err != nil {
		return history.Stats{}, err
	}
	// The file is grown ahead of its use: it is larger than what a transaction
	// takes for its size.
	file, err := os.Stat(s.db.Path())
	if err != nil {
		return history.Stats{}, fmt.Errorf("bolt: %w", err)
	}
	stats.FileBytes = file.Size()
	return stats, nil
}

func (b *bucketSizes) of(tx *bolt.Tx, writes uint64) []history.BucketStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.list == nil || b.writes != writes && time.Since(b.taken) > min(bucketSizesAge, bucketSizesRest*b.took) {
		began := time.Now()
		b.list = bucketStats(tx)
		b.writes, b.taken, b.took = writes, time.Now(), time.Since(began)
	}
	return b.list
}

func bucketStats(tx *bolt.Tx) []history.BucketStats {
	list := make([]history.BucketStats, 0, len(allBuckets))
	for _, name := range allBuckets {
		if b := tx.Bucket(name); b != nil {
			st := b.Stats()
			list = append(list, history.BucketStats{
				Name: string(name), Entries: uint64(st.KeyN), Bytes: int64(st.BranchAlloc + st.LeafAlloc),
			})
		}
	}
	return list
}
