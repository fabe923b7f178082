package graph_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
)

// TestCache asks a cache who uses what, in random histories and at several moments
// again and again, while these histories change in every way there is, and holds
// what it says against the store itself: hits, their order and paths, what is cut,
// and what is refused. Readers that were made before a change are asked after it.
func TestCache(t *testing.T) {
	seeds := seedsOf(6)
	if testing.Short() {
		seeds = 2
	}
	for name, open := range worlds {
		t.Run(name, func(t *testing.T) {
			seeds := seeds
			if name == "memory" { // which reads all it has to answer anything
				seeds = min(seeds, 1)
			}
			for seed := range seeds {
				t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
					s := open(t)
					defer s.Close()
					w := world{t: t, s: s, rnd: rand.New(rand.NewPCG(uint64(seed), 13))}
					w.record(30 + w.rnd.IntN(30))
					bytes := 0
					if seed%3 == 2 {
						bytes = 20_000 // too few
					}
					if asked, remembered := w.remember(graph.NewCache(s, bytes)); bytes == 0 && remembered < asked/50 {
						t.Errorf("of %d questions %d were answered out of memory", asked, remembered)
					}
				})
			}
		})
	}
}

// reads counts what a reader reads, and lets something happen before it does.
type reads struct {
	history.Reader
	n    int
	then func()
}

func (r *reads) read() {
	if r.n++; r.n == 1 && r.then != nil {
		r.then()
	}
}

func (r *reads) Get(ctx context.Context, keys []history.Key, f history.Fields) ([]history.Item, error) {
	r.read()
	return r.Reader.Get(ctx, keys, f)
}

func (r *reads) Find(ctx context.Context, typ, id string) ([]history.Key, error) {
	r.read()
	return r.Reader.Find(ctx, typ, id)
}

func (r *reads) Links(ctx context.Context, q history.LinkQuery) ([]history.Linked, bool, error) {
	r.read()
	return r.Reader.Links(ctx, q)
}

func (w *world) remember(c *graph.Cache) (asked, remembered int) {
	moments := []history.Moment{history.Newest, w.at(), w.at(), w.at()}
	var before []history.Reader
	for range 20 {
		moments[1] = w.at()
		var readers []history.Reader
		for _, m := range moments {
			r, err := w.s.AsOf(context.Background(), history.At{Captured: m})
			if errors.Is(err, history.Compacted) {
				continue
			}
			w.must(err)
			readers = append(readers, r)
		}
		for _, r := range append(readers, before...) {
			for range 8 {
				if asked++; w.compare(c, r) {
					remembered++
				}
			}
		}
		before = readers
		for range 1 + w.rnd.IntN(2) {
			w.change()
		}
	}
	return asked, remembered
}

// compare asks a cache and the store who uses a resource, and reports whether the
// cache knew it.
func (w *world) compare(c *graph.Cache, r history.Reader) bool {
	w.t.Helper()
	k := w.observation().Key
	depth, limit := 1+w.rnd.IntN(4), w.rnd.IntN(2)*w.rnd.IntN(5)
	counted := &reads{Reader: r}
	if w.rnd.IntN(40) == 0 {
		counted.then = func() { // others go on while an answer is read
			w.change()
			w.compare(c, w.reader(history.At{}))
		}
	}
	differ := ""
	for range max(1, w.together) {
		if differ = w.difference(c, r, counted, k, depth, limit); differ == "" {
			break
		}
		// What is pruned or erased by others meanwhile is in one answer only.
		counted = &reads{Reader: r}
	}
	if differ != "" {
		w.t.Fatalf("%d uses of %s to depth %d at %+v: %s", limit, k, depth, r.At(), differ)
	}
	return counted.n == 0
}

