package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
)

func TestDelivers(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.record("a", "b")
		old, young := r.receiver("old", &receiver{}), r.receiver("young", &receiver{})
		r.put(sub("old"), fromStart)
		r.put(sub("young"), delivery.From{})
		r.record("a", "b", "c", "a")
		synctest.Wait()
		r.wantAll(old, 1, 6)
		r.wantAll(young, 3, 6)
		if first := young.taken()[0].Previous; first != 0 {
			t.Errorf("the first event follows %d", first)
		}
		s := r.status("old")
		if s.State != delivery.Active || s.Seq != 6 || s.Previous != 6 || s.Matched != 6 || s.Delivered != 6 || s.Outstanding != 0 ||
			s.LagEvents != 0 || s.Lag != 0 || s.LastDelivered == 0 || s.LastFailure != nil {
			t.Errorf("%+v", s)
		}
	})
}

func TestFilterAndChain(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("b", &receiver{})
		s := sub("b")
		s.Filter = `id == "b"`
		r.put(s, delivery.From{})
		r.record("a", "b", "a", "a", "b")
		synctest.Wait()
		r.wantSeqs("taken", rec.seqs(), 2, 5)
		if rec.taken()[1].Previous != 2 {
			t.Errorf("follows %d", rec.taken()[1].Previous)
		}
		if s := r.status("b"); s.Seq != 5 || s.Matched != 2 {
			t.Errorf("%+v", s)
		}

		// What fails meanwhile keeps its place in the chain when the filter changes.
		rec.answers(always(errRefused))
		r.record("b", "b")
		synctest.Wait()
		s.Filter = `id == "a"`
		r.put(s, delivery.From{})
		rec.answers(nil)
		r.record("b", "a")
		time.Sleep(time.Minute)
		r.wantSeqs("taken", rec.seqs(), 2, 5, 9, 6, 7) // 6 and 7 in their time
		if last := rec.taken()[2]; last.Previous != 7 {
			t.Errorf("follows %d", last.Previous)
		}
	})
}

// What the filter cannot decide is sent, with the reason.
func TestUndecided(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{})
		s := sub("x")
		s.Filter = `after.configuration.at + 9223372036854775807 > 0`
		r.put(s, delivery.From{})
		r.record("a")
		synctest.Wait()
		if len(rec.taken()) != 1 || rec.taken()[0].FilterError == "" || r.status("x").FilterErrors != 1 {
			t.Errorf("%+v", rec.taken())
		}
	})
}

