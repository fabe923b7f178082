package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
)

func TestPutRefuses(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.record("a")
		for _, test := range []struct {
			name string
			do   func(*delivery.Subscription, *delivery.PutOptions)
			kind history.Kind
			want string
		}{
			{"No name", func(s *delivery.Subscription, _ *delivery.PutOptions) { s.Name = "" }, history.Invalid, "name of the subscription is empty; write"},
			{"A capital", func(s *delivery.Subscription, _ *delivery.PutOptions) { s.Name = "Ops" }, history.Invalid, `name "Ops": holds other characters; write`},
			{"A leading dash", func(s *delivery.Subscription, _ *delivery.PutOptions) { s.Name = "-a" }, history.Invalid, `name "-a": begins with`},
			{"A long name", func(s *delivery.Subscription, _ *delivery.PutOptions) { s.Name = strings.Repeat("a", 64) }, history.Invalid, "has 64 bytes"},
			{"A bad target", func(s *delivery.Subscription, _ *delivery.PutOptions) { s.Target = "bad" }, history.Invalid, "target bad"},
			{"A bad filter", func(s *delivery.Subscription, _ *delivery.PutOptions) { s.Filter = "kind ==" }, history.Invalid, "filter"},
			{"A time-out below zero", func(s *delivery.Subscription, _ *delivery.PutOptions) { s.Timeout = -1 }, history.Invalid, "timeout -1ns: is not between 0 and 10m0s"},
			{"Retries for ever", func(s *delivery.Subscription, _ *delivery.PutOptions) { s.RetryFor = 1 << 60 }, history.Invalid, "retry_for"},
			{"A batch below zero", func(s *delivery.Subscription, _ *delivery.PutOptions) { s.Batch = -1 }, history.Invalid, "batch -1"},
			{"No position", func(_ *delivery.Subscription, o *delivery.PutOptions) { o.From.Position = "there" }, history.ForeignToken, "position there"},
			{"Another store's position", func(_ *delivery.Subscription, o *delivery.PutOptions) {
				o.From.Position = history.Lineage{StoreID: [16]byte{9}}.Position(1)
			}, history.ForeignToken, "belongs to another store"},
			{"A moment before all", func(_ *delivery.Subscription, o *delivery.PutOptions) { o.From.Recorded = -1 }, history.Invalid, "from"},
		} {
			s, o := sub("x"), delivery.PutOptions{}
			test.do(&s, &o)
			if _, err := r.Put(r.ctx, s, o); !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		if list, _, err := r.List(r.ctx, "", 0); err != nil || len(list) != 0 {
			t.Errorf("%+v, %v", list, err)
		}
		none := func(what string, err error) {
			if !errors.Is(err, history.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := r.Get(r.ctx, "x")
		none("Get", err)
		none("Delete", r.Delete(r.ctx, "x"))
		_, err = r.Pause(r.ctx, "x")
		none("Pause", err)
		_, err = r.Test(r.ctx, "x")
		none("Test", err)
		_, _, err = r.DeadLetters(r.ctx, "x", 0, 0)
		none("DeadLetters", err)
		_, err = r.Replay(r.ctx, "x")
		none("Replay", err)
	})
}

func TestList(t *testing.T) {
	inBubble(t, func(r *rig) {
		for _, name := range []string{"c", "a", "b"} {
			r.receiver(name, &receiver{})
			r.put(sub(name), delivery.From{})
		}
		names := func(after string, limit int) string {
			list, more, err := r.List(r.ctx, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			var s strings.Builder
			for _, l := range list {
				s.WriteString(l.Subscription.Name)
			}
			return fmt.Sprint(s.String(), more)
		}
		if got := names("", 0) + names("", 2) + names("a", 2) + names("b", 1) + names("z", 1); got != "abcfalseabtruebcfalsecfalsefalse" {
			t.Error(got)
		}
	})
}

func TestFrom(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.record("a")
		time.Sleep(time.Hour)
		moment := time.Now()
		r.record("b")
		head, err := r.store.Head(r.ctx)
		if err != nil {
			t.Fatal(err)
		}
		r.record("c")
		for _, test := range []struct {
			name string
			from delivery.From
			want []history.Seq
		}{
			{"start", fromStart, []history.Seq{1, 2, 3, 4}},
			{"moment", delivery.From{Recorded: history.MomentOf(moment)}, []history.Seq{2, 3, 4}},
			{"position", delivery.From{Position: head.Position}, []history.Seq{3, 4}},
			{"now", delivery.From{Recorded: history.Newest}, []history.Seq{4}},
			{"creation", delivery.From{}, []history.Seq{4}},
		} {
			r.receiver(test.name, &receiver{})
			r.put(sub(test.name), test.from)
			defer func() { r.wantSeqs(test.name, sorted(r.receivers[test.name].seqs()), test.want...) }()
		}
		r.record("d")
		synctest.Wait()
	})
}

