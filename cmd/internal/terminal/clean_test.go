package terminal_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/cmd/internal/terminal"
)

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "",
		"orders-db":        "orders-db",
		"größe 多 🎉":        "größe 多 🎉",
		"a\x1b[31mred":     `a\u001b[31mred`,
		"bell\a del\x7f":   `bell\u0007 del\u007f`,
		"c1 \u009b2J":      `c1 \u009b2J`,
		"two\nlines\tx":    `two\nlines\tx`,
		"txt\u202egpj.exe": `txt\u202egpj.exe`,
		"bad \xff byte":    `bad \xff byte`,
		"kept \uFFFD":      "kept \uFFFD",
	} {
		if got := terminal.Clean(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := terminal.CleanLines("a\x1b\nb"); got != "a\\u001b\nb" {
		t.Errorf("lines: %q", got)
	}
}

func TestCleanJSON(t *testing.T) {
	text := []byte("{\"a\u009b\":[\"\u202e\x7f\",\"\\u001b\",\"ok 多\"]}\n")
	got := terminal.CleanJSON(text)
	if strings.ContainsAny(string(got), "\u009b\u202e\x7f\x1b") {
		t.Errorf("not clean: %q", got)
	}
	before, after := jsontext.Value(bytes.Clone(text)), jsontext.Value(bytes.Clone(got))
	if before.Canonicalize() != nil || after.Canonicalize() != nil || !bytes.Equal(before, after) {
		t.Errorf("means something else: %s, was %s", after, before)
	}
}

func TestScreenOfPipe(t *testing.T) {
	s := terminal.Of(&bytes.Buffer{})
	if s != (terminal.Screen{}) || s.Paint(terminal.Red, "x") != "x" {
		t.Errorf("a buffer is taken for %+v", s)
	}
	if got := (terminal.Screen{Color: true}).Paint(terminal.Red, "x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("painted %q", got)
	}
}
