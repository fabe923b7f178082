package awsconfig

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/report"
)

// proactiveHandlers answer about resources that are only proposed.
func (d *Door) proactiveHandlers() []handler {
	return []handler{
		on("StartResourceEvaluation", d.startResourceEvaluation),
		on("GetResourceEvaluationSummary", d.getResourceEvaluationSummary),
		on("ListResourceEvaluations", d.listResourceEvaluations),
	}
}

// longestProposal is how long a proposal is evaluated at most, whatever it asks for.
const longestProposal = time.Minute

// startResourceEvaluation evaluates a proposal before it answers, and keeps what came
// of it.
func (d *Door) startResourceEvaluation(ctx context.Context, c Caller, in *shape.StartResourceEvaluationInput) (*shape.StartResourceEvaluationOutput, error) {
	j, err := d.judged(ctx, c, cursor{})
	if err != nil {
		return nil, err
	}
	p, err := newProposal(c, in, j.now)
	if err != nil {
		return nil, err
	}
	if id, err := d.proposedBefore(ctx, p); err != nil || id != "" {
		return &shape.StartResourceEvaluationOutput{ResourceEvaluationID: id}, err
	}
	o, err := j.proposed(ctx, in.ResourceDetails)
	if err != nil {
		return nil, err
	}
	patience := longestProposal
	if asked := time.Duration(in.EvaluationTimeout) * time.Second; asked > 0 {
		patience = min(patience, asked)
	}
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p.Results, err = j.evaluate(within, in.EvaluationMode, o)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		p.Failure = "the evaluation took longer than " + patience.String()
	case err != nil:
		return nil, err
	}
	id, err := d.keepProposal(ctx, p)
	return &shape.StartResourceEvaluationOutput{ResourceEvaluationID: id}, err
}

// proposed is the observation that a proposal would be: of the resource that it is
// about if there is one, else of one in the caller's account and region.
func (j *judged) proposed(ctx context.Context, in *shape.ResourceDetails) (history.Observation, error) {
	k, ok, err := j.c.find(ctx, j.r, in.ResourceType, in.ResourceID)
	if err != nil {
		return history.Observation{}, invalidParameter(err)
	}
	if !ok {
		k = history.Key{Account: j.c.Account, Region: j.c.Region, Type: in.ResourceType, ID: in.ResourceID}
	}
	text := jsontext.Value(in.ResourceConfiguration)
	if !text.IsValid() || text.Kind() != '{' {
		return history.Observation{}, notParameter("The resourceConfiguration is no JSON object with the properties of the resource")
	}
	o := history.Observation{Key: k, State: history.State{Configuration: text, Tags: tagsInProperties(text)}}
	if in.ResourceType == bucketType {
		if o.State.Supplementary, err = supplementOfBucket(in.ResourceID, text); err != nil {
			return o, err
		}
	}
	return o, invalidParameter(j.d.o.Rules.Prepare(&o))
}

// tagsInProperties are the tags in what a resource is made of in CloudFormation: its
// Tags are a list of pairs, or in some types an object. Others are no tags.
func tagsInProperties(text jsontext.Value) map[string]string {
	var list struct {
		Tags []struct{ Key, Value string }
	}
	tags := map[string]string{}
	if json.Unmarshal(text, &list) == nil {
		for _, t := range list.Tags {
			tags[t.Key] = t.Value
		}
		return tags
	}
	var object struct{ Tags map[string]string }
	if json.Unmarshal(text, &object) == nil {
		return object.Tags
	}
	return nil
}

// evaluate asks the rules of a mode, those that the caller sees, what they would say
// of an observation.
func (j *judged) evaluate(ctx context.Context, mode string, o history.Observation) ([]proposalResult, error) {
	known := j.d.o.Rules
	all, err := known.Engine.Current(ctx, j.r)
	if err != nil {
		return nil, err
	}
	asked := rules.Detective
	if mode == proactive {
		asked = rules.Proactive
	}
	byKey := map[history.Key]*ruleSeen{}
	for _, one := range j.rules.list {
		if one.Mode&asked != 0 && !one.External {
			byKey[engine.RuleKey(one.Owner, one.Recorded())] = one
		}
	}
	all = slices.DeleteFunc(all, func(r *engine.Ruling) bool { return byKey[engine.RuleKey(r.Owner, r.Name)] == nil })
	session, err := engine.NewSession(ctx, j.d.o.Store, known.Graph, nil, j.known(), j.now)
	if err != nil {
		return nil, err
	}
	world, err := session.WhatIf(ctx, o.Key, o.State, known.Linker)
	if err != nil {
		return nil, err
	}
	prospects, err := world.Prospects(ctx, all)
	if err != nil {
		return nil, err
	}
	var list []proposalResult
	for i := range prospects {
		if p := &prospects[i]; p.Then.Compliance != "" {
			list = append(list, proposalResult{byKey[engine.RuleKey(p.Owner, p.Rule)].name, p.Then.Compliance, p.Then.Annotation})
		}
	}
	slices.SortFunc(list, func(a, b proposalResult) int { return strings.Compare(a.Rule, b.Rule) })
	return list, nil
}

