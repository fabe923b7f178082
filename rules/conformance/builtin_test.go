package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/rules/conformance"
	"github.com/varvehq/varve/rules/managed"
	"github.com/varvehq/varve/rules/report"
	"github.com/varvehq/varve/rules/rulestest"
)

// anything is a catalogue that has every rule, with the parameters of none known.
func anything(string) (conformance.Managed, bool) { return conformance.Managed{}, false }

func TestBuiltinPacksAreTemplates(t *testing.T) {
	want := map[string][]string{
		"security-checks": {"Unrestricted ports", "IAM use", "MFA on root", "Public EBS snapshots", "Public RDS snapshots"},
		"iam-good-practice": {"No root access key", "MFA for all", "Strong password policy", "Rotation of credentials",
			"Least privilege", "Groups rather than users"},
	}
	if got := conformance.Builtin(); len(got) != len(want) {
		t.Errorf("built in are %q", got)
	}
	for _, name := range conformance.Builtin() {
		t.Run(name, func(t *testing.T) {
			template, ok := conformance.BuiltinTemplate(name)
			if !ok || len(template) > conformance.MaxBody {
				t.Fatalf("%v, %d bytes", ok, len(template))
			}
			p, err := conformance.Load(template, conformance.Options{Name: name, Managed: anything})
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Notes) != 0 {
				t.Errorf("notes %+v", p.Notes)
			}
			var checks []string
			for _, c := range p.Checks(func(string) report.Counts { return report.Counts{} }) {
				checks = append(checks, c.Name)
			}
			if diff := cmp.Diff(want[name], checks); diff != "" {
				t.Error(diff)
			}
			for _, r := range p.Rules {
				if r.Description == "" || r.Severity == "" || r.Check == "" || r.State == conformance.Active && r.Compliant == "" {
					t.Errorf("%s lacks a description, severity or check", r.Name)
				}
			}
		})
	}
	if _, ok := conformance.BuiltinTemplate("none"); ok {
		t.Error("there is a pack of no name")
	}
}

// TestBuiltinPacksAreJudged: there is no rule in them that this program does not
// compute.
func TestBuiltinPacksAreJudged(t *testing.T) {
	for _, name := range conformance.Builtin() {
		template, _ := conformance.BuiltinTemplate(name)
		p, err := conformance.Load(template, conformance.Options{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rules {
			if r.State != conformance.Active {
				t.Errorf("%s: %s is %s: %s", name, r.Name, r.State, r.Reason)
				continue
			}
			if _, err := managed.Compile(&r.Rule); err != nil {
				t.Errorf("%s: %s: %v", name, r.Name, err)
			}
			if len(r.Scope.Types) == 0 {
				t.Errorf("%s: %s judges everything", name, r.Name)
			}
		}
	}
}

// TestBuiltinCases runs what is the packs' own: policies, and values of parameters.
func TestBuiltinCases(t *testing.T) {
	for _, name := range conformance.Builtin() {
		template, _ := conformance.BuiltinTemplate(name)
		p, err := conformance.Load(template, conformance.Options{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		cases, err := rulestest.Read("testdata/" + name + ".cases.yaml")
		if err != nil {
			t.Fatal(err)
		}
		ran := 0
		for i := range p.Rules {
			rule := &p.Rules[i].Rule
			own := slices.DeleteFunc(slices.Clone(cases), func(c *rulestest.Case) bool { return c.Rule != rule.Name })
			results, err := rulestest.Run(t.Context(), managed.Compile, rule, own)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if ran++; r.Failed != "" {
					t.Errorf("%s: %s: %s", r.Case.At, r.Case.Name, r.Failed)
				}
			}
		}
		if ran != len(cases) {
			t.Errorf("%s: %d of %d cases are of a rule in the pack", name, ran, len(cases))
		}
	}
}

func TestStatus(t *testing.T) {
	p := load(t, `Resources:
  Bad: {Type: 'AWS::Config::ConfigRule', Metadata: {Varve: {Check: c, Status: red}}, Properties: {Source: {Owner: AWS, SourceIdentifier: PLAIN}}}
  Odd: {Type: 'AWS::Config::ConfigRule', Metadata: {Varve: {Check: c, Status: yellow}}, Properties: {Source: {Owner: AWS, SourceIdentifier: PLAIN}}}
  Unseen: {Type: 'AWS::Config::ConfigRule', Metadata: {Varve: {Check: d, Status: red}, Other: {a: b}}, Properties: {Source: {Owner: AWS, SourceIdentifier: NEVER_HEARD}}}
  Free: {Type: 'AWS::Config::ConfigRule', Metadata: {Other: x}, Properties: {Source: {Owner: AWS, SourceIdentifier: PLAIN}}}
`, nil)
	fine := report.Counts{Compliant: 2, NotApplicable: 1}
	for name, tt := range map[string]struct {
		bad, odd report.Counts
		want     conformance.Status
	}{
		"AllComply":              {fine, fine, conformance.Green},
		"NotApplicable":          {report.Counts{NotApplicable: 1}, fine, conformance.Green},
		"Red":                    {report.Counts{Compliant: 5, NonCompliant: 1}, fine, conformance.Red},
		"Yellow":                 {fine, report.Counts{NonCompliant: 1}, conformance.Yellow},
		"TheWorstCounts":         {report.Counts{NonCompliant: 1}, report.Counts{NonCompliant: 1}, conformance.Red},
		"WaivedIsNothingToDo":    {report.Counts{NonCompliant: 2, Waived: 2}, fine, conformance.Green},
		"NotAllWaived":           {report.Counts{NonCompliant: 2, Waived: 1}, fine, conformance.Red},
		"ErrorIsNotGreen":        {report.Counts{Compliant: 2, Errors: 1}, fine, conformance.Yellow},
		"InsufficientIsNotGreen": {report.Counts{Compliant: 2, InsufficientData: 1}, fine, conformance.Yellow},
		"NoVerdictIsNotGreen":    {fine, report.Counts{}, conformance.Yellow},
	} {
		t.Run(name, func(t *testing.T) {
			checks := p.Checks(func(rule string) report.Counts {
				return map[string]report.Counts{"Bad": tt.bad, "Odd": tt.odd, "Unseen": fine}[rule]
			})
			if len(checks) != 2 || checks[0].Name != "c" || checks[0].Status != tt.want || (checks[0].Reason == "") != (tt.want == conformance.Green) {
				t.Errorf("%+v, want %s", checks, tt.want)
			}
			if unseen := checks[1]; unseen.Status != conformance.Yellow || !strings.Contains(unseen.Reason, "not judged") {
				t.Errorf("a check of a rule that is not judged: %+v", unseen)
			}
		})
	}
}
