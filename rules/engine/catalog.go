package engine

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Language reads recorded rules and makes them ready. Its methods are safe for
// concurrent use.
type Language interface {
	// Read reads a version of a rule, and from when on it is effective.
	Read(i *history.Item) (rules.Rule, history.Moment, error)

	// Compile makes a rule ready.
	Compile(r *rules.Rule) (rules.Judge, error)
}

// catalog has the rules that are recorded, but for damaged ones: of these nothing is
// known, they judge nothing, and what they said stays as it is.
type catalog struct {
	language Language
	log      *slog.Logger

	mu     sync.RWMutex
	byKey  map[history.Key]*Ruling // of the rule's resource
	byType map[string][]*Ruling    // those that name types
	rest   []*Ruling               // those that name none
	others bool                    // a rule looks at others

	damaged map[history.Key]error // why those are not known
}

// LoadRuling reads all versions of a rule as a reader knows them; nil: nothing
// is known of it. A version that does not compile is one whose every verdict is
// ERROR. Versions of known that are still there are taken from it.
func LoadRuling(ctx context.Context, r history.Reader, l Language, k history.Key, known *Ruling) (*Ruling, error) {
	items, _, err := r.History(ctx, k, history.HistoryQuery{})
	if err != nil || len(items) == 0 {
		return nil, err
	}
	slices.SortFunc(items, func(a, b history.Item) int { return cmp.Compare(a.Revision, b.Revision) })
	ruling := &Ruling{Owner: rules.Owner{Account: k.Account, Region: k.Region}, Name: k.ID}
	for i := range items {
		ruling.Versions = append(ruling.Versions, loadVersion(&items[i], l, known))
	}
	return ruling, nil
}

// LoadRulings reads all rules that a reader knows of, in key order, deleted ones
// included.
func LoadRulings(ctx context.Context, r history.Reader, l Language) ([]*Ruling, error) {
	items, _, err := r.Items(ctx, history.Query{Type: rules.TypeRule, Deleted: true, Fields: history.FieldsKey})
	if err != nil {
		return nil, err
	}
	var list []*Ruling
	for i := range items {
		ruling, err := LoadRuling(ctx, r, l, items[i].Key, nil)
		if err != nil {
			return nil, err
		}
		if ruling != nil {
			list = append(list, ruling)
		}
	}
	return list, nil
}

func loadVersion(i *history.Item, l Language, known *Ruling) Version {
	if known != nil {
		for _, v := range known.Versions {
			if v.Number == i.Version && v.revision == i.Revision {
				return v
			}
		}
	}
	v := Version{Number: i.Version, From: i.CapturedAt, Deletes: i.State.Deleted, revision: i.Revision}
	if v.Deletes {
		return v
	}
	rule, from, err := l.Read(i)
	if err != nil {
		v.Judge = broken{err}
		return v
	}
	v.Rule, v.From = rule, from
	if rule.External {
		return v
	}
	if v.Judge, err = l.Compile(&rule); err != nil {
		v.Judge = broken{err}
	}
	return v
}

// broken is a rule that cannot be evaluated.
type broken struct{ err error }

func (b broken) Judge(context.Context, *rules.Subject) (rules.Verdict, error) {
	return rules.Annotate(rules.Error, b.err.Error()), nil
}

func (b broken) Needs() rules.Needs { return rules.Needs{} }

// load reads all rules. DataLoss if it cannot be told which there are.
func (c *catalog) load(ctx context.Context, r history.Reader) error {
	sound := history.Sound{Reader: r, Lost: map[history.Key]error{}} // one that is damaged hides no others
	items, _, err := sound.Items(ctx, history.Query{Type: rules.TypeRule, Deleted: true, Fields: history.FieldsKey})
	if err != nil {
		return err
	}
	if len(sound.Lost) > 0 {
		if err := allRules(ctx, r, len(items)); err != nil {
			return err
		}
	}
	for i := range items {
		if _, err := c.reload(ctx, r, items[i].Key); err != nil {
			return err
		}
	}
	return nil
}

