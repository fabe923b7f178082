package historytest

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/varvehq/varve/history"
)

// oracle is a store by definition. It keeps every observation and every
// completed run, and after each it tells the whole story of the resource anew:
// sort the evidence, drop what was seen twice, put in the deletions that absence
// demands, cut into maximal runs. What it told at a revision it keeps, so that
// answers to earlier knowledge can be held against what was said then. It shares
// no rule with package plan.
type oracle struct {
	lineage history.Lineage
	clock   func() time.Time
	slack   history.Moment
	linker  history.Linker

	recorded []history.Moment // of revision i+1
	latest   history.Moment   // of the newest revision
	lives    map[history.Key]*life
	runs     []*oracleRun // in order of opening
	feed     []history.Change
	receipts map[history.OpID]receipt
	ever     uint64 // resources
	floors   history.Floors
}

// life is one resource.
type life struct {
	key      history.Key
	facts    []fact // by captured moment and revision; no state twice at one moment
	versions []version
	numbers  uint32    // given so far
	told     []telling // one for each revision that touched it
	rows     map[uint32]*oracleRow
	folded   history.Revision // newest at the last folding
}

type telling struct {
	revision history.Revision
	items    []history.Item // in captured time
}

// fact is an observation that was accepted.
type fact struct {
	at     history.Moment
	rev    history.Revision
	state  history.State
	hash   history.Hash
	origin history.Origin

	sighted bool // it is kept as a sighting
	begins  bool // a version was recorded that begins with it
	pruned  bool // the sighting was
}

// version is a maximal run of equal state.
type version struct {
	at      history.Moment
	state   history.State
	hash    history.Hash
	absence bool   // it begins with a derived deletion
	facts   []fact // its evidence

	number   uint32
	opened   history.Revision
	recorded history.Moment
	origin   history.Origin
}

type oracleRun struct {
	history.Run
	seen   map[history.Key]bool
	floors history.Floors // when it was closed
}

func newOracle(l history.Lineage, clock func() time.Time) *oracle {
	return &oracle{
		lineage: l, clock: clock, slack: history.Moment((5 * time.Minute).Microseconds()),
		lives: map[history.Key]*life{}, receipts: map[history.OpID]receipt{},
	}
}

func (o *oracle) now() history.Moment { return max(history.MomentOf(o.clock()), o.latest) }

func (o *oracle) revision() history.Revision { return history.Revision(len(o.recorded)) }

// restored gives positions anew, as another incarnation writes them.
func (o *oracle) restored(l history.Lineage) {
	for i := range o.feed {
		o.feed[i].Position = l.Position(o.feed[i].Seq)
	}
	for id, r := range o.receipts {
		seq, err := o.lineage.Seq(r.Position, math.MaxUint64)
		check(err)
		r.Position = l.Position(seq)
		o.receipts[id] = r
	}
	o.lineage = l
}

func (o *oracle) end() history.Position { return o.lineage.Position(history.Seq(len(o.feed))) }

// keys of every resource, in order.
func (o *oracle) keys() []history.Key {
	var keys []history.Key
	for k := range o.lives {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, history.Key.Compare)
	return keys
}

func (o *oracle) head() history.Head {
	return history.Head{
		StoreID: o.lineage.StoreID, Revision: o.revision(), RecordedAt: o.latest, Position: o.end(), Resources: o.ever,
	}
}

// commit gives the next revision.
func (o *oracle) commit(now history.Moment) history.Revision {
	o.recorded, o.latest = append(o.recorded, now), now
	return o.revision()
}

// receipt is the first answer to an operation.
type receipt struct {
	at history.Moment
	history.Receipt
}

// append is what Append should return. Errors are bare kinds.
func (o *oracle) append(b history.Batch) (history.Receipt, error) {
	now := o.now()
	if first, ok := o.receipts[b.Op]; ok && now-first.at < history.MomentOf(time.Unix(0, 0).Add(history.OpRetention)) {
		return first.Receipt, nil
	}
	var run *oracleRun
	if b.Run != "" {
		if run = o.run(b.Run); run == nil {
			return history.Receipt{}, history.NotFound
		}
		if run.standing(now).State != history.RunOpen {
			return history.Receipt{}, history.RunClosed
		}
		run.Refused += uint64(b.Refused)
	}
	var answer history.Receipt
	for _, observation := range b.Observations {
		result := o.observe(observation, run, now)
		if run != nil && result.Err == nil {
			run.Observed++
			run.seen[observation.Key] = true
		} else if run != nil {
			run.Refused++
		}
		answer.Results = append(answer.Results, result)
	}
	answer.Revision, answer.Position = o.revision(), o.end()
	if b.Op != (history.OpID{}) {
		o.receipts[b.Op] = receipt{now, answer}
	}
	return answer, nil
}