// A put with a place to begin from begins anew; without one it goes on.
func TestPutAgain(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{})
		r.put(sub("x"), delivery.From{})
		r.record("a", "b")
		synctest.Wait()
		created := r.status("x").Subscription.CreatedAt
		other := r.receiver("y", &receiver{})
		s := sub("x")
		s.Target = "y"
		time.Sleep(time.Second)
		r.put(s, delivery.From{})
		r.record("c")
		synctest.Wait()
		r.wantSeqs("the first", sorted(rec.seqs()), 1, 2)
		r.wantSeqs("the second", other.seqs(), 3)
		if s := r.status("x"); s.Subscription.CreatedAt != created || s.Subscription.UpdatedAt <= created || other.taken()[0].Previous != 2 || rec.timesClosed() != 1 {
			t.Errorf("%+v", s)
		}
		r.put(s, fromStart)
		synctest.Wait()
		r.wantSeqs("again", sorted(other.seqs()), 1, 2, 3, 3)
		r.wantAll(&receiver{got: other.taken()[1:]}, 1, 3)
	})
}

func TestPauseAndResume(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{answer: refusing(errRefused, "a")})
		r.put(sub("x"), delivery.From{})
		r.record("a", "b")
		time.Sleep(time.Hour)
		if s, err := r.Pause(r.ctx, "x"); err != nil || s.State != delivery.Paused || s.Outstanding != 1 {
			t.Errorf("%+v, %v", s, err)
		}
		tries := len(rec.attempts())
		rec.answers(nil)
		r.record("c")
		r.stop()
		r.start()
		time.Sleep(time.Hour)
		if n := len(rec.attempts()); n != tries {
			t.Errorf("%d attempts while paused", n-tries)
		}
		if s, err := r.Resume(r.ctx, "x"); err != nil || s.State != delivery.Active {
			t.Errorf("%+v, %v", s, err)
		}
		synctest.Wait() // without waiting for a retry
		r.wantAll(rec, 1, 3)
		if s, err := r.Resume(r.ctx, "x"); err != nil || s.State != delivery.Active { // again changes nothing
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestDelete(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{answer: refusing(errRefused, "a")})
		s := sub("x")
		s.RetryFor = time.Second
		r.put(s, delivery.From{})
		r.record("a", "b")
		time.Sleep(time.Minute)
		if s := r.status("x"); s.DeadLetters != 1 {
			t.Fatalf("%+v", s)
		}
		if err := r.Delete(r.ctx, "x"); err != nil {
			t.Fatal(err)
		}
		r.record("c")
		time.Sleep(time.Minute)
		r.wantSeqs("taken", rec.seqs(), 2)
		for _, collection := range []string{"subscription", "subscription-state", "dead-letter/x"} {
			if docs, _, err := r.documents.Documents(r.ctx, collection, "", 0); err != nil || len(docs) != 0 {
				t.Errorf("%s: %+v, %v", collection, docs, err)
			}
		}
		r.put(s, delivery.From{})
		if s := r.status("x"); s.Matched != 0 || s.DeadLettered != 0 || s.Seq != 3 {
			t.Errorf("%+v", s)
		}
	})
}

// A receiver that hangs is broken off when the subscription ends, and gets again
// what it may not have taken.
func TestHangingReceiverIsBrokenOff(t *testing.T) {
	inBubble(t, func(r *rig) {
		hang := func(ctx context.Context, _ []told) error { <-ctx.Done(); return ctx.Err() }
		rec := r.receiver("x", &receiver{answer: hang})
		r.put(sub("x"), delivery.From{})
		r.record("a", "b", "a")
		synctest.Wait()
		before := time.Now()
		r.stop()
		if took := time.Since(before); took > 2*time.Second {
			t.Errorf("stopping took %v", took)
		}
		rec.answers(nil)
		r.start()
		synctest.Wait()
		r.wantAll(rec, 1, 3)
		if s := r.status("x"); s.Failed != 0 || s.Delivered != 3 {
			t.Errorf("%+v", s)
		}
	})
}

func TestGoesOnAfterStop(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{answer: refusing(errRefused, "a")})
		r.put(sub("x"), delivery.From{})
		r.record("a", "b", "a", "b")
		time.Sleep(time.Minute)
		r.stop()
		r.record("a", "b")
		r.start()
		if s := r.status("x"); s.Outstanding != 2 || s.Matched != 4 || s.Delivered != 2 {
			t.Errorf("%+v", s)
		}
		rec.answers(nil)
		time.Sleep(6 * time.Minute)
		r.wantAll(rec, 1, 6)
		if n := len(rec.seqs()); n != 6 {
			t.Errorf("%d taken", n)
		}
		for _, try := range rec.attempts() {
			if m := try.message[0]; m.Seq == 1 && m.Attempt < 5 && try.at.After(time.Now().Add(-5*time.Minute)) {
				t.Errorf("attempt %d after the start", m.Attempt)
			}
		}
	})
}

