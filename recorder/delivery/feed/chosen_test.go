package feed_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// Those who choose read what they chose and nothing else, and come as far as all
// others.
func TestChosen(t *testing.T) {
	onBackends(t, func(t *testing.T, r *rig) {
		const changes = 200
		for i := range changes {
			r.record(fmt.Sprint(i), "A", at(i), "")
		}
		for _, pageBytes := range []int{1, 1 << 20} {
			for _, every := range []history.Seq{1, 7, 1000} {
				store := &counting{Store: r.store, reads: map[history.Key]int{}}
				source := feed.NewSource(store, feed.Options{PageBytes: pageBytes})
				var got, want []history.Seq
				after := history.Position("")
				for {
					events, next, err := source.Chosen(t.Context(), after, 30, func(c *history.Change) bool { return c.Seq%every == 0 })
					if err != nil {
						t.Fatal(err)
					}
					if next == after {
						break
					}
					for _, e := range events {
						got = append(got, e.Seq)
					}
					after = next
				}
				for seq := every; seq <= changes; seq += every {
					want = append(want, seq)
				}
				head, err := r.store.Head(t.Context())
				if err != nil || !slices.Equal(got, want) || after != head.Position {
					t.Errorf("every %d: %v, %v", every, got, err)
				}
				if len(store.reads) != len(want) && pageBytes > 1 {
					t.Errorf("every %d: %d resources were read", every, len(store.reads))
				}
			}
		}
	})
}
