package awsconfig

import (
	"context"
	"strings"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules/engine"
)

// packDetailsPage is how many results a page has at most.
const packDetailsPage = 100

func (d *Door) getConformancePackComplianceDetails(ctx context.Context, c Caller, in *shape.GetConformancePackComplianceDetailsInput) (*shape.GetConformancePackComplianceDetailsOutput, error) {
	var asked shape.ConformancePackEvaluationFilters
	if in.Filters != nil {
		asked = *in.Filters
	}
	if len(asked.ResourceIDs) > 0 && asked.ResourceType == "" {
		return nil, notParameter("A resourceType should be provided when resourceIds are provided")
	}
	most, err := entries(in.Limit, packDetailsPage, packDetailsPage)
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
	list, err := j.rulesOf(pack, asked.ConfigRuleNames)
	if err != nil {
		return nil, err
	}

	out := &shape.GetConformancePackComplianceDetailsOutput{ConformancePackName: pack.Name}
	last, place := readPlace(at.after)
	looked := 0
	for _, one := range list {
		if one.rule == nil || one.name < last {
			continue
		}
		from := place
		if one.name != last {
			from = nil
		}
		var found []engine.Result
		more := false
		err := j.ofRule(ctx, one.rule, asked.ResourceType, from, func(v *engine.Result) (bool, error) {
			if more = len(out.ConformancePackRuleEvaluationResults)+len(found) == most || looked == mostLookedAt; more {
				return false, nil
			}
			looked++
			last, place = one.name, &v.Recorded
			if wantedOfPack(&asked, v) {
				found = append(found, *v)
			}
			return true, nil
		})
		if err != nil {
			return nil, err
		}
		results, err := j.results(ctx, one.rule, found)
		if err != nil {
			return nil, err
		}
		for i := range results {
			out.ConformancePackRuleEvaluationResults = append(out.ConformancePackRuleEvaluationResults, ofPack(&results[i]))
		}
		if more {
			out.NextToken = next(c, in, cursor{known: j.known(), after: wholePlace(last, place)})
			break
		}
	}
	return out, nil
}

func wantedOfPack(asked *shape.ConformancePackEvaluationFilters, v *engine.Result) bool {
	var words []string
	if asked.ComplianceType != "" {
		words = []string{asked.ComplianceType}
	}
	return shown(words, v.Compliance) && passes(asked.ResourceIDs, v.Key.ID)
}

// wholePlace writes where among the results of a pack a page ended: the rule, and the
// key of its last result.
func wholePlace(rule string, k *history.Key) string { return rule + "\x00" + wholeKey(*k) }

// readPlace reads what wholePlace wrote.
func readPlace(text string) (rule string, k *history.Key) {
	rule, rest, _ := strings.Cut(text, "\x00")
	return rule, readWholeKey(rest)
}

// ofPack is a result as it is told of a pack: without a token.
func ofPack(r *shape.EvaluationResult) shape.ConformancePackEvaluationResult {
	return shape.ConformancePackEvaluationResult{
		ComplianceType: r.ComplianceType, EvaluationResultIdentifier: r.EvaluationResultIdentifier,
		ConfigRuleInvokedTime: r.ConfigRuleInvokedTime, ResultRecordedTime: r.ResultRecordedTime, Annotation: r.Annotation,
	}
}
