package awsconfig

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// betweenStarts is how long the evaluation of a rule is not started again.
const betweenStarts = time.Minute

func (d *Door) now() history.Moment { return history.MomentOf(d.o.Now()) }

// startConfigRulesEvaluation evaluates rules anew on what is recorded. Since they
// always are, this changes verdicts only where they were withdrawn.
func (d *Door) startConfigRulesEvaluation(ctx context.Context, c Caller, in *shape.StartConfigRulesEvaluationInput) (*shape.StartConfigRulesEvaluationOutput, error) {
	if len(in.ConfigRuleNames) == 0 {
		return nil, refuse("InvalidParameterValueException", "ConfigRuleNames should name 1 to 25 rules that are to be evaluated")
	}
	r, err := d.reader(ctx, cursor{})
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
	states, err := d.ruleStates(ctx)
	if err != nil {
		return nil, err
	}
	now := d.now()
	for _, one := range list {
		if err := rested(one, states[stateName(one.Owner, one.Recorded())], now); err != nil {
			return nil, err
		}
	}
	for _, one := range list {
		err := d.changeState(ctx, one, func(s *ruleState) error {
			if err := rested(one, *s, now); err != nil {
				return err
			}
			s.Started = now
			return nil
		})
		if err != nil {
			return nil, err
		}
		d.o.Rules.Engine.EvaluateAnew(engine.RuleKey(one.Owner, one.Recorded()))
	}
	return &shape.StartConfigRulesEvaluationOutput{}, nil
}

// rested refuses a rule whose evaluation was started a moment ago.
func rested(r *ruleSeen, s ruleState, now history.Moment) error {
	if s.Started != 0 && now < s.Started+history.Moment(betweenStarts.Microseconds()) {
		return refuse("LimitExceededException", "The evaluation of the ConfigRule '%s' was started at %v; it can be started once a minute.", r.name, s.Started)
	}
	return nil
}

// deleteEvaluationResults withdraws the results of a rule from the answers of this
// door until it is evaluated again. What is recorded stays.
func (d *Door) deleteEvaluationResults(ctx context.Context, c Caller, in *shape.DeleteEvaluationResultsInput) (*shape.DeleteEvaluationResultsOutput, error) {
	rule, err := d.ruleNamed(ctx, c, in.ConfigRuleName)
	if err != nil {
		return nil, err
	}
	if rule.Owner != c.owner() {
		return nil, rule.changeable(c)
	}
	head, err := d.o.Store.Head(ctx)
	if err != nil {
		return nil, err
	}
	now := d.now()
	return &shape.DeleteEvaluationResultsOutput{}, d.changeState(ctx, rule, func(s *ruleState) error {
		s.Withdrawn, s.WithdrawnAt = head.Revision, now
		return nil
	})
}

// statusPage is how many statuses a page has.
const statusPage = 50

func (d *Door) describeConfigRuleEvaluationStatus(ctx context.Context, c Caller, in *shape.DescribeConfigRuleEvaluationStatusInput) (*shape.DescribeConfigRuleEvaluationStatusOutput, error) {
	j, at, err := d.judgedPage(ctx, c, in, in.NextToken)
	if err != nil {
		return nil, err
	}
	list, err := j.rules.choose(in.ConfigRuleNames)
	if err != nil {
		return nil, err
	}
	out := &shape.DescribeConfigRuleEvaluationStatusOutput{}
	size := pageOf(in.Limit, statusPage)
	for _, one := range after(list, at.after) {
		if n := len(out.ConfigRulesEvaluationStatus); n == size {
			out.NextToken = next(c, in, cursor{known: j.known(), after: out.ConfigRulesEvaluationStatus[n-1].ConfigRuleName})
			break
		}
		status, err := j.status(ctx, one)
		if err != nil {
			return nil, err
		}
		out.ConfigRulesEvaluationStatus = append(out.ConfigRulesEvaluationStatus, status)
	}
	return out, nil
}

// status tells how the evaluation of a rule goes. Rules are evaluated as things come:
// the last evaluation is as recent as how far the engine has come, and an invocation
// is what made it look at all of the rule's resources.
func (j *judged) status(ctx context.Context, r *ruleSeen) (shape.ConfigRuleEvaluationStatus, error) {
	s := shape.ConfigRuleEvaluationStatus{ConfigRuleName: r.name, ConfigRuleARN: r.arn(j.c), ConfigRuleID: r.id()}
	first, err := j.activated(ctx, r)
	if errors.Is(err, history.DataLoss) {
		first, err = r.PutAt, nil // it may be told nevertheless
	}
	if err != nil {
		return s, err
	}
	s.FirstActivatedTime = first
	if lost := cmp.Or(r.lost, j.d.o.Rules.Engine.DamagedRules()[engine.RuleKey(r.Owner, r.Recorded())]); lost != nil {
		s.LastErrorCode, s.LastErrorMessage = "DataLoss", "The rule is not evaluated, since what is recorded of it is damaged: "+lost.Error()
		return s, nil // what was evaluated before is not known
	}
	through := j.d.o.Rules.Engine.EvaluatedThrough()
	state := j.state(r)
	if s.FirstEvaluationStarted = through.Revision >= r.revision; !s.FirstEvaluationStarted {
		return s, nil
	}
	s.LastSuccessfulInvocationTime = max(r.PutAt, state.Started)
	if r.Trigger&rules.Periodic != 0 && !r.External {
		period := history.Moment(r.Period.Microseconds())
		if tick := through.Time - through.Time%period; tick > r.PutAt {
			s.LastSuccessfulInvocationTime = max(s.LastSuccessfulInvocationTime, tick)
		}
	}
	err = j.ofRule(ctx, r, "", nil, func(v *engine.Result) (bool, error) {
		if r.External && v.Annotation != engine.NotEvaluated {
			s.LastSuccessfulEvaluationTime = max(s.LastSuccessfulEvaluationTime, v.Learned)
		}
		if v.Compliance == rules.Error && v.Learned >= s.LastFailedEvaluationTime {
			s.LastFailedEvaluationTime = v.Learned
			s.LastErrorCode, s.LastErrorMessage = "EvaluationError", v.Annotation
		}
		return true, nil
	})
	if errors.Is(err, history.DataLoss) { // a verdict, and that is no more than one of the rule's
		s.LastErrorCode, s.LastErrorMessage = "DataLoss", err.Error()
		return s, nil
	}
	if !r.External {
		s.LastSuccessfulEvaluationTime = max(through.Time, s.LastSuccessfulInvocationTime)
	}
	return s, err
}

// activated is when a rule was first put.
func (j *judged) activated(ctx context.Context, r *ruleSeen) (history.Moment, error) {
	first, err := j.r.Version(ctx, engine.RuleKey(r.Owner, r.Recorded()), 1)
	if err != nil { // it was pruned
		return r.PutAt, ignore(err, history.NotFound)
	}
	return first.CapturedAt, nil
}
