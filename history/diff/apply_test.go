package diff_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/varvehq/varve/history/diff"
)

// TestApply has the examples of RFC 6902, appendix A, and the corners they leave
// out.
func TestApply(t *testing.T) {
	for _, c := range []struct {
		name, doc, patch, want string
		err                    error
	}{
		{name: "A.1 adding an object member", doc: `{"foo":"bar"}`, patch: `[{"op":"add","path":"/baz","value":"qux"}]`, want: `{"baz":"qux","foo":"bar"}`},
		{name: "A.2 adding an array element", doc: `{"foo":["bar","baz"]}`, patch: `[{"op":"add","path":"/foo/1","value":"qux"}]`, want: `{"foo":["bar","qux","baz"]}`},
		{name: "A.3 removing an object member", doc: `{"baz":"qux","foo":"bar"}`, patch: `[{"op":"remove","path":"/baz"}]`, want: `{"foo":"bar"}`},
		{name: "A.4 removing an array element", doc: `{"foo":["bar","qux","baz"]}`, patch: `[{"op":"remove","path":"/foo/1"}]`, want: `{"foo":["bar","baz"]}`},
		{name: "A.5 replacing a value", doc: `{"baz":"qux","foo":"bar"}`, patch: `[{"op":"replace","path":"/baz","value":"boo"}]`, want: `{"baz":"boo","foo":"bar"}`},
		{name: "A.6 moving a value", doc: `{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}`, patch: `[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]`, want: `{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}`},
		{name: "A.7 moving an array element", doc: `{"foo":["all","grass","cows","eat"]}`, patch: `[{"op":"move","from":"/foo/1","path":"/foo/3"}]`, want: `{"foo":["all","cows","eat","grass"]}`},
		{name: "A.8 testing a value: success", doc: `{"baz":"qux","foo":["a",2,"c"]}`, patch: `[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]`, want: `{"baz":"qux","foo":["a",2,"c"]}`},
		{name: "A.9 testing a value: error", doc: `{"baz":"qux"}`, patch: `[{"op":"test","path":"/baz","value":"bar"}]`, err: diff.ErrTest},
		{name: "A.10 adding a nested member object", doc: `{"foo":"bar"}`, patch: `[{"op":"add","path":"/child","value":{"grandchild":{}}}]`, want: `{"child":{"grandchild":{}},"foo":"bar"}`},
		{name: "A.11 ignoring unrecognized elements", doc: `{"foo":"bar"}`, patch: `[{"op":"add","path":"/baz","value":"qux","xyz":123}]`, want: `{"baz":"qux","foo":"bar"}`},
		{name: "A.12 adding to a nonexistent target", doc: `{"foo":"bar"}`, patch: `[{"op":"add","path":"/baz/bat","value":"qux"}]`, err: diff.ErrPath},
		{name: "A.14 tilde escape ordering", doc: `{"/":9,"~1":10}`, patch: `[{"op":"test","path":"/~01","value":10}]`, want: `{"/":9,"~1":10}`},
		{name: "A.15 comparing strings and numbers", doc: `{"/":9,"~1":10}`, patch: `[{"op":"test","path":"/~01","value":"10"}]`, err: diff.ErrTest},
		{name: "A.16 adding an array value", doc: `{"foo":["bar"]}`, patch: `[{"op":"add","path":"/foo/-","value":["abc","def"]}]`, want: `{"foo":["bar",["abc","def"]]}`},

		{name: "add replaces a member", doc: `{"a":1}`, patch: `[{"op":"add","path":"/a","value":2.0}]`, want: `{"a":2.0}`},
		{name: "add replaces the document", doc: `{"a":1}`, patch: `[{"op":"add","path":"","value":[]}]`, want: `[]`},
		{name: "add to what was added", doc: `{}`, patch: `[{"op":"add","path":"/a","value":{}},{"op":"add","path":"/a/b","value":[]},{"op":"add","path":"/a/b/-","value":null}]`, want: `{"a":{"b":[null]}}`},
		{name: "keys that look like indices", doc: `{"0":{"-":1}}`, patch: `[{"op":"replace","path":"/0/-","value":2}]`, want: `{"0":{"-":2}}`},
		{name: "the empty key", doc: `{"":{"":1}}`, patch: `[{"op":"remove","path":"//"}]`, want: `{"":{}}`},
		{name: "keys are canonical when written", doc: `{"b":1}`, patch: `[{"op":"add","path":"/\u0061\u0000","value":1}]`, want: `{"a\u0000":1,"b":1}`},
		{name: "emptied array", doc: `[1]`, patch: `[{"op":"remove","path":"/0"},{"op":"add","path":"/-","value":2}]`, want: `[2]`},
		{name: "created", doc: ``, patch: `[{"op":"add","path":"","value":{"a":1}}]`, want: `{"a":1}`},
		{name: "removed and created", doc: `1`, patch: `[{"op":"remove","path":""},{"op":"add","path":"","value":2}]`, want: `2`},
		{name: "copy is a copy", doc: `{"a":{"x":1}}`, patch: `[{"op":"copy","from":"/a","path":"/b"},{"op":"replace","path":"/a/x","value":2}]`, want: `{"a":{"x":2},"b":{"x":1}}`},
		{name: "copy of something changed", doc: `{"a":{"x":1}}`, patch: `[{"op":"replace","path":"/a/x","value":2},{"op":"copy","from":"/a","path":"/b"},{"op":"remove","path":"/b/x"}]`, want: `{"a":{"x":2},"b":{}}`},
		{name: "copy into itself", doc: `{"a":1}`, patch: `[{"op":"copy","from":"","path":"/b"}]`, want: `{"a":1,"b":{"a":1}}`},
		{name: "move onto itself", doc: `{"a":1}`, patch: `[{"op":"move","from":"/a","path":"/a"}]`, want: `{"a":1}`},
		{name: "move to the root", doc: `{"a":[1]}`, patch: `[{"op":"move","from":"/a","path":""}]`, want: `[1]`},
		{name: "test of what was changed", doc: `{"a":{"b":[1]}}`, patch: `[{"op":"add","path":"/a/b/0","value":0},{"op":"test","path":"","value":{"a":{"b":[0,1]}}}]`, want: `{"a":{"b":[0,1]}}`},
		{name: "test compares another spelling", doc: `{"a":"<","b":1}`, patch: `[{"op":"test","path":"","value":{"b":1,"a":"\u003c"}}]`, want: `{"a":"<","b":1}`},

		{name: "test tells literals apart", doc: `1.0`, patch: `[{"op":"test","path":"","value":1}]`, err: diff.ErrTest},
		{name: "move into itself", doc: `{"a":{"b":1}}`, patch: `[{"op":"move","from":"/a","path":"/a/b"}]`, err: diff.ErrPatch},
		{name: "root into itself", doc: `{"a":1}`, patch: `[{"op":"move","from":"","path":"/a"}]`, err: diff.ErrPatch},
		{name: "remove what is not", doc: `{"a":1}`, patch: `[{"op":"remove","path":"/b"}]`, err: diff.ErrPath},
		{name: "replace what is not", doc: `{"a":1}`, patch: `[{"op":"replace","path":"/b","value":1}]`, err: diff.ErrPath},
		{name: "test what is not", doc: `{"a":1}`, patch: `[{"op":"test","path":"/b","value":null}]`, err: diff.ErrPath},
		{name: "copy what is not", doc: `{"a":1}`, patch: `[{"op":"copy","from":"/b","path":"/c"}]`, err: diff.ErrPath},
		{name: "into a scalar", doc: `{"a":1}`, patch: `[{"op":"add","path":"/a/b","value":1}]`, err: diff.ErrPath},
		{name: "into nothing", doc: ``, patch: `[{"op":"add","path":"/a","value":1}]`, err: diff.ErrPath},
		{name: "replace nothing", doc: ``, patch: `[{"op":"replace","path":"","value":1}]`, err: diff.ErrPath},
		{name: "remove nothing", doc: ``, patch: `[{"op":"remove","path":""}]`, err: diff.ErrPath},
		{name: "index beyond", doc: `[1]`, patch: `[{"op":"add","path":"/2","value":1}]`, err: diff.ErrPath},
		{name: "index at the end", doc: `[1]`, patch: `[{"op":"replace","path":"/1","value":1}]`, err: diff.ErrPath},
		{name: "index with zero", doc: `[1,2]`, patch: `[{"op":"remove","path":"/01"}]`, err: diff.ErrPath},
		{name: "index with sign", doc: `[1,2]`, patch: `[{"op":"remove","path":"/+1"}]`, err: diff.ErrPath},
		{name: "index minus zero", doc: `[1,2]`, patch: `[{"op":"remove","path":"/-0"}]`, err: diff.ErrPath},
		{name: "index too large for a machine", doc: `[1,2]`, patch: `[{"op":"remove","path":"/99999999999999999999"}]`, err: diff.ErrPath},
		{name: "end of array", doc: `[1,2]`, patch: `[{"op":"remove","path":"/-"}]`, err: diff.ErrPath},
		{name: "bomb", doc: `["` + strings.Repeat("x", 1<<20) + `"]`, patch: "[" + strings.TrimSuffix(strings.Repeat(`{"op":"copy","from":"","path":"/-"},`, 40), ",") + "]", err: diff.ErrTooLarge},
		{name: "deep bomb", doc: strings.Repeat("[", 6000) + strings.Repeat("]", 6000), patch: `[{"op":"copy","from":"","path":"` + strings.Repeat("/0", 5999) + `/-"}]`, err: diff.ErrDocument},
	} {
		t.Run(c.name, func(t *testing.T) {
			var patch diff.Patch
			if err := patch.UnmarshalJSON([]byte(c.patch)); err != nil {
				t.Fatal(err)
			}
			got, err := diff.Apply([]byte(c.doc), patch)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if string(got) != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestApplyErrors(t *testing.T) {
	t.Run("names operation and path", func(t *testing.T) {
		_, err := diff.Apply([]byte(`{"a":1}`), diff.Patch{
			{Op: diff.OpTest, Path: "/a", Value: []byte("1")},
			{Op: diff.OpMove, From: "/x\x1b", Path: "/b"},
		})
		var at *diff.ApplyError
		if !errors.As(err, &at) || at.Index != 1 || at.Op != "move" || at.Path != "/b" || !errors.Is(err, diff.ErrPath) {
			t.Fatalf("%#v", err)
		}
		const want = `diff: operation 1: move "/b": from "/x\x1b": no such place in the document: no member "x\x1b"`
		if err.Error() != want {
			t.Errorf("got %s\nwant %s", err, want)
		}
	})
	t.Run("malformed by hand", func(t *testing.T) {
		for _, op := range []diff.Op{
			{},
			{Op: "merge", Path: "/a"},
			{Op: diff.OpAdd, Path: "a", Value: []byte("1")},
			{Op: diff.OpAdd, Path: "/~2", Value: []byte("1")},
			{Op: diff.OpAdd, Path: "/~", Value: []byte("1")},
			{Op: diff.OpAdd, Path: "/\xff", Value: []byte("1")},
			{Op: diff.OpAdd, Path: "/a"},
			{Op: diff.OpAdd, Path: "/a", Value: []byte(`{"a":1,"a":1}`)},
			{Op: diff.OpCopy, From: "a", Path: "/a"},
			{Op: diff.OpMove, From: "a", Path: "/a"},
		} {
			if _, err := diff.Apply([]byte(`{"a":1}`), diff.Patch{op}); !errors.Is(err, diff.ErrPatch) {
				t.Errorf("%+v: %v", op, err)
			}
			if _, err := (diff.Patch{op}).MarshalJSON(); !errors.Is(err, diff.ErrPatch) {
				t.Errorf("marshal %+v: %v", op, err)
			}
		}
	})
	t.Run("ErrDocument", func(t *testing.T) {
		if _, err := diff.Apply([]byte("{"), nil); !errors.Is(err, diff.ErrDocument) {
			t.Error(err)
		}
	})
}
