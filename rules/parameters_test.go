package rules_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

func TestBind(t *testing.T) {
	text := func(s string) *string { return &s }
	parameters := []rules.Parameter{
		{Name: "age", Type: rules.ParameterInt, Default: text("90"), Required: true},
		{Name: "keys", Type: rules.ParameterCSV},
		{Name: "logs", Type: rules.ParameterStringMap},
		{Name: "name", Type: rules.ParameterString, Required: true},
		{Name: "on", Type: rules.ParameterBoolean},
		{Name: "share", Type: rules.ParameterDouble},
	}
	for name, c := range map[string]struct {
		arguments map[string]string
		want      map[string]any
		refused   string
	}{
		"Defaults": {arguments: map[string]string{"name": "n"}, want: map[string]any{"age": int64(90), "name": "n"}},
		"EmptyIsNone": {
			arguments: map[string]string{"name": "n", "age": "", "keys": ""},
			want:      map[string]any{"age": int64(90), "name": "n"},
		},
		"All": {
			arguments: map[string]string{"age": " 7", "keys": "a, b,,c ", "logs": "oracle: trace, audit ; mysql: slow", "name": " n ", "on": "True", "share": "0.5"},
			want: map[string]any{
				"age": int64(7), "keys": []string{"a", "b", "c"}, "name": " n ", "on": true, "share": 0.5,
				"logs": map[string][]string{"oracle": {"trace", "audit"}, "mysql": {"slow"}},
			},
		},
		"Missing":      {refused: "inputParameters.name is required: a value of type String"},
		"Case":         {arguments: map[string]string{"Name": "n"}, refused: "inputParameters.Name is no parameter of the rule; did you mean name?"},
		"Unlike":       {arguments: map[string]string{"bucketNames": "n"}, refused: "inputParameters.bucketNames is no parameter of the rule; there are age, keys"},
		"NotInt":       {arguments: map[string]string{"name": "n", "age": "9.0"}, refused: `inputParameters.age "9.0": is no whole number of 64 bits; the parameter is of type int`},
		"BeyondInt":    {arguments: map[string]string{"name": "n", "age": "9223372036854775808"}, refused: `inputParameters.age`},
		"NotBoolean":   {arguments: map[string]string{"name": "n", "on": "yes"}, refused: `inputParameters.on "yes": is neither true nor false`},
		"NotANumber":   {arguments: map[string]string{"name": "n", "share": "NaN"}, refused: `inputParameters.share "NaN": is no number`},
		"NotStringMap": {arguments: map[string]string{"name": "n", "logs": "oracle"}, refused: `inputParameters.logs "oracle": is no list of names`},
		"NotUTF8":      {arguments: map[string]string{"name": "\xff"}, refused: `inputParameters.name`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := rules.Bind(parameters, c.arguments)
			if c.refused != "" {
				if !errors.Is(err, history.Invalid) || !strings.HasPrefix(err.Error(), c.refused) {
					t.Errorf("got %v, want %s", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
