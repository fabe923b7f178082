package bolt_test

import (
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/historytest"
)

// TestModelAmidMerges compares every answer while links are merged and nothing else
// yet: so a process leaves them that is killed in the middle of a merge. Wherever
// the model opens a store again, that is done, or a whole merge, instead.
func TestModelAmidMerges(t *testing.T) {
	b := backendOn(bolt.Options{MergeRecords: 1 << 30, MergeIdle: time.Hour, NoSync: true}, nil)
	turns := map[history.Store]int{}
	b.Reopen = func(t testing.TB, s history.Store) history.Store {
		store := s.(*bolt.Store)
		merge := store.MergeLinks
		if turns[s]++; turns[s]%3 == 0 {
			merge = store.Merge
		}
		if err := merge(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	historytest.Model(t, b, 12, 80)
}
