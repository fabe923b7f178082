package delivery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
	"github.com/varvehq/varve/recorder/delivery/route"
)

// Read the ratios: figures of one machine say little. All that is measured is
// real: the store with its syncs, webhooks over loopback, and everybody, receivers
// included, on the same cores.
//
//	go test -run '^$' -bench . -benchtime 3s ./recorder/delivery

// bench is a store with a Deliverer.
type bench struct {
	*testing.B
	store *bolt.Store
	d     *delivery.Deliverer
	next  atomic.Int64
}

func newBench(b *testing.B) *bench {
	b.Helper()
	store, err := bolt.Open(b.TempDir(), bolt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	x := &bench{B: b, store: store}
	x.begin()
	b.Cleanup(func() {
		x.end()
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	return x
}

func (x *bench) begin() {
	x.d = delivery.New(x.store, x.store, feed.NewSource(x.store, feed.Options{}), delivery.Options{
		Check: route.Options{}.Check, Open: route.Options{}.Open,
	})
	if err := x.d.Start(x.Context()); err != nil {
		x.Fatal(err)
	}
}

func (x *bench) end() {
	if err := x.d.Stop(context.Background()); err != nil {
		x.Error(err)
	}
}

func (x *bench) put(s delivery.Subscription, from delivery.From) {
	x.Helper()
	if _, err := x.d.Put(x.Context(), s, delivery.PutOptions{From: from}); err != nil {
		x.Fatal(err)
	}
}

// record records one change of each of n resources, in one batch.
func (x *bench) record(n int) []history.Result {
	var batch history.Batch
	for range n {
		i := x.next.Add(1)
		batch.Observations = append(batch.Observations, history.Observation{
			Key:   history.Key{Account: "123456789012", Region: "eu-west-1", Type: "AWS::EC2::Instance", ID: fmt.Sprintf("i-%017x", i%5000)},
			State: history.State{Name: "n" + strconv.FormatInt(i, 10), Configuration: benchDocument(int(i))},
		})
	}
	receipt, err := x.store.Append(x.Context(), batch)
	if err == nil {
		err = receipt.Results[0].Err
	}
	if err != nil {
		x.Error(err)
	}
	return receipt.Results
}

// benchDocument is a configuration of about a kilobyte, of which two leaves change
// from version to version.
func benchDocument(n int) []byte {
	i := n % 5000
	doc := fmt.Appendf(nil, `{"id":"i-%d","interfaces":[`, i)
	for j := range 8 {
		if j > 0 {
			doc = append(doc, ',')
		}
		doc = fmt.Appendf(doc, `{"address":"10.%d.%d.%d","groups":["sg-%d","sg-%d"],"mac":"06:00:00:%02x:%02x","primary":%t}`, i%250, i%199, j, i%40, i%7, i%256, j, j == 0)
	}
	return fmt.Appendf(doc, `],"release":%d,"state":{"since":%d}}`, n, n)
}

// accepting is a receiver that takes everything.
func accepting(b *testing.B) (url string, taken *atomic.Int64) {
	taken = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		taken.Add(1)
		w.WriteHeader(http.StatusNoContent)
	}))
	b.Cleanup(s.Close)
	return s.URL, taken
}

// hung takes connections and says nothing; nowhere refuses them.
func hung(b *testing.B) string {
	stop := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-stop:
		}
	}))
	b.Cleanup(func() { close(stop); s.Close() })
	return s.URL
}

