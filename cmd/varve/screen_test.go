package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/varvehq/varve/cmd/internal/terminal"
)

// onScreen runs a command line as if on a terminal.
func onScreen(addr string, screen terminal.Screen, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	a := &app{stdout: &out, stderr: &errs, screen: screen, errScreen: screen}
	code = a.run(context.Background(), append([]string{"--addr", addr}, args...))
	return code, out.String(), errs.String()
}

const hostile = `{"time":"2026-07-01T00:00:00Z","type":"T\u001b]0;x","id":"a\u001b[2J","name":"n\u009b1m","account":"\u202eevil","tags":{"k\u0007":"v\u007f"},"configuration":{"c\u009b":"\u001b[31m","d":"\u202e"},"source":"s\rx","cause":{"actor":"\u001bc"}}
{"time":"2026-07-02T00:00:00Z","type":"T\u001b]0;x","id":"a\u001b[2J","name":"n\u009b1m","account":"\u202eevil","tags":{"k\u0007":"w\u007f"},"configuration":{"c\u009b":"\u001b[32m","d":"\u202e\u009b"},"source":"s\rx","cause":{"actor":"\u001bc"}}
`

// style is what this program itself sends to a terminal.
var style = regexp.MustCompile("\x1b\\[(0|1|2|31|32|33|36)m")

// Nothing that is stored reaches a terminal raw.
func TestHostileText(t *testing.T) {
	addr, folder := startDaemon(t), t.TempDir()
	file := filepath.Join(folder, "hostile.ndjson")
	if err := os.WriteFile(file, []byte(hostile+`{"\u001b[2J":1}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := varve(addr, "import", file); !strings.Contains(out, `"recorded":2`) || code != exitRefused || strings.Contains(errs, "\x1b") {
		t.Fatalf("import: exit code %d, %s%q", code, out, errs)
	}
	typ, id := "T\x1b]0;x", "a\x1b[2J"
	for _, screen := range []terminal.Screen{{}, {Terminal: true}, {Terminal: true, Color: true, Width: 60}} {
		for _, args := range [][]string{
			{"get", typ, id}, {"history", typ, id}, {"diff", typ, id, "--from", "v1"},
			{"list"}, {"count", "--by", "type"}, {"count", "--by", "account"}, {"changes"},
			{"get", typ, id + "x"}, {"get", typ, id, "--at", "2020-01-01"}, {"list", "--tag", "\x1b"}, {"no\x1b"},
			{"get", typ, id, "-o", "json"}, {"history", typ, id, "-o", "json"}, {"diff", typ, id, "--from", "v1", "-o", "json"},
			{"list", "-o", "json"}, {"changes", "-o", "json"}, {"count", "--by", "type", "-o", "json"},
		} {
			json := args[len(args)-1] == "json"
			if json && !screen.Terminal {
				continue // a file gets the bytes as they are
			}
			_, out, errs := onScreen(addr, screen, args...)
			if out+errs == "" {
				t.Errorf("%q says nothing", args)
			}
			for _, text := range []string{out, errs} {
				text = style.ReplaceAllString(text, "")
				if i := strings.IndexAny(text, "\x00\x07\r\x1b\x7f\u009b\u202e"); i >= 0 {
					t.Errorf("%q on %+v: raw %q in %q", args, screen, text[i], text)
				}
			}
		}
	}
}

func TestColor(t *testing.T) {
	addr, folder := startDaemon(t), t.TempDir()
	file := filepath.Join(folder, "lines.ndjson")
	lines := `{"time":"2026-07-01T00:00:00Z","type":"T","id":"a","configuration":{"x":"` + strings.Repeat("long ", 40) + `1"}}
{"time":"2026-07-02T00:00:00Z","type":"T","id":"a","configuration":{"x":2,"key":"value"}}
`
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := varve(addr, "import", file); code != 0 {
		t.Fatal(errs)
	}
	_, plain, _ := onScreen(addr, terminal.Screen{Terminal: true}, "diff", "T", "a", "--from", "v1")
	_, colored, _ := onScreen(addr, terminal.Screen{Terminal: true, Color: true}, "diff", "T", "a", "--from", "v1")
	if strings.Contains(plain, "\x1b") || !strings.Contains(colored, "\x1b[32m") || !strings.Contains(colored, "\x1b[31m") {
		t.Errorf("plain %q\ncolored %q", plain, colored)
	}
	_, narrow, _ := onScreen(addr, terminal.Screen{Terminal: true, Width: 90}, "history", "T", "a")
	for line := range strings.Lines(narrow) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 90 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
}

// Progress goes to standard error, whatever happens there; standard output has
// the counts alone.
func TestProgress(t *testing.T) {
	addr, folder := startDaemon(t), t.TempDir()
	file := filepath.Join(folder, "lines.ndjson")
	lines := `{"time":"2026-07-01T00:00:00Z","type":"T","id":"a","configuration":1}` + "\nbad\n" +
		`{"time":"2026-07-02T00:00:00Z","type":"T","id":"a","deleted":true}` + "\n"
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := onScreen(addr, terminal.Screen{Terminal: true, Color: true, Width: 100}, "import", file, file)
	if want := `{"read":6,"recorded":2,"unchanged":2,"late":0,"deleted":1,"rejected":2}` + "\n"; out != want || code != exitRefused {
		t.Errorf("exit code %d, printed %q, want %q", code, out, want)
	}
	for _, want := range []string{"lines.ndjson:2: ", "6 read: 2 recorded (1 deletions), 2 unchanged, 2 rejected\n"} {
		if !strings.Contains(errs, want) {
			t.Errorf("%q is not said: %q", want, errs)
		}
	}
}
