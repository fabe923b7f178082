package graph

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// visit is one string with its pointer.
type visit struct{ pointer, text string }

// visits collects what a walker meets.
type visits struct {
	w   *walker
	all []visit
}

func (v *visits) text(raw []byte, at int, n *node) {
	if !bytes.Equal(v.w.doc[at:at+len(raw)], raw) || v.w.doc[at-1] != '"' {
		panic("a string is not where it is said to be")
	}
	v.all = append(v.all, visit{string(v.w.appendPointer(nil)), string(unescape(nil, raw))})
}
func (v *visits) object(at int, n *node) {}
func (v *visits) leave()                 {}

// walked is what the walker says of a document: all strings which are long
// enough for an identifier.
func walked(doc []byte) []visit {
	w := &walker{}
	v := &visits{w: w}
	w.seen = v
	w.walk(doc, nil)
	return v.all
}

// tokenized is what a plain tokenizer says.
func tokenized(t *testing.T, doc []byte) []visit {
	var all []visit
	d := jsontext.NewDecoder(bytes.NewReader(doc))
	for {
		tok, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, length := d.StackIndex(d.StackDepth())
		if tok.Kind() != '"' || kind == '{' && length%2 == 1 {
			continue
		}
		raw, err := jsontext.AppendQuote(nil, tok.String())
		if err != nil {
			t.Fatal(err)
		}
		if len(raw)-2 >= shortestIdentifier {
			all = append(all, visit{string(d.StackPointer()), tok.String()})
		}
	}
}

var documents = []string{
	`{}`, `[]`, `""`, `"a long string at the top"`, `0`, `null`, `[[],{},[{}]]`,
	`{"a":"12345678","b":[1,"12345678",{"c":"a quote \" and a backslash \\"}],"d":{"":"an empty name"}}`,
	`{"a/b":{"c~d":["a pointer that needs escapes"]},"e\"f":"a name that needs one","\\":"\\\\\\\\\\\\\\\\"}`,
	`{"n":-1.5e+3,"t":true,"f":false,"z":null,"s":"\u0000\u001f\b\f\n\r\t are control characters"}`,
	`["\\","\\\\","1234567\\","\\\"345678","ünïcödé 字 🎉"]`,
	`{"subnetId":"subnet-0a1b2c3d","tags":[{"key":"a","value":"subnet-0a1b2c3d"}]}`,
}

func FuzzWalker(f *testing.F) {
	for _, doc := range documents {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		v := jsontext.Value(bytes.Clone(doc))
		if v.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)) != nil {
			walked(doc) // what is no JSON must not hurt
			t.Skip()
		}
		if got, want := walked(v), tokenized(t, v); !slices.Equal(got, want) {
			t.Errorf("%s\nwalked    %q\ntokenized %q", v, got, want)
		}
	})
}

// TestWalkerSkips: quiet places are passed over whole, and what comes after them
// is found.
func TestWalkerSkips(t *testing.T) {
	for _, quiet := range []string{`{}`, `[]`, `"}]"`, `1`, `{"a":[{"b":"}"},"]"],"c":{}}`, `[[1,2],{"a":"\"]"}]`, `null`} {
		doc := `{"after":"12345678","tags":` + quiet + `,"then":["12345678"]}`
		b := newBuilder()
		b.add([]string{"tags"}, nil, false)
		w := &walker{}
		v := &visits{w: w}
		w.seen = v
		w.walk([]byte(doc), b.finish())
		if len(v.all) != 2 || v.all[0].pointer != "/after" || v.all[1].pointer != "/then/0" {
			t.Errorf("%s: %q", doc, v.all)
		}
	}
}

// TestPaths: a path leads to what it names, in any case and through wrapped
// lists, and * counts beside names.
func TestPaths(t *testing.T) {
	for _, c := range []struct {
		path, doc string
		want      bool
	}{
		{"a/b", `{"a":{"b":"12345678"}}`, true},
		{"a/b", `{"A":{"B":"12345678"}}`, true},
		{"a/b", `{"a":["12345678"]}`, false},
		{"a/b", `{"a":{"b":{"b":"12345678"}}}`, false},
		{"a|c/b", `{"c":{"b":"12345678"}}`, true},
		{"a/*", `{"a":["x","12345678"]}`, true},
		{"a/*", `{"a":{"k":"12345678"}}`, true},
		{"a/*", `{"a":{"items":["12345678"]}}`, true},
		{"a/*", `{"a":{"items":{"x":["12345678"]}}}`, false},
		{"a/*/b", `{"a":{"Quantity":1,"Items":[{"b":"12345678"}]}}`, true},
		{"a/*/b", `{"a":[{"b":"12345678"}]}`, true},
		{"vpcId", `{"vPCId":"12345678"}`, true},
		{"vpc_d", `{"vpc?d":"12345678"}`, false},
	} {
		b := newBuilder()
		b.add(strings.Split(c.path, "/"), &shape{form: formID}, true)
		w := &walker{}
		p := &placed{}
		w.seen = p
		w.walk([]byte(c.doc), b.finish())
		if p.shaped != c.want {
			t.Errorf("%s in %s: %v, want %v", c.path, c.doc, p.shaped, c.want)
		}
	}
}

type placed struct{ shaped bool }

func (p *placed) text(_ []byte, _ int, n *node) { p.shaped = p.shaped || n != nil && n.values != nil }
func (p *placed) object(int, *node)             {}
func (p *placed) leave()                        {}

// TestManyNames: a node with many children tells them apart.
func TestManyNames(t *testing.T) {
	b := newBuilder()
	for i := range 300 {
		b.add([]string{"name" + strconv.Itoa(i)}, &shape{row: &row{line: i}, form: formID}, false)
	}
	n := b.finish()
	for i := range 300 {
		c := n.child([]byte("Name" + strconv.Itoa(i)))
		if c == nil || len(c.values) != 1 || c.values[0].row.line != i {
			t.Fatal(i, c)
		}
	}
	if n.child([]byte("name300")) != nil || n.child(nil) != nil {
		t.Error("a child that nobody added")
	}
}
