package historytest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/varvehq/varve/history"
)

// herd records n resources i-00, i-01 … in state A at a moment.
func (r *rig) herd(n int, moment history.Moment) []history.Observation {
	r.Helper()
	var list []history.Observation
	for i := range n {
		list = append(list, observe(fmt.Sprintf("i-%02d", i), "A", moment))
	}
	r.append(history.Batch{Observations: list})
	return list
}

var runCases = []namedCase{
	{"DefaultsAreFilledIn", func(r *rig) {
		now := history.MomentOf(r.clock.Now())
		want := history.Run{ID: "r", Moment: now, OpenedAt: now, Deadline: now + at(24*3600) - at(0)}
		same(r, "opened", r.open(history.Run{ID: "r", State: history.RunComplete, Deleted: 7, Reason: "x"}), want)
		same(r, "run", r.run("r"), want)
	}},
	{"GivenIsKept", func(r *rig) {
		want := history.Run{
			ID: "a.Z_0~9-", Moment: at(5), Deadline: at(7200), OpenedAt: history.MomentOf(r.clock.Now()),
			Scope: history.Scope{Accounts: []string{"", "1"}, Regions: []string{"r"}, Types: []string{"T", "U"}},
		}
		same(r, "opened", r.open(want), want)
		same(r, "run", r.run(want.ID), want)
	}},
	{"ScopeIsNotShared", func(r *rig) {
		accounts := []string{"111122223333"}
		opened := r.open(history.Run{ID: "r", Moment: at(5), Scope: history.Scope{Accounts: accounts}})
		accounts[0], opened.Scope.Accounts[0] = "!", "!"
		r.run("r").Scope.Accounts[0] = "!"
		runs, _, err := r.store.Runs(ctx, "", 10)
		if err != nil {
			r.Fatal(err)
		}
		runs[0].Scope.Accounts[0] = "!"
		equal(r, "account", r.run("r").Scope.Accounts[0], "111122223333")
	}},
	{"NeverMissesReservedTypes", func(r *rig) {
		k := history.Key{Type: "Varve::T", ID: "own"}
		r.record(history.Observation{Key: k, CapturedAt: at(1), State: letter("A")})
		for i, s := range []history.Scope{{}, {Types: []string{k.Type}}} {
			id := history.RunID(fmt.Sprint("r", i))
			r.open(history.Run{ID: id, Moment: at(5 + i), Scope: s})
			equal(r, "deleted", r.close(id, history.Complete).Deleted, 0)
		}
		if h := r.history(k, 0); len(h) != 1 || h[0].State.Deleted {
			r.Fatalf("%+v", h)
		}
	}},
	{"AlreadyExists", func(r *rig) {
		r.open(history.Run{ID: "r", Moment: at(5)})
		_, err := r.store.OpenRun(ctx, history.Run{ID: "r", Moment: at(9)})
		refused(r, "open", err, history.AlreadyExists)
		r.close("r", history.Abort)
		_, err = r.store.OpenRun(ctx, history.Run{ID: "r"})
		refused(r, "aborted", err, history.AlreadyExists)
		equal(r, "moment", r.run("r").Moment, at(5))
	}},
	{"InvalidIsRefused", func(r *rig) {
		for _, bad := range []history.Run{
			{}, {ID: "a b"}, {ID: "ü"}, {ID: "a/b"}, {ID: history.RunID(strings.Repeat("x", 129))},
			{ID: "r", Moment: -1}, {ID: "r", Deadline: history.MomentOf(r.clock.Now())}, {ID: "r", Deadline: -1},
		} {
			_, err := r.store.OpenRun(ctx, bad)
			refused(r, fmt.Sprintf("%+v", bad), err, history.Invalid)
		}
		r.open(history.Run{ID: history.RunID(strings.Repeat("x", 128))})
	}},
	{"UnknownIsNotFound", func(r *rig) {
		_, err := r.store.Run(ctx, "r")
		refused(r, "run", err, history.NotFound)
		_, err = r.store.CloseRun(ctx, "r", history.Complete, "")
		refused(r, "close", err, history.NotFound)
		_, err = r.store.Append(ctx, history.Batch{Run: "r", Observations: []history.Observation{observe("a", "A", at(1))}})
		refused(r, "append", err, history.NotFound)
		_, _, err = r.store.Runs(ctx, "r", 10)
		refused(r, "list", err, history.NotFound)
		equal(r, "revision", r.head().Revision, 0)
	}},
	{"ObservationsAreCapturedAtItsMomentUnlessGiven", func(r *rig) {
		r.open(history.Run{ID: "r", Moment: at(5)})
		results := r.in("r", observe("a", "A", 0), observe("b", "A", at(3)))
		equal(r, "not given", results[0].CapturedAt, at(5))
		equal(r, "given", results[1].CapturedAt, at(3))
	}},
	{"SightingsAreCapturedAtItsMomentUnlessGiven", func(r *rig) {
		r.see("a", "A", at(1))
		r.see("b", "A", at(1))
		r.open(history.Run{ID: "r", Moment: at(5)})
		r.in("r", observe("a", "A", 0), observe("b", "A", at(3)))
		equal(r, "not given", r.told("a", 0), "v1 A@1..5")
		equal(r, "given", r.told("b", 0), "v1 A@1..3")
	}},
	{"CountsWhatItTook", func(r *rig) {
		r.see("gone", "A", at(1))
		r.open(history.Run{ID: "r", Moment: at(5)})
		bad := observe("", "A", at(5))
		r.append(history.Batch{Run: "r", Refused: 2, Observations: []history.Observation{
			observe("a", "A", at(5)), observe("a", "A", at(5)), bad, observe("b", "A", at(5)),
		}})
		run := r.run("r")
		equal(r, "observed", run.Observed, 3)
		equal(r, "refused", run.Refused, 3)
		run = r.close("r", history.CompleteForced)
		equal(r, "deleted", run.Deleted, 1)
		equal(r, "state", run.State, history.RunComplete)
		equal(r, "closed", run.ClosedAt, history.MomentOf(r.clock.Now()))
		same(r, "run", r.run("r"), run)
	}},
	{"ScopeHoldsBackTheRest", func(r *rig) {
		record := func(account, region, typ string) {
			o := observe("a", "A", at(1))
			o.Key.Account, o.Key.Region, o.Key.Type = account, region, typ
			r.record(o)
		}
		for _, account := range []string{"", "1", "2"} {
			for _, region := range []string{"", "r", "s"} {
				record(account, region, "T")
				record(account, region, "U")
			}
		}
		for i, c := range []struct {
			scope history.Scope
			alive int // of 18, after the run
		}{
			{history.Scope{Types: []string{"V"}}, 18},
			{history.Scope{Accounts: []string{""}, Regions: []string{""}, Types: []string{"T"}}, 17},
			{history.Scope{Accounts: []string{"1"}, Types: []string{"T"}}, 14},
			{history.Scope{Regions: []string{"", "s"}, Accounts: []string{"2"}}, 10},
			{history.Scope{Types: []string{"U", "X"}}, 3},
			{history.Scope{}, 0},
		} {
			id := history.RunID(fmt.Sprint("r", i))
			r.open(history.Run{ID: id, Moment: at(10 + i), Scope: c.scope})
			r.close(id, history.CompleteForced)
			equal(r, fmt.Sprintf("alive after %+v", c.scope), len(r.items(history.At{}, history.Query{})), c.alive)
		}
	}},
	{"OutOfScopeIsRecordedAllTheSame", func(r *rig) {
		r.open(history.Run{ID: "r", Moment: at(5), Scope: history.Scope{Types: []string{"T"}}})
		equal(r, "version", r.in("r", observe("a", "A", at(5)))[0].Version, 1)
		r.close("r", history.Complete)
		equal(r, "history", r.told("a", 0), "v1 A@5")
	}},
	{"LateCaptureOutOfScopeIsNotDeleted", func(r *rig) {
		r.open(history.Run{ID: "r", Moment: at(5), Scope: history.Scope{Types: []string{"T"}}})
		r.close("r", history.Complete)
		r.see("a", "A", at(2))
		equal(r, "history", r.told("a", 0), "v1 A@2")
	}},
	{"DeletionsAreOneRevisionInKeyOrder", func(r *rig) {
		r.see("c", "A", at(1))
		r.see("a", "A", at(1))
		r.see("b", "A", at(1))
		r.open(history.Run{ID: "r", Moment: at(5)})
		r.close("r", history.Complete)
		equal(r, "revision", r.head().Revision, 4)
		equal(r, "feed", r.toldFeed(), "c:v1 created, v1 created, b:v1 created, v2 deleted, b:v2 deleted, c:v2 deleted")
		for _, c := range r.feed()[3:] {
			equal(r, "revision of a deletion", c.Revision, 4)
		}
		i := r.get("a", history.At{})
		equal(r, "revision of its version", i.Revision, 4)
		same(r, "its origin", i.Origin, history.Origin{})
		same(r, "its state", i.State, history.State{Deleted: true})
	}},
	{"DeletionAfterALateCaptureHasItsRevision", func(r *rig) {
		r.play("b:A@1 [5 b:A@5]")
		result := r.see("a", "A", at(2))
		feed := r.feed()
		last := len(feed) - 1
		equal(r, "sequence of the observation", result.Seq, feed[last-1].Seq)
		equal(r, "revision of the deletion", feed[last].Revision, feed[last-1].Revision)
		equal(r, "its moment", feed[last].CapturedAt, at(5))
		equal(r, "revision of the version", r.get("a", history.At{}).Revision, feed[last].Revision)
	}},
	{"CompletionIsARevisionEvenIfNothingWasMissed", func(r *rig) {
		r.play("A@1 [5 A@5]")
		equal(r, "revision", r.head().Revision, 3)
		r.open(history.Run{ID: "aborted", Moment: at(6)})
		r.close("aborted", history.Abort)
		equal(r, "revision after an abort", r.head().Revision, 3)
	}},
	{"CompletionAddsAbsenceOnlyNeverAState", func(r *rig) {
		r.play("A@1 -@3 [9]")
		i := r.get("a", history.At{Captured: at(9)})
		equal(r, "exists at the run's moment", i.Exists(), false)
		equal(r, "history", r.told("a", 0), "v1 A@1 v2 -@3")
	}},
	{"TakesObservationsOnlyWhileOpen", func(r *rig) {
		for _, how := range []history.Disposal{history.Complete, history.CompleteForced, history.Abort} {
			id := history.RunID(fmt.Sprint("r", how))
			r.open(history.Run{ID: id, Moment: at(5)})
			r.close(id, how)
			_, err := r.store.Append(ctx, history.Batch{Run: id, Observations: []history.Observation{observe("a", "A", at(5))}})
			refused(r, "append", err, history.RunClosed)
		}
		equal(r, "changes", len(r.feed()), 0)
	}},
	{"ClosedAgainTheSameWayStandsAsItIs", func(r *rig) {
		r.see("a", "A", at(1))
		r.open(history.Run{ID: "c", Moment: at(5)})
		done := r.close("c", history.Complete)
		r.open(history.Run{ID: "x", Moment: at(6)})
		gone, err := r.store.CloseRun(ctx, "x", history.Abort, "broken")
		if err != nil {
			r.Fatal(err)
		}
		equal(r, "state", gone.State, history.RunAborted)
		equal(r, "reason", gone.Reason, "broken")
		r.see("a", "B", at(7))
		r.clock.Advance(time.Hour)
		before := r.head()
		same(r, "completed again", r.close("c", history.Complete), done)
		same(r, "completed by force again", r.close("c", history.CompleteForced), done)
		same(r, "aborted again", r.close("x", history.Abort), gone)
		same(r, "head", r.head(), before)
	}},
	{"ClosedTheOtherWayIsRefused", func(r *rig) {
		r.open(history.Run{ID: "c", Moment: at(5)})
		r.close("c", history.Complete)
		_, err := r.store.CloseRun(ctx, "c", history.Abort, "")
		refused(r, "abort after completion", err, history.RunClosed)
		r.open(history.Run{ID: "x", Moment: at(5)})
		r.close("x", history.Abort)
		for _, how := range []history.Disposal{history.Complete, history.CompleteForced} {
			_, err = r.store.CloseRun(ctx, "x", how, "")
			refused(r, "completion after abort", err, history.RunClosed)
		}
	}},
	{"TaintedCanOnlyBeAbortedOrForced", func(r *rig) {
		taints := map[history.RunID]history.Batch{
			"before": {Refused: 1},
			"bad":    {Observations: []history.Observation{observe("", "A", at(5))}},
			"future": {Observations: []history.Observation{observe("a", "A", at(9999))}},
		}
		conflict := observe("a", "A", at(5))
		conflict.Expect = new(uint32(9))
		taints["conflict"] = history.Batch{Observations: []history.Observation{conflict}}
		for id, b := range taints {
			for _, how := range []history.Disposal{history.Abort, history.CompleteForced} {
				b.Run = history.RunID(fmt.Sprint(id, how))
				r.open(history.Run{ID: b.Run, Moment: at(5)})
				r.append(b)
				before := r.head()
				_, err := r.store.CloseRun(ctx, b.Run, history.Complete, "")
				refused(r, "completion", err, history.RunTainted)
				equal(r, "state", r.run(b.Run).State, history.RunOpen)
				same(r, "head", r.head(), before)
				r.close(b.Run, how)
			}
		}
	}},
	{"TaintOutlastsAReplay", func(r *rig) {
		r.open(history.Run{ID: "r", Moment: at(5)})
		b := history.Batch{Op: history.OpID{1}, Run: "r", Observations: []history.Observation{observe("", "A", at(5))}}
		r.append(b)
		r.append(b)
		equal(r, "refused", r.run("r").Refused, 1)
		_, err := r.store.CloseRun(ctx, "r", history.Complete, "")
		refused(r, "completion", err, history.RunTainted)
	}},
	{"RefusedIfGreedy", func(r *rig) {
		all := r.herd(21, at(1))
		r.open(history.Run{ID: "r", Moment: at(5)})
		r.in("r", all[:10]...)
		before := r.head()
		_, err := r.store.CloseRun(ctx, "r", history.Complete, "")
		refused(r, "11 of 21", err, history.RunTooGreedy)
		var e *history.Error
		errors.As(err, &e)
		equal(r, "numbers", fmt.Sprint(e.Meta["would_delete"], " of ", e.Meta["alive"]), "11 of 21")
		same(r, "head", r.head(), before)
		equal(r, "state", r.run("r").State, history.RunOpen)
		r.in("r", all[10])
		equal(r, "deleted once one more was seen", r.close("r", history.Complete).Deleted, 10)
	}},
	{"GreedyIsDoneByForce", func(r *rig) {
		r.herd(11, at(1))
		r.open(history.Run{ID: "r", Moment: at(5)})
		_, err := r.store.CloseRun(ctx, "r", history.Complete, "")
		refused(r, "11 of 11", err, history.RunTooGreedy)
		equal(r, "deleted", r.close("r", history.CompleteForced).Deleted, 11)
		equal(r, "alive", len(r.items(history.At{}, history.Query{})), 0)
	}},
	{"TenAreNotGreedy", func(r *rig) {
		r.herd(10, at(1))
		r.open(history.Run{ID: "r", Moment: at(5)})
		equal(r, "deleted", r.close("r", history.Complete).Deleted, 10)
	}},
	{"HalfIsNotGreedy", func(r *rig) {
		all := r.herd(22, at(1))
		r.open(history.Run{ID: "r", Moment: at(5)})
		r.in("r", all[:11]...)
		equal(r, "deleted", r.close("r", history.Complete).Deleted, 11)
	}},
	{"GreedCountsItsScopeOnly", func(r *rig) {
		r.herd(11, at(1))
		for i := range 20 {
			o := observe(fmt.Sprintf("o-%02d", i), "A", at(1))
			o.Key.Type = "T"
			r.record(o)
		}
		r.open(history.Run{ID: "r", Moment: at(5), Scope: history.Scope{Types: []string{key("").Type}}})
		_, err := r.store.CloseRun(ctx, "r", history.Complete, "")
		refused(r, "11 of 11 in scope", err, history.RunTooGreedy)
	}},
	{"GreedCountsWhatLivedJustBeforeTheMoment", func(r *rig) {
		r.herd(11, at(1))
		for i := range 20 {
			r.see(fmt.Sprintf("young-%02d", i), "A", at(7))
			r.see(fmt.Sprintf("born-%02d", i), "A", at(5))
			r.see(fmt.Sprintf("dead-%02d", i), "-", at(2))
		}
		r.open(history.Run{ID: "r", Moment: at(5)})
		_, err := r.store.CloseRun(ctx, "r", history.Complete, "")
		refused(r, "11 of 11 alive", err, history.RunTooGreedy)
	}},
	{"TimedOutIsAborted", func(r *rig) {
		r.see("a", "A", at(1))
		opened := r.open(history.Run{ID: "r", Moment: at(5)})
		r.in("r", observe("b", "A", at(5)))
		r.clock.Advance(24*time.Hour - time.Microsecond)
		equal(r, "just before", r.run("r").State, history.RunOpen)
		r.clock.Advance(time.Microsecond)
		_, err := r.store.Append(ctx, history.Batch{Run: "r", Observations: []history.Observation{observe("a", "A", at(5))}})
		refused(r, "append", err, history.RunClosed)
		for _, how := range []history.Disposal{history.Complete, history.CompleteForced} {
			_, err = r.store.CloseRun(ctx, "r", how, "")
			refused(r, "completion", err, history.RunClosed)
		}
		run := r.run("r")
		equal(r, "state", run.State, history.RunAborted)
		equal(r, "closed", run.ClosedAt, opened.Deadline)
		runs, _, err := r.store.Runs(ctx, "", 1)
		if err != nil {
			r.Fatal(err)
		}
		same(r, "listed", runs[0], run)
		same(r, "aborted again", r.close("r", history.Abort), run)
		equal(r, "history", r.told("a", 0), "v1 A@1")
		equal(r, "what it saw", r.told("b", 0), "v1 A@5")
	}},
	{"TimeOutCanBeGiven", func(r *rig) {
		r.open(history.Run{ID: "r", Deadline: history.MomentOf(r.clock.Now()) + 10})
		r.clock.Advance(9 * time.Microsecond)
		r.in("r", observe("a", "A", at(5)))
		r.clock.Advance(time.Microsecond)
		equal(r, "state", r.run("r").State, history.RunAborted)
	}},
	{"ListsLatestOpenedFirstInPages", func(r *rig) {
		for _, id := range []history.RunID{"b", "a", "d", "c"} {
			r.open(history.Run{ID: id, Moment: at(5)})
		}
		r.close("d", history.Abort)
		page := func(after history.RunID, limit int, want string, wantMore bool) {
			r.Helper()
			runs, more, err := r.store.Runs(ctx, after, limit)
			if err != nil {
				r.Fatal(err)
			}
			var got []string
			for _, run := range runs {
				got = append(got, string(run.ID))
				same(r, "listed run", run, r.run(run.ID))
			}
			equal(r, fmt.Sprintf("%d after %q", limit, after), strings.Join(got, " "), want)
			equal(r, fmt.Sprintf("more than %d after %q", limit, after), more, wantMore)
		}
		page("", 10, "c d a b", false)
		page("", 4, "c d a b", false)
		page("", 3, "c d a", true)
		page("d", 1, "a", true)
		page("a", 1, "b", false)
		page("b", 1, "", false)
	}},
	{"TwoAtOnceSeeTheirOwn", func(r *rig) {
		r.see("a", "A", at(1))
		r.see("b", "A", at(1))
		r.open(history.Run{ID: "x", Moment: at(5)})
		r.open(history.Run{ID: "y", Moment: at(6)})
		r.in("x", observe("a", "A", 0))
		r.in("y", observe("b", "A", 0))
		r.close("y", history.Complete)
		r.close("x", history.Complete)
		equal(r, "a", r.told("a", 0), "v1 A@1..5 v2 -@6")
		equal(r, "b", r.told("b", 0), "v1 A@1 v2 -@5 v3 A@6")
	}},
	{"GoesOnAfterReopen", func(r *rig) {
		r.see("a", "A", at(1))
		r.see("b", "A", at(1))
		r.open(history.Run{ID: "r", Moment: at(5)})
		r.in("r", observe("a", "A", 0))
		before := r.run("r")
		r.reopen()
		same(r, "run", r.run("r"), before)
		r.in("r", observe("c", "A", 0))
		r.close("r", history.Complete)
		equal(r, "a", r.told("a", 0), "v1 A@1..5")
		equal(r, "b", r.told("b", 0), "v1 A@1 v2 -@5")
		equal(r, "c", r.told("c", 0), "v1 A@5")
		r.reopen()
		r.see("b", "B", at(3))
		r.see("a", "B", at(3))
		r.see("d", "B", at(3))
		equal(r, "b", r.told("b", 0), "v1 A@1 v3 B@3 v2 -@5")
		equal(r, "a", r.told("a", 0), "v1 A@1 v2 B@3 v3 A@5")
		equal(r, "d", r.told("d", 0), "v1 B@3 v2 -@5")
	}},
}
