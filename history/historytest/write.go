package historytest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/varvehq/varve/history"
)

// full is an observation with every field set.
func full() history.Observation {
	return history.Observation{
		Key:        key("i-full"),
		CapturedAt: at(7) + 123456,
		State: history.State{
			ARN:              "arn:aws:ec2:eu-north-1:111122223333:instance/i-full",
			Name:             "web <1> \u2028 ü",
			AvailabilityZone: "eu-north-1a",
			CreatedAt:        at(-86400) + 1,
			Tags:             map[string]string{"": "empty key", "env": "prod", "team": "", "€": "𝄞"},
			Configuration:    []byte(`{"a":[1.0,1,1e400,-0,12345678901234567890.10],"z":"\u0000"}`),
			Supplementary:    map[string][]byte{"Policy": []byte(`[]`), "Tags": []byte(`null`)},
			Relationships: []history.Relationship{
				{Name: "Is contained in Vpc", Type: "AWS::EC2::VPC", ID: "vpc-1"},
				{Name: "Is used by", Type: "T", ResourceName: "n", Account: "a", Region: "r"},
			},
			Status: history.StatusOK,
		},
		Origin: history.Origin{
			Provider: "aws", Source: "file.ndjson",
			Cause:  history.Cause{Actor: "anna", EventID: "e-1", SourceIP: "192.0.2.1"},
			Extras: []byte(`{"configurationStateId":"1.0"}`),
		},
	}
}

