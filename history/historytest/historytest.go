// Package historytest is the suite that every [history.Store] runs: named cases
// for each rule of the contract ([Run]), random operations compared with an
// oracle written from the definition of versions ([Model]), and benchmarks
// ([Bench]).
//
// Three numbers come from the environment: VARVE_SCALE (decimals allowed)
// multiplies the seeds a test asks for, VARVE_SEEDS replaces them, and
// VARVE_SEED is the first seed (default 1). A failed seed prints the shortest list of operations found that
// fails alike.
package historytest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
)

// Backend is what the suite needs of an implementation. A nil function is a
// power the backend lacks; the cases that need it are skipped and say so.
type Backend struct {
	// Open opens a fresh, empty store which lasts until the test ends. The
	// suite closes it.
	Open func(t testing.TB, o Options) history.Store

	// Reopen closes the store and opens its data again under the options it
	// was opened with. It may be a copy, even of another incarnation, which
	// the model takes note of where the store is a history.Descendant.
	Reopen func(t testing.TB, s history.Store) history.Store

	// Kill opens the store's data again as a crash would have left it: without
	// Close, and with nothing but what was durable. The old store is not used
	// again.
	Kill func(t testing.TB, s history.Store) history.Store

	// Relinked closes the store and opens its data again with another linker, or
	// none, and else as it was opened. A backend that has it makes stores that
	// are a history.Relinker.
	Relinked func(t testing.TB, s history.Store, l history.Linker) history.Store

	// Check looks for damage in a store that no other goroutine uses. It runs
	// at the end of every test, and may close the store.
	Check func(t testing.TB, s history.Store)
}

// Options every backend takes; each field must be honoured.
type Options struct {
	Now         func() time.Time
	FutureSlack time.Duration // zero: the default, 5 minutes
	StoreID     [16]byte
	Linker      history.Linker // nil: no links
}

// Run runs every named case as a subtest of its group.
func Run(t *testing.T, b Backend) {
	for _, g := range []struct {
		name  string
		cases []namedCase
	}{
		{"Append", appendCases},
		{"Equal", equalCases},
		{"Sighting", scripted(sightingScripts)},
		{"LateCapture", scripted(lateScripts)},
		{"SameMoment", scripted(sameMomentScripts)},
		{"Deletion", scripted(deletionScripts)},
		{"Status", append(scripted(statusScripts), statusCases...)},
		{"Run", append(scripted(runScripts), runCases...)},
		{"Clock", clockCases},
		{"Op", opCases},
		{"Expect", expectCases},
		{"Known", knownCases},
		{"Feed", feedCases},
		{"Position", positionCases},
		{"Get", getCases},
		{"Version", versionCases},
		{"History", historyCases},
		{"Items", itemsCases},
		{"Count", countCases},
		{"Find", findCases},
		{"Links", append(linkScripted(linkScripts), linkCases...)},
		{"Relink", relinkCases},
		{"Keys", keyCases},
		{"Values", valueCases},
		{"Limits", limitCases},
		{"Context", contextCases},
		{"Prune", pruneCases},
		{"Erase", eraseCases},
		{"Unwritten", unwrittenCases},
		{"Fold", foldCases},
		{"Documents", documentCases},
		{"Close", closeCases},
		{"Crash", crashCases},
		{"Concurrent", concurrentCases},
	} {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.cases {
				t.Run(c.name, func(t *testing.T) { c.run(newRig(t, b)) })
			}
		})
	}
}

// namedCase is one rule of the contract, named by what holds.
type namedCase struct {
	name string
	run  func(r *rig)
}

// Clock is a clock that stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows the moment.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock; backwards if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// epoch is moment 0 of the cases; their clocks start an hour later.
var epoch = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

// at is the moment n seconds after the epoch.
func at(n int) history.Moment { return history.MomentOf(epoch.Add(time.Duration(n) * time.Second)) }

var (
	testStore = [16]byte{'a', ' ', 's', 't', 'o', 'r', 'e', ' ', 'u', 'n', 'd', 'e', 'r', ' ', 't'}
	ctx       = context.Background()
)

// rig is a store under test, its clock, and the short words of the cases.
// Whatever goes wrong in a word ends the test.
type rig struct {
	*testing.T
	b     Backend
	clock *Clock
	store history.Store
	names map[history.Hash]string // of the letters' states
}

func newRig(t *testing.T, b Backend) *rig {
	return newRigWith(t, b, Options{StoreID: testStore, Linker: firstLinker})
}

