package report

import (
	"slices"

	"github.com/varvehq/varve/rules"
)

func (r *Result) severity() rules.Severity {
	if r.Severity == "" {
		return rules.SeverityMedium
	}
	return r.Severity
}

// rank orders severities, the worst highest; one that is not known is the worst.
func rank(s rules.Severity) int {
	if i := slices.Index(rules.Severities(), s); i >= 0 {
		return i
	}
	return len(rules.Severities())
}

// Exit codes for what builds software, in the order of precedence.
const (
	ExitFine    = 0 // all that there is complies, is waived, or is below the threshold
	ExitFailing = 3 // something does not comply
	ExitUnknown = 4 // nothing fails, but a verdict is ERROR or INSUFFICIENT_DATA
)

// ExitCode sums a report up, as to results of a severity and worse; of no results
// nothing fails. 1 and 2 are left to the program, for being refused and misunderstood.
func ExitCode(results []Result, least rules.Severity) int {
	if least == "" {
		least = rules.SeverityLow
	}
	code := ExitFine
	for i := range results {
		r := &results[i]
		if rank(r.severity()) < rank(least) {
			continue
		}
		switch r.Compliance {
		case rules.Compliant, rules.NotApplicable:
		case rules.NonCompliant:
			if r.open() {
				return ExitFailing
			}
		default:
			code = ExitUnknown
		}
	}
	return code
}
