package recorder_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	bbolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/recorder"
)

// BenchmarkRescan records all that a collector finds once more, in batches, when
// one of twenty resources has changed since: the others get a sighting each. The
// log is merged before. Beside it bare bbolt appends what has changed and nothing
// else, compressed beforehand: less than that no store can write.
//
//	go test -run '^$' -bench Rescan ./recorder
func BenchmarkRescan(b *testing.B) {
	const (
		resources = 10_000
		size      = 256
		changing  = 20
	)
	scan := func(n int) []history.Observation {
		list := make([]history.Observation, resources)
		for i := range list {
			list[i] = scanned(i, (n+changing-i%changing)/changing)
			list[i].CapturedAt = history.Moment(1_700_000_000_000_000 + int64(n)*3_600_000_000)
		}
		return list
	}
	perItem := func(b *testing.B) {
		b.ReportMetric(float64(resources)*float64(b.N)/b.Elapsed().Seconds(), "items/s")
	}
	b.Run("varve", func(b *testing.B) {
		s, err := bolt.Open(b.TempDir(), bolt.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		r := recorder.New(s, recorder.Options{})
		record := func(list []history.Observation) (changed int) {
			for begin := 0; begin < len(list); begin += size {
				receipt, err := r.Record(context.Background(), history.Batch{Observations: list[begin:min(begin+size, len(list))]})
				if err != nil {
					b.Fatal(err)
				}
				for _, result := range receipt.Results {
					if result.Err != nil {
						b.Fatal(result.Err)
					}
					if !result.Unchanged {
						changed++
					}
				}
			}
			return changed
		}
		n := 0
		next := func() []history.Observation {
			b.StopTimer()
			defer b.StartTimer()
			if err := s.Merge(); err != nil {
				b.Fatal(err)
			}
			n++
			return scan(n)
		}
		record(scan(0))
		record(next())
		b.ResetTimer()
		for range b.N {
			if changed := record(next()); changed != resources/changing {
				b.Fatal("changed:", changed)
			}
		}
		perItem(b)
	})
	b.Run("raw-append-of-the-changed", func(b *testing.B) {
		db, err := bbolt.Open(filepath.Join(b.TempDir(), "raw.db"), 0o600, &bbolt.Options{InitialMmapSize: 1 << 30})
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil {
			b.Fatal(err)
		}
		var values [][]byte
		for i, o := range scan(1) {
			if i%changing == 1 {
				values = append(values, encoder.EncodeAll(o.State.Configuration, nil))
			}
		}
		seq := uint64(0)
		b.ResetTimer()
		for range b.N {
			for rest := values; len(rest) > 0; {
				n := min(len(rest), size/changing) // as many as there are in a batch
				err := db.Update(func(tx *bbolt.Tx) error {
					bucket, err := tx.CreateBucketIfNotExists([]byte("r"))
					if err != nil {
						return err
					}
					bucket.FillPercent = 1
					for _, value := range rest[:n] {
						seq++
						if err := bucket.Put(binary.BigEndian.AppendUint64(nil, seq), value); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				rest = rest[n:]
			}
		}
		perItem(b)
	})
}

// BenchmarkReady gets batches of which all is new ready to be appended, on all cores,
// and appends nothing: what recording takes before any store is asked.
//
//	go test -run '^$' -bench Ready ./recorder
func BenchmarkReady(b *testing.B) {
	const (
		size    = 256
		batches = 40
	)
	r := recorder.New(nil, recorder.Options{})
	list := make([]history.Observation, size)
	for n := range b.N {
		for k := range batches {
			b.StopTimer()
			for i := range list {
				list[i] = scanned(i, n*batches+k)
			}
			b.StartTimer()
			if _, err := r.Ready(context.Background(), history.Batch{Observations: list}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(size*batches*float64(b.N)/b.Elapsed().Seconds(), "items/s")
}

// scanned is a network interface of some 2 KB, of which one tag differs from
// version to version.
func scanned(i, version int) history.Observation {
	h := fnv.New64a()
	fmt.Fprint(h, i)
	x := h.Sum64()
	var b strings.Builder
	fmt.Fprintf(&b, `{"networkInterfaceId":"eni-%016x","interfaceType":"interface","status":"in-use","macAddress":"06:%02x:%02x:1a:2b:3c","subnetId":"subnet-%08x","vpcId":"vpc-0a1b2c3d","sourceDestCheck":true,"privateIpAddresses":[`,
		x, byte(x), byte(x>>8), x>>40)
	for n := range 8 {
		fmt.Fprintf(&b, `{"primary":%t,"privateIpAddress":"10.%d.%d.%d","privateDnsName":"ip-10-%d-%d-%d.eu-west-1.compute.internal"},`, n == 0, n, byte(x), byte(x>>8), n, byte(x), byte(x>>8))
	}
	fmt.Fprintf(&b, `{"primary":false}],"groups":[{"groupId":"sg-%08x","groupName":"web"},{"groupId":"sg-%08x","groupName":"base"}],"attachment":{"attachmentId":"eni-attach-%016x","instanceId":"i-%016x","deviceIndex":0,"status":"attached","deleteOnTermination":true},"tagSet":[{"key":"release","value":"%d"},{"key":"team","value":"shop"}],"description":"%s"}`,
		byte(x), byte(x>>16), x*3, x*5, version, strings.Repeat(fmt.Sprintf("%016x ", x*7), 24))
	return history.Observation{
		Key:   history.Key{Account: "111122223333", Region: "eu-west-1", Type: "AWS::EC2::NetworkInterface", ID: fmt.Sprintf("eni-%016x", x)},
		State: history.State{Tags: map[string]string{"team": "shop"}, Configuration: []byte(b.String())},
	}
}
