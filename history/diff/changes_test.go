package diff_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/varvehq/varve/history/diff"
	"pgregory.net/rapid"
)

// checkChanges asserts what the package promises of changes, of their order and
// of their text, and returns them.
func checkChanges(t tb, before, after string, opts diff.ViewOptions) []diff.Change {
	t.Helper()
	changes, err := diff.Changes([]byte(before), []byte(after), opts)
	if err != nil {
		t.Fatal(err)
	}
	same := before == after || before != "" && after != "" && canonical(t, before) == canonical(t, after)
	if same != (len(changes) == 0) {
		t.Fatalf("equal: %t, changes: %d\n%s\n%s", same, len(changes), before, after)
	}
	for _, c := range changes {
		for _, raw := range [][]byte{c.Old, c.New} {
			if raw != nil && canonical(t, string(raw)) != string(raw) {
				t.Errorf("%s: value is not canonical: %s", c.Path, raw)
			}
		}
		hasOld, hasNew := c.Kind != diff.Added, c.Kind != diff.Removed
		if hasOld != (c.Old != nil) || hasNew != (c.New != nil) {
			t.Errorf("%s: %s with old %q and new %q", c.Path, c.Kind, c.Old, c.New)
		}
		if bytes.Equal(c.Old, c.New) {
			t.Errorf("%s: %s, but both are %s", c.Path, c.Kind, c.Old)
		}
	}
	checkText(t, changes)
	return changes
}

// checkText asserts that no document can speak to the terminal.
func checkText(t tb, changes []diff.Change) {
	t.Helper()
	for _, color := range []bool{false, true} {
		var out strings.Builder
		if err := diff.Render(&out, changes, color); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if color {
			text = strings.NewReplacer("\x1b[1m", "", "\x1b[31m", "", "\x1b[32m", "", "\x1b[33m", "", "\x1b[0m", "").Replace(text)
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' }); i >= 0 {
			t.Fatalf("color %t: text has %q\n%q", color, text[i:i+1], text)
		}
	}
}

func TestChangesAnyDocuments(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pair := genPair().Draw(rt, "pair")
		checkChanges(rt, pair[0], pair[1], diff.ViewOptions{})
		checkChanges(rt, pair[1], pair[0], diff.ViewOptions{ResourceType: "Kubernetes::core::Pod"})
	})
}

// TestChangesAnyObjects compares with a simple truth: documents without arrays
// differ exactly in the leaves that differ.
func TestChangesAnyObjects(t *testing.T) {
	key := rapid.SampledFrom([]string{"a", "b", "c", "[x]", "d/e", "~", ""})
	var object func(depth int) *rapid.Generator[any]
	object = func(depth int) *rapid.Generator[any] {
		scalar := rapid.SampledFrom([]any{1, 2, "x", true, nil})
		if depth == 0 {
			return scalar
		}
		return rapid.OneOf(scalar, rapid.Custom(func(t *rapid.T) any {
			return rapid.MapOfN(key, object(depth-1), 0, 4).Draw(t, "members")
		}))
	}
	var truth func(path string, a, b any, out map[string]string)
	truth = func(path string, a, b any, out map[string]string) {
		x, okX := a.(map[string]any)
		y, okY := b.(map[string]any)
		if !okX || !okY {
			if okX || okY || a != b {
				out[path] = "changed"
			}
			return
		}
		for _, k := range []string{"a", "b", "c", "[x]", "d/e", "~", ""} {
			p := path + "/" + map[string]string{"[x]": "~[x]", "d/e": "d~1e", "~": "~0"}[k]
			if p == path+"/" {
				p += k
			}
			switch _, inX := x[k]; {
			case !inX:
				if _, inY := y[k]; inY {
					out[p] = "added"
				}
			default:
				if v, inY := y[k]; inY {
					truth(p, x[k], v, out)
				} else {
					out[p] = "removed"
				}
			}
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		a, b := object(3).Draw(rt, "before"), object(3).Draw(rt, "after")
		want := map[string]string{}
		truth("", a, b, want)
		rawA, errA := json.Marshal(a)
		rawB, errB := json.Marshal(b)
		if errA != nil || errB != nil {
			rt.Fatal(errA, errB)
		}
		got := map[string]string{}
		for _, c := range checkChanges(rt, string(rawA), string(rawB), diff.ViewOptions{}) {
			got[c.Path] = string(c.Kind)
		}
		if d := cmp.Diff(want, got); d != "" {
			rt.Fatalf("%s\n%s\n(-want +got):\n%s", rawA, rawB, d)
		}
	})
}

