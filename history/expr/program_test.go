package expr_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/expr"
)

type box struct{ label string }

var boxType = expr.NewType("Box",
	expr.Field[box]{Name: "label", Type: cel.StringType, Get: func(b *box) ref.Val { return types.String(b.label) }},
)

func environment(t *testing.T, limits expr.Limits) *expr.Env {
	t.Helper()
	env, err := expr.NewEnv(limits, boxType.Declare(),
		cel.Variable("doc", cel.DynType), cel.Variable("word", cel.StringType),
		cel.Variable("box", boxType.CEL()), cel.Variable("none", boxType.CEL()))
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func vars(t *testing.T, document string) cel.Activation {
	t.Helper()
	a, err := cel.NewActivation(map[string]any{
		"doc": expr.Decode([]byte(document)), "word": "abc",
		"box": boxType.Value(&box{"full"}), "none": types.NullValue,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// document has one of each kind, and what is too large for any.
const document = `{"big":123456789012345678901,"list":[1,2,3],"n":7,"nil":null,"s":"text","sub":{"a-b":1,"deep":[{"x":"y"}]},"u":18446744073709551615}`

func TestHolds(t *testing.T) {
	env := environment(t, expr.Limits{})
	for text, want := range map[string]bool{
		`doc.n == 7 && doc.s.startsWith("te")`:             true,
		`doc.n == 7.0`:                                     true,
		`doc.n > 7`:                                        false,
		`doc.u > 9223372036854775807`:                      true,
		`doc.sub.deep[0].x == "y"`:                         true,
		"doc.sub.`a-b` == 1 && doc.sub[\"a-b\"] == 1":      true,
		`doc.?missing.?further.orValue("none") == "none"`:  true,
		`doc.sub.?deep[?0].?x.orValue("") == "y"`:          true,
		`has(doc.n) && !has(doc.m)`:                        true,
		`"n" in doc && !("m" in doc) && 2 in doc.list`:     true,
		`doc.list.map(x, x * 2) == [2, 4, 6]`:              true,
		`doc.list + [4] == [1, 2, 3, 4]`:                   true,
		`doc.sub.deep == [{"x": "y"}]`:                     true,
		`doc.exists(k, v, k == "s" && v == "text")`:        true,
		`doc.list.exists(i, v, i == 2 && v == 3)`:          true,
		`size(doc.list) == 3 && size(doc.sub) == 2`:        true,
		`type(doc.list) == list && type(doc) == map`:       true,
		`doc.nil == null && doc.s != null`:                 true,
		`doc.s.matches("^t.xt$")`:                          true,
		`doc.s.matches(doc.s)`:                             true,
		`box.label == "full" && box != null && box == box`: true,
		`none == null && !has(none.label)`:                 true,
		`none.label == "x" || true`:                        true,
		`doc.missing == 1 || doc.n == 7`:                   true,
		`cidr("10.0.0.0/8").containsIP("10.1.2.3")`:        true,
		`cel.bind(x, doc.n, x + x == 14)`:                  true,
		`math.greatest(doc.n, 9) == 9`:                     true,
	} {
		t.Run(text, func(t *testing.T) {
			p, err := env.Condition("rule", text)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := p.Holds(t.Context(), vars(t, document)); got != want || err != nil {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// TestFailures holds the texts of cel-go's errors to what Absent makes of them.
func TestFailures(t *testing.T) {
	env := environment(t, expr.Limits{})
	for text, absent := range map[string]bool{
		`doc.missing == 1`:                         true,
		`doc.n.missing == 1`:                       true,
		`doc.nil.missing == 1`:                     true,
		`doc["missing"] == 1`:                      true,
		`doc[word] == 1`:                           true,
		`doc[3] == 1`:                              true,
		`doc.list[3] == 1`:                         true,
		`doc.list[-1] == 1`:                        true,
		`doc.list["x"] == 1`:                       true,
		`doc.list[word] == 1`:                      true,
		`doc.list.x == 1`:                          true,
		`[1, 2][doc.n] == 1`:                       true,
		`{"a": 1}[doc.s] == 1`:                     true,
		`doc.s > 1`:                                true,
		`doc.s + 1 == 2`:                           true,
		`doc.n.startsWith("x")`:                    true,
		`doc.n.matches("x")`:                       true,
		`doc.n.matches("x") || doc.n.matches("y")`: true,
		`size(doc.n) == 1`:                         true,
		`doc.n.exists(x, x == 1)`:                  true,
		`!doc.n`:                                   true,
		`doc.n ? true : false`:                     true,
		`none.label == "x"`:                        true,
		`word.charAt(9) == "x"`:                    true,
		`word.substring(5) == "x"`:                 true,
		`doc.?missing.value() == 1`:                true,
		`[doc.missing].exists(x, x == 1)`:          true,
		`doc.big == 1`:                             false,
		`doc.big > 1`:                              false,
		`[doc.big] == [1]`:                         false,
		`doc.n / 0 == 1`:                           false,
		`doc.n * 9223372036854775807 == 1`:         false,
		`int(doc.s) == 1`:                          false,
		`timestamp(doc.s) == timestamp("2025-01-01T00:00:00Z")`: false,
		`word.matches(doc.s + "(")`:                             false,
		`word.matches("x{1000}" + word)`:                        false,
		`cidr(doc.s).containsIP("10.1.2.3")`:                    false,
		`lists.range(1000000).size() == 1`:                      false,
	} {
		t.Run(text, func(t *testing.T) {
			p, err := env.Condition("rule", text)
			if err != nil {
				t.Fatal(err)
			}
			holds, err := p.Holds(t.Context(), vars(t, document))
			if err == nil {
				t.Fatalf("holds: %v", holds)
			}
			if got := expr.Absent(err); got != absent {
				t.Errorf("absent: %v; %v", got, err)
			}
		})
	}
	t.Run("Not even a key that looks like another failure", func(t *testing.T) {
		p, err := env.Condition("rule", `doc["division by zero"] == 1`)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Holds(t.Context(), vars(t, document)); !expr.Absent(err) {
			t.Error(err)
		}
	})
	t.Run("A member that is only there in another document", func(t *testing.T) {
		if expr.Absent(errors.New("no such key: x")) || expr.Absent(nil) {
			t.Error("an error from elsewhere is no failure of an evaluation")
		}
	})
}

func TestRefusals(t *testing.T) {
	env := environment(t, expr.Limits{})
	for _, test := range []struct{ name, text, want, line, column string }{
		{"Unknown word, spelt nearly right", `wird == "x"`, `rule does not hold a condition that can be evaluated
line 1, column 1: there is no wird; did you mean word?
  wird == "x"
  ^`, "1", "1"},
		{"Unknown word", `word == "x" && elephant == 2`, `rule does not hold a condition that can be evaluated
line 1, column 16: there is no elephant; there are box, doc, none, word
  word == "x" && elephant == 2
                 ^`, "1", "16"},
		{"Unequal types", "true &&\n\tword == 1", `rule does not hold a condition that can be evaluated
line 2, column 7: == does not take (string, int)
   word == 1
        ^`, "2", "7"},
		{"Unknown field", `box.lable == ""`, `rule does not hold a condition that can be evaluated
line 1, column 4: undefined field 'lable'
  box.lable == ""
     ^`, "1", "4"},
		{"Broken off", `word == "x" &&`, `rule does not hold a condition that can be evaluated
line 1, column 15: the condition breaks off
  word == "x" &&
                ^`, "1", "15"},
		{"No condition", `1 + 1`, `rule does not hold a condition that can be evaluated
line 1, column 3: this is of type int, not true or false
  1 + 1
    ^`, "1", "3"},
		{"Perhaps no condition", `doc.n`, `rule does not hold a condition that can be evaluated
line 1, column 4: this may be of any type; compare it, with == true for instance
  doc.n
     ^`, "1", "4"},
		{"Bad pattern", `word.matches("(a")`, "rule does not hold a condition that can be evaluated\n" +
			"line 1, column 14: error parsing regexp: missing closing ): `(a`\n" + `  word.matches("(a")
               ^`, "1", "14"},
		{"Unbounded function", `word.replace("", word) == ""`, `rule does not hold a condition that can be evaluated
line 1, column 13: replace is not offered here; compare the text as it is
  word.replace("", word) == ""
              ^`, "1", "13"},
		{"Wide characters", `"日本" == wird`, `rule does not hold a condition that can be evaluated
line 1, column 9: there is no wird; did you mean word?
  "日本" == wird
            ^`, "1", "9"},
		{"Long line", strings.Repeat(`word == "x" || `, 9) + `wird == "x"` + strings.Repeat(` || word == "x"`, 9), `rule does not hold a condition that can be evaluated
line 1, column 136: there is no wird; did you mean word?
  …x" || word == "x" || word == "x" || wird == "x" || word == "x" || word =…
                                       ^`, "1", "136"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := env.Condition("rule", test.text)
			var e *history.Error
			if !errors.As(err, &e) || e.Kind != history.Invalid || e.Field != "rule" {
				t.Fatalf("got %v", err)
			}
			if e.Message() != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", e.Message(), test.want)
			}
			if e.Meta["line"] != test.line || e.Meta["column"] != test.column {
				t.Errorf("meta: %v", e.Meta)
			}
		})
	}
	t.Run("ErrTooLarge", func(t *testing.T) {
		if _, err := env.Condition("rule", `word == "`+strings.Repeat("x", 16<<10)+`"`); !errors.Is(err, history.TooLarge) {
			t.Error(err)
		}
	})
	t.Run("Empty", func(t *testing.T) {
		if _, err := env.Condition("rule", " \n"); !errors.Is(err, history.Invalid) {
			t.Error(err)
		}
	})
}

// chain applies a macro again and again.
func chain(of, step string, n int, end string) string { return of + strings.Repeat(step, n) + end }

func TestHostile(t *testing.T) {
	env := environment(t, expr.Limits{})
	large := `{"list":[` + strings.Repeat("1,", 99_999) + `1],"s":"` + strings.Repeat("a", 1<<20) + `"}`
	for name, text := range map[string]string{
		"Refused: deep brackets":      strings.Repeat("(", 5000) + "true" + strings.Repeat(")", 5000),
		"Refused: deep lists":         strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + " == []",
		"Refused: deep sums":          strings.Repeat("1+", 5000) + "1 == 2",
		"Refused: deep members":       "doc" + strings.Repeat(".a", 5000) + " == 1",
		"Refused: nested loops":       strings.Repeat("[1].exists(x, ", 200) + "true" + strings.Repeat(")", 200),
		"Refused: a pattern too wide": `word.matches("(((a{1,30}){1,30}){1,30}){1,30}")`,
		"Steps":                       `lists.range(100000).all(a, lists.range(100).all(b, a >= b || true))`,
		"Steps in a document":         `doc.list.all(a, doc.list.all(b, a == b))`,
		"Lists doubled":               chain(`[doc.list]`, `.map(a, a + a)`, 20, `.exists(z, 2 in z)`),
		"Lists of lists":              chain(`[doc.list]`, `.map(a, [a,a,a,a,a,a,a,a])`, 20, `.exists(z, z == z && z != z)`),
		"Lists mapped to themselves":  `[doc.list].map(a, a.map(x, a)).map(a, a.map(x, a)).exists(z, z == [])`,
		"Texts doubled":               chain(`[doc.s]`, `.map(a, a + a)`, 30, `.exists(z, z == "")`),
		"Pattern over a large text":   `doc.list.exists(x, doc.s.matches("(a|aa)+$") == false)`,
		"Pattern with a long program": `doc.list.exists(x, doc.s.substring(0, 16000).matches("(a?){120}b"))`,
		"Many patterns":               strings.Repeat(`!doc.s.substring(0, 160).matches("(a?){120}b") && `, 100) + `doc.s.matches("(a?){120}b")`,
		"Pattern too long for a text": `doc.list.exists(x, doc.s.matches("(a?){120}b"))`,
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			p, err := env.Condition("rule", text)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("compiled in %v", took)
			}
			if strings.HasPrefix(name, "Refused") {
				var e *history.Error
				if !errors.As(err, &e) || e.Kind != history.Invalid || len(e.Message()) > 900 {
					t.Fatalf("got %.1000v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			start = time.Now()
			holds, err := p.Holds(t.Context(), vars(t, large))
			if err == nil || expr.Absent(err) {
				t.Errorf("got %v, %v", holds, err)
			}
			t.Logf("%v: %v", time.Since(start), err)
			if took := time.Since(start); took > time.Minute {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestDeadline(t *testing.T) {
	const forever = `lists.range(100000).all(a, lists.range(100000).all(b, true))`
	t.Run("Its own", func(t *testing.T) {
		env := environment(t, expr.Limits{Steps: 1 << 60, Time: 10 * time.Millisecond})
		p, err := env.Condition("rule", forever)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Holds(t.Context(), vars(t, document))
		if err == nil || !strings.Contains(err.Error(), "longer than 10ms") || expr.Absent(err) {
			t.Error(err)
		}
	})
	t.Run("The caller's", func(t *testing.T) {
		env := environment(t, expr.Limits{Steps: 1 << 60, Time: time.Hour})
		p, err := env.Condition("rule", forever)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err = p.Holds(ctx, vars(t, document)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if _, err = p.Holds(ctx, vars(t, document)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("a condition is not even begun then:", err)
		}
	})
}
