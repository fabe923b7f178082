package bolt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"
	bbolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// The benchmarks stand beside what they are measured against in the same run:
// bare bbolt holding the same documents, compressed by zstd beforehand, under
// keys in order of arrival (the cheapest there are) or of resource and time
// (what an as-of Seek needs). Read the ratios, not the times.
//
//	go test -run '^$' -bench 'Ingest|AsOf|History|Inventory' -benchtime 1s ./history/bolt

const (
	benchResources = 2000
	benchVersions  = 10
	benchBatch     = 256
)

// estate makes the observations of a fleet of instances, in order of time: ten
// versions each, a leaf or two changed from one to the next.
func estate(resources, versions int) []history.Observation {
	rnd := rand.New(rand.NewPCG(1, 2))
	tags := make([]int, resources)
	list := make([]history.Observation, 0, resources*versions)
	for v := range versions {
		for r := range resources {
			if v > 0 {
				tags[r]++
			}
			list = append(list, history.Observation{
				Key: history.Key{
					Account: "111122223333", Region: "eu-west-1", Type: "AWS::EC2::Instance",
					ID: fmt.Sprintf("i-%017x", uint64(r+1)*0x9E3779B97F4A7C15>>4),
				},
				CapturedAt: history.Moment(1_700_000_000_000_000 + int64(v*resources+r)*1_000_000),
				State: history.State{
					ARN:  fmt.Sprintf("arn:aws:ec2:eu-west-1:111122223333:instance/i-%017x", r),
					Name: fmt.Sprintf("web-%d", r), Tags: map[string]string{"Name": fmt.Sprintf("web-%d", r), "team": "shop"},
					Configuration: instance(rnd, r, tags[r]),
				},
				Origin: history.Origin{Provider: "aws", Source: "bench"},
			})
		}
	}
	return list
}

var instanceRandom = map[int][3]uint64{}

func instance(rnd *rand.Rand, r, version int) []byte {
	x, ok := instanceRandom[r]
	if !ok {
		x = [3]uint64{rnd.Uint64(), rnd.Uint64(), rnd.Uint64()}
		instanceRandom[r] = x
	}
	return fmt.Appendf(nil, `{"amiLaunchIndex":0,"architecture":"x86_64","blockDeviceMappings":[{"deviceName":"/dev/xvda","ebs":{"attachTime":"2024-01-01T00:00:00.000Z","deleteOnTermination":true,"status":"attached","volumeId":"vol-%016x"}}],"capacityReservationSpecification":{"capacityReservationPreference":"open"},"clientToken":"%016x","cpuOptions":{"coreCount":2,"threadsPerCore":2},"ebsOptimized":true,"enaSupport":true,"enclaveOptions":{"enabled":false},"hibernationOptions":{"configured":false},"hypervisor":"xen","iamInstanceProfile":{"arn":"arn:aws:iam::111122223333:instance-profile/web","id":"AIPA%016X"},"imageId":"ami-%08x","instanceId":"i-%017x","instanceType":"m6i.large","keyName":"ops","launchTime":"2024-01-01T00:00:00.000Z","metadataOptions":{"httpEndpoint":"enabled","httpPutResponseHopLimit":1,"httpTokens":"required","state":"applied"},"monitoring":{"state":"disabled"},"networkInterfaces":[{"attachment":{"attachTime":"2024-01-01T00:00:00.000Z","attachmentId":"eni-attach-%08x","deleteOnTermination":true,"deviceIndex":0,"status":"attached"},"description":"","groups":[{"groupId":"sg-%08x","groupName":"web"},{"groupId":"sg-%08x","groupName":"base"}],"interfaceType":"interface","macAddress":"06:%02x:%02x:1a:2b:3c","networkInterfaceId":"eni-%016x","ownerId":"111122223333","privateDnsName":"ip-10-0-%d-%d.eu-west-1.compute.internal","privateIpAddress":"10.0.%d.%d","sourceDestCheck":true,"status":"in-use","subnetId":"subnet-%08x","vpcId":"vpc-0a1b2c3d"}],"placement":{"availabilityZone":"eu-west-1a","groupName":"","tenancy":"default"},"privateDnsName":"ip-10-0-%d-%d.eu-west-1.compute.internal","privateIpAddress":"10.0.%d.%d","productCodes":[],"rootDeviceName":"/dev/xvda","rootDeviceType":"ebs","securityGroups":[{"groupId":"sg-%08x","groupName":"web"},{"groupId":"sg-%08x","groupName":"base"}],"sourceDestCheck":true,"state":{"code":16,"name":"running"},"stateTransitionReason":"","subnetId":"subnet-%08x","tags":[{"key":"Name","value":"web-%d"},{"key":"release","value":"%d"},{"key":"team","value":"shop"}],"virtualizationType":"hvm","vpcId":"vpc-0a1b2c3d"}`,
		x[0], x[1], x[2], version/4, r, x[0]>>32, r%40, r%7, r%256, r/256%256, x[2], r%250, r/250, r%250, r/250, r%9,
		r%250, r/250, r%250, r/250, r%40, r%7, r%9, r, version)
}

