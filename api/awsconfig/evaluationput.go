package awsconfig

import (
	"context"
	"strings"
	"time"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// ahead is how far an evaluation may lie in the future, as clocks differ.
const ahead = 5 * time.Minute

// byFunction reports whether verdicts on the rule are put with PutEvaluations.
func (r *ruleSeen) byFunction() bool { return r.External && !r.attested() }

// attested reports whether they are put with PutExternalEvaluation. Packs have no other
// rules whose verdicts are put.
func (r *ruleSeen) attested() bool {
	if r.Pack != "" {
		return r.External
	}
	return r.External && r.told != nil && r.told.Source.Owner == ownerAWS && r.told.Source.SourceIdentifier == rules.ProcessCheck
}

// putEvaluations records what a function found. Those on resources out of the rule's
// scope, or of others, are answered as failed.
func (d *Door) putEvaluations(ctx context.Context, c Caller, in *shape.PutEvaluationsInput) (*shape.PutEvaluationsOutput, error) {
	now := d.now()
	for i := range in.Evaluations {
		if err := checkEvaluation(in.Evaluations[i].ComplianceType, in.Evaluations[i].OrderingTimestamp, now); err != nil {
			return nil, err
		}
	}
	if in.TestMode {
		return &shape.PutEvaluationsOutput{}, nil
	}
	owner, recorded, err := d.ruleOfToken(ctx, in.ResultToken)
	if err != nil {
		return nil, err
	}
	j, err := d.judged(ctx, c, cursor{})
	if err != nil {
		return nil, err
	}
	rule, err := j.rules.find(nameOf(owner, recorded))
	if err != nil {
		return nil, err
	}
	if rule.Owner != owner || !rule.byFunction() {
		return nil, refuse("InvalidResultTokenException", "The resultToken provided is of a rule that is not evaluated elsewhere any more")
	}
	out := &shape.PutEvaluationsOutput{}
	var list []rules.Evaluation
	for i := range in.Evaluations {
		e := &in.Evaluations[i]
		k, ok, err := j.evaluated(ctx, rule, e.ComplianceResourceType, e.ComplianceResourceID)
		if err != nil {
			return nil, err
		}
		if !ok {
			out.FailedEvaluations = append(out.FailedEvaluations, *e)
			continue
		}
		list = append(list, evaluation(rule, k, e.ComplianceType, e.Annotation, e.OrderingTimestamp))
	}
	if len(list) == 0 {
		return out, nil
	}
	return out, invalidParameter(engine.PutEvaluation(ctx, d.o.Store, list...))
}

func checkEvaluation(word string, at, now history.Moment) error {
	switch {
	case rules.Compliance(word) == rules.InsufficientData:
		return notParameter("The complianceType %s is not accepted; what has no result is not put", word)
	case at > now+history.Moment(ahead.Microseconds()):
		return notParameter("The orderingTimestamp %v lies in the future", at)
	}
	return nil
}

func evaluation(r *ruleSeen, k history.Key, word, annotation string, at history.Moment) rules.Evaluation {
	return rules.Evaluation{
		Rule: r.Recorded(), Owner: r.Owner, Key: k, At: at,
		Verdict: rules.Verdict{Compliance: rules.Compliance(word), Annotation: annotation},
	}
}

// evaluated is the resource that an evaluation is on; false: it is not in the rule's
// scope. One that is not recorded is the caller's own.
func (j *judged) evaluated(ctx context.Context, r *ruleSeen, typ, id string) (history.Key, bool, error) {
	k, ok, err := j.c.find(ctx, j.r, typ, id)
	if err != nil {
		return k, false, invalidParameter(err)
	}
	var tags map[string]string
	if !ok {
		k = history.Key{Account: j.c.Account, Region: j.c.Region, Type: typ, ID: id}
	} else {
		items, err := j.r.Get(ctx, []history.Key{k}, history.FieldsAll)
		if err != nil {
			return k, false, err
		}
		tags = items[0].State.Tags
	}
	return k, !history.Reserved(typ) && r.Owner.Sees(k) && r.Scope.Selects(k, tags), nil
}

// putExternalEvaluation records what people attest of the account.
func (d *Door) putExternalEvaluation(ctx context.Context, c Caller, in *shape.PutExternalEvaluationInput) (*shape.PutExternalEvaluationOutput, error) {
	rule, err := d.ruleNamed(ctx, c, in.ConfigRuleName)
	if err != nil {
		return nil, err
	}
	e := in.ExternalEvaluation
	switch {
	case !rule.attested():
		return nil, notParameter("The ConfigRule '%s' is none of %s, the only managed rule that is evaluated by hand", rule.name, rules.ProcessCheck)
	case e.ComplianceResourceType != rules.AccountType:
		return nil, notParameter("The complianceResourceType should be %s", rules.AccountType)
	case e.ComplianceResourceID != c.Account:
		return nil, notParameter("The complianceResourceId '%s' should be the account, %s", strings.TrimSpace(e.ComplianceResourceID), c.Account)
	}
	if err := checkEvaluation(e.ComplianceType, e.OrderingTimestamp, d.now()); err != nil {
		return nil, err
	}
	k := history.Key{Account: c.Account, Region: c.Region, Type: rules.AccountType, ID: c.Account}
	put := evaluation(rule, k, e.ComplianceType, e.Annotation, e.OrderingTimestamp)
	return &shape.PutExternalEvaluationOutput{}, invalidParameter(engine.PutEvaluation(ctx, d.o.Store, put))
}
