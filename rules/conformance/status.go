package conformance

import (
	"fmt"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules/report"
)

// Status is a light on a traffic light.
type Status string

// The statuses.
const (
	Green  Status = "green"  // nothing to do
	Yellow Status = "yellow" // to be looked into
	Red    Status = "red"    // to be acted upon
)

func parseStatus(text string) (Status, error) {
	if s := Status(text); s == Yellow || s == Red {
		return s, nil
	}
	return "", &history.Error{Kind: history.Invalid, Field: "status", Value: fmt.Sprintf("%q", shorten(text, 80)),
		Text: "is none; there are red and yellow, for green is what remains"}
}

// Check is some rules of a pack, and what their verdicts come to.
type Check struct {
	Name   string
	Rules  []string // by name, in the order of the pack
	Status Status
	Reason string // of a status that is not green
}

// Checks gives the checks of the pack in the order of their first rules, from the
// verdicts that the rules gave. A check has the worst status that one of its rules
// has: the rule's own if a resource does not comply and is not waived; yellow if
// something is not known, because the rule is not judged, has given no verdict, or
// one that is ERROR or INSUFFICIENT_DATA; green otherwise.
func (p *Pack) Checks(verdicts func(rule string) report.Counts) []Check {
	var all []Check
	at := make(map[string]int)
	for i := range p.Rules {
		rule := &p.Rules[i]
		if rule.Check == "" {
			continue
		}
		j, seen := at[rule.Check]
		if !seen {
			j = len(all)
			at[rule.Check] = j
			all = append(all, Check{Name: rule.Check, Status: Green})
		}
		all[j].Rules = append(all[j].Rules, rule.Name)
		status, reason := rule.status(verdicts(rule.Name))
		if worse(status, all[j].Status) {
			all[j].Status, all[j].Reason = status, reason
		}
	}
	return all
}

func (r *Rule) status(c report.Counts) (Status, string) {
	switch open := c.NonCompliant - c.Waived; {
	case r.State == Unsupported:
		return Yellow, fmt.Sprintf("%s is not judged: %s", r.Name, r.Reason)
	case open > 0:
		return r.Status, fmt.Sprintf("%s: %d not compliant", r.Name, open)
	case c.Errors > 0:
		return Yellow, fmt.Sprintf("%s: %d evaluations went wrong", r.Name, c.Errors)
	case c.InsufficientData > 0:
		return Yellow, fmt.Sprintf("%s: %d with insufficient data", r.Name, c.InsufficientData)
	case c.Total() == 0:
		return Yellow, fmt.Sprintf("%s has judged nothing yet", r.Name)
	}
	return Green, ""
}

func worse(a, b Status) bool {
	rank := map[Status]int{Green: 0, Yellow: 1, Red: 2}
	return rank[a] > rank[b]
}
