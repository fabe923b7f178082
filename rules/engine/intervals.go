package engine

import (
	"context"
	"slices"

	"github.com/varvehq/varve/history"
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
		})
	}
	return list, nil
}
