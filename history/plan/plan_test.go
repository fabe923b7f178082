package plan_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/historytest"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/history/plan"
	"pgregory.net/rapid"
)

// FuzzPlan spells operations with bytes, carries them out in the store that is
// nothing but the planner, and compares every read with the oracle. The same
// input covers different lines each time, for maps have no order: give
// -fuzzminimizetime=10x, or the fuzzer is busy with that.
func FuzzPlan(f *testing.F) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 0))
		data := make([]byte, 300)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f.Add(data)
	}
	backend := historytest.Backend{Open: func(_ testing.TB, o historytest.Options) history.Store {
		return memory.New(memory.Options{Now: o.Now, FutureSlack: o.FutureSlack, StoreID: o.StoreID, Linker: o.Linker})
	}}
	f.Fuzz(func(t *testing.T, data []byte) { historytest.ModelBytes(t, backend, data[:min(len(data), 2000)]) })
}

// resource drives the planner by hand, as a backend does.
type resource struct {
	plan.Timeline
	rev  history.Revision
	gone []history.Moment
}

func (r *resource) missed(after, before history.Moment) []history.Moment {
	return slices.DeleteFunc(slices.Clone(r.gone), func(m history.Moment) bool { return m <= after || m >= before })
}

func hash(state int) history.Hash {
	if state == 0 {
		return plan.AbsenceHash
	}
	return history.Hash{byte(state)}
}

// observe plans and applies an observation; state 0 is the bare deletion, 1
// another one.
func (r *resource) observe(t *rapid.T, at history.Moment, state int) plan.Outcome {
	r.rev++
	w := r.Window(at, r.missed)
	out, err := plan.Observe(w, plan.Evidence{At: at, Hash: hash(state), Deleted: state < 2}, plan.Stamp{Revision: r.rev, RecordedAt: 1})
	if err != nil {
		t.Fatal(err)
	}
	r.apply(t, &w, &out, at)
	return out
}

func (r *resource) miss(t *rapid.T, m history.Moment) {
	r.rev++
	w := r.Window(m, plan.With(r.missed, m))
	out := plan.Miss(w, plan.Stamp{Revision: r.rev, RecordedAt: 1})
	r.gone = append(r.gone, m)
	slices.Sort(r.gone)
	r.apply(t, &w, &out, m)
}

// apply checks the shape of an outcome and what it leaves behind.
func (r *resource) apply(t *rapid.T, w *plan.Window, out *plan.Outcome, at history.Moment) {
	open := map[uint32]*plan.Row{}
	for _, row := range r.Rows {
		if row.Closed == 0 {
			open[row.Number] = row
		}
	}
	for i, n := range out.Open {
		if n.Number != w.Last+uint32(i)+1 || n.Opened != r.rev || n.Closed != 0 {
			t.Fatalf("new row %d is numbered %d after %d, opened %d, closed %d", i, n.Number, w.Last, n.Opened, n.Closed)
		}
		if i > 0 && out.Open[i-1].Compare(&n.Row) >= 0 {
			t.Fatalf("new rows are not in order: %+v", out.Open)
		}
		if like := open[n.Like]; n.Source == plan.FromRow && (like == nil || like.Hash != n.Hash) {
			t.Fatalf("row %d is said to be like %d, which is no open row of its state", n.Number, n.Like)
		}
	}
	if !slices.IsSorted(out.Close) {
		t.Fatalf("closes %v", out.Close)
	}
	for _, n := range out.Close {
		if open[n] == nil {
			t.Fatalf("closes row %d, which is not open", n)
		}
	}
	if len(out.Changes) == 0 && (len(out.Open) > 0 || len(out.Close) > 0) {
		t.Fatalf("rows without a change: %+v", out)
	}
	r.Apply(out, plan.Sighting{At: at, Rev: r.rev})

	var last *plan.Row
	for _, row := range r.Rows {
		if row.Closed != 0 {
			continue
		}
		if last != nil && (last.Compare(row) >= 0 || last.Hash == row.Hash) {
			t.Fatalf("open rows %+v and %+v are out of order or of one state", last, row)
		}
		witnessed := slices.ContainsFunc(r.Sightings, func(s plan.Sighting) bool { return s.At == row.Start })
		if row.Derived && !witnessed && (last == nil || last.Deleted) {
			t.Fatalf("row %+v deletes what was not alive", row)
		}
		last = row
	}
	if newest := r.Window(history.Newest, nil).Newest; newest != last {
		t.Fatalf("newest row: %+v, want %+v", newest, last)
	}
}

