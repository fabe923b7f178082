package bolt_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestManySightings has a few resources seen again and again, so that their
// sightings fill several blocks each: in time and late, in runs and in none, while
// merges are cut short, and what is old is folded and pruned. The store tells what
// the one in memory tells.
func TestManySightings(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { manySightings(t, rand.New(rand.NewPCG(seed, 7))) })
	}
}

func manySightings(t *testing.T, rnd *rand.Rand) {
	ctx := context.Background()
	const resources, rounds = 10, 300
	p := newPair(t)
	moment := func() history.Moment { return firstMoment + history.Moment(rnd.IntN(10*rounds))*1000 }
	var run history.RunID
	for round := range rounds {
		p.clock.Advance(time.Second)
		var b history.Batch
		if rnd.IntN(4) == 0 {
			b.Run = run
		}
		for range 1 + rnd.IntN(6) {
			seen := observed(6*round/rounds+rnd.IntN(4), firstMoment+history.Moment(10*round)*1000, `1`)
			seen.Origin.Source = fmt.Sprint("pass ", round/20)
			if rnd.IntN(8) == 0 {
				seen.CapturedAt = moment()
			}
			if rnd.IntN(30) == 0 {
				seen.State = []history.State{{Deleted: true}, {Configuration: []byte(`0`)}}[rnd.IntN(2)]
			}
			b.Observations = append(b.Observations, seen)
		}
		p.both("receipt", func(s history.Store) any {
			receipt, err := s.Append(ctx, b)
			if err != nil {
				t.Fatal(err)
			}
			receipt.Position = ""
			return fmt.Sprintf("%+v", receipt)
		})
		switch rnd.IntN(24) {
		case 0, 1, 2:
			p.merge()
		case 3, 4:
			p.goOn(p.disk.MergeUncut)
		case 5:
			p.goOn(p.disk.Merge, func(path string) { bolt.Downgrade2(t, path) })
		case 6:
			before := history.MomentOf(p.clock.Now()) - history.Moment(round-rnd.IntN(1+round/2))*1_000_000
			p.both("folded", func(s history.Store) any {
				n, err := s.(history.Folder).Fold(ctx, before)
				if err != nil {
					t.Fatal(err)
				}
				return n
			})
		case 7:
			if rnd.IntN(2) == 0 {
				r := history.PruneRequest{
					Floor:    firstMoment + history.Moment(rnd.IntN(1+4*round))*1000,
					Recorded: history.MomentOf(p.clock.Now()) - history.Moment(round-rnd.IntN(1+round/2))*1_000_000,
				}
				p.both("pruned", func(s history.Store) any {
					pruned, err := s.(history.Pruner).Prune(ctx, r)
					if err != nil {
						t.Fatal(err)
					}
					return fmt.Sprintf("%+v", pruned)
				})
			}
		case 8:
			id := history.RunID(fmt.Sprint("r", round))
			p.both("run", func(s history.Store) any {
				if run != "" {
					if _, err := s.CloseRun(ctx, run, history.CompleteForced, ""); err != nil {
						t.Fatal(err)
					}
				}
				r, err := s.OpenRun(ctx, history.Run{ID: id, Moment: firstMoment + history.Moment(10*round)*1000})
				if err != nil {
					t.Fatal(err)
				}
				return fmt.Sprintf("%+v", r)
			})
			run = id
		}
		at, known := moment(), history.Revision(0)
		if head, _ := p.mem.Head(ctx); rnd.IntN(2) == 0 {
			known = 1 + history.Revision(rnd.IntN(int(head.Revision)))
		}
		p.both(fmt.Sprint("round ", round, " as of ", known), func(s history.Store) any {
			var told []any
			for _, at := range []history.At{{Known: known}, {Known: known, Captured: at}} {
				reader, err := s.AsOf(ctx, at)
				if err != nil {
					return err.Error()
				}
				for r := range resources {
					k := observed(r, 0, "").Key
					list, _, err := reader.History(ctx, k, history.HistoryQuery{})
					items, err2 := reader.Get(ctx, []history.Key{k}, history.FieldsAll)
					told = append(told, list, items, fmt.Sprint(err, err2))
				}
			}
			return told
		})
	}
	if sum := p.end(); sum.Sightings < 200 {
		t.Errorf("only %d sightings are left", sum.Sightings)
	}
}
