package recorded

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/managed"
)

// Rule is a rule as it is recorded.
type Rule struct {
	rules.Rule
	Owner   rules.Owner
	Pack    string         // that it belongs to; empty: none
	From    history.Moment // effective from; zero: when it is put
	PutAt   history.Moment
	Version uint32 // given by the history

	// AsTold is the rule in the words of the door through which it was put, as JSON
	// by the name of the door: what of it means nothing here, but is told back.
	AsTold map[string][]byte
}

// Recorded is the name under which the rule is recorded.
func (r *Rule) Recorded() string { return rules.Qualify(r.Pack, r.Name) }

func (r *Rule) key() history.Key { return engine.RuleKey(r.Owner, r.Recorded()) }

// observation is what is to be appended to put the rule.
func (r *Rule) observation() (history.Observation, error) {
	o, err := r.Observation(r.Owner, r.From)
	o.Key = r.key()
	if r.Pack != "" {
		o.State.Tags = map[string]string{tagPack: r.Pack}
	}
	if len(r.AsTold) > 0 {
		o.State.Supplementary = r.AsTold
	}
	return o, err
}

// ReadRule reads a version of a rule. DataLoss if it is none.
func ReadRule(i *history.Item) (Rule, error) {
	rule, owner, from, err := rules.Read(i)
	if err != nil {
		return Rule{}, err
	}
	pack, _ := rules.Unqualify(i.Key.ID)
	return Rule{Rule: *rule, Owner: owner, Pack: pack, From: from, PutAt: i.CapturedAt, Version: i.Version, AsTold: i.State.Supplementary}, nil
}

// Check prepares a rule for being put, and says why it cannot be: it is normalized,
// and its expressions compile, unless it is evaluated elsewhere. A managed rule without
// types in its scope has those that it is about.
func Check(r *rules.Rule) error {
	if d := managed.Find(r.Identifier); d != nil && len(r.Scope.Types) == 0 {
		r.Scope.Types = slices.Clone(d.Rule.Scope.Types)
	}
	r.Normalize()
	if err := r.Validate(); err != nil {
		return err
	}
	if r.External {
		return nil
	}
	_, err := managed.Compile(r)
	return err
}

// mostRules is how many rules are put at once.
const mostRules = 500

// PutRules puts rules of an owner as a whole, each effective from a moment (zero:
// from now on). Those that are there are replaced. It returns them as they are
// recorded, in the given order.
func (s *Shelf) PutRules(ctx context.Context, o rules.Owner, list []*rules.Rule, from history.Moment) ([]Rule, history.Receipt, error) {
	if len(list) > mostRules {
		return nil, history.Receipt{}, &history.Error{Kind: history.TooLarge, Field: "rules", Text: fmt.Sprintf("are %d; at most %d are put at once", len(list), mostRules)}
	}
	all := make([]Rule, len(list))
	for i, one := range list {
		all[i] = Rule{Rule: *one, Owner: o, From: from}
	}
	return s.put(ctx, all, from)
}

// PutRule puts one rule, of no pack, with what it was told as: see PutRules.
func (s *Shelf) PutRule(ctx context.Context, r Rule) (Rule, history.Receipt, error) {
	put, receipt, err := s.put(ctx, []Rule{r}, r.From)
	if err != nil {
		return Rule{}, receipt, err
	}
	return put[0], receipt, nil
}

