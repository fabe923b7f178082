// Package rules says what complies with what, since when, and did at any moment.
//
// A rule is evaluated on the versions of the resources in its scope. A verdict
// holds for as long as the version does, or the part of it during which the
// rule's own version was in force; it is an interval in the history like any
// other, and answers as of every moment.
//
// For now the package holds its vocabulary alone.
package rules

import "github.com/varvehq/varve/history"

// Compliance is a verdict, in AWS Config's words where it has them.
type Compliance string

// An error is never taken for compliance.
const (
	Compliant        Compliance = "COMPLIANT"
	NonCompliant     Compliance = "NON_COMPLIANT"
	NotApplicable    Compliance = "NOT_APPLICABLE"
	InsufficientData Compliance = "INSUFFICIENT_DATA"
	Error            Compliance = "ERROR"
)

// Trigger says what makes a rule be evaluated.
type Trigger uint8

// A rule has one trigger at least; they may be joined.
const (
	OnChange Trigger = 1 << iota
	Periodic
)

// Evaluation is one rule on one resource at one moment.
type Evaluation struct {
	Rule       string
	Key        history.Key
	Version    uint32         // of the resource
	At         history.Moment // captured
	Compliance Compliance
	Annotation string // why, for people
}
