package metrics

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/varvehq/varve/history"
)

const (
	// statsAge is how old what a store tells of itself may be: it may have to
	// walk its file for it.
	statsAge = 15 * time.Second
	// statsTime is how long it may take.
	statsTime = 10 * time.Second
)

// Store adds what a store tells of itself: its head, and if it is a
// [history.Statter] its sizes and counters, which are up to 15 s old. now is the
// clock for that age.
func (m *Metrics) Store(s history.Store, now func() time.Time, log *slog.Logger) {
	m.registry.MustRegister(&storeCollector{store: s, now: now, log: log})
}

type storeCollector struct {
	store history.Store
	now   func() time.Time
	log   *slog.Logger

	mu    sync.Mutex // one walk at a time
	stats history.Stats
	taken time.Time // zero: never
}

// measure is one number about a store, and how it is read.
type measure[T any] struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*T) float64
}

func gauge[T any](name, help string, read func(*T) float64) measure[T] {
	return measure[T]{describe(name, help), prometheus.GaugeValue, read}
}

func counter[T any](name, help string, read func(*T) float64) measure[T] {
	return measure[T]{describe(name, help), prometheus.CounterValue, read}
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("varve_store_"+name, help, labels, nil)
}

func seconds(nanos uint64) float64 { return float64(nanos) / 1e9 }

var ofHead = []measure[history.Head]{
	gauge("revision", "The newest revision.", func(h *history.Head) float64 { return float64(h.Revision) }),
	gauge("revision_timestamp_seconds", "When the newest revision was recorded, in seconds since 1970.",
		func(h *history.Head) float64 { return float64(h.RecordedAt) / 1e6 }),
	gauge("resources", "Resources ever recorded, deleted ones included.", func(h *history.Head) float64 { return float64(h.Resources) }),
}

var ofStats = []measure[history.Stats]{
	gauge("file_bytes", "Size of the file.", func(s *history.Stats) float64 { return float64(s.FileBytes) }),
	gauge("live_bytes", "Size of the pages in use.", func(s *history.Stats) float64 { return float64(s.LiveBytes) }),
	gauge("free_bytes", "Size of the pages that will be used again.", func(s *history.Stats) float64 { return float64(s.FreeBytes) }),

	gauge("unmerged_records", "Records of the log that are not yet merged: how far the merger is behind.", func(s *history.Stats) float64 { return float64(s.Unmerged) }),
	gauge("unmerged_bytes", "Size of these records.", func(s *history.Stats) float64 { return float64(s.UnmergedBytes) }),
	gauge("resources_apart", "Resources of which nothing is merged since what was merged of them is damaged: run varve verify.", func(s *history.Stats) float64 { return float64(s.Apart) }),

	counter("commits_total", "Commits of observations, runs and documents.", func(s *history.Stats) float64 { return float64(s.Commits) }),
	counter("commit_seconds_total", "Time spent in commits, planning included.", func(s *history.Stats) float64 { return seconds(s.CommitNanos) }),
	counter("writes_without_room_total", "Writes that failed since the disk had no room, and left nothing behind. Reads go on, and the store stays writable.", func(s *history.Stats) float64 { return float64(s.WithoutRoom) }),
	counter("merges_total", "Merges of the log.", func(s *history.Stats) float64 { return float64(s.Merges) }),
	counter("merges_failed_total", "Merges of the log that failed, and are tried again.", func(s *history.Stats) float64 { return float64(s.MergeFailed) }),
	counter("merge_seconds_total", "Time spent merging.", func(s *history.Stats) float64 { return seconds(s.MergeNanos) }),
	counter("stall_seconds_total", "Time for which the writer waited for the merger.", func(s *history.Stats) float64 { return seconds(s.StallNanos) }),
}

var (
	bucketEntries = describe("bucket_entries", "Entries of a part of the file.", "bucket")
	bucketBytes   = describe("bucket_bytes", "Size of the pages of a part of the file.", "bucket")
	cacheHits     = describe("cache_hits_total", "Look-ups that a cache could answer.", "cache")
	cacheMisses   = describe("cache_misses_total", "Look-ups that a cache could not answer.", "cache")
	writable      = describe("writable", "1 while the store takes writes, be the disk full or not, else 0.")
)

// Describe implements prometheus.Collector.
func (c *storeCollector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range ofHead {
		out <- m.desc
	}
	for _, m := range ofStats {
		out <- m.desc
	}
	for _, d := range []*prometheus.Desc{bucketEntries, bucketBytes, cacheHits, cacheMisses, writable} {
		out <- d
	}
}

// Collect implements prometheus.Collector. What the store cannot tell is left
// out, and logged.
func (c *storeCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), statsTime)
	defer cancel()
	if head, err := c.store.Head(ctx); err != nil {
		c.log.Warn("the store does not tell its head", "err", err)
	} else {
		send(out, ofHead, &head)
	}
	if prober, ok := c.store.(history.Prober); ok {
		value := 1.0
		if prober.Probe(ctx) != nil {
			value = 0
		}
		out <- prometheus.MustNewConstMetric(writable, prometheus.GaugeValue, value)
	}
	statter, ok := c.store.(history.Statter)
	if !ok {
		return
	}
	stats, err := c.recent(ctx, statter)
	if err != nil {
		c.log.Warn("the store does not tell its sizes", "err", err)
		return
	}
	send(out, ofStats, &stats)
	for _, b := range stats.Buckets {
		out <- prometheus.MustNewConstMetric(bucketEntries, prometheus.GaugeValue, float64(b.Entries), b.Name)
		out <- prometheus.MustNewConstMetric(bucketBytes, prometheus.GaugeValue, float64(b.Bytes), b.Name)
	}
	for name, n := range stats.CacheHits {
		out <- prometheus.MustNewConstMetric(cacheHits, prometheus.CounterValue, float64(n), name)
	}
	for name, n := range stats.CacheMisses {
		out <- prometheus.MustNewConstMetric(cacheMisses, prometheus.CounterValue, float64(n), name)
	}
}

func send[T any](out chan<- prometheus.Metric, all []measure[T], from *T) {
	for _, m := range all {
		out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.read(from))
	}
}

// recent returns what the store said within statsAge, or asks it.
func (c *storeCollector) recent(ctx context.Context, s history.Statter) (history.Stats, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.taken.IsZero() && c.now().Sub(c.taken) < statsAge {
		return c.stats, nil
	}
	stats, err := s.Stats(ctx)
	if err != nil {
		return history.Stats{}, err
	}
	c.stats, c.taken = stats, c.now()
	return stats, nil
}
