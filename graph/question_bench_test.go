package graph_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"

	bbolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// The benchmarks ask a store of 10,000 security groups, one of which 10,000
// instances use at any one moment, while 200,000 used it before; beside them
// stands bare bbolt reading a range of as many keys, with memory of its own for
// each as an answer has it. Read the ratios, not the times.
//
//	go test -run '^$' -bench 'Question' -benchtime 1s ./graph
const (
	benchUsers  = 10_000
	benchTurns  = 21 // of so many users each
	benchGroups = 10_000
)

func benchMoment(n int) history.Moment { return epoch + history.Moment(n)*1_000_000 }

func benchKey(typ, id string) history.Key {
	return history.Key{Account: "111122223333", Region: "eu-west-1", Type: typ, ID: id}
}

func benchGroup(n int) history.Key {
	return benchKey("AWS::EC2::SecurityGroup", fmt.Sprintf("sg-%017x", n))
}

// benchStore records instance after instance: each uses group 1, and one of the
// others, until it is terminated.
func benchStore(b *testing.B) *bolt.Store {
	s, err := bolt.Open(b.TempDir(), bolt.Options{Linker: graph.Linker{}, NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	var batch history.Batch
	flush := func() {
		if _, err := s.Append(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
		batch.Observations = nil
	}
	observe := func(n int, k history.Key, s history.State) {
		batch.Observations = append(batch.Observations, history.Observation{Key: k, CapturedAt: benchMoment(n), State: s})
		if len(batch.Observations) == 1000 {
			flush()
		}
	}
	for n := range benchGroups {
		observe(0, benchGroup(n), history.State{Configuration: fmt.Appendf(nil, `{"groupId":%q}`, benchGroup(n).ID)})
	}
	for n := range benchTurns * benchUsers {
		k := benchKey("AWS::EC2::Instance", fmt.Sprintf("i-%017x", n))
		observe(2*n+2, k, history.State{Configuration: fmt.Appendf(nil,
			`{"instanceId":%q,"securityGroups":[{"groupId":%q},{"groupId":%q}]}`, k.ID, benchGroup(1).ID, benchGroup(2+n%(benchGroups/2)).ID)})
		if n >= benchUsers {
			observe(2*n+3, benchKey("AWS::EC2::Instance", fmt.Sprintf("i-%017x", n-benchUsers)), history.State{Deleted: true})
		}
	}
	flush()
	if err := s.Merge(); err != nil {
		b.Fatal(err)
	}
	return s
}

func BenchmarkQuestion(b *testing.B) {
	ctx := context.Background()
	s := benchStore(b)
	at := func(b *testing.B, at history.At) *graph.Graph {
		r, err := s.AsOf(ctx, at)
		if err != nil {
			b.Fatal(err)
		}
		return graph.At(r)
	}
	cache := graph.NewCache(s, 0)
	remembered := func(b *testing.B, at history.At) *graph.Graph {
		r, err := s.AsOf(ctx, at)
		if err != nil {
			b.Fatal(err)
		}
		return cache.At(r)
	}
	uses := func(at func(*testing.B, history.At) *graph.Graph, when history.At) func(*testing.B) {
		return func(b *testing.B) {
			for range b.N {
				hits, err := at(b, when).Uses(ctx, benchGroup(1), 1, 0)
				if err != nil || hits.Len() != benchUsers {
					b.Fatal(hits.Len(), err)
				}
				for hit := range hits.All() {
					if hit.Depth != 1 || hit.Key.ID == "" {
						b.Fatal(hit)
					}
				}
			}
		}
	}
	b.Run("uses/now", uses(at, history.At{}))
	b.Run("uses/past", uses(at, history.At{Captured: benchMoment(benchTurns*benchUsers + 1)}))
	b.Run("uses/early", uses(at, history.At{Captured: benchMoment(2*benchUsers + 3)}))
	b.Run("remembered/now", uses(remembered, history.At{}))
	b.Run("remembered/past", uses(remembered, history.At{Captured: benchMoment(benchTurns*benchUsers + 1)}))
	b.Run("raw-range", func(b *testing.B) { rawRange(b, benchUsers, benchTurns) })
	b.Run("unused", func(b *testing.B) {
		for range b.N {
			nodes, _, err := at(b, history.At{}).Unused(ctx, history.Query{Type: "AWS::EC2::SecurityGroup", Limit: 100})
			if err != nil || len(nodes) != 100 {
				b.Fatal(len(nodes), err)
			}
		}
	})
	b.Run("unused/all", func(b *testing.B) {
		for range b.N {
			nodes, _, err := at(b, history.At{}).Unused(ctx, history.Query{Type: "AWS::EC2::SecurityGroup"})
			if err != nil || len(nodes) != benchGroups-benchGroups/2-1 {
				b.Fatal(len(nodes), err)
			}
		}
	})
}

// rawRange reads the keys user by user of one of several things used.
func rawRange(b *testing.B, users, others int) {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "raw.db"), 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	key := func(used, user int) []byte {
		k := binary.BigEndian.AppendUint32(nil, uint32(used))
		return fmt.Appendf(k, "111122223333\x00eu-west-1\x00AWS::EC2::Instance\x00i-%017x", user)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucket([]byte("r"))
		if err != nil {
			return err
		}
		for used := range others {
			for user := range users {
				if err := bucket.Put(key(used, user), []byte("Is associated with\x00/securityGroups/0/groupId")); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		var found [][2][]byte
		err := db.View(func(tx *bbolt.Tx) error {
			prefix := key(others/2, 0)[:4]
			c := tx.Bucket([]byte("r")).Cursor()
			for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
				found = append(found, [2][]byte{bytes.Clone(k), bytes.Clone(v)})
			}
			return nil
		})
		if err != nil || len(found) != users {
			b.Fatal(err, len(found))
		}
	}
}