var appendCases = []namedCase{
	{"FirstVersion", func(r *rig) {
		before := r.clock.Now()
		got := r.record(observe("a", "A", at(5)))
		same(r, "result", got, history.Result{Version: 1, CapturedAt: at(5), Revision: 1, Seq: 1, Kind: history.Created})
		i := r.get("a", history.At{})
		want := letter("A")
		same(r, "item", i, history.Item{
			Key: key("a"), Version: 1, CapturedAt: at(5), LastSeenAt: at(5), Until: history.Newest,
			RecordedAt: history.MomentOf(before), Revision: 1, Status: history.StatusDiscovered, State: want,
			Hash: history.HashContent(want.AppendContent(nil)),
		})
	}},
	{"EveryFieldRoundTrips", func(r *rig) {
		want := full()
		r.record(want)
		r.record(observe("a", "A", at(1)))
		items, err := r.asOf(history.At{}).Get(ctx, []history.Key{want.Key}, history.FieldsAll)
		if err != nil {
			r.Fatal(err)
		}
		same(r, "state", items[0].State, want.State)
		same(r, "origin", items[0].Origin, want.Origin)
		equal(r, "captured", items[0].CapturedAt, want.CapturedAt)
	}},
	{"UnchangedAddsNoVersionAndNoPosition", func(r *rig) {
		r.see("a", "A", at(1))
		before := r.head()
		got := r.see("a", "A", at(4))
		same(r, "result", got, history.Result{Unchanged: true, Version: 1, CapturedAt: at(1), Revision: 2})
		after := r.head()
		equal(r, "end of the feed", after.Position, before.Position)
		equal(r, "newest revision", after.Revision, 2)
		equal(r, "last seen", r.get("a", history.At{}).LastSeenAt, at(4))
	}},
	{"StatesThatAreCompletedLater", func(r *rig) {
		for i, l := range []string{"A", "A", "B", "A", "-", "A", "n", "n", "o", "x", "A"} {
			state := letter(l)
			later, given := observe("a", l, at(i+1)), observe("b", l, at(i+1))
			later.Hash = history.HashContent(state.AppendContent(nil))
			later.State = history.State{Deleted: state.Deleted, Status: state.Status}
			later.Complete = func() (history.State, error) { return letter(l), nil }
			got, want := r.record(later), r.record(given)
			want.Revision, want.Seq = got.Revision, got.Seq
			same(r, "result", got, want)
			got2, want2 := r.get("a", history.At{}), r.get("b", history.At{})
			same(r, "state", got2.State, want2.State)
			equal(r, "hash", got2.Hash, want2.Hash)
		}
		equal(r, "history", r.told("a", 0), r.told("b", 0))
	}},
	{"AStateThatCannotBeCompletedIsRefused", func(r *rig) {
		state := letter("A")
		never := observe("b", "A", at(2))
		never.Hash, never.State = history.HashContent(state.AppendContent(nil)), history.State{}
		never.Complete = func() (history.State, error) {
			return history.State{}, history.Errorf(history.TooLarge, "is too large")
		}
		receipt := r.append(history.Batch{Observations: []history.Observation{observe("a", "A", at(1)), never, observe("c", "A", at(3))}})
		refused(r, "the one in the middle", receipt.Results[1].Err, history.TooLarge)
		equal(r, "newest revision", receipt.Revision, 2)
		equal(r, "histories", r.told("a", 0)+r.told("b", 0)+r.told("c", 0), "v1 A@1v1 A@3")
	}},
	{"EveryAcceptedObservationHasARevision", func(r *rig) {
		receipt := r.append(history.Batch{Observations: []history.Observation{
			observe("a", "A", at(1)), observe("a", "A", at(1)), observe("b", "A", at(1)), observe("a", "A", at(2)),
		}})
		for i, result := range receipt.Results {
			equal(r, "revision", result.Revision, history.Revision(i+1))
		}
		equal(r, "newest revision", receipt.Revision, 4)
		equal(r, "end of the feed", receipt.Position, r.head().Position)
		equal(r, "changes", len(r.feed()), 2)
	}},
	{"OneResourceManyTimesInABatch", func(r *rig) {
		r.append(history.Batch{Observations: []history.Observation{
			observe("a", "A", at(1)), observe("a", "A", at(5)), observe("a", "B", at(3)), observe("a", "-", at(9)), observe("a", "C", at(9)),
		}})
		equal(r, "history", r.told("a", 0), "v1 A@1 v2 B@3 v3 A@5 v4 -@9 v5 C@9")
		equal(r, "feed", r.toldFeed(), "v1 created, v2 updated late, v4 deleted, v5 created")
	}},
	{"BatchPartialFailureIsPerItem", func(r *rig) {
		bad := observe("a", "B", at(2))
		bad.Key.Type = ""
		wrong := observe("a", "C", at(2))
		wrong.Expect = new(uint32(7))
		receipt := r.append(history.Batch{Observations: []history.Observation{
			observe("a", "A", at(1)), bad, wrong, observe("a", "D", at(-100*365*86400)), observe("b", "A", at(1)),
		}})
		refused(r, "no type", receipt.Results[1].Err, history.Invalid)
		refused(r, "wrong version", receipt.Results[2].Err, history.Conflict)
		refused(r, "before the epoch", receipt.Results[3].Err, history.Invalid)
		for _, i := range []int{1, 2, 3} {
			receipt.Results[i].Err = nil
			same(r, "refused result", receipt.Results[i], history.Result{})
		}
		equal(r, "history", r.told("a", 0), "v1 A@1")
		equal(r, "history of b", r.told("b", 0), "v1 A@1")
		equal(r, "newest revision", receipt.Revision, 2)
	}},
	{"RefusedLeavesNothing", func(r *rig) {
		o := observe("a", "A", at(1))
		o.Expect = new(uint32(1))
		refused(r, "unknown resource", r.try(o).Err, history.Conflict)
		equal(r, "head", r.head(), history.Head{StoreID: testStore, Position: r.head().Position})
		equal(r, "changes", len(r.feed()), 0)
		equal(r, "resources", len(r.items(history.At{}, history.Query{Deleted: true})), 0)
	}},
	{"EmptyBatchIsNothing", func(r *rig) {
		r.see("a", "A", at(1))
		before := r.head()
		receipt := r.append(history.Batch{})
		same(r, "receipt", receipt, history.Receipt{Revision: before.Revision, Position: before.Position})
		same(r, "head", r.head(), before)
	}},
	{"OriginIsKeptWithTheVersionItMade", func(r *rig) {
		o := full()
		r.record(o)
		again := full()
		again.CapturedAt++
		again.Origin = history.Origin{Provider: "gcp", Source: "elsewhere", Cause: history.Cause{Actor: "bob"}, Extras: []byte(`{}`)}
		equal(r, "unchanged", r.record(again).Unchanged, true)
		items, err := r.asOf(history.At{}).Get(ctx, []history.Key{o.Key}, history.FieldsAll)
		if err != nil {
			r.Fatal(err)
		}
		same(r, "origin", items[0].Origin, o.Origin)
		equal(r, "last seen", items[0].LastSeenAt, again.CapturedAt)
	}},
	{"OriginTellsTheRun", func(r *rig) {
		r.open(history.Run{ID: "r", Moment: at(5)})
		o := observe("a", "A", at(5))
		o.Origin.Run = "a lie"
		r.in("r", o)
		equal(r, "run", r.get("a", history.At{}).Origin.Run, "r")
	}},
	{"ResumedRowsHaveTheOriginOfTheirEvidence", func(r *rig) {
		o := full()
		o.Key = key("a")
		r.record(o)
		o.CapturedAt += 10
		o.Origin = history.Origin{Provider: "gcp", Source: "elsewhere", Cause: history.Cause{Actor: "bob"}, Extras: []byte(`{"n":1.0}`)}
		r.record(o)
		r.see("a", "B", o.CapturedAt-5)
		i := r.get("a", history.At{})
		equal(r, "version", i.Version, 3)
		same(r, "origin", i.Origin, o.Origin)
		same(r, "state", i.State, o.State)
	}},
	{"RowsResumedAtASightingOfARunHaveTheRun", func(r *rig) {
		r.open(history.Run{ID: "r", Moment: at(9)})
		r.see("a", "A", at(1))
		r.in("r", observe("a", "A", at(9)))
		r.see("a", "B", at(5))
		same(r, "origin", r.get("a", history.At{}).Origin, history.Origin{Run: "r"})
	}},
	{"KeepsNoMemoryOfTheCaller", func(r *rig) {
		o := full()
		r.record(o)
		o.State.Configuration[1] = '!'
		o.State.Supplementary["Policy"][0] = '!'
		o.State.Tags["env"] = "!"
		o.State.Relationships[0].ID = "!"
		o.Origin.Extras[0] = '!'
		for range 2 {
			items, err := r.asOf(history.At{}).Get(ctx, []history.Key{o.Key}, history.FieldsAll)
			if err != nil {
				r.Fatal(err)
			}
			got := items[0]
			same(r, "state", got.State, full().State)
			same(r, "origin", got.Origin, full().Origin)
			got.State.Configuration[1] = '?'
			got.State.Supplementary["Policy"][0] = '?'
			got.State.Tags["env"] = "?"
			got.State.Relationships[0].ID = "?"
			got.Origin.Extras[0] = '?'
		}
	}},
	{"ThousandItems", func(r *rig) {
		var b history.Batch
		for i := range 1000 {
			b.Observations = append(b.Observations, observe(fmt.Sprintf("i-%04d", i), "A", at(i)))
		}
		for _, result := range r.append(b).Results {
			if result.Err != nil || result.Version != 1 {
				r.Fatalf("%+v", result)
			}
		}
		equal(r, "resources", r.head().Resources, 1000)
		equal(r, "alive at 499", len(r.items(history.At{Captured: at(499)}, history.Query{})), 500)
	}},
}

