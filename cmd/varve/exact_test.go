package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/cmd/internal/daemon"
	"github.com/varvehq/varve/recorder/canonical"
)

// startDaemon starts a daemon within the test and returns its address.
func startDaemon(t *testing.T) string {
	t.Helper()
	d := daemon.New(daemon.Options{Dir: filepath.Join(t.TempDir(), "store"), GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"})
	if err := d.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return d.GRPCAddr()
}

// varve runs a command line within the test.
func varve(addr string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(append([]string{"--addr", addr}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

// document generates JSON text that is hard to keep: numbers that no float64
// holds, strings of every kind, every way to write them, white space.
func document(depth int) *rapid.Generator[string] {
	number := rapid.SampledFrom([]string{
		"0", "-0", "1", "1.0", "1e400", "1E+400", "-1e-400", "0.1", "0.10", "12345678901234567890", "123456789012345678901234567890.5",
		"9007199254740993", "1e0", "-0.0e-0", "3.141592653589793238462643383279",
	})
	text := rapid.OneOf(
		rapid.String(),
		rapid.StringOf(rapid.RuneFrom([]rune("\x00\x01\b\t\n\f\r\"\\/<>&'\x7f\u0080\u009b\u2028\u2029\u202e\ufeff\ufffd\uffff😀𝄞é"))),
		rapid.SampledFrom([]string{"", " ", "null", "__proto__", "a.b/c~d"}),
	)
	quoted := rapid.Custom(func(t *rapid.T) string {
		return quote(text.Draw(t, "text"), rapid.Bool().Draw(t, "escaped"))
	})
	scalar := rapid.OneOf(number, quoted, rapid.SampledFrom([]string{"true", "false", "null"}))
	if depth == 0 {
		return scalar
	}
	inner := document(depth - 1)
	space := rapid.SampledFrom([]string{"", "", " ", "\t", "\r "}) // no line feed: it ends the line
	return rapid.OneOf(
		scalar,
		rapid.Custom(func(t *rapid.T) string {
			items := rapid.SliceOfN(inner, 0, 5).Draw(t, "array")
			return "[" + space.Draw(t, "space") + strings.Join(items, ","+space.Draw(t, "space")) + "]"
		}),
		rapid.Custom(func(t *rapid.T) string {
			keys := rapid.SliceOfNDistinct(text, 0, 5, rapid.ID[string]).Draw(t, "keys")
			members := make([]string, len(keys))
			for i, k := range keys {
				members[i] = quote(k, rapid.Bool().Draw(t, "escaped")) + space.Draw(t, "space") + ":" + inner.Draw(t, "value")
			}
			return "{" + strings.Join(members, space.Draw(t, "space")+",") + "}"
		}))
}

// quote writes a JSON string, with every character as an escape or with as few
// escapes as there must be.
func quote(text string, escaped bool) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	if !escaped {
		b, err := jsontext.AppendQuote(nil, text)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	var b strings.Builder
	for _, unit := range utf16Of(text) {
		fmt.Fprintf(&b, `\u%04X`, unit)
	}
	return `"` + b.String() + `"`
}

func utf16Of(text string) []uint16 {
	var units []uint16
	for _, r := range text {
		if r >= 0x10000 {
			r -= 0x10000
			units = append(units, 0xd800+uint16(r>>10), 0xdc00+uint16(r&0x3ff))
			continue
		}
		units = append(units, uint16(r))
	}
	return units
}

// checkExact imports a document and gets it back through the command line.
func checkExact(t interface {
	Fatalf(string, ...any)
}, addr, folder, id, doc string) {
	file := filepath.Join(folder, "line.ndjson")
	line := fmt.Sprintf(`{"time":"2026-07-01T00:00:00Z","type":"T","id":%q,"configuration":%s,"supplementary":{"s":%s}}`+"\n", id, doc, doc)
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		t.Fatalf("%v", err)
	}
	if code, out, errs := varve(addr, "import", file); code != 0 {
		t.Fatalf("import of %.2000s: exit code %d, %s%s", doc, code, out, errs)
	}
	code, out, errs := varve(addr, "get", "T", id, "-o", "json")
	if code != 0 {
		t.Fatalf("get of %.2000s: exit code %d, %s", doc, code, errs)
	}
	var item struct {
		Configuration jsontext.Value            `json:"configuration"`
		Supplementary map[string]jsontext.Value `json:"supplementary"`
	}
	if err := json.Unmarshal([]byte(out), &item, jsontext.AllowInvalidUTF8(false)); err != nil {
		t.Fatalf("get of %.2000s: %v", doc, err)
	}
	want, err := canonical.Form([]byte(doc), canonical.Limits{})
	if err != nil {
		t.Fatalf("canonical form of %.2000s: %v", doc, err)
	}
	for _, got := range []jsontext.Value{item.Configuration, item.Supplementary["s"]} {
		if !bytes.Equal(got, want) {
			t.Fatalf("got %.2000s\nwant %.2000s", got, want)
		}
	}
}

// What import takes, get gives back, to the last digit.
func TestExact(t *testing.T) {
	addr, folder := startDaemon(t), t.TempDir()
	n := 0
	t.Run("Any", rapid.MakeCheck(func(t *rapid.T) {
		doc := document(3).Filter(func(d string) bool { return d != "null" }).Draw(t, "document")
		n++
		checkExact(t, addr, folder, fmt.Sprint("-", n), doc)
	}))
	for name, doc := range map[string]string{
		"Deep":      strings.Repeat("[", 500) + strings.Repeat("]", 500),
		"DeepKeys":  strings.Repeat(`{"":`, 500) + "1.0" + strings.Repeat("}", 500),
		"MiB":       `"` + strings.Repeat(`x\u0000é😀`, 1<<20/10) + `"`,
		"Digits":    strings.Repeat("9", 100_000) + "." + strings.Repeat("0", 100_000),
		"Exponents": `[1e400,1E400,1e+400,1.0e-400,-0,-0.0,0e0]`,
		"Top":       `[]`,
		"Text":      `"\ud83d\ude00"`,
	} {
		t.Run(name, func(t *testing.T) { checkExact(t, addr, folder, name, doc) })
	}
}