func (o *oracle) observe(observation history.Observation, run *oracleRun, now history.Moment) history.Result {
	f := fact{at: observation.CapturedAt, state: observation.State, origin: observation.Origin}
	f.hash = history.HashContent(f.state.AppendContent(nil))
	if f.at == 0 {
		f.at = now
	}
	if run != nil {
		f.origin.Run = run.ID
		if observation.CapturedAt == 0 {
			f.at = run.Moment
		}
	}
	switch {
	case observation.Key.Type == "" || observation.Key.ID == "" || f.at < 0:
		return history.Result{Err: history.Invalid}
	case f.at > now+o.slack:
		return history.Result{Err: history.Future}
	case f.at < o.floors.Of(observation.Key.Type):
		return history.Result{Err: history.Compacted}
	}

	l := o.lives[observation.Key]
	if l == nil {
		l = &life{key: observation.Key, rows: map[uint32]*oracleRow{}}
	}
	if e := observation.Expect; e != nil && *e != l.newest() {
		return history.Result{Err: history.Conflict}
	}
	if o.lives[l.key] == nil {
		o.lives[l.key] = l
		o.ever++
	}
	f.rev = o.commit(now)

	if i := slices.IndexFunc(l.facts, func(x fact) bool { return x.at == f.at && x.hash == f.hash }); i >= 0 {
		v := l.holding(l.facts[i].rev)
		return history.Result{Unchanged: true, Version: v.number, CapturedAt: v.at, Revision: f.rev}
	}
	newest := l.newestEvidence()
	l.facts = append(l.facts, f)
	slices.SortFunc(l.facts, func(a, b fact) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rev, b.rev)) })
	before, changed := o.retell(l, &f)
	v := l.holding(f.rev)
	if !changed || v.facts[0].rev != f.rev {
		own := l.fact(f.rev)
		if own.sighted = true; run != nil {
			own.origin = history.Origin{Run: run.ID} // a run's sightings are packed: they keep the run alone
		}
	}
	result := history.Result{Unchanged: !changed, Version: v.number, CapturedAt: v.at, Revision: f.rev}
	if !changed {
		return result
	}
	switch {
	case f.state.Deleted:
		result.Kind = history.Deleted
	case l.aliveBefore(f.rev):
		result.Kind = history.Updated
	default:
		result.Kind = history.Created
	}
	result.Late = f.at < newest
	result.Seq = o.tell(l, result.Kind, result.Late, v)
	o.tellAbsence(l, before, newest)
	return result
}

// story tells the versions that evidence and missed moments make.
func story(facts []fact, missed []history.Moment) []version {
	var versions []version
	alive := func() bool { return len(versions) > 0 && !versions[len(versions)-1].state.Deleted }
	gone := func(before history.Moment) {
		for len(missed) > 0 && missed[0] < before {
			if alive() {
				state := history.State{Deleted: true}
				versions = append(versions, version{at: missed[0], state: state, hash: history.HashContent(state.AppendContent(nil)), absence: true})
			}
			missed = missed[1:]
		}
		for len(missed) > 0 && missed[0] == before { // something was captured then
			missed = missed[1:]
		}
	}
	for _, f := range facts {
		gone(f.at)
		if n := len(versions); n == 0 || versions[n-1].hash != f.hash {
			versions = append(versions, version{at: f.at, state: f.state, hash: f.hash})
		}
		last := &versions[len(versions)-1]
		last.facts = append(last.facts, f)
	}
	gone(history.Newest)
	return versions
}

