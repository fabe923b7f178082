package table_test

import (
	"strings"
	"testing"

	"github.com/varvehq/varve/cmd/internal/table"
	"github.com/varvehq/varve/cmd/internal/terminal"
)

func render(t *testing.T, tab *table.Table) string {
	t.Helper()
	var b strings.Builder
	if _, err := tab.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTable(t *testing.T) {
	tab := table.New(terminal.Screen{}, ">v", "id", "empty", "note")
	tab.Row(table.Text("1"), table.Text("sg-1"), table.Text(""), table.Text("a\x1b[2Jb"))
	tab.Row(table.Text("12"), table.Text("多-2"))
	want := strings.Join([]string{
		` V  ID    NOTE`,
		` 1  sg-1  a\u001b[2Jb`,
		`12  多-2`,
		``,
	}, "\n")
	if got := render(t, tab); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTableEmpty(t *testing.T) {
	if got := render(t, table.New(terminal.Screen{}, "id")); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestTableNarrow(t *testing.T) {
	long := strings.Repeat("x", 60)
	tab := table.New(terminal.Screen{Width: 50, Color: true}, "id", "note")
	tab.Row(table.Text(strings.Repeat("i", 20)), table.Cell{Text: long, Style: terminal.Red})
	if got := render(t, tab); !strings.Contains(got, long) {
		t.Errorf("cut without leave:\n%s", got)
	}
	tab.GiveWay()
	got := render(t, tab)
	if !strings.Contains(got, strings.Repeat("i", 20)) || strings.Contains(got, long) || !strings.Contains(got, "…") {
		t.Errorf("got\n%s", got)
	}
}

// What is very long is shortened on a screen only, and keeps both of its ends.
func TestTableLong(t *testing.T) {
	ids := []string{"begin-" + strings.Repeat("x", 1000) + "-end", "多" + strings.Repeat("多", 500) + "多", strings.Repeat("a", 128)}
	draw := func(screen terminal.Screen) string {
		tab := table.New(screen, "id", "type", "note")
		for _, id := range ids {
			tab.Row(table.Cell{Text: id, Style: terminal.Red}, table.Text("T"), table.Text("n"))
		}
		return render(t, tab)
	}
	for _, screen := range []terminal.Screen{{}, {Terminal: true}} {
		got := draw(screen)
		for _, id := range ids {
			if !strings.Contains(got, id) {
				t.Errorf("%+v: cut\n%s", screen, got)
			}
		}
	}
	got := draw(terminal.Screen{Terminal: true, Width: 100})
	for _, want := range []string{
		"begin-" + strings.Repeat("x", 18) + "…" + strings.Repeat("x", 21) + "-end",
		strings.Repeat("多", 12) + "…" + strings.Repeat("多", 12),
		ids[2],
	} {
		if !strings.Contains(got, want+" ") {
			t.Errorf("got\n%s\nwant %s", got, want)
		}
	}
	if strings.Contains(got, strings.Repeat("x", 100)) || strings.Contains(got, strings.Repeat("多", 50)) {
		t.Errorf("got\n%s", got)
	}
}

func TestFields(t *testing.T) {
	var b strings.Builder
	table.Fields(&b, terminal.Screen{}, []table.Field{
		{Name: "type", Cell: table.Text("AWS::S3::Bucket")},
		{Name: "availability zone", Cell: table.Text("")},
		{Name: "id", Cell: table.Text("logs\n")},
	})
	if got, want := b.String(), "type  AWS::S3::Bucket\nid    logs\\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