// TestChangesAnyScalars compares with a simple truth: an array of scalars is a
// multiset with an order.
func TestChangesAnyScalars(t *testing.T) {
	scalars := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", "3", `"a"`, "null"}), 0, 8)
	rapid.Check(t, func(rt *rapid.T) {
		a, b := scalars.Draw(rt, "before"), scalars.Draw(rt, "after")
		if rapid.Bool().Draw(rt, "pure") {
			b = rapid.Permutation(a).Draw(rt, "permuted")
		}
		count := map[string]int{}
		for _, s := range a {
			count[s]--
		}
		for _, s := range b {
			count[s]++
		}
		kept := 0
		for _, s := range []string{"1", "2", "3", `"a"`, "null"} {
			kept += min(times(a, s), times(b, s))
		}
		pure := !slices.ContainsFunc(a, func(s string) bool { return count[s] != 0 }) && len(a) == len(b)

		changes := checkChanges(rt, "["+strings.Join(a, ",")+"]", "["+strings.Join(b, ",")+"]", diff.ViewOptions{})
		for _, c := range changes {
			switch {
			case c.Kind == diff.Reordered && c.Path == "":
				if common(a, b) == kept {
					rt.Fatalf("nothing changed places: %v %v", a, b)
				}
			case c.Kind == diff.Added && c.Path == "/[]":
				count[string(c.New)]--
			case c.Kind == diff.Removed && c.Path == "/[]":
				count[string(c.Old)]++
			default:
				rt.Fatalf("%s at %q", c.Kind, c.Path)
			}
		}
		for s, n := range count {
			if n != 0 {
				rt.Fatalf("%s is off by %d: %v %v", s, n, a, b)
			}
		}
		if pure && !slices.Equal(a, b) && (len(changes) != 1 || changes[0].Kind != diff.Reordered) {
			rt.Fatalf("pure reordering gives %d changes: %v %v", len(changes), a, b)
		}
	})
}

func times(list []string, s string) (n int) {
	for _, x := range list {
		if x == s {
			n++
		}
	}
	return n
}

// common is the length of the longest common subsequence, the slow way.
func common(a, b []string) int {
	switch {
	case len(a) == 0 || len(b) == 0:
		return 0
	case a[0] == b[0]:
		return 1 + common(a[1:], b[1:])
	}
	return max(common(a[1:], b), common(a, b[1:]))
}

func TestChangesExistence(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"", "", ""},
		{"", "null", "added"},
		{"{}", "", "removed"},
	} {
		got := ""
		for _, change := range checkChanges(t, c.before, c.after, diff.ViewOptions{}) {
			got += change.Path + string(change.Kind)
		}
		if got != c.want {
			t.Errorf("%q to %q: %q, want %q", c.before, c.after, got, c.want)
		}
	}
	if _, err := diff.Changes([]byte("{"), nil, diff.ViewOptions{}); !errors.Is(err, diff.ErrDocument) {
		t.Error(err)
	}
}

func TestChangesOwnKeys(t *testing.T) {
	before := `{"x":{"seats":[{"row":1,"n":1,"who":"a"},{"row":1,"n":2,"who":"b"}]}}`
	after := `{"x":{"seats":[{"row":1,"n":2,"who":"c"},{"row":1,"n":1,"who":"a"}]}}`
	rule := diff.KeyRule{Type: "Cinema::*", Array: "*/Seats", Keys: []string{"row", "N", "balcony?"}}
	for _, c := range []struct{ name, resourceType, want string }{
		{"OK", "Cinema::Hall", "/x/seats reordered, /x/seats/[row=1,n=2]/who changed"},
		{"other type", "Theatre::Hall", "/x/seats/0/who changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := diff.ViewOptions{ResourceType: c.resourceType, Keys: []diff.KeyRule{rule}}
			var got []string
			for _, change := range checkChanges(t, before, after, opts) {
				got = append(got, change.Path+" "+string(change.Kind))
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
}

// TestChangesHostileDepth has its many leaves at the end of a path that is longer
// than all of them.
func TestChangesHostileDepth(t *testing.T) {
	deep := func(value string) string {
		var leaves []string
		for i := range 20000 {
			leaves = append(leaves, fmt.Sprintf(`"%d":%s`, i, value))
		}
		return strings.Repeat(`{"level":`, 500) + "{" + strings.Join(leaves, ",") + "}" + strings.Repeat("}", 500)
	}
	changes := checkChanges(t, deep("1"), deep("2"), diff.ViewOptions{})
	if len(changes) != 1 {
		t.Errorf("%d changes of a long path each", len(changes))
	}
}