// retell tells a resource's story anew with a fact of its own, or none. Versions
// that were there keep their numbers; it returns the highest before, and whether
// anything is different.
func (o *oracle) retell(l *life, own *fact) (before uint32, changed bool) {
	was, is := l.versions, story(l.facts, o.missed(l.key))
	find := func(v version) int {
		return slices.IndexFunc(was, func(w version) bool { return w.at == v.at && w.hash == v.hash })
	}
	changed = !slices.EqualFunc(was, is, func(a, b version) bool { return a.at == b.at && a.hash == b.hash })
	before = l.numbers
	var added []*oracleRow
	for i := range is {
		v := &is[i]
		owns := own != nil && slices.ContainsFunc(v.facts, func(f fact) bool { return f.rev == own.rev })
		if n := find(*v); n >= 0 && !(changed && owns) {
			w := was[n]
			v.number, v.opened, v.recorded, v.origin = w.number, w.opened, w.recorded, w.origin
			continue
		}
		l.numbers++
		v.number, v.opened, v.recorded = l.numbers, o.revision(), o.latest
		added = append(added, l.row(v, own))
	}
	for _, r := range added {
		l.rows[r.number] = r
	}
	l.versions = is
	l.told = append(l.told, telling{o.revision(), l.items()})
	return before, changed
}

// tell adds a change to the feed.
func (o *oracle) tell(l *life, kind history.ChangeKind, late bool, v version) history.Seq {
	seq := history.Seq(len(o.feed) + 1)
	o.feed = append(o.feed, history.Change{
		Seq: seq, Position: o.lineage.Position(seq), Revision: o.revision(), RecordedAt: o.latest,
		Kind: kind, Late: late, Key: l.key, Version: v.number, CapturedAt: v.at,
	})
	return seq
}

// tellAbsence adds the derived deletions numbered after before to the feed.
func (o *oracle) tellAbsence(l *life, before uint32, newest history.Moment) {
	for _, v := range l.versions {
		if v.absence && v.number > before {
			o.tell(l, history.Deleted, v.at < newest, v)
		}
	}
}

