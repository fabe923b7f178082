package delivery

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

func eventOf(seq history.Seq, id string, size int) *feed.Event {
	return feed.New(history.Change{Seq: seq, Key: history.Key{Type: "T", ID: id}, RecordedAt: history.Moment(seq)}, history.Item{},
		history.Item{State: history.State{Configuration: make([]byte, size)}})
}

// Against a simple truth: whatever becomes of messages, an event is under way only
// if all earlier ones of its resource are through, or under way before it in the
// same message; and each is through once.
func TestQueueKeepsItsPromises(t *testing.T) {
	seeds := uint64(100)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		random := rand.New(rand.NewPCG(seed, 1))
		q := newQueue()
		q.batch = 1 + random.IntN(8)
		if seed%2 == 0 {
			q.batch = 1
		}
		concurrency := 1 + random.IntN(16)
		poisoned := fmt.Sprint(random.IntN(6))
		var (
			now      history.Moment = 1
			seq      history.Seq
			open     = map[string][]history.Seq{} // by resource, those not through
			flying   = [][]*entry{}
			through  = map[history.Seq]bool{}
			restored = map[history.Seq]*feed.Event{}
			failures int
		)
		if seed%3 == 0 {
			for range random.IntN(20) {
				seq++
				id := fmt.Sprint(random.IntN(6))
				restored[seq] = eventOf(seq, id, 10)
				open[id] = append(open[id], seq)
				e := &entry{seq: seq, attempts: random.IntN(3)}
				if e.attempts > 0 {
					e.next = now + history.Moment(random.IntN(1000))
				}
				q.restore(e)
			}
		}
		check := func() {
			t.Helper()
			fresh, kept := 0, 0
			for _, e := range q.entries {
				if e.event != nil {
					kept += e.size
				}
				if e.lane == nil {
					continue
				}
				if !e.lane.held {
					fresh++
				}
			}
			if fresh != q.fresh() || kept != q.kept || len(flying) != q.flying {
				t.Fatalf("seed %d: %d fresh, the queue says %d; %d kept, %d; %d flying, %d", seed, fresh, q.fresh(), kept, q.kept, len(flying), q.flying)
			}
		}
		settle := func(i int) {
			m := flying[i]
			flying = slices.Delete(flying, i, i+1)
			gone := func(list []*entry) {
				for _, e := range list {
					if through[e.seq] {
						t.Fatalf("seed %d: %d is through twice", seed, e.seq)
					}
					through[e.seq] = true
					at := slices.Index(open[e.key.ID], e.seq)
					open[e.key.ID] = slices.Delete(open[e.key.ID], at, at+1)
				}
			}
			bad := slices.ContainsFunc(m, func(e *entry) bool { return e.key.ID == poisoned })
			switch n := random.IntN(10); {
			case n == 0:
				q.returned(m, now)
			case n == 1:
				q.drop(m[:1], now)
				gone(m[:1])
				q.taken(m[1:], now)
				gone(m[1:])
			case n < 4 || bad && failures < 2000:
				failures++
				gone(q.failed(m, now, time.Minute, time.Duration(random.IntN(2))*time.Second))
			default:
				q.taken(m, now)
				gone(m)
			}
			q.land()
		}
		for step := 0; step < 3000 || len(q.entries) > 0; step++ {
			if step > 200_000 {
				t.Fatalf("seed %d: %d are never through", seed, len(q.entries))
			}
			switch random.IntN(4) {
			case 0:
				if list := q.unplaced(); len(list) > 0 {
					q.place(list[0], restored[list[0].seq], now)
				} else if step < 3000 && q.wants(concurrency) {
					seq++
					id := fmt.Sprint(random.IntN(6))
					open[id] = append(open[id], seq)
					q.place(&entry{seq: seq, previous: seq - 1}, eventOf(seq, id, random.IntN(1000)), now)
				}
			case 1:
				if len(flying) >= concurrency {
					break
				}
				m := q.take(now)
				if m == nil {
					break
				}
				if len(m) > q.batch || q.breaker.open && (len(m) > 1 || len(flying) > 0) {
					t.Fatalf("seed %d: a message of %d", seed, len(m))
				}
				ahead := map[string]int{}
				for _, e := range m {
					if open[e.key.ID][ahead[e.key.ID]] != e.seq || e.next > now {
						t.Fatalf("seed %d: %d is sent at %d before %v", seed, e.seq, now, open[e.key.ID])
					}
					ahead[e.key.ID]++
				}
				flying = append(flying, m)
			case 2:
				if len(flying) > 0 {
					settle(random.IntN(len(flying)))
				}
			case 3:
				if now++; len(flying) == 0 { // nothing happens by itself but what wake tells
					if wake := q.wake(); wake > now {
						now = wake
					}
				}
			}
			check()
		}
		if len(q.lanes) != 0 || q.held != 0 || q.kept != 0 || q.loose != 0 || len(through) != int(seq) {
			t.Fatalf("seed %d: left %d lanes, %d held, %d kept, %d loose; %d of %d through", seed, len(q.lanes), q.held, q.kept, q.loose, len(through), seq)
		}
	}
}

