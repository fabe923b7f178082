package awsconfig

import (
	"cmp"
	"context"
	"slices"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/rules"
)

// Pages of the rules of a pack.
const (
	packRulesPage = 100
	packRulesMost = 1000
)

// packRule is a rule of a pack as it is answered about.
type packRule struct {
	name     string // by which clients know it
	controls []string
	rule     *ruleSeen // nil: it is not judged
}

// rulesOf are the rules of a pack that have these names, or all, by name.
// NoSuchConfigRuleInConformancePackException if it has none of a name.
func (j *judged) rulesOf(p *packSeen, names []string) ([]packRule, error) {
	var list []packRule
	for i := range p.Rules {
		r := &p.Rules[i]
		one := packRule{name: nameOf(p.Owner, rules.Qualify(p.Name, r.Name)), controls: r.Controls}
		if len(names) > 0 && !slices.Contains(names, one.name) {
			continue
		}
		if seen := j.rules.byName[one.name]; seen != nil && seen.Owner == p.Owner && seen.Pack == p.Name {
			one.rule = seen
		}
		list = append(list, one)
	}
	for _, name := range names {
		if !slices.ContainsFunc(list, func(r packRule) bool { return r.name == name }) {
			return nil, refuse("NoSuchConfigRuleInConformancePackException", "The ConfigRule '%s' is not in the conformance pack '%s'. Take its name from DescribeConformancePackCompliance.", name, p.Name)
		}
	}
	slices.SortFunc(list, func(a, b packRule) int { return cmp.Compare(a.name, b.name) })
	return list, nil
}

// compliance is what the results of a rule of a pack come to.
func (j *judged) compliance(ctx context.Context, r packRule) (string, error) {
	if r.rule == nil {
		return string(rules.InsufficientData), nil
	}
	counts, err := j.counts(ctx, r.rule, 0)
	return total(counts), err
}

func (d *Door) describeConformancePackCompliance(ctx context.Context, c Caller, in *shape.DescribeConformancePackComplianceInput) (*shape.DescribeConformancePackComplianceOutput, error) {
	most, err := entries(in.Limit, packRulesPage, packRulesMost)
	if err != nil {
		return nil, err
	}
	j, at, err := d.judgedPage(ctx, c, in, in.NextToken)
	if err != nil {
		return nil, err
	}
	pack, err := d.packNamed(ctx, c, j.r, in.ConformancePackName)
	if err != nil {
		return nil, err
	}
	var asked shape.ConformancePackComplianceFilters
	if in.Filters != nil {
		asked = *in.Filters
	}
	list, err := j.rulesOf(pack, asked.ConfigRuleNames)
	if err != nil {
		return nil, err
	}
	out := &shape.DescribeConformancePackComplianceOutput{ConformancePackName: pack.Name}
	list = slices.DeleteFunc(list, func(r packRule) bool { return r.name <= at.after })
	// A page is of so many rules, of which those that do not comply as is asked for are
	// left out: so none takes longer than others.
	page := list[:min(len(list), most)]
	for _, one := range page {
		is, err := j.compliance(ctx, one)
		if err != nil {
			return nil, err
		}
		if asked.ComplianceType == "" || asked.ComplianceType == is {
			out.ConformancePackRuleComplianceList = append(out.ConformancePackRuleComplianceList,
				shape.ConformancePackRuleCompliance{ConfigRuleName: one.name, ComplianceType: is, Controls: one.controls})
		}
	}
	if len(page) < len(list) {
		out.NextToken = next(c, in, cursor{known: j.known(), after: page[len(page)-1].name})
	}
	return out, nil
}

func (d *Door) getConformancePackComplianceSummary(ctx context.Context, c Caller, in *shape.GetConformancePackComplianceSummaryInput) (*shape.GetConformancePackComplianceSummaryOutput, error) {
	p, err := d.packsPaged(ctx, c, in, in.Limit, in.NextToken, in.ConformancePackNames)
	if err != nil {
		return nil, err
	}
	if err := p.seen.all(in.ConformancePackNames); err != nil {
		return nil, err
	}
	j, err := d.judged(ctx, c, cursor{known: p.at.At().Known})
	if err != nil {
		return nil, err
	}
	out := &shape.GetConformancePackComplianceSummaryOutput{NextToken: p.next}
	for _, one := range p.list {
		is, err := j.summed(ctx, one)
		if err != nil {
			return nil, err
		}
		out.ConformancePackComplianceSummaryList = append(out.ConformancePackComplianceSummaryList,
			shape.ConformancePackComplianceSummary{ConformancePackName: one.Name, ConformancePackComplianceStatus: is})
	}
	return out, nil
}

// summed is what the rules of a pack come to: it does not comply if one does not. As
// with AWS Config it has insufficient data if all have; here, if one is not judged at
// all, too, for else that rule would pass in silence.
func (j *judged) summed(ctx context.Context, p *packSeen) (string, error) {
	list, err := j.rulesOf(p, nil)
	if err != nil {
		return "", err
	}
	sum, unjudged := rules.InsufficientData, false
	for _, one := range list {
		unjudged = unjudged || one.rule == nil
		is, err := j.compliance(ctx, one)
		if err != nil {
			return "", err
		}
		switch rules.Compliance(is) {
		case rules.NonCompliant:
			return is, nil
		case rules.Compliant:
			sum = rules.Compliant
		}
	}
	if unjudged {
		sum = rules.InsufficientData
	}
	return string(sum), nil
}
