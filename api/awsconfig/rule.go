package awsconfig

import (
	"context"
	"slices"

	"github.com/varvehq/varve/api/awsconfig/shape"
)

// ruleHandlers answer about rules.
func (d *Door) ruleHandlers() []handler {
	return []handler{
		on("PutConfigRule", d.putConfigRule),
		on("DescribeConfigRules", d.describeConfigRules),
		on("DeleteConfigRule", d.deleteConfigRule),
		on("GetCustomRulePolicy", d.getCustomRulePolicy),
		on("StartConfigRulesEvaluation", d.startConfigRulesEvaluation),
		on("DescribeConfigRuleEvaluationStatus", d.describeConfigRuleEvaluationStatus),
		on("DeleteEvaluationResults", d.deleteEvaluationResults),
		on("PutEvaluations", d.putEvaluations),
		on("PutExternalEvaluation", d.putExternalEvaluation),
	}
}

// rulesPage is how many rules a page has.
const rulesPage = 25

func (d *Door) describeConfigRules(ctx context.Context, c Caller, in *shape.DescribeConfigRulesInput) (*shape.DescribeConfigRulesOutput, error) {
	at, err := resume(c, in, in.NextToken)
	if err != nil {
		return nil, err
	}
	r, err := d.reader(ctx, at)
	if err != nil {
		return nil, err
	}
	seen, err := d.rulesSeen(ctx, c, r)
	if err != nil {
		return nil, err
	}
	list, err := seen.choose(in.ConfigRuleNames)
	if err != nil {
		return nil, err
	}
	out := &shape.DescribeConfigRulesOutput{}
	for _, one := range after(list, at.after) {
		rule := one.shaped(c)
		if !wanted(&rule, in.Filters) {
			continue
		}
		if n := len(out.ConfigRules); n == rulesPage {
			out.NextToken = next(c, in, cursor{known: r.At().Known, after: out.ConfigRules[n-1].ConfigRuleName})
			break
		}
		out.ConfigRules = append(out.ConfigRules, rule)
	}
	return out, nil
}

func wanted(r *shape.ConfigRule, f *shape.DescribeConfigRulesFilters) bool {
	return f == nil || f.RuleEvaluationVisibility == "" &&
		(f.EvaluationMode == "" || slices.Contains(r.EvaluationModes, shape.EvaluationModeConfiguration{Mode: f.EvaluationMode}))
}
