package engine

import (
	"context"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Prospect is what a rule would say of a resource, and what it says now.
type Prospect struct {
	Owner    rules.Owner
	Rule     string
	Version  uint32
	Severity rules.Severity
	Now      rules.Verdict // Compliance empty: it gives none
	Then     rules.Verdict // likewise
}

// WhatIf judges a resource as if it were in a proposed state at the session's
// present, by each of some rules, in their order; those that give no verdict on it
// then nor now are left out. The rules see the proposed state among all others,
// with the relationships that it would have as far as linker tells, which is the
// source's. Nothing is recorded. A deletion may be proposed; the state is in normal
// form.
func (s *Session) WhatIf(ctx context.Context, list []*Ruling, k history.Key, state history.State, linker history.Linker) ([]Prospect, error) {
	overlay := &Overlay{Source: s.source, Key: k, From: s.through, State: state, Linker: linker}
	// What is decoded of the proposed state must not be taken for the resource's.
	then := s.within(overlay, s.through, NewCache(16<<20))
	var prospects []Prospect
	for _, r := range list {
		if !r.mayJudge(k) {
			continue
		}
		now, err := s.verdict(ctx, r, k)
		if err != nil {
			return nil, err
		}
		would, err := then.verdict(ctx, r, k)
		if err != nil {
			return nil, err
		}
		if now == nil && would == nil {
			continue
		}
		p := Prospect{Owner: r.Owner, Rule: r.Name}
		if now != nil {
			p.Now, p.Version, p.Severity = now.Verdict, now.Version, now.Severity
		}
		if would != nil {
			p.Then, p.Version, p.Severity = would.Verdict, would.Version, would.Severity
		}
		prospects = append(prospects, p)
	}
	return prospects, nil
}

// verdict is what a rule says of a resource at the present; nil: nothing.
func (s *Session) verdict(ctx context.Context, r *Ruling, k history.Key) (*Interval, error) {
	of, err := s.lifetime(ctx, k, s.through)
	if err != nil {
		return nil, err
	}
	t, err := s.timeline(ctx, r, of, s.through)
	if err != nil || len(t.Intervals) == 0 {
		return nil, err
	}
	return &t.Intervals[0], nil
}