func newRigWith(t *testing.T, b Backend, o Options) *rig {
	r := &rig{T: t, b: b, clock: NewClock(epoch.Add(time.Hour)), names: map[history.Hash]string{}}
	o.Now = r.clock.Now
	r.store = b.Open(t, o)
	for _, l := range "ABCDEFx-no" {
		s := letter(string(l))
		r.names[history.HashContent(s.AppendContent(nil))] = string(l)
	}
	t.Cleanup(func() {
		if b.Check != nil {
			b.Check(t, r.store)
		}
		if err := r.store.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

// reopen closes the store and opens it again.
func (r *rig) reopen() {
	r.Helper()
	if r.b.Reopen == nil {
		r.Skip("this backend does not outlive Close")
	}
	r.store = r.b.Reopen(r.T, r.store)
}

// kill opens the store again as after a crash.
func (r *rig) kill() {
	r.Helper()
	if r.b.Kill == nil {
		r.Skip("this backend does not outlive a crash")
	}
	r.store = r.b.Kill(r.T, r.store)
}

// key is the resource of that id in the cases' usual place.
func key(id string) history.Key {
	return history.Key{Account: "111122223333", Region: "eu-north-1", Type: "AWS::EC2::Instance", ID: id}
}

// letter is the state that a letter stands for: "-" is a bare deletion, "x"
// another one, "n" was not recorded, "o" says OK, and capitals are
// configurations.
func letter(l string) history.State {
	switch l {
	case "-":
		return history.State{Deleted: true}
	case "x":
		return history.State{Deleted: true, Status: history.StatusDeletedNotRecorded}
	case "n":
		return history.State{Status: history.StatusNotRecorded}
	case "o":
		return history.State{Status: history.StatusOK, Configuration: []byte(`{"state":"o"}`)}
	}
	return history.State{Name: "name-" + l, Configuration: []byte(`{"state":"` + l + `"}`)}
}

func observe(id, state string, moment history.Moment) history.Observation {
	return history.Observation{Key: key(id), CapturedAt: moment, State: letter(state)}
}

// append records a batch.
func (r *rig) append(b history.Batch) history.Receipt {
	r.Helper()
	receipt, err := r.store.Append(ctx, b)
	if err != nil {
		r.Fatalf("append: %v", err)
	}
	if len(receipt.Results) != len(b.Observations) {
		r.Fatalf("append: %d results for %d observations", len(receipt.Results), len(b.Observations))
	}
	return receipt
}

// try records one observation, which may be refused.
func (r *rig) try(o history.Observation) history.Result {
	r.Helper()
	return r.append(history.Batch{Observations: []history.Observation{o}}).Results[0]
}

// record records one observation.
func (r *rig) record(o history.Observation) history.Result {
	r.Helper()
	result := r.try(o)
	if result.Err != nil {
		r.Fatalf("record %v at %v: %v", o.Key, o.CapturedAt, result.Err)
	}
	return result
}

// see records a letter's state.
func (r *rig) see(id, state string, moment history.Moment) history.Result {
	r.Helper()
	return r.record(observe(id, state, moment))
}

// open opens a run.
func (r *rig) open(run history.Run) history.Run {
	r.Helper()
	opened, err := r.store.OpenRun(ctx, run)
	if err != nil {
		r.Fatalf("open run %s: %v", run.ID, err)
	}
	return opened
}

// in records observations in a run.
func (r *rig) in(run history.RunID, observations ...history.Observation) []history.Result {
	r.Helper()
	return r.append(history.Batch{Run: run, Observations: observations}).Results
}

// close closes a run.
func (r *rig) close(id history.RunID, how history.Disposal) history.Run {
	r.Helper()
	run, err := r.store.CloseRun(ctx, id, how, "")
	if err != nil {
		r.Fatalf("close run %s: %v", id, err)
	}
	return run
}

// run is a run as it stands.
func (r *rig) run(id history.RunID) history.Run {
	r.Helper()
	run, err := r.store.Run(ctx, id)
	if err != nil {
		r.Fatalf("run %s: %v", id, err)
	}
	return run
}

func (r *rig) head() history.Head {
	r.Helper()
	head, err := r.store.Head(ctx)
	if err != nil {
		r.Fatalf("head: %v", err)
	}
	return head
}

// asOf is a reader; the zero At reads the newest state as known now.
func (r *rig) asOf(moment history.At) history.Reader {
	r.Helper()
	reader, err := r.store.AsOf(ctx, moment)
	if err != nil {
		r.Fatalf("as of %+v: %v", moment, err)
	}
	return reader
}

// get reads one resource.
func (r *rig) get(id string, moment history.At) history.Item {
	r.Helper()
	items, err := r.asOf(moment).Get(ctx, []history.Key{key(id)}, history.FieldsAll)
	if err != nil || len(items) != 1 {
		r.Fatalf("get %s at %+v: %d items, %v", id, moment, len(items), err)
	}
	return items[0]
}

// history reads the versions of one resource, newest first.
func (r *rig) history(k history.Key, known history.Revision) []history.Item {
	r.Helper()
	items, more, err := r.asOf(history.At{Known: known}).History(ctx, k, history.HistoryQuery{})
	if err != nil || more {
		r.Fatalf("history of %v: more: %t, %v", k, more, err)
	}
	return items
}

// items reads the inventory.
func (r *rig) items(moment history.At, q history.Query) []history.Item {
	r.Helper()
	items, more, err := r.asOf(moment).Items(ctx, q)
	if err != nil || more {
		r.Fatalf("items %+v: more: %t, %v", q, more, err)
	}
	return items
}

// feed reads the whole feed.
func (r *rig) feed() []history.Change {
	r.Helper()
	return r.changes("")
}

// changes reads the feed from a position to its end.
func (r *rig) changes(after history.Position) []history.Change {
	r.Helper()
	list, _, err := r.store.Changes(ctx, after, 1<<20, 0)
	if err != nil {
		r.Fatalf("changes after %q: %v", after, err)
	}
	return list
}

// equal ends the test unless what was got is what was wanted.
func equal[T comparable](r *rig, what string, got, want T) {
	r.Helper()
	if got != want {
		r.Fatalf("%s:\n got %v\nwant %v", what, got, want)
	}
}

// same is equal for what prints, with %+v, as it is.
func same(r *rig, what string, got, want any) {
	r.Helper()
	if diff := difference(want, got); diff != "" {
		r.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// ids lists the ids of items or keys in their order.
func ids(items []history.Item) string {
	var list []string
	for _, i := range items {
		list = append(list, i.Key.ID)
	}
	return strings.Join(list, " ")
}