func TestObserve(t *testing.T) {
	t.Run("OutcomesAreWellFormed", rapid.MakeCheck(func(t *rapid.T) {
		var r resource
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			at := history.Moment(rapid.IntRange(1, 8).Draw(t, "at"))
			if rapid.IntRange(0, 4).Draw(t, "what") == 0 {
				r.miss(t, at)
				continue
			}
			state := rapid.IntRange(0, 4).Draw(t, "state")
			first := r.observe(t, at, state)
			again := r.observe(t, at, state)
			if want := (plan.Outcome{Version: first.Version, Start: first.Start}); !gocmp.Equal(again, want, cmpopts.EquateEmpty()) {
				t.Fatalf("told twice: %+v, then %+v", first, again)
			}
		}
	}))
	t.Run("InOrderNeedsTheHeadAlone", rapid.MakeCheck(func(t *rapid.T) {
		// What is newer than all evidence and every missed moment is planned
		// from the newest row only: engines count on it.
		var r resource
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			r.observe(t, history.Moment(rapid.IntRange(1, 8).Draw(t, "at")), rapid.IntRange(0, 4).Draw(t, "state"))
			r.miss(t, history.Moment(rapid.IntRange(1, 8).Draw(t, "missed")))
		}
		whole := r.Window(9, r.missed)
		if whole.Newest.Derived {
			t.SkipNow()
		}
		newest := *whole.Newest
		head := plan.Window{Last: whole.Last, Newest: &newest, Seen: whole.Seen, Before: &plan.Point{At: whole.Seen, Row: &newest}}
		e := plan.Evidence{At: 9, Hash: hash(rapid.IntRange(0, 4).Draw(t, "state"))}
		want, _ := plan.Observe(whole, e, plan.Stamp{Revision: r.rev + 1})
		got, _ := plan.Observe(head, e, plan.Stamp{Revision: r.rev + 1})
		if d := gocmp.Diff(want, got); d != "" {
			t.Fatalf("(-whole window +head alone):\n%s", d)
		}
	}))
}

const (
	now   history.Moment = 1_000_000_000
	slack                = plan.DefaultFutureSlack
)

func TestAdmit(t *testing.T) {
	run := &history.Run{Moment: 5}
	limit := now + history.Moment(slack.Microseconds())
	for _, c := range []struct {
		name string
		at   history.Moment
		run  *history.Run
		want history.Moment
		kind history.Kind // Internal: none
	}{
		{"GivenIsKept", 7, nil, 7, 0},
		{"GivenIsKeptInARun", 7, run, 7, 0},
		{"DefaultIsNow", 0, nil, now, 0},
		{"DefaultInARunIsItsMoment", 0, run, 5, 0},
		{"AsFarAheadAsAllowed", limit, nil, limit, 0},
		{"ErrFuture", limit + 1, nil, 0, history.Future},
		{"ErrInvalidBeforeTheEpoch", -1, nil, 0, history.Invalid},
		{"ErrInvalidBeyondTheCalendar", history.LastMoment + 1, nil, 0, history.Invalid},
		{"ErrInvalidNewest", history.Newest, nil, 0, history.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := history.Observation{Key: history.Key{Type: "T", ID: "i"}, CapturedAt: c.at}
			err := plan.Admit(&o, c.run, now, slack)
			if c.kind == 0 && (err != nil || o.CapturedAt != c.want) || c.kind != 0 && !errors.Is(err, c.kind) {
				t.Fatal(o.CapturedAt, err)
			}
		})
	}
	if err := plan.Admit(&history.Observation{CapturedAt: 7}, nil, now, slack); !errors.Is(err, history.Invalid) {
		t.Fatal("a key without an id:", err)
	}
}

