package engine

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/diff"
	"github.com/varvehq/varve/rules"
)

// Proposed is a rule as if it had always been in force, whether it is recorded or
// not.
func Proposed(o rules.Owner, r rules.Rule, j rules.Judge) *Ruling {
	return &Ruling{Owner: o, Name: r.Name, Versions: []Version{{From: history.FirstMoment, Rule: r, Judge: j}}}
}

// Exposure is what a rule says of one resource over a span of the past.
type Exposure struct {
	Key       history.Key
	Intervals []Interval    // within the span; To of the last is its end at most
	Exposed   time.Duration // for which it did not comply
	Versions  int           // of the resource that were judged
	First     *Violation    // nil: it complied all the time
}

// Violation is a version of a resource that did not comply, with the one before.
type Violation struct {
	At     history.Moment // from when on, within the span
	Before history.Item   // Version 0: there was none
	After  history.Item
	Patch  diff.Patch // of the configuration
}

const backtestPage = 1024

// Backtest judges all resources that a rule has in scope over [from, to), which
// ends at the session's present at the latest and with a zero from begins with all
// that is kept, on so many goroutines. It calls f,
// from one goroutine at a time and in key order, with each resource that had a
// verdict. Nothing is recorded, and little more is kept than a page of resources.
func (s *Session) Backtest(ctx context.Context, r *Ruling, from, to history.Moment, workers int, f func(*Exposure) error) (versions int, err error) {
	from, to = s.since(from), min(to, s.through)
	if from >= to {
		return 0, &history.Error{Kind: history.Invalid, Field: "from", Value: from.String(), Text: "must be before the end of the span, " + to.String()}
	}
	span := s.within(s.source, to-1, s.cache)
	newest, err := s.asOf(ctx, history.Newest)
	if err != nil {
		return 0, err
	}
	types := r.types()
	if len(types) == 0 {
		types = []string{""}
	}
	var questions []history.Query
	for _, typ := range types {
		questions = append(questions, r.Owner.Questions(history.Query{Type: typ, Deleted: true, Limit: backtestPage, Fields: history.FieldsKey})...)
	}
	for _, q := range questions {
		for more := true; more; {
			var items []history.Item
			if items, more, err = newest.Items(ctx, q); err != nil {
				return versions, err
			}
			if n := len(items); n > 0 {
				q.After = &items[n-1].Key
			}
			page, err := span.exposures(ctx, r, items, from, to, workers)
			if err != nil {
				return versions, err
			}
			for _, e := range page {
				if e == nil {
					continue
				}
				versions += e.Versions
				if len(e.Intervals) == 0 {
					continue
				}
				if err := f(e); err != nil {
					return versions, err
				}
			}
			if s.Progress != nil {
				s.Progress(len(items))
			}
		}
	}
	return versions, nil
}

// exposures judges a page of resources; nil: there is nothing to judge.
func (s *Session) exposures(ctx context.Context, r *Ruling, items []history.Item, from, to history.Moment, workers int) ([]*Exposure, error) {
	list := make([]*Exposure, len(items))
	group, ctx := errgroup.WithContext(ctx)
	var mu sync.Mutex
	next := 0
	take := func() (first, end int) {
		const some = 16
		mu.Lock()
		defer mu.Unlock()
		first, next = next, min(next+some, len(items))
		return first, next
	}
	for range max(1, workers) {
		group.Go(func() error {
			for {
				first, end := take()
				if first == end {
					return nil
				}
				for i := first; i < end; i++ {
					if err := ctx.Err(); err != nil {
						return err
					}
					if !r.mayJudge(items[i].Key) || items[i].State.Deleted && items[i].CapturedAt <= from {
						continue
					}
					var err error
					if list[i], err = s.exposure(ctx, r, items[i].Key, from, to); err != nil {
						return err
					}
				}
			}
		})
	}
	return list, group.Wait()
}

func (s *Session) exposure(ctx context.Context, r *Ruling, k history.Key, from, to history.Moment) (*Exposure, error) {
	of, err := s.lifetime(ctx, k, from)
	if err != nil {
		return nil, err
	}
	t, err := s.timeline(ctx, r, of, from)
	if err != nil {
		return nil, err
	}
	e := &Exposure{Key: k, Intervals: t.Intervals, Versions: t.Versions}
	for i := range e.Intervals {
		v := &e.Intervals[i]
		v.To = min(v.To, to)
		if v.Compliance != rules.NonCompliant {
			continue
		}
		e.Exposed += time.Duration(v.To-v.From) * time.Microsecond
		if e.First == nil {
			if e.First, err = s.violation(ctx, of, v.From); err != nil {
				return nil, err
			}
		}
	}
	return e, nil
}

// violation tells which version stands at a moment, and how it differs from the
// one before.
func (s *Session) violation(ctx context.Context, of *lifetime, m history.Moment) (*Violation, error) {
	v := &Violation{At: m, Before: history.Item{Key: of.key}}
	for i := range of.versions {
		at := &of.versions[i]
		if at.from > m || m >= at.to {
			continue
		}
		v.After = at.item.Item
		switch {
		case i > 0:
			v.Before = of.versions[i-1].item.Item
		default:
			before, err := s.before(ctx, of.key, at.from)
			if err != nil {
				return nil, err
			}
			v.Before = before
		}
	}
	var err error
	v.Patch, err = patch(&v.Before, &v.After)
	return v, err
}

// before is the version that stands just before a moment; Version 0: there is
// none, or it is no longer kept.
func (s *Session) before(ctx context.Context, k history.Key, m history.Moment) (history.Item, error) {
	if m <= history.FirstMoment {
		return history.Item{Key: k}, nil
	}
	return s.at(ctx, k, m-1)
}

// patch is the difference of two configurations.
func patch(before, after *history.Item) (diff.Patch, error) {
	p, err := diff.Compute(before.State.Configuration, after.State.Configuration, diff.Options{LCS: true})
	if err != nil {
		return nil, &history.Error{Kind: history.DataLoss, Field: after.Key.String(), Text: "holds a document that cannot be read; run verify", Err: err}
	}
	return p, nil
}