// What was sent within the second before a crash comes again; nothing is lost.
func TestGoesOnAfterCrash(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{})
		r.put(sub("x"), delivery.From{})
		r.record("a", "b")
		time.Sleep(2 * time.Second)
		r.record("a") // written at once, since there was nothing to write for a while
		synctest.Wait()
		r.record("b", "a")
		synctest.Wait()
		documents := r.documents
		r.documents = copyOf(r.T, documents) // as they stand at the crash
		r.stop()
		r.start()
		synctest.Wait()
		r.wantAll(rec, 1, 5)
		got := rec.seqs()
		slices.Sort(got)
		if n := len(got); n <= 5 || n > 8 || got[2] != 3 {
			t.Errorf("taken: %v", got)
		}
	})
}

// copyOf holds the same documents.
func copyOf(t *testing.T, d history.Documents) history.Documents {
	other := newDocuments()
	for _, collection := range []string{"subscription", "subscription-state"} {
		docs, _, err := d.Documents(t.Context(), collection, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range docs {
			if _, err := other.PutDocuments(t.Context(), []history.DocumentWrite{{Collection: collection, Name: doc.Name, Body: doc.Body}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return other
}

func TestSecretsOverlap(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.receiver("x", &receiver{})
		put := func(secret *string) delivery.Status {
			t.Helper()
			s, err := r.Put(r.ctx, sub("x"), delivery.PutOptions{Secret: secret})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return s
		}
		signs := func(want ...string) {
			t.Helper()
			r.mu.Lock()
			defer r.mu.Unlock()
			var got []string
			for _, s := range r.opened[len(r.opened)-1].Secrets {
				got = append(got, s.Value)
			}
			if !slices.Equal(got, want) {
				t.Errorf("signs with %q, want %q", got, want)
			}
		}
		first, second := "first", "second"
		put(&first)
		signs(first)
		put(nil)
		signs(first)
		time.Sleep(time.Hour)
		s := put(&second)
		signs(second, first)
		if list := s.Subscription.Secrets; len(list) != 2 || list[0].Value != "" || list[1].Value != "" || list[0].Until != 0 ||
			time.Until(list[1].Until.Time()) != 24*time.Hour {
			t.Errorf("%+v", list)
		}
		put(&second)
		signs(second, first)
		r.stop()
		r.start()
		synctest.Wait()
		signs(second, first)
		time.Sleep(24*time.Hour - time.Minute)
		signs(second, first)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		signs(second)
		if s := r.status("x"); len(s.Subscription.Secrets) != 1 {
			t.Errorf("%+v", s.Subscription.Secrets)
		}
		put(new(string))
		signs()
	})
}

func TestTestMessage(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{answer: func(context.Context, []told) error { time.Sleep(time.Second); return nil }})
		r.put(sub("x"), delivery.From{})
		synctest.Wait()
		got, err := r.Test(r.ctx, "x")
		if err != nil || got.Failure != "" || got.Duration != time.Second || got.ID == "" {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := r.Pause(r.ctx, "x"); err != nil {
			t.Fatal(err)
		}
		rec.answers(always(errRefused))
		if got, err = r.Test(r.ctx, "x"); err != nil || got.Failure != errRefused.Reason {
			t.Errorf("%+v, %v", got, err)
		}
		r.wantSeqs("taken", rec.seqs(), 0)
		if s := r.status("x"); s.Delivered != 0 || s.Failed != 0 || rec.timesClosed() != 2 {
			t.Errorf("%+v, closed %d times", s, rec.timesClosed())
		}
	})
}

// A test of a receiver that hangs holds up nobody who wants to stop.
func TestTestMessageIsBrokenOff(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.receiver("x", &receiver{answer: func(ctx context.Context, _ []told) error { <-ctx.Done(); return ctx.Err() }})
		r.put(sub("x"), delivery.From{})
		synctest.Wait()
		failed := make(chan error)
		go func() { _, err := r.Test(r.ctx, "x"); failed <- err }()
		synctest.Wait()
		r.stop()
		if err := <-failed; !errors.Is(err, history.Unavailable) {
			t.Error(err)
		}
	})
}

// A target that cannot be opened yet is waited for.
func TestWaitsForTarget(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.put(sub("x"), delivery.From{})
		r.record("a")
		time.Sleep(time.Hour)
		if s := r.status("x"); s.State != delivery.Failing || s.LastFailure == nil || !strings.Contains(s.LastFailure.Reason, "nobody listens") || s.LagEvents != 1 {
			t.Errorf("%+v", s)
		}
		rec := r.receiver("x", &receiver{})
		time.Sleep(time.Minute)
		r.wantSeqs("taken", rec.seqs(), 1)
		if s := r.status("x"); s.State != delivery.Active {
			t.Errorf("%+v", s)
		}
	})
}

func TestUnavailableOutsideItsLife(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.stop()
		if _, _, err := r.List(r.ctx, "", 0); !errors.Is(err, history.Unavailable) {
			t.Error(err)
		}
		if _, err := r.Put(r.ctx, sub("x"), delivery.PutOptions{}); !errors.Is(err, history.Unavailable) {
			t.Error(err)
		}
		r.stop() // again
	})
}
