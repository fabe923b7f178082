package awsconfig

import (
	"context"
	"errors"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/report"
)

// judged is what a caller sees of rules and their verdicts at one moment: the newest
// ones, as known at one revision, of the rules that he sees on resources that he sees.
type judged struct {
	d      *Door
	c      Caller
	r      history.Reader
	view   *engine.View
	rules  *rulesSeen
	states map[string]ruleState
	now    history.Moment
}

func (d *Door) judged(ctx context.Context, c Caller, at cursor) (*judged, error) {
	r, err := d.reader(ctx, at)
	if err != nil {
		return nil, err
	}
	j := &judged{d: d, c: c, r: r, now: d.now()}
	if j.rules, err = d.rulesSeen(ctx, c, r); err != nil {
		return nil, err
	}
	if j.states, err = d.ruleStates(ctx); err != nil {
		return nil, err
	}
	j.view, err = engine.NewView(ctx, d.o.Store, history.At{Known: r.At().Known}, j.now)
	return j, err
}

// judgedPage is what a question sees that goes on at a token, and where.
func (d *Door) judgedPage(ctx context.Context, c Caller, question any, token string) (*judged, cursor, error) {
	at, err := resume(c, question, token)
	if err != nil {
		return nil, at, err
	}
	j, err := d.judged(ctx, c, at)
	return j, at, err
}

func (j *judged) known() history.Revision { return j.r.At().Known }

func (j *judged) state(r *ruleSeen) ruleState { return j.states[stateName(r.Owner, r.Recorded())] }

// ofRule calls f with the results of a rule on resources of a type ("" = any), after
// the one recorded under a key, in the order of these keys, until it returns false.
func (j *judged) ofRule(ctx context.Context, r *ruleSeen, typ string, after *history.Key, f func(*engine.Result) (bool, error)) error {
	return j.each(ctx, engine.Question{Owner: &r.Owner, Rule: r.Recorded(), Exact: true, Type: typ}, after,
		func(string) *ruleSeen { return r }, f)
}

// each calls f with the results that a question asks for, after the one recorded under
// a key, in the order of these keys, until it returns false. A rule is found by the name
// that it is recorded under; nil: its results are left out.
func (j *judged) each(ctx context.Context, ask engine.Question, after *history.Key, find func(recorded string) *ruleSeen, f func(*engine.Result) (bool, error)) error {
	on := true
	for _, q := range j.c.owner().Questions(history.Query{}) {
		if !on {
			return nil
		}
		ask.Account, ask.HasAccount, ask.Region, ask.HasRegion, ask.After = q.Account, true, q.Region, true, nil
		if after != nil {
			switch place := (history.Key{Account: q.Account, Region: q.Region}).Compare(history.Key{Account: after.Account, Region: after.Region}); {
			case place < 0:
				continue
			case place == 0:
				ask.After = after
			}
		}
		err := j.view.Each(ctx, ask, func(v *engine.Result) (bool, error) {
			r := find(v.Rule)
			if r == nil {
				return true, nil
			}
			withdrawn, err := j.withdrawn(ctx, r, j.state(r), v.Revision, v.Key)
			if err != nil || withdrawn {
				return err == nil, err
			}
			on, err = f(v)
			return on, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// withdrawn reports whether a result was deleted with DeleteEvaluationResults: its
// rule has not been put or started since, no tick of a periodic rule has passed, the
// resource is as it was, and no evaluation was put on it.
func (j *judged) withdrawn(ctx context.Context, r *ruleSeen, s ruleState, revision history.Revision, k history.Key) (bool, error) {
	if s.Withdrawn == 0 || revision > s.Withdrawn || s.Started >= s.WithdrawnAt || r.PutAt > s.WithdrawnAt {
		return false, nil
	}
	if period := history.Moment(r.Period.Microseconds()); r.Trigger&rules.Periodic != 0 && !r.External && j.now/period > s.WithdrawnAt/period {
		return false, nil
	}
	keys := []history.Key{k}
	if r.External {
		keys = append(keys, engine.EvaluationKey(r.Owner, r.Recorded(), k))
	}
	items, err := j.r.Get(ctx, keys, history.FieldsKey)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(items, func(i history.Item) bool { return i.Revision > s.Withdrawn }), nil
}

// standing is a verdict on one of some resources.
type standing struct {
	rule *ruleSeen
	rules.Verdict
}

// on are the verdicts on each of some resources, by the name of the rule.
func (j *judged) on(ctx context.Context, keys []history.Key) ([][]standing, error) {
	var asked []history.Key
	var of []int // in keys
	var by []*ruleSeen
	for i, k := range keys {
		for _, r := range j.rules.list {
			if r.Owner.Sees(k) && r.mayJudge(k) {
				asked, of, by = append(asked, engine.VerdictKey(r.Owner, r.Recorded(), k)), append(of, i), append(by, r)
			}
		}
	}
	items, err := j.r.Get(ctx, asked, history.FieldsAll)
	if err != nil {
		return nil, err
	}
	all := make([][]standing, len(keys))
	for i := range items {
		if !items[i].Exists() {
			continue
		}
		record, err := engine.ReadRecord(&items[i])
		if err != nil {
			return nil, err
		}
		withdrawn, err := j.withdrawn(ctx, by[i], j.state(by[i]), items[i].Revision, record.Key)
		if err != nil {
			return nil, err
		}
		if !withdrawn {
			all[of[i]] = append(all[of[i]], standing{by[i], record.Verdict})
		}
	}
	return all, nil
}

// mayJudge reports whether a rule may have a resource in scope, whatever its tags. A
// managed rule is about resources of its own types only, which stand in its scope.
func (r *ruleSeen) mayJudge(k history.Key) bool {
	scope := r.Scope
	scope.TagKey = ""
	return scope.Selects(k, nil)
}

// compliance is a verdict in AWS Config's words, which has none for an error.
func compliance(c rules.Compliance) string {
	if c == rules.Error {
		c = rules.InsufficientData
	}
	return string(c)
}

// total is what many verdicts come to: nothing that a rule could be applied to is no
// result.
func total(c report.Counts) string {
	if is := c.Compliance(); is != rules.NotApplicable {
		return compliance(is)
	}
	return string(rules.InsufficientData)
}

// ignore is an error, unless it is of a kind.
func ignore(err error, kind history.Kind) error {
	if errors.Is(err, kind) {
		return nil
	}
	return err
}
