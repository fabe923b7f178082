package awsconfig

import (
	"errors"
	"testing"

	"github.com/varvehq/varve/rules"
)

func TestRequiredParametersAreMissed(t *testing.T) {
	usual := "1"
	parameters := []rules.Parameter{
		{Name: "a", Required: true}, {Name: "b", Required: true}, {Name: "c", Required: true, Default: &usual}, {Name: "d"},
	}
	var e *Exception
	err := checkArguments(parameters, map[string]string{"a": "1", "b": ""}, "{}")
	if !errors.As(err, &e) || e.Code != "InvalidParameterValueException" || e.Message != "The required parameter [b] is not present in the inputParameters" {
		t.Error(err)
	}
	if err := checkArguments(parameters, map[string]string{"a": "1", "b": "2"}, "{}"); err != nil {
		t.Error(err)
	}
}
