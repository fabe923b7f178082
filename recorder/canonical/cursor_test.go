package canonical_test

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/recorder/canonical"
)

// walked reads a text down to its scalars and writes what it read.
func walked(c *canonical.Cursor, out *bytes.Buffer) bool {
	switch c.Peek() {
	case '{':
		out.WriteByte('{')
		return c.Object(func(key []byte) bool {
			quoted, err := jsontext.AppendQuote(nil, key)
			out.Write(quoted)
			return err == nil && walked(c, out)
		})
	case '[':
		out.WriteByte('[')
		return c.Array(func() bool { return walked(c, out) })
	case '"':
		text, ok := c.Text()
		quoted, err := jsontext.AppendQuote(nil, text)
		out.Write(quoted)
		return ok && err == nil
	}
	v, ok := c.Value()
	out.Write(v)
	return ok
}

// tokens does the same with jsontext.
func tokens(text []byte) (string, bool) {
	if !jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true)) {
		return "", false
	}
	var out bytes.Buffer
	d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true))
	for {
		token, err := d.ReadToken()
		if err != nil { // the end
			return out.String(), true
		}
		switch token.Kind() {
		case '"':
			quoted, _ := jsontext.AppendQuote(nil, token.String())
			out.Write(quoted)
		case '}', ']':
		default:
			out.WriteString(token.String())
		}
	}
}

func sameWalk(t interface {
	Helper()
	Fatalf(string, ...any)
}, text []byte) {
	t.Helper()
	want, valid := tokens(text)
	var got bytes.Buffer
	c := canonical.NewCursor(text)
	ok := walked(c, &got) && c.AtEnd()
	c.Close()
	if ok != valid || ok && got.String() != want {
		t.Fatalf("%q: read %v %q, want %v %q", text, ok, got.String(), valid, want)
	}

	c = canonical.NewCursor(text)
	v, ok := c.Value()
	ok = ok && c.AtEnd()
	c.Close()
	if ok != valid || ok && !bytes.Equal(v, bytes.Trim(text, " \t\r\n")) {
		t.Fatalf("%q: passed over %v %q, want %v", text, ok, v, valid)
	}
}

func TestCursor(t *testing.T) {
	for _, text := range []string{
		``, ` `, `{}`, ` { "a" : [ 1 , { "b" : null } , "c" ] , "a" : 2 } `, `[]`, `[[],{}]`, `"a\u0062\n"`, `{"\u0061":1}`,
		`{"a":1,}`, `[1,]`, `[,]`, `{"a"}`, `{"a":}`, `{1:2}`, `[1 2]`, `[1}`, `{]`, `1 2`, `tru`, `01`, `"\ud800"`, "\"\xff\"", "\"\n\"",
	} {
		sameWalk(t, []byte(text))
	}
	t.Run("Damaged", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			text := []byte(` {"a":[1.5e3,"x\u00e9\"",{"b":{}},true,null,[]],"c":"` + rapid.String().Draw(t, "text") + `" } `)
			for range rapid.IntRange(0, 2).Draw(t, "damages") {
				text[rapid.IntRange(0, len(text)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("{}[],:\"\\ 0au\xff\n")).Draw(t, "byte")
			}
			sameWalk(t, text)
		})
	})
	t.Run("Deep", func(t *testing.T) {
		deep := append(bytes.Repeat([]byte("["), 10_000), bytes.Repeat([]byte("]"), 10_000)...)
		sameWalk(t, deep)
		sameWalk(t, append(append([]byte("["), deep...), ']'))
	})
}

// A Cursor that stopped stays where it stopped.
func TestCursorStopped(t *testing.T) {
	c := canonical.NewCursor([]byte(`{"a":1,"b":2}`))
	defer c.Close()
	if c.Object(func([]byte) bool { return false }) {
		t.Error("went on")
	}
	if _, ok := c.Value(); ok || c.AtEnd() {
		t.Error("reads on")
	}
}

func FuzzCursor(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"b",{}]}`, ` [ ] `, `"\ud83e\udd80"`, `{"a":1,"a":1e-5}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) { sameWalk(t, text) })
}