// allRules checks that so many rules are all, deleted ones included: where a name is
// damaged, others may be hidden behind it. Which there are is counted without names;
// if that cannot be, it is not the names that are damaged.
func allRules(ctx context.Context, r history.Reader, n int) error {
	groups, err := r.Count(ctx, history.Query{Type: rules.TypeRule, Deleted: true}, history.ByNothing)
	if errors.Is(err, history.DataLoss) {
		return nil
	}
	if err != nil || len(groups) == 1 && groups[0].Count == uint64(n) {
		return err
	}
	return history.Errorf(history.DataLoss, "%s: a stored value is damaged, and hides others; run varve verify", rules.TypeRule)
}

// reload reads one rule anew; nil: nothing is known of it.
func (c *catalog) reload(ctx context.Context, r history.Reader, k history.Key) (*Ruling, error) {
	ruling, err := LoadRuling(ctx, r, c.language, k, c.find(k))
	damaged := errors.Is(err, history.DataLoss)
	if err != nil && !damaged {
		return nil, err
	}
	if ruling != nil {
		for _, v := range ruling.Versions {
			if b, ok := v.Judge.(broken); ok {
				c.log.Warn("a rule cannot be evaluated", "rule", k.ID, "version", v.Number, "error", b.err)
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if damaged && c.damaged[k] == nil {
		c.log.Error("a rule is not evaluated: what is recorded of it is damaged", "rule", k.ID, "error", err)
		c.damaged[k] = err
	}
	if !damaged {
		delete(c.damaged, k)
	}
	rulings := maps.Clone(c.byKey)
	if rulings == nil {
		rulings = map[history.Key]*Ruling{}
	}
	delete(rulings, k)
	if ruling != nil {
		rulings[k] = ruling
	}
	c.index(rulings)
	return ruling, nil
}

func (c *catalog) index(rulings map[history.Key]*Ruling) {
	c.byKey, c.byType, c.rest, c.others = rulings, map[string][]*Ruling{}, nil, false
	for _, r := range sorted(rulings) {
		c.others = c.others || r.any((*Version).looksAround)
		if r.any(func(v *Version) bool { return !v.Deletes && len(v.Rule.Scope.Types) == 0 }) {
			c.rest = append(c.rest, r)
			continue
		}
		for _, typ := range r.types() {
			c.byType[typ] = append(c.byType[typ], r)
		}
	}
}

func sorted(rulings map[history.Key]*Ruling) []*Ruling {
	keys := slices.SortedFunc(maps.Keys(rulings), history.Key.Compare)
	list := make([]*Ruling, len(keys))
	for i, k := range keys {
		list[i] = rulings[k]
	}
	return list
}

// looksAround reports whether verdicts may depend on other resources.
func (v *Version) looksAround() bool { return v.needs().Others }

// types are those that versions name; none where one of them names none.
func (r *Ruling) types() []string {
	var list []string
	for _, v := range r.Versions {
		if v.Deletes {
			continue
		}
		if len(v.Rule.Scope.Types) == 0 {
			return nil
		}
		list = append(list, v.Rule.Scope.Types...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (r *Ruling) key() history.Key { return RuleKey(r.Owner, r.Name) }

func (c *catalog) find(k history.Key) *Ruling {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.byKey[k]
}

func (c *catalog) list() []*Ruling {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return sorted(c.byKey)
}

// judging are the rules that may have a resource in scope.
func (c *catalog) judging(k history.Key) []*Ruling {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var list []*Ruling
	for _, some := range [...][]*Ruling{c.byType[k.Type], c.rest} {
		for _, r := range some {
			if r.mayJudge(k) {
				list = append(list, r)
			}
		}
	}
	return list
}

func (c *catalog) looksAround() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.others
}
