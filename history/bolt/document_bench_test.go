package bolt_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// benchDocument is a body of n bytes in which every other one is noise: as a rule
// half of a document is compressed away.
func benchDocument(n, size int) []byte {
	rnd := rand.New(rand.NewPCG(uint64(n), 1))
	b := make([]byte, size)
	for i := 0; i < size/2; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], rnd.Uint64())
	}
	return b
}

// BenchmarkDocuments puts documents beside a commit of bare bbolt that puts the
// values as the store keeps them, under the same keys, one time after the other.
//
//	go test -run '^$' -bench Documents -benchtime 1s ./history/bolt
func BenchmarkDocuments(b *testing.B) {
	for _, c := range []struct{ documents, size int }{{1, 1 << 10}, {100, 1 << 10}, {100, 16 << 10}} {
		name := fmt.Sprintf("%dx%dKiB/", c.documents, c.size>>10)
		writes := make([]history.DocumentWrite, c.documents)
		for i := range writes {
			writes[i] = history.DocumentWrite{Collection: "state", Name: fmt.Sprintf("subscription-%03d", i), Body: benchDocument(i, c.size)}
		}
		b.Run(name+"varve", func(b *testing.B) {
			s := openStore(b, b.TempDir())
			for b.Loop() {
				putDocuments(b, s, writes...)
			}
		})
		b.Run(name+"raw", func(b *testing.B) {
			db := rawOpen(b)
			values := make([][]byte, len(writes))
			for i := range writes {
				values[i] = bolt.DocumentValue(nil, writes[i].Body, uint64(i))
			}
			for b.Loop() {
				err := db.Update(func(tx *bbolt.Tx) error {
					bucket := tx.Bucket([]byte("r"))
					for i := range writes {
						if err := bucket.Put([]byte(writes[i].Name), values[i]); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDocumentsBeside records for a second alone and for a second beside a put
// of a hundred documents, as that of all subscriptions, by turns. It reports how
// much of the observations recorded alone were recorded beside it.
//
//	go test -run '^$' -bench DocumentsBeside -benchtime 30x ./history/bolt
func BenchmarkDocumentsBeside(b *testing.B) {
	s := openStore(b, b.TempDir())
	writes := make([]history.DocumentWrite, 100)
	for i := range writes {
		writes[i] = history.DocumentWrite{Collection: "state", Name: fmt.Sprint(i), Body: benchDocument(i, 4<<10)}
	}
	list := batches(estate(benchResources, 1), benchBatch)
	list = list[:len(list)-1] // all of one size
	n := 0
	second := func() (recorded int) {
		for end := time.Now().Add(time.Second); time.Now().Before(end); n++ {
			batch := list[n%len(list)]
			for i := range batch {
				batch[i].CapturedAt += 10_000_000
				batch[i].State.Configuration = fmt.Appendf(nil, `{"n":%d,"i":%d}`, n, i)
			}
			ingest(b, s, batch, benchBatch)
			recorded += len(batch)
		}
		return recorded
	}
	alone, beside := 0, 0
	for i := 0; b.Loop(); i++ {
		if i%2 == 0 {
			alone += second()
		}
		put := make(chan error, 1)
		go func() {
			_, err := s.PutDocuments(context.Background(), writes)
			put <- err
		}()
		beside += second()
		if err := <-put; err != nil {
			b.Fatal(err)
		}
		if i%2 == 1 {
			alone += second()
		}
	}
	b.ReportMetric(float64(alone)/float64(b.N), "alone/s")
	b.ReportMetric(float64(beside)/float64(b.N), "beside/s")
	b.ReportMetric(float64(beside)/float64(alone), "beside/alone")
}