func (s *Shelf) put(ctx context.Context, list []Rule, from history.Moment) ([]Rule, history.Receipt, error) {
	var observations []history.Observation
	for i := range list {
		if err := Check(&list[i].Rule); err != nil {
			return nil, history.Receipt{}, err
		}
		observation, err := list[i].observation()
		if err != nil {
			return nil, history.Receipt{}, err
		}
		observations = append(observations, observation)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if from == 0 {
		if err := s.keepFrom(ctx, observations); err != nil {
			return nil, history.Receipt{}, err
		}
	}
	receipt, err := s.append(ctx, observations)
	if err != nil {
		return nil, receipt, err
	}
	r, err := s.newest(ctx)
	if err != nil {
		return nil, receipt, err
	}
	put := make([]Rule, len(list))
	for i := range observations {
		item, err := live(ctx, r, "rule", observations[i].Key)
		if err != nil {
			return nil, receipt, err
		}
		if put[i], err = ReadRule(item); err != nil {
			return nil, receipt, err
		}
	}
	return put, receipt, nil
}

// keepFrom leaves rules that are put as they are effective from when they were.
func (s *Shelf) keepFrom(ctx context.Context, list []history.Observation) error {
	r, err := s.newest(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		items, err := r.Get(ctx, []history.Key{list[i].Key}, history.FieldsAll)
		if err != nil {
			return err
		}
		if !items[0].Exists() {
			continue
		}
		is := items[0].State.Configuration
		rule, from, err := rules.DecodeRule(is)
		if err != nil || from == 0 {
			continue // one that cannot be read is replaced
		}
		if text, err := rules.EncodeRule(rule, 0); err == nil && string(text) == string(list[i].State.Configuration) {
			list[i].State.Configuration = is
		}
	}
	return nil
}

// GetRule is the rule that is recorded under a name, as it stands at the reader's
// moment. NotFound tells names like it.
func GetRule(ctx context.Context, r history.Reader, o rules.Owner, recorded string) (Rule, error) {
	if err := rules.CheckRecordedName("name", recorded); err != nil {
		return Rule{}, err
	}
	item, err := live(ctx, r, "rule", engine.RuleKey(o, recorded))
	if err != nil {
		return Rule{}, err
	}
	return ReadRule(item)
}

// Rules are those that stand at the reader's moment, by owner and recorded name:
// up to limit (0: all) after one. Owner nil: of all owners. Pack empty: of all packs
// and of none.
func Rules(ctx context.Context, r history.Reader, o *rules.Owner, pack string, after *history.Key, limit int) (list []Rule, more bool, err error) {
	q := history.Query{Type: rules.TypeRule}
	if o != nil {
		q = owned(rules.TypeRule, *o)
	}
	q.After, q.Limit = after, limit
	if pack != "" {
		q.IDPrefix = pack + "/"
	}
	items, more, err := r.Items(ctx, q)
	if err != nil {
		return nil, false, err
	}
	for i := range items {
		one, err := ReadRule(&items[i])
		if err != nil {
			return nil, false, err
		}
		list = append(list, one)
	}
	return list, more, nil
}

// DeleteRule deletes a rule from now on. One of a pack is deleted with it only.
func (s *Shelf) DeleteRule(ctx context.Context, o rules.Owner, name string) (history.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.newest(ctx)
	if err != nil {
		return history.Receipt{}, err
	}
	rule, err := GetRule(ctx, r, o, name)
	switch {
	case err != nil:
		return history.Receipt{}, err
	case rule.Pack != "":
		return history.Receipt{}, &history.Error{Kind: history.Invalid, Field: "name", Value: fmt.Sprintf("%q", name),
			Text: "is a rule of the pack " + rule.Pack + "; delete the pack, or put it without the rule"}
	}
	return s.append(ctx, []history.Observation{{Key: rule.key(), State: history.State{Deleted: true}}})
}

// Unreadable stands for a version of a rule that ReadRule refuses.
func Unreadable(i *history.Item, err error) Rule {
	pack, name := rules.Unqualify(i.Key.ID)
	text := err.Error()
	if told := (*history.Error)(nil); errors.As(err, &told) {
		text = told.Message() // the cause is for the log: it may name the store's file
	}
	return Rule{
		Rule:  rules.Rule{Name: name, Description: "cannot be read: " + text},
		Owner: ownerOf(i.Key), Pack: pack, From: i.CapturedAt, PutAt: i.CapturedAt, Version: i.Version,
	}
}
