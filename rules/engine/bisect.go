package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/diff"
	"github.com/varvehq/varve/rules"
)

// What made a verdict another.
type What uint8

// Several may be at once: the first of these counts.
const (
	ByResource What = iota + 1 // a version of the resource itself
	ByRule                     // a version of the rule came into force
	ByOther                    // something that the rule looked at
	ByClock                    // time went by
)

// String is for people.
func (w What) String() string {
	return [...]string{"nothing", "the resource", "the rule", "another resource", "the clock"}[w]
}

// Culprit is the change that made a rule fail.
type Culprit struct {
	What    What
	At      history.Moment
	Before  rules.Verdict // Compliance empty: there was none
	After   rules.Verdict
	Changes []Changed // of the resource, or of those that the rule looked at, by key
	Version uint32    // of the rule
}

// Changed is a change of one resource, with its cause in the origin of After.
type Changed struct {
	Before, After history.Item // Version 0: there was none
	Patch         diff.Patch   // of the configuration
}

// Bisect finds the first change in [from, to] (a zero from: of all that is kept) that made a rule fail for a resource,
// and tells what it was. NotFound if there is none: it never failed then, or did so
// all the time.
func (s *Session) Bisect(ctx context.Context, r *Ruling, k history.Key, from, to history.Moment) (*Culprit, error) {
	from, to = s.since(from), min(to, s.through)
	of, err := s.lifetime(ctx, k, from)
	if err != nil {
		return nil, err
	}
	t, err := s.timeline(ctx, r, of, from)
	if err != nil {
		return nil, err
	}
	for i := range t.Intervals {
		v := &t.Intervals[i]
		if v.Compliance != rules.NonCompliant || v.From > to {
			continue
		}
		c := &Culprit{At: v.From, After: v.Verdict, Version: v.Version}
		if i > 0 && t.Intervals[i-1].To == v.From {
			c.Before = t.Intervals[i-1].Verdict
			if c.Before.Compliance == rules.NonCompliant {
				continue // it failed before as well, for another reason
			}
		}
		if err := s.blame(ctx, r, of, c); err != nil {
			return nil, err
		}
		if c.What != 0 {
			return c, nil
		}
	}
	return nil, history.Errorf(history.NotFound, "no change between %v and %v made rule %s fail for %v", from, to, r.Name, k)
}

// blame finds out what changed at the culprit's moment; nothing, if the verdict
// was the same just before what is looked at.
func (s *Session) blame(ctx context.Context, r *Ruling, of *lifetime, c *Culprit) error {
	i := slices.IndexFunc(of.versions, func(v standing) bool { return v.from <= c.At && c.At < v.to })
	in := slices.IndexFunc(r.tenures(), func(t tenure) bool { return t.from <= c.At && c.At < t.to })
	if i < 0 || in < 0 {
		return nil
	}
	tenure, v := r.tenures()[in], &of.versions[i]
	switch {
	case v.from == c.At:
		c.What = ByResource
		return s.changed(ctx, c, of.key)
	case tenure.from == c.At && c.At > history.FirstMoment:
		c.What = ByRule
		return nil
	}
	now, err := s.lookedAt(ctx, r, v, tenure, c.At)
	if err != nil {
		return err
	}
	then, err := s.lookedAt(ctx, r, v, tenure, c.At-1)
	if err != nil {
		return err
	}
	keys := append(without(now, then), without(then, now)...)
	slices.SortFunc(keys, history.Key.Compare)
	if keys = slices.Compact(keys); len(keys) > 0 {
		c.What = ByOther
		return s.changed(ctx, c, keys...)
	}
	if tenure.needs().Clock && tickAt(c.At, tenure.period()) == c.At {
		c.What = ByClock
	}
	return nil
}

// lookedAt are the versions that a rule looks at beside the resource at a moment.
func (s *Session) lookedAt(ctx context.Context, r *Ruling, v *standing, in tenure, m history.Moment) ([]versionOf, error) {
	l := &looking{s: s, owner: r.Owner, at: m, until: history.Newest, looked: map[Look]struct{}{}}
	if _, err := s.judge(ctx, r, &piece{item: v.item, version: in.Version, from: v.from, to: v.to}, m, l); err != nil {
		return nil, err
	}
	var list []versionOf
	for _, a := range l.trace {
		list = append(list, a.found...)
	}
	return list, nil
}

// without are the keys of versions that are not among others.
func without(list, other []versionOf) []history.Key {
	var keys []history.Key
	for _, v := range list {
		if !slices.Contains(other, v) {
			keys = append(keys, v.key)
		}
	}
	return keys
}

// changed tells how resources changed at the culprit's moment. One that did not is
// looked at newly or no longer, since something between it and the resource did.
func (s *Session) changed(ctx context.Context, c *Culprit, keys ...history.Key) error {
	for _, k := range keys {
		var d Changed
		var err error
		if d.Before, err = s.before(ctx, k, c.At); err != nil {
			return err
		}
		if d.After, err = s.at(ctx, k, c.At); err != nil {
			return err
		}
		if d.Patch, err = patch(&d.Before, &d.After); err != nil {
			return err
		}
		c.Changes = append(c.Changes, d)
	}
	did := func(d Changed) bool { return d.Before.Version != d.After.Version }
	if slices.ContainsFunc(c.Changes, did) {
		c.Changes = slices.DeleteFunc(c.Changes, func(d Changed) bool { return !did(d) })
	}
	return nil
}

// at is the version of a resource at a moment; Version 0: there is none, or it is
// no longer kept.
func (s *Session) at(ctx context.Context, k history.Key, m history.Moment) (history.Item, error) {
	none := history.Item{Key: k}
	r, err := s.asOf(ctx, m)
	if err == nil {
		var items []history.Item
		if items, err = r.Get(ctx, []history.Key{k}, history.FieldsAll); err == nil {
			return items[0], nil
		}
	}
	if errors.Is(err, history.Compacted) {
		return none, nil
	}
	return none, err
}