// missed are the moments of completed runs that did not see a resource, in
// order, each once.
func (o *oracle) missed(k history.Key) []history.Moment {
	var list []history.Moment
	for _, r := range o.runs {
		if r.State == history.RunComplete && inScope(r.Scope, k) && !r.seen[k] && r.Moment >= r.floors.Of(k.Type) {
			list = append(list, r.Moment)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func inScope(s history.Scope, k history.Key) bool {
	for _, c := range []struct {
		list []string
		part string
	}{{s.Accounts, k.Account}, {s.Regions, k.Region}, {s.Types, k.Type}} {
		if len(c.list) > 0 && !slices.Contains(c.list, c.part) {
			return false
		}
	}
	return true
}

func (l *life) newest() uint32 {
	if len(l.versions) == 0 {
		return 0
	}
	return l.versions[len(l.versions)-1].number
}

// newestEvidence is the last moment of which anything is known, absence too.
func (l *life) newestEvidence() (m history.Moment) {
	for _, f := range l.facts {
		m = max(m, f.at)
	}
	for _, v := range l.versions {
		m = max(m, v.at)
	}
	return m
}

// holding is the version in which a fact lies.
func (l *life) holding(rev history.Revision) version {
	for _, v := range l.versions {
		if slices.ContainsFunc(v.facts, func(f fact) bool { return f.rev == rev }) {
			return v
		}
	}
	return version{}
}

// aliveBefore tells whether a live state stood just before a fact.
func (l *life) aliveBefore(rev history.Revision) bool {
	var alive bool
	for _, v := range l.versions {
		if v.absence {
			alive = false
		}
		for _, f := range v.facts {
			if f.rev == rev {
				return alive
			}
			alive = !f.state.Deleted
		}
	}
	panic("the fact is not in the story")
}

// items are the versions as a reader sees them.
func (l *life) items() []history.Item {
	items := make([]history.Item, 0, len(l.versions))
	alive := false
	for i, v := range l.versions {
		item := history.Item{
			Key: l.key, Version: v.number, CapturedAt: v.at, LastSeenAt: v.at, Until: history.Newest,
			RecordedAt: v.recorded, Revision: v.opened, State: v.state, Origin: v.origin, Hash: v.hash, Status: v.state.Status,
		}
		for _, f := range v.facts {
			item.LastSeenAt = max(item.LastSeenAt, f.at)
		}
		if i+1 < len(l.versions) {
			item.Until = l.versions[i+1].at
		}
		switch {
		case item.Status != "":
		case v.state.Deleted:
			item.Status = "ResourceDeleted"
		case !alive:
			item.Status = "ResourceDiscovered"
		default:
			item.Status = "OK"
		}
		alive = !v.state.Deleted
		items = append(items, item)
	}
	return items
}

// openRun is what OpenRun should return.
func (o *oracle) openRun(r history.Run) (history.Run, error) {
	now := o.now()
	r.OpenedAt = now
	if r.Moment == 0 {
		r.Moment = now
	}
	if r.Deadline == 0 {
		r.Deadline = now + history.Moment((24 * time.Hour).Microseconds())
	}
	switch {
	case r.Moment > now+o.slack:
		return history.Run{}, history.Future
	case o.run(r.ID) != nil:
		return history.Run{}, history.AlreadyExists
	case r.Moment < o.floors.Captured:
		return history.Run{}, history.Compacted
	}
	o.runs = append(o.runs, &oracleRun{Run: r, seen: map[history.Key]bool{}})
	return r, nil
}

func (o *oracle) run(id history.RunID) *oracleRun {
	for _, r := range o.runs {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// standing is a run as it stands.
func (r *oracleRun) standing(now history.Moment) history.Run {
	run := r.Run
	if run.State == history.RunOpen && now >= run.Deadline {
		run.State, run.ClosedAt, run.Reason = history.RunAborted, run.Deadline, "timed out"
	}
	return run
}

// closeRun is what CloseRun should return.
func (o *oracle) closeRun(id history.RunID, how history.Disposal, reason string) (history.Run, map[string]string, error) {
	r, now := o.run(id), o.now()
	if r == nil {
		return history.Run{}, nil, history.NotFound
	}
	standing := r.standing(now)
	switch {
	case standing.State == history.RunAborted && how == history.Abort, standing.State == history.RunComplete && how != history.Abort:
		return standing, nil, nil
	case standing.State != history.RunOpen:
		return history.Run{}, nil, history.RunClosed
	case how == history.Abort:
		r.State, r.ClosedAt, r.Reason = history.RunAborted, now, reason
		return r.Run, nil, nil
	case r.Refused > 0 && how == history.Complete:
		return history.Run{}, nil, history.RunTainted
	}

	r.State, r.floors = history.RunComplete, o.floors.Clone()
	var alive, deleted uint64
	var touched []*life
	for _, k := range o.keys() {
		l := o.lives[k]
		if !inScope(r.Scope, k) || r.Moment < o.floors.Of(k.Type) {
			continue
		}
		if i := place(l.items(), r.Moment-1); i.Version != 0 && !i.State.Deleted {
			alive++
		}
		is := story(l.facts, o.missed(k))
		if slices.EqualFunc(l.versions, is, func(a, b version) bool { return a.at == b.at && a.hash == b.hash }) {
			continue
		}
		touched = append(touched, l)
		deleted++
	}
	if how == history.Complete && deleted > 10 && deleted*2 > alive {
		r.State = history.RunOpen
		meta := map[string]string{"would_delete": strconv.FormatUint(deleted, 10), "alive": strconv.FormatUint(alive, 10)}
		return history.Run{}, meta, history.RunTooGreedy
	}
	o.commit(now)
	for _, l := range touched {
		newest := l.newestEvidence()
		before, _ := o.retell(l, nil)
		o.tellAbsence(l, before, newest)
	}
	r.ClosedAt, r.Deleted = now, deleted
	return r.Run, nil, nil
}

// known is what is kept of what was told of a resource at a revision, in
// captured time.
func (o *oracle) known(k history.Key, known history.Revision) []history.Item {
	l := o.lives[k]
	if l == nil {
		return nil
	}
	var items []history.Item
	for _, i := range l.toldAt(known) {
		if i.Until <= o.floors.Of(k.Type) {
			continue
		}
		if l.rows[i.Version].erased {
			i.Erased, i.State, i.Origin = true, history.State{Deleted: i.State.Deleted}, history.Origin{}
		}
		if known < l.folded {
			i.LastSeenAt = unpromised
		}
		items = append(items, i)
	}
	return items
}

// toldAt is what was told of a resource at a revision.
func (l *life) toldAt(known history.Revision) []history.Item {
	for _, t := range slices.Backward(l.told) {
		if t.revision <= known {
			return t.items
		}
	}
	return nil
}

// at is the version of a resource at a moment.
func (o *oracle) at(k history.Key, at history.At) history.Item {
	i := place(o.known(k, at.Known), at.Captured)
	i.Key = k
	return i
}

// place is the last version that begins at or before a moment.
func place(items []history.Item, m history.Moment) (found history.Item) {
	for _, i := range items {
		if i.CapturedAt <= m {
			found = i
		}
	}
	return found
}
