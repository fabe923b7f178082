package diff_test

import (
	"encoding/json"
	"errors"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/varvehq/varve/history/diff"
)

func TestPatchJSON(t *testing.T) {
	patch := diff.Patch{
		{Op: diff.OpAdd, Path: "/a~1b/\u0000", Value: []byte(`{"<":12345678901234567890.0}`)},
		{Op: diff.OpRemove, Path: ""},
		{Op: diff.OpReplace, Path: "/\"/&/😀", Value: []byte("null")},
		{Op: diff.OpMove, From: "", Path: "/x"},
		{Op: diff.OpCopy, From: "/x", Path: "/y"},
		{Op: diff.OpTest, Path: "/z", Value: []byte("-0")},
	}
	const text = `[{"op":"add","path":"/a~1b/\u0000","value":{"<":12345678901234567890.0}},` +
		`{"op":"remove","path":""},` +
		`{"op":"replace","path":"/\"/&/😀","value":null},` +
		`{"op":"move","from":"","path":"/x"},` +
		`{"op":"copy","from":"/x","path":"/y"},` +
		`{"op":"test","path":"/z","value":-0}]`

	t.Run("written", func(t *testing.T) {
		if got := wire(t, patch); got != text {
			t.Errorf("got  %s\nwant %s", got, text)
		}
		if raw, err := jsonv2.Marshal(patch); err != nil || string(raw) != text {
			t.Errorf("through an encoder: %s, %v", raw, err)
		}
	})
	t.Run("read", func(t *testing.T) {
		var got diff.Patch
		if err := json.Unmarshal([]byte(" "+text+"\n"), &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(patch, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
	t.Run("read from another encoder", func(t *testing.T) {
		raw, err := json.Marshal(patch) // escapes < and &
		if err != nil {
			t.Fatal(err)
		}
		var got diff.Patch
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(patch, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
	t.Run("empty", func(t *testing.T) {
		if got := wire(t, nil); got != "[]" {
			t.Errorf("nil is written as %s", got)
		}
		got := diff.Patch{{Op: "remove"}}
		if err := got.UnmarshalJSON([]byte("[]")); err != nil || len(got) != 0 {
			t.Errorf("[] is read as %v, %v", got, err)
		}
		got = diff.Patch{{Op: "remove"}}
		if err := got.UnmarshalJSON([]byte("null")); err != nil || len(got) != 1 {
			t.Errorf("null is read as %v, %v", got, err)
		}
	})
}

func TestPatchJSONRefuses(t *testing.T) {
	for _, text := range []string{
		``, `[`, `{}`, `1`, `[1]`, `[{}]`, `[null]`,
		`[{"path":"/a"}]`,
		`[{"op":"remove"}]`,
		`[{"op":1,"path":"/a"}]`,
		`[{"op":"remove","path":1}]`,
		`[{"op":"Remove","path":"/a"}]`,
		`[{"op":"spam","path":"/a","value":1}]`,
		`[{"op":"remove","path":"a"}]`,
		`[{"op":"remove","path":"/~"}]`,
		`[{"op":"remove","path":"/~2"}]`,
		`[{"op":"add","path":"/a"}]`,
		`[{"op":"replace","path":"/a"}]`,
		`[{"op":"test","path":"/a"}]`,
		`[{"op":"move","path":"/a"}]`,
		`[{"op":"copy","path":"/a","from":null}]`,
		`[{"op":"copy","path":"/a","from":"x"}]`,
		`[{"op":"add","op":"remove","path":"/a","value":1}]`,
		`[{"op":"add","path":"/a","value":1}] 2`,
	} {
		patch := diff.Patch{{Op: "remove"}}
		if err := patch.UnmarshalJSON([]byte(text)); !errors.Is(err, diff.ErrPatch) {
			t.Errorf("%s: %v", text, err)
		}
		if len(patch) != 1 || patch[0].Op != "remove" {
			t.Errorf("%s: patch is changed to %v", text, patch)
		}
	}
}
