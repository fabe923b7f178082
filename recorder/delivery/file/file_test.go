package file_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/delivery"
	"github.com/varvehq/varve/recorder/delivery/file"
)

func newTarget(t testing.TB, o file.Options) *file.Target {
	t.Helper()
	target, err := file.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	})
	return target
}

func deliver(t testing.TB, target *file.Target, text string) {
	t.Helper()
	if err := target.Deliver(t.Context(), delivery.Message{Body: []byte(text)}); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// lines reads a file and those that were full before it, oldest first.
func lines(t testing.TB, path string) []string {
	t.Helper()
	old, err := filepath.Glob(path + ".??????*")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(old)
	text := ""
	for _, name := range old {
		if !strings.HasSuffix(name, ".gz") {
			text += read(t, name)
			continue
		}
		z, err := gzip.NewReader(strings.NewReader(read(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		text += string(b)
	}
	text += read(t, path)
	if text != "" && !strings.HasSuffix(text, "\n") {
		t.Fatalf("the last line has no end: %q", text[max(0, len(text)-100):])
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func TestDeliver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events %.ndjson")
	target := newTarget(t, file.Options{URL: "file://" + strings.NewReplacer("%", "%25", " ", "%20").Replace(path)})
	if target.Concurrency() != 1 {
		t.Error("more than one at once")
	}
	deliver(t, target, `{"a":1.0}`)
	deliver(t, target, "{\"b\":1}\n{\"b\":2}\n")
	if got, want := read(t, path), "{\"a\":1.0}\n{\"b\":1}\n{\"b\":2}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}

	t.Run("goes on in a file of its own that is there", func(t *testing.T) {
		if err := target.Close(); err != nil {
			t.Fatal(err)
		}
		deliver(t, target, `{"c":1}`)
		if got := read(t, path); !strings.HasSuffix(got, "{\"b\":2}\n{\"c\":1}\n") {
			t.Errorf("%q", got)
		}
	})
	t.Run("begins a new one if it is moved away", func(t *testing.T) {
		if err := os.Rename(path, path+".moved"); err != nil {
			t.Fatal(err)
		}
		deliver(t, target, `{"d":1}`)
		if got := read(t, path); got != "{\"d\":1}\n" {
			t.Errorf("%q", got)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		deliver(t, target, `{"e":1}`)
		if got := read(t, path); got != "{\"e\":1}\n" {
			t.Errorf("%q", got)
		}
	})
	t.Run("goes on behind what is cut off", func(t *testing.T) {
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		deliver(t, target, `{"f":1}`)
		if got := read(t, path); got != "{\"f\":1}\n" {
			t.Errorf("%q", got)
		}
	})
}

func TestFolderThatComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sub")
	target := newTarget(t, file.Options{URL: "file:" + dir + "/x"})
	if err := target.Deliver(t.Context(), delivery.Message{Body: []byte("{}")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	deliver(t, target, "{}")
	if got := read(t, dir+"/x"); got != "{}\n" {
		t.Errorf("%q", got)
	}
}

func TestRotation(t *testing.T) {
	for _, c := range []struct {
		name, settings string
		files          int  // beside the one that grows: 17 lines go into one
		whole, packed  bool // nothing was removed; the old ones are compressed
	}{
		{"keeps all that fit", "size=2KiB&keep=1000", 60, true, false},
		{"removes the oldest", "size=2KiB&keep=3", 3, false, false},
		{"keeps none", "size=2KiB&keep=0", 0, false, false},
		{"compresses", "size=2KiB&keep=1000&gzip=true", 60, true, true},
		{"compresses and removes", "size=2KiB&keep=5&gzip=true", 5, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x")
			for _, other := range []string{"x.1", "x.000001.bak", "xy.000001", "x.0000a1"} { // are not ours
				if err := os.WriteFile(filepath.Join(filepath.Dir(path), other), []byte("other"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			target := newTarget(t, file.Options{URL: "file://" + path + "?" + c.settings})
			var want []string
			for i := range 1000 {
				line := fmt.Sprintf(`{"n":%d,"pad":"%s"}`, i, strings.Repeat("x", 100-len(fmt.Sprint(i))))
				if i == 500 { // larger than a file
					line = `{"n":500,"pad":"` + strings.Repeat("y", 5000) + `"}`
				}
				deliver(t, target, line)
				want = append(want, line)
			}
			if err := target.Close(); err != nil {
				t.Fatal(err)
			}
			names, err := filepath.Glob(path + ".[0-9][0-9][0-9][0-9][0-9][0-9]*")
			if err != nil {
				t.Fatal(err)
			}
			names = slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, ".bak") })
			if len(names) != c.files {
				t.Errorf("%d files, want %d", len(names), c.files)
			}
			for _, name := range names {
				if strings.HasSuffix(name, ".gz") != c.packed {
					t.Errorf("%s", name)
				}
				if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 || !c.packed && info.Size() > 2048 && info.Size() < 5000 {
					t.Errorf("%s: %v %v", name, info, err)
				}
			}
			for _, other := range []string{"x.1", "x.000001.bak", "xy.000001", "x.0000a1"} {
				if got := read(t, filepath.Join(filepath.Dir(path), other)); got != "other" {
					t.Errorf("%s holds %q", other, got)
				}
				if err := os.Remove(filepath.Join(filepath.Dir(path), other)); err != nil {
					t.Fatal(err)
				}
			}
			got := lines(t, path)
			if c.whole && len(got) != len(want) || !slices.Equal(got, want[len(want)-len(got):]) {
				t.Errorf("%d lines are left of %d, or not the last ones", len(got), len(want))
			}
		})
	}
}

// TestLeftovers: what a crash left undone while files were packed is done later.
func TestLeftovers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for name, text := range map[string]string{
		"x": "{}\n", "x.000001": "{\"n\":1}\n", "x.000002": "{\"n\":2}\n", "x.000002.gz": "half", "x.000003": "{\"n\":3}\n", "x.000003.gz.part": "ha",
	} {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	target := newTarget(t, file.Options{URL: "file:" + path + "?gzip=true"})
	deliver(t, target, `{"n":4}`)
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, path); !slices.Equal(got, []string{`{"n":1}`, `{"n":2}`, `{"n":3}`, `{}`, `{"n":4}`}) {
		t.Errorf("%q", got)
	}
	if names, _ := filepath.Glob(path + "*"); len(names) != 4 {
		t.Errorf("%q", names)
	}
}

// TestRepair: a line without an end is cut off, and nobody else's file is touched.
func TestRepair(t *testing.T) {
	long := `{"x":"` + strings.Repeat("y", 200_000)
	for _, c := range []struct{ name, before, after string }{
		{"whole", "{\"a\":1}\n", "{\"a\":1}\n{}\n"},
		{"empty", "", "{}\n"},
		{"torn", "{\"a\":1}\n{\"b\":", "{\"a\":1}\n{}\n"},
		{"torn at its first byte", "{\"a\":1}\n{", "{\"a\":1}\n{}\n"},
		{"only the line end is missing", "{\"a\":1}\n{\"b\":1}", "{\"a\":1}\n{}\n"},
		{"torn array", "[{\"a\":1}]\n[{\"b\":1},", "[{\"a\":1}]\n{}\n"},
		{"the first line is torn", "{\"a\"", "{}\n"},
		{"a long line is torn", "{\"a\":1}\n" + long, "{\"a\":1}\n{}\n"},
		{"the long first line is torn", long, "{}\n"},
		{"zeros", "{\"a\":1}\n\x00\x00\x00", "{\"a\":1}\n{}\n"},
		{"text", "root:x:0:0\nlast", ""},
		{"binary", "\x00\x00\x00\x00\xed\xda\x0c\xed", ""},
		{"text behind JSON", "{\"a\":1}\nlast", ""},
		{"blank", "\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x")
			if err := os.WriteFile(path, []byte(c.before), 0o644); err != nil {
				t.Fatal(err)
			}
			err := newTarget(t, file.Options{URL: "file:" + path}).Deliver(t.Context(), delivery.Message{Body: []byte("{}")})
			if c.after == "" {
				if !errors.Is(err, history.Invalid) {
					t.Errorf("%v", err)
				}
				c.after = c.before
			} else if err != nil {
				t.Error(err)
			}
			if got := read(t, path); got != c.after {
				t.Errorf("got %.200q, want %.200q", got, c.after)
			}
		})
	}
}

// TestTwoOnOneFile: the second one is told, and may go on when the first is gone.
func TestTwoOnOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	a, b := newTarget(t, file.Options{URL: "file:" + path}), newTarget(t, file.Options{URL: "file://" + path + "?size=1KiB"})
	for range 20 { // through rotations
		deliver(t, a, `{"a":"`+strings.Repeat("x", 100)+`"}`)
		if err := b.Deliver(t.Context(), delivery.Message{Body: []byte("{}")}); !errors.Is(err, history.Locked) {
			t.Fatalf("the second: %v", err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	deliver(t, b, "{}")
}

func TestStdout(t *testing.T) {
	t.Run("whole messages of several subscriptions", func(t *testing.T) {
		var out bytes.Buffer
		var all sync.WaitGroup
		for i := range 8 {
			target := newTarget(t, file.Options{URL: "file:-", Stdout: &out})
			all.Go(func() {
				for range 50 {
					body := fmt.Appendf(nil, "{\"n\":%d}\n{\"n\":%d}", i, i)
					if err := target.Deliver(t.Context(), delivery.Message{Body: body}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		list := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		for i := 0; i < len(list); i += 2 {
			if len(list) != 800 || list[i] != list[i+1] {
				t.Fatalf("line %d of %d: %s, %s", i, len(list), list[i], list[i+1])
			}
		}
	})
	t.Run("nobody reads", func(t *testing.T) {
		r, w := io.Pipe()
		target := newTarget(t, file.Options{URL: "file:-", Stdout: w})
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error)
		go func() { first <- target.Deliver(ctx, delivery.Message{Body: []byte("{}")}) }()
		b := make([]byte, 1)
		if _, err := r.Read(b); err != nil { // it is under way
			t.Fatal(err)
		}
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Errorf("first: %v", err)
		}
		if err := target.Deliver(ctx, delivery.Message{Body: []byte("[]")}); !errors.Is(err, context.Canceled) {
			t.Errorf("second: %v", err)
		}
		if rest, _ := io.ReadAll(io.LimitReader(r, 2)); string(b)+string(rest) != "{}\n" { // what was begun is finished
			t.Errorf("%s%s", b, rest)
		}
		third := make(chan error)
		go func() { third <- target.Deliver(context.WithoutCancel(ctx), delivery.Message{Body: []byte("[]")}) }()
		if rest, _ := io.ReadAll(io.LimitReader(r, 3)); string(rest) != "[]\n" {
			t.Errorf("%s", rest)
		}
		if err := <-third; err != nil {
			t.Error(err)
		}
	})
}

func TestCheckURL(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"ours": "{\"a\":1}\n", "empty": "", "text": "hello\n", "store": "\x00\x00"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, raw := range []string{
		"file:-", "file:" + dir + "/new", "file://" + dir + "/new", "file://localhost" + dir + "/new", "FILE:" + dir + "/new", "file:" + dir + "/ours", "file:" + dir + "/empty",
		"file:" + dir + "/new?size=1KiB&keep=0&gzip=false", "file:" + dir + "/new?size=4096&keep=999999&gzip=true", "file:" + dir + "/sub/../a%3Fb%23",
	} {
		if err := file.CheckURL(raw, ""); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	for raw, want := range map[string]string{
		"":                        "is not a file; write file:///path",
		"http://x/":               "is not a file",
		"file:":                   "names no file",
		"file://":                 "names no file",
		"file:///":                "names no file",
		"file://" + dir + "/":     "names no file",
		"file:x":                  "is a path from where the daemon happens to run",
		"file:./x":                "is a path from where the daemon happens to run",
		"file://x":                "has a host between the second slash and the third",
		"file://x/y":              "has a host",
		"file://u@localhost/x":    "has a host",
		"file:/x#y":               "has a fragment",
		"file:/x%00":              "has a NUL character",
		"file:/x%zz":              "is not a URL",
		"file:/x?rotate=1":        `"rotate": is not a setting of a file; they are size, keep and gzip`,
		"file:/x?size=1":          "cannot be read; write size=100MiB",
		"file:/x?size=1MB":        "cannot be read",
		"file:/x?size=-1MiB":      "cannot be read",
		"file:/x?size=2048GiB":    "cannot be read",
		"file:/x?size=99999TiB":   "cannot be read",
		"file:/x?keep=-1":         "cannot be read",
		"file:/x?keep=1000000":    "cannot be read",
		"file:/x?gzip=yes":        "cannot be read",
		"file:/x?gzip":            "cannot be read",
		"file:/x?keep=1&keep=2":   "is given twice",
		"file:/x?%zz":             "has settings that cannot be read",
		"file:" + dir + "/no/x":   "is in a folder that is not there; make the folder first",
		"file:" + dir + "/ours/":  "names no file",
		"file:" + dir:             "is not a file; choose a path of its own",
		"file:/dev/null":          "is not a file; choose a path of its own",
		"file:" + dir + "/ours/x": "a folder",
		"file:" + dir + "/text":   "holds something else than lines of JSON",
		"file:" + dir + "/store":  "holds something else than lines of JSON",
	} {
		err := file.CheckURL(raw, "")
		var e *history.Error
		if !errors.As(err, &e) || e.Kind != history.Invalid || e.Field != "target" || !strings.Contains(e.Message(), want) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// TestWithin: a folder for files keeps them in, whatever links say.
func TestWithin(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "files")
	for _, name := range []string{folder, filepath.Join(folder, "a"), filepath.Join(dir, "other"), filepath.Join(dir, "files2")} {
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{
		"files/out": "../other", "files/in": "a", "files/secret": "../other/there", "files/dangling": "../other/none", "alias": "files",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "other/there"), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"files/x", "files/a/x", "files/in/x", "alias/x", "files/a/../x", "files/..x"} {
		if err := file.CheckURL("file:"+dir+"/"+path, folder); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for path, want := range map[string]string{
		"x": "is outside of", "other/x": "is outside of", "files2/x": "is outside of", "files/../x": "is outside of", "files/out/x": "is outside of",
		"files/secret": "is outside of", "files/dangling": "is a link to what is not there", "files/none/x": "make the folder first",
	} {
		url := "file:" + dir + "/" + path
		if err := file.CheckURL(url, folder); !errors.Is(err, history.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
		target, err := file.New(file.Options{URL: url, Within: folder})
		if err != nil {
			t.Fatal(err)
		}
		if err := target.Deliver(t.Context(), delivery.Message{Body: []byte("{}\n")}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: delivered: %v", path, err)
		}
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := file.CheckURL("file:"+folder+"/x", dir+"/none"); err == nil || !strings.Contains(err.Error(), "the folder for files") {
		t.Errorf("without the folder: %v", err)
	}
}
