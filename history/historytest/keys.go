package historytest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
)

// hostile are ids in byte order which careless backends confuse or reorder.
var hostile = []string{
	"\x01", " ", " a", "#", "%", "%00", "%2F", "-", "--help", "-/cluster-wide", "-0", "/", "0", "10", "2", ":", "A", "Z", "\\", "_",
	"a", "a\x01", "a ", "a/b", "a/b/", "a:b", "aa", "b", "e\u0301", "z", "\x7f", "\u0080", "\u00e9", "ÿ", "ﬀ", "\ufffd", "\uffff", "𝄞", "\U0010ffff",
}

func hostileKeys() []history.Key {
	list := slices.Clone(hostile)
	slices.Sort(list)
	list = slices.Compact(list)
	var keys []history.Key
	for _, id := range list {
		keys = append(keys, history.Key{Account: "1", Region: "r", Type: "T", ID: id})
	}
	return keys
}

var keyCases = []namedCase{
	{"BytesOrderAndUnicode", func(r *rig) {
		keys := hostileKeys()
		var b history.Batch
		for i := range keys { // recorded out of order
			k := keys[(i*7)%len(keys)]
			b.Observations = append(b.Observations, history.Observation{Key: k, CapturedAt: at(1), State: letter("A")})
		}
		for i, result := range r.append(b).Results {
			if result.Err != nil || result.Unchanged {
				r.Fatalf("%q: %+v", b.Observations[i].Key.ID, result)
			}
		}
		items := r.items(history.At{}, history.Query{})
		equal(r, "resources", len(items), len(keys))
		for i, item := range items {
			equal(r, fmt.Sprint("key ", i), fmt.Sprintf("%q", item.Key.ID), fmt.Sprintf("%q", keys[i].ID))
			found, err := r.asOf(history.At{}).Find(ctx, "T", item.Key.ID)
			if err != nil || len(found) != 1 || found[0] != keys[i] {
				r.Fatalf("find %q: %v, %v", item.Key.ID, found, err)
			}
			rest := r.items(history.At{}, history.Query{After: &item.Key})
			equal(r, fmt.Sprintf("resources after %q", item.Key.ID), len(rest), len(keys)-i-1)
		}
	}},
	{"OrderIsAccountRegionTypeID", func(r *rig) {
		parts := []string{"", "\x01", "-", "a", "a\x01", "ab", "b", "é"}
		var keys []history.Key
		for _, account := range parts {
			for _, region := range parts {
				for _, typ := range parts[1:] {
					keys = append(keys, history.Key{Account: account, Region: region, Type: typ, ID: "i"}, history.Key{Account: account, Region: region, Type: typ, ID: "-"})
				}
			}
		}
		var b history.Batch
		for i := range keys {
			b.Observations = append(b.Observations, history.Observation{Key: keys[(i*11)%len(keys)], CapturedAt: at(1), State: letter("A")})
		}
		for _, result := range r.append(b).Results {
			if result.Err != nil || result.Unchanged {
				r.Fatalf("%+v", result)
			}
		}
		slices.SortFunc(keys, history.Key.Compare)
		for i, item := range r.items(history.At{}, history.Query{}) {
			equal(r, fmt.Sprint("key ", i), fmt.Sprintf("%q", item.Key), fmt.Sprintf("%q", keys[i]))
		}
	}},
	{"PartsDoNotRunIntoEachOther", func(r *rig) {
		keys := []history.Key{
			{Account: "a", Region: "b", Type: "c", ID: "d"}, {Account: "ab", Region: "", Type: "c", ID: "d"},
			{Account: "", Region: "ab", Type: "c", ID: "d"}, {Account: "a", Region: "bc", Type: "d", ID: "d"},
			{Account: "a", Region: "b", Type: "cd", ID: "d"}, {Account: "a/b", Region: "", Type: "c", ID: "d"}, {Account: "a", Region: "/b", Type: "c", ID: "d"},
		}
		for i, k := range keys {
			got := r.record(history.Observation{Key: k, CapturedAt: at(i + 1), State: letter("A")})
			equal(r, "version", got.Version, 1)
		}
		items, err := r.asOf(history.At{}).Get(ctx, keys, history.FieldsAll)
		if err != nil {
			r.Fatal(err)
		}
		for i, item := range items {
			equal(r, fmt.Sprintf("captured of %q", item.Key), item.CapturedAt, at(i+1))
		}
	}},
	{"LeadingDash", func(r *rig) {
		for i, id := range []string{"-", "-/name", "--name", "-a"} {
			r.see(id, "A", at(i+1))
			equal(r, id, r.get(id, history.At{}).CapturedAt, at(i+1))
		}
		equal(r, "with the prefix", ids(r.items(history.At{}, history.Query{IDPrefix: "-"})), "- --name -/name -a")
	}},
	{"PrefixesAreBytes", func(r *rig) {
		for _, id := range []string{"a", "ab", "abc", "b", "aé", "a\U0010ffff", "A"} {
			r.see(id, "A", at(1))
		}
		equal(r, "a", ids(r.items(history.At{}, history.Query{IDPrefix: "a"})), "a ab abc aé a\U0010ffff")
		equal(r, "ab", ids(r.items(history.At{}, history.Query{IDPrefix: "ab"})), "ab abc")
		equal(r, "half a character", ids(r.items(history.At{}, history.Query{IDPrefix: "a\xc3"})), "aé")
	}},
	{"InvalidIsRefused", func(r *rig) {
		for _, c := range []struct {
			name string
			key  history.Key
			kind history.Kind
		}{
			{"no type", history.Key{ID: "i"}, history.Invalid},
			{"no id", history.Key{Type: "T"}, history.Invalid},
			{"NUL", history.Key{Type: "T", ID: "a\x00b"}, history.Invalid},
			{"no UTF-8", history.Key{Type: "T", ID: "a\xffb"}, history.Invalid},
			{"surrogate", history.Key{Type: "T", ID: "a\xed\xa0\x80"}, history.Invalid},
			{"NUL in account", history.Key{Account: "\x00", Type: "T", ID: "a"}, history.Invalid},
			{"NUL in region", history.Key{Region: "\x00", Type: "T", ID: "a"}, history.Invalid},
			{"long id", history.Key{Type: "T", ID: strings.Repeat("x", history.MaxID+1)}, history.TooLarge},
			{"long type", history.Key{Type: strings.Repeat("x", history.MaxType+1), ID: "i"}, history.TooLarge},
			{"long account", history.Key{Account: strings.Repeat("x", history.MaxAccount+1), Type: "T", ID: "i"}, history.TooLarge},
			{"long region", history.Key{Region: strings.Repeat("x", history.MaxRegion+1), Type: "T", ID: "i"}, history.TooLarge},
		} {
			refused(r, c.name, r.try(history.Observation{Key: c.key, CapturedAt: at(1), State: letter("A")}).Err, c.kind)
		}
		equal(r, "revision", r.head().Revision, 0)
	}},
	{"InvalidIsNotFoundRatherThanAnError", func(r *rig) {
		r.see("a", "A", at(1))
		keys := []history.Key{{}, {Type: "T", ID: "a\x00b"}, {Type: "T", ID: strings.Repeat("x", history.MaxID+1)}}
		items, err := r.asOf(history.At{}).Get(ctx, keys, history.FieldsAll)
		if err != nil {
			r.Fatal(err)
		}
		for i, item := range items {
			same(r, "item", item, history.Item{Key: keys[i]})
		}
	}},
}

