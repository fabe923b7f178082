package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/conformance"
)

// shared is where AWS's own packs lie, beside the checkout.
var shared = filepath.Join("..", "..", "..", "shared", "aws", "packs")

// awsRules is a catalogue of all of AWS's managed rules.
func awsRules(t *testing.T) conformance.Catalogue {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "managed", "testdata", "aws-rules.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]conformance.Managed)
	for _, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n")[2:] {
		c := strings.Split(line, "\t")
		var m conformance.Managed
		for _, p := range strings.Split(c[4], " | ") {
			if p == "" {
				continue
			}
			typed, need, _ := strings.Cut(p, ";")
			part := strings.SplitN(typed, ":", 3)
			declared := rules.Parameter{Name: part[0], Type: rules.ParameterType(part[1]), Required: need == "required"}
			if part[2] != "" {
				declared.Default = &part[2]
			}
			m.Rule.Parameters = append(m.Rule.Parameters, declared)
		}
		all[c[0]] = m
	}
	return func(identifier string) (conformance.Managed, bool) {
		m, ok := all[identifier]
		return m, ok
	}
}

// TestPacksOfAWS: they load unchanged, and all of their rules can be judged once
// the rules are there.
func TestPacksOfAWS(t *testing.T) {
	managed := awsRules(t)
	for file, tt := range map[string]struct{ rules, remediations, notes int }{
		"Operational-Best-Practices-for-Amazon-S3-with-Remediation.yaml": {6, 4, 1},
		"Operational-Best-Practices-for-CIS-AWS-v1.4-Level2.yaml":        {62, 0, 0},
	} {
		t.Run(file, func(t *testing.T) {
			template, err := os.ReadFile(filepath.Join(shared, file))
			if err != nil {
				if testing.Short() {
					t.Skip("reads files beside the checkout")
				}
				t.Skipf("SKIP: ../shared/aws/packs/%s is not there, not in CI either: no pack of AWS's to read", file)
			}
			p, err := conformance.Load(template, conformance.Options{Name: "p", Managed: managed})
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Rules) != tt.rules || len(p.Remediations) != tt.remediations || len(p.Notes) != tt.notes {
				t.Errorf("%d rules, %d remediations, notes %+v", len(p.Rules), len(p.Remediations), p.Notes)
			}
			for _, r := range p.Rules {
				if r.State != conformance.Active {
					t.Errorf("%s is %s: %s", r.Name, r.State, r.Reason)
				}
			}
		})
	}
}

// TestBuiltinPacksUseWhatAWSHas, but for policies of our own.
func TestBuiltinPacksUseWhatAWSHas(t *testing.T) {
	managed := awsRules(t)
	for _, name := range conformance.Builtin() {
		template, _ := conformance.BuiltinTemplate(name)
		p, err := conformance.Load(template, conformance.Options{Name: name, Managed: managed})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rules {
			if r.State != conformance.Active {
				t.Errorf("%s is %s: %s", r.Name, r.State, r.Reason)
			}
		}
	}
}