func nowhere(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// slice is how long is recorded without and then with subscriptions, in turn, so
// that whatever else the machine does weighs on both.
const slice = 400 * time.Millisecond

// compare records batches of a hundred, in turn while nothing is delivered and
// while it is, and returns how many changes were recorded in each.
func (x *bench) compare(b *testing.B) (without, with float64) {
	recorded := func() (n float64) {
		for begin := time.Now(); time.Since(begin) < slice; n += 100 {
			x.record(100)
		}
		return n
	}
	for b.Loop() {
		x.end()
		without += recorded()
		x.begin()
		with += recorded()
	}
	return without, with
}

// BenchmarkRecording records beside subscriptions. share is of the changes that are
// recorded without any; sent is how many messages were taken meanwhile for each
// change recorded.
func BenchmarkRecording(b *testing.B) {
	for _, kind := range []struct{ name, format, filter string }{
		{"Matching", "cloudevents", ""},
		{"MatchingInBatches", "cloudevents-batch", ""},
		{"FilteredOutByType", "cloudevents", `type == "AWS::S3::Bucket" && changed("/configuration/policy")`},
		{"FilteredOutByContent", "cloudevents", `after.configuration.interfaces.exists(i, i.address == "192.168.0.1")`},
	} {
		for _, n := range []int{0, 1, 10, 100} {
			if n == 0 && kind.filter != "" {
				continue
			}
			b.Run(fmt.Sprintf("%s/%d", kind.name, n), func(b *testing.B) {
				x := newBench(b)
				url, taken := accepting(b)
				for i := range n {
					x.put(delivery.Subscription{Name: fmt.Sprint("s", i), Target: url, Format: kind.format, Filter: kind.filter}, delivery.From{})
				}
				without, with := x.compare(b)
				b.ReportMetric(without/float64(b.N)/slice.Seconds(), "changes/s-without")
				b.ReportMetric(with/without, "share")
				b.ReportMetric(float64(taken.Load())/with, "sent/change")
			})
		}
	}
}

// BenchmarkReplay sends what was recorded before, from the start, with nothing in
// memory.
func BenchmarkReplay(b *testing.B) {
	const changes = 20_000
	x := newBench(b)
	for range changes / 200 {
		x.record(200)
	}
	var bare float64
	for _, c := range []struct {
		name, format, filter string
		matching             int
	}{
		{"Bare", "cloudevents", "", changes},
		{"InBatches", "cloudevents-batch", "", changes},
		{"FilteredToOneInAHundred", "cloudevents", `id.endsWith("42") || id.endsWith("b7") || id.endsWith("0c")`, 0},
		{"FilteredByContent", "cloudevents", `after.configuration.interfaces.exists(i, i.address == "192.168.0.1")`, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			url, _ := accepting(b)
			for b.Loop() {
				x.end()
				x.begin()
				x.put(delivery.Subscription{Name: "x", Target: url, Format: c.format, Filter: c.filter}, fromStart)
				x.drained(b, "x")
				if err := x.d.Delete(b.Context(), "x"); err != nil {
					b.Fatal(err)
				}
			}
			rate := changes * float64(b.N) / b.Elapsed().Seconds()
			if c.name == "Bare" {
				bare = rate
			}
			b.ReportMetric(rate, "events/s")
			b.ReportMetric(rate/bare, "of-bare")
		})
	}
}

