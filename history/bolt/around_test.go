package bolt_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
)

// TestManyVersions has a few resources change again and again, in time and late, so
// that their versions fill several segments each while the newest are not merged, or
// merges were cut short. What stands at a moment, which is read from one segment
// where that tells it, is what the store in memory tells.
func TestManyVersions(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { manyVersions(t, rand.New(rand.NewPCG(seed, 8))) })
	}
}

func manyVersions(t *testing.T, rnd *rand.Rand) {
	ctx := context.Background()
	const resources, rounds, looks = 4, 250, 6
	p := newPair(t)
	pad := strings.Repeat("a configuration that is mostly as it was; ", 12)
	moment := func() history.Moment { return firstMoment + history.Moment(rnd.IntN(10*rounds))*1000 }
	for round := range rounds {
		p.clock.Advance(time.Second)
		var b history.Batch
		for range 1 + rnd.IntN(6) {
			now := observed(rnd.IntN(resources), firstMoment+history.Moment(10*round)*1000, fmt.Sprintf(`{"n":%d,"pad":%q}`, rnd.IntN(9), pad))
			switch rnd.IntN(12) {
			case 0:
				now.CapturedAt = moment() // late, mostly
			case 1:
				now.CapturedAt -= history.Moment(rnd.IntN(400)) * 1000 // a little late
			case 2:
				now.State = history.State{Deleted: true}
			}
			b.Observations = append(b.Observations, now)
		}
		p.both("receipt", func(s history.Store) any {
			receipt, err := s.Append(ctx, b)
			receipt.Position = ""
			return fmt.Sprintf("%+v %v", receipt, err)
		})
		switch rnd.IntN(30) {
		case 0, 1:
			p.merge()
		case 2:
			p.goOn(p.disk.MergeUncut)
		}
		for range looks {
			at := history.At{Captured: moment()}
			if rnd.IntN(4) == 0 {
				at.Captured = firstMoment + history.Moment(10*round)*1000
			}
			if rnd.IntN(2) == 0 {
				head, _ := p.mem.Head(ctx)
				at.Known = head.Revision - min(head.Revision-1, history.Revision(rnd.IntN(1+int(head.Revision)>>rnd.IntN(10))))
			}
			fields := []history.Fields{history.FieldsAll, history.FieldsHead, history.FieldsKey}[rnd.IntN(3)]
			p.both(fmt.Sprintf("round %d at %+v", round, at), func(s history.Store) any {
				reader, err := s.AsOf(ctx, at)
				if err != nil {
					return err.Error()
				}
				var keys []history.Key
				for r := range resources {
					keys = append(keys, observed(r, 0, "").Key)
				}
				items, err := reader.Get(ctx, keys, fields)
				return []any{items, fmt.Sprint(err)}
			})
		}
	}
	p.end()
}

// What is not merged stands on both sides of what is: the version at a moment ends
// where a merged one begins, not where the next that is not merged does.
func TestUnmergedBeforeMerged(t *testing.T) {
	s := openWith(t, memoryDir(t), bolt.Options{MergeIdle: time.Hour})
	see := func(at history.Moment, n int) {
		record(t, s, history.Batch{Observations: []history.Observation{observed(0, firstMoment+at, fmt.Sprint(n))}})
	}
	see(100, 1)
	see(200, 2)
	if err := s.Merge(); err != nil {
		t.Fatal(err)
	}
	see(10, 3)
	see(150, 4)
	reader, err := s.AsOf(context.Background(), history.At{Captured: firstMoment + 50})
	if err != nil {
		t.Fatal(err)
	}
	items, err := reader.Get(context.Background(), []history.Key{observed(0, 0, "").Key}, history.FieldsHead)
	if err != nil || items[0].CapturedAt != firstMoment+10 || items[0].Until != firstMoment+100 {
		t.Errorf("got %+v, %v", items, err)
	}
}
