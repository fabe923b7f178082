package expr_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/expr"
)

func TestText(t *testing.T) {
	env := environment(t, expr.Limits{Steps: 1000})
	for text, want := range map[string]string{
		`"a" + word`:                            "aabc",
		`string(doc.a + 1)`:                     "2",
		`doc.a == 1 ? "one" : string(doc.gone)`: "one",
		`"a" + string(doc.gone)`:                "line 1, column 17: no such key: gone",
		`[1, 2].map(v, string(v))[1]`:           "2",
		`[1].all(a, doc.l.all(b, doc.l.all(c, doc.l.all(d, b + c + d > 0)))) ? "x" : "y"`: "takes more than 1000 steps",
	} {
		program, err := env.Text("annotation", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := program.Text(context.Background(), vars(t, `{"a":1,"l":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]}`))
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		`1 + 1`: "this is of type int, not a text",
		`doc.a`: "this may be of any type; make it a text with string()",
	} {
		_, err := env.Text("annotation", text)
		if !errors.Is(err, history.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
