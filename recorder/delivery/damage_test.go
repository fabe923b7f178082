package delivery_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// newDocuments are documents that stand alone.
func newDocuments() history.Documents { return memory.New(memory.Options{}) }

// write puts bytes where a document is.
func (r *rig) write(collection, name string, body []byte) {
	r.Helper()
	if _, err := r.documents.PutDocuments(r.ctx, []history.DocumentWrite{{Collection: collection, Name: name, Body: body}}); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) read(collection, name string) []byte {
	r.Helper()
	doc, err := r.documents.Document(r.ctx, collection, name)
	if err != nil {
		r.Fatal(err)
	}
	return doc.Body
}

// A damaged document disables its subscription and no other, and is not written
// over until a put says where to begin.
func TestDamagedDocuments(t *testing.T) {
	for _, test := range []struct {
		name, collection string
		damage           func([]byte) []byte
	}{
		{"state", "subscription-state", func(b []byte) []byte { b[5] ^= 1; return b }},
		{"no state", "subscription-state", func([]byte) []byte { return nil }},
		{"empty state", "subscription-state", func([]byte) []byte { return []byte{} }},
		{"definition", "subscription", func(b []byte) []byte { return b[:len(b)/2] }},
		{"definition of tomorrow", "subscription", func([]byte) []byte { return []byte(`{"form":2}`) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				rec, other := r.receiver("x", &receiver{}), r.receiver("other", &receiver{})
				r.put(sub("x"), delivery.From{})
				r.put(sub("other"), delivery.From{})
				r.record("a")
				time.Sleep(2 * time.Second)
				r.stop()
				r.write(test.collection, "x", test.damage(slices.Clone(r.read(test.collection, "x"))))
				r.start()
				r.record("b")
				time.Sleep(2 * time.Second)
				s := r.status("x")
				if s.State != delivery.Disabled || s.Subscription.Disabled == "" {
					t.Errorf("%+v", s)
				}
				r.wantSeqs("the other", sorted(other.seqs()), 1, 2)
				for _, do := range []func(context.Context, string) (delivery.Status, error){r.Resume, r.Pause} {
					if _, err := do(r.ctx, "x"); !errors.Is(err, history.Invalid) || !strings.Contains(err.Error(), "put it with a place to begin from") {
						t.Error(err)
					}
				}
				if _, err := r.Put(r.ctx, sub("x"), delivery.PutOptions{}); !errors.Is(err, history.Invalid) {
					t.Error(err)
				}
				r.put(sub("x"), fromStart)
				synctest.Wait()
				r.wantSeqs("taken", sorted(rec.seqs()), 1, 1, 2)
				if s := r.status("x"); s.State != delivery.Active {
					t.Errorf("%+v", s)
				}
				r.stop()
				r.start()
				if s := r.status("x"); s.State != delivery.Active {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

func TestPrunedBelowPosition(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{answer: refusing(errRefused, "a")})
		r.put(sub("x"), delivery.From{})
		r.record("a", "b")
		time.Sleep(time.Minute)
		if _, err := r.Pause(r.ctx, "x"); err != nil {
			t.Fatal(err)
		}
		r.record("c", "d", "e")
		time.Sleep(time.Hour)
		floor := history.MomentOf(time.Now())
		if _, err := r.store.(history.Pruner).Prune(r.ctx, history.PruneRequest{Floor: floor}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		r.record("f")
		rec.answers(nil)
		if _, err := r.Resume(r.ctx, "x"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.record("g")
		synctest.Wait()
		r.wantSeqs("taken", rec.seqs(), 2, 6, 7)
		if s := r.status("x"); s.Missed != 4 || s.Outstanding != 0 || rec.taken()[1].Previous != 0 || rec.taken()[2].Previous != 6 {
			t.Errorf("%+v, %+v", s, rec.taken())
		}
		if _, err := r.Put(r.ctx, sub("y"), delivery.PutOptions{From: delivery.From{Position: history.Lineage{StoreID: [16]byte{7}}.Position(1)}}); !errors.Is(err, history.Compacted) && !errors.Is(err, history.ForeignToken) {
			t.Errorf("from a pruned position: %v", err)
		}
	})
}

// What was erased is not sent any more, though it was read before.
func TestErasedWhileItWaits(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{answer: refusing(errRefused, "a")})
		r.put(sub("x"), delivery.From{})
		r.record("a", "a")
		synctest.Wait()
		for version := range uint32(2) {
			if err := r.store.(history.Eraser).Erase(r.ctx, history.Key{Type: "T", ID: "a"}, version+1); err != nil {
				t.Fatal(err)
			}
		}
		r.source.Forget()
		rec.answers(nil)
		time.Sleep(time.Minute)
		if len(rec.taken()) != 2 || !rec.taken()[0].Erased || !rec.taken()[1].Erased {
			t.Errorf("%+v", rec.taken())
		}
	})
}

// descended is a store that was restored.
type descended struct {
	*memory.Store
	lineage history.Lineage
}

func (d *descended) Lineage() history.Lineage { return d.lineage }

func (d *descended) Changes(ctx context.Context, after history.Position, limit int, wait time.Duration) ([]history.Change, history.Position, error) {
	head, err := d.Store.Head(ctx)
	if err != nil {
		return nil, "", err
	}
	own := d.Store.Lineage()
	end, err := own.Seq(head.Position, 1<<60)
	if err != nil {
		return nil, "", err
	}
	seq, err := d.lineage.Seq(after, end)
	if err != nil {
		return nil, "", err
	}
	list, next, err := d.Store.Changes(ctx, own.Position(seq), limit, wait)
	for i := range list {
		list[i].Position = d.lineage.Position(list[i].Seq)
	}
	if err == nil {
		seq, err = own.Seq(next, 1<<60)
	}
	return list, d.lineage.Position(seq), err
}

func (d *descended) Head(ctx context.Context) (history.Head, error) {
	h, err := d.Store.Head(ctx)
	if err == nil {
		var seq history.Seq
		seq, err = d.Store.Lineage().Seq(h.Position, 1<<60)
		h.Position = d.lineage.Position(seq)
	}
	return h, err
}

// A state that is newer than the store, restored from an older backup, goes back
// to where the backup ends; what was outstanding of the lost store is let go.
func TestRestoredStore(t *testing.T) {
	inBubble(t, func(r *rig) {
		rec := r.receiver("x", &receiver{answer: refusing(errRefused, "a", "c")})
		r.put(sub("x"), delivery.From{})
		r.record("a", "b", "c", "b")
		time.Sleep(time.Minute)
		r.stop()

		restored := memory.New(memory.Options{StoreID: [16]byte{7}})
		r.store = &descended{restored, restored.Lineage().Restored(2, 2, history.MomentOf(time.Now()))}
		r.source = feed.NewSource(r.store, feed.Options{})
		old := r.documents
		r.record("a", "b") // as in the backup
		r.record("x", "y", "z")
		r.documents = old
		rec.answers(nil)
		r.start()
		time.Sleep(6 * time.Minute)
		got := rec.taken()[2:]
		slices.SortFunc(got, func(a, b told) int { return int(a.Seq) - int(b.Seq) })
		if len(got) != 4 || got[0].ID != "a" || got[1].ID != "x" || got[1].Previous != 0 || got[3].ID != "z" || got[3].Previous != 4 {
			t.Errorf("%+v", got)
		}
	})
}

func TestStateOfAnotherStore(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.receiver("x", &receiver{})
		r.put(sub("x"), delivery.From{})
		r.record("a")
		time.Sleep(time.Minute)
		r.stop()
		r.store = memory.New(memory.Options{StoreID: [16]byte{8}})
		r.source = feed.NewSource(r.store, feed.Options{})
		r.start()
		synctest.Wait()
		if s := r.status("x"); s.State != delivery.Disabled || !strings.Contains(s.Subscription.Disabled, "belongs to another store") {
			t.Errorf("%+v", s)
		}
	})
}

