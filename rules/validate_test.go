package rules_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// sound is a rule that is accepted; f makes it otherwise.
func sound(f func(*rules.Rule)) *rules.Rule {
	r := &rules.Rule{
		Name: "restricted-ssh", Compliant: "true",
		Parameters: []rules.Parameter{{Name: "ports", Type: rules.ParameterCSV}},
	}
	f(r)
	return r
}

func TestRuleIsRefused(t *testing.T) {
	text := func(s string) *string { return &s }
	for name, c := range map[string]struct {
		f    func(*rules.Rule)
		want string // how the error begins
	}{
		"NoName":            {func(r *rules.Rule) { r.Name = "" }, "name is required"},
		"NameWithBlank":     {func(r *rules.Rule) { r.Name = "a b" }, `name "a b": may hold A-Z a-z`},
		"LongName":          {func(r *rules.Rule) { r.Name = strings.Repeat("a", 129) }, `name "aaa`},
		"Identifier":        {func(r *rules.Rule) { r.Identifier = "ssh" }, `identifier "ssh": is none`},
		"ManagedAndOwn":     {func(r *rules.Rule) { r.Identifier = "SSH" }, "compliant is given by the managed rule"},
		"ManagedExternal":   {func(r *rules.Rule) { r.Identifier, r.Compliant, r.External = "SSH", "", true }, "external is not for a managed rule"},
		"ExternalAndOwn":    {func(r *rules.Rule) { r.External = true }, "compliant is not for a rule whose verdicts are put"},
		"NoJudgement":       {func(r *rules.Rule) { r.Compliant = " " }, "compliant is required"},
		"IDsWithoutType":    {func(r *rules.Rule) { r.Scope.IDs = []string{"x"} }, "scope.resourceIds needs exactly one type"},
		"IDsOfTwoTypes":     {func(r *rules.Rule) { r.Scope.IDs, r.Scope.Types = []string{"x"}, []string{"A", "B"} }, "scope.resourceIds needs exactly one type"},
		"TypeTwice":         {func(r *rules.Rule) { r.Scope.Types = []string{"A", "A"} }, `scope.resourceTypes "A": is given twice`},
		"OwnType":           {func(r *rules.Rule) { r.Scope.Types = []string{rules.TypeVerdict} }, "scope.resourceTypes"},
		"EmptyType":         {func(r *rules.Rule) { r.Scope.Types = []string{""} }, "scope.resourceTypes holds an empty value"},
		"TagValueAlone":     {func(r *rules.Rule) { r.Scope.TagValue = "x" }, `scope.tagValue "x": needs scope.tagKey`},
		"Trigger":           {func(r *rules.Rule) { r.Trigger = 4 }, "trigger"},
		"Mode":              {func(r *rules.Rule) { r.Mode = 8 }, "mode"},
		"Seconds":           {func(r *rules.Rule) { r.Period = 90 * time.Second }, `period "1m30s": is not allowed`},
		"LongPeriod":        {func(r *rules.Rule) { r.Period = 10000 * time.Hour }, "period"},
		"Severity":          {func(r *rules.Rule) { r.Severity = "grave" }, `severity "grave": is none`},
		"EmptyFramework":    {func(r *rules.Rule) { r.Frameworks = []string{""} }, "frameworks holds an empty value"},
		"ParameterName":     {func(r *rules.Rule) { r.Parameters[0].Name = "1st" }, `parameters "1st": may hold`},
		"ParameterType":     {func(r *rules.Rule) { r.Parameters[0].Type = "list" }, `parameters.ports.type "list": is none`},
		"ParameterTwice":    {func(r *rules.Rule) { r.Parameters = append(r.Parameters, r.Parameters[0]) }, "parameters.ports is declared twice"},
		"ParametersInOrder": {func(r *rules.Rule) { r.Parameters = append(r.Parameters, rules.Parameter{Name: "a", Type: "int"}) }, "parameters.a is not in the order"},
		"Default": {func(r *rules.Rule) {
			r.Parameters[0].Type, r.Parameters[0].Default = rules.ParameterInt, text("many")
		}, `parameters.ports.default "many": is no whole number`},
		"UnknownArgument": {func(r *rules.Rule) { r.Arguments = map[string]string{"port": "1"} }, "inputParameters.port is no parameter of the rule; did you mean ports?"},
		"NotUTF8":         {func(r *rules.Rule) { r.Description = "\xff" }, "description"},
	} {
		t.Run(name, func(t *testing.T) {
			err := sound(c.f).Validate()
			if !errors.Is(err, history.Invalid) || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	t.Run("TooLarge", func(t *testing.T) {
		err := sound(func(r *rules.Rule) { r.Compliant = strings.Repeat("x", 20_000) }).Validate()
		if !errors.Is(err, history.TooLarge) {
			t.Error(err)
		}
	})
	t.Run("OK", func(t *testing.T) {
		for _, f := range []func(*rules.Rule){
			func(*rules.Rule) {},
			func(r *rules.Rule) { r.Identifier, r.Compliant, r.Parameters = "SSH", "", nil },
			func(r *rules.Rule) {
				r.Identifier, r.Compliant, r.Arguments = "SSH", "", map[string]string{"declared": "elsewhere"}
			},
			func(r *rules.Rule) { r.External, r.Compliant = true, "" },
			func(r *rules.Rule) { r.Scope = rules.Scope{Accounts: []string{""}, Regions: []string{""}} },
		} {
			if err := sound(f).Validate(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestWaiverIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(*rules.Waiver)
		want string
	}{
		"NoReason": {func(w *rules.Waiver) { w.Reason = "" }, "reason is required"},
		"NoAuthor": {func(w *rules.Waiver) { w.Author = "" }, "author is required"},
		"Rule":     {func(w *rules.Waiver) { w.Rules = []string{"a b"} }, `rules "a b"`},
		"Expires":  {func(w *rules.Waiver) { w.Expires = -1 }, "expires"},
		"Scope":    {func(w *rules.Waiver) { w.Scope.TagValue = "x" }, "scope.tagValue"},
	} {
		t.Run(name, func(t *testing.T) {
			w := rules.Waiver{Name: "w", Reason: "because", Author: "ops"}
			if err := w.Validate(); err != nil {
				t.Fatal(err)
			}
			c.f(&w)
			if err := w.Validate(); !errors.Is(err, history.Invalid) || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestWaiverCovers(t *testing.T) {
	k := history.Key{Account: "1", Region: "r", Type: "T", ID: "x"}
	for name, c := range map[string]struct {
		w    rules.Waiver
		want bool
	}{
		"Everything":   {rules.Waiver{}, true},
		"Rule":         {rules.Waiver{Rules: []string{"a"}}, true},
		"OtherRule":    {rules.Waiver{Rules: []string{"b"}}, false},
		"Lapsed":       {rules.Waiver{Expires: 10}, false},
		"NotYetLapsed": {rules.Waiver{Expires: 11}, true},
		"Resource":     {rules.Waiver{Scope: rules.Scope{Types: []string{"T"}, IDs: []string{"x"}}}, true},
		"Other":        {rules.Waiver{Scope: rules.Scope{Types: []string{"T"}, IDs: []string{"y"}}}, false},
		"Tag":          {rules.Waiver{Scope: rules.Scope{TagKey: "env"}}, true},
		"TagValue":     {rules.Waiver{Scope: rules.Scope{TagKey: "env", TagValue: "dev"}}, true},
		"OtherValue":   {rules.Waiver{Scope: rules.Scope{TagKey: "env", TagValue: "prod"}}, false},
		"NoTag":        {rules.Waiver{Scope: rules.Scope{TagKey: "team"}}, false},
		"Account":      {rules.Waiver{Scope: rules.Scope{Accounts: []string{"2"}}}, false},
		"Region":       {rules.Waiver{Scope: rules.Scope{Regions: []string{"s"}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.w.Covers("a", k, map[string]string{"env": "dev"}, 10); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