func TestOneFailingResourceHoldsNobody(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{answer: refusing(errRefused, "bad")})
		r.put(sub("x"), delivery.From{})
		r.record("a", "bad", "bad", "b")
		for range 200 {
			r.record("a", "b", "bad")
			time.Sleep(time.Second)
		}
		if n := len(rec.seqs()); n != 402 {
			t.Errorf("%d of 402 taken", n)
		}
		if s := r.status("x"); s.Outstanding != 202 || s.State != delivery.Active || s.LagEvents != 202 || s.Lag < 200*time.Second || s.LastFailure.Seq != 2 {
			t.Errorf("%+v", s)
		}
		rec.answers(nil)
		time.Sleep(6 * time.Minute)
		r.wantAll(rec, 1, 604)
		if s := r.status("x"); s.Outstanding != 0 || s.DeadLettered != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRetriesAreFurtherAndFurtherApart(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{answer: always(errRefused)})
		r.put(sub("x"), delivery.From{})
		r.record("a", "a", "b")
		time.Sleep(25 * time.Hour)
		var tries []time.Time
		for _, try := range rec.attempts() {
			if try.message[0].Seq == 1 {
				tries = append(tries, try.at)
			}
		}
		if first := tries[1].Sub(tries[0]); first < 100*time.Millisecond || first > 300*time.Millisecond {
			t.Errorf("the first retry comes after %v", first)
		}
		for i := 2; i < len(tries); i++ {
			apart, base := tries[i].Sub(tries[i-1]), min(200*time.Millisecond<<min(i-1, 20), 5*time.Minute)
			if last := i == len(tries)-1; apart < base/2 && !last || apart > base+base/2 || apart > 5*time.Minute {
				t.Errorf("retry %d comes after %v", i, apart)
			}
		}
		if all := tries[len(tries)-1].Sub(tries[0]); all < 24*time.Hour || all > 24*time.Hour+time.Second {
			t.Errorf("tried for %v", all)
		}
		letters, more, err := r.DeadLetters(r.ctx, "x", 0, 0)
		if err != nil || more || len(letters) != 2 { // the second one of a was not tried as long
			t.Fatalf("%+v, %t, %v", letters, more, err)
		}
		l := letters[0]
		if l.Seq != 1 || l.Key.ID != "a" || l.Attempts != len(tries) || l.Reason != errRefused.Reason || l.RecordedAt == 0 ||
			l.LastFailure.Time().Sub(l.FirstFailure.Time()) < 24*time.Hour {
			t.Errorf("%+v", l)
		}
		if s := r.status("x"); s.Outstanding != 1 || s.DeadLetters != 2 || s.DeadLettered != 2 || s.Retried != s.Failed-3 {
			t.Errorf("%+v", s)
		}

		t.Log("replayed")
		if _, err := r.Replay(r.ctx, "x", 1, 2); !errors.Is(err, history.NotFound) {
			t.Errorf("2 is no dead letter: %v", err)
		}
		rec.answers(nil)
		if n, err := r.Replay(r.ctx, "x", 1); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		synctest.Wait()
		r.wantSeqs("taken", rec.seqs(), 1)
		if n, err := r.Replay(r.ctx, "x"); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		time.Sleep(6 * time.Minute)
		if s := r.status("x"); s.Outstanding != 0 || s.DeadLetters != 0 || s.DeadLettered != 2 {
			t.Errorf("%+v", s)
		}
		if letters, _, err := r.DeadLetters(r.ctx, "x", 0, 0); err != nil || len(letters) != 0 {
			t.Errorf("%+v, %v", letters, err)
		}
	})
}

func TestRetryAfterCountsIfLonger(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{answer: refusing(&delivery.Refusal{Reason: "429", RetryAfter: 10 * time.Minute}, "a")})
		r.put(sub("x"), delivery.From{})
		r.record("a", "b")
		time.Sleep(9 * time.Minute)
		if n := len(rec.attempts()); n != 2 {
			t.Errorf("%d attempts", n)
		}
		rec.answers(nil)
		time.Sleep(2 * time.Minute)
		r.wantSeqs("taken", rec.seqs(), 2, 1)
	})
}

func TestGoneDisables(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{answer: always(&delivery.Refusal{Reason: "410 Gone", Gone: true})})
		r.put(sub("x"), delivery.From{})
		r.record("a", "b")
		time.Sleep(time.Hour)
		if s := r.status("x"); s.State != delivery.Disabled || s.Subscription.Disabled != "its receiver wants nothing any more: 410 Gone" || s.Outstanding == 0 {
			t.Errorf("%+v", s)
		}
		if n := len(rec.attempts()); n > 2 || rec.timesClosed() != 1 {
			t.Errorf("%d attempts, closed %d times", n, rec.timesClosed())
		}
		r.stop()
		r.start() // and it still is
		r.record("a")
		time.Sleep(time.Hour)
		if s := r.status("x"); s.State != delivery.Disabled || s.LagEvents != 3 || s.Lag < 2*time.Hour {
			t.Errorf("%+v", s)
		}
		rec.answers(nil)
		if s, err := r.Resume(r.ctx, "x"); err != nil || s.State != delivery.Active {
			t.Errorf("%+v, %v", s, err)
		}
		synctest.Wait()
		r.wantAll(rec, 1, 3)
	})
}