// drained waits until a subscription has nothing more to send.
func (x *bench) drained(b *testing.B, name string) {
	for {
		s, err := x.d.Get(b.Context(), name)
		if err != nil {
			b.Fatal(err)
		}
		if s.LagEvents == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// timed is a receiver that notes when each change came first.
type timed struct {
	mu   sync.Mutex
	when map[uint64]time.Time
}

func (r *timed) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	now := time.Now()
	w.WriteHeader(http.StatusNoContent)
	var events []struct{ Sequence string }
	if !bytes.HasPrefix(body, []byte("[")) {
		body = append(append([]byte("["), body...), ']')
	}
	if json.Unmarshal(body, &events) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range events {
		seq, _ := strconv.ParseUint(e.Sequence, 10, 64)
		if _, ok := r.when[seq]; !ok {
			r.when[seq] = now
		}
	}
}

// BenchmarkLatency is the time from when a change is acknowledged to when its
// webhook has been received, at half of the rate at which as many writers can
// record: eight, each with so many changes in a batch. rate is that half. Beside a
// healthy receiver stand none, one that hangs, or one that is dead.
func BenchmarkLatency(b *testing.B) {
	for _, size := range []int{1, 20} {
		format := map[int]string{1: "cloudevents", 20: "cloudevents-batch"}[size]
		rate := maximum(b, size) / 2
		for _, beside := range []string{"Nobody", "Hung", "Dead"} {
			b.Run(fmt.Sprintf("%s/BatchesOf%d/Beside%s", format, size, beside), func(b *testing.B) {
				x := newBench(b)
				r := &timed{when: map[uint64]time.Time{}}
				server := httptest.NewServer(r)
				defer server.Close()
				x.put(delivery.Subscription{Name: "healthy", Target: server.URL, Format: format}, delivery.From{})
				switch beside {
				case "Hung":
					x.put(delivery.Subscription{Name: "hung", Target: hung(b), Format: format, Timeout: time.Second}, delivery.From{})
				case "Dead":
					x.put(delivery.Subscription{Name: "dead", Target: nowhere(b), Format: format}, delivery.From{})
				}
				acked := x.paced(size, rate)
				x.drained(b, "healthy")
				var late []time.Duration
				for seq, when := range acked {
					late = append(late, max(0, r.when[seq].Sub(when)))
				}
				slices.Sort(late)
				b.ReportMetric(rate, "rate/s")
				b.ReportMetric(ms(late[len(late)/2]), "p50-ms")
				b.ReportMetric(ms(late[len(late)*99/100]), "p99-ms")
				b.ReportMetric(float64(len(late)), "changes")
			})
		}
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

const writers = 8

// maximum is how many changes a second so many writers record with nobody else
// there.
func maximum(b *testing.B, size int) (rate float64) {
	b.Run(fmt.Sprintf("Maximum/BatchesOf%d", size), func(b *testing.B) {
		x := newBench(b)
		var all sync.WaitGroup
		var n atomic.Int64
		begin := time.Now()
		for range writers {
			all.Go(func() {
				for time.Since(begin) < 3*time.Second {
					x.record(size)
					n.Add(int64(size))
				}
			})
		}
		all.Wait()
		rate = float64(n.Load()) / time.Since(begin).Seconds()
		b.ReportMetric(rate, "changes/s")
	})
	return rate
}

// paced records at a rate for some seconds, and tells when each change was
// acknowledged.
func (x *bench) paced(size int, rate float64) map[uint64]time.Time {
	acked := map[uint64]time.Time{}
	var mu sync.Mutex
	var all sync.WaitGroup
	begin := time.Now()
	const length = 5 * time.Second
	each := time.Duration(float64(size*writers) / rate * float64(time.Second))
	for w := range writers {
		all.Go(func() {
			for n := 0; ; n++ {
				due := begin.Add(time.Duration(n)*each + each*time.Duration(w)/writers)
				if due.Sub(begin) > length {
					return
				}
				time.Sleep(time.Until(due))
				results := x.record(size)
				now := time.Now()
				mu.Lock()
				for _, r := range results {
					acked[uint64(r.Seq)] = now
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return acked
}

// BenchmarkBeside records beside a subscription whose target hangs or is dead. share
// is as above.
func BenchmarkBeside(b *testing.B) {
	for _, beside := range []string{"Hung", "Dead"} {
		for _, n := range []int{1, 10} {
			b.Run(fmt.Sprintf("%s/%d", beside, n), func(b *testing.B) {
				x := newBench(b)
				target := map[string]func(*testing.B) string{"Hung": hung, "Dead": nowhere}[beside](b)
				for i := range n {
					x.put(delivery.Subscription{Name: fmt.Sprint("s", i), Target: target, Timeout: time.Second}, delivery.From{})
				}
				without, with := x.compare(b)
				b.ReportMetric(without/float64(b.N)/slice.Seconds(), "changes/s-without")
				b.ReportMetric(with/without, "share")
			})
		}
	}
}
