package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/report"
)

var day = history.MomentOf(time.Date(2026, 3, 1, 12, 0, 0, 500_000, time.UTC))

// sample has a result of every sort.
func sample() *report.Report {
	result := func(rule, id string, c rules.Compliance, annotation string) report.Result {
		return report.Result{
			Rule: rule, Resource: history.Key{Account: "123456789012", Region: "eu-west-1", Type: "AWS::EC2::SecurityGroup", ID: id},
			Verdict: rules.Verdict{Compliance: c, Annotation: annotation}, Since: day, FirstSeen: day - 1,
			Severity: rules.SeverityHigh, Identifier: "INCOMING_SSH_DISABLED", Help: "SSH is not open to the world", Packs: []string{"security-checks"},
		}
	}
	waived := result("restricted-ssh", "sg-3", rules.NonCompliant, "22 is open")
	waived.Waived = &report.Waiving{Name: "until-june", Reason: "being moved", Author: "ops", Expires: day + 1}
	owned := result("restricted-ssh", "sg-1", rules.Error, "no such key: ipPermissions")
	owned.Owner, owned.Packs = rules.Owner{Account: "123456789012"}, nil
	account := result("root-mfa", "123456789012", rules.InsufficientData, "")
	account.Resource = history.Key{Account: "123456789012", Type: rules.AccountType, ID: "123456789012"}
	account.Severity = ""
	return &report.Report{
		Through: report.Through{Position: "v1.7", Time: day},
		Results: []report.Result{
			result("restricted-ssh", "sg-1", rules.Compliant, ""),
			result("restricted-ssh", "sg-2", rules.NonCompliant, `says "22, open"`),
			waived, owned, account,
			result("restricted-ssh", "sg-4", rules.NotApplicable, ""),
		},
	}
}

func write(t testing.TB, f report.Format, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, f, r, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJSON(t *testing.T) {
	r := sample()
	r.Results = r.Results[1:3]
	const want = `{
  "evaluatedThrough": {
    "position": "v1.7",
    "time": "2026-03-01T12:00:00.0005Z"
  },
  "results": [
    {
      "rule": "restricted-ssh",
      "account": "123456789012",
      "region": "eu-west-1",
      "type": "AWS::EC2::SecurityGroup",
      "id": "sg-2",
      "compliance": "NON_COMPLIANT",
      "annotation": "says \"22, open\"",
      "since": "2026-03-01T12:00:00.0005Z",
      "firstSeen": "2026-03-01T12:00:00.000499Z",
      "waived": false
    },
    {
      "rule": "restricted-ssh",
      "account": "123456789012",
      "region": "eu-west-1",
      "type": "AWS::EC2::SecurityGroup",
      "id": "sg-3",
      "compliance": "NON_COMPLIANT",
      "annotation": "22 is open",
      "since": "2026-03-01T12:00:00.0005Z",
      "firstSeen": "2026-03-01T12:00:00.000499Z",
      "waived": true
    }
  ]
}
`
	if diff := cmp.Diff(want, write(t, report.JSON, r)); diff != "" {
		t.Error(diff)
	}
	empty := `{"evaluatedThrough":{"position":"","time":""},"results":[]}`
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(write(t, report.JSON, &report.Report{}))); err != nil || b.String() != empty {
		t.Errorf("nothing is %s, want %s (%v)", b.String(), empty, err)
	}
}

func TestCSV(t *testing.T) {
	want := `rule,owner,severity,account,region,type,id,compliance,annotation,since,first_seen,waived,reason
restricted-ssh,,high,123456789012,eu-west-1,AWS::EC2::SecurityGroup,sg-1,COMPLIANT,,2026-03-01T12:00:00.0005Z,2026-03-01T12:00:00.000499Z,false,
restricted-ssh,,high,123456789012,eu-west-1,AWS::EC2::SecurityGroup,sg-2,NON_COMPLIANT,"says ""22, open""",2026-03-01T12:00:00.0005Z,2026-03-01T12:00:00.000499Z,false,
restricted-ssh,,high,123456789012,eu-west-1,AWS::EC2::SecurityGroup,sg-3,NON_COMPLIANT,22 is open,2026-03-01T12:00:00.0005Z,2026-03-01T12:00:00.000499Z,true,being moved
restricted-ssh,123456789012,high,123456789012,eu-west-1,AWS::EC2::SecurityGroup,sg-1,ERROR,no such key: ipPermissions,2026-03-01T12:00:00.0005Z,2026-03-01T12:00:00.000499Z,false,
root-mfa,,medium,123456789012,,AWS::::Account,123456789012,INSUFFICIENT_DATA,,2026-03-01T12:00:00.0005Z,2026-03-01T12:00:00.000499Z,false,
restricted-ssh,,high,123456789012,eu-west-1,AWS::EC2::SecurityGroup,sg-4,NOT_APPLICABLE,,2026-03-01T12:00:00.0005Z,2026-03-01T12:00:00.000499Z,false,
`
	if diff := cmp.Diff(want, write(t, report.CSV, sample())); diff != "" {
		t.Error(diff)
	}
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(*report.Result){
		"ID":         func(r *report.Result) { r.Resource.ID = "a\xff" },
		"Annotation": func(r *report.Result) { r.Annotation = "\xc3" },
		"Reason":     func(r *report.Result) { r.Waived = &report.Waiving{Reason: "\x80"} },
		"Pack":       func(r *report.Result) { r.Packs = []string{"\xed\xa0\x80"} },
		"Verdict":    func(r *report.Result) { r.Compliance = "FINE" },
	} {
		t.Run(name, func(t *testing.T) {
			r := sample()
			change(&r.Results[0])
			for _, f := range report.Formats() {
				var b bytes.Buffer
				if err := report.Write(&b, f, r, ""); !errors.Is(err, history.Invalid) || b.Len() > 0 {
					t.Errorf("%s: %v, with %d bytes written", f, err, b.Len())
				}
			}
		})
	}
	if err := report.Write(new(bytes.Buffer), "pdf", sample(), ""); !errors.Is(err, history.Invalid) {
		t.Errorf("a format that there is not: %v", err)
	}
}

