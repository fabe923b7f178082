package historytest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
)

// Model plays random operations on a store and on the oracle, seeds times
// opsPerSeed of them, and compares every read; then it records one set of facts
// in two random orders and compares the answers. Everything follows from the
// seed.
func Model(t *testing.T, b Backend, seeds, opsPerSeed int) {
	first, seeds := seedRange(t, seeds)
	for seed := first; seed < first+uint64(seeds); seed++ {
		if !t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			w, ops := generate(random{rand.New(rand.NewPCG(seed, 0))}, opsPerSeed)
			if err := play(t, b, w, ops, seed, (*actor).compareEverything); err != nil {
				ops, err = shrink(t, b, w, ops, seed, err)
				t.Fatalf("seed %d (VARVE_SEED=%d VARVE_SEEDS=1):\n%s\n%v", seed, seed, w.tell(ops), err)
			}
			orders(t, b, seed)
		}) {
			return
		}
	}
}

// ModelBytes plays the operations that the bytes of a fuzzer spell, and compares
// what each of them may have changed.
func ModelBytes(t *testing.T, b Backend, data []byte) {
	w, ops := generate(&spelled{data}, 60)
	if err := play(t, b, w, ops, 0, (*actor).compareSample); err != nil {
		t.Fatalf("%s\n%v", w.tell(ops), err)
	}
}

