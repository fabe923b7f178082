package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/varvehq/varve/rules"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	ClassName string        `xml:"classname,attr"`
	Name      string        `xml:"name,attr"`
	Time      string        `xml:"time,attr"`
	Failure   *junitOutcome `xml:"failure"`
	Error     *junitOutcome `xml:"error"`
	Skipped   *junitOutcome `xml:"skipped"`
}

type junitOutcome struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes a suite for every rule and a case for every resource: what does
// not comply is a failure, an ERROR an error, and what is waived, not applicable or
// short of data is skipped, with the reason. Rules stand in the order in which they
// first occur.
func writeJUnit(w io.Writer, r *Report) error {
	out := junitSuites{Name: "varve"}
	at := make(map[string]int)
	for i := range r.Results {
		in := &r.Results[i]
		name := in.RuleName()
		j, seen := at[name]
		if !seen {
			j = len(out.Suites)
			at[name] = j
			out.Suites = append(out.Suites, junitSuite{Name: name, Time: "0"})
		}
		suite := &out.Suites[j]
		c := newCase(in)
		suite.Cases = append(suite.Cases, c)
		for _, count := range []struct {
			is    *junitOutcome
			suite *int
			all   *int
		}{{c.Failure, &suite.Failures, &out.Failures}, {c.Error, &suite.Errors, &out.Errors}, {c.Skipped, &suite.Skipped, &out.Skipped}} {
			if count.is != nil {
				*count.suite++
				*count.all++
			}
		}
		suite.Tests++
		out.Tests++
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func newCase(r *Result) junitCase {
	c := junitCase{ClassName: r.RuleName(), Name: r.Resource.String(), Time: "0"}
	annotation := r.Annotation
	if annotation == "" {
		annotation = string(r.Compliance)
	}
	switch {
	case r.open():
		c.Failure = &junitOutcome{Message: annotation, Type: string(r.Compliance), Text: details(r)}
	case r.Compliance == rules.Error:
		c.Error = &junitOutcome{Message: annotation, Type: string(r.Compliance), Text: details(r)}
	case r.Compliance == rules.NonCompliant:
		c.Skipped = &junitOutcome{Message: "waived: " + r.Waived.Reason, Text: details(r)}
	case r.Compliance != rules.Compliant:
		c.Skipped = &junitOutcome{Message: annotation, Text: details(r)}
	}
	return c
}

// details are what there is to say of a result, in lines.
func details(r *Result) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	line("verdict", string(r.Compliance))
	line("annotation", r.Annotation)
	line("severity", string(r.severity()))
	line("since", r.Since.String())
	line("first seen", r.FirstSeen.String())
	if w := r.Waived; w != nil {
		line("waived by", w.Author)
		line("waived because", w.Reason)
		line("waived until", w.Expires.String())
	}
	line("rule", r.Help)
	return b.String()
}
