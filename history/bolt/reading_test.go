package bolt_test

import (
	"errors"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// Readers get the transaction of the one before, unless something was written
// meanwhile, or is being written.
func TestReadingsAreKept(t *testing.T) {
	s := openWith(t, memoryDir(t), bolt.Options{MergeIdle: time.Hour})
	write := func() { record(t, s, history.Batch{Observations: usedEstate()[:1]}) }
	write()
	read := func(f func()) (tx *bbolt.Tx, shows int) {
		t.Helper()
		err := s.Read(func(now *bbolt.Tx) error {
			f()
			tx, shows = now, now.ID()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return tx, shows
	}
	kept := func(want int, when string) {
		t.Helper()
		if got := s.KeptReadings(); got != want {
			t.Errorf("%d transactions are kept %s, want %d", got, when, want)
		}
	}
	nothing := func() {}

	first, before := read(nothing)
	if again, _ := read(nothing); again != first {
		t.Error("the second reader began a transaction of its own")
	}
	var within *bbolt.Tx
	outer, _ := read(func() { within, _ = read(nothing) })
	if within == outer {
		t.Error("two readers had one transaction at the same time")
	}
	kept(2, "after two readers at once")

	write()
	kept(0, "after a write")
	if _, after := read(nothing); after <= before {
		t.Errorf("after a write a reader sees state %d; before it was %d", after, before)
	}
	kept(1, "after another reader")

	read(write)
	kept(0, "of a reader during which something was written")

	// One reads within a write, another from within it to after it.
	began, end, ended := make(chan int), make(chan struct{}), make(chan error)
	err := s.Edit(func(tx *bbolt.Tx) error {
		read(nothing)
		kept(0, "while somebody writes")
		go func() {
			ended <- s.Read(func(now *bbolt.Tx) error {
				began <- now.ID()
				<-end
				return nil
			})
		}()
		before = <-began
		return tx.Bucket([]byte("meta")).Put([]byte("x"), nil)
	})
	close(end)
	if err := errors.Join(err, <-ended); err != nil {
		t.Fatal(err)
	}
	kept(0, "of a reader that began before the end of a write")
	if _, after := read(nothing); after <= before {
		t.Errorf("after a write a reader sees state %d; before it was %d", after, before)
	}

	failure := errors.New("failure")
	if err := s.Read(func(*bbolt.Tx) error { return failure }); !errors.Is(err, failure) {
		t.Error(err)
	}
	kept(0, "of a reader that failed")
}
