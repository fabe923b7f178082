package history_test

import (
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"pgregory.net/rapid"
)

var lineage = history.Lineage{StoreID: [16]byte{1, 2, 3}, Incarnation: 7}

func TestPosition(t *testing.T) {
	t.Run("RoundTrips", rapid.MakeCheck(func(t *rapid.T) {
		seq := history.Seq(rapid.Uint64().Draw(t, "sequence"))
		got, err := lineage.Seq(lineage.Position(seq), math.MaxUint64)
		if err != nil || got != seq {
			t.Fatalf("%d: %d, %v", seq, got, err)
		}
	}))
	t.Run("EmptyIsTheStart", func(t *testing.T) {
		if seq, err := lineage.Seq("", 0); seq != 0 || err != nil {
			t.Fatal(seq, err)
		}
	})
	t.Run("StandsInURLsAsItIs", func(t *testing.T) {
		p := string(lineage.Position(math.MaxUint64))
		if strings.Trim(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Fatal(p)
		}
	})

	refused := func(t *testing.T, l history.Lineage, p history.Position, newest history.Seq) {
		t.Helper()
		var e *history.Error
		if _, err := l.Seq(p, newest); !errors.As(err, &e) || e.Kind != history.ForeignToken || len(e.Value) > 70 {
			t.Fatalf("%.100q: %v", p, err)
		}
	}
	t.Run("AheadIsForeign", func(t *testing.T) {
		refused(t, lineage, lineage.Position(5), 4)
		if _, err := lineage.Seq(lineage.Position(5), 5); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("OtherStoreIsForeign", func(t *testing.T) {
		refused(t, history.Lineage{Incarnation: 7}, lineage.Position(5), 5)
	})
	t.Run("OtherIncarnationIsForeign", func(t *testing.T) {
		refused(t, history.Lineage{StoreID: lineage.StoreID, Incarnation: 8}, lineage.Position(5), 5)
	})
	t.Run("EveryChangedBitIsNoticed", func(t *testing.T) {
		raw, err := base64.RawURLEncoding.DecodeString(string(lineage.Position(5)))
		if err != nil {
			t.Fatal(err)
		}
		for bit := range 8 * len(raw) {
			raw[bit/8] ^= 1 << (bit % 8)
			refused(t, lineage, history.Position(base64.RawURLEncoding.EncodeToString(raw)), math.MaxUint64)
			raw[bit/8] ^= 1 << (bit % 8)
		}
	})
	t.Run("OtherTextIsForeign", rapid.MakeCheck(func(t *rapid.T) {
		text := rapid.StringN(1, 200, -1).Draw(t, "text")
		if _, err := lineage.Seq(history.Position(text), math.MaxUint64); !errors.Is(err, history.ForeignToken) {
			t.Fatal(err)
		}
	}))
}

// FuzzPosition reads positions that nobody wrote.
func FuzzPosition(f *testing.F) {
	f.Add(string(lineage.Position(5)))
	f.Add("")
	f.Add(string(lineage.Position(5)[:1] + "\n" + lineage.Position(5)[1:]))
	f.Fuzz(func(t *testing.T, text string) {
		seq, err := lineage.Seq(history.Position(text), 1000)
		if err == nil && text != "" && (seq > 1000 || history.Position(text) != lineage.Position(seq)) {
			t.Fatalf("%q reads as %d", text, seq)
		}
	})
}

// TestLineageRestored walks a position through two restores.
func TestLineageRestored(t *testing.T) {
	first := history.Lineage{StoreID: [16]byte{1}, Incarnation: 1}
	second := first.Restored(70, 50, history.MomentOf(time.Unix(1_800_000_000, 0)))
	third := second.Restored(90, 60, history.MomentOf(time.Unix(5, 0))) // a clock that is wrong
	if second.Incarnation != 1_800_000_000 || third.Incarnation != 1_800_000_001 {
		t.Errorf("incarnations %d and %d", second.Incarnation, third.Incarnation)
	}
	if sister := first.Restored(70, 50, history.MomentOf(time.Unix(1_800_000_001, 0))); sister.Incarnation == second.Incarnation {
		t.Error("two stores restored from one backup have one incarnation")
	}
	if len(first.Forks) > 0 || len(second.Forks) != 1 || len(third.Forks) != 2 {
		t.Errorf("forks: %v, %v, %v", first.Forks, second.Forks, third.Forks)
	}
	for _, c := range []struct {
		l    history.Lineage
		p    history.Position
		good bool
	}{
		{second, first.Position(50), true},
		{second, first.Position(51), false},
		{third, first.Position(50), true},
		{third, first.Position(51), false},
		{third, second.Position(60), true},
		{third, second.Position(61), false},
		{third, third.Position(61), true},
		{first, second.Position(1), false},
		{second, third.Position(1), false},
	} {
		seq, err := c.l.Seq(c.p, 100)
		if c.good == (err != nil) || !c.good && !errors.Is(err, history.ForeignToken) {
			t.Errorf("incarnation %d, %s: %d, %v", c.l.Incarnation, c.p, seq, err)
		}
	}
}