// valueCases: no digit, no byte is lost.
var valueCases = func() []namedCase {
	cases := []namedCase{{"NumberLiteralsVerbatim", func(r *rig) {
		for i, literal := range []string{
			"1.0", "1", "1e0", "1E0", "1.00", "-0", "0", "-0.0", "1e400", "-1e-400", "12345678901234567890", "12345678901234567891",
			"0.1", "0.10000000000000000001", "9007199254740993", "9007199254740992",
		} {
			o := observe("a", "A", at(i+1))
			o.State.Configuration = []byte(`{"n":` + literal + `}`)
			equal(r, "unchanged "+literal, r.record(o).Unchanged, false)
			equal(r, "configuration", string(r.get("a", history.At{}).State.Configuration), `{"n":`+literal+`}`)
		}
	}}}
	for _, v := range []struct{ name, value string }{
		{"String", `"x"`}, {"EmptyString", `""`}, {"Number", `-12.50`}, {"True", `true`}, {"False", `false`},
		{"Array", `[]`}, {"Object", `{}`}, {"EmptyKey", `{"":{"":""}}`},
	} {
		cases = append(cases, namedCase{"TopLevel" + v.name, func(r *rig) {
			o := observe("a", "A", at(1))
			o.State.Configuration = []byte(v.value)
			r.record(o)
			equal(r, "configuration", string(r.get("a", history.At{}).State.Configuration), v.value)
		}})
	}
	return append(cases, namedCase{"UnicodeUntouched", func(r *rig) {
		for i, text := range []string{"e\u0301", "\u00e9", "ﬀ", "ff", "\u2028", "\ufeff", "𝄞", "\U0010ffff", "\ufffd"} {
			o := observe("a", "A", at(i+1))
			o.State.Configuration = []byte(`"` + text + `"`)
			o.State.Name, o.State.Tags = text, map[string]string{text: text}
			equal(r, "unchanged", r.record(o).Unchanged, false)
			same(r, "state", r.get("a", history.At{}).State, o.State)
		}
	}}, namedCase{"NoConfigurationIsNotAnEmptyOne", func(r *rig) {
		o := observe("a", "A", at(1))
		o.State.Configuration = nil
		r.record(o)
		equal(r, "configuration", r.get("a", history.At{}).State.Configuration == nil, true)
	}}, namedCase{"ManyVersionsOfALargeDocument", func(r *rig) {
		long := bytes.Repeat([]byte("0123456789abcdef"), 4096)
		var want []string
		for i := range 40 {
			o := observe("a", "A", at(i+1))
			o.State.Configuration = fmt.Appendf(nil, `{"n":%d,"text":"%s","z":%d}`, i, long[:len(long)-i], i*i)
			want = append(want, string(o.State.Configuration))
			r.record(o)
		}
		for i, item := range r.history(key("a"), 0) {
			if string(item.State.Configuration) != want[len(want)-1-i] {
				r.Fatalf("configuration of v%d differs", item.Version)
			}
		}
		for i, text := range want {
			if string(r.get("a", history.At{Captured: at(i + 1)}).State.Configuration) != text {
				r.Fatalf("configuration at %d differs", i+1)
			}
		}
	}})
}()

