package report_test

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/report"
)

func TestJUnit(t *testing.T) {
	r := sample()
	r.Results = r.Results[:4]
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="varve" tests="4" failures="1" errors="1" skipped="1">
  <testsuite name="restricted-ssh" tests="3" failures="1" errors="0" skipped="1" time="0">
    <testcase classname="restricted-ssh" name="AWS::EC2::SecurityGroup sg-1 [123456789012/eu-west-1]" time="0"></testcase>
    <testcase classname="restricted-ssh" name="AWS::EC2::SecurityGroup sg-2 [123456789012/eu-west-1]" time="0">
      <failure message="says &#34;22, open&#34;" type="NON_COMPLIANT">verdict: NON_COMPLIANT&#xA;annotation: says &#34;22, open&#34;&#xA;severity: high&#xA;since: 2026-03-01T12:00:00.0005Z&#xA;first seen: 2026-03-01T12:00:00.000499Z&#xA;rule: SSH is not open to the world&#xA;</failure>
    </testcase>
    <testcase classname="restricted-ssh" name="AWS::EC2::SecurityGroup sg-3 [123456789012/eu-west-1]" time="0">
      <skipped message="waived: being moved">verdict: NON_COMPLIANT&#xA;annotation: 22 is open&#xA;severity: high&#xA;since: 2026-03-01T12:00:00.0005Z&#xA;first seen: 2026-03-01T12:00:00.000499Z&#xA;waived by: ops&#xA;waived because: being moved&#xA;waived until: 2026-03-01T12:00:00.000501Z&#xA;rule: SSH is not open to the world&#xA;</skipped>
    </testcase>
  </testsuite>
  <testsuite name="123456789012//restricted-ssh" tests="1" failures="0" errors="1" skipped="0" time="0">
    <testcase classname="123456789012//restricted-ssh" name="AWS::EC2::SecurityGroup sg-1 [123456789012/eu-west-1]" time="0">
      <error message="no such key: ipPermissions" type="ERROR">verdict: ERROR&#xA;annotation: no such key: ipPermissions&#xA;severity: high&#xA;since: 2026-03-01T12:00:00.0005Z&#xA;first seen: 2026-03-01T12:00:00.000499Z&#xA;rule: SSH is not open to the world&#xA;</error>
    </testcase>
  </testsuite>
</testsuites>
`
	if diff := cmp.Diff(want, write(t, report.JUnit, r)); diff != "" {
		t.Error(diff)
	}
}

// TestJUnitHoldsEveryText that XML can hold; the characters that it cannot become
// U+FFFD.
func TestJUnitHoldsEveryText(t *testing.T) {
	held := func(text string) string {
		return strings.Map(func(r rune) rune {
			if r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 {
				return r
			}
			return utf8.RuneError
		}, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		r := anyReport().Draw(t, "report")
		var b bytes.Buffer
		if err := report.Write(&b, report.JUnit, r, ""); err != nil {
			t.Fatal(err)
		}
		type outcome struct {
			Message string `xml:"message,attr"`
		}
		var back struct {
			Tests  int `xml:"tests,attr"`
			Suites []struct {
				Name  string `xml:"name,attr"`
				Cases []struct {
					Name    string   `xml:"name,attr"`
					Failure *outcome `xml:"failure"`
					Error   *outcome `xml:"error"`
					Skipped *outcome `xml:"skipped"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal(b.Bytes(), &back); err != nil {
			t.Fatalf("%v in %q", err, b.String())
		}
		if back.Tests != len(r.Results) {
			t.Errorf("%d tests of %d results", back.Tests, len(r.Results))
		}
		for _, in := range r.Results {
			found := false
			for _, suite := range back.Suites {
				for _, c := range suite.Cases {
					if suite.Name != held(in.RuleName()) || c.Name != held(in.Resource.String()) {
						continue
					}
					fails := in.Compliance == rules.NonCompliant && in.Waived == nil
					if fails && c.Failure != nil && (in.Annotation == "" || c.Failure.Message == held(in.Annotation)) ||
						!fails && c.Failure == nil {
						found = true
					}
				}
			}
			if !found {
				t.Errorf("%+v is not in %q", in, b.String())
			}
		}
	})
}
