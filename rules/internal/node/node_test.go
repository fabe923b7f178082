package node_test

import (
	"strings"
	"testing"

	"github.com/varvehq/varve/rules/internal/node"
)

func TestJSON(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"Exact":     {"{b: 12345678901234567890123, a: 1.0, c: [true, null, ~, 1e5]}", `{"a":1.0,"b":12345678901234567890123,"c":[true,null,null,1e5]}`},
		"Text":      {`{a: "0x10", b: yes, c: 2024-01-02T03:04:05Z, "é<": 'x'}`, `{"a":"0x10","b":"yes","c":"2024-01-02T03:04:05Z","é<":"x"}`},
		"Alias":     {"a: &x [1]\nb: *x\n", `{"a":[1],"b":[1]}`},
		"Hex":       {"a: 0x10", `f:1:4: a "0x10": is no number as JSON writes them`},
		"Infinite":  {"a: .inf", `f:1:4: a ".inf": is no number as JSON`},
		"Twice":     {"a: {b: 1, b: 2}", "f:1:11: a.b is given twice"},
		"Tag":       {"a: !thing x", `f:1:4: a "x": has a tag`},
		"OfItself":  {"a: &x [*x]", "f:1:8: a[0]"},
		"Explosion": {bomb(), "f:"},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := node.Documents("f", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			got, err := all[0].JSON()
			if err != nil {
				got = []byte(err.Error())
			}
			if !strings.HasPrefix(string(got), c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if name == "Explosion" && !strings.Contains(string(got), "has more than 1000000 values") {
				t.Errorf("%.100s", got)
			}
		})
	}
}

// bomb is a text whose aliases make 10^9 values.
func bomb() string {
	text := "a0: &a0 [1]\n"
	for i := range 9 {
		n, last := string(rune('1'+i)), string(rune('0'+i))
		text += "a" + n + ": &a" + n + " [" + strings.TrimSuffix(strings.Repeat("*a"+last+", ", 10), ", ") + "]\n"
	}
	return text
}
