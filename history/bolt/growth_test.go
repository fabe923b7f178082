package bolt_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// BenchmarkGrowth tells how the same figures stand in stores of 10,000 and
// 100,000 resources of three versions each, with VARVE_SCALE of 10 or more of
// 1,000,000, of 50 or more of 5,000,000: look-ups should stay flat. Each runs once.
//
//	VARVE_SCALE=10 go test -run '^$' -bench Growth -benchtime 1x -timeout 1h ./history/bolt
func BenchmarkGrowth(b *testing.B) {
	sizes := []int{10_000, 100_000}
	if scale() >= 10 {
		sizes = append(sizes, 1_000_000)
	}
	if scale() >= 50 {
		sizes = append(sizes, 5_000_000)
	}
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range b.N {
				growth(b, n)
			}
		})
	}
}

// grown is version v of resource r. It holds nothing of others: a million of them
// need not be in memory.
func grown(r, v int) history.Observation {
	rnd := rand.New(rand.NewPCG(uint64(r), 7))
	o := history.Observation{
		Key: history.Key{
			Account: fmt.Sprintf("11112222%04d", r%20), Region: "eu-west-1", Type: fmt.Sprint("AWS::EC2::Kind", r%30),
			ID: fmt.Sprintf("i-%017x", uint64(r+1)*0x9E3779B97F4A7C15>>4),
		},
		CapturedAt: firstMoment + history.Moment(v)*1_000_000_000_000 + history.Moment(r)*1000,
	}
	o.State.Configuration = fmt.Appendf(nil, `{"architecture":"x86_64","clientToken":"%016x","cpuOptions":{"coreCount":2,"threadsPerCore":2},"ebsOptimized":true,"enaSupport":true,"hypervisor":"xen","imageId":"ami-%08x","instanceType":"m6i.large","keyName":"ops","launchTime":"2024-01-01T00:00:00.000Z","metadataOptions":{"httpEndpoint":"enabled","httpPutResponseHopLimit":1,"httpTokens":"required"},"monitoring":{"state":"disabled"},"placement":{"availabilityZone":"eu-west-1a","tenancy":"default"},"securityGroups":["sg-%08x","sg-%08x"],"state":{"code":16,"name":"running"},"subnetId":"subnet-%08x","tags":[{"key":"Name","value":"web-%d"},{"key":"release","value":"%d"}],"vpcId":"vpc-%08x"}`,
		rnd.Uint64(), rnd.IntN(40), rnd.IntN(1000), rnd.IntN(1000), rnd.IntN(200), r, v, rnd.IntN(20))
	return o
}

func growth(b *testing.B, resources int) {
	const versions = 3
	ctx := context.Background()
	dir := b.TempDir()
	s := openStore(b, dir)
	report := func(name string, v float64) { b.ReportMetric(v, name) }

	began := time.Now()
	batch := make([]history.Observation, 0, 1000)
	put := func() {
		receipt, err := s.Append(ctx, history.Batch{Observations: batch})
		if err != nil || receipt.Results[0].Err != nil {
			b.Fatal(err, receipt)
		}
		batch = batch[:0]
	}
	for v := range versions {
		for r := range resources {
			if batch = append(batch, grown(r, v)); len(batch) == cap(batch) {
				put()
			}
		}
	}
	report("items/s", float64(resources*versions)/time.Since(began).Seconds())
	if err := s.Merge(); err != nil {
		b.Fatal(err)
	}

	rnd := rand.New(rand.NewPCG(3, 4))
	lookups := func(s *bolt.Store) float64 {
		const n = 20_000
		began := time.Now()
		for range n {
			want := grown(rnd.IntN(resources), rnd.IntN(versions))
			reader, err := s.AsOf(ctx, history.At{Captured: want.CapturedAt})
			if err != nil {
				b.Fatal(err)
			}
			items, err := reader.Get(ctx, []history.Key{want.Key}, history.FieldsAll)
			if err != nil || string(items[0].State.Configuration) != string(want.State.Configuration) {
				b.Fatal(err, items[0])
			}
		}
		return float64(time.Since(began).Microseconds()) / n
	}
	lookups(s) // the caches fill
	report("µs/as-of", lookups(s))

	inventory := func(f history.Fields) float64 {
		began := time.Now()
		reader, err := s.AsOf(ctx, history.At{Captured: firstMoment + 1_000_000_000_000})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for q := (history.Query{Limit: 1000, Fields: f}); ; {
			items, more, err := reader.Items(ctx, q)
			if err != nil {
				b.Fatal(err)
			}
			if n += len(items); !more {
				break
			}
			q.After = &items[len(items)-1].Key
		}
		if n != resources {
			b.Fatalf("%d of %d resources", n, resources)
		}
		return float64(time.Since(began).Microseconds()) / float64(n)
	}
	report("µs/key-listed", inventory(history.FieldsKey))
	report("µs/item-listed", inventory(history.FieldsAll))
	report("MB-anonymous", float64(anonymous(b))/1e6)
	began = time.Now()
	reader, err := s.AsOf(ctx, history.At{Captured: firstMoment + 1_000_000_000_000})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := reader.Count(ctx, history.Query{}, history.ByType); err != nil {
		b.Fatal(err)
	}
	report("µs/counted", float64(time.Since(began).Microseconds())/float64(resources))
	if info, err := os.Stat(filepath.Join(dir, bolt.FileName)); err == nil {
		report("B/version", float64(info.Size())/float64(resources*versions))
	}

	// As a kill leaves it: a log that nobody has merged.
	for r := range min(resources, 50_000) {
		if batch = append(batch, grown(r, versions)); len(batch) == cap(batch) {
			put()
		}
	}
	killed := b.TempDir()
	if err := s.CopyFile(filepath.Join(killed, bolt.FileName)); err != nil {
		b.Fatal(err)
	}
	if err := s.Merge(); err != nil {
		b.Fatal(err)
	}
	s.Close()
	for name, dir := range map[string]string{"ms/open-clean": dir, "ms/open-killed": killed} {
		began := time.Now()
		s, err := bolt.Open(dir, bolt.Options{MergeIdle: time.Hour})
		if err != nil {
			b.Fatal(err)
		}
		report(name, float64(time.Since(began).Microseconds())/1000)
		s.Close()
	}
}

// anonymous is the memory of this process that no file backs, in bytes.
func anonymous(b *testing.B) (n int64) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0 // another operating system
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "RssAnon:"); ok {
			if _, err := fmt.Sscanf(rest, "%d kB", &n); err != nil {
				b.Fatal(err)
			}
		}
	}
	return n << 10
}
