package historytest

import (
	"fmt"
	"strings"

	"github.com/varvehq/varve/history"
)

var getCases = []namedCase{
	{"BordersOfVersions", func(r *rig) {
		r.play("A@1 B@3 -@5 C@7")
		for _, c := range []struct {
			moment  history.Moment
			version uint32
			exists  bool
		}{
			{1, 0, false}, {at(1) - 1, 0, false}, {at(1), 1, true}, {at(1) + 1, 1, true}, {at(3) - 1, 1, true},
			{at(3), 2, true}, {at(5) - 1, 2, true}, {at(5), 3, false}, {at(6), 3, false}, {at(7) - 1, 3, false},
			{at(7), 4, true}, {history.LastMoment, 4, true}, {history.Newest, 4, true}, {0, 4, true},
		} {
			got := r.get("a", history.At{Captured: c.moment})
			equal(r, fmt.Sprint("version at ", int64(c.moment)), got.Version, c.version)
			equal(r, fmt.Sprint("exists at ", int64(c.moment)), (&got).Exists(), c.exists)
		}
	}},
	{"NewestIsNewestInCapturedTimeNotLatestRecorded", func(r *rig) {
		r.play("A@9 B@1")
		equal(r, "version", r.get("a", history.At{}).Version, 1)
	}},
	{"InTheOrderAsked", func(r *rig) {
		r.play("A@1 b:B@1 c:-@1")
		keys := []history.Key{key("c"), key("a"), key("nobody"), key("b"), key("a"), {}}
		items, err := r.asOf(history.At{}).Get(ctx, keys, history.FieldsAll)
		if err != nil {
			r.Fatal(err)
		}
		var got []uint32
		for i, item := range items {
			equal(r, "key", item.Key, keys[i])
			got = append(got, item.Version)
		}
		equal(r, "versions", fmt.Sprint(got), "[1 1 0 1 1 0]")
		equal(r, "deleted", items[0].State.Deleted, true)
		same(r, "unknown", items[2], history.Item{Key: key("nobody")})
	}},
	{"NothingAskedNothingAnswered", func(r *rig) {
		items, err := r.asOf(history.At{}).Get(ctx, nil, history.FieldsAll)
		if err != nil || len(items) > 0 {
			r.Fatalf("%v, %v", items, err)
		}
	}},
	{"HeadLeavesContentOut", func(r *rig) {
		r.record(full())
		r.play("A@1 -@5")
		keys := []history.Key{full().Key, key("a")}
		whole, err := r.asOf(history.At{}).Get(ctx, keys, history.FieldsAll)
		if err != nil {
			r.Fatal(err)
		}
		for _, f := range []history.Fields{history.FieldsHead, history.FieldsKey} {
			some, err := r.asOf(history.At{}).Get(ctx, keys, f)
			if err != nil {
				r.Fatal(err)
			}
			for i := range whole {
				same(r, fmt.Sprint("fields ", f), some[i], leftOf(whole[i], f))
			}
		}
	}},
}

// leftOf is what fields leave of an item.
func leftOf(i history.Item, f history.Fields) history.Item {
	if f != history.FieldsAll {
		i.State = history.State{Deleted: i.State.Deleted}
		i.Origin = history.Origin{}
	}
	if f == history.FieldsKey {
		i.LastSeenAt, i.RecordedAt, i.Status, i.Hash, i.Erased = 0, 0, "", history.Hash{}, false
	}
	return i
}

