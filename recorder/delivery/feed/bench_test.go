package feed_test

import (
	"fmt"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// The feed from its start: as events of a source that holds nothing yet, and again
// once it holds them; as those with their differences and references; and beside
// them the questions that a source asks the store, one after another. Read the
// ratios.
//
//	go test -run '^$' -bench Replay ./recorder/delivery/feed
func BenchmarkReplay(b *testing.B) {
	const resources, versions, page = 2000, 5, 1000
	s, err := bolt.Open(b.TempDir(), bolt.Options{NoSync: true, MergeRecords: 2000})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for v := range versions {
		for from := 0; from < resources; from += 500 {
			var batch history.Batch
			for i := from; i < from+500; i++ {
				state := letter(fmt.Sprint(v))
				state.Configuration = document(i, v)
				batch.Observations = append(batch.Observations, history.Observation{Key: key(fmt.Sprint(i)), CapturedAt: at(v), State: state})
			}
			if _, err := s.Append(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
	}

	replay := func(b *testing.B, source *feed.Source, use func(*feed.Event)) {
		n := 0
		for after := history.Position(""); n < resources*versions; {
			events, next, err := source.Events(b.Context(), after, page, 0)
			if err != nil {
				b.Fatal(err)
			}
			for _, e := range events {
				use(e)
			}
			n, after = n+len(events), next
		}
	}
	report := func(b *testing.B) {
		b.ReportMetric(float64(b.N)*resources*versions/b.Elapsed().Seconds(), "events/s")
	}
	b.Run("Questions", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for after := history.Position(""); n < resources*versions; {
				changes, next, err := s.Changes(b.Context(), after, page, 0)
				if err != nil {
					b.Fatal(err)
				}
				for _, c := range changes {
					r, err := s.AsOf(b.Context(), history.At{Known: c.Revision})
					if err != nil {
						b.Fatal(err)
					}
					if _, _, err := r.History(b.Context(), c.Key, history.HistoryQuery{To: c.CapturedAt, Limit: 2}); err != nil {
						b.Fatal(err)
					}
				}
				n, after = n+len(changes), next
			}
		}
		report(b)
	})
	b.Run("Cold", func(b *testing.B) {
		for b.Loop() {
			replay(b, feed.NewSource(s, feed.Options{}), func(*feed.Event) {})
		}
		report(b)
	})
	b.Run("ColdWithDifferences", func(b *testing.B) {
		for b.Loop() {
			replay(b, feed.NewSource(s, feed.Options{}), func(e *feed.Event) {
				if _, err := e.Difference(); err != nil {
					b.Fatal(err)
				}
				e.References()
			})
		}
		report(b)
	})
	b.Run("Kept", func(b *testing.B) {
		source := feed.NewSource(s, feed.Options{CacheBytes: 1 << 30})
		replay(b, source, func(*feed.Event) {})
		for b.Loop() {
			replay(b, source, func(*feed.Event) {})
		}
		report(b)
	})
}

// document is a configuration of a kilobyte and a half, of which one leaf changes
// from version to version.
func document(i, version int) []byte {
	doc := fmt.Appendf(nil, `{"id":"i-%d","release":%d,"interfaces":[`, i, version)
	for j := range 12 {
		if j > 0 {
			doc = append(doc, ',')
		}
		doc = fmt.Appendf(doc, `{"address":"10.%d.%d.%d","groups":["sg-%d","sg-%d"],"mac":"06:00:00:%02x:%02x","primary":%t}`,
			i%250, i/250, j, i%40, i%7, i%256, j, j == 0)
	}
	return append(doc, "]}"...)
}
