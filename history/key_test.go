package history_test

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/varvehq/varve/history"
	"pgregory.net/rapid"
)

func TestKeyValidate(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name  string
		key   history.Key
		kind  history.Kind
		field string // empty: valid
	}{
		{name: "OK", key: history.Key{Account: "1", Region: "r", Type: "T", ID: "i"}},
		{name: "OKWithoutAccountAndRegion", key: history.Key{Type: "T", ID: "i"}},
		{name: "OKWithAnythingInTheID", key: history.Key{Type: "T", ID: "-/a b:c%#?\\\"\x01\x7f\ufffd𝄞"}},
		{name: "OKAtItsLongest", key: history.Key{Account: long(512), Region: long(128), Type: long(512), ID: long(2048)}},
		{name: "NoType", key: history.Key{ID: "i"}, kind: history.Invalid, field: "type"},
		{name: "NoID", key: history.Key{Type: "T"}, kind: history.Invalid, field: "id"},
		{name: "NUL", key: history.Key{Type: "T", ID: "a\x00"}, kind: history.Invalid, field: "id"},
		{name: "BadUTF8", key: history.Key{Type: "T\x80", ID: "i"}, kind: history.Invalid, field: "type"},
		{name: "Surrogate", key: history.Key{Account: "\xed\xb0\x80", Type: "T", ID: "i"}, kind: history.Invalid, field: "account"},
		{name: "LongID", key: history.Key{Type: "T", ID: long(2049)}, kind: history.TooLarge, field: "id"},
		{name: "LongType", key: history.Key{Type: long(513), ID: "i"}, kind: history.TooLarge, field: "type"},
		{name: "LongAccount", key: history.Key{Account: long(513), Type: "T", ID: "i"}, kind: history.TooLarge, field: "account"},
		{name: "LongRegion", key: history.Key{Region: long(129), Type: "T", ID: "i"}, kind: history.TooLarge, field: "region"},
		{name: "LongInBytesNotCharacters", key: history.Key{Type: "T", ID: strings.Repeat("é", 1025)}, kind: history.TooLarge, field: "id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.key.Validate()
			if c.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var e *history.Error
			if !errors.As(err, &e) || !errors.Is(err, c.kind) || e.Field != c.field {
				t.Fatalf("got %v, want %v of %s", err, c.kind, c.field)
			}
			if len(e.Error()) > 400 {
				t.Errorf("the error repeats %d bytes", len(e.Error()))
			}
		})
	}
}

// keys draws keys whose parts are often alike, empty, or beginnings of each
// other.
func keys() *rapid.Generator[history.Key] {
	part := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "a\x01", "ab", "b", "-", "é", "\U0010ffff"}), rapid.String())
	return rapid.Custom(func(t *rapid.T) history.Key {
		return history.Key{Account: part.Draw(t, "account"), Region: part.Draw(t, "region"), Type: part.Draw(t, "type"), ID: part.Draw(t, "id")}
	})
}

func TestKeyCompare(t *testing.T) {
	t.Run("OrdersByFieldsAsBytes", rapid.MakeCheck(func(t *rapid.T) {
		a, b := keys().Draw(t, "a"), keys().Draw(t, "b")
		fields := func(k history.Key) []string { return []string{k.Account, k.Region, k.Type, k.ID} }
		if got, want := a.Compare(b), slices.Compare(fields(a), fields(b)); got != want {
			t.Fatalf("%q and %q: got %d, want %d", a, b, got, want)
		}
		if (a.Compare(b) == 0) != (a == b) {
			t.Fatalf("%q and %q compare equal, or are", a, b)
		}
	}))
	t.Run("IsAnOrder", rapid.MakeCheck(func(t *rapid.T) {
		list := rapid.SliceOfN(keys(), 3, 3).Draw(t, "keys")
		slices.SortFunc(list, history.Key.Compare)
		if list[0].Compare(list[2]) > 0 || cmp.Compare(0, list[0].Compare(list[2])) != list[2].Compare(list[0]) {
			t.Fatalf("%q", list)
		}
	}))
}

func TestKeyString(t *testing.T) {
	for want, k := range map[string]history.Key{
		"T i":       {Type: "T", ID: "i"},
		"T i [1]":   {Account: "1", Type: "T", ID: "i"},
		"T i [r]":   {Region: "r", Type: "T", ID: "i"},
		"T i [1/r]": {Account: "1", Region: "r", Type: "T", ID: "i"},
	} {
		if got := k.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