// hurt is a store in which what is kept of one resource is damaged.
type hurt struct {
	*memory.Store
	id string
}

type hurtReader struct {
	history.Reader
	id string
}

func (h *hurt) AsOf(ctx context.Context, at history.At) (history.Reader, error) {
	r, err := h.Store.AsOf(ctx, at)
	return hurtReader{r, h.id}, err
}

func (h hurtReader) History(ctx context.Context, k history.Key, q history.HistoryQuery) ([]history.Item, bool, error) {
	if k.ID == h.id {
		return nil, false, history.Errorf(history.DataLoss, "of the test")
	}
	return h.Reader.History(ctx, k, q)
}

// A change that cannot be read holds up nothing, and is there to be replayed when
// the store has been repaired.
func TestDamagedChangeIsADeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New(memory.Options{})
		r := newRig(t, &hurt{store, "bad"}, store)
		rec := r.receiver("x", &receiver{})
		r.start()
		s := sub("x")
		s.Filter = `type == "T"`
		r.put(s, delivery.From{})
		r.record("a", "bad", "b", "bad", "c")
		synctest.Wait()
		r.wantSeqs("taken", sorted(rec.seqs()), 1, 3, 5)
		letters, _, err := r.DeadLetters(r.ctx, "x", 0, 1)
		if err != nil || len(letters) != 1 || letters[0].Seq != 2 || letters[0].Key.ID != "bad" || letters[0].FilterError == "" {
			t.Errorf("%+v, %v", letters, err)
		}
		if n, err := r.Replay(r.ctx, "x"); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		r.stop()
		r.store, r.source = store, feed.NewSource(store, feed.Options{})
		r.start()
		if n, err := r.Replay(r.ctx, "x"); n != 2 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		synctest.Wait()
		r.wantAll(rec, 1, 5)
		r.stop()
	})
}