// equalCases change one field of a state, or of what is no part of it.
var equalCases = func() []namedCase {
	differ := map[string]func(o *history.Observation){
		"ARN":                func(o *history.Observation) { o.State.ARN += "x" },
		"Name":               func(o *history.Observation) { o.State.Name = "" },
		"AvailabilityZone":   func(o *history.Observation) { o.State.AvailabilityZone = "eu-north-1b" },
		"CreatedAt":          func(o *history.Observation) { o.State.CreatedAt++ },
		"TagValue":           func(o *history.Observation) { o.State.Tags["env"] = "Prod" },
		"TagMissing":         func(o *history.Observation) { delete(o.State.Tags, "team") },
		"Configuration":      func(o *history.Observation) { o.State.Configuration = []byte(`{}`) },
		"NumberLiteral":      func(o *history.Observation) { o.State.Configuration = swap(o.State.Configuration, "1.0", "1") },
		"LastDigit":          func(o *history.Observation) { o.State.Configuration = swap(o.State.Configuration, "90.10", "91.10") },
		"NoConfiguration":    func(o *history.Observation) { o.State.Configuration = nil },
		"Supplementary":      func(o *history.Observation) { o.State.Supplementary["Tags"] = []byte(`{}`) },
		"SupplementaryName":  func(o *history.Observation) { delete(o.State.Supplementary, "Tags") },
		"Relationship":       func(o *history.Observation) { o.State.Relationships[0].ID = "vpc-2" },
		"RelationshipName":   func(o *history.Observation) { o.State.Relationships[0].Name = "Is attached to Vpc" },
		"FewerRelationships": func(o *history.Observation) { o.State.Relationships = o.State.Relationships[:1] },
		"GivenStatus":        func(o *history.Observation) { o.State.Status = "" },
		"Deleted":            func(o *history.Observation) { o.State.Deleted = true },
	}
	agree := map[string]func(o *history.Observation){
		"Source":   func(o *history.Observation) { o.Origin.Source = "other" },
		"Provider": func(o *history.Observation) { o.Origin.Provider = "other" },
		"Cause":    func(o *history.Observation) { o.Origin.Cause = history.Cause{} },
		"Extras":   func(o *history.Observation) { o.Origin.Extras = nil },
		"RelationshipOrder": func(o *history.Observation) {
			list := o.State.Relationships
			o.State.Relationships = []history.Relationship{list[1], list[0], list[1]}
			o.State.Normalize()
		},
	}
	var cases []namedCase
	add := func(prefix string, change map[string]func(*history.Observation), unchanged bool) {
		for _, name := range slices.Sorted(maps.Keys(change)) {
			edit := change[name]
			cases = append(cases, namedCase{prefix + name, func(r *rig) {
				r.record(full())
				o := full()
				o.CapturedAt += 10
				edit(&o)
				equal(r, "unchanged", r.record(o).Unchanged, unchanged)
			}})
		}
	}
	add("DiffersIn", differ, false)
	add("Ignores", agree, true)
	return cases
}()