var versionCases = []namedCase{
	{"ByNumber", func(r *rig) {
		r.play("A@1 A@9 B@5 -@12")
		reader := r.asOf(history.At{Captured: at(1)}) // the captured moment plays no part
		for _, want := range r.history(key("a"), 0) {
			got, err := reader.Version(ctx, key("a"), want.Version)
			if err != nil {
				r.Fatal(err)
			}
			same(r, fmt.Sprint("version ", want.Version), got, want)
		}
	}},
	{"UnknownIsNotFound", func(r *rig) {
		r.play("A@1")
		for _, n := range []uint32{0, 2, 1 << 31} {
			_, err := r.asOf(history.At{}).Version(ctx, key("a"), n)
			refused(r, fmt.Sprint("version ", n), err, history.NotFound)
		}
		_, err := r.asOf(history.At{}).Version(ctx, key("nobody"), 1)
		refused(r, "unknown resource", err, history.NotFound)
	}},
	{"AbsorbedIsVisibleToEarlierKnowledgeOnly", func(r *rig) {
		r.play("A@4 A@2")
		got, err := r.asOf(history.At{Known: 1}).Version(ctx, key("a"), 1)
		if err != nil {
			r.Fatal(err)
		}
		equal(r, "captured", got.CapturedAt, at(4))
		_, err = r.asOf(history.At{}).Version(ctx, key("a"), 1)
		refused(r, "absorbed", err, history.NotFound)
		_, err = r.asOf(history.At{Known: 1}).Version(ctx, key("a"), 2)
		refused(r, "not given yet", err, history.NotFound)
	}},
}

// page reads one page of a's history, in numbers.
func (r *rig) page(reader history.Reader, q history.HistoryQuery) (string, bool) {
	r.Helper()
	items, more, err := reader.History(ctx, key("a"), q)
	if err != nil {
		r.Fatalf("history %+v: %v", q, err)
	}
	var list []string
	for _, i := range items {
		list = append(list, fmt.Sprint(i.Version))
	}
	return strings.Join(list, " "), more
}

var historyCases = []namedCase{
	{"NewestFirstByCapturedTimeThenEvidence", func(r *rig) {
		r.play("A@5 B@5 C@3 -@9 D@9 A@4")
		got, _ := r.page(r.asOf(history.At{Captured: at(4)}), history.HistoryQuery{})
		equal(r, "numbers", got, "5 4 2 6 3")
	}},
	{"ZeroLengthVersionsAreTold", func(r *rig) {
		r.play("A@5 B@5")
		items := r.history(key("a"), 0)
		equal(r, "begin", items[1].CapturedAt, at(5))
		equal(r, "end", items[1].Until, at(5))
		equal(r, "status of the second", items[0].Status, history.StatusOK)
	}},
	{"UnknownResourceHasNone", func(r *rig) {
		items, more, err := r.asOf(history.At{}).History(ctx, key("nobody"), history.HistoryQuery{})
		if err != nil || more || len(items) > 0 {
			r.Fatalf("%v, %t, %v", items, more, err)
		}
	}},
	{"PagesMeetWithoutGap", func(r *rig) {
		r.play("A@1 B@2 C@3 A@9 B@8 D@7")
		reader := r.asOf(history.At{})
		for limit := 1; limit <= 7; limit++ {
			var got []string
			q := history.HistoryQuery{Limit: limit}
			for more := true; more; {
				items, next, err := reader.History(ctx, key("a"), q)
				if err != nil || len(items) == 0 || len(items) > limit {
					r.Fatalf("%+v: %d items, %v", q, len(items), err)
				}
				for _, i := range items {
					got = append(got, fmt.Sprint(i.Version))
				}
				q.After, more = items[len(items)-1].Version, next
			}
			equal(r, fmt.Sprint("pages of ", limit), strings.Join(got, " "), "4 5 6 3 2 1")
		}
	}},
	{"PagingStableUnderAppend", func(r *rig) {
		r.play("A@1 B@3 C@5 D@7")
		reader := r.asOf(history.At{})
		first, more := r.page(reader, history.HistoryQuery{Limit: 2})
		equal(r, "first page", fmt.Sprint(first, more), "4 3true")
		r.play("D@6 A@4 E@9 B@2 C@0") // absorbs v4, splits and extends what is still to come
		second, more := r.page(reader, history.HistoryQuery{Limit: 2, After: 3})
		equal(r, "second page", fmt.Sprint(second, more), "2 1false")
	}},
	{"AfterAVersionNotToBeSeenIsNotFound", func(r *rig) {
		r.play("A@4 A@2")
		_, _, err := r.asOf(history.At{}).History(ctx, key("a"), history.HistoryQuery{After: 1})
		refused(r, "after an absorbed version", err, history.NotFound)
		_, _, err = r.asOf(history.At{}).History(ctx, key("a"), history.HistoryQuery{After: 9})
		refused(r, "after an unknown version", err, history.NotFound)
	}},
	{"RangeSelectsByCapturedTime", func(r *rig) {
		r.play("A@2 B@4 C@4 D@6") // B lasts no time
		reader := r.asOf(history.At{})
		for _, c := range []struct {
			from, to history.Moment
			want     string
		}{
			{0, 0, "4 3 2 1"}, {at(1), at(1), ""}, {at(1), at(2), "1"}, {at(2), at(2), "1"}, {at(3), at(3), ""},
			{at(4) - 1, at(4) - 1, ""}, {at(4), at(4), "3 2"}, {at(4) + 1, at(4) + 1, ""}, {at(3), at(5), "3 2"},
			{at(6), 0, "4"}, {at(9), 0, ""}, {0, at(4) - 1, "1"}, {0, at(4), "3 2 1"}, {0, at(1), ""}, {at(5), at(6), "4"},
		} {
			got, more := r.page(reader, history.HistoryQuery{From: c.from, To: c.to})
			equal(r, fmt.Sprintf("from %v to %v", c.from, c.to), got, c.want)
			equal(r, "more", more, false)
		}
	}},
	{"RangeAndPagesTogether", func(r *rig) {
		r.play("A@1 B@2 C@3 D@4 E@5")
		reader := r.asOf(history.At{})
		q := history.HistoryQuery{From: at(2), To: at(4), Limit: 2}
		got, more := r.page(reader, q)
		equal(r, "first page", fmt.Sprint(got, more), "4 3true")
		q.After = 3
		got, more = r.page(reader, q)
		equal(r, "second page", fmt.Sprint(got, more), "2false")
	}},
	{"HeadLeavesContentOut", func(r *rig) {
		r.play("A@1 B@2 -@3")
		whole := r.history(key("a"), 0)
		for _, f := range []history.Fields{history.FieldsHead, history.FieldsKey} {
			some, _, err := r.asOf(history.At{}).History(ctx, key("a"), history.HistoryQuery{Fields: f})
			if err != nil {
				r.Fatal(err)
			}
			for i := range whole {
				same(r, fmt.Sprint("fields ", f), some[i], leftOf(whole[i], f))
			}
		}
	}},
}

