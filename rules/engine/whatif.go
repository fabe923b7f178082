package engine

import (
	"bytes"
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

// WhatIf is a world in which one resource is in a proposed state at a session's
// present. Rules see that state among all others, with the relationships that it
// would have. It is safe for concurrent use.
type WhatIf struct {
	key       history.Key
	now, then *Session
	before    *history.State // nil: there is no such resource; likewise
	after     *history.State
}

// WhatIf proposes a state, which is in normal form and may be a deletion. The linker
// is the source's; nil: it keeps no links. Nothing is recorded. A state in which the
// resource is already changes nothing, as it would when recorded.
func (s *Session) WhatIf(ctx context.Context, k history.Key, state history.State, linker history.Linker) (*WhatIf, error) {
	is, err := s.at(ctx, k, s.through)
	if err != nil {
		return nil, err
	}
	w := &WhatIf{key: k, now: s, then: s}
	if is.Exists() {
		w.before = &is.State
	}
	if !state.Deleted {
		w.after = &state
	}
	if w.before == nil && w.after == nil || w.before != nil && w.after != nil && !is.Erased &&
		bytes.Equal(w.before.AppendContent(nil), w.after.AppendContent(nil)) {
		return w, nil
	}
	overlay := &Overlay{Source: s.source, Key: k, From: s.through, State: state, Linker: linker}
	// What is decoded of the proposed state must not be taken for the resource's.
	w.then = s.within(overlay, s.through, NewCache(16<<20))
	return w, nil
}

// Prospects judges the resource by each of some rules, in their order; those that
// give no verdict on it then nor now are left out.
func (w *WhatIf) Prospects(ctx context.Context, list []*Ruling) ([]Prospect, error) {
	var prospects []Prospect
	for _, r := range list {
		if !r.mayJudge(w.key) {
			continue
		}
		now, err := w.now.verdict(ctx, r, w.key)
		if err != nil {
			return nil, err
		}
		then, err := w.then.verdict(ctx, r, w.key)
		if err != nil {
			return nil, err
		}
		if now != nil || then != nil {
			prospects = append(prospects, prospect(r, now, then))
		}
	}
	return prospects, nil
}

// prospect joins two verdicts; nil: there is none.
func prospect(r *Ruling, now, then *Interval) Prospect {
	p := Prospect{Owner: r.Owner, Rule: r.Name}
	if now != nil {
		p.Now, p.Version, p.Severity = now.Verdict, now.Version, now.Severity
	}
	if then != nil {
		p.Then, p.Version, p.Severity = then.Verdict, then.Version, then.Severity
	}
	return p
}

// verdict is what a rule says of a resource at the present; nil: nothing.
func (s *Session) verdict(ctx context.Context, r *Ruling, k history.Key) (*Interval, error) {
	of, err := s.lifetime(ctx, k, s.through)
	if err != nil {
		return nil, err
	}
	v, _, err := s.present(ctx, r, of)
	return v, err
}

// present is what a rule says of a resource at the present, and what the verdict
// depends on.
func (s *Session) present(ctx context.Context, r *Ruling, of *lifetime) (*Interval, []Look, error) {
	t, err := s.timeline(ctx, r, of, s.through)
	if err != nil || len(t.Intervals) == 0 {
		return nil, nil, err
	}
	return &t.Intervals[0], t.Looked, nil
}
