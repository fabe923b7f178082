package walk_test

import (
	"slices"
	"testing"

	"github.com/varvehq/varve/recorder/canonical"
	"github.com/varvehq/varve/recorder/internal/walk"
)

func TestObject(t *testing.T) {
	doc := []byte(`{"":0,"a\"]\\":{"x":["}",{}]},"b":"\\","c":[],"d":-1e5}`)
	var got []string
	for k, v := range walk.Object(doc) {
		got = append(got, string(k)+" = "+string(v))
	}
	want := []string{` = 0`, `a"]\ = {"x":["}",{}]}`, `b = "\\"`, `c = []`, `d = -1e5`}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, other := range []string{`{}`, `[]`, `"x"`, `1`, `null`, ``} {
		for k := range walk.Object([]byte(other)) {
			t.Errorf("%s has the member %q", other, k)
		}
	}
}

func TestArray(t *testing.T) {
	var got []string
	for v := range walk.Array([]byte(`[1,"],",[[]],{"a":[2]},null]`)) {
		got = append(got, string(v))
	}
	if want := []string{`1`, `"],"`, `[[]]`, `{"a":[2]}`, `null`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, other := range []string{`[]`, `{}`, `"x"`, `1`, ``} {
		for v := range walk.Array([]byte(other)) {
			t.Errorf("%s has the element %s", other, v)
		}
	}
}

func TestMember(t *testing.T) {
	doc := []byte(`{"a":1,"b":{"a":2},"d":3}`)
	for key, want := range map[string]string{"a": "1", "b": `{"a":2}`, "c": "", "d": "3", "e": ""} {
		if got := walk.Member(doc, key); string(got) != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
}

// What is not canonical JSON may give nonsense, never a panic or an endless loop.
func FuzzWalk(f *testing.F) {
	for _, s := range []string{`{"a":{"b":[1,"\""]}}`, `{"`, `{"a"`, `{"a":`, `[[[`, `["\\`, `{"a":1,}`, `[,`, `"`, "{\"\\"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		members := 0
		for _, v := range walk.Object(doc) {
			members++
			for range walk.Array(v) {
			}
		}
		for v := range walk.Array(doc) {
			walk.Text(v)
			walk.Member(v, "a")
		}
		if members > 0 && canonical.IsCanonical(doc) && walk.Member(doc, "") == nil && members > len(doc)/4 {
			t.Errorf("%q has %d members", doc, members)
		}
	})
}
