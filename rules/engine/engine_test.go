package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/history/historytest"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

var epoch = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

const second history.Moment = 1_000_000

func at(n int) history.Moment { return history.MomentOf(epoch) + history.Moment(n)*second }

// world is a store with an engine that follows it.
type world struct {
	testing.TB
	ctx      context.Context
	graph    engine.Graph
	language engine.Language
	now      func() time.Time
	clock    *historytest.Clock
	store    engine.Store
	open     func() engine.Store // the store's data again; nil: they do not outlive it
	engine   *engine.Engine
	stop     func()
	crash    func()        // nothing is written any more, and what was under way is lost
	logged   *bytes.Buffer // warnings of the engine, to be read while it is stopped; nil: nobody wants to know
}

func (w *world) options(s engine.Store) engine.Options {
	o := engine.Options{Store: s, Language: w.language, Graph: w.graph, Now: w.now, Keep: -1}
	if w.logged != nil {
		o.Logger = slog.New(slog.NewTextHandler(w.logged, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	return o
}

// mortal is a store that may die for who uses it.
type mortal struct {
	engine.Store
	history.Pruner
	dead atomic.Bool
}

var errDead = history.Errorf(history.Unavailable, "the store is dead")

func (m *mortal) Append(ctx context.Context, b history.Batch) (history.Receipt, error) {
	if m.dead.Load() {
		return history.Receipt{}, errDead
	}
	return m.Store.Append(ctx, b)
}

func (m *mortal) PutDocuments(ctx context.Context, list []history.DocumentWrite) ([]history.Document, error) {
	if m.dead.Load() {
		return nil, errDead
	}
	return m.Store.PutDocuments(ctx, list)
}

// start runs an engine.
func (w *world) start() {
	w.Helper()
	m := &mortal{Store: w.store, Pruner: w.store.(history.Pruner)}
	e, err := engine.New(w.ctx, w.options(m))
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- e.Run(ctx)
		close(ended)
	}()
	w.engine, w.stop = e, func() {
		cancel()
		if err := <-ended; err != nil && !m.dead.Load() {
			w.Error(err)
		}
	}
	w.crash = func() {
		m.dead.Store(true)
		w.stop()
	}
}

// settle waits until there is nothing left to evaluate.
func (w *world) settle() {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
	defer cancel()
	if err := w.engine.WaitTime(ctx, history.MomentOf(w.clock.Now())); err != nil {
		w.Fatal(err, w.engine.Failing(), w.engine.EvaluatedThrough())
	}
	for {
		head, err := w.store.Head(ctx)
		if err != nil {
			w.Fatal(err)
		}
		if err := w.engine.Wait(ctx, head.Position); err != nil {
			w.Fatal(err, w.engine.Failing(), w.engine.EvaluatedThrough())
		}
		if after, err := w.store.Head(ctx); err != nil || after.Revision == head.Revision {
			return
		}
	}
}

func newWorld(t testing.TB, g engine.Graph) *world {
	w := &world{TB: t, ctx: t.Context(), clock: historytest.NewClock(epoch), language: language{}, graph: g}
	w.now = w.clock.Now
	return w
}

func memoryWorld(t testing.TB) *world {
	w := newWorld(t, links{})
	w.store = memory.New(memory.Options{Now: w.clock.Now, Linker: linker})
	return w
}

// graphWorld has the graph that is used in earnest.
func graphWorld(t testing.TB) *world {
	w := newWorld(t, realGraph{})
	w.store = memory.New(memory.Options{Now: w.clock.Now, Linker: graph.Linker{}})
	return w
}

// realGraph makes package graph fit.
type realGraph struct{}

func (realGraph) Related(ctx context.Context, r history.Reader, k history.Key) (engine.Neighbours, error) {
	a, err := graph.At(r).Around(ctx, k, graph.Outgoing)
	return engine.Neighbours(a), err
}

func (realGraph) Referrers(ctx context.Context, r history.Reader, k history.Key) (engine.Neighbours, error) {
	a, err := graph.At(r).Around(ctx, k, graph.Incoming)
	return engine.Neighbours(a), err
}

func (realGraph) Touched(k history.Key, before, after *history.State) []string {
	return graph.Touched(k, before, after)
}

func (w *world) linker() history.Linker {
	if _, ok := w.graph.(realGraph); ok {
		return graph.Linker{}
	}
	return linker
}

func boltWorld(t testing.TB) *world { return boltWorldWith(t, bolt.Options{NoSync: true}) }

func boltWorldWith(t testing.TB, o bolt.Options) *world {
	w := newWorld(t, links{})
	path := filepath.Join(t.TempDir(), "varve.db")
	o.Now = w.clock.Now
	if o.Linker == nil {
		o.Linker = linker
	}
	open := func() engine.Store {
		s, err := bolt.Open(path, o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	w.store = open()
	w.open = func() engine.Store {
		if err := w.store.Close(); err != nil {
			t.Fatal(err)
		}
		return open()
	}
	t.Cleanup(func() { w.store.Close() })
	return w
}

func (w *world) record(list ...history.Observation) {
	w.Helper()
	receipt, err := w.store.Append(w.ctx, history.Batch{Observations: list})
	if err != nil {
		w.Fatal(err)
	}
	for _, r := range receipt.Results {
		if r.Err != nil {
			w.Fatal(r.Err)
		}
	}
}

// keys of the rules and the resources that random operations are about.
var (
	ruleKeys = []history.Key{
		{Type: rules.TypeRule, ID: "a"}, {Type: rules.TypeRule, ID: "b"}, {Account: "1", Type: rules.TypeRule, ID: "a"},
		{Type: rules.TypeRule, ID: "c"}, {Account: "1", Region: "r", Type: rules.TypeRule, ID: "a"},
	}
	resourceKeys = []history.Key{
		{Account: "1", Type: "T", ID: "x"}, {Account: "1", Type: "T", ID: "y"}, {Account: "2", Type: "T", ID: "x"},
		{Account: "1", Type: "U", ID: "u"}, {Account: "2", Region: "r", Type: "U", ID: "v"}, {Account: "1", Region: "global", Type: "U", ID: "w"},
		{Type: "T", ID: "nobodys"}, {Account: "1", Region: "q", Type: "T", ID: "z"},
	}
)

func someOf[V any](r *rand.Rand, list ...V) V { return list[r.IntN(len(list))] }

// operate does something at random.
func (w *world) operate(r *rand.Rand) string {
	now := int((history.MomentOf(w.clock.Now()) - at(0)) / second)
	moment := at(r.IntN(now + 1))
	if r.IntN(3) > 0 {
		moment = at(now)
	}
	switch n := r.IntN(20); {
	case n < 4:
		d := someOf(r, 1, 2, 4, 9)
		w.clock.Advance(time.Duration(d) * time.Second)
		w.engine.Poke()
		return fmt.Sprint("wait ", d)
	case n < 7:
		k := someOf(r, ruleKeys...)
		d := definition{From: at(r.IntN(now + 6)), Rule: rules.Rule{
			Name: k.ID,
			Compliant: someOf(r, "self", "clock", "now", "related", "referrers", "second", "inventory", "everything", "wrong question", "unknown",
				"cel v", "cel w", "cel w", "cel gone", "cel gone", "cel all", "cel clock", "cel others"),
			Period: period,
		}}
		if r.IntN(2) == 0 {
			d.From = at(now)
		}
		switch r.IntN(5) {
		case 0:
			d.Rule.Scope.Types = []string{"T"}
		case 1:
			d.Rule.Scope.Types = []string{"T", "U"}
			d.Rule.Scope.TagKey, d.Rule.Scope.TagValue = "v", someOf(r, "", "A")
		case 2:
			d.Rule.Scope.Accounts = []string{"1"}
		case 3:
			d.Rule.Scope.Types, d.Rule.Scope.IDs = []string{"T"}, []string{"x"}
		}
		w.record(history.Observation{Key: k, State: d.state()})
		return fmt.Sprint("put ", k, " ", d.Rule.Compliant, " from ", d.From, d.Rule.Scope)
	case n == 7 && r.IntN(2) == 0:
		k := someOf(r, ruleKeys...)
		w.record(history.Observation{Key: k, State: history.State{Deleted: true}})
		return fmt.Sprint("delete ", k)
	case n < 9:
		k := someOf(r, resourceKeys...)
		w.record(history.Observation{Key: k, CapturedAt: moment, State: history.State{Deleted: true}})
		return fmt.Sprint("gone ", k, " at ", moment)
	case n == 9 && r.IntN(2) == 0:
		return w.run(r, moment)
	case n < 10:
		// What is known of the future, which the store's slack lets through.
		moment = at(now + 1 + r.IntN(8))
	}
	var list []history.Observation
	var text string
	for range 1 + r.IntN(3) {
		k := someOf(r, resourceKeys...)
		c := content{V: someOf(r, "A", "B", "CC"), W: someOf(r, "", "x", "x", "y")}
		for _, term := range []string{"p", "q"} {
			switch r.IntN(4) {
			case 0:
				c.Bears = append(c.Bears, term)
			case 1:
				c.Refers = append(c.Refers, [2]string{term, ""})
			}
		}
		list = append(list, history.Observation{Key: k, CapturedAt: moment, State: c.state()})
		text += fmt.Sprint("record ", k, " ", c, " at ", moment, "; ")
	}
	w.record(list...)
	return text
}

// run is a collection run at a moment that finds some resources, and ends with the
// others deleted.
func (w *world) run(r *rand.Rand, moment history.Moment) string {
	w.Helper()
	run, err := w.store.OpenRun(w.ctx, history.Run{ID: history.RunID(fmt.Sprint("run-", r.Uint64())), Moment: moment, Scope: history.Scope{Types: []string{"T"}}})
	if err != nil {
		w.Fatal(err)
	}
	var found []history.Observation
	for _, k := range resourceKeys {
		if k.Type == "T" && r.IntN(2) == 0 {
			found = append(found, history.Observation{Key: k, State: content{V: "A", Bears: []string{"p"}, Refers: [][2]string{{"q", ""}}}.state()})
		}
	}
	if _, err := w.store.Append(w.ctx, history.Batch{Run: run.ID, Observations: found}); err != nil {
		w.Fatal(err)
	}
	if _, err := w.store.CloseRun(w.ctx, run.ID, history.Complete, ""); err != nil {
		w.Fatal(err)
	}
	return fmt.Sprint("run at ", moment, " finds ", len(found))
}

// intervals are those recorded of every rule on every resource.
func (w *world) intervals(known history.Revision) map[string][]engine.Interval {
	w.Helper()
	r, err := w.store.AsOf(w.ctx, history.At{Known: known})
	if err != nil {
		w.Fatal(err)
	}
	all := map[string][]engine.Interval{}
	for _, rule := range ruleKeys {
		for _, k := range resourceKeys {
			list, err := engine.Intervals(w.ctx, r, engine.VerdictKey(rules.Owner{Account: rule.Account, Region: rule.Region}, rule.ID, k))
			if err != nil {
				w.Fatal(err)
			}
			if len(list) > 0 {
				all[fmt.Sprint(rule, " on ", k)] = unopened(list)
			}
		}
	}
	return all
}

// unopened leaves out which revisions recorded intervals; there must be such.
func unopened(list []engine.Interval) []engine.Interval {
	for i := range list {
		if list[i].Opened == 0 {
			panic("an interval that nobody recorded")
		}
		list[i].Opened = 0
	}
	return list
}

func (w *world) expected() map[string][]engine.Interval {
	w.Helper()
	head, err := w.store.Head(w.ctx)
	if err != nil {
		w.Fatal(err)
	}
	b := &brute{ctx: w.ctx, graph: w.graph, store: w.store, known: head.Revision, now: history.MomentOf(w.clock.Now()), indexed: map[history.Moment]history.Reader{}}
	all := map[string][]engine.Interval{}
	for _, rule := range ruleKeys {
		for _, k := range resourceKeys {
			if list := b.intervals(rule, k); len(list) > 0 {
				all[fmt.Sprint(rule, " on ", k)] = list
			}
		}
	}
	return all
}

func seeds(n int) (first, count int) {
	first = 1
	if s, err := strconv.Atoi(os.Getenv("VARVE_SEED")); err == nil {
		first = s
	}
	if s, err := strconv.Atoi(os.Getenv("VARVE_SEEDS")); err == nil {
		n = s
	}
	return first, n
}

func TestStoredIsWhatBruteForceSays(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *world{"Memory": memoryWorld, "Bolt": boltWorld, "Graph": graphWorld} {
		t.Run(name, func(t *testing.T) {
			many := 4
			if testing.Short() {
				many = 1
			}
			first, n := seeds(many)
			for seed := first; seed < first+n; seed++ {
				t.Run(fmt.Sprint(seed), func(t *testing.T) { randomly(open(t), uint64(seed)) })
			}
		})
	}
}

// believed is what was recorded as known at a revision, when it was the newest.
type believed struct {
	known history.Revision
	all   map[string][]engine.Interval
}

func randomly(w *world, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	w.start()
	defer func() { w.stop() }()
	var told []string
	var beliefs []believed
	for range 12 {
		for range 1 + r.IntN(6) {
			told = append(told, w.operate(r))
			if r.IntN(12) == 0 {
				told = append(told, "stop in the middle")
				w.restart(r)
			}
		}
		w.settle()
		want, got := w.expected(), w.intervals(0)
		if d := cmp.Diff(want, got); d != "" {
			for _, line := range told {
				w.Log(line)
			}
			w.Fatalf("seed %d, now %v (-brute force +stored):\n%s", seed, history.MomentOf(w.clock.Now()), d)
		}
		head, err := w.store.Head(w.ctx)
		if err != nil {
			w.Fatal(err)
		}
		if head.Revision > 0 { // zero would be the newest
			beliefs = append(beliefs, believed{head.Revision, got})
		}
		w.checkAnswers(r, want)
		if r.IntN(3) == 0 {
			w.restart(r)
			w.settle()
			after, err := w.store.Head(w.ctx)
			if err != nil {
				w.Fatal(err)
			}
			if after.Revision != head.Revision {
				w.Fatalf("seed %d: a start with nothing new recorded %d observations", seed, after.Revision-head.Revision)
			}
		}
		if r.IntN(3) == 0 {
			told = append(told, w.checkWhatIf(r))
		}
	}
	for _, b := range beliefs {
		if d := cmp.Diff(b.all, w.intervals(b.known)); d != "" {
			w.Fatalf("seed %d: what was known at %d is not what it was (-then +now):\n%s", seed, b.known, d)
		}
	}
}

// restart ends the engine, whatever it is doing, and sometimes the store.
func (w *world) restart(r *rand.Rand) {
	w.Helper()
	someOf(r, w.stop, w.crash)()
	if w.open != nil && r.IntN(2) == 0 {
		w.store = w.open()
	}
	w.start()
}