// difference is that of the answers of a cache and of the store; "" if there is none.
func (w *world) difference(c *graph.Cache, r history.Reader, counted *reads, k history.Key, depth, limit int) string {
	w.t.Helper()
	ctx := context.Background()
	got, err := c.At(counted).Uses(ctx, k, depth, limit)
	want, wantErr := graph.At(r).Uses(ctx, k, depth, limit)
	if wantErr != nil || err != nil {
		if kind := new(history.Error); !errors.As(wantErr, &kind) || !errors.Is(err, kind.Kind) {
			return fmt.Sprintf("refused with %v, want %v", err, wantErr)
		}
		return ""
	}
	wantHits, gotHits := want.List(), got.List()
	if err := errors.Join(graph.At(r).Name(ctx, wantHits), c.At(r).Name(ctx, gotHits)); err != nil {
		return err.Error()
	}
	if d := cmp.Diff(told(wantHits), told(gotHits)); d != "" || want.Truncated != got.Truncated {
		return fmt.Sprintf("truncated %v and %v (-store +cache):\n%s", want.Truncated, got.Truncated, d)
	}
	return ""
}

func told(hits []graph.Hit) (list []string) {
	for _, hit := range hits {
		text := fmt.Sprint(hit.Depth, " ", hit.Key, " ", hit.Name)
		for _, hop := range hit.Path() {
			text += fmt.Sprint(" > ", hop.Key, hop.Name, hop.User, hop.Reasons)
		}
		list = append(list, text)
	}
	return list
}

// TestCacheConcurrently has several ask a cache while history goes on.
func TestCacheConcurrently(t *testing.T) {
	s := worlds["bolt"](t)
	t.Cleanup(func() { s.Close() })
	c := graph.NewCache(s, 0)
	for n := range 6 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			w := world{t: t, s: s, rnd: rand.New(rand.NewPCG(uint64(n), 17)), together: 10}
			w.more(20)
			for range 60 {
				w.compare(c, w.reader(history.At{Captured: []history.Moment{history.Newest, epoch + 5*day}[w.rnd.IntN(2)]}))
				if n == 0 || w.rnd.IntN(4) == 0 {
					w.more(1 + w.rnd.IntN(2))
				}
			}
		})
	}
}

// hub is a world of instances that use one security group, and its cache.
type hub struct {
	world
	c *graph.Cache
}

func newHub(t *testing.T) *hub {
	w := world{t: t, s: worlds["bolt"](t)}
	t.Cleanup(func() { w.s.Close() })
	return &hub{w, graph.NewCache(w.s, 0)}
}

func (h *hub) record(list ...history.Observation) {
	h.t.Helper()
	_, err := h.s.Append(context.Background(), history.Batch{Observations: list})
	h.must(err)
}

func benchInstance(n int, configuration string) history.Observation {
	k := benchKey("AWS::EC2::Instance", fmt.Sprintf("i-%017x", n))
	return history.Observation{Key: k, CapturedAt: benchMoment(1), State: history.State{Configuration: []byte(configuration)}}
}

var usesGroup = fmt.Sprintf(`{"securityGroups":[{"groupId":%q}]}`, benchGroup(1).ID)

// users is how many use the group, as a reader sees it.
func (h *hub) users(r history.Reader) int {
	h.t.Helper()
	hits, err := h.c.At(r).Uses(context.Background(), benchGroup(1), 1, 0)
	h.must(err)
	return hits.Len()
}

// TestCacheBehind changes a use after so much else that a question does not look at
// all of it.
func TestCacheBehind(t *testing.T) {
	h := newHub(t)
	h.record(benchInstance(1, usesGroup))
	for _, others := range []int{0, 255, 256, 300, 1000} {
		before := h.users(h.reader(history.At{}))
		var list []history.Observation
		for n := range others {
			list = append(list, benchInstance(10_000+others*10_000+n, `{}`))
		}
		h.record(append(list, benchInstance(2+others, usesGroup))...)
		if got := h.users(h.reader(history.At{})); got != before+1 {
			t.Errorf("after %d other changes there are %d users, want %d", others, got, before+1)
		}
	}
}

// TestCacheMeanwhile records a use, and asks about something else, while an answer
// from before is being read.
func TestCacheMeanwhile(t *testing.T) {
	h := newHub(t)
	h.record(benchInstance(1, usesGroup))
	slow := &reads{Reader: h.reader(history.At{}), then: func() {
		h.record(benchInstance(2, usesGroup))
		_, err := h.c.At(h.reader(history.At{})).Uses(context.Background(), benchGroup(2), 1, 0)
		h.must(err)
	}}
	if got := h.users(slow); got != 1 {
		t.Errorf("as known before, %d use the group, want 1", got)
	}
	for range 2 {
		if got := h.users(h.reader(history.At{})); got != 2 {
			t.Errorf("%d use the group, want 2", got)
		}
	}
}