// estate is a store of twelve resources in two accounts and without one, in two
// regions and without one, of two types; the first is deleted at 5.
func estate(r *rig) {
	var b history.Batch
	for _, account := range []string{"", "1", "2"} {
		for _, region := range []string{"", "r"} {
			for _, typ := range []string{"T", "U"} {
				o := observe(account+region+typ, "A", at(1))
				o.Key.Account, o.Key.Region, o.Key.Type = account, region, typ
				o.State.Tags = map[string]string{"account": account, "region": region}
				o.State.Name = "name-" + typ
				b.Observations = append(b.Observations, o)
			}
		}
	}
	gone := b.Observations[0]
	gone.CapturedAt, gone.State = at(5), history.State{Deleted: true}
	b.Observations = append(b.Observations, gone)
	r.append(b)
}

var itemsCases = []namedCase{
	{"EachFilter", func(r *rig) {
		estate(r)
		for _, c := range []struct {
			name string
			q    history.Query
			want string
		}{
			{"all", history.Query{}, "U rT rU 1T 1U 1rT 1rU 2T 2U 2rT 2rU"},
			{"deleted too", history.Query{Deleted: true}, "T U rT rU 1T 1U 1rT 1rU 2T 2U 2rT 2rU"},
			{"type", history.Query{Type: "T"}, "rT 1T 1rT 2T 2rT"},
			{"account", history.Query{Account: "1"}, "1T 1U 1rT 1rU"},
			{"region", history.Query{Region: "r"}, "rT rU 1rT 1rU 2rT 2rU"},
			{"no account", history.Query{HasAccount: true}, "U rT rU"},
			{"no region", history.Query{HasRegion: true}, "U 1T 1U 2T 2U"},
			{"no region, type", history.Query{HasRegion: true, Type: "U"}, "U 1U 2U"},
			{"id prefix", history.Query{IDPrefix: "1r"}, "1rT 1rU"},
			{"name", history.Query{Name: "name-U"}, "U rU 1U 1rU 2U 2rU"},
			{"tag", history.Query{Tags: map[string]string{"account": "2"}}, "2T 2U 2rT 2rU"},
			{"empty tag", history.Query{Tags: map[string]string{"account": "", "region": "r"}}, "rT rU"},
			{"tag nobody bears", history.Query{Tags: map[string]string{"owner": ""}}, ""},
			{"everything at once", history.Query{
				Type: "T", Account: "2", HasAccount: true, Region: "r", HasRegion: true, IDPrefix: "2", Name: "name-T",
				Tags: map[string]string{"region": "r"}, Deleted: true,
			}, "2rT"},
			{"unknown type", history.Query{Type: "t"}, ""},
		} {
			equal(r, c.name, ids(r.items(history.At{}, c.q)), c.want)
		}
	}},
	{"ReservedTypesOnlyWhereAskedFor", func(r *rig) {
		estate(r)
		own := history.Key{Account: "1", Type: "Varve::T", ID: "own"}
		r.record(history.Observation{Key: own, CapturedAt: at(1), State: letter("A")})
		for _, when := range []string{"fresh", "merged"} {
			for _, q := range []history.Query{{}, {Account: "1"}, {Name: "name-A"}, {IDPrefix: "own"}, {Deleted: true}} {
				for _, i := range r.items(history.At{}, q) {
					if i.Key == own {
						r.Fatalf("%s: %+v has it", when, q)
					}
				}
			}
			equal(r, when+", by type", ids(r.items(history.At{}, history.Query{Type: own.Type})), "own")
			counted := func(q history.Query) uint64 {
				groups, err := r.asOf(history.At{}).Count(ctx, q, history.ByNothing)
				if err != nil {
					r.Fatal(err)
				}
				sum := uint64(0)
				for _, g := range groups {
					sum += g.Count
				}
				return sum
			}
			equal(r, when+", counted", counted(history.Query{Account: "1"}), 4)
			equal(r, when+", counted by type", counted(history.Query{Type: own.Type}), 1)
			if when == "fresh" && r.b.Reopen != nil {
				r.reopen()
			}
		}
	}},
	{"AsOfAMoment", func(r *rig) {
		estate(r)
		equal(r, "before", ids(r.items(history.At{Captured: at(1) - 1}, history.Query{Deleted: true})), "")
		equal(r, "alive", ids(r.items(history.At{Captured: at(5) - 1}, history.Query{Account: "", HasAccount: true})), "T U rT rU")
		equal(r, "deleted", ids(r.items(history.At{Captured: at(5)}, history.Query{HasAccount: true})), "U rT rU")
	}},
	{"TagsNamesAndStatesOfTheMoment", func(r *rig) {
		r.play("A@1 B@5 A@9 B@7")
		count := func(name string, moment int) int {
			return len(r.items(history.At{Captured: at(moment)}, history.Query{Name: name}))
		}
		got := fmt.Sprint(count("name-A", 4), count("name-B", 4), count("name-A", 5), count("name-B", 8), count("name-A", 9))
		equal(r, "found", got, "1 0 0 1 1")
	}},
	{"SkipsToAccountRegionTypeWithEmptyValues", func(r *rig) {
		for _, k := range []history.Key{
			{Type: "T", ID: "none"}, {Region: "r", Type: "T", ID: "region"}, {Account: "a", Type: "T", ID: "account"},
			{Account: "a", Region: "r", Type: "T", ID: "both"}, {Account: "a", Region: "r", Type: "TT", ID: "longer type"},
			{Account: "aa", Region: "r", Type: "T", ID: "longer account"}, {Account: "a", Region: "rr", Type: "T", ID: "longer region"},
		} {
			r.record(history.Observation{Key: k, CapturedAt: at(1), State: letter("A")})
		}
		for _, c := range []struct {
			q    history.Query
			want string
		}{
			{history.Query{HasAccount: true, HasRegion: true, Type: "T"}, "none"},
			{history.Query{HasAccount: true, Region: "r"}, "region"},
			{history.Query{Account: "a", HasRegion: true}, "account"},
			{history.Query{Account: "a", Region: "r", Type: "T"}, "both"},
			{history.Query{Account: "a", Region: "r"}, "both longer type"},
			{history.Query{Account: "a", Type: "T"}, "account both longer region"},
			{history.Query{Region: "r", Type: "T"}, "region both longer account"},
			{history.Query{Type: "T"}, "none region account both longer region longer account"},
		} {
			equal(r, fmt.Sprintf("%+v", c.q), ids(r.items(history.At{}, c.q)), c.want)
		}
	}},
	{"PagesMeetWithoutGap", func(r *rig) {
		estate(r)
		for _, q := range []history.Query{{}, {Deleted: true}, {Type: "T"}, {Region: "r"}, {Name: "name-U"}} {
			want := ids(r.items(history.At{}, q))
			for q.Limit = 1; q.Limit < 14; q.Limit++ {
				var got []history.Item
				q.After = nil
				for more := true; more; {
					items, next, err := r.asOf(history.At{}).Items(ctx, q)
					if err != nil || len(items) == 0 || len(items) > q.Limit {
						r.Fatalf("%+v: %d items, %v", q, len(items), err)
					}
					got = append(got, items...)
					q.After, more = &items[len(items)-1].Key, next
				}
				equal(r, fmt.Sprintf("%+v", q), ids(got), want)
			}
		}
	}},
	{"PagingStableUnderAppend", func(r *rig) {
		r.play("b:A@1 d:A@1 f:A@1 h:A@1")
		reader := r.asOf(history.At{})
		q := history.Query{Limit: 2}
		first, _, err := reader.Items(ctx, q)
		if err != nil {
			r.Fatal(err)
		}
		r.play("a:A@1 e:A@1 f:-@2 h:A@0 d:-@9 g:A@1")
		q.After = &first[1].Key
		second, more, err := reader.Items(ctx, q)
		if err != nil {
			r.Fatal(err)
		}
		equal(r, "first page", ids(first), "b d")
		equal(r, "second page", ids(second), "f h")
		equal(r, "more", more, false)
		equal(r, "version", second[1].Version, 1)
	}},
	{"AfterAKeyThatIsNotThere", func(r *rig) {
		r.play("a:A@1 c:A@1")
		for after, want := range map[string]string{"": "a c", "a": "c", "a\x01": "c", "b": "c", "c": "", "z": ""} {
			k := key(after)
			equal(r, fmt.Sprintf("after %q", after), ids(r.items(history.At{}, history.Query{After: &k})), want)
		}
		equal(r, "after a smaller account", ids(r.items(history.At{}, history.Query{After: &history.Key{}})), "a c")
		equal(r, "after a greater account", ids(r.items(history.At{}, history.Query{After: &history.Key{Account: "9"}})), "")
	}},
	{"AreWhatGetTells", func(r *rig) {
		estate(r)
		r.record(full())
		for _, m := range []history.At{{}, {Captured: at(2)}, {Known: 3}} {
			items := r.items(m, history.Query{Deleted: true})
			for _, item := range items {
				got, err := r.asOf(m).Get(ctx, []history.Key{item.Key}, history.FieldsAll)
				if err != nil {
					r.Fatal(err)
				}
				same(r, "item", item, got[0])
			}
			for _, f := range []history.Fields{history.FieldsHead, history.FieldsKey} {
				for i, item := range r.items(m, history.Query{Deleted: true, Fields: f}) {
					same(r, fmt.Sprint("fields ", f), item, leftOf(items[i], f))
				}
			}
		}
	}},
	{"FiltersOnContentWithHeadsOnly", func(r *rig) {
		estate(r)
		for _, f := range []history.Fields{history.FieldsHead, history.FieldsKey} {
			items := r.items(history.At{}, history.Query{Name: "name-T", Tags: map[string]string{"account": "1"}, Fields: f})
			equal(r, "ids", ids(items), "1T 1rT")
			same(r, "item", items[0], leftOf(items[0], f))
		}
	}},
}

