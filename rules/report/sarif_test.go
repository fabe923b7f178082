package report_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/report"
)

// schema compiles OASIS's schema of SARIF 2.1.0 (errata 01), formats and all.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	doc, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// log is what tests look at.
type log struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Rules []struct {
					ID                   string
					DefaultConfiguration struct{ Level string }
					Properties           map[string]any
				}
			}
		}
		Invocations []struct {
			ExecutionSuccessful        bool
			ToolExecutionNotifications []struct{ Message struct{ Text string } }
		}
		Results []struct {
			RuleID       string
			RuleIndex    int
			Kind, Level  string
			Message      struct{ Text string }
			Fingerprints map[string]string
			Suppressions []struct{ Kind, Status, Justification string }
			Locations    []struct {
				PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				LogicalLocations []struct{ Name, Kind string }
			}
		}
	}
}

func readSARIF(t rapid.TB, text string) log {
	var l log
	if err := json.Unmarshal([]byte(text), &l); err != nil || len(l.Runs) != 1 {
		t.Fatalf("%d runs, %v", len(l.Runs), err)
	}
	return l
}

func TestSARIF(t *testing.T) {
	text := write(t, report.SARIF, sample())
	run := readSARIF(t, text).Runs[0]
	var said []string
	for _, r := range run.Results {
		said = append(said, r.Kind+"/"+r.Level)
		if id := run.Tool.Driver.Rules[r.RuleIndex].ID; id != r.RuleID {
			t.Errorf("rule %d is %s, said to be %s", r.RuleIndex, id, r.RuleID)
		}
	}
	if got, want := strings.Join(said, " "), "pass/none fail/error fail/error review/none open/none notApplicable/none"; got != want {
		t.Errorf("results are %s, want %s", got, want)
	}
	if s := run.Results[2].Suppressions; len(s) != 1 || s[0].Kind != "external" || s[0].Status != "accepted" || s[0].Justification != "being moved" {
		t.Errorf("the waiver is %+v", s)
	}
	if s := run.Results[1].Suppressions; len(s) != 0 {
		t.Errorf("not waived, and yet %+v", s)
	}
	if i := run.Invocations[0]; i.ExecutionSuccessful || len(i.ToolExecutionNotifications) != 1 || i.ToolExecutionNotifications[0].Message.Text != "no such key: ipPermissions" {
		t.Errorf("of the error is told %+v", i)
	}
	if l := run.Results[1].Locations[0]; l.PhysicalLocation.ArtifactLocation.URI != "123456789012/eu-west-1/AWS%3A%3AEC2%3A%3ASecurityGroup/sg-2" ||
		l.LogicalLocations[0].Name != "sg-2" || l.LogicalLocations[0].Kind != "resource" {
		t.Errorf("the resource is at %+v", l)
	}
	var ids []string
	for _, r := range run.Tool.Driver.Rules {
		ids = append(ids, r.ID+"/"+r.DefaultConfiguration.Level)
	}
	if got, want := strings.Join(ids, " "), "restricted-ssh/error 123456789012//restricted-ssh/error root-mfa/warning"; got != want {
		t.Errorf("rules are %s, want %s", got, want)
	}
}

func TestSARIFWithoutErrorsSucceeds(t *testing.T) {
	r := sample()
	r.Results = r.Results[:2]
	if !readSARIF(t, write(t, report.SARIF, r)).Runs[0].Invocations[0].ExecutionSuccessful {
		t.Error("the run is said to have failed")
	}
}

// TestFingerprints are of the rule and the resource, not of the verdict.
func TestFingerprints(t *testing.T) {
	of := func(change func(*report.Result)) string {
		r := sample()
		r.Results = r.Results[1:2]
		change(&r.Results[0])
		return readSARIF(t, write(t, report.SARIF, r)).Runs[0].Results[0].Fingerprints["varveVerdict/v1"]
	}
	was := of(func(*report.Result) {})
	if want := "9cc793025d3c2ca9e3ab51d4cccc726e6c2564bdb14e233688c06968cd4e2be8"; was != want {
		t.Errorf("%s, which was %s: alerts that are known would all be new", was, want)
	}
	for name, change := range map[string]func(*report.Result){
		"Verdict":  func(r *report.Result) { r.Compliance, r.Annotation, r.Since = rules.Compliant, "", 1 },
		"Severity": func(r *report.Result) { r.Severity, r.Help = rules.SeverityLow, "" },
		"Waiver":   func(r *report.Result) { r.Waived = &report.Waiving{} },
	} {
		if of(change) != was {
			t.Errorf("%s changes it", name)
		}
	}
	for name, change := range map[string]func(*report.Result){
		"Rule":     func(r *report.Result) { r.Rule = "other" },
		"Owner":    func(r *report.Result) { r.Owner.Region = "eu-west-1" },
		"Resource": func(r *report.Result) { r.Resource = history.Key{Type: r.Resource.Type, ID: r.Resource.ID} },
	} {
		if of(change) == was {
			t.Errorf("%s does not change it", name)
		}
	}
}

// TestSARIFIsValid by the official schema, whatever the texts are, and its URIs
// name the resource exactly.
func TestSARIFIsValid(t *testing.T) {
	s := schema(t)
	if err := s.Validate(map[string]any{"version": "2.1.0"}); err == nil {
		t.Fatal("the schema accepts a log without runs")
	}
	valid := func(t rapid.TB, text string) {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	valid(t, write(t, report.SARIF, sample()))
	valid(t, write(t, report.SARIF, &report.Report{}))

	rapid.Check(t, func(t *rapid.T) {
		r := anyReport().Draw(t, "report")
		var b bytes.Buffer
		if err := report.Write(&b, report.SARIF, r, "1"); err != nil {
			t.Fatal(err)
		}
		valid(t, b.String())
		for i, result := range readSARIF(t, b.String()).Runs[0].Results {
			in := r.Results[i].Resource
			parts := strings.Split(result.Locations[0].PhysicalLocation.ArtifactLocation.URI, "/")
			if len(parts) != 4 {
				t.Fatalf("%q", parts)
			}
			for j, want := range []string{in.Account, in.Region, in.Type, in.ID} {
				got, err := url.PathUnescape(parts[j])
				if parts[j] == "-" {
					got = ""
				}
				if err != nil || got != want || parts[j] == "." || parts[j] == ".." {
					t.Errorf("%q is part of the URI for %q (%v)", parts[j], want, err)
				}
			}
			if result.Message.Text == "" && r.Results[i].Annotation != "" {
				t.Error("the annotation is lost")
			}
		}
	})
}
