package historytest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
)

// compareLatest compares, after an operation, all that is known now of the
// resources it touched, and a sample of what was known before.
func (a *actor) compareLatest(s source, o op) {
	head, err := a.s.Head(ctx)
	check(err)
	sameAs("head", head, a.o.head())
	a.compareFeed()

	newest := a.o.revision()
	a.compareReader(newest, a.touched(o), a.moments())
	a.compareLinksAt(history.At{Captured: history.Newest, Known: newest}, history.LinkQuery{Ever: true}, 0)
	if s.below(4) == 0 {
		a.compareLinks(s)
	}
	if newest > 0 {
		a.compareReader(1+history.Revision(s.below(int(newest))), a.w.keys, []history.Moment{history.Newest, pick(s, a.moments())})
	}
}

// compareSample compares some of every read, at every revision.
func (a *actor) compareSample(s source) {
	for known := range a.o.revision() {
		a.compareReader(known+1, a.w.keys, []history.Moment{pick(s, a.moments())})
	}
	for range 8 {
		a.compareQuery(s)
		a.compareHistory(s)
		a.compareLinks(s)
	}
	a.compareTimes(s)
	a.compareRuns(s)
	_, err := a.s.AsOf(ctx, history.At{Known: a.o.revision() + 1})
	sameError("as of a revision not yet given", err, history.Future)
}

// compareEverything compares every read at every revision and every moment.
func (a *actor) compareEverything(s source) {
	a.compareSample(s)
	for known := range a.o.revision() {
		a.compareReader(known+1, a.w.keys, a.moments())
		a.compareVersions(known+1, a.w.keys)
		a.compareLinksAt(history.At{Captured: pick(s, a.moments()), Known: known + 1}, history.LinkQuery{Ever: s.below(2) == 0}, 0)
	}
	for range 16 {
		a.compareQuery(s)
		a.compareHistory(s)
		a.compareLinks(s)
	}
}

// touched are the resources whose answers an operation may have changed.
func (a *actor) touched(o op) []history.Key {
	if o.kind != opAppend {
		return a.w.keys
	}
	var keys []history.Key
	for _, v := range o.observations {
		if v.key >= 0 && !slices.Contains(keys, a.w.keys[v.key]) {
			keys = append(keys, a.w.keys[v.key])
		}
	}
	return keys
}

