package engine

import (
	"context"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Intervals are the recorded verdicts of a rule on a resource (see VerdictKey) as
// a reader knows them, oldest first, over all captured time. What lies between
// them has no verdict.
func Intervals(ctx context.Context, r history.Reader, verdict history.Key) ([]Interval, error) {
	items, _, err := r.History(ctx, verdict, history.HistoryQuery{})
	if err != nil {
		return nil, err
	}
	var list []Interval
	for i := range slices.Backward(items) {
		item := &items[i]
		if item.CapturedAt == item.Until || !item.Exists() {
			continue
		}
		record, err := ReadRecord(item)
		if err != nil {
			return nil, err
		}
		list = join(list, Interval{
			From: item.CapturedAt, To: item.Until, Version: record.Version, Severity: record.Severity, Verdict: record.Verdict,
			Opened: item.Revision,
		})
	}
	return list, nil
}

// History is what a rule says of a resource over all captured time.
type History struct {
	Owner     rules.Owner
	Rule      string
	Key       history.Key
	Recorded  history.Key // of the verdict's resource
	Intervals []Interval
}

// OfResource are the verdicts of all rules on a resource over all captured time,
// by rule. Rules that never judged it are left out.
func (w *View) OfResource(ctx context.Context, k history.Key) ([]History, error) {
	known, err := w.ruleKeys(ctx)
	if err != nil {
		return nil, err
	}
	var list []History
	for _, rule := range known {
		h := History{Owner: rules.Owner{Account: rule.Account, Region: rule.Region}, Rule: rule.ID, Key: k}
		h.Recorded = VerdictKey(h.Owner, h.Rule, k)
		if h.Intervals, err = Intervals(ctx, w.newest, h.Recorded); err != nil {
			return nil, err
		}
		if len(h.Intervals) > 0 {
			list = append(list, h)
		}
	}
	return list, nil
}

// OfRule are the verdicts of a rule on up to limit resources (0: on all) over all
// captured time: by account, region, type and id of the resource, after the one recorded under a key. More says that there are others.
func (w *View) OfRule(ctx context.Context, o rules.Owner, rule string, after *history.Key, limit int) (list []History, more bool, err error) {
	items, more, err := w.newest.Items(ctx, history.Query{
		Type: rules.TypeVerdict, IDPrefix: rulePrefix(o, rule), Deleted: true, After: after, Limit: limit, Fields: history.FieldsKey,
	})
	if err != nil {
		return nil, false, err
	}
	for i := range items {
		h := History{Owner: o, Rule: rule, Recorded: items[i].Key}
		versions, _, err := w.newest.History(ctx, h.Recorded, history.HistoryQuery{})
		if err != nil {
			return nil, false, err
		}
		for v := range versions {
			if versions[v].Exists() && h.Key.ID == "" {
				record, err := ReadRecord(&versions[v])
				if err != nil {
					return nil, false, err
				}
				h.Key = record.Key
			}
		}
		if h.Intervals, err = Intervals(ctx, w.newest, h.Recorded); err != nil {
			return nil, false, err
		}
		list = append(list, h)
	}
	return list, more, nil
}
