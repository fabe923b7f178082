package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/historytest"
)

// TestRelinkBesideTheOneOfTheOpening asks for links while both read links anew, the
// opening and a caller: once the caller was told that it is done, it is.
func TestRelinkBesideTheOneOfTheOpening(t *testing.T) {
	ctx, dir := context.Background(), memoryDir(t)
	o := bolt.Options{MergeIdle: time.Hour, NoSync: true, Linker: historytest.Linker("first")}
	s, err := bolt.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0; from < 6000; from += 1000 { // more than are read before the store is open
		var b history.Batch
		for n := from; n < from+1000; n++ {
			b.Observations = append(b.Observations, history.Observation{
				Key: history.Key{Type: "T", ID: fmt.Sprint(n)}, CapturedAt: 1, State: history.State{Name: "n"},
			})
		}
		record(t, s, b)
	}
	if err := errors.Join(s.Merge(), s.Close()); err != nil {
		t.Fatal(err)
	}

	o.Linker = historytest.Linker("second")
	s = openWith(t, dir, o)
	if err := s.Relink(ctx, nil); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { s.WaitForUpkeep(); close(ended) }()
	for last := false; ; {
		reader, err := s.AsOf(ctx, history.At{})
		if err != nil {
			t.Fatal(err)
		}
		links, _, err := reader.Links(ctx, history.LinkQuery{Terms: []string{"second:n"}})
		if err != nil || len(links) != 6000 {
			t.Fatalf("%d links, %v", len(links), err)
		}
		if last {
			return
		}
		select {
		case <-ended:
			last = true
		default:
		}
	}
}

// TestRelinkIsUnwritten holds that whoever keeps answers learns when links are read
// anew, and when they can be told again.
func TestRelinkIsUnwritten(t *testing.T) {
	s := openWith(t, memoryDir(t), bolt.Options{NoSync: true, Linker: historytest.Linker("first")})
	record(t, s, history.Batch{Observations: []history.Observation{
		{Key: history.Key{Type: "T", ID: "a"}, CapturedAt: 1, State: history.State{Name: "n"}},
	}})
	var counts []uint64
	count := func(uint64, uint64) { counts = append(counts, s.Unwritten()) }
	count(0, 0)
	if err := s.Relink(context.Background(), count); err != nil {
		t.Fatal(err)
	}
	if n := len(counts); n < 2 || counts[n-1] < counts[0]+2 {
		t.Errorf("unwritten was %v", counts)
	}
}

// A program that reads no links, as a compaction, merges and is killed before it is
// done; the next one, which reads them, merges what is left. All links are told.
func TestLinksOfCutShortMerge(t *testing.T) {
	for _, merged := range []bool{false, true} {
		t.Run(fmt.Sprint("merged before: ", merged), func(t *testing.T) {
			p := newPair(t)
			p.o.Linker = testLinker
			list := usedEstate()
			if merged {
				p.goOn(func() error { return nil })
				record(t, p.disk, history.Batch{Observations: list[:len(list)/2]})
				p.merge()
			}
			p.o.Linker = nil
			p.goOn(func() error { return nil })
			record(t, p.disk, history.Batch{Observations: list[len(list)/2:]})
			p.o.Linker = testLinker
			p.goOn(p.disk.MergeUncut)
			p.end()
		})
	}
}