func swap(b []byte, old, with string) []byte {
	return []byte(strings.Replace(string(b), old, with, 1))
}

var statusCases = []namedCase{
	{"GivenIsPartOfTheState", func(r *rig) {
		r.see("a", "A", at(1))
		o := observe("a", "A", at(2))
		o.State.Status = history.StatusOK
		equal(r, "unchanged", r.record(o).Unchanged, false)
	}},
	{"DerivedIsNotStored", func(r *rig) {
		r.see("a", "A", at(1))
		r.see("a", "-", at(2))
		for _, i := range r.history(key("a"), 0) {
			equal(r, "stored status", i.State.Status, "")
		}
	}},
	{"DerivedFollowsWhatWasKnown", func(r *rig) {
		r.see("a", "B", at(5))
		r.see("a", "A", at(1))
		equal(r, "now", r.get("a", history.At{}).Status, history.StatusOK)
		equal(r, "then", r.get("a", history.At{Known: 1}).Status, history.StatusDiscovered)
	}},
}

var clockCases = []namedCase{
	{"NeverBackwards", func(r *rig) {
		r.see("a", "A", at(1))
		start := r.head().RecordedAt
		r.clock.Advance(-30 * time.Minute)
		r.see("a", "B", at(2))
		equal(r, "recorded while the clock is behind", r.head().RecordedAt, start)
		r.open(history.Run{ID: "r", Moment: at(5)})
		r.close("r", history.Complete)
		equal(r, "completed while the clock is behind", r.head().RecordedAt, start)
		r.clock.Advance(31 * time.Minute)
		r.see("a", "C", at(6))
		equal(r, "recorded later", r.head().RecordedAt, start+at(60)-at(0))
	}},
	{"NeverBackwardsAfterReopen", func(r *rig) {
		r.see("a", "A", at(1))
		start := r.head().RecordedAt
		r.clock.Advance(-30 * time.Minute)
		r.reopen()
		r.see("a", "B", at(2))
		equal(r, "recorded", r.head().RecordedAt, start)
	}},
	{"CapturedNowWhereNothingIsGiven", func(r *rig) {
		o := observe("a", "A", 0)
		equal(r, "captured", r.record(o).CapturedAt, history.MomentOf(r.clock.Now()))
	}},
	{"CutToMicroseconds", func(r *rig) {
		r.clock.Advance(1999 * time.Nanosecond)
		r.record(observe("a", "A", 0))
		i := r.get("a", history.At{})
		equal(r, "captured", i.CapturedAt, at(3600)+1)
		equal(r, "recorded", i.RecordedAt, at(3600)+1)
	}},
	{"FutureRefused", func(r *rig) {
		slack := history.Moment((5 * time.Minute).Microseconds())
		refused(r, "five minutes and a bit", r.try(observe("a", "A", at(3600)+slack+1)).Err, history.Future)
		r.see("a", "A", at(3600)+slack)
	}},
	{"SlackCanBeGiven", func(r *rig) {
		r = newRigWith(r.T, r.b, Options{StoreID: testStore, FutureSlack: time.Hour})
		refused(r, "an hour and a bit", r.try(observe("a", "A", at(7200)+1)).Err, history.Future)
		r.see("a", "A", at(7200))
		_, err := r.store.OpenRun(ctx, history.Run{ID: "r", Moment: at(7200) + 1})
		refused(r, "run in an hour and a bit", err, history.Future)
	}},
	{"RunMomentInTheFutureRefused", func(r *rig) {
		slack := history.Moment((5 * time.Minute).Microseconds())
		_, err := r.store.OpenRun(ctx, history.Run{ID: "r", Moment: at(3600) + slack + 1})
		refused(r, "five minutes and a bit", err, history.Future)
		_, err = r.store.Run(ctx, "r")
		refused(r, "run", err, history.NotFound)
		r.open(history.Run{ID: "r", Moment: at(3600) + slack})
	}},
	{"MomentsOutsideTheCalendarRefused", func(r *rig) {
		for _, m := range []history.Moment{-1, history.LastMoment + 1, history.Newest} {
			err := r.try(observe("a", "A", m)).Err
			if !errors.Is(err, history.Invalid) && !errors.Is(err, history.Future) {
				r.Fatalf("captured at %d: %v", m, err)
			}
		}
		r.see("a", "A", history.FirstMoment)
		equal(r, "version at the first moment", r.get("a", history.At{Captured: history.FirstMoment}).Version, 1)
	}},
}