// moments are all those at which anything may begin or end, and their
// neighbours.
func (a *actor) moments() []history.Moment {
	list := []history.Moment{1, history.Newest}
	add := func(m history.Moment) { list = append(list, m-1, m, m+1) }
	for _, m := range a.w.moments {
		add(m)
	}
	for _, l := range a.o.lives {
		for _, v := range l.versions {
			add(v.at)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// reader is nil below a floor.
func (a *actor) reader(at history.At) history.Reader {
	r, err := a.s.AsOf(ctx, at)
	if a.o.refuses(at) {
		sameError(fmt.Sprintf("as of %+v", at), err, history.Compacted)
		return nil
	}
	check(err)
	return r
}

// compareReader compares whole histories, and gets at moments, as known at a
// revision.
func (a *actor) compareReader(known history.Revision, keys []history.Key, moments []history.Moment) {
	if known == 0 || len(keys) == 0 {
		return
	}
	at := history.At{Known: known, Captured: history.Newest}
	r := a.reader(at)
	if r == nil {
		return
	}
	for _, k := range keys {
		got, more, err := r.History(ctx, k, history.HistoryQuery{})
		if a.o.refuses(at, k.Type) {
			sameError("history below a floor", err, history.Compacted)
			continue
		}
		check(err)
		want := slices.Clone(a.o.known(k, known))
		slices.Reverse(want)
		if !sameItems(got, want, history.FieldsAll) || more {
			fail("history of %v known at %d, more %t (-want +got):\n%s", k, known, more, difference(want, got))
		}
	}
	for _, m := range moments {
		at.Captured = m
		r := a.reader(at)
		if r == nil {
			continue
		}
		kept := slices.DeleteFunc(slices.Clone(keys), func(k history.Key) bool { return a.o.refuses(at, k.Type) })
		if len(kept) < len(keys) {
			_, err := r.Get(ctx, keys, history.FieldsAll)
			sameError("get below a floor", err, history.Compacted)
		}
		got, err := r.Get(ctx, kept, history.FieldsAll)
		check(err)
		for i, k := range kept {
			if want := a.o.at(k, at); !sameItem(&got[i], &want, history.FieldsAll) {
				fail("%v at %d known at %d (-want +got):\n%s", k, m, known, difference(want, got[i]))
			}
		}
	}
}

// compareVersions asks for every version number ever given, and one more.
func (a *actor) compareVersions(known history.Revision, keys []history.Key) {
	at := history.At{Known: known}
	r := a.reader(at)
	if r == nil {
		return
	}
	for _, k := range keys {
		l := a.o.lives[k]
		if l == nil {
			continue
		}
		if a.o.refuses(at, k.Type) {
			_, err := r.Version(ctx, k, 1)
			sameError("a version below a floor", err, history.Compacted)
			continue
		}
		want := a.o.known(k, known)
		for number := range l.numbers + 2 {
			got, err := r.Version(ctx, k, number)
			i := slices.IndexFunc(want, func(i history.Item) bool { return i.Version == number })
			if i < 0 {
				sameError("a version not to be seen", err, history.NotFound)
				continue
			}
			check(err)
			if !sameItem(&got, &want[i], history.FieldsAll) {
				fail("version %d of %v known at %d (-want +got):\n%s", number, k, known, difference(want[i], got))
			}
		}
	}
}

// at draws a moment on both axes.
func (a *actor) at(s source) history.At {
	m := history.At{Captured: pick(s, a.moments()), Known: a.o.revision()}
	if m.Known > 1 && s.below(2) == 0 {
		m.Known = 1 + history.Revision(s.below(int(m.Known)))
	}
	return m
}

// compareQuery compares a page or all pages of an inventory, its count, and
// what Find finds.
func (a *actor) compareQuery(s source) {
	at := a.at(s)
	var q history.Query
	if s.below(3) == 0 {
		q.Type = pick(s, modelTypes)
	}
	if s.below(3) == 0 {
		q.Account, q.HasAccount = pick(s, modelAccounts), true
	}
	if s.below(3) == 0 {
		q.Region, q.HasRegion = pick(s, modelRegions), true
	}
	if s.below(4) == 0 {
		q.IDPrefix = pick(s, a.w.keys).ID[:1]
	}
	if s.below(4) == 0 {
		q.Name = "name-" + pick(s, a.w.names)
	}
	if s.below(4) == 0 {
		q.Tags = map[string]string{"letter": pick(s, a.w.names)}
		if s.below(2) == 0 {
			q.Tags["team"] = ""
		}
	}
	q.Deleted = s.below(2) == 0
	if s.below(3) == 0 {
		q.Fields = []history.Fields{history.FieldsHead, history.FieldsKey}[s.below(2)]
	}

	var want []history.Item
	if at.Known > 0 {
		for _, k := range a.o.keys() {
			if i := a.o.at(k, at); i.Version != 0 && matches(i, q) {
				want = append(want, i)
			}
		}
	}
	r := a.reader(at)
	if r == nil {
		return
	}
	covers := modelTypes
	if q.Type != "" {
		covers = []string{q.Type}
	}
	if a.o.refuses(at, covers...) {
		_, err := r.Count(ctx, q, history.ByType)
		sameError("count below a floor", err, history.Compacted)
		_, _, err = r.Items(ctx, q)
		sameError("items below a floor", err, history.Compacted)
		return
	}
	what := fmt.Sprintf("items %+v at %+v", q, at)
	for _, by := range []history.GroupBy{history.ByNothing, history.ByAccount, history.ByRegion, history.ByType} {
		groups, err := r.Count(ctx, q, by)
		check(err)
		if at.Known > 0 {
			sameAs(fmt.Sprintf("count of %s by %d", what, by), groups, countBy(want, by))
		}
	}
	if at.Known == 0 {
		return // an empty store answers as known now
	}

	limit := s.below(4)
	q.Limit = limit
	if s.below(3) == 0 {
		after := pick(s, a.w.keys)
		q.After = &after
		want = slices.DeleteFunc(want, func(i history.Item) bool { return i.Key.Compare(after) <= 0 })
	}
	for {
		got, more, err := r.Items(ctx, q)
		check(err)
		page, wantMore := want, false
		if limit > 0 && len(want) > limit {
			page, wantMore = want[:limit], true
		}
		if !sameItems(got, page, q.Fields) || more != wantMore {
			fail("%s: more %t, want %t (-want +got):\n%s", what, more, wantMore, difference(page, got))
		}
		if !more {
			break
		}
		want, q.After = want[limit:], &got[len(got)-1].Key
	}

	k := pick(s, a.w.keys)
	keys, err := r.Find(ctx, k.Type, k.ID)
	if a.o.refuses(at, k.Type) {
		sameError("find below a floor", err, history.Compacted)
		return
	}
	check(err)
	var found []history.Key
	for _, o := range a.o.keys() {
		if o.Type == k.Type && o.ID == k.ID && len(a.o.known(o, at.Known)) > 0 {
			found = append(found, o)
		}
	}
	sameAs(fmt.Sprintf("find %s %s known at %d", k.Type, k.ID, at.Known), keys, found)
}

// matches are the filters of a query in plain words.
func matches(i history.Item, q history.Query) bool {
	ok := (q.Type == "" || i.Key.Type == q.Type) && strings.HasPrefix(i.Key.ID, q.IDPrefix)
	ok = ok && (!q.HasAccount || i.Key.Account == q.Account) && (!q.HasRegion || i.Key.Region == q.Region)
	ok = ok && (q.Deleted || !i.State.Deleted) && (q.Name == "" || i.State.Name == q.Name)
	for k, v := range q.Tags {
		got, borne := i.State.Tags[k]
		ok = ok && borne && got == v
	}
	return ok
}

func countBy(items []history.Item, by history.GroupBy) (groups []history.Group) {
	for _, i := range items {
		name := [...]string{history.ByNothing: "", history.ByType: i.Key.Type, history.ByAccount: i.Key.Account, history.ByRegion: i.Key.Region}[by]
		n := slices.IndexFunc(groups, func(g history.Group) bool { return g.Name == name })
		if n < 0 {
			groups, n = append(groups, history.Group{Name: name}), len(groups)
		}
		groups[n].Count++
	}
	slices.SortFunc(groups, func(a, b history.Group) int { return strings.Compare(a.Name, b.Name) })
	return groups
}

// compareHistory compares the pages of one resource's history in a range.
func (a *actor) compareHistory(s source) {
	k, at := pick(s, a.w.keys), a.at(s)
	if at.Known == 0 {
		return
	}
	var q history.HistoryQuery
	if s.below(2) == 0 {
		q.From = pick(s, a.moments())
	}
	if s.below(2) == 0 {
		q.To = pick(s, a.moments())
	}
	q.Limit = s.below(4)
	q.Fields = history.Fields(s.below(2))
	var want []history.Item
	for _, i := range slices.Backward(a.o.known(k, at.Known)) {
		if i.CapturedAt >= q.From && (q.To == 0 || i.CapturedAt <= q.To) {
			want = append(want, i)
		}
	}
	r := a.reader(at)
	if r == nil {
		return
	}
	if a.o.refuses(at, k.Type) {
		_, _, err := r.History(ctx, k, q)
		sameError("history below a floor", err, history.Compacted)
		return
	}
	what := fmt.Sprintf("history of %v %+v known at %d", k, q, at.Known)
	for {
		got, more, err := r.History(ctx, k, q)
		check(err)
		page, wantMore := want, false
		if q.Limit > 0 && len(want) > q.Limit {
			page, wantMore = want[:q.Limit], true
		}
		if !sameItems(got, page, q.Fields) || more != wantMore {
			fail("%s: more %t, want %t (-want +got):\n%s", what, more, wantMore, difference(page, got))
		}
		if !more {
			return
		}
		want, q.After = want[q.Limit:], got[len(got)-1].Version
	}
}

// compareFeed reads along, and compares what has come since.
func (a *actor) compareFeed() {
	list, next, err := a.s.Changes(ctx, a.follow, len(a.o.feed)+1, 0)
	check(err)
	sameAs("changes", list, a.o.feed[a.read:])
	if next != a.o.end() {
		fail("position after the changes: got %q, want %q", next, a.o.end())
	}
	a.follow, a.read = next, len(a.o.feed)
}

// compareTimes compares the feed in pages, and what moments of recording stand
// for.
func (a *actor) compareTimes(s source) {
	limit := 1 + s.below(4)
	var all []history.Change
	for after := history.Position(""); ; {
		list, next, err := a.s.Changes(ctx, after, limit, 0)
		check(err)
		if len(list) == 0 {
			break
		}
		if len(list) > limit {
			fail("%d changes for a limit of %d", len(list), limit)
		}
		all, after = append(all, list...), next
	}
	sameAs("feed", all, a.o.feed[a.o.floors.Seq:])
	for seq := range history.Seq(len(a.o.feed)) {
		_, _, err := a.s.Changes(ctx, a.o.lineage.Position(seq), 1, 0)
		if seq < a.o.floors.Seq {
			sameError("changes after one that is gone", err, history.Compacted)
			continue
		}
		check(err)
	}

	moments := []history.Moment{1, history.Newest}
	for _, m := range a.o.recorded {
		moments = append(moments, m-1, m, m+1)
	}
	slices.Sort(moments)
	for _, m := range slices.Compact(moments) {
		known, err := a.s.KnownAt(ctx, m)
		var want history.Revision
		for i, r := range a.o.recorded {
			if r <= m {
				want = history.Revision(i + 1)
			}
		}
		if want < a.o.floors.Revision {
			sameError("known below a floor", err, history.Compacted)
		} else if check(err); known != want {
			fail("known at %d: got revision %d, want %d", m, known, want)
		}
		position, err := a.s.PositionAt(ctx, m)
		check(err)
		first := slices.IndexFunc(a.o.feed, func(c history.Change) bool { return c.RecordedAt >= m })
		if first < 0 {
			first = len(a.o.feed)
		}
		first = max(first, int(a.o.floors.Seq))
		if p := a.o.lineage.Position(history.Seq(first)); p != position {
			fail("position at %d: got %q, want that after %d changes", m, position, first)
		}
	}
}

// compareRuns compares every run, and the pages of their list.
func (a *actor) compareRuns(s source) {
	var want []history.Run
	for _, r := range slices.Backward(a.o.runs) {
		run := r.standing(a.o.now())
		got, err := a.s.Run(ctx, r.ID)
		check(err)
		sameAs("run", got, run)
		want = append(want, run)
	}
	limit := 1 + s.below(3)
	for after := history.RunID(""); ; {
		got, more, err := a.s.Runs(ctx, after, limit)
		check(err)
		page := want[:min(limit, len(want))]
		sameAs("runs", got, page)
		want = want[len(page):]
		if more != (len(want) > 0) {
			fail("runs: more: %t with %d to come", more, len(want))
		}
		if !more {
			return
		}
		after = got[len(got)-1].ID
	}
}

func sameItems(got, want []history.Item, f history.Fields) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if !sameItem(&got[i], &want[i], f) {
			return false
		}
	}
	return true
}

// sameItem compares items by hand: it is where a model spends its time. The
// wanted one is whole.
func sameItem(got, want *history.Item, f history.Fields) bool {
	if f != history.FieldsAll {
		left := leftOf(*want, f)
		want = &left
	}
	if got.Key != want.Key || got.Version != want.Version || got.CapturedAt != want.CapturedAt ||
		want.LastSeenAt != unpromised && got.LastSeenAt != want.LastSeenAt ||
		got.Until != want.Until || got.RecordedAt != want.RecordedAt || got.Revision != want.Revision ||
		got.Status != want.Status || got.Hash != want.Hash || got.Erased != want.Erased {
		return false
	}
	state := &want.State
	x, y := &got.Origin, &want.Origin
	return bytes.Equal(got.State.AppendContent(nil), state.AppendContent(nil)) &&
		x.Provider == y.Provider && x.Source == y.Source && x.Run == y.Run && x.Cause == y.Cause && bytes.Equal(x.Extras, y.Extras)
}
