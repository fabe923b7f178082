package diff_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/varvehq/varve/history/diff"
)

// Documents at the bounds of the store and beyond. What they are there for is
// that nothing panics, nothing is lost, and the tests end.

func TestBoundsDeep(t *testing.T) {
	for _, shape := range []struct {
		open, shut string
		levels     int
	}{
		{"[", "]", 1},
		{`{"a/b~":`, "}", 1},
		{`[0,{"name":`, "},1]", 2},
	} {
		deep := func(depth int, leaf string) string {
			n := depth / shape.levels
			return strings.Repeat(shape.open, n) + leaf + strings.Repeat(shape.shut, n)
		}
		for _, depth := range []int{512, 5000} {
			before, after := deep(depth, "1.0"), deep(depth, "1")
			for _, opts := range mostOptions {
				checkPatch(t, before, after, opts)
			}
			checkChanges(t, before, after, diff.ViewOptions{})
		}
		if _, err := diff.Compute([]byte(deep(10002, "1")), nil, diff.Options{}); !errors.Is(err, diff.ErrDocument) {
			t.Errorf("too deep: %v", err)
		}
	}
}

func TestBoundsWide(t *testing.T) {
	before, after := wide(8000)
	for _, opts := range mostOptions {
		patch := checkPatch(t, string(before), string(after), opts)
		if opts.LCS && len(patch) > 8 {
			t.Errorf("%+v: %d operations for three edits", opts, len(patch))
		}
	}
	changes := checkChanges(t, string(before), string(after), diff.ViewOptions{})
	if got := diff.Summary(changes); got != "1 changed, 2 added, 1 removed" {
		t.Error(got)
	}
}

// TestBoundsWeight has documents that it is cheaper to replace than to edit.
func TestBoundsWeight(t *testing.T) {
	join := func(open, format, shut string) string {
		all := make([]string, 8000)
		for i := range all {
			all[i] = fmt.Sprintf(format, i)
		}
		return open + strings.Join(all, ",") + shut
	}
	for _, shape := range []struct{ name, open, format, shut string }{
		{"scalars", "[", "#%d", "]"},
		{"members", "{", `"%d":#`, "}"},
		{"many edits in each element", "[", `{"a":#,"b":#,"c":#,"d":#,"id":%d}`, "]"},
		{"many edits in each member", "{", `"%d":{"a":#,"b":#,"c":#,"d":#}`, "}"},
	} {
		t.Run(shape.name, func(t *testing.T) {
			text := `{"place":` + join(shape.open, shape.format, shape.shut) + `}`
			before, after := strings.ReplaceAll(text, "#", "1"), strings.ReplaceAll(text, "#", "2")
			for _, opts := range mostOptions {
				patch := checkPatch(t, before, after, opts)
				last := patch[len(patch)-1]
				if last.Op != diff.OpReplace || last.Path != "/place" {
					t.Errorf("%+v: %d operations, last %s %s", opts, len(patch), last.Op, last.Path)
				}
			}
			if n := len(checkChanges(t, before, after, diff.ViewOptions{})); n < 8000 {
				t.Errorf("%d changes", n)
			}
		})
	}
}

func TestBoundsLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("16 MiB take a second")
	}
	var text strings.Builder
	text.WriteString("{")
	for i := 0; text.Len() < 16<<20-200; i++ {
		fmt.Fprintf(&text, `"key %07d":{"name":"resource %d","values":[%d.0,null],"note":"%0200d"},`, i, i, i, i)
	}
	before := text.String() + `"last":0}`
	after := strings.Replace(text.String(), `"resource 777"`, `"resource <777>"`, 1) + `"last":-0}`
	for _, opts := range mostOptions[1:] {
		if n := len(checkPatch(t, before, after, opts)); n != 4 { // two of them are tests
			t.Errorf("%d operations", n)
		}
	}
	if n := len(checkChanges(t, before, after, diff.ViewOptions{})); n != 2 {
		t.Errorf("%d changes", n)
	}
}
