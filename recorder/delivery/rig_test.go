package delivery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// rig is a store with a Deliverer, in time that passes as the test wants it, and
// the receivers that subscriptions name as their target.
type rig struct {
	*testing.T
	ctx       context.Context
	store     history.Store
	documents history.Documents
	source    *feed.Source
	*delivery.Deliverer

	mu        sync.Mutex
	receivers map[string]*receiver
	opened    []delivery.Subscription
}

// inBubble runs a test with a started Deliverer in time of its own, and stops it.
func inBubble(t *testing.T, do func(*rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := memory.New(memory.Options{StoreID: [16]byte{7}})
		r := newRig(t, store, store)
		r.start()
		do(r)
		r.stop()
	})
}

func newRig(t *testing.T, store history.Store, documents history.Documents) *rig {
	return &rig{T: t, ctx: t.Context(), store: store, documents: documents,
		source: feed.NewSource(store, feed.Options{}), receivers: map[string]*receiver{}}
}

// start makes a new Deliverer of what there is.
func (r *rig) start() {
	r.Helper()
	r.Deliverer = delivery.New(r.store, r.documents, r.source, delivery.Options{Check: r.check, Open: r.open})
	if err := r.Start(r.ctx); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) stop() {
	r.Helper()
	if err := r.Stop(r.ctx); err != nil {
		r.Error(err)
	}
}

func (r *rig) check(s *delivery.Subscription) error {
	if s.Format == "" {
		s.Format = "double"
	}
	if s.Target == "bad" {
		return &history.Error{Kind: history.Invalid, Field: "target", Value: "bad", Text: "is no target"}
	}
	return nil
}

func (r *rig) open(s delivery.Subscription) (delivery.Format, delivery.Target, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opened = append(r.opened, s)
	rec := r.receivers[s.Target]
	if rec == nil {
		return nil, nil, errors.New("nobody listens")
	}
	return rec, rec, nil
}

// receiver is a format and the target that reads it.
type receiver struct {
	batches, concurrency int // default 1, 16

	// answer, if set, says what becomes of an attempt; it may wait.
	answer func(ctx context.Context, message []told) error

	mu     sync.Mutex
	got    []told // taken, in order
	tries  []try
	flying int
	most   int // flying at once
	closed int
}

// told is what a message says of an event.
type told struct {
	Seq, Previous history.Seq
	ID            string // of the resource
	Attempt       int
	FilterError   string
	Erased        bool
}

type try struct {
	at      time.Time
	message []told
}

func (r *rig) receiver(name string, rec *receiver) *receiver {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.receivers[name] = rec
	return rec
}

func (rec *receiver) Batches() int     { return max(1, rec.batches) }
func (rec *receiver) Concurrency() int { return max(1, cmpOr(rec.concurrency, 16)) }

func cmpOr(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

func (rec *receiver) Encode(notices []*delivery.Notice, _ time.Time) (delivery.Message, error) {
	var list []told
	for _, n := range notices {
		list = append(list, told{n.Seq, n.Previous, n.Key.ID, n.Attempt, n.FilterError, n.After.Erased})
	}
	body, err := json.Marshal(list)
	return delivery.Message{ID: fmt.Sprint(list[0].Seq), Body: body}, err
}

func (rec *receiver) Deliver(ctx context.Context, m delivery.Message) error {
	var message []told
	if err := json.Unmarshal(m.Body, &message); err != nil {
		return err
	}
	rec.mu.Lock()
	rec.tries = append(rec.tries, try{time.Now(), message})
	rec.flying++
	rec.most = max(rec.most, rec.flying)
	answer := rec.answer
	rec.mu.Unlock()
	var err error
	if answer != nil {
		err = answer(ctx, message)
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.flying--
	if err == nil {
		rec.got = append(rec.got, message...)
	}
	return err
}

func (rec *receiver) Close() error {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.closed++
	return nil
}

// answers replaces what becomes of attempts.
func (rec *receiver) answers(f func(ctx context.Context, message []told) error) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.answer = f
}

// seqs are the sequences taken, in order.
func (rec *receiver) seqs() (list []history.Seq) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for _, t := range rec.got {
		list = append(list, t.Seq)
	}
	return list
}

// sorted is what was taken where the order of resources among each other is of no
// account.
func sorted(seqs []history.Seq) []history.Seq {
	slices.Sort(seqs)
	return seqs
}

// taken are the events taken, in order.
func (rec *receiver) taken() []told {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.got)
}

// mostAtOnce is how many messages were under way at once, since it was last asked.
func (rec *receiver) mostAtOnce() (n int) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	n, rec.most = rec.most, 0
	return n
}

func (rec *receiver) timesClosed() int {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return rec.closed
}

func (rec *receiver) attempts() []try {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.tries)
}

var errRefused = &delivery.Refusal{Reason: "500 of the test"}

// refusing answers events of some resources with an error.
func refusing(err error, ids ...string) func(context.Context, []told) error {
	return func(_ context.Context, message []told) error {
		for _, t := range message {
			if slices.Contains(ids, t.ID) {
				return err
			}
		}
		return nil
	}
}

func always(err error) func(context.Context, []told) error {
	return func(context.Context, []told) error { return err }
}

// record records a change of each of the resources, one commit each.
func (r *rig) record(ids ...string) {
	r.Helper()
	for _, id := range ids {
		got, err := r.store.Append(r.ctx, history.Batch{Observations: []history.Observation{{
			Key:   history.Key{Type: "T", ID: id},
			State: history.State{Name: id, Configuration: fmt.Appendf(nil, `{"at":%d}`, time.Now().UnixNano())},
		}}})
		if err == nil {
			err = got.Results[0].Err
		}
		if err != nil {
			r.Fatal(err)
		}
		time.Sleep(time.Microsecond)
	}
}

// put makes or changes a subscription.
func (r *rig) put(s delivery.Subscription, from delivery.From) delivery.Status {
	r.Helper()
	status, err := r.Put(r.ctx, s, delivery.PutOptions{From: from})
	if err != nil {
		r.Fatal(err)
	}
	return status
}

// status is how a subscription stands.
func (r *rig) status(name string) delivery.Status {
	r.Helper()
	s, err := r.Get(r.ctx, name)
	if err != nil {
		r.Fatal(err)
	}
	return s
}

func (r *rig) wantSeqs(what string, got []history.Seq, want ...history.Seq) {
	r.Helper()
	if !slices.Equal(got, want) {
		r.Errorf("%s: %v, want %v", what, got, want)
	}
}

// wantAll looks whether all sequences of a range were taken, in order for each
// resource, and whether their chain has no gap.
func (r *rig) wantAll(rec *receiver, from, to history.Seq) {
	r.Helper()
	rec.mu.Lock()
	defer rec.mu.Unlock()
	seen, last := map[history.Seq]history.Seq{}, map[string]history.Seq{}
	for _, t := range rec.got {
		if _, again := seen[t.Seq]; again {
			continue
		}
		if seen[t.Seq] = t.Previous; t.Seq < last[t.ID] {
			r.Errorf("%d of %s comes after %d", t.Seq, t.ID, last[t.ID])
		}
		last[t.ID] = t.Seq
	}
	for seq := from; seq <= to; seq++ {
		previous, ok := seen[seq]
		if !ok {
			r.Errorf("%d did not arrive", seq)
			return
		}
		if seq > from && previous != seq-1 {
			r.Errorf("%d is told to follow %d", seq, previous)
		}
	}
}

var fromStart = delivery.From{Recorded: history.FirstMoment}

func sub(name string) delivery.Subscription {
	return delivery.Subscription{Name: name, Target: name}
}