// An Op makes an append repeatable.
var opCases = []namedCase{
	{"ReplayReturnsFirstReceipt", func(r *rig) { replay(r, func() {}) }},
	{"ReplayReturnsFirstReceiptAfterReopen", func(r *rig) { replay(r, r.reopen) }},
	{"ReplayReturnsFirstReceiptAfterKill", func(r *rig) { replay(r, r.kill) }},
	{"ReplayReturnsFirstReceiptADayLater", func(r *rig) {
		replay(r, func() {
			r.clock.Advance(24*time.Hour - time.Second)
			r.see("c", "A", at(1))
		})
	}},
	{"ReplayTellsRefusalsAgain", func(r *rig) {
		o := observe("a", "A", at(1))
		o.Expect = new(uint32(3))
		b := history.Batch{Op: history.OpID{1}, Observations: []history.Observation{o}}
		first := r.append(b)
		refused(r, "first", first.Results[0].Err, history.Conflict)
		for range 3 {
			r.see("a", string("BCD"[r.head().Revision]), at(int(r.head().Revision)+1))
		}
		same(r, "replayed receipt", r.append(b), first)
		equal(r, "history", r.told("a", 0), "v1 B@1 v2 C@2 v3 D@3")
	}},
	{"OtherContentUnderTheSameOpIsNotRecorded", func(r *rig) {
		op := history.OpID{1}
		first := r.append(history.Batch{Op: op, Observations: []history.Observation{observe("a", "A", at(1))}})
		again := r.append(history.Batch{Op: op, Observations: []history.Observation{observe("a", "B", at(2))}})
		same(r, "replayed receipt", again, first)
		equal(r, "history", r.told("a", 0), "v1 A@1")
	}},
	{"AnotherOpRecordsTheSameAsUnchanged", func(r *rig) {
		b := history.Batch{Op: history.OpID{1}, Observations: []history.Observation{observe("a", "A", at(1))}}
		r.append(b)
		b.Op = history.OpID{2}
		equal(r, "unchanged", r.append(b).Results[0].Unchanged, true)
	}},
	{"ZeroOpIsNone", func(r *rig) {
		r.append(history.Batch{Observations: []history.Observation{observe("a", "A", at(1))}})
		r.append(history.Batch{Observations: []history.Observation{observe("a", "B", at(2))}})
		equal(r, "history", r.told("a", 0), "v1 A@1 v2 B@2")
	}},
	{"ReplayInAClosedRunReturnsFirstReceipt", func(r *rig) {
		r.open(history.Run{ID: "r", Moment: at(5)})
		b := history.Batch{Op: history.OpID{9}, Run: "r", Refused: 1, Observations: []history.Observation{observe("a", "A", at(5))}}
		first := r.append(b)
		same(r, "replay in the open run", r.append(b), first)
		equal(r, "observed", r.run("r").Observed, 1)
		equal(r, "refused", r.run("r").Refused, 1)
		r.close("r", history.CompleteForced)
		same(r, "replay in the closed run", r.append(b), first)
	}},
	{"ErrorIsNotRemembered", func(r *rig) {
		b := history.Batch{Op: history.OpID{1}, Run: "r", Observations: []history.Observation{observe("a", "A", at(1))}}
		_, err := r.store.Append(ctx, b)
		refused(r, "unknown run", err, history.NotFound)
		r.open(history.Run{ID: "r", Moment: at(5)})
		equal(r, "version", r.append(b).Results[0].Version, 1)
	}},
	{"SentAgainAfterUnknownOutcome", func(r *rig) {
		done, cancel := context.WithCancel(ctx)
		cancel()
		b := history.Batch{Op: history.OpID{1}, Observations: []history.Observation{observe("a", "A", at(1)), observe("a", "B", at(2))}}
		if _, err := r.store.Append(done, b); err == nil {
			r.Fatal("appended under a cancelled context")
		}
		receipt := r.append(b)
		equal(r, "versions", fmt.Sprint(receipt.Results[0].Version, receipt.Results[1].Version), "1 2")
		equal(r, "changes", len(r.feed()), 2)
	}},
	{"ReceiptIsTheCallersOwn", func(r *rig) {
		b := history.Batch{Op: history.OpID{1}, Observations: []history.Observation{observe("a", "A", at(1))}}
		first := r.append(b)
		first.Results[0].Version = 99
		again := r.append(b)
		equal(r, "version", again.Results[0].Version, 1)
		again.Results[0].Version = 99
		equal(r, "version", r.append(b).Results[0].Version, 1)
	}},
}

