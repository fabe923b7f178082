package conformance

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/words"
)

// Bounds of what is given, as AWS documents them.
const (
	maxGiven      = 60   // parameters given
	maxValue      = 4096 // bytes of a value
	maxParameters = 200  // parameters declared: CloudFormation's bound
)

var parameterTypes = []string{"String", "Number", "CommaDelimitedList"}

// parameters reads the declarations and gives each its value.
func (l *loader) parameters(n *yaml.Node, given map[string]string) error {
	if len(given) > maxGiven {
		return &history.Error{Kind: history.TooLarge, Field: "parameters", Text: fmt.Sprintf("are %d; at most %d may be given", len(given), maxGiven)}
	}
	var declared []string
	if n != nil {
		if _, err := l.fields(n); err != nil {
			return err
		}
		if len(n.Content)/2 > maxParameters {
			return l.problem(n, "has %d parameters; at most %d are allowed", len(n.Content)/2, maxParameters)
		}
		for i := 0; i < len(n.Content); i += 2 {
			name := n.Content[i].Value
			declared = append(declared, name)
			if err := l.parameter(n.Content[i], n.Content[i+1], given); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(declared, name) {
			return &history.Error{Kind: history.Invalid, Field: "parameters." + printable(name), Text: "is no parameter of the pack" + words.Remedy(name, declared)}
		}
	}
	return nil
}

func (l *loader) parameter(key, n *yaml.Node, given map[string]string) error {
	f, err := l.fields(n, "Type", "Default", "Description", "AllowedValues", "AllowedPattern", "ConstraintDescription",
		"MinLength", "MaxLength", "MinValue", "MaxValue", "NoEcho")
	if err != nil {
		return err
	}
	p := Parameter{Name: key.Value}
	if strings.HasPrefix(p.Name, "AWS::") {
		return l.problem(key, "has a name that stands for something already; rename the parameter")
	}
	if f["Type"] == nil {
		return l.problem(n, "has no Type; there are %s", strings.Join(parameterTypes, ", "))
	}
	if p.Type, err = l.text(f["Type"]); err != nil {
		return err
	}
	if !slices.Contains(parameterTypes, p.Type) {
		return l.problem(f["Type"], "is the type %q, which is not known here%s", shorten(p.Type, 80), words.Remedy(p.Type, parameterTypes))
	}
	if f["Description"] != nil {
		if p.Description, err = l.text(f["Description"]); err != nil {
			return err
		}
	}

	allowed, err := l.constraints(p.Type, f)
	if err != nil {
		return err
	}
	if f["Default"] != nil {
		value, err := l.text(f["Default"])
		if err != nil {
			return err
		}
		if wrong := allowed(value); wrong != "" {
			return l.problem(f["Default"], "is %q, which %s", shorten(value, 80), wrong)
		}
		p.Value = &value
	}
	if value, ok := given[p.Name]; ok {
		if wrong := allowed(value); wrong != "" {
			e := l.problem(n, "is given as %q, which %s", shorten(value, 80), wrong)
			if f["ConstraintDescription"] != nil {
				e.Text += ": " + shorten(f["ConstraintDescription"].Value, 256)
			}
			return e
		}
		p.Value, p.Given = &value, true
	}
	l.pack.Parameters = append(l.pack.Parameters, p)
	l.declared[p.Name] = key
	return nil
}

// constraints gives the test that every value of a parameter must pass, the default
// as well. It says what is wrong, "" if nothing is.
func (l *loader) constraints(typ string, f map[string]*yaml.Node) (func(value string) string, error) {
	var tests []func(string) string
	test := func(wrong string, ok func(string) bool) {
		tests = append(tests, func(value string) string {
			if ok(value) {
				return ""
			}
			return wrong
		})
	}

	test("is not valid UTF-8", utf8.ValidString)
	test(fmt.Sprintf("is longer than %d bytes", maxValue), func(v string) bool { return len(v) <= maxValue })
	if typ == "Number" {
		test("is no number", func(v string) bool { _, err := strconv.ParseFloat(v, 64); return err == nil })
	}
	if n := f["AllowedValues"]; n != nil {
		values, err := l.texts(n, 1000)
		if err != nil {
			return nil, err
		}
		test("is none of the allowed values: "+shorten(strings.Join(values, ", "), 256), func(v string) bool { return slices.Contains(values, v) })
	}
	if n := f["AllowedPattern"]; n != nil {
		pattern, err := l.text(n)
		if err != nil {
			return nil, err
		}
		whole, err := regexp.Compile(`^(?:` + pattern + `)$`)
		if err != nil {
			// Java's expressions have more than these; AWS may well take this one.
			l.pack.Notes = append(l.pack.Notes, l.note(n, "is a pattern that cannot be understood here, so values are not held to it: %s", shorten(err.Error(), 160)))
		} else {
			test("does not match the allowed pattern "+shorten(pattern, 256), whole.MatchString)
		}
	}
	for _, bound := range []struct {
		key, wrong string
		measure    func(string) float64
		sign       float64
	}{
		{"MinLength", "is shorter than", length, -1},
		{"MaxLength", "is longer than", length, 1},
		{"MinValue", "is less than", number, -1},
		{"MaxValue", "is more than", number, 1},
	} {
		n := f[bound.key]
		if n == nil {
			continue
		}
		limit, err := strconv.ParseFloat(n.Value, 64)
		if n.Kind != yaml.ScalarNode || err != nil {
			return nil, l.problem(n, "must be a number")
		}
		test(bound.wrong+" "+n.Value, func(v string) bool { return bound.sign*bound.measure(v) <= bound.sign*limit })
	}

	return func(value string) string {
		for _, t := range tests {
			if wrong := t(value); wrong != "" {
				return wrong
			}
		}
		return ""
	}, nil
}

func length(v string) float64 { return float64(utf8.RuneCountInString(v)) }

// number is of a text that was tested to be one.
func number(v string) float64 {
	f, _ := strconv.ParseFloat(v, 64)
	return f
}