func (d *Door) getResourceEvaluationSummary(ctx context.Context, c Caller, in *shape.GetResourceEvaluationSummaryInput) (*shape.GetResourceEvaluationSummaryOutput, error) {
	p, err := d.proposal(ctx, c, in.ResourceEvaluationID)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, refuse("ResourceNotFoundException", "The resource evaluation '%s' does not exist, or is no longer kept", in.ResourceEvaluationID)
	}
	details, err := d.proposalDetails(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &shape.GetResourceEvaluationSummaryOutput{
		ResourceEvaluationID: p.ID, EvaluationMode: p.Mode, EvaluationStartTimestamp: p.Started, ResourceDetails: details,
		EvaluationStatus: &shape.EvaluationStatus{Status: "SUCCEEDED"},
	}
	if p.Context != "" {
		out.EvaluationContext = &shape.EvaluationContext{EvaluationContextIdentifier: p.Context}
	}
	if p.Failure != "" {
		out.EvaluationStatus = &shape.EvaluationStatus{Status: "FAILED", FailureReason: p.Failure}
	}
	var counts report.Counts
	for i := range p.Results {
		counts.Add(&report.Result{Verdict: rules.Verdict{Compliance: p.Results[i].Compliance}})
	}
	out.Compliance = total(counts)
	return out, nil
}

func (d *Door) listResourceEvaluations(ctx context.Context, c Caller, in *shape.ListResourceEvaluationsInput) (*shape.ListResourceEvaluationsOutput, error) {
	f := in.Filters
	if f == nil {
		f = &shape.ResourceEvaluationFilters{}
	}
	from, to := history.Moment(0), history.Newest
	if w := f.TimeWindow; w != nil {
		from = w.StartTime
		if w.EndTime != 0 {
			to = w.EndTime
		}
	}
	if from > to {
		return nil, refuse("InvalidTimeRangeException", "The startTime %v of the timeWindow is after its endTime %v", from, to)
	}
	at, err := resume(c, in, in.NextToken)
	if err != nil {
		return nil, err
	}
	list, err := d.proposals(ctx, c)
	if err != nil {
		return nil, err
	}
	out := &shape.ListResourceEvaluationsOutput{}
	size := pageOf(in.Limit, proposalsPage)
	for _, p := range slices.Backward(list) { // the newest first
		switch {
		case at.after != "" && p.ID >= at.after, p.Started < from, p.Started > to,
			f.EvaluationMode != "" && f.EvaluationMode != p.Mode,
			f.EvaluationContextIdentifier != "" && f.EvaluationContextIdentifier != p.Context:
			continue
		}
		if n := len(out.ResourceEvaluations); n == size {
			out.NextToken = next(c, in, cursor{after: out.ResourceEvaluations[n-1].ResourceEvaluationID})
			break
		}
		out.ResourceEvaluations = append(out.ResourceEvaluations, shape.ResourceEvaluation{
			ResourceEvaluationID: p.ID, EvaluationMode: p.Mode, EvaluationStartTimestamp: p.Started,
		})
	}
	return out, nil
}

// proposedDetails are what rules say of a proposal.
func (d *Door) proposedDetails(ctx context.Context, c Caller, in *shape.GetComplianceDetailsByResourceInput) (*shape.GetComplianceDetailsByResourceOutput, error) {
	if in.ResourceType != "" || in.ResourceID != "" {
		return nil, notParameter("A resourceEvaluationId names the resource; leave resourceType and resourceId out")
	}
	p, err := d.proposal(ctx, c, in.ResourceEvaluationID)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, notParameter("The resource evaluation '%s' does not exist, or is no longer kept", in.ResourceEvaluationID)
	}
	at, err := d.resumeDetails(c, in)
	if err != nil {
		return nil, err
	}
	out := &shape.GetComplianceDetailsByResourceOutput{}
	for i := range p.Results {
		r := &p.Results[i]
		if at.after != "" && r.Rule <= at.after || !shown(in.ComplianceTypes, r.Compliance) {
			continue
		}
		if n := len(out.EvaluationResults); n == detailsPageUnasked {
			out.NextToken = next(c, in, cursor{after: nameOfResult(&out.EvaluationResults[n-1])})
			break
		}
		out.EvaluationResults = append(out.EvaluationResults, shape.EvaluationResult{
			EvaluationResultIdentifier: &shape.EvaluationResultIdentifier{
				EvaluationResultQualifier: &shape.EvaluationResultQualifier{
					ConfigRuleName: r.Rule, ResourceType: p.Type, ResourceID: p.Resource, EvaluationMode: p.Mode,
				},
				OrderingTimestamp: p.Started, ResourceEvaluationID: p.ID,
			},
			ComplianceType: compliance(r.Compliance), Annotation: r.Annotation,
			ResultRecordedTime: p.Started, ConfigRuleInvokedTime: p.Started,
		})
	}
	return out, nil
}