// A target that takes nothing is tried with one message at a time, and little more
// is read for it.
func TestDeadTargetIsProbed(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{answer: always(errors.New("connection refused"))})
		r.put(sub("x"), delivery.From{})
		for i := range 3000 {
			r.record(fmt.Sprint(i))
		}
		time.Sleep(time.Minute)
		before := len(rec.attempts())
		rec.mostAtOnce()
		time.Sleep(time.Hour)
		probes := len(rec.attempts()) - before
		s := r.status("x")
		if most := rec.mostAtOnce(); most != 1 || probes < 100 || probes > 300 || s.State != delivery.Failing || s.Outstanding > 1200 || s.LagEvents != 3000 {
			t.Errorf("%d at once, %d probes in an hour; %+v", most, probes, s)
		}
		rec.answers(nil)
		time.Sleep(time.Minute)
		r.wantAll(rec, 1, 3000)
		if s := r.status("x"); s.State != delivery.Active {
			t.Errorf("%+v", s)
		}
	})
}

func TestAtMostSoManyAtOnce(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{answer: func(context.Context, []told) error { time.Sleep(time.Second); return nil }})
		r.put(sub("x"), delivery.From{})
		for i := range 160 {
			r.record(fmt.Sprint(i))
		}
		time.Sleep(10*time.Second + time.Millisecond)
		if n, most := len(rec.seqs()), rec.mostAtOnce(); n != 160 || most != 16 {
			t.Errorf("%d taken, %d at once", n, most)
		}
	})
}

// A poisoned event in a batch is found out: what was with it goes without it.
func TestBatches(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{batches: 50, concurrency: 1, answer: refusing(errRefused, "7")})
		for range 10 {
			for i := range 20 {
				r.record(fmt.Sprint(i))
			}
		}
		r.put(sub("x"), fromStart)
		time.Sleep(2 * time.Second)
		if n := len(rec.seqs()); n != 190 {
			t.Errorf("%d of 190 taken", n)
		}
		if n := len(rec.attempts()); n > 100 { // one each would be 200, and more
			t.Errorf("%d messages", n)
		}
		rec.answers(nil)
		time.Sleep(6 * time.Minute)
		r.wantAll(rec, 1, 200)
	})
}

// A target that takes one message at a time, as a file does, gets events in the
// order of the feed.
func TestOneAtATimeInOrder(t *testing.T) {
	for _, batches := range []int{1, 7, 100} {
		inBubble(t, func(r *rig) {
			rec := r.receiver("x", &receiver{batches: batches, concurrency: 1})
			for i := range 600 {
				r.record(fmt.Sprint(i * i % 31))
			}
			r.put(sub("x"), fromStart)
			synctest.Wait()
			got := rec.seqs()
			if len(got) != 600 || !slices.IsSorted(got) || batches == 100 && len(rec.attempts()) > 12 {
				t.Errorf("batches of %d: %d in %d messages, in order: %t", batches, len(got), len(rec.attempts()), slices.IsSorted(got))
			}
		})
	}
}

func TestOutstandingHasABound(t *testing.T) {
	var bad []string // too few to be taken for a dead target
	for i := range 12 {
		bad = append(bad, fmt.Sprint(i))
	}
	inBubble(t, func(r *rig) {
		var list []history.Observation
		for i := range 12_000 {
			list = append(list, history.Observation{Key: history.Key{Type: "T", ID: bad[i%len(bad)]}, CapturedAt: history.MomentOf(time.Now()) + history.Moment(i),
				State: history.State{Configuration: fmt.Append(nil, i)}})
		}
		if _, err := r.store.Append(r.ctx, history.Batch{Observations: list}); err != nil {
			t.Fatal(err)
		}
		rec := r.receiver("x", &receiver{answer: refusing(errRefused, bad...)})
		r.put(sub("x"), fromStart)
		time.Sleep(time.Minute)
		if s := r.status("x"); s.Outstanding < 10_000 || s.Outstanding > 10_500 || s.LagEvents != 12_000 {
			t.Errorf("%+v", s)
		}
		rec.answers(nil)
		time.Sleep(6 * time.Minute)
		r.wantAll(rec, 1, 12_000)
	})
}
