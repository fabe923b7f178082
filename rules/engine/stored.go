package engine

import (
	"context"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memo"
)

// stored is what is recorded of the verdicts of one rule on one resource, from a
// moment on: what holds from each of these moments to the next.
type stored []step

type step struct {
	from history.Moment
	v    *Record // nil: no verdict
}

// says reports whether a verdict is as an interval has it.
func (s *step) says(i *Interval) bool {
	if s.v == nil || i == nil {
		return s.v == nil && i == nil
	}
	return s.v.Version == i.Version && s.v.Verdict == i.Verdict
}

// wanted are verdicts as a timeline has them from a moment on.
type wanted struct {
	key       history.Key // of the verdict's resource
	record    Record      // but for what the intervals tell
	from      history.Moment
	intervals []Interval
}

// recorded remembers the newest verdicts in captured time by their keys. Nobody
// but an engine writes verdicts, nor two workers the same: it holds what was
// written last.
type recorded = memo.Cache[history.Key, step]

// stepBytes is about what a step takes.
const stepBytes = 400

// stored reads what is recorded of each of many verdicts from their moments on.
func (s *Session) stored(ctx context.Context, list []*wanted, known *recorded) ([]stored, error) {
	all := make([]stored, len(list))
	var keys []history.Key
	var places []int
	for i, w := range list {
		if last, ok := known.Get(w.key); ok && last.from <= w.from {
			all[i] = stored{{from: w.from, v: last.v}}
			continue
		}
		keys, places = append(keys, w.key), append(places, i)
	}
	if len(keys) == 0 {
		return all, nil
	}
	newest, err := s.asOf(ctx, history.Newest)
	if err != nil {
		return nil, err
	}
	items, err := newest.Get(ctx, keys, history.FieldsAll)
	if err != nil {
		return nil, err
	}
	for n := range items {
		i, from := places[n], list[places[n]].from
		switch item := &items[n]; {
		case item.Version == 0:
			all[i] = stored{{from: from}}
		case item.CapturedAt <= from:
			all[i], err = stored(nil).add(item, from)
		default:
			all[i], err = s.storedFrom(ctx, keys[n], from)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *Session) storedFrom(ctx context.Context, k history.Key, from history.Moment) (stored, error) {
	r, err := s.asOf(ctx, from)
	if err != nil {
		return nil, err
	}
	first, err := r.Get(ctx, []history.Key{k}, history.FieldsAll)
	if err != nil {
		return nil, err
	}
	list := stored{{from: from}}
	if first[0].Version != 0 {
		if list, err = stored(nil).add(&first[0], from); err != nil {
			return nil, err
		}
	}
	rest, _, err := r.History(ctx, k, history.HistoryQuery{From: max(from, history.FirstMoment) + 1})
	if err != nil {
		return nil, err
	}
	for i := range slices.Backward(rest) {
		if list, err = list.add(&rest[i], from); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// add appends what a version says. The later of one moment is what holds.
func (s stored) add(i *history.Item, from history.Moment) (stored, error) {
	next := step{from: max(i.CapturedAt, from)}
	if i.Exists() {
		r, err := ReadRecord(i)
		if err != nil {
			return nil, err
		}
		next.v = &r
	}
	if n := len(s) - 1; n >= 0 && s[n].from == next.from {
		s[n] = next
		return s, nil
	}
	return append(s, next), nil
}

// differences are the observations that make what is recorded what is wanted:
// none where nothing differs. A boundary that is recorded in vain is overridden
// at its own moment. Last is the newest of what then holds.
func (w *wanted) differences(is stored, known history.Revision) (list []history.Observation, last step) {
	if len(is) == 1 && len(w.intervals) == 1 && is[0].says(&w.intervals[0]) && w.intervals[0].From == w.from && w.intervals[0].To == history.Newest {
		return nil, is[0] // as with most
	}
	moments := []history.Moment{w.from}
	for i := range is {
		moments = append(moments, is[i].from)
	}
	for i := range w.intervals {
		moments = append(moments, w.intervals[i].From)
		if to := w.intervals[i].To; to != history.Newest {
			moments = append(moments, to)
		}
	}
	slices.Sort(moments)

	var now, was step // with what is written, and without it
	rest, left := is, w.intervals
	for _, m := range slices.Compact(moments) {
		for len(rest) > 0 && rest[0].from <= m {
			now, was, rest = rest[0], rest[0], rest[1:]
		}
		for len(left) > 0 && left[0].To <= m {
			left = left[1:]
		}
		var want *Interval
		if len(left) > 0 && left[0].From <= m {
			want = &left[0]
			if want.Erased && was.v != nil && was.v.Version == want.Version {
				// Nobody can tell any more, and somebody could when it was written.
				kept := *want
				kept.Verdict = was.v.Verdict
				want = &kept
			}
		}
		if now.says(want) {
			continue
		}
		now = step{from: m}
		if want != nil {
			r := w.record
			r.Version, r.Severity, r.Verdict = want.Version, want.Severity, want.Verdict
			now.v = &r
		}
		list = append(list, history.Observation{Key: w.key, CapturedAt: m, State: now.v.state(known)})
	}
	return list, now
}
