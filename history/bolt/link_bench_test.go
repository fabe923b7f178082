package bolt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	bbolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/recorder"
)

// hubLinker links resources to the terms that their tag "uses" names.
type hubLinker struct{}

func (hubLinker) Tables() string { return "hub" }

func (hubLinker) Links(_ history.Key, s *history.State) []history.Link {
	if term := s.Tags["uses"]; term != "" {
		return []history.Link{{Term: term, Detail: "Is associated with\x00/securityGroups/0/groupId"}}
	}
	return nil
}

// BenchmarkLinks asks who refers to a term, of which 10,000 of 210,000 resources
// that ever did do so at any one moment; beside it stands bare bbolt reading a
// range of as many keys, with memory of its own for each as an answer has it.
//
//	go test -run '^$' -bench 'Links' -benchtime 1s ./history/bolt
func BenchmarkLinks(b *testing.B) {
	const (
		users = 10_000
		turns = 21 // of 10,000 users each
	)
	s, err := bolt.Open(b.TempDir(), bolt.Options{Linker: hubLinker{}, NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	at := func(n int) history.Moment { return history.Moment(1_700_000_000_000_000 + int64(n)*1_000_000) }
	var list []history.Observation
	observe := func(n, user int, uses string) {
		list = append(list, history.Observation{
			Key:        history.Key{Account: "111122223333", Region: "eu-west-1", Type: "AWS::EC2::Instance", ID: fmt.Sprintf("i-%017x", user)},
			CapturedAt: at(n),
			State:      history.State{Tags: map[string]string{"uses": uses}, Configuration: []byte(`{"state":"running"}`)},
		})
	}
	for n := range turns * users {
		observe(2*n, n, "sg-1")
		if n >= users {
			observe(2*n+1, n-users, "sg-2")
		}
	}
	ingest(b, s, list, 1000)
	list = nil // not to be looked at by the collector
	if err := s.Merge(); err != nil {
		b.Fatal(err)
	}

	ask := func(at history.At) func(*testing.B) {
		return func(b *testing.B) {
			for range b.N {
				reader, err := s.AsOf(context.Background(), at)
				if err != nil {
					b.Fatal(err)
				}
				found, _, err := reader.Links(context.Background(), history.LinkQuery{Terms: []string{"sg-1"}, Refers: true})
				if err != nil || len(found) != users {
					b.Fatal(err, len(found))
				}
			}
		}
	}
	b.Run("now", ask(history.At{}))
	b.Run("past", ask(history.At{Captured: at(turns*users + 1)}))
	b.Run("early", ask(history.At{Captured: at(2*users + 1)}))
	head, err := s.Head(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("known-before", ask(history.At{Known: head.Revision / 2}))
	b.Run("raw-range", func(b *testing.B) { rawRange(b, users, turns) })
}

// rawRange reads the keys user by user of one of several things used.
func rawRange(b *testing.B, users, others int) {
	db := rawOpen(b)
	key := func(used, user int) []byte {
		k := binary.BigEndian.AppendUint32(nil, uint32(used))
		return fmt.Appendf(k, "111122223333\x00eu-west-1\x00AWS::EC2::Instance\x00i-%017x", user)
	}
	err := db.Update(func(tx *bbolt.Tx) error {
		for used := range others {
			for user := range users {
				if err := tx.Bucket([]byte("r")).Put(key(used, user), []byte("Is associated with\x00/securityGroups/0/groupId")); err != nil {
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

// BenchmarkRecord records through the recorder, without and with a linker: the
// ratio is what relationships cost. A third of what is recorded changes one.
func BenchmarkRecord(b *testing.B) {
	list := estate(benchResources, benchVersions)
	for i := range list {
		if v := i / benchResources; v%3 == 2 {
			list[i].State.Configuration = bytes.Replace(list[i].State.Configuration, []byte(`"vpcId":"vpc-0a1b2c3d"`), fmt.Appendf(nil, `"vpcId":"vpc-0a1b2c%02x"`, v), 2)
		}
	}
	for name, by := range map[string]history.Linker{"alone": nil, "linked": graph.NewLinker()} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				s, err := bolt.Open(b.TempDir(), bolt.Options{Linker: by})
				if err != nil {
					b.Fatal(err)
				}
				r := recorder.New(s, recorder.Options{})
				for _, batch := range batches(list, benchBatch) {
					if _, err := r.Record(context.Background(), history.Batch{Observations: batch}); err != nil {
						b.Fatal(err)
					}
				}
				if err := s.Merge(); err != nil {
					b.Fatal(err)
				}
				s.Close()
			}
			perItem(b, len(list))
		})
	}
}
