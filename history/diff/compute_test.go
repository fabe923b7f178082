package diff_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/varvehq/varve/history/diff"
	"pgregory.net/rapid"
)

// everyOption is every combination of options.
var everyOption = func() (all []diff.Options) {
	for i := range 8 {
		all = append(all, diff.Options{LCS: i&1 > 0, Factorize: i&2 > 0, Tests: i&4 > 0})
	}
	return all
}()

// mostOptions is for large documents: none and all.
var mostOptions = []diff.Options{everyOption[0], everyOption[len(everyOption)-1]}

// checkPatch asserts what the package promises of a patch and returns it.
func checkPatch(t tb, before, after string, opts diff.Options) diff.Patch {
	t.Helper()
	patch, err := diff.Compute([]byte(before), []byte(after), opts)
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	if after != "" {
		want = canonical(t, after)
	}
	got, err := diff.Apply([]byte(before), patch)
	if err != nil {
		t.Fatalf("%+v: apply: %v\n%s", opts, err, wire(t, patch))
	}
	if string(got) != want {
		t.Fatalf("%+v: apply(before, patch) is not after\n got %.2000s\nwant %.2000s\n%.2000s", opts, got, want, wire(t, patch))
	}
	same := before == after || before != "" && after != "" && canonical(t, before) == want
	if same != (len(patch) == 0) {
		t.Fatalf("%+v: equal: %t, operations: %d", opts, same, len(patch))
	}

	var read diff.Patch
	if err := read.UnmarshalJSON([]byte(wire(t, patch))); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(append(diff.Patch{}, patch...), read) {
		t.Fatalf("%+v: patch does not survive its own JSON (-wrote +read):\n%s", opts, cmp.Diff(patch, read))
	}
	return patch
}

// wire is the JSON of a patch.
func wire(t tb, p diff.Patch) string {
	t.Helper()
	raw, err := p.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestComputeAnyDocuments(t *testing.T) {
	for _, opts := range everyOption {
		t.Run(fmt.Sprintf("%+v", opts), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				pair := genPair().Draw(rt, "pair")
				checkPatch(rt, pair[0], pair[1], opts)
			})
		})
	}
}

func TestComputeAnyArrays(t *testing.T) {
	// Few different elements make for many ways to line two arrays up.
	element := rapid.SampledFrom([]string{"0", "1", "2", `"x"`, "[1]", "[1,2]", `{"a":1}`, `{"a":2}`, `{"a":{"b":[]}}`})
	array := rapid.Custom(func(t *rapid.T) string {
		return "[" + strings.Join(rapid.SliceOfN(element, 0, 12).Draw(t, "elements"), ",") + "]"
	})
	rapid.Check(t, func(rt *rapid.T) {
		before, after := array.Draw(rt, "before"), array.Draw(rt, "after")
		for _, opts := range everyOption {
			checkPatch(rt, before, after, opts)
		}
	})
}

// TestComputeAnyLongArrays takes arrays beyond the bound of LCS, where sections
// between anchors take its place.
func TestComputeAnyLongArrays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(520, 700).Draw(rt, "n")
		distinct := rapid.SampledFrom([]int{3, n / 2, n * 10}).Draw(rt, "distinct")
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(`{"n":%d}`, i*7919%distinct)
		}
		before := "[" + strings.Join(list, ",") + "]"
		for range rapid.IntRange(1, 12).Draw(rt, "edits") {
			at := rapid.IntRange(0, len(list)-1).Draw(rt, "at")
			switch rapid.IntRange(0, 3).Draw(rt, "edit") {
			case 0:
				list = append(list[:at:at], append([]string{`{"n":-1}`}, list[at:]...)...)
			case 1:
				list = append(list[:at:at], list[at+1:]...)
			case 2:
				list[at] = `{"n":-2}`
			case 3:
				other := rapid.IntRange(0, len(list)-1).Draw(rt, "other")
				list[at], list[other] = list[other], list[at]
			}
		}
		after := "[" + strings.Join(list, ",") + "]"
		for _, opts := range mostOptions {
			checkPatch(rt, before, after, opts)
		}
	})
}

func TestComputeExistence(t *testing.T) {
	const doc = ` {"b": 1.0, "a": "<&>"} `
	for _, c := range []struct{ name, before, after, want string }{
		{"never existed", "", "", `[]`},
		{"created", "", doc, `[{"op":"add","path":"","value":{"a":"<&>","b":1.0}}]`},
		{"deleted", doc, "", `[{"op":"remove","path":""}]`},
		{"created as null", "", "null", `[{"op":"add","path":"","value":null}]`},
		{"null is a document", "null", "", `[{"op":"remove","path":""}]`},
		{"other kind", "[1]", `{"a":1}`, `[{"op":"replace","path":"","value":{"a":1}}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := wire(t, checkPatch(t, c.before, c.after, diff.Options{})); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestComputeRefuses(t *testing.T) {
	for _, bad := range []string{" ", "{", "1 2", `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `"\ud800"`, "\"\xff\"", "01", "nul", "[1,]", "NaN"} {
		if _, err := diff.Compute([]byte(bad), []byte("1"), diff.Options{}); !errors.Is(err, diff.ErrDocument) {
			t.Errorf("before %q: %v", bad, err)
		}
		if _, err := diff.Compute(nil, []byte(bad), diff.Options{}); !errors.Is(err, diff.ErrDocument) {
			t.Errorf("after %q: %v", bad, err)
		}
	}
}
