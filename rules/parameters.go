package rules

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/words"
)

// ParameterTypes are all types.
func ParameterTypes() []ParameterType {
	return []ParameterType{ParameterString, ParameterInt, ParameterDouble, ParameterBoolean, ParameterCSV, ParameterStringMap}
}

// Parse reads an argument: a string, int64, float64, bool, []string (of CSV: without
// blanks around the texts and without empty ones) or map[string][]string (of
// StringMap).
func (t ParameterType) Parse(text string) (any, error) {
	switch t {
	case ParameterString:
		return text, nil
	case ParameterInt:
		i, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("is no whole number of 64 bits")
		}
		return i, nil
	case ParameterDouble:
		f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, fmt.Errorf("is no number")
		}
		return f, nil
	case ParameterBoolean:
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, fmt.Errorf("is neither true nor false")
	case ParameterCSV:
		return commas(text), nil
	case ParameterStringMap:
		return parseStringMap(text)
	}
	return nil, fmt.Errorf("is of no type that is known")
}

func commas(text string) []string {
	list := []string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// parseStringMap reads "oracle: trace, audit; mysql: slowquery".
func parseStringMap(text string) (map[string][]string, error) {
	all := make(map[string][]string)
	for part := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, values, ok := strings.Cut(part, ":")
		name = strings.TrimSpace(name)
		if _, twice := all[name]; !ok || name == "" || twice {
			return nil, fmt.Errorf(`is no list of names with values, each name once; write it as "oracle: trace, audit; mysql: slowquery"`)
		}
		all[name] = commas(values)
	}
	return all, nil
}

func checkParameters(parameters []Parameter) error {
	if len(parameters) > maxParameters {
		return &history.Error{Kind: history.TooLarge, Field: "parameters", Text: fmt.Sprintf("has %d parameters; at most %d are allowed", len(parameters), maxParameters)}
	}
	for i, p := range parameters {
		field := "parameters." + p.Name
		switch {
		case p.Name == "":
			return invalid("parameters", "", "holds a parameter without a name")
		case !made(p.Name, maxName, upper+lower+digits+"_") || strings.Contains(digits, p.Name[:1]):
			return invalid("parameters", p.Name, identRemedy)
		case i > 0 && parameters[i-1].Name == p.Name:
			return invalid(field, "", "is declared twice")
		case i > 0 && parameters[i-1].Name > p.Name:
			return invalid(field, "", "is not in the order of names")
		case !slices.Contains(ParameterTypes(), p.Type):
			return invalid(field+".type", string(p.Type), "is none; there are String, int, double, boolean, CSV and StringMap")
		}
		if err := checkText(field+".description", p.Description, maxText); err != nil {
			return err
		}
		if p.Default == nil {
			continue
		}
		if err := checkText(field+".default", *p.Default, maxArgument); err != nil {
			return err
		}
		if _, err := p.Type.Parse(*p.Default); err != nil {
			return invalid(field+".default", *p.Default, err.Error()+"; the parameter is of type "+string(p.Type))
		}
	}
	return nil
}

func checkArgumentTexts(arguments map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(arguments)) {
		if err := checkText("inputParameters."+name, arguments[name], maxArgument); err != nil {
			return err
		}
	}
	return nil
}

// Bind gives parameters their values, as [ParameterType.Parse] makes them: those of
// the arguments, else the defaults. A parameter that has neither is not in the
// result. An argument that is empty counts as not given. Its error is
// history.Invalid about an argument that no parameter takes, that is not of its
// type, or that is missing although required.
func Bind(parameters []Parameter, arguments map[string]string) (map[string]any, error) {
	if err := checkArgumentTexts(arguments); err != nil {
		return nil, err
	}
	declared := make([]string, len(parameters))
	for i, p := range parameters {
		declared[i] = p.Name
	}
	for _, name := range slices.Sorted(maps.Keys(arguments)) {
		if !slices.Contains(declared, name) {
			return nil, invalid("inputParameters."+shorten(name, 80), "", "is no parameter of the rule"+words.Remedy(name, declared))
		}
	}

	bound := make(map[string]any, len(parameters))
	for _, p := range parameters {
		text := arguments[p.Name]
		switch {
		case text != "":
		case p.Default != nil:
			text = *p.Default
		case p.Required:
			return nil, invalid("inputParameters."+p.Name, "", fmt.Sprintf("is required: a value of type %s", p.Type))
		default:
			continue
		}
		v, err := p.Type.Parse(text)
		if err != nil {
			return nil, invalid("inputParameters."+p.Name, text, err.Error()+"; the parameter is of type "+string(p.Type))
		}
		bound[p.Name] = v
	}
	return bound, nil
}
