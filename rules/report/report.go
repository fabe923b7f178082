// Package report writes what rules have found, for people, for programs and for
// what builds software: as JSON, CSV, SARIF and JUnit, in sums, and as an exit code.
package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Report is what rules have found, as of a place in the feed.
type Report struct {
	Through Through
	Results []Result // in the order in which they are to be written
}

// Through is how far the history had been evaluated.
type Through struct {
	Position string // in the feed
	Time     history.Moment
}

// Result is the verdict of one rule on one resource.
type Result struct {
	Rule     string // within its owner
	Owner    rules.Owner
	Resource history.Key
	rules.Verdict
	Since     history.Moment // when this interval began
	FirstSeen history.Moment // when the rule first gave this verdict on the resource
	Waived    *Waiving       // nil: not waived

	Severity   rules.Severity // empty: medium
	Identifier string         // of the managed rule; empty: none
	Help       string         // what the rule asks for
	Packs      []string       // that the rule is in
}

// Waiving is why a result is waived.
type Waiving struct {
	Name    string // of the waiver
	Reason  string
	Author  string
	Expires history.Moment // zero: never
}

// open tells whether something has to be done about a result.
func (r *Result) open() bool { return r.Compliance == rules.NonCompliant && r.Waived == nil }

// RuleName is the name of the rule with its owner, by which a report that has the
// rules of several owners tells them apart.
func (r *Result) RuleName() string {
	if r.Owner == (rules.Owner{}) {
		return r.Rule
	}
	return r.Owner.Account + "/" + r.Owner.Region + "/" + r.Rule
}

// Format is a way to write a report.
type Format string

// The formats.
const (
	JSON  Format = "json"
	CSV   Format = "csv"
	SARIF Format = "sarif" // 2.1.0
	JUnit Format = "junit" // as GitLab and Jenkins read it
)

// Formats are all of them.
func Formats() []Format { return []Format{JSON, CSV, SARIF, JUnit} }

// Write writes a report in a format. What is not valid UTF-8 is refused, with
// history.Invalid, before anything is written; control characters that the format
// cannot hold become U+FFFD. Program is the version of this program, for SARIF.
func Write(w io.Writer, f Format, r *Report, program string) error {
	if err := r.validate(); err != nil {
		return err
	}
	switch f {
	case JSON:
		return writeJSON(w, r)
	case CSV:
		return writeCSV(w, r)
	case SARIF:
		return writeSARIF(w, r, program)
	case JUnit:
		return writeJUnit(w, r)
	}
	return &history.Error{Kind: history.Invalid, Field: "output", Value: fmt.Sprintf("%q", string(f)), Text: "is no format; there are json, csv, sarif and junit"}
}

func (r *Report) validate() error {
	if !utf8.ValidString(r.Through.Position) {
		return notText("evaluatedThrough.position", r.Through.Position)
	}
	for i := range r.Results {
		if err := r.Results[i].validate(); err != nil {
			return fmt.Errorf("result %d: %w", i, err)
		}
	}
	return nil
}

func (r *Result) validate() error {
	fields := []struct{ name, value string }{
		{"rule", r.Rule}, {"owner.account", r.Owner.Account}, {"owner.region", r.Owner.Region},
		{"account", r.Resource.Account}, {"region", r.Resource.Region}, {"type", r.Resource.Type}, {"id", r.Resource.ID},
		{"annotation", r.Annotation}, {"identifier", r.Identifier}, {"help", r.Help}, {"packs", strings.Join(r.Packs, "\n")},
	}
	if w := r.Waived; w != nil {
		fields = append(fields, []struct{ name, value string }{{"waiver", w.Name}, {"reason", w.Reason}, {"author", w.Author}}...)
	}
	for _, f := range fields {
		if !utf8.ValidString(f.value) {
			return notText(f.name, f.value)
		}
	}
	if !r.Compliance.Known() {
		return &history.Error{Kind: history.Invalid, Field: "compliance", Value: fmt.Sprintf("%q", string(r.Compliance)), Text: "is no verdict"}
	}
	return nil
}

func notText(field, value string) error {
	return &history.Error{Kind: history.Invalid, Field: field, Value: fmt.Sprintf("%.80q", value), Text: "is not valid UTF-8"}
}
