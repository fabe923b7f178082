package diff_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/varvehq/varve/history/diff"
)

// render is the text of changes.
func render(t *testing.T, changes []diff.Change, color bool) string {
	t.Helper()
	var out strings.Builder
	if err := diff.Render(&out, changes, color); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRenderColor(t *testing.T) {
	got := render(t, []diff.Change{
		{Path: "/a", Kind: diff.Changed, Old: []byte("1"), New: []byte("2")},
		{Path: "/b", Kind: diff.Added, New: []byte("true")},
		{Path: "/c", Kind: diff.Removed, Old: []byte("null")},
		{Path: "/d", Kind: diff.Reordered, Old: []byte("[1,2]"), New: []byte("[2,1]")},
	}, true)
	want := "\x1b[1m/\x1b[0m\n" +
		"  \x1b[33m~ \x1b[0ma: \x1b[31m1\x1b[0m → \x1b[32m2\x1b[0m\n" +
		"  \x1b[32m+ \x1b[0mb: \x1b[32mtrue\x1b[0m\n" +
		"  \x1b[31m- \x1b[0mc: \x1b[31mnull\x1b[0m\n" +
		"  \x1b[33m~ \x1b[0md: reordered (2 elements)\n"
	if got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestRenderGroups(t *testing.T) {
	change := func(path string) diff.Change {
		return diff.Change{Path: path, Kind: diff.Added, New: []byte("1")}
	}
	got := render(t, []diff.Change{change("/a"), change("/b/x"), change("/c"), change("/b/y")}, false)
	const want = "/\n  + a: 1\n  + c: 1\n/b\n  + x: 1\n  + y: 1\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestRenderForged renders changes that no comparison gives.
func TestRenderForged(t *testing.T) {
	forged := []diff.Change{
		{},
		{Path: "no slash", Kind: "new", New: []byte("\x1b[2J")},
		{Path: "/\xff\x9b\r\n", Kind: diff.Changed, Old: []byte("\"\x00\n\""), New: []byte("\xf0\x9f")},
		{Path: "/a", Kind: diff.Reordered, New: []byte("{")},
		{Path: "/a", Kind: diff.Changed, Old: []byte(`"a\nb"`), New: []byte("\"\n\"")},
	}
	checkText(t, forged)
	if got := diff.Summary(forged); got != "2 changed, 1 reordered" {
		t.Error(got)
	}
}

func TestRenderManyLines(t *testing.T) {
	text := func(verb string, n int) []byte {
		var out strings.Builder
		for i := range n {
			fmt.Fprintf(&out, `%s %d\n`, verb, i)
		}
		return []byte(`"first\n` + out.String() + `last"`)
	}
	got := render(t, []diff.Change{{Path: "/s", Kind: diff.Changed, Old: text("old", 13), New: text("new", 40)}}, false)
	for _, want := range []string{
		"~ s: 15 lines → 42 lines\n", "@@ line 1 @@\n", "    first\n", "- old 12\n", "+ new 11\n", "+ … 28 more lines\n", "    last\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "new 12") {
		t.Errorf("too much in\n%s", got)
	}
}

func TestRenderCutsBetweenCharacters(t *testing.T) {
	// é and è share their first byte, where a cut would be wrong.
	before := `"` + strings.Repeat("é", 200) + "é" + strings.Repeat("x", 200) + `"`
	after := `"` + strings.Repeat("é", 200) + "è" + strings.Repeat("x", 200) + `"`
	got := render(t, checkChanges(t, before, after, diff.ViewOptions{}), false)
	const want = "/\n  ~ …ééééééééééééééééééééé" + "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… (604 bytes)" +
		" → …ééééééééééééééééééééè" + "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… (604 bytes)\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRenderSizes(t *testing.T) {
	for _, c := range []struct {
		length int
		want   string
	}{
		{100, ""}, {500, "(502 bytes)"}, {20 << 10, "(20.0 KiB)"}, {3 << 20, "(3.0 MiB)"},
	} {
		value := []byte(`"` + strings.Repeat("a", c.length) + `"`)
		got := render(t, []diff.Change{{Path: "/a", Kind: diff.Added, New: value}}, false)
		if strings.Contains(got, "(") != (c.want != "") || !strings.HasSuffix(got, c.want+"\n") || len(got) > 200 {
			t.Errorf("%d: %s", c.length, got)
		}
	}
}

func TestRenderError(t *testing.T) {
	full := errors.New("disk full")
	w := writer(func([]byte) (int, error) { return 0, full })
	if err := diff.Render(w, []diff.Change{{Path: "/a"}}, false); !errors.Is(err, full) {
		t.Error(err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestSummary(t *testing.T) {
	change := func(kinds ...diff.Kind) (all []diff.Change) {
		for _, k := range kinds {
			all = append(all, diff.Change{Kind: k})
		}
		return all
	}
	for want, changes := range map[string][]diff.Change{
		"no changes":         nil,
		"3 changed, 1 added": change(diff.Added, diff.Changed, diff.Changed, diff.Changed),
		"1 changed, 1 added, 2 removed, 1 reordered": change(diff.Removed, diff.Reordered, diff.Added, diff.Removed, diff.Changed),
	} {
		if got := diff.Summary(changes); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