// TestCacheOfWhatResumes has a run find that a user is gone, and a capture at the
// very moment that it was there all the time: one version of both.
func TestCacheOfWhatResumes(t *testing.T) {
	h, ctx := newHub(t), context.Background()
	user := benchInstance(1, usesGroup)
	h.record(user)
	user.CapturedAt = benchMoment(5)
	run, err := h.s.OpenRun(ctx, history.Run{ID: "run", Moment: user.CapturedAt})
	h.must(err)
	_, err = h.s.CloseRun(ctx, run.ID, history.CompleteForced, "")
	h.must(err)
	for _, want := range []int{0, 1} {
		for _, at := range []history.Moment{user.CapturedAt, history.Newest} {
			if got := h.users(h.reader(history.At{Captured: at})); got != want {
				t.Errorf("at %s %d use the group, want %d", at, got, want)
			}
		}
		h.record(user)
	}
}

// TestCacheOfOthers has a resource of the same id appear elsewhere, and go again:
// while there are two nobody knows which is meant.
func TestCacheOfOthers(t *testing.T) {
	h := newHub(t)
	elsewhere := benchInstance(1, usesGroup)
	elsewhere.Key.Region = "us-east-1"
	other := history.Observation{Key: benchGroup(1), CapturedAt: benchMoment(1), State: history.State{Configuration: []byte(`{}`)}}
	group := other
	other.Key.Region = "ap-south-1"
	gone := other
	gone.CapturedAt, gone.State = benchMoment(2), history.State{Deleted: true}
	h.record(elsewhere, group)
	for i, o := range []history.Observation{{}, other, gone} {
		if i > 0 {
			h.record(o)
		}
		if got, want := h.users(h.reader(history.At{})), (i+1)%2; got != want {
			t.Errorf("step %d: %d use the group, want %d", i, got, want)
		}
	}
}

// change changes history: mostly it goes on.
func (w *world) change() {
	ctx := context.Background()
	switch w.rnd.IntN(40) {
	case 0: // it forgets a version
		k := w.observation().Key
		items, _, err := w.reader(history.At{}).History(ctx, k, history.HistoryQuery{})
		w.must(err)
		if len(items) > 0 {
			w.must(w.s.(history.Eraser).Erase(ctx, k, items[w.rnd.IntN(len(items))].Version))
		}
	case 1: // it forgets the far past, of all or of some
		typ := w.one("", w.observation().Key.Type)
		_, err := w.s.(history.Pruner).Prune(ctx, history.PruneRequest{Floor: epoch + history.Moment(w.rnd.IntN(7))*day, Type: typ, Recorded: epoch})
		w.must(err)
	case 2: // links are read anew
		if r, ok := w.s.(history.Relinker); ok {
			w.must(r.Relink(ctx, nil))
		}
	case 3, 4, 5: // a run finds that something is gone
		run, err := w.s.OpenRun(ctx, history.Run{ID: history.RunID(fmt.Sprint(w.rnd.Uint64())), Moment: w.at()})
		if errors.Is(err, history.Compacted) {
			return
		}
		w.must(err)
		b := history.Batch{Run: run.ID}
		for range 6 {
			o := w.observation()
			o.CapturedAt = run.Moment
			b.Observations = append(b.Observations, o)
		}
		_, err = w.s.Append(ctx, b)
		w.must(err)
		_, err = w.s.CloseRun(ctx, run.ID, history.CompleteForced, "")
		w.must(err)
	default:
		w.more(1 + w.rnd.IntN(6))
	}
}

// more records observations, but for those that are too old by now.
func (w *world) more(n int) {
	var b history.Batch
	for range n {
		o := w.observation()
		if !o.State.Deleted {
			o.State.Name = w.one("x", "y", "z")
		}
		b.Observations = append(b.Observations, o)
	}
	receipt, err := w.s.Append(context.Background(), b)
	w.must(err)
	for _, r := range receipt.Results {
		if r.Err != nil && !errors.Is(r.Err, history.Compacted) {
			w.t.Fatal(r.Err)
		}
	}
}
