package report

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// The members of SARIF 2.1.0 that are written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
		Properties  map[string]string `json:"properties,omitempty"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string           `json:"id"`
		Name             string           `json:"name"`
		ShortDescription *sarifText       `json:"shortDescription,omitempty"`
		Help             *sarifText       `json:"help,omitempty"`
		Defaults         sarifDefaults    `json:"defaultConfiguration"`
		Properties       sarifRuleProfile `json:"properties"`
	}
	sarifDefaults struct {
		Level string `json:"level"`
	}
	sarifRuleProfile struct {
		Severity         string   `json:"severity"`
		SecuritySeverity string   `json:"security-severity"`
		Identifier       string   `json:"identifier,omitempty"`
		Tags             []string `json:"tags"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Rule      sarifReference  `json:"associatedRule"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifReference struct {
		ID    string `json:"id"`
		Index int    `json:"index"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    int                `json:"ruleIndex"`
		Kind         string             `json:"kind"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Fingerprints map[string]string  `json:"fingerprints"`
		Partial      map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions"`
		Properties   map[string]string  `json:"properties"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifLogical struct {
		Name               string `json:"name"`
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
	sarifSuppression struct {
		Kind          string            `json:"kind"`
		Status        string            `json:"status"`
		Justification string            `json:"justification"`
		Properties    map[string]string `json:"properties,omitempty"`
	}
)

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

// writeSARIF writes one run with a result for every verdict, whether it is good or
// bad. A waiver is an accepted suppression of a result. An ERROR is a result to be
// reviewed and a notification, with which the run was no success.
func writeSARIF(w io.Writer, r *Report, program string) error {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "Varve", Version: program, Rules: []sarifRule{}}},
		ColumnKind: "unicodeCodePoints",
		Results:    make([]sarifResult, 0, len(r.Results)),
	}
	if r.Through != (Through{}) {
		run.Properties = map[string]string{"evaluatedThroughPosition": r.Through.Position, "evaluatedThroughTime": r.Through.Time.String()}
	}
	invocation := sarifInvocation{Successful: true}
	at := make(map[string]int)
	for i := range r.Results {
		in := &r.Results[i]
		name := in.RuleName()
		index, seen := at[name]
		if !seen {
			index = len(run.Tool.Driver.Rules)
			at[name] = index
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, newSARIFRule(in))
		}
		out := newSARIFResult(in, index)
		run.Results = append(run.Results, out)
		if in.Compliance == rules.Error {
			invocation.Successful = false
			invocation.Notifications = append(invocation.Notifications, sarifNotification{
				Level: "error", Message: out.Message, Rule: sarifReference{name, index}, Locations: out.Locations,
			})
		}
	}
	run.Invocations = []sarifInvocation{invocation}
	return encode(w, sarifLog{Schema: sarifSchema, Version: "2.1.0", Runs: []sarifRun{run}})
}

func newSARIFRule(r *Result) sarifRule {
	rule := sarifRule{
		ID: r.RuleName(), Name: r.Rule,
		Defaults: sarifDefaults{level(r.severity())},
		Properties: sarifRuleProfile{
			Severity: string(r.severity()), SecuritySeverity: securitySeverity(r.severity()),
			Identifier: r.Identifier, Tags: unique(append([]string{"compliance"}, r.Packs...)),
		},
	}
	if r.Help != "" {
		rule.ShortDescription = &sarifText{r.Help}
		rule.Help = &sarifText{r.Help}
	}
	return rule
}

func unique(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

// level is SARIF's word for a severity.
func level(s rules.Severity) string {
	switch s {
	case rules.SeverityLow:
		return "note"
	case rules.SeverityMedium:
		return "warning"
	}
	return "error"
}

// securitySeverity is the number by which code hosts sort, on CVSS's scale: the
// middle of each of its bands.
func securitySeverity(s rules.Severity) string {
	switch s {
	case rules.SeverityLow:
		return "2.0"
	case rules.SeverityMedium:
		return "5.5"
	case rules.SeverityHigh:
		return "8.0"
	}
	return "9.5"
}

func newSARIFResult(r *Result, index int) sarifResult {
	out := sarifResult{
		RuleID: r.RuleName(), RuleIndex: index, Kind: kind(r.Compliance), Level: "none",
		Message:      sarifText{message(r)},
		Locations:    []sarifLocation{location(r.Resource)},
		Fingerprints: map[string]string{"varveVerdict/v1": fingerprint(r)},
		Partial:      map[string]string{"varveVerdict/v1": fingerprint(r)},
		Suppressions: []sarifSuppression{},
		Properties: map[string]string{
			"account": r.Resource.Account, "region": r.Resource.Region, "type": r.Resource.Type, "id": r.Resource.ID,
			"compliance": string(r.Compliance), "since": r.Since.String(), "firstSeen": r.FirstSeen.String(),
		},
	}
	if out.Kind == "fail" {
		out.Level = level(r.severity())
	}
	if w := r.Waived; w != nil {
		out.Suppressions = append(out.Suppressions, sarifSuppression{
			Kind: "external", Status: "accepted", Justification: w.Reason,
			Properties: map[string]string{"waiver": w.Name, "author": w.Author, "expires": w.Expires.String()},
		})
	}
	return out
}

// kind is SARIF's word for a verdict.
func kind(c rules.Compliance) string {
	switch c {
	case rules.Compliant:
		return "pass"
	case rules.NonCompliant:
		return "fail"
	case rules.NotApplicable:
		return "notApplicable"
	case rules.InsufficientData:
		return "open"
	}
	return "review"
}

func message(r *Result) string {
	if r.Annotation != "" {
		return r.Annotation
	}
	return r.Resource.Type + " " + r.Resource.ID + " is " + string(r.Compliance)
}

// location names a resource in both ways that readers ask for: by logical names,
// and by a URI, without which code hosts show nothing. It is a relative one, of
// account, region, type and id, each escaped; "-" stands for an empty one.
func location(k history.Key) sarifLocation {
	parts := []string{k.Account, k.Region, k.Type, k.ID}
	escaped := make([]string, len(parts))
	for i, p := range parts {
		// A dot segment would name another place, and a colon in the first one a scheme.
		escaped[i] = strings.NewReplacer(":", "%3A").Replace(url.PathEscape(p))
		switch p {
		case "":
			escaped[i] = "-"
		case ".", "..", "-":
			escaped[i] = strings.NewReplacer(".", "%2E", "-", "%2D").Replace(p)
		}
	}
	return sarifLocation{
		Physical: sarifPhysical{sarifArtifact{strings.Join(escaped, "/")}},
		Logical:  []sarifLogical{{Name: k.ID, FullyQualifiedName: strings.Join(escaped, "/"), Kind: "resource"}},
	}
}

// fingerprint is the same for a rule and a resource in every report, whatever the
// verdict says.
func fingerprint(r *Result) string {
	h := sha256.New()
	for _, part := range []string{r.Owner.Account, r.Owner.Region, r.Rule, r.Resource.Account, r.Resource.Region, r.Resource.Type, r.Resource.ID} {
		h.Write([]byte(part))
		h.Write([]byte{0}) // none of the parts holds it
	}
	return hex.EncodeToString(h.Sum(nil))
}