// What is put in again stands where its sequence belongs, and is not held up by a
// later event that failed.
func TestInsert(t *testing.T) {
	q, now := newQueue(), history.Moment(1e6)
	for _, seq := range []history.Seq{5, 7} {
		q.place(&entry{seq: seq}, eventOf(seq, "a", 0), now)
	}
	m := q.take(now)
	q.failed(m, now, time.Hour, time.Minute)
	q.land()
	for _, seq := range []history.Seq{6, 3, 9} {
		q.insert(&entry{seq: seq, key: m[0].key}, now)
	}
	var got []history.Seq
	for range 5 {
		if m = q.take(now); m == nil {
			now = q.wake()
			m = q.take(now)
		}
		got = append(got, m[0].seq)
		q.taken(m, now)
		q.land()
	}
	if want := []history.Seq{3, 5, 6, 7, 9}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if q.held != 0 || len(q.lanes) != 0 {
		t.Errorf("%d held, %d lanes", q.held, len(q.lanes))
	}
}

func TestMessagesAreBounded(t *testing.T) {
	q := newQueue()
	q.batch = 1000
	for seq := range history.Seq(100) {
		q.place(&entry{seq: seq + 1}, eventOf(seq+1, fmt.Sprint(seq%3), 300_000), 1)
	}
	if q.kept > maxKept {
		t.Errorf("%d bytes are kept", q.kept)
	}
	n := 0
	for m := q.take(1); m != nil; m = q.take(1) {
		if len(m) != 3 {
			t.Errorf("%d events of 300 KB in a message", len(m))
		}
		n += len(m)
		q.taken(m, 1)
		q.land()
		if n == 99 {
			break
		}
	}
}

func TestBackoff(t *testing.T) {
	for failures := range 100 {
		base := min(firstRetry<<min(max(failures-1, 0), 20), lastRetry)
		for range 100 {
			if d := backoff(max(failures, 1)); d < base/2 || d > min(base+base/2, lastRetry) {
				t.Fatalf("%v after %d failures", d, failures)
			}
		}
	}
}

func TestLettersAreBounded(t *testing.T) {
	var l letters
	dropped := 0
	for seq := range history.Seq(maxLetters + 10) {
		dropped += l.put(&DeadLetter{Seq: 2*maxLetters - seq}) // the newest first
	}
	if dropped != 10 || len(l.seqs) != maxLetters || !slices.IsSorted(l.seqs) || l.has(maxLetters-9) || !l.has(2*maxLetters) {
		t.Errorf("dropped %d, kept %d from %d on", dropped, len(l.seqs), l.seqs[0])
	}
	deleted := 0
	for letter := range maps.Values(l.writes) {
		if letter == nil {
			deleted++
		}
	}
	if deleted != 10 {
		t.Errorf("%d to be deleted", deleted)
	}
}
