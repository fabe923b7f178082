package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/report"
)

func TestSummaries(t *testing.T) {
	results := sample().Results
	ssh := report.Counts{Compliant: 1, NonCompliant: 2, Waived: 1, NotApplicable: 1}
	root := report.Counts{InsufficientData: 1}
	failed := report.Counts{Errors: 1}
	both := report.Counts{Compliant: 1, NonCompliant: 2, Waived: 1, NotApplicable: 1, Errors: 1}
	all := report.Counts{Compliant: 1, NonCompliant: 2, Waived: 1, NotApplicable: 1, Errors: 1, InsufficientData: 1}
	packed := report.Counts{Compliant: 1, NonCompliant: 2, Waived: 1, NotApplicable: 1, InsufficientData: 1}
	for name, tt := range map[string]struct {
		by   report.By
		want []report.Group
	}{
		"ByRule":    {report.ByRule, []report.Group{{Name: "123456789012//restricted-ssh", Counts: failed}, {Name: "restricted-ssh", Counts: ssh}, {Name: "root-mfa", Counts: root}}},
		"ByType":    {report.ByType, []report.Group{{Name: "AWS::::Account", Counts: root}, {Name: "AWS::EC2::SecurityGroup", Counts: both}}},
		"ByAccount": {report.ByAccount, []report.Group{{Name: "123456789012", Counts: all}}},
		"ByPack":    {report.ByPack, []report.Group{{Name: "security-checks", Counts: packed}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, report.Summarize(results, tt.by)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := report.Count(results); got != all || got.Total() != len(results) {
		t.Errorf("all are %+v", got)
	}
}

func TestScore(t *testing.T) {
	for _, tt := range []struct {
		counts report.Counts
		score  string
		sum    rules.Compliance
	}{
		{report.Counts{}, "INSUFFICIENT_DATA", rules.InsufficientData},
		{report.Counts{NotApplicable: 3}, "INSUFFICIENT_DATA", rules.NotApplicable},
		{report.Counts{Compliant: 3, NotApplicable: 9}, "100.00", rules.Compliant},
		{report.Counts{Compliant: 2, NonCompliant: 1}, "66.66", rules.NonCompliant},
		{report.Counts{Compliant: 99999, NonCompliant: 1}, "99.99", rules.NonCompliant},
		{report.Counts{Compliant: 1, Errors: 1}, "50.00", rules.Error},
		{report.Counts{Compliant: 1, InsufficientData: 3}, "25.00", rules.InsufficientData},
		{report.Counts{Compliant: 1, NonCompliant: 1, Waived: 1}, "50.00", rules.NonCompliant},
		{report.Counts{NonCompliant: 7}, "0.00", rules.NonCompliant},
	} {
		if got := tt.counts.Score(); got != tt.score {
			t.Errorf("%+v: score %s, want %s", tt.counts, got, tt.score)
		}
		if got := tt.counts.Compliance(); got != tt.sum {
			t.Errorf("%+v: %s, want %s", tt.counts, got, tt.sum)
		}
	}
}

func TestExitCode(t *testing.T) {
	result := func(c rules.Compliance, s rules.Severity, waived bool) report.Result {
		r := report.Result{Rule: "r", Resource: history.Key{Type: "T", ID: "x"}, Verdict: rules.Verdict{Compliance: c}, Severity: s}
		if waived {
			r.Waived = &report.Waiving{Reason: "why"}
		}
		return r
	}
	fine := result(rules.Compliant, rules.SeverityHigh, false)
	for name, tt := range map[string]struct {
		results []report.Result
		least   rules.Severity
		want    int
	}{
		"Nothing":           {nil, "", report.ExitFine},
		"AllComply":         {[]report.Result{fine, result(rules.NotApplicable, "", false)}, "", report.ExitFine},
		"OneFails":          {[]report.Result{fine, result(rules.NonCompliant, rules.SeverityLow, false)}, "", report.ExitFailing},
		"BelowTheThreshold": {[]report.Result{fine, result(rules.NonCompliant, rules.SeverityLow, false)}, rules.SeverityMedium, report.ExitFine},
		"AtTheThreshold":    {[]report.Result{result(rules.NonCompliant, "", false)}, rules.SeverityMedium, report.ExitFailing},
		"Waived":            {[]report.Result{result(rules.NonCompliant, rules.SeverityCritical, true)}, "", report.ExitFine},
		"Error":             {[]report.Result{fine, result(rules.Error, "", false)}, "", report.ExitUnknown},
		"Insufficient":      {[]report.Result{result(rules.InsufficientData, "", false), fine}, "", report.ExitUnknown},
		"FailureOverError":  {[]report.Result{result(rules.Error, "", false), result(rules.NonCompliant, "", false)}, "", report.ExitFailing},
		"WaivedErrorStays":  {[]report.Result{result(rules.Error, "", true)}, "", report.ExitUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			if got := report.ExitCode(tt.results, tt.least); got != tt.want {
				t.Errorf("exit code %d, want %d", got, tt.want)
			}
		})
	}
}