// groups writes a count as name=count.
func (r *rig) groups(moment history.At, q history.Query, by history.GroupBy) string {
	r.Helper()
	groups, err := r.asOf(moment).Count(ctx, q, by)
	if err != nil {
		r.Fatalf("count %+v: %v", q, err)
	}
	var list []string
	for _, g := range groups {
		list = append(list, fmt.Sprintf("%s=%d", g.Name, g.Count))
	}
	return strings.Join(list, " ")
}

var countCases = []namedCase{
	{"ByEachGroup", func(r *rig) {
		estate(r)
		for _, c := range []struct {
			by   history.GroupBy
			want string
		}{
			{history.ByNothing, "=11"}, {history.ByType, "T=5 U=6"}, {history.ByAccount, "=3 1=4 2=4"}, {history.ByRegion, "=5 r=6"},
		} {
			equal(r, fmt.Sprint("by ", c.by), r.groups(history.At{}, history.Query{}, c.by), c.want)
		}
	}},
	{"CountsWhatItemsLists", func(r *rig) {
		estate(r)
		for _, q := range []history.Query{
			{Deleted: true}, {Type: "T"}, {HasAccount: true}, {IDPrefix: "1"}, {Name: "name-T"}, {Tags: map[string]string{"region": "r"}},
		} {
			equal(r, fmt.Sprintf("%+v", q), r.groups(history.At{}, q, history.ByNothing),
				fmt.Sprintf("=%d", len(r.items(history.At{}, q))))
		}
		equal(r, "at a moment", r.groups(history.At{Captured: at(4)}, history.Query{}, history.ByNothing), "=12")
		equal(r, "known then", r.groups(history.At{Known: 5}, history.Query{}, history.ByNothing), "=5")
	}},
	{"IgnoresPages", func(r *rig) {
		estate(r)
		q := history.Query{Limit: 1, After: &history.Key{Account: "2"}}
		equal(r, "count", r.groups(history.At{}, q, history.ByNothing), "=11")
	}},
	{"NothingHasNoGroup", func(r *rig) {
		equal(r, "groups", r.groups(history.At{}, history.Query{}, history.ByType), "")
		equal(r, "one group", r.groups(history.At{}, history.Query{}, history.ByNothing), "")
	}},
}

