package historytest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
)

// The hub of the benchmarks: so many users say anew with each version how they
// use it, so that one reference of each lasts and all others are closed.
const (
	hubUsers    = 10_000
	hubVersions = 21
)

// benchLinks measures what uses a hub, now and in both pasts, and what uses
// something that one resource in all uses. links/s counts those answered.
func benchLinks(b *testing.B, backend Backend) {
	var s history.Store
	loaded := func(q history.LinkQuery, want int, at func(draw *rand.Rand) history.At) func(*testing.B) {
		return func(b *testing.B) {
			if s == nil {
				s = benchHub(b, backend)
			}
			draw := rand.New(rand.NewPCG(5, 1))
			links := 0
			for b.Loop() {
				q := q
				if want == 1 {
					q.Terms = []string{hubVolume(draw.IntN(hubUsers))}
				}
				r, err := s.AsOf(ctx, at(draw))
				if err != nil {
					b.Fatal(err)
				}
				got, more, err := r.Links(ctx, q)
				if err != nil || more || len(got) != want {
					b.Fatalf("%d links, more: %t, %v", len(got), more, err)
				}
				links += len(got)
			}
			b.ReportMetric(float64(links)/b.Elapsed().Seconds(), "links/s")
		}
	}
	now := func(*rand.Rand) history.At { return history.At{} }
	then := func(draw *rand.Rand) history.At {
		return history.At{Captured: hubMoment(draw.IntN(hubVersions), hubUsers-1)}
	}
	believed := func(draw *rand.Rand) history.At {
		return history.At{Known: history.Revision(hubUsers * (1 + draw.IntN(hubVersions)))}
	}
	hub := history.LinkQuery{Terms: []string{"hub"}, Refers: true}
	b.Run("Links/hub/now", loaded(hub, hubUsers, now))
	b.Run("Links/hub/asof", loaded(hub, hubUsers, then))
	b.Run("Links/hub/known", loaded(hub, hubUsers, believed))
	b.Run("Links/small/now", loaded(history.LinkQuery{Refers: true}, 1, now))
	b.Run("Links/small/asof", loaded(history.LinkQuery{Refers: true}, 1, then))
	if s != nil {
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func hubMoment(version, user int) history.Moment { return at(version*hubUsers + user) }

// hubVolume is what a single user uses.
func hubVolume(user int) string { return fmt.Sprintf("vol-%016x", mix(uint64(user))) }

// benchHub records the users of the hub, version by version.
func benchHub(b *testing.B, backend Backend) history.Store {
	s := backend.Open(b, Options{
		Now: func() time.Time { return epoch.Add(365 * 24 * time.Hour) }, StoreID: testStore, Linker: firstLinker,
	})
	var list []history.Observation
	for v := range hubVersions {
		for user := range hubUsers {
			l := linking{Refers: [][2]string{{"hub", fmt.Sprint("/SecurityGroups/", v%2, "/GroupId")}, {hubVolume(user), ""}}}
			list = append(list, history.Observation{
				Key: benchKey(0, user), CapturedAt: hubMoment(v, user), State: history.State{Configuration: l.configuration()},
			})
			if len(list) == 1000 {
				benchBatch(b, s, "", list)
				list = list[:0]
			}
		}
	}
	settle(b, s)
	return s
}

// settle waits until a store that merges what was recorded later on has done so.
func settle(b *testing.B, s history.Store) {
	teller, ok := s.(history.Statter)
	if !ok {
		return
	}
	for tick := time.Tick(10 * time.Millisecond); ; <-tick {
		stats, err := teller.Stats(ctx)
		if err != nil {
			b.Fatal(err)
		}
		if stats.Unmerged == 0 {
			return
		}
	}
}
