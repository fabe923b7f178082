package awsconfig

import (
	"context"
	"slices"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/report"
)

// complianceHandlers answer about compliance.
func (d *Door) complianceHandlers() []handler {
	return []handler{
		on("DescribeComplianceByConfigRule", d.describeComplianceByConfigRule),
		on("DescribeComplianceByResource", d.describeComplianceByResource),
		on("GetComplianceDetailsByConfigRule", d.getComplianceDetailsByConfigRule),
		on("GetComplianceDetailsByResource", d.getComplianceDetailsByResource),
		on("GetComplianceSummaryByConfigRule", d.getComplianceSummaryByConfigRule),
		on("GetComplianceSummaryByResourceType", d.getComplianceSummaryByResourceType),
	}
}

// Beyond so many, contributors, rules and resources are not counted.
const (
	mostContributors = 25
	mostRulesCounted = 25
	mostResources    = 100
)

// capped is a count that goes no further than most.
func capped(n, most int) *shape.ComplianceContributorCount {
	return &shape.ComplianceContributorCount{CappedCount: int32(min(n, most)), CapExceeded: n > most} //nolint:gosec // it is small
}

// described is what some verdicts come to, with how many of them do not comply.
func described(c report.Counts) *shape.Compliance {
	out := &shape.Compliance{ComplianceType: total(c)}
	if c.NonCompliant > 0 {
		out.ComplianceContributorCount = capped(c.NonCompliant, mostContributors)
	}
	return out
}

// passes reports whether a word is among those that were asked for; none: all.
func passes(asked []string, word string) bool { return len(asked) == 0 || slices.Contains(asked, word) }

func (d *Door) describeComplianceByConfigRule(ctx context.Context, c Caller, in *shape.DescribeComplianceByConfigRuleInput) (*shape.DescribeComplianceByConfigRuleOutput, error) {
	j, at, err := d.judgedPage(ctx, c, in, in.NextToken)
	if err != nil {
		return nil, err
	}
	list, err := j.rules.choose(in.ConfigRuleNames)
	if err != nil {
		return nil, err
	}
	out := &shape.DescribeComplianceByConfigRuleOutput{}
	// A page is of so many rules, of which those that were not asked for are left
	// out: so none takes longer than others.
	list = after(list, at.after)
	page := list[:min(len(list), rulesPage)]
	for _, one := range page {
		counts, err := j.counts(ctx, one, mostContributors)
		if err != nil {
			return nil, err
		}
		if is := described(counts); passes(in.ComplianceTypes, is.ComplianceType) {
			out.ComplianceByConfigRules = append(out.ComplianceByConfigRules, shape.ComplianceByConfigRule{ConfigRuleName: one.name, Compliance: is})
		}
	}
	if len(page) < len(list) {
		out.NextToken = next(c, in, cursor{known: j.known(), after: page[len(page)-1].name})
	}
	return out, nil
}

// counts are the results of a rule. When more than most do not comply, nothing else
// matters any more.
func (j *judged) counts(ctx context.Context, r *ruleSeen, most int) (counts report.Counts, err error) {
	err = j.ofRule(ctx, r, "", nil, func(v *engine.Result) (bool, error) {
		counts.Add(&report.Result{Verdict: v.Verdict})
		return counts.NonCompliant <= most, nil
	})
	return counts, err
}

func (d *Door) getComplianceSummaryByConfigRule(ctx context.Context, c Caller, _ *shape.Empty) (*shape.GetComplianceSummaryByConfigRuleOutput, error) {
	j, err := d.judged(ctx, c, cursor{})
	if err != nil {
		return nil, err
	}
	compliant, not := 0, 0
	for _, one := range j.rules.list {
		if compliant > mostRulesCounted && not > mostRulesCounted {
			break
		}
		counts, err := j.counts(ctx, one, 0)
		if err != nil {
			return nil, err
		}
		switch rules.Compliance(total(counts)) {
		case rules.Compliant:
			compliant++
		case rules.NonCompliant:
			not++
		}
	}
	return &shape.GetComplianceSummaryByConfigRuleOutput{ComplianceSummary: j.summary(compliant, not, mostRulesCounted)}, nil
}

func (j *judged) summary(compliant, not, most int) *shape.ComplianceSummary {
	return &shape.ComplianceSummary{
		CompliantResourceCount: capped(compliant, most), NonCompliantResourceCount: capped(not, most),
		ComplianceSummaryTimestamp: j.now,
	}
}
