package history_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
)

// holed is a reader whose lists break off at what is damaged.
type holed struct {
	history.Reader
	damaged map[history.Key]bool
	named   bool // by the error
	asked   int
}

func (h *holed) loss(k history.Key) error {
	e := history.Errorf(history.DataLoss, "damaged (key %x)", k.String())
	if h.named {
		e.Meta = map[string]string{"account": k.Account, "region": k.Region, "type": k.Type, "id": k.ID}
	}
	return e
}

func (h *holed) Get(ctx context.Context, keys []history.Key, f history.Fields) ([]history.Item, error) {
	for _, k := range keys {
		if h.damaged[k] {
			return nil, h.loss(k)
		}
	}
	return h.Reader.Get(ctx, keys, f)
}

func (h *holed) Items(ctx context.Context, q history.Query) ([]history.Item, bool, error) {
	h.asked++
	limit, fields := q.Limit, q.Fields
	q.Limit = 0
	items, _, err := h.Reader.Items(ctx, q)
	for i := range items {
		switch {
		case h.damaged[items[i].Key] && fields == history.FieldsKey:
			return items[:i], false, h.loss(items[i].Key)
		case h.damaged[items[i].Key]:
			return nil, false, h.loss(items[i].Key)
		case limit > 0 && i == limit:
			return items[:i], true, nil
		}
	}
	return items, false, err
}

// TestSound lists what some of is damaged: page by page, by limits of all sizes, each
// is there once and in order.
func TestSound(t *testing.T) {
	s := memory.New(memory.Options{})
	some := func(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }
	r := rand.New(rand.NewPCG(1, 2))
	var b history.Batch
	seen := map[history.Key]bool{}
	for range 80 {
		k := history.Key{
			Account: some(r, "", "1", "11", "\x01", "é"), Region: some(r, "", "a", "a-b"), Type: some(r, "T", "TT", "U\u00ff"),
			ID: some(r, "", "x", "\x01", "日本") + some(r, "1", "10", "/", "\U0010ffff") + some(r, "", "-", "\x01\x01", fmt.Sprint(r.IntN(20))),
		}
		if !seen[k] {
			seen[k] = true
			b.Observations = append(b.Observations, history.Observation{Key: k, State: history.State{Configuration: []byte(`{"a":1}`)}})
		}
	}
	receipt, err := s.Append(t.Context(), b)
	for _, one := range receipt.Results {
		err = errors.Join(err, one.Err)
	}
	if err != nil {
		t.Fatal(err)
	}
	at, err := s.AsOf(t.Context(), history.At{})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 20 {
		h := &holed{Reader: at, damaged: map[history.Key]bool{}, named: round%4 == 0}
		for k := range seen {
			if r.IntN(8*(round%5)+2) == 0 {
				h.damaged[k] = true
			}
		}
		q := history.Query{Type: some(r, "", "", "T"), Limit: r.IntN(9), Fields: history.Fields(r.IntN(3))}
		want, _, err := at.Items(t.Context(), history.Query{Type: q.Type, Fields: q.Fields})
		if err != nil {
			t.Fatal(err)
		}
		sound := history.Sound{Reader: h, Lost: map[history.Key]error{}}
		var got []history.Item
		for more := true; more; {
			var items []history.Item
			if items, more, err = sound.Items(t.Context(), q); err != nil {
				t.Fatal(round, err)
			}
			if q.Limit > 0 && len(items) > q.Limit {
				t.Fatalf("%d items, want %d", len(items), q.Limit)
			}
			if len(items) == 0 {
				break
			}
			got = append(got, items...)
			q.After = &items[len(items)-1].Key
		}
		if !slices.EqualFunc(got, want, func(a, b history.Item) bool {
			return a.Key == b.Key && (a.Hash == b.Hash && a.Version == b.Version || h.damaged[a.Key]) && (sound.Lost[a.Key] != nil) == h.damaged[a.Key]
		}) {
			t.Errorf("round %d, %d damaged: %d items, %d lost, want %d", round, len(h.damaged), len(got), len(sound.Lost), len(want))
		}
	}
}

// TestSoundGivesUp: which resource is damaged cannot be found out.
func TestSoundGivesUp(t *testing.T) {
	sound := history.Sound{Reader: broken{}, Lost: map[history.Key]error{}}
	if _, _, err := sound.Items(t.Context(), history.Query{}); !errors.Is(err, history.DataLoss) {
		t.Errorf("got %v, want DataLoss", err)
	}
}

type broken struct{ history.Reader }

func (broken) Items(context.Context, history.Query) ([]history.Item, bool, error) {
	return nil, false, history.Errorf(history.DataLoss, "damaged")
}