var findCases = []namedCase{
	{"EveryAccountAndRegion", func(r *rig) {
		for _, k := range []history.Key{
			{Account: "2", Type: "T", ID: "x"}, {Account: "1", Region: "r", Type: "T", ID: "x"}, {Type: "T", ID: "x"},
			{Account: "1", Type: "U", ID: "x"}, {Account: "1", Type: "T", ID: "xx"}, {Account: "1", Type: "T", ID: "X"},
		} {
			r.record(history.Observation{Key: k, CapturedAt: at(1), State: letter("A")})
		}
		find := func(typ, id string, known history.Revision) string {
			keys, err := r.asOf(history.At{Known: known, Captured: 1}).Find(ctx, typ, id)
			if err != nil {
				r.Fatal(err)
			}
			var list []string
			for _, k := range keys {
				list = append(list, k.Account+"/"+k.Region)
			}
			return strings.Join(list, " ")
		}
		equal(r, "all", find("T", "x", 0), "/ 1/r 2/")
		equal(r, "known then", find("T", "x", 2), "1/r 2/")
		equal(r, "another type", find("U", "x", 0), "1/")
		equal(r, "unknown", find("T", "y", 0), "")
	}},
	{"DeletedToo", func(r *rig) {
		r.play("A@1 -@2")
		keys, err := r.asOf(history.At{}).Find(ctx, key("a").Type, "a")
		if err != nil || len(keys) != 1 {
			r.Fatalf("%v, %v", keys, err)
		}
	}},
}