func shuffle(list []history.Observation) []history.Observation {
	list = slices.Clone(list)
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func batches(list []history.Observation, size int) [][]history.Observation {
	var out [][]history.Observation
	for len(list) > 0 {
		n := min(size, len(list))
		out, list = append(out, list[:n]), list[n:]
	}
	return out
}

func openStore(b testing.TB, dir string) *bolt.Store {
	s, err := bolt.Open(dir, bolt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

func ingest(b testing.TB, s *bolt.Store, list []history.Observation, size int) {
	for _, batch := range batches(list, size) {
		receipt, err := s.Append(context.Background(), history.Batch{Observations: batch})
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range receipt.Results {
			if r.Err != nil {
				b.Fatal(r.Err)
			}
		}
	}
}

func BenchmarkIngest(b *testing.B) {
	list := estate(benchResources, benchVersions)
	store := func(list []history.Observation, size int) func(*testing.B) {
		return func(b *testing.B) {
			for range b.N {
				s := openStore(b, b.TempDir())
				ingest(b, s, list, size)
				if err := s.Merge(); err != nil {
					b.Fatal(err)
				}
			}
			perItem(b, len(list))
		}
	}
	b.Run("varve/batch=256", store(list, benchBatch))
	b.Run("raw-append/batch=256", func(b *testing.B) { rawIngest(b, list, benchBatch, false) })
	b.Run("raw-random/batch=256", func(b *testing.B) { rawIngest(b, list, benchBatch, true) })
	b.Run("varve-shuffled/batch=256", store(shuffle(list), benchBatch))
	b.Run("varve/batch=16", store(list[:len(list)/4], 16))
	b.Run("raw-append/batch=16", func(b *testing.B) { rawIngest(b, list[:len(list)/4], 16, false) })
	b.Run("varve-rescan/batch=256", func(b *testing.B) {
		s := openStore(b, b.TempDir())
		ingest(b, s, list, benchBatch)
		last := append([]history.Observation(nil), list[len(list)-benchResources:]...)
		b.ResetTimer()
		for n := range b.N {
			for i := range last {
				last[i].CapturedAt = history.Moment(1_720_000_000_000_000 + int64(n)*1_000_000)
			}
			ingest(b, s, last, benchBatch)
		}
		perItem(b, len(last))
	})
	b.Run("varve-rescan-beside-a-merge/batch=256", func(b *testing.B) {
		const passes = 5
		all := estate(10*benchResources, 2)
		last := append([]history.Observation(nil), all[len(all)-10*benchResources:][:benchResources]...)
		for range b.N {
			b.StopTimer()
			s, err := bolt.Open(b.TempDir(), bolt.Options{MergeRecords: len(all)})
			if err != nil {
				b.Fatal(err)
			}
			ingest(b, s, all, 4096)
			b.StartTimer()
			for pass := range passes {
				for i := range last {
					last[i].CapturedAt = history.Moment(1_720_000_000_000_000 + int64(pass)*1_000_000)
				}
				ingest(b, s, last, benchBatch)
			}
			b.StopTimer()
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
		perItem(b, passes*len(last))
	})
}

func perItem(b *testing.B, items int) {
	b.ReportMetric(float64(items)*float64(b.N)/b.Elapsed().Seconds(), "items/s")
}

// rawIngest puts the same documents into bare bbolt; compressing is not timed.
func rawIngest(b *testing.B, list []history.Observation, size int, random bool) {
	values := compress(list)
	b.ResetTimer()
	for range b.N {
		db := rawOpen(b)
		seq := uint64(0)
		for begin := 0; begin < len(list); begin += size {
			err := db.Update(func(tx *bbolt.Tx) error {
				bucket := tx.Bucket([]byte("r"))
				if !random {
					bucket.FillPercent = 1
				}
				for i := begin; i < min(begin+size, len(list)); i++ {
					key := rawKey(&list[i])
					if !random {
						seq++
						binary.BigEndian.PutUint64(key, seq)
					}
					if err := bucket.Put(key, values[i]); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	perItem(b, len(list))
}

func rawOpen(b testing.TB) *bbolt.DB {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "raw.db"), 0o600,
		&bbolt.Options{FreelistType: bbolt.FreelistMapType, InitialMmapSize: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	if err := db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("r")); return err }); err != nil {
		b.Fatal(err)
	}
	return db
}

func rawKey(o *history.Observation) []byte {
	h := fnv.New128a()
	h.Write([]byte(o.Key.ID))
	return binary.BigEndian.AppendUint64(h.Sum(nil), uint64(o.CapturedAt))
}

func compress(list []history.Observation) [][]byte {
	enc, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	values := make([][]byte, len(list))
	for i := range list {
		values[i] = enc.EncodeAll(list[i].State.Configuration, nil)
	}
	return values
}

func BenchmarkAsOf(b *testing.B) {
	list := estate(benchResources, benchVersions)
	s, db := merged(b, list), rawOrdered(b, list)
	ctx := context.Background()
	first, last := list[benchResources].CapturedAt, list[len(list)-1].CapturedAt

	b.Run("varve", func(b *testing.B) {
		rnd := rand.New(rand.NewPCG(5, 6))
		for range b.N {
			o := &list[rnd.IntN(benchResources)]
			reader, err := s.AsOf(ctx, history.At{Captured: first + history.Moment(rnd.Int64N(int64(last-first)))})
			if err != nil {
				b.Fatal(err)
			}
			items, err := reader.Get(ctx, []history.Key{o.Key}, history.FieldsAll)
			if err != nil || items[0].Version == 0 {
				b.Fatal(err, items)
			}
		}
	})
	b.Run("raw-seek-and-zstd", func(b *testing.B) {
		rnd := rand.New(rand.NewPCG(5, 6))
		dec, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		for range b.N {
			o := list[rnd.IntN(benchResources)]
			o.CapturedAt = first + history.Moment(rnd.Int64N(int64(last-first))) + 1
			err := db.View(func(tx *bbolt.Tx) error {
				c := tx.Bucket([]byte("r")).Cursor()
				var v []byte
				if k, _ := c.Seek(rawKey(&o)); k == nil {
					_, v = c.Last()
				} else {
					_, v = c.Prev()
				}
				doc, err := dec.DecodeAll(v, nil)
				if len(doc) == 0 {
					return fmt.Errorf("no document")
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// merged is a store of some observations, at rest.
func merged(b *testing.B, list []history.Observation) *bolt.Store {
	s := openStore(b, b.TempDir())
	ingest(b, s, list, 1000)
	if err := s.Merge(); err != nil {
		b.Fatal(err)
	}
	return s
}

// rawOrdered is bare bbolt with the same documents under keys of resource and time.
func rawOrdered(b *testing.B, list []history.Observation) *bbolt.DB {
	db := rawOpen(b)
	values := compress(list)
	err := db.Update(func(tx *bbolt.Tx) error {
		for i := range list {
			if err := tx.Bucket([]byte("r")).Put(rawKey(&list[i]), values[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

func BenchmarkHistory(b *testing.B) {
	list := estate(benchResources, benchVersions)
	s, db := merged(b, list), rawOrdered(b, list)
	b.Run("varve", func(b *testing.B) {
		rnd := rand.New(rand.NewPCG(5, 6))
		for range b.N {
			reader, err := s.AsOf(context.Background(), history.At{})
			if err != nil {
				b.Fatal(err)
			}
			items, _, err := reader.History(context.Background(), list[rnd.IntN(benchResources)].Key, history.HistoryQuery{})
			if err != nil || len(items) != benchVersions {
				b.Fatal(err, len(items))
			}
		}
	})
	b.Run("raw-seek-and-zstd", func(b *testing.B) {
		rnd := rand.New(rand.NewPCG(5, 6))
		dec, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		for range b.N {
			prefix := rawKey(&list[rnd.IntN(benchResources)])[:16]
			versions := 0
			err := db.View(func(tx *bbolt.Tx) error {
				c := tx.Bucket([]byte("r")).Cursor()
				for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
					if _, err := dec.DecodeAll(v, nil); err != nil {
						return err
					}
					versions++
				}
				return nil
			})
			if err != nil || versions != benchVersions {
				b.Fatal(err, versions)
			}
		}
	})
}

func BenchmarkInventory(b *testing.B) {
	list := estate(benchResources, benchVersions)
	at := list[len(list)/2].CapturedAt
	b.Run("varve", func(b *testing.B) { inventory(b, list, at, history.FieldsKey) })
	b.Run("varve-shuffled", func(b *testing.B) { inventory(b, shuffle(list), at, history.FieldsKey) })
	b.Run("raw-scan", func(b *testing.B) { rawInventory(b, list, at, false) })
	b.Run("varve-documents", func(b *testing.B) { inventory(b, list, at, history.FieldsAll) })
	b.Run("raw-scan-documents", func(b *testing.B) { rawInventory(b, list, at, true) })
}

// inventory lists what there was at a moment, after the observations came in
// the order of the list.
func inventory(b *testing.B, list []history.Observation, at history.Moment, f history.Fields) {
	s := merged(b, list)
	b.ResetTimer()
	for range b.N {
		reader, err := s.AsOf(context.Background(), history.At{Captured: at})
		if err != nil {
			b.Fatal(err)
		}
		items, _, err := reader.Items(context.Background(), history.Query{Fields: f})
		if err != nil || len(items) != benchResources {
			b.Fatal(err, len(items))
		}
	}
	b.ReportMetric(float64(benchResources)*float64(b.N)/b.Elapsed().Seconds(), "resources/s")
}

// rawInventory goes through all keys in order of resource and time and keeps the
// last of each resource before the moment, if asked for with its document.
func rawInventory(b *testing.B, list []history.Observation, at history.Moment, documents bool) {
	db := rawOrdered(b, list)
	dec, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	b.ResetTimer()
	for range b.N {
		alive := 0
		err := db.View(func(tx *bbolt.Tx) error {
			var (
				before, value []byte // of the resource, at or before the moment
				err           error
			)
			end := func() {
				if value == nil {
					return
				}
				alive++
				if documents {
					_, e := dec.DecodeAll(value, nil)
					err = errors.Join(err, e)
				}
			}
			c := tx.Bucket([]byte("r")).Cursor()
			for k, v := c.First(); k != nil; k, v = c.Next() {
				if !bytes.Equal(before, k[:16]) {
					end()
					before, value = k[:16], nil
				}
				if history.Moment(binary.BigEndian.Uint64(k[16:])) <= at {
					value = v
				}
			}
			end()
			return err
		})
		if err != nil || alive != benchResources {
			b.Fatal(err, alive)
		}
	}
	b.ReportMetric(float64(benchResources)*float64(b.N)/b.Elapsed().Seconds(), "resources/s")
}