func TestRunRules(t *testing.T) {
	open := func(edit func(r *history.Run)) *history.Run {
		r := &history.Run{ID: "r", Deadline: now + 1}
		edit(r)
		return r
	}
	standing := map[string]*history.Run{
		"open":      open(func(*history.Run) {}),
		"tainted":   open(func(r *history.Run) { r.Refused = 1 }),
		"timed out": open(func(r *history.Run) { r.Deadline = now }),
		"complete":  open(func(r *history.Run) { r.State = history.RunComplete }),
		"aborted":   open(func(r *history.Run) { r.State = history.RunAborted }),
	}
	outcome := func(done bool, err error) string {
		switch {
		case errors.Is(err, history.RunClosed):
			return "closed"
		case errors.Is(err, history.RunTainted):
			return "tainted"
		case err != nil:
			return err.Error()
		case done:
			return "done"
		}
		return "go"
	}
	for name, want := range map[string]string{ // joins; complete, forced, abort
		"open":      "go; go go go",
		"tainted":   "go; tainted go go",
		"timed out": "closed; closed closed done",
		"complete":  "closed; done done closed",
		"aborted":   "closed; closed closed done",
	} {
		r := standing[name]
		got := outcome(false, plan.Joins(r, now)) + ";"
		plan.Expire(r, now)
		for _, how := range []history.Disposal{history.Complete, history.CompleteForced, history.Abort} {
			done, err := plan.Disposed(r, how, now)
			got += " " + outcome(done, err)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestGreedy(t *testing.T) {
	r := &history.Run{ID: "r"}
	for _, c := range []struct {
		deletes, alive uint64
		greedy         bool
	}{
		{0, 0, false}, {10, 10, false}, {11, 11, true}, {11, 21, true}, {11, 22, false}, {500, 1000, false}, {501, 1000, true},
	} {
		err := plan.Greedy(r, history.Complete, c.deletes, c.alive)
		var e *history.Error
		if errors.As(err, &e) != c.greedy {
			t.Errorf("%d of %d: %v", c.deletes, c.alive, err)
		}
		if c.greedy && (e.Kind != history.RunTooGreedy || e.Meta["would_delete"] != fmt.Sprint(c.deletes) || e.Meta["alive"] != fmt.Sprint(c.alive)) {
			t.Errorf("%d of %d: %v, %v", c.deletes, c.alive, err, e.Meta)
		}
		if err := plan.Greedy(r, history.CompleteForced, c.deletes, c.alive); err != nil {
			t.Errorf("%d of %d by force: %v", c.deletes, c.alive, err)
		}
	}
}

func TestOpenRun(t *testing.T) {
	for _, c := range []struct {
		name string
		run  history.Run
		kind history.Kind
	}{
		{"NoID", history.Run{}, history.Invalid},
		{"LongID", history.Run{ID: history.RunID(strings.Repeat("x", 129))}, history.Invalid},
		{"NegativeMoment", history.Run{ID: "r", Moment: -1}, history.Invalid},
		{"FutureMoment", history.Run{ID: "r", Moment: now + history.Moment(slack.Microseconds()) + 1}, history.Future},
		{"DeadlineNow", history.Run{ID: "r", Deadline: now}, history.Invalid},
		{"DeadlineBeyondTheCalendar", history.Run{ID: "r", Deadline: history.Newest}, history.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := plan.OpenRun(c.run, now, slack); !errors.Is(err, c.kind) {
				t.Fatal(err)
			}
		})
	}
	t.Run("FillsInWhatIsLeftOpenAndNothingElse", func(t *testing.T) {
		got, err := plan.OpenRun(history.Run{ID: "r", State: history.RunAborted, Observed: 3, Reason: "x"}, now, slack)
		want := history.Run{ID: "r", Moment: now, OpenedAt: now, Deadline: now + history.Moment(plan.DefaultRunTimeout.Microseconds())}
		if err != nil || !gocmp.Equal(got, want) {
			t.Fatal(got, err)
		}
	})
}

func TestLocate(t *testing.T) {
	// Rows 1 to 3 begin at 1, 5 and 5; row 2 lasts no time, row 3 was opened
	// with revision 3, row 4 was closed by it.
	rows := []*plan.Row{
		{Number: 1, Start: 1, Rank: 1, Opened: 1}, {Number: 4, Start: 4, Rank: 2, Opened: 2, Closed: 3},
		{Number: 2, Start: 5, Rank: 2, Opened: 2}, {Number: 3, Start: 5, Rank: 3, Opened: 3},
	}
	number := func(r *plan.Row) uint32 {
		if r == nil {
			return 0
		}
		return r.Number
	}
	for _, c := range []struct {
		at    history.Moment
		known history.Revision
		want  [3]uint32 // before, row, after
	}{
		{0, 3, [3]uint32{0, 0, 1}}, {1, 3, [3]uint32{0, 1, 2}}, {4, 3, [3]uint32{0, 1, 2}}, {4, 2, [3]uint32{1, 4, 2}},
		{5, 2, [3]uint32{4, 2, 0}}, {5, 3, [3]uint32{2, 3, 0}}, {history.Newest, 1, [3]uint32{0, 1, 0}}, {9, 0, [3]uint32{}},
	} {
		p := plan.Locate(rows, c.at, c.known)
		if got := [3]uint32{number(p.Before), number(p.Row), number(p.After)}; got != c.want {
			t.Errorf("at %d known at %d: got %v, want %v", c.at, c.known, got, c.want)
		}
		if p.Row == nil {
			continue
		}
		places := plan.Places(rows, c.known)
		i := slices.IndexFunc(places, func(o plan.Place) bool { return o.Row == p.Row })
		if i < 0 || cmp.Compare(p.Until(), places[i].Until()) != 0 || places[i].Before != p.Before {
			t.Errorf("at %d known at %d: a list of places differs", c.at, c.known)
		}
	}
}