// replay sends a batch with every kind of result twice, and something between.
func replay(r *rig, between func()) {
	r.Helper()
	r.see("a", "A", at(1))
	bad := observe("b", "A", at(1))
	bad.Key.ID = ""
	b := history.Batch{Op: history.OpID{1, 2, 3}, Observations: []history.Observation{
		observe("a", "A", at(4)), observe("a", "B", at(2)), bad, observe("b", "-", at(1)),
	}}
	first := r.append(b)
	r.see("a", "C", at(9))
	between()
	before := r.head()
	same(r, "replayed receipt", r.append(b), first)
	same(r, "head", r.head(), before)
	equal(r, "history", r.told("a", 0), "v1 A@1 v2 B@2 v3 A@4 v4 C@9")
}

var expectCases = []namedCase{
	{"ZeroIsUnknown", func(r *rig) {
		o := observe("a", "A", at(1))
		o.Expect = new(uint32(0))
		equal(r, "version", r.record(o).Version, 1)
		o.State = letter("B")
		refused(r, "known by now", r.try(o).Err, history.Conflict)
	}},
	{"MatchesTheNewestInCapturedTime", func(r *rig) {
		r.play("A@1 C@9 B@5") // v1 v3 v2
		o := observe("a", "D", at(10))
		o.Expect = new(uint32(3))
		refused(r, "the latest number", r.try(o).Err, history.Conflict)
		o.Expect = new(uint32(2))
		equal(r, "version", r.record(o).Version, 4)
	}},
	{"IsWhatGetShows", func(r *rig) {
		for i, step := range []string{"A@3", "A@1", "B@2", "-@5", "[4]", "C@5", "C@9", "D@7", "[9]"} {
			r.playAs(i, step)
			o := observe("a", fmt.Sprintf("E%d", i), at(20+i))
			shown := r.get("a", history.At{}).Version
			o.Expect = new(shown + 1)
			refused(r, "one more than shown", r.try(o).Err, history.Conflict)
			o.Expect = new(shown)
			o.CapturedAt = at(-i - 1)
			if err := r.try(o).Err; err != nil {
				r.Fatal(err)
			}
		}
	}},
	{"DeletionCountsByItsNumber", func(r *rig) {
		r.play("A@1 -@3")
		o := observe("a", "B", at(5))
		o.Expect = new(uint32(0))
		refused(r, "zero", r.try(o).Err, history.Conflict)
		o.Expect = new(uint32(2))
		equal(r, "version", r.record(o).Version, 3)
	}},
	{"DerivedDeletionCountsByItsNumber", func(r *rig) {
		r.play("A@1 [3]")
		o := observe("a", "B", at(5))
		o.Expect = new(uint32(1))
		refused(r, "before the deletion", r.try(o).Err, history.Conflict)
		o.Expect = new(uint32(2))
		equal(r, "version", r.record(o).Version, 3)
	}},
	{"SightingDoesNotMoveIt", func(r *rig) {
		r.play("A@1 A@5 A@9")
		o := observe("a", "B", at(10))
		o.Expect = new(uint32(1))
		equal(r, "version", r.record(o).Version, 2)
	}},
	{"UnchangedMustMatchToo", func(r *rig) {
		r.play("A@1")
		o := observe("a", "A", at(2))
		o.Expect = new(uint32(2))
		refused(r, "equal state", r.try(o).Err, history.Conflict)
		o.Expect = new(uint32(1))
		equal(r, "unchanged", r.record(o).Unchanged, true)
	}},
	{"ConflictNamesTheNewest", func(r *rig) {
		r.play("A@1 B@2")
		o := observe("a", "C", at(3))
		o.Expect = new(uint32(1))
		err := r.try(o).Err
		refused(r, "older", err, history.Conflict)
		var e *history.Error
		errors.As(err, &e)
		equal(r, "newest version", e.Meta["newest_version"], "2")
	}},
	{"SeesEarlierItemsOfItsBatch", func(r *rig) {
		first, second, third := observe("a", "A", at(1)), observe("a", "B", at(2)), observe("a", "C", at(3))
		first.Expect, second.Expect, third.Expect = new(uint32(0)), new(uint32(1)), new(uint32(1))
		results := r.append(history.Batch{Observations: []history.Observation{first, second, third}}).Results
		equal(r, "second", results[1].Version, 2)
		refused(r, "third", results[2].Err, history.Conflict)
	}},
}

// playAs plays one step under run ids of its own.
func (r *rig) playAs(n int, step string) {
	r.Helper()
	if strings.HasPrefix(step, "[") {
		r.playRun(history.RunID(fmt.Sprintf("run-as-%d", n)), strings.Fields(strings.Trim(step, "[]")), false)
		return
	}
	r.record(r.evidence(step))
}
