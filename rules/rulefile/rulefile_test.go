package rulefile_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/rulefile"
)

func TestParse(t *testing.T) {
	got, err := rulefile.Parse("all.yaml", []byte(`# everything a file can say
name: ports
description: Ports are closed.
scope:
  resourceTypes: [B, A]
  tagKey: env
  tagValue: prod
  accounts: ["111122223333", ""]
  regions: eu-west-1
trigger: both
period: Six_Hours
parameters:
  port: {type: int, default: 22, required: true, description: Closed.}
  names: {type: CSV}
inputParameters:
  port: 2222
severity: high
mode: both
frameworks: [cis/5.2]
applicable: "true"
compliant: |
  config.open != params.port
annotation: '"open"'
cases:
- case: x
---
---
name: second
identifier: INCOMING_SSH_DISABLED
resourceTypes: A
inputParameters: {list: "1,2", flag: true}
---
name: third
external: true
`))
	if err != nil {
		t.Fatal(err)
	}
	port := "22"
	want := []rules.Rule{{
		Name: "ports", Description: "Ports are closed.",
		Scope: rules.Scope{
			Types: []string{"A", "B"}, TagKey: "env", TagValue: "prod",
			Accounts: []string{"", "111122223333"}, Regions: []string{"eu-west-1"},
		},
		Trigger: rules.OnChange | rules.Periodic, Period: 6 * time.Hour,
		Parameters: []rules.Parameter{
			{Name: "names", Type: rules.ParameterCSV},
			{Name: "port", Type: rules.ParameterInt, Description: "Closed.", Default: &port, Required: true},
		},
		Arguments: map[string]string{"port": "2222"},
		Severity:  rules.SeverityHigh, Mode: rules.Detective | rules.Proactive, Frameworks: []string{"cis/5.2"},
		Applicable: "true", Compliant: "config.open != params.port\n", Annotation: `"open"`,
	}, {
		Name: "second", Identifier: "INCOMING_SSH_DISABLED", Scope: rules.Scope{Types: []string{"A"}},
		Trigger: rules.OnChange, Period: 24 * time.Hour, Arguments: map[string]string{"list": "1,2", "flag": "true"},
		Severity: rules.SeverityMedium, Mode: rules.Detective,
	}, {
		Name: "third", External: true,
		Trigger: rules.OnChange, Period: 24 * time.Hour, Severity: rules.SeverityMedium, Mode: rules.Detective,
	}}
	var have []rules.Rule
	for _, d := range got {
		have = append(have, d.Rule)
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
	if got[0].Cases == nil || got[1].Cases != nil {
		t.Error("cases are not kept with their rule")
	}
	if at := got[1].At(); at != "all.yaml:28:1" {
		t.Error(at)
	}
}

func TestParseTellsThePlace(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"Nothing":        {"# no rule\n", "r.yaml holds no rule"},
		"NoYAML":         {"name: a\n\tb: c\n", "r.yaml:2:1: is no YAML: found a tab character"},
		"NoMapping":      {"- a\n", "r.yaml:1:1: is a list; a mapping"},
		"UnknownKey":     {"name: a\ncompliance: x\n", "r.yaml:2:1: compliance is no key that is known; did you mean compliant?"},
		"Twice":          {"name: a\nname: b\n", "r.yaml:2:1: name is given twice"},
		"Merge":          {"name: a\nscope: &s {}\n<<: *s\n", "r.yaml:3:1: << merges another mapping"},
		"NestedKey":      {"name: a\nscope:\n  types: [x]\n", "r.yaml:3:3: scope.types is no key that is known; there are"},
		"Trigger":        {"name: a\ntrigger: daily\n", `r.yaml:2:10: trigger "daily": is none; there are change`},
		"Period":         {"name: a\nperiod: 1s\n", `r.yaml:2:9: period "1s": is not allowed`},
		"Text":           {"name: [a]\n", "r.yaml:1:7: name is a list; a text is wanted"},
		"Boolean":        {"name: a\nexternal: 1\n", `r.yaml:2:11: external "1": is not true or false`},
		"TypesTwice":     {"name: a\nscope: {resourceTypes: A}\nresourceTypes: B\n", "r.yaml:3:16: resourceTypes is given in scope too"},
		"NoJudgement":    {"name: a\nresourceTypes: A\n", "r.yaml:1:1: compliant is required"},
		"ScopeAbove":     {"name: a\ncompliant: x\nresourceTypes: Varve::Compliance::Verdict\n", `r.yaml:3:16: scope.resourceTypes "Varve::Compliance::Verdict": is how`},
		"Default":        {"name: a\ncompliant: x\nparameters:\n  n:\n    type: int\n    default: x\n", `r.yaml:6:14: parameters.n.default "x": is no whole number`},
		"Argument":       {"name: a\ncompliant: x\ninputParameters:\n  n: 1\n", "r.yaml:4:6: inputParameters.n is no parameter of the rule; there are none"},
		"SecondDocument": {"name: a\ncompliant: x\n---\nname: b c\ncompliant: x\n", `r.yaml:4:7: name "b c"`},
		"SameName":       {"name: a\ncompliant: x\n---\nname: a\ncompliant: x\n", "r.yaml:4:1: is the second rule named a; the first is at r.yaml:1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rulefile.Parse("r.yaml", []byte(c.text))
			if !errors.Is(err, history.Invalid) || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestPlaceOfAnExpression(t *testing.T) {
	wrong := func(line, column string) error {
		return &history.Error{Kind: history.Invalid, Field: "compliant", Text: "is wrong", Meta: map[string]string{"line": line, "column": column}}
	}
	for name, c := range map[string]struct{ text, line, column, want string }{
		"Plain":   {"name: a\ncompliant: x == y\n", "1", "6", "r.yaml:2:17"},
		"Quoted":  {"name: a\ncompliant: 'x == y'\n", "1", "6", "r.yaml:2:18"},
		"Literal": {"name: a\ncompliant: |\n  x ==\n    y\n", "2", "3", "r.yaml:4:5"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := rulefile.Parse("r.yaml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if err := d[0].Place(wrong(c.line, c.column)); !strings.HasPrefix(err.Error(), c.want+": compliant") {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestManagedRuleHasIdentifierAndJudgement(t *testing.T) {
	for text, want := range map[string]string{
		"name: a\nidentifier: A\ncompliant: x\n": "",
		"name: a\ncompliant: x\n":                "r.yaml:1:1: identifier is required of a managed rule",
		"name: a\nidentifier: A\n":               "r.yaml:1:1: compliant is required",
	} {
		_, err := rulefile.ParseDefinitions("r.yaml", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
