package diff_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/wI2L/jsondiff"
)

// TestTraps shows what jsondiff does with whole documents, and that Compute does
// not. A case fails when a release of jsondiff makes it untrue; then the essay in
// doc.go says too much.
func TestTraps(t *testing.T) {
	asText := jsondiff.UnmarshalFunc(func(raw []byte, v any) error {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		return d.Decode(v)
	})
	for _, c := range []struct {
		name, before, after string
		opts                []jsondiff.Option
		trapped             string // the patch of jsondiff, panic if it does
	}{
		{
			name:   "large integers are the same float64",
			before: `{"a":9007199254740992}`, after: `{"a":9007199254740993}`,
		}, {
			name:   "Equivalent does not hash numbers",
			before: `[1,2]`, after: `[3,4]`,
			opts: []jsondiff.Option{asText, jsondiff.Equivalent()},
		}, {
			name:   "Equivalent does not count",
			before: `["x","x","y"]`, after: `["x","y","y"]`,
			opts: []jsondiff.Option{asText, jsondiff.Equivalent()},
		}, {
			name:   "Factorize copies by hash alone",
			before: `{"a":1}`, after: `{"a":1,"b":2}`,
			opts:    []jsondiff.Option{asText, jsondiff.Factorize()},
			trapped: `{"op":"copy","from":"/a","path":"/b"}`,
		}, {
			name:   "Rationalize cannot scan escapes",
			before: `{"a":"x\\","b":2}`, after: `{"a":"y\\","b":3}`,
			opts:    []jsondiff.Option{asText, jsondiff.Rationalize()},
			trapped: "panic",
		}, {
			name:   "operations are escaped for HTML",
			before: `{"a":1}`, after: `{"a":"<"}`,
			trapped: `{"value":"\u003c","op":"replace","path":"/a"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := func() (text string) {
				defer func() {
					if recover() != nil {
						text = "panic"
					}
				}()
				patch, err := jsondiff.CompareJSON([]byte(c.before), []byte(c.after), c.opts...)
				if err != nil {
					t.Fatal(err)
				}
				return patch.String()
			}()
			if got != c.trapped {
				t.Errorf("jsondiff gives %s, no longer %s", got, c.trapped)
			}
			for _, opts := range everyOption {
				if patch := checkPatch(t, c.before, c.after, opts); len(patch) == 0 {
					t.Error("no operations")
				}
			}
		})
	}
}