// nasty draws texts which formats must escape.
func nasty() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		runes := rapid.OneOf(
			rapid.Rune(),
			rapid.SampledFrom([]rune("\"'`,;&<>]]>\x00\x01\x08\t\n\r\x1b\x7f\u0085\u2028\ufeff\ufffd\ufffe\uffff/%:.- =+@")),
		)
		text := rapid.StringOfN(runes, 0, 12, -1).Draw(t, "text")
		if !utf8.ValidString(text) {
			return strings.ToValidUTF8(text, "?")
		}
		return text
	})
}

func anyReport() *rapid.Generator[*report.Report] {
	result := rapid.Custom(func(t *rapid.T) report.Result {
		text := func(label string) string { return nasty().Draw(t, label) }
		r := report.Result{
			Rule: text("rule"), Owner: rules.Owner{Account: text("owner"), Region: text("owner region")},
			Resource: history.Key{Account: text("account"), Region: text("region"), Type: text("type"), ID: text("id")},
			Verdict: rules.Verdict{
				Compliance: rapid.SampledFrom([]rules.Compliance{rules.Compliant, rules.NonCompliant, rules.NotApplicable, rules.InsufficientData, rules.Error}).Draw(t, "compliance"),
				Annotation: text("annotation"),
			},
			Since: history.Moment(rapid.Int64Range(0, int64(history.LastMoment)).Draw(t, "since")), FirstSeen: day,
			Severity:   rapid.SampledFrom(append(rules.Severities(), "")).Draw(t, "severity"),
			Identifier: text("identifier"), Help: text("help"), Packs: rapid.SliceOfN(nasty(), 0, 2).Draw(t, "packs"),
		}
		if rapid.Bool().Draw(t, "waived") {
			r.Waived = &report.Waiving{Name: text("waiver"), Reason: text("reason"), Author: text("author")}
		}
		return r
	})
	return rapid.Custom(func(t *rapid.T) *report.Report {
		return &report.Report{
			Through: report.Through{Position: nasty().Draw(t, "position"), Time: day},
			Results: rapid.SliceOfN(result, 0, 4).Draw(t, "results"),
		}
	})
}

// TestJSONHoldsEveryText: what is read back is what was written.
func TestJSONHoldsEveryText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyReport().Draw(t, "report")
		var b bytes.Buffer
		if err := report.Write(&b, report.JSON, r, ""); err != nil {
			t.Fatal(err)
		}
		var back struct {
			Results []struct{ Rule, Account, Region, Type, ID, Annotation string }
		}
		if err := json.Unmarshal(b.Bytes(), &back); err != nil {
			t.Fatal(err)
		}
		for i, got := range back.Results {
			in := r.Results[i]
			if got.Rule != in.Rule || got.Account != in.Resource.Account || got.Region != in.Resource.Region ||
				got.Type != in.Resource.Type || got.ID != in.Resource.ID || got.Annotation != in.Annotation {
				t.Errorf("%+v became %+v", in, got)
			}
		}
	})
}

// TestCSVHoldsEveryText, read by a strict reader of RFC 4180 that, unlike the
// library's, leaves line ends inside of quotes alone.
func TestCSVHoldsEveryText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyReport().Draw(t, "report")
		var b bytes.Buffer
		if err := report.Write(&b, report.CSV, r, ""); err != nil {
			t.Fatal(err)
		}
		rows := readCSV(t, b.String())
		if len(rows) != len(r.Results)+1 {
			t.Fatalf("%d rows of %d results", len(rows), len(r.Results))
		}
		for i, in := range r.Results {
			row := rows[i+1]
			if len(row) != 13 || row[0] != in.Rule || row[5] != in.Resource.Type || row[6] != in.Resource.ID || row[8] != in.Annotation {
				t.Errorf("%+v became %q", in, row)
			}
		}
	})
}

func readCSV(t *rapid.T, text string) [][]string {
	var rows [][]string
	var row []string
	for len(text) > 0 {
		var field string
		if strings.HasPrefix(text, `"`) {
			end := 1
			for {
				i := strings.IndexByte(text[end:], '"')
				if i < 0 {
					t.Fatalf("quotes are not closed: %q", text)
				}
				end += i + 1
				if !strings.HasPrefix(text[end:], `"`) {
					break
				}
				end++
			}
			field, text = strings.ReplaceAll(text[1:end-1], `""`, `"`), text[end:]
		} else {
			end := strings.IndexAny(text, ",\n")
			field, text = text[:end], text[end:]
			if strings.ContainsAny(field, "\"\r") {
				t.Fatalf("%q is not quoted", field)
			}
		}
		row = append(row, field)
		if text[0] == '\n' {
			rows, row = append(rows, row), nil
		}
		text = text[1:]
	}
	return rows
}
