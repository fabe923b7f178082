package rulestest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/custom/cel"
	"github.com/varvehq/varve/rules/rulestest"
)

// run runs cases against an expression and returns what failed, by case.
func run(t *testing.T, compliant, text string) (failed map[string]string, err error) {
	t.Helper()
	cases, err := rulestest.Parse("c.yaml", []byte(text))
	if err != nil {
		return nil, err
	}
	rule := &rules.Rule{
		Name: "r", Compliant: compliant, Scope: rules.Scope{Types: []string{"T"}, TagKey: ""},
		Parameters: []rules.Parameter{{Name: "n", Type: rules.ParameterInt, Required: true}}, Arguments: map[string]string{"n": "1"},
	}
	results, err := rulestest.Run(context.Background(), cel.Compile, rule, cases)
	failed = map[string]string{}
	for _, r := range results {
		failed[r.Case.Name] = r.Failed
	}
	return failed, err
}

func TestWorldOfACase(t *testing.T) {
	const text = `
- case: all
  now: 2026-01-31
  params: {n: 2}
  item:
    account: "1"
    region: r
    id: a
    name: n
    arn: x
    availabilityZone: z
    status: ResourceDiscovered
    createdAt: 2026-01-01T00:00:00Z
    capturedAt: 2026-01-30
    tags: {env: prod, size: 1}
    configuration: {big: 9007199254740993, at: 2026-01-01}
    supplementary: {S: {x: 1.0}}
    relationships: [{name: Is in, type: V, id: v}]
    uses:
    - {type: V, id: v, configuration: {name: v}, usedBy: [{type: T, id: b, configuration: {}}]}
    - {type: V, id: w}
    usedBy: [{type: U}]
  inventory:
  - {type: V, id: w, configuration: {name: w}}
  expect: COMPLIANT
`
	for _, condition := range []string{
		`resource.account == "1" && resource.region == "r" && resource.id == "a" && resource.type == "T" && resource.name == "n" && resource.arn == "x"`,
		`resource.status == "ResourceDiscovered" && resource.availabilityZone == "z" && ageInDays(resource.createdAt) == 30 && ageInDays(resource.capturedAt) == 1`,
		`resource.tags == {"env": "prod", "size": "1"} && config.big == 9007199254740993 && config.at == "2026-01-01" && supplement.s.x == 1.0`,
		`resource.relationships[0].id == "v" && params.n == 2`,
		`related("V").map(v, v.config.name) == ["v", "w"] && related("").size() == 2 && referrers("U").size() == 1`,
		`related("V")[0].referrers("T").map(t, t.id) == ["a", "b"]`,
		`inventory("V").size() == 2 && inventory("T").size() == 2 && inventory("none").size() == 0`,
	} {
		failed, err := run(t, condition, text)
		if err != nil || failed["all"] != "" {
			t.Errorf("%s: %v %v", condition, failed, err)
		}
	}
}

func TestWhatFails(t *testing.T) {
	failed, err := run(t, `config.x == params.n`, `
- {case: right, item: {configuration: {x: 1}}, expect: COMPLIANT}
- {case: wrong, item: {configuration: {x: 2}}, expect: COMPLIANT}
- {case: error, item: {configuration: {}}, expect: NON_COMPLIANT}
- {case: annotated, item: {configuration: {}}, expect: ERROR, annotation: no such key}
- {case: not annotated, item: {configuration: {}}, expect: ERROR, annotation: something else}
- {case: out of scope, item: {type: U, configuration: {x: 2}}, expect: NOT_APPLICABLE}
`)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"right": "", "annotated": "", "out of scope": "",
		"wrong":         "expected COMPLIANT, got NON_COMPLIANT: does not comply with r",
		"error":         "expected NON_COMPLIANT, got ERROR: compliant: line 1, column 7: no such key: x",
		"not annotated": `expected an annotation with "something else", got "compliant: line 1, column 7: no such key: x"`,
	} {
		if failed[name] != want {
			t.Errorf("%s: %q", name, failed[name])
		}
	}
}

func TestCaseThatIsNotUnderstood(t *testing.T) {
	for text, want := range map[string]string{
		`[{item: {}, expect: ERROR}]`:                                                           "c.yaml:1:2: has no case, which is required",
		`[{case: a, expect: ERROR}]`:                                                            "c.yaml:1:2: has no item",
		`[{case: a, item: {}, expect: FINE}]`:                                                   `c.yaml:1:30: [0].expect "FINE": is none; there are COMPLIANT`,
		`[{case: a, item: {}, expects: ERROR}]`:                                                 "c.yaml:1:22: [0].expects is no key that is known; did you mean expect?",
		`[{case: a, item: {tipe: T}, expect: ERROR}]`:                                           "c.yaml:1:19: [0].item.tipe is no key that is known; did you mean type?",
		`[{case: a, now: soon, item: {}, expect: ERROR}]`:                                       `c.yaml:1:17: [0].now "soon": is no time`,
		`[{case: a, item: {status: GONE}, expect: ERROR}]`:                                      "c.yaml:1:27: [0].item.status is no status",
		`[{case: a, item: {configuration: {a: 0x1}}, expect: ERROR}]`:                           `c.yaml:1:38: [0].item.configuration.a "0x1": is no number`,
		`[{case: a, item: {uses: [{id: x}]}, expect: ERROR}]`:                                   "c.yaml:1:26: [0].item.uses[0].type is required",
		`[{case: a, item: {id: a, name: x, uses: [{type: T, id: a, name: y}]}, expect: ERROR}]`: "c.yaml:1:42: [0].item.uses[0] T a [111122223333/eu-west-1] is given twice",
		`[{case: a, params: {m: 1}, item: {}, expect: ERROR}]`:                                  "c.yaml:1:24: [0].params.m is no parameter of the rule; did you mean n?",
		`[{case: a, item: {}, expect: ERROR}, {case: a, item: {}, expect: ERROR}]`:              `c.yaml:1:38: is the second case named "a"`,
		`{}`: "c.yaml:1:1: is a mapping; a list is wanted",
	} {
		_, err := run(t, "config.x == 1", text)
		if err == nil || !strings.HasPrefix(strings.Replace(err.Error(), ": [0] ", ": ", 1), want) {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
}
