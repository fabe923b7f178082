package delivery_test

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// A store that is restored from a backup goes on where that ends: what the lost one
// recorded later, and had delivered, is given its sequences anew.
func TestGoesOnFromBackup(t *testing.T) {
	store, err := bolt.Open(t.TempDir(), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, store, store)
	came := make(chan told, 100)
	rec := r.receiver("x", &receiver{concurrency: 1, answer: func(_ context.Context, message []told) error {
		came <- message[0]
		return nil
	}})
	next := func(id string, previous uint64) {
		t.Helper()
		select {
		case e := <-came:
			if e.ID != id || uint64(e.Previous) != previous {
				t.Errorf("got %+v, want %s after %d", e, id, previous)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s does not come: %+v", id, rec.taken())
		}
	}
	r.start()
	r.put(sub("x"), delivery.From{})
	r.record("a", "b")
	next("a", 0)
	next("b", 1)
	r.stop()
	var backup bytes.Buffer
	if err := store.Backup(t.Context(), func(chunk []byte) error { _, err := backup.Write(chunk); return err }); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.record("lost")
	next("lost", 2)
	r.stop()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	dir := filepath.Join(t.TempDir(), "restored")
	if _, err := bolt.Restore(t.Context(), &backup, dir, bolt.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	if store, err = bolt.Open(dir, bolt.Options{}); err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r.store, r.documents, r.source = store, store, feed.NewSource(store, feed.Options{})
	r.start()
	r.record("c")
	next("c", 2)
	if s := r.status("x"); s.State != delivery.Active || s.Missed != 0 || s.Seq != 3 {
		t.Errorf("%+v", s)
	}
	r.stop()
}
