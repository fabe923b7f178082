package historytest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
)

// news is one fact to be recorded: an observation, or the beginning or the end
// of a run.
type news struct {
	name        string
	run         history.RunID
	open, close bool
	how         history.Disposal
	moment      history.Moment
	scope       history.Scope
	observation history.Observation
}

// orders records one set of facts in two random orders and by the definition,
// and compares configuration, status and captured moment of every resource at
// every moment. No resource has two states at one moment, the only place where
// order may show; and what a run saw is recorded between its opening and its
// end, or it would not be what the run saw.
func orders(t *testing.T, b Backend, seed uint64) {
	s := random{rand.New(rand.NewPCG(seed, 1))}
	w := makeWorld(s)
	facts := w.makeFacts(s)

	clock := NewClock(epoch.Add(time.Hour))
	var told []string
	var answers [][]history.Item
	for range 2 {
		store := b.Open(t, Options{Now: clock.Now, StoreID: testStore})
		var log strings.Builder
		for _, f := range arrange(s, facts) {
			fmt.Fprintf(&log, "  %s\n", f.name)
			if err := f.record(store); err != nil {
				t.Fatalf("seed %d: %v in\n%s", seed, err, log.String())
			}
		}
		told = append(told, log.String())
		answers = append(answers, w.answers(t, store))
		if b.Check != nil {
			b.Check(t, store)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	answers, told = append(answers, w.byDefinition(facts)), append(told, "  by definition\n")
	for n := range 2 {
		for i := range answers[n] {
			x, y := answers[n][i], answers[n+1][i]
			if x.Version == 0 && y.Version == 0 {
				continue
			}
			if (x.Version == 0) != (y.Version == 0) || x.Status != y.Status || x.CapturedAt != y.CapturedAt ||
				!bytes.Equal(x.State.AppendContent(nil), y.State.AppendContent(nil)) {
				t.Fatalf("seed %d: two orders, two answers for %v (-first +second):\n%s\nfirst\n%ssecond\n%s",
					seed, x.Key, difference(x, y), told[n], told[n+1])
			}
		}
	}
}

// makeFacts draws observations and runs.
func (w *world) makeFacts(s source) []news {
	var facts []news
	runs := s.below(4)
	for i := range runs {
		f := news{run: history.RunID(fmt.Sprint("r", i)), open: true, moment: pick(s, w.moments)}
		if s.below(3) == 0 {
			f.scope.Accounts = []string{pick(s, modelAccounts)}
		}
		f.name = fmt.Sprintf("open %s at %d %q", f.run, f.moment-at(100), f.scope)
		end := news{run: f.run, close: true, how: history.CompleteForced, scope: f.scope, moment: f.moment, name: fmt.Sprint("complete ", f.run)}
		if s.below(5) == 0 {
			end.how, end.name = history.Abort, fmt.Sprint("abort ", f.run)
		}
		facts = append(facts, f, end)
	}
	for i, k := range w.keys {
		for _, m := range w.moments {
			if s.below(2) == 0 {
				continue
			}
			state := s.below(len(w.states))
			for range 1 + s.below(8)/7 { // now and then told twice
				f := news{observation: history.Observation{Key: k, CapturedAt: m, State: w.states[state]}}
				f.name = fmt.Sprintf("k%d %s@%d", i, w.names[state], m-at(100))
				if runs > 0 && s.below(3) == 0 {
					f.run = history.RunID(fmt.Sprint("r", s.below(runs)))
					f.name += fmt.Sprint(" in ", f.run)
				}
				facts = append(facts, f)
			}
		}
	}
	return facts
}

// arrange shuffles the facts, each run's own kept between its ends.
func arrange(s random, facts []news) []news {
	list := slices.Clone(facts)
	s.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	rank := func(f news) int {
		switch {
		case f.open:
			return 0
		case f.close:
			return 2
		}
		return 1
	}
	places := map[history.RunID][]int{}
	for i, f := range list {
		if f.run != "" {
			places[f.run] = append(places[f.run], i)
		}
	}
	for _, where := range places {
		var own []news
		for _, i := range where {
			own = append(own, list[i])
		}
		slices.SortStableFunc(own, func(a, b news) int { return rank(a) - rank(b) })
		for n, i := range where {
			list[i] = own[n]
		}
	}
	return list
}

func (f *news) record(s history.Store) error {
	switch {
	case f.open:
		_, err := s.OpenRun(ctx, history.Run{ID: f.run, Moment: f.moment, Scope: f.scope})
		return err
	case f.close:
		_, err := s.CloseRun(ctx, f.run, f.how, "")
		return err
	}
	receipt, err := s.Append(ctx, history.Batch{Run: f.run, Observations: []history.Observation{f.observation}})
	if err == nil {
		err = receipt.Results[0].Err
	}
	return err
}

// answers are the items of every resource at every moment and beside it.
func (w *world) answers(t *testing.T, s history.Store) []history.Item {
	var list []history.Item
	for _, m := range w.moments {
		for _, m := range []history.Moment{m - 1, m, m + 1} {
			r, err := s.AsOf(ctx, history.At{Captured: m})
			if err != nil {
				t.Fatal(err)
			}
			items, err := r.Get(ctx, w.keys, history.FieldsAll)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, items...)
		}
	}
	return list
}

// byDefinition answers from the whole set of facts at once.
func (w *world) byDefinition(facts []news) []history.Item {
	o := newOracle(history.Lineage{}, nil)
	for _, f := range facts {
		if f.close && f.how != history.Abort {
			run := &oracleRun{Run: history.Run{ID: f.run, Moment: f.moment, Scope: f.scope, State: history.RunComplete}, seen: map[history.Key]bool{}}
			for _, x := range facts {
				if x.run == f.run && !x.open && !x.close {
					run.seen[x.observation.Key] = true
				}
			}
			o.runs = append(o.runs, run)
		}
	}
	for n, k := range w.keys {
		l := &life{key: k, rows: map[uint32]*oracleRow{}}
		for _, f := range facts {
			if x := f.observation; x.Key == k && !f.open && !f.close && !slices.ContainsFunc(l.facts, func(y fact) bool { return y.at == x.CapturedAt }) {
				l.facts = append(l.facts, fact{at: x.CapturedAt, rev: history.Revision(n), state: x.State, hash: history.HashContent(x.State.AppendContent(nil))})
			}
		}
		slices.SortFunc(l.facts, func(a, b fact) int { return int(a.at - b.at) })
		l.versions = story(l.facts, o.missed(k))
		for i := range l.versions {
			l.versions[i].number = uint32(i + 1)
			l.rows[uint32(i+1)] = &oracleRow{}
		}
		l.told = []telling{{1, l.items()}}
		o.lives[k] = l
	}
	var list []history.Item
	for _, m := range w.moments {
		for _, m := range []history.Moment{m - 1, m, m + 1} {
			for _, k := range w.keys {
				list = append(list, o.at(k, history.At{Captured: m, Known: 1}))
			}
		}
	}
	return list
}
