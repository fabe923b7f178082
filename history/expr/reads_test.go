package expr_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history/expr"
)

func TestReads(t *testing.T) {
	env := environment(t, expr.Limits{})
	for text, want := range map[string]string{
		`true`:                                       ``,
		`doc.a == 1`:                                 `doc.a`,
		`doc.a.b == 1 && doc.a.c == word`:            `doc.a.b doc.a.c word`,
		`doc.a == 1 && doc.a.b == 1`:                 `doc.a`,
		`doc.a == 1 && doc.ab == 1`:                  `doc.a doc.ab`,
		`has(doc.a.b)`:                               `doc.a.b`,
		`doc["a"].b == 1`:                            `doc.a.b`,
		`doc.a[0].b == 1`:                            `doc.a.b`, // a list is read as a whole
		`doc.a[0] == 1`:                              `doc.a`,
		`doc[word] == 1`:                             `doc word`,
		`doc.a[doc.b].c == 1`:                        `doc.a doc.b`,
		`doc.?a.b.orValue(1) == 1`:                   `doc.a.b`,
		`doc[?"a"].?b.orValue(doc.c) == 1`:           `doc.a.b doc.c`,
		`doc == null`:                                `doc`,
		`size(doc) == 1`:                             `doc`,
		`"a" in doc`:                                 `doc`,
		`doc.exists(k, k == "a")`:                    `doc`,
		`doc.a.all(x, x.b == doc.c)`:                 `doc.a doc.c`,
		`doc.a.all(i, x, x.b == i)`:                  `doc.a`,
		`doc.a.map(x, x + doc.b) == doc.c`:           `doc.a doc.b doc.c`,
		`[1].all(doc, doc == 1)`:                     ``,
		`[doc.a].exists(doc, .doc.b == doc)`:         `doc.a doc.b`,
		`[1].exists(x, doc.b == x) && doc.x > 1`:     `doc.b doc.x`,
		`cel.bind(x, doc.a, x.b == 1)`:               `doc.a`,
		`cel.bind(doc, doc.a, doc.b == 1)`:           `doc.a`,
		`doc.?a.optMap(v, v == doc.b).orValue(true)`: `doc.a doc.b`,
		`[doc.a] == [1]`:                             `doc.a`,
		`{doc.a: doc.b} == {}`:                       `doc.a doc.b`,
		`doc.a ? doc.b == 1 : doc.c == 1`:            `doc.a doc.b doc.c`,
		`doc.a.startsWith(doc.b)`:                    `doc.a doc.b`,
		`math.greatest(doc.a, doc.b) == 1`:           `doc.a doc.b`,
		`box.label == "x" && none == null`:           `box.label none`,
		`lists.range(doc) == [0]`:                    `doc.x doc.y`,
		`lists.range(doc.a.b) == [0]`:                `doc.a.b.x doc.a.b.y`,
		`lists.range(doc.a + 1) == [0]`:              `doc.a`,
	} {
		t.Run(text, func(t *testing.T) {
			r := &expr.Reading{Members: map[string][]string{"lists.range": {"x", "y"}}}
			if _, err := env.Condition("rule", text, r.Check); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range r.Paths() {
				got = append(got, strings.Join(p, "."))
			}
			if d := cmp.Diff(want, strings.Join(got, " ")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