var limitCases = []namedCase{
	{"LongestKeyIsStored", func(r *rig) {
		// One character of each part is of several bytes: bytes are counted.
		part := func(n int) string { return "é" + strings.Repeat("x", n-2) }
		k := history.Key{Account: part(history.MaxAccount), Region: part(history.MaxRegion), Type: part(history.MaxType), ID: part(history.MaxID)}
		r.record(history.Observation{Key: k, CapturedAt: at(1), State: letter("A")})
		items := r.items(history.At{}, history.Query{})
		equal(r, "key", items[0].Key, k)
		next := k
		next.ID = k.ID[:len(k.ID)-1] + "y"
		r.record(history.Observation{Key: next, CapturedAt: at(1), State: letter("B")})
		items = r.items(history.At{}, history.Query{After: &k})
		equal(r, "key", items[0].Key, next)
	}},
	{"SixteenMiBDocumentIsStored", func(r *rig) {
		o := observe("a", "A", at(1))
		o.State.Configuration = append(append([]byte{'"'}, bytes.Repeat([]byte("varve:16"), 2<<20-1)...), "123456\""...)
		equal(r, "size", len(o.State.Configuration), 16<<20)
		r.record(o)
		if !bytes.Equal(r.get("a", history.At{}).State.Configuration, o.State.Configuration) {
			r.Fatal("the document came back different")
		}
		o.CapturedAt = at(2)
		equal(r, "unchanged", r.record(o).Unchanged, true)
	}},
	{"ManyTagsRelationshipsAndSupplements", func(r *rig) {
		o := observe("a", "A", at(1))
		o.State.Tags, o.State.Supplementary = map[string]string{}, map[string][]byte{}
		for i := range 2000 {
			o.State.Tags[fmt.Sprintf("key-%d", i)] = strings.Repeat("v", i%300)
			o.State.Supplementary[fmt.Sprintf("s-%d", i)] = fmt.Appendf(nil, `{"n":%d}`, i)
			o.State.Relationships = append(o.State.Relationships, history.Relationship{Name: "Is used by", Type: "T", ID: fmt.Sprint(i)})
		}
		o.State.Normalize()
		r.record(o)
		same(r, "state", r.get("a", history.At{}).State, o.State)
	}},
	{"ManyVersionsAndSightingsOfOneResource", func(r *rig) {
		const n = 600
		var b history.Batch
		for i := range n {
			b.Observations = append(b.Observations, observe("a", string("AB"[i/3%2]), at(i+1)))
		}
		r.append(b)
		equal(r, "versions", len(r.history(key("a"), 0)), n/3)
		for _, i := range []int{1, 2, 3, 4, n / 2, n - 1, n} {
			equal(r, fmt.Sprint("state at ", i), r.name(r.get("a", history.At{Captured: at(i)})), string("AB"[(i-1)/3%2]))
		}
		r.see("a", "C", at(2)+1)
		equal(r, "versions after a split", len(r.history(key("a"), 0)), n/3+2)
	}},
}