// seedRange reads VARVE_SEED, VARVE_SEEDS and VARVE_SCALE.
func seedRange(t *testing.T, seeds int) (first uint64, n int) {
	read := func(name string, otherwise float64) float64 {
		text := os.Getenv(name)
		if text == "" {
			return otherwise
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || v < 0 {
			t.Fatalf("%s=%q: must be a number", name, text)
		}
		return v
	}
	if testing.Short() {
		seeds /= 4
	}
	scaled := max(1, float64(seeds)*read("VARVE_SCALE", 1))
	return uint64(read("VARVE_SEED", 1)), int(read("VARVE_SEEDS", scaled))
}

// source is where choices come from.
type source interface {
	below(n int) int // 0 to n-1
	spent() bool     // no more choices
}

type random struct{ *rand.Rand }

func (r random) below(n int) int { return r.IntN(n) }
func (r random) spent() bool     { return false }

// spelled makes each choice with a byte.
type spelled struct{ data []byte }

func (s *spelled) spent() bool { return len(s.data) == 0 }
func (s *spelled) below(n int) int {
	if s.spent() {
		return 0
	}
	c := s.data[0]
	s.data = s.data[1:]
	return int(c) % n
}

func pick[T any](s source, list []T) T { return list[s.below(len(list))] }

// world is the small universe of one seed: so small that ties, returns and late
// captures happen all the time.
type world struct {
	keys    []history.Key
	states  []history.State
	names   []string // of the states
	moments []history.Moment
	begin   time.Time // what the clock shows first: long after the moments, or amid them
}

var (
	modelAccounts = []string{"", "1", "12"}
	modelRegions  = []string{"", "r"}
	modelTypes    = []string{"T", "T::U"}
	modelIDs      = []string{"a", "-b", "é"}
)

// modelState is the state of a letter with what filters look at: a name, tags,
// and with links.
func modelState(l string) history.State {
	s := letter(l)
	if links, ok := modelLinks[l]; ok {
		links.State = l
		s.Configuration = links.configuration()
	}
	if !s.Deleted {
		s.Tags = map[string]string{"letter": l}
		if l == "B" || l == "C" {
			s.Tags["team"] = ""
		}
	}
	return s
}

func makeWorld(s source) *world {
	w := &world{begin: epoch.Add(time.Hour)}
	if s.below(3) == 0 {
		w.begin = (at(100) + history.Moment(s.below(40))).Time()
	}
	resources := 2 + s.below(4)
	if s.below(8) == 0 {
		resources = 11 + s.below(12) // enough for a greedy run
	}
	for len(w.keys) < resources {
		k := history.Key{
			Account: pick(s, modelAccounts), Region: pick(s, modelRegions), Type: pick(s, modelTypes),
			ID: pick(s, modelIDs) + strings.Repeat("+", len(w.keys)/3),
		}
		if slices.Contains(w.keys, k) {
			k.ID += strconv.Itoa(len(w.keys))
		}
		w.keys = append(w.keys, k)
	}
	for _, l := range "AB-CxnoD"[:3+s.below(6)] {
		w.names = append(w.names, string(l))
		w.states = append(w.states, modelState(string(l)))
	}
	gap := history.Moment(1 + 9*s.below(2)) // neighbours, or not
	for i := range 3 + s.below(6) {
		w.moments = append(w.moments, at(100)+history.Moment(i)*gap)
	}
	return w
}

// The operations.
type opKind int

const (
	opAppend opKind = iota
	opOpenRun
	opCloseRun
	opTick
	opReopen
	opKill
	opPrune
	opErase
	opFold
	opRelink
)

// op is one operation, in words that mean something whatever came before it.
type op struct {
	kind opKind

	// opAppend, opOpenRun, opCloseRun
	run history.RunID

	// opAppend
	id           byte // operation id; 0: none
	refused      int
	observations []sight

	// opOpenRun
	moment int // see sight.moment
	scope  history.Scope
	short  bool // times out soon

	// opCloseRun
	how history.Disposal

	// opTick
	by time.Duration

	// opPrune: moment is the floor. opPrune, opFold: recorded, in hundredths of
	// all revisions; -1: not given.
	typ      string
	recorded int

	// opErase
	key     int
	version uint32

	// opRelink
	linker string
}

// sight is one observation.
type sight struct {
	key    int // -1: one that cannot be stored
	state  int
	moment int // index, or one of the words below
	expect expectation
}

const (
	momentNone   = -1 // not given
	momentLimit  = -2 // as far in the future as is allowed
	momentFuture = -3 // a microsecond further
	momentBad    = -4 // before the epoch
)

type expectation int

const (
	expectNothing expectation = iota
	expectNewest
	expectOther
	expectUnknown
)

// generate makes a world and operations on it.
func generate(s source, n int) (*world, []op) {
	w := makeWorld(s)
	var ops []op
	var runs []history.RunID
	for len(ops) < n && !s.spent() {
		o := op{}
		switch c := s.below(38); {
		case c < 4 && len(w.keys) > 10:
			id := history.RunID(fmt.Sprint("r", len(runs)+1))
			runs, ops = append(runs, id), append(ops, w.makeSweep(s, id)...)
			continue
		case c < 19:
			o = w.makeAppend(s, runs)
		case c < 21 && len(ops) > 0: // replay
			o = pick(s, ops)
			if o.kind != opAppend || o.id == 0 {
				o = w.makeAppend(s, runs)
			}
		case c < 24:
			o = op{kind: opOpenRun, run: history.RunID(fmt.Sprint("r", len(runs)+1)), moment: w.makeMoment(s), short: s.below(12) == 0}
			if len(runs) > 0 && s.below(16) == 0 {
				o.run = pick(s, runs)
			}
			if s.below(3) == 0 {
				o.scope.Accounts = []string{pick(s, modelAccounts)}
			}
			if s.below(4) == 0 {
				o.scope.Types = []string{pick(s, modelTypes), "V"}
			}
			if s.below(6) == 0 {
				o.scope.Regions = []string{pick(s, modelRegions)}
			}
			runs = append(runs, o.run)
		case c < 27:
			o = op{kind: opCloseRun, run: "none", how: pick(s, []history.Disposal{
				history.Complete, history.Complete, history.CompleteForced, history.CompleteForced, history.Abort,
			})}
			if len(runs) > 0 {
				o.run = runs[max(0, len(runs)-1-s.below(3))]
			}
		case c < 29:
			o = op{kind: opTick, by: pick(s, []time.Duration{
				time.Microsecond, time.Second, time.Minute, -time.Second, -time.Hour, 25 * time.Hour,
			})}
		case c < 30:
			o = op{kind: opReopen}
		case c < 31:
			o = op{kind: opKill}
		case c < 34:
			o = w.makePrune(s)
		case c < 35:
			o = op{kind: opErase, key: s.below(len(w.keys)), version: uint32(s.below(7))}
		case c < 36:
			o = op{kind: opFold, recorded: s.below(101)}
		case c < 37:
			o = op{kind: opRelink, linker: pick(s, []string{"first", "second"})}
		default:
			o = op{kind: opTick, by: time.Microsecond}
		}
		ops = append(ops, o)
	}
	return w, ops
}

func (w *world) makeAppend(s source, runs []history.RunID) op {
	o := op{kind: opAppend}
	if s.below(4) == 0 {
		o.id = byte(1 + s.below(250))
	}
	if len(runs) > 0 && s.below(2) == 0 {
		o.run = runs[max(0, len(runs)-1-s.below(2))]
		if s.below(24) == 0 {
			o.refused = 1
		}
	}
	for range 1 + s.below(1+s.below(6)) {
		v := sight{key: s.below(len(w.keys)), state: s.below(len(w.states)), moment: w.makeMoment(s)}
		if s.below(40) == 0 {
			v.key = -1
		}
		if s.below(6) == 0 {
			v.expect = expectation(1 + s.below(3))
		}
		o.observations = append(o.observations, v)
	}
	return o
}

// makeSweep makes a herd, and a run which missed some of it.
func (w *world) makeSweep(s source, id history.RunID) []op {
	moment := s.below(len(w.moments))
	herd, seen := op{kind: opAppend}, op{kind: opAppend, run: id}
	missed := 1 + s.below(3)
	for key := range w.keys {
		herd.observations = append(herd.observations, sight{key: key, moment: moment})
		if s.below(4) >= missed {
			seen.observations = append(seen.observations, sight{key: key, moment: momentNone})
		}
	}
	open := op{kind: opOpenRun, run: id, moment: min(moment+s.below(3), len(w.moments)-1)}
	end := op{kind: opCloseRun, run: id, how: history.Complete}
	if s.below(3) == 0 || len(seen.observations) == 0 {
		return []op{herd, open, end}
	}
	return []op{herd, open, seen, end}
}

// makePrune draws low floors more often than high ones.
func (w *world) makePrune(s source) op {
	o := op{kind: opPrune, moment: s.below(1 + s.below(len(w.moments))), recorded: -1}
	if s.below(12) == 0 {
		o.moment = pick(s, []int{momentNone, momentBad, momentLimit})
	}
	if s.below(2) == 0 {
		o.typ = pick(s, modelTypes)
	}
	if s.below(2) == 0 {
		o.recorded = s.below(101)
	}
	return o
}

func (w *world) makeMoment(s source) int {
	switch s.below(48) {
	case 0:
		return momentFuture
	case 1:
		return momentLimit
	case 2, 3, 4:
		return momentNone
	}
	return s.below(len(w.moments))
}

// tell writes operations down for people.
func (w *world) tell(ops []op) string {
	var b strings.Builder
	for i, k := range w.keys {
		fmt.Fprintf(&b, "  k%d = %q\n", i, k)
	}
	for i, o := range ops {
		fmt.Fprintf(&b, "%3d ", i+1)
		switch o.kind {
		case opAppend:
			b.WriteString("append")
			if o.id != 0 {
				fmt.Fprintf(&b, " op %d", o.id)
			}
			if o.run != "" {
				fmt.Fprintf(&b, " in %s", o.run)
			}
			if o.refused > 0 {
				fmt.Fprintf(&b, " refused %d", o.refused)
			}
			b.WriteByte(':')
			for _, v := range o.observations {
				key := "k?"
				if v.key >= 0 {
					key = fmt.Sprint("k", v.key)
				}
				fmt.Fprintf(&b, " %s %s%s%s,", key, w.names[v.state], momentName(v.moment),
					[...]string{"", " expect newest", " expect other", " expect unknown"}[v.expect])
			}
		case opOpenRun:
			fmt.Fprintf(&b, "open %s%s", o.run, momentName(o.moment))
			if s := o.scope; len(s.Accounts)+len(s.Regions)+len(s.Types) > 0 {
				fmt.Fprintf(&b, " scope %q", s)
			}
			if o.short {
				b.WriteString(" short")
			}
		case opCloseRun:
			fmt.Fprintf(&b, "%s %s", [...]string{"complete", "force", "abort"}[o.how], o.run)
		case opTick:
			fmt.Fprintf(&b, "clock %+v", o.by)
		case opReopen:
			b.WriteString("reopen")
		case opKill:
			b.WriteString("kill")
		case opPrune:
			fmt.Fprintf(&b, "prune %q%s recorded %d%%", o.typ, momentName(o.moment), o.recorded)
		case opErase:
			fmt.Fprintf(&b, "erase k%d v%d", o.key, o.version)
		case opFold:
			fmt.Fprintf(&b, "fold recorded %d%%", o.recorded)
		case opRelink:
			fmt.Fprintf(&b, "relink by %s", o.linker)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func momentName(m int) string {
	switch m {
	case momentNone:
		return ""
	case momentLimit:
		return "@limit"
	case momentFuture:
		return "@future"
	case momentBad:
		return "@bad"
	}
	return fmt.Sprint("@", m)
}

// shrink looks for a shorter list of operations that fails as well.
func shrink(t *testing.T, b Backend, w *world, ops []op, seed uint64, err error) ([]op, error) {
	tries := 0
	fails := func(ops []op) (failed error) {
		if tries++; tries > 600 {
			return nil
		}
		t.Run("shrink", func(t *testing.T) { failed = play(t, b, w, ops, seed, (*actor).compareEverything) })
		return failed
	}
	remove := func() {
		for size := max(1, len(ops)/2); size >= 1; size /= 2 {
			for from := len(ops) - size; from >= 0; from -= size {
				without := slices.Concat(ops[:from], ops[from+size:])
				if e := fails(without); e != nil {
					ops, err = without, e
					from = min(from, len(ops))
				}
			}
		}
	}
	remove()
	simpler := []func(o *op){
		func(o *op) { o.run = "" },
		func(o *op) { o.id, o.refused = 0, 0 },
		func(o *op) { o.observations = slices.Clone(o.observations); o.observations[0].expect = expectNothing },
	}
	for i := range ops {
		if ops[i].kind != opAppend {
			continue
		}
		for _, edit := range simpler {
			without := slices.Clone(ops)
			edit(&without[i])
			if e := fails(without); e != nil {
				ops, err = without, e
			}
		}
		for j := 0; j < len(ops[i].observations) && len(ops[i].observations) > 1; {
			without := slices.Clone(ops)
			without[i].observations = slices.Delete(slices.Clone(ops[i].observations), j, j+1)
			if e := fails(without); e != nil {
				ops, err = without, e
				continue
			}
			j++
		}
	}
	remove()
	return ops, err
}

// mismatch is what a comparison panics with, to end the play.
type mismatch string

func fail(format string, args ...any) { panic(mismatch(fmt.Sprintf(format, args...))) }

func check(err error) {
	if err != nil {
		fail("%v", err)
	}
}

// actor plays on the store under test and on the oracle.
type actor struct {
	t      *testing.T
	b      Backend
	w      *world
	clock  *Clock
	o      *oracle
	s      history.Store
	follow history.Position // how far the feed was read along
	read   int              // the changes up to there
}

// play opens a store, plays the operations and compares all the while, and for
// the last time with the comparison given.
func play(t *testing.T, b Backend, w *world, ops []op, seed uint64, finally func(*actor, source)) (err error) {
	clock := NewClock(w.begin)
	first := modelLinker("first")
	a := &actor{t: t, b: b, w: w, clock: clock, s: b.Open(t, Options{Now: clock.Now, StoreID: testStore, Linker: first})}
	head, err := a.s.Head(ctx)
	if err != nil {
		return err
	}
	a.o = newOracle(lineage(head), clock.Now)
	a.o.linker = first
	step := 0
	defer func() {
		if p := recover(); p != nil {
			if m, ok := p.(mismatch); ok {
				err = fmt.Errorf("after step %d: %s", step, m)
			} else {
				err = fmt.Errorf("in step %d: panic: %v\n%s", step, p, debug.Stack())
			}
		}
		if err == nil && b.Check != nil {
			b.Check(t, a.s)
		}
		if e := a.s.Close(); err == nil && e != nil {
			err = e
		}
	}()
	for i, o := range ops {
		step = i + 1
		a.act(o)
		s := random{rand.New(rand.NewPCG(seed, uint64(step)))}
		a.compareLatest(s, o)
		switch {
		case step == len(ops):
			finally(a, s)
		case step%12 == 0:
			a.compareSample(s)
		}
	}
	return nil
}

func (a *actor) act(o op) {
	switch o.kind {
	case opAppend:
		a.append(o)
	case opOpenRun:
		a.openRun(o)
	case opCloseRun:
		got, err := a.s.CloseRun(ctx, o.run, o.how, "because")
		want, meta, wantErr := a.o.closeRun(o.run, o.how, "because")
		sameError("close "+string(o.run), err, wantErr)
		var e *history.Error
		if errors.As(err, &e) && meta != nil {
			sameAs("numbers of the refusal", e.Meta, meta)
		}
		if err == nil {
			sameAs("closed run", got, want)
		}
	case opTick:
		a.clock.Advance(o.by)
	case opReopen:
		if a.b.Reopen != nil {
			a.reopened(a.b.Reopen(a.t, a.s))
		}
	case opKill:
		if a.b.Kill != nil {
			a.s = a.b.Kill(a.t, a.s)
		}
	case opPrune:
		a.prune(o)
	case opErase:
		err := a.s.(history.Eraser).Erase(ctx, a.w.keys[o.key], o.version)
		sameError("erase", err, a.o.erase(a.w.keys[o.key], o.version))
	case opFold:
		moment := a.recorded(o.recorded) + 1
		got, err := a.s.(history.Folder).Fold(ctx, moment)
		check(err)
		if want := a.o.fold(moment); got != want {
			fail("fold dropped %d sightings, want %d", got, want)
		}
	case opRelink:
		if a.b.Relinked != nil {
			a.o.linker = modelLinker(o.linker)
			a.reopened(a.b.Relinked(a.t, a.s, a.o.linker))
			check(a.s.(history.Relinker).Relink(ctx, nil))
		}
	}
}

// reopened goes on with a store that was opened again.
func (a *actor) reopened(s history.Store) {
	a.s = s
	if d, ok := s.(history.Descendant); ok {
		a.o.restored(d.Lineage())
	}
}

// prune has the store say what it would drop, and then drop it.
func (a *actor) prune(o op) {
	r := history.PruneRequest{Floor: a.moment(o.moment), Type: o.typ, Recorded: a.recorded(o.recorded)}
	if o.moment == momentNone {
		r.Floor = a.o.now()
	}
	for _, r.DryRun = range []bool{true, false} {
		got, err := a.s.(history.Pruner).Prune(ctx, r)
		want, wantErr := a.o.prune(r)
		sameError(fmt.Sprintf("prune %+v", r), err, wantErr)
		if err == nil {
			sameAs(fmt.Sprintf("pruned, dry %t", r.DryRun), got, want)
		}
		floors, err := a.s.(history.Pruner).Floors(ctx)
		check(err)
		sameAs("floors", floors, a.o.floors)
	}
}

// recorded is the moment at which some of all revisions were recorded.
func (a *actor) recorded(percent int) history.Moment {
	if n := len(a.o.recorded); percent >= 0 && n > 0 {
		return a.o.recorded[(n-1)*percent/100]
	}
	return 0
}

// moment gives a moment's word its meaning now.
func (a *actor) moment(word int) history.Moment {
	switch word {
	case momentNone:
		return 0
	case momentLimit:
		return a.o.now() + a.o.slack
	case momentFuture:
		return a.o.now() + a.o.slack + 1
	case momentBad:
		return -1
	}
	return a.w.moments[word]
}

func (a *actor) append(o op) {
	b := history.Batch{Run: o.run, Refused: o.refused, Op: history.OpID{o.id}}
	for _, v := range o.observations {
		observation := history.Observation{
			CapturedAt: a.moment(v.moment), State: a.w.states[v.state],
			Origin: history.Origin{Provider: "model", Source: a.w.names[v.state], Cause: history.Cause{Actor: "somebody"}},
		}
		newest := uint32(0)
		if v.key >= 0 {
			observation.Key = a.w.keys[v.key]
			if l := a.o.lives[observation.Key]; l != nil {
				newest = l.newest()
			}
		}
		switch v.expect {
		case expectNewest:
			observation.Expect = new(newest)
		case expectOther:
			observation.Expect = new(newest + 1)
		case expectUnknown:
			observation.Expect = new(uint32(0))
		}
		b.Observations = append(b.Observations, observation)
	}

	got, err := a.s.Append(ctx, b)
	want, wantErr := a.o.append(b)
	sameError("append", err, wantErr)
	if err != nil {
		return
	}
	if len(got.Results) != len(want.Results) || got.Revision != want.Revision || got.Position != want.Position {
		fail("receipt: got %+v\nwant %+v", got, want)
	}
	for i, g := range got.Results {
		x := want.Results[i]
		sameError(fmt.Sprint("observation ", i), g.Err, x.Err)
		g.Err, x.Err = nil, nil
		if g != x {
			fail("result of observation %d:\n got %+v\nwant %+v", i, g, x)
		}
	}
}

func (a *actor) openRun(o op) {
	run := history.Run{ID: o.run, Moment: a.moment(o.moment), Scope: o.scope}
	if o.short {
		run.Deadline = a.o.now() + 1
	}
	got, err := a.s.OpenRun(ctx, run)
	want, wantErr := a.o.openRun(run)
	sameError("open "+string(o.run), err, wantErr)
	if err == nil {
		sameAs("opened run", got, want)
	}
}

// sameError compares an error with the kind that is wanted.
func sameError(what string, got, want error) {
	if want == nil && got == nil {
		return
	}
	if want == nil || got == nil || !errors.Is(got, want) {
		fail("%s: got error %v, want %v", what, got, want)
	}
}

func sameAs(what string, got, want any) {
	if reflect.DeepEqual(want, got) {
		return
	}
	if d := difference(want, got); d != "" {
		fail("%s (-want +got):\n%s", what, d)
	}
}
