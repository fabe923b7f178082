package engine

import (
	"context"
	"errors"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Interval is a verdict over a span of captured time.
type Interval struct {
	From, To history.Moment // To: the first moment after it; Newest while it holds
	Version  uint32         // of the rule
	Severity rules.Severity
	rules.Verdict

	// Opened is the revision that recorded where it begins; zero: it is only
	// worked out.
	Opened history.Revision

	// Erased says that the content that was judged is gone. What was recorded
	// while it was there stays.
	Erased bool
}

// joins reports whether an interval goes on with another.
func (i *Interval) joins(next *Interval) bool {
	return i.To == next.From && i.Version == next.Version && i.Verdict == next.Verdict && i.Erased == next.Erased
}

// join appends an interval to others, or to the last of them.
func join(list []Interval, next Interval) []Interval {
	if n := len(list) - 1; n >= 0 && list[n].joins(&next) {
		list[n].To = next.To
		return list
	}
	return append(list, next)
}

// Timeline is what one rule says of one resource from a moment on.
type Timeline struct {
	Intervals []Interval // in captured time; what lies between them has no verdict
	Looked    []Look     // what the verdicts depend on beside the resource and the rule; each once
	Versions  int        // of the resource that were judged

	// Next is the first moment after the present at which what is known of the
	// future may end a verdict or begin one, ticks aside; Newest: none.
	Next history.Moment
}

// Timeline works out what a rule says of a resource from a moment on; zero: of all
// that is kept.
func (s *Session) Timeline(ctx context.Context, r *Ruling, k history.Key, from history.Moment) (*Timeline, error) {
	from = s.since(from)
	of, err := s.lifetime(ctx, k, from)
	if err != nil {
		return nil, err
	}
	return s.timeline(ctx, r, of, from)
}

// timeline is Timeline of a resource that was read from that moment or an earlier
// one on. It is the
// same from that moment on, whatever the moment: nothing before it needs to be
// judged.
func (s *Session) timeline(ctx context.Context, r *Ruling, of *lifetime, from history.Moment) (*Timeline, error) {
	t := &Timeline{Next: history.Newest}
	if !sees(r.Owner, of.key) {
		return t, nil
	}
	tenures := r.tenures()
	var looked map[Look]struct{}
	if r.any(func(v *Version) bool { return v.Rule.External || v.looksAround() }) {
		looked = map[Look]struct{}{}
	}
	for _, v := range of.standing(r) {
		if v.from > s.through {
			t.Next = min(t.Next, v.from)
			break
		}
		judged := false
		for _, in := range tenures {
			p := piece{item: v.item, version: in.Version, from: max(v.from, in.from), to: min(v.to, in.to)}
			switch {
			case p.from >= p.to || p.to <= from:
				continue
			case p.from > s.through:
				t.Next = min(t.Next, p.from)
				continue
			case p.to > s.through:
				t.Next = min(t.Next, p.to)
			}
			if v.item.Version == 0 && !in.Rule.External || v.item.State.Deleted {
				continue
			}
			if v.item.Erased {
				if admits(&in.Rule.Scope, of.key) {
					t.Intervals = join(t.Intervals, s.erased(&p, from))
				}
				continue
			}
			if !in.Rule.Scope.Selects(of.key, v.item.State.Tags) {
				continue
			}
			judged = true
			if err := s.piece(ctx, t, r, p, from, looked); err != nil {
				return nil, err
			}
		}
		if judged {
			t.Versions++
		}
	}
	for l := range looked {
		t.Looked = append(t.Looked, l)
	}
	return t, nil
}

// erased is the verdict on content that is gone.
func (s *Session) erased(p *piece, from history.Moment) Interval {
	i := Interval{
		From: max(p.from, from), To: p.to, Version: p.version.Number, Severity: severity(&p.version.Rule), Erased: true,
		Verdict: rules.Verdict{Compliance: rules.InsufficientData, Annotation: "the content of this version was erased"},
	}
	if i.To > s.through {
		i.To = history.Newest
	}
	return i
}

// piece is one version of a resource while one version of a rule is in force.
type piece struct {
	item     *rules.Decoded
	version  *Version
	from, to history.Moment
}

// piece judges a piece as often as it takes, and adds the verdicts from a moment
// on. A rule that reads the clock is judged at the beginning of the piece, at its
// ticks, and where what it looked at is otherwise; so the newest tick before the
// moment tells what holds there.
func (s *Session) piece(ctx context.Context, t *Timeline, r *Ruling, p piece, from history.Moment, looked map[Look]struct{}) error {
	needs, period := p.version.needs(), p.version.period()
	m := max(p.from, from)
	if needs.Clock {
		m = max(p.from, tickAt(m, period))
	}
	var (
		verdict rules.Verdict
		before  *looking
	)
	for m < p.to && m <= s.through {
		l := &looking{s: s, owner: r.Owner, at: m, until: history.Newest, looked: looked}
		v, err := s.judge(ctx, r, &p, m, l)
		if err != nil {
			return err
		}
		if before == nil || !before.same(l) {
			verdict = v
		}
		next := min(p.to, l.until)
		before = l
		if needs.Clock {
			if tick := tickAt(m, period) + period; tick <= next {
				next, before = tick, nil
			}
		}
		end := next
		if end > s.through {
			end = history.Newest
			if l.until > s.through {
				t.Next = min(t.Next, l.until)
			}
		}
		if end > from && verdict.Compliance != "" {
			t.Intervals = join(t.Intervals, Interval{
				From: max(m, from), To: end, Version: p.version.Number, Severity: severity(&p.version.Rule), Verdict: verdict,
			})
		}
		m = next
	}
	return nil
}

// judge evaluates a piece at a moment; the zero Verdict: there is nothing to judge.
// What a rule asks in vain is its error.
func (s *Session) judge(ctx context.Context, r *Ruling, p *piece, m history.Moment, l *looking) (rules.Verdict, error) {
	if p.version.Rule.External {
		return l.evaluated(ctx, r, &p.item.Item)
	}
	subject := rules.Subject{Item: p.item, Now: m.Time(), Owner: r.Owner, Moment: m}
	if p.version.needs().Others {
		subject.Others = l
	}
	v, err := p.version.Judge.Judge(ctx, &subject)
	switch {
	case err == nil:
		return rules.Annotate(v.Compliance, v.Annotation), nil
	case errors.Is(err, history.Invalid):
		return rules.Annotate(rules.Error, err.Error()), nil
	}
	return rules.Verdict{}, err
}

func severity(r *rules.Rule) rules.Severity {
	if r.Severity == "" {
		return rules.SeverityMedium
	}
	return r.Severity
}
