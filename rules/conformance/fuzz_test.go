package conformance_test

import (
	"errors"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/conformance"
)

// FuzzLoad: whatever the template, there is a pack whose rules may be put, or a
// mistake.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(forms), "Age", "30")
	f.Add([]byte(one("PORTS", "      InputParameters: '{\"account\": 1}'")), "", "")
	f.Add([]byte("Conditions: {c: !Or [!Not [{Condition: d}], !Equals ['', !Ref P]]}\n"+one("PLAIN", "    Condition: c")), "P", "x")
	for _, name := range conformance.Builtin() {
		template, _ := conformance.BuiltinTemplate(name)
		f.Add(template, "MaxAccessKeyAge", "7")
	}
	f.Fuzz(func(t *testing.T, template []byte, name, value string) {
		o := conformance.Options{Name: "p", Managed: catalogue}
		if name != "" {
			o.Parameters = map[string]string{name: value}
		}
		p, err := conformance.Load(template, o)
		if err != nil {
			if !errors.Is(err, history.Invalid) && !errors.Is(err, history.TooLarge) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		names := make(map[string]bool)
		for _, r := range p.Rules {
			if names[r.Name] {
				t.Errorf("two rules %s", r.Name)
			}
			names[r.Name] = true
			checkRule(t, r)
		}
		for _, m := range p.Remediations {
			if !m.Properties.IsValid() {
				t.Errorf("properties of %s: %s", m.LogicalID, m.Properties)
			}
		}
	})
}

func checkRule(t *testing.T, r conformance.Rule) {
	switch r.State {
	case conformance.Unsupported:
		if r.Reason == "" {
			t.Errorf("%s is not judged, for no reason", r.Name)
		}
	case conformance.Active:
		if err := r.Validate(); err != nil {
			t.Errorf("%s cannot be put: %v", r.Name, err)
		}
		if r.Compliant != "" {
			return
		}
		managed, ok := catalogue(r.Identifier)
		if !ok || managed.Unsupported != "" || r.Reason != "" {
			t.Errorf("%+v is judged", r)
		}
		if _, err := rules.Bind(managed.Rule.Parameters, r.Arguments); err != nil {
			t.Errorf("%s cannot be bound: %v", r.Name, err)
		}
	default:
		t.Errorf("%s is %q", r.Name, r.State)
	}
}
