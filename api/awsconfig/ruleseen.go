package awsconfig

import (
	"cmp"
	"context"
	"slices"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/recorded"
)

// ruleSeen is a rule as a caller sees it.
type ruleSeen struct {
	recorded.Rule
	name string            // by which clients know it
	told *shape.ConfigRule // as it was put through this door; nil: through another

	revision history.Revision // of its put
	lost     error            // why it cannot be read; nil: it can
}

func (r *ruleSeen) arn(c Caller) string {
	return rules.ConfigRuleARN(r.Owner, r.Recorded(), c.Account, c.Region)
}

func (r *ruleSeen) id() string { return rules.ConfigRuleID(r.Owner, r.Recorded()) }

// rulesSeen are the rules that a caller sees: those of his account and region and
// those of all accounts or regions, each under another name. Where two have one, his
// own hides the other.
type rulesSeen struct {
	list   []*ruleSeen // by name
	byName map[string]*ruleSeen
}

// rulesSeen reads the rules that stand at the reader's moment. One that is damaged
// hides no others.
func (d *Door) rulesSeen(ctx context.Context, c Caller, r history.Reader) (*rulesSeen, error) {
	s := &rulesSeen{byName: map[string]*ruleSeen{}}
	sound := history.Sound{Reader: r, Lost: map[history.Key]error{}}
	for _, q := range c.owner().Questions(history.Query{Type: rules.TypeRule}) {
		items, err := history.Few(ctx, sound, q)
		if err != nil {
			return nil, err
		}
		for i := range items {
			one, lost := recorded.ReadRule(&items[i])
			if lost = cmp.Or(sound.Lost[items[i].Key], lost); lost != nil {
				one = recorded.Unreadable(&items[i], lost)
			}
			seen := &ruleSeen{Rule: one, name: nameOf(one.Owner, one.Recorded()), revision: items[i].Revision, lost: lost}
			if seen.told, err = toldOf(&one); err != nil {
				return nil, err
			}
			if other := s.byName[seen.name]; other == nil || c.rank(placeOf(one.Owner)) < c.rank(placeOf(other.Owner)) {
				s.byName[seen.name] = seen
			}
		}
	}
	for _, one := range s.byName {
		s.list = append(s.list, one)
	}
	slices.SortFunc(s.list, func(a, b *ruleSeen) int { return cmp.Compare(a.name, b.name) })
	return s, nil
}

func placeOf(o rules.Owner) history.Key { return history.Key{Account: o.Account, Region: o.Region} }

// find is the rule of a name; NoSuchConfigRuleException if there is none.
func (s *rulesSeen) find(name string) (*ruleSeen, error) {
	if one := s.byName[name]; one != nil {
		return one, nil
	}
	return nil, refuse("NoSuchConfigRuleException", "The ConfigRule '%s' provided in the request is invalid. Please check the configRule name.", name)
}

// choose is find for each of some names; no names are all.
func (s *rulesSeen) choose(names []string) ([]*ruleSeen, error) {
	if len(names) == 0 {
		return s.list, nil
	}
	var list []*ruleSeen
	for _, name := range names {
		one, err := s.find(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list, nil
}

// after are the rules that follow one by name.
func after(list []*ruleSeen, name string) []*ruleSeen {
	if name == "" {
		return list
	}
	for i, one := range list {
		if one.name == name {
			return list[i+1:]
		}
	}
	return nil
}

// changeable refuses what the caller may see, but not change.
func (r *ruleSeen) changeable(c Caller) error {
	switch {
	case r.Owner != c.owner():
		return refuse("AccessDeniedException", "The rule '%s' is not of account %s and region %s alone, and is not changed from there; put one under another name", r.name, c.Account, c.Region)
	case r.Pack != "":
		return refuse("ResourceInUseException", "The rule '%s' belongs to the conformance pack '%s', and is put and deleted with it", r.name, r.Pack)
	}
	return nil
}
