package engine

import (
	"context"
	"slices"
	"sync"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Question selects verdicts; empty fields select all. Fields are joined by and.
type Question struct {
	Owner                 *rules.Owner // of the rule
	Rule                  string       // a name that means the rule: see rules.Means
	Exact                 bool         // Rule is the one name that the Owner's rule is recorded under
	Pack                  string       // of the rule
	Account, Region       string       // of the resource
	HasAccount, HasRegion bool         // an empty Account or Region is meant as a value
	Type, ID              string
	Compliance            []rules.Compliance
	Waived                *bool
	After                 *history.Key // continue after the result recorded under this key
	Limit                 int          // 0 = all
}

// Result is a verdict as it stands at a moment.
type Result struct {
	Record
	Recorded  history.Key      // of the verdict's resource
	Revision  history.Revision // of the verdict
	At        history.Moment   // the captured moment from which on it was worked out last
	Learned   history.Moment   // when that was recorded
	Since     history.Moment   // when it began
	FirstSeen history.Moment   // when this rule first gave this compliance to this resource
	Waived    *Waiver          // nil: it is not, or complies
}

// View answers from one moment, and what was known then. It is safe for
// concurrent use.
type View struct {
	at      history.Reader
	newest  history.Reader // knows the same, of all captured time
	present history.Moment

	waivers kept[*Waiver]
	rules   kept[history.Key]
}

// kept is a list that is read once; nobody changes it.
type kept[T any] struct {
	mu   sync.Mutex
	read bool
	list []T
}

func (k *kept[T]) once(read func() ([]T, error)) ([]T, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.read {
		return k.list, nil
	}
	list, err := read()
	if err == nil {
		k.read, k.list = true, list
	}
	return list, err
}

// NewView is what a source tells at a moment; present is the moment to take where
// that is the newest.
func NewView(ctx context.Context, s Source, at history.At, present history.Moment) (*View, error) {
	r, err := s.AsOf(ctx, at)
	if err != nil {
		return nil, err
	}
	newest, err := s.AsOf(ctx, history.At{Captured: history.Newest, Known: r.At().Known})
	if err != nil {
		return nil, err
	}
	return &View{at: r, newest: newest, present: min(r.At().Captured, present)}, nil
}

// Results are the verdicts at the moment, in the order of the keys they are
// recorded under: by account and region, then by rule, type and id. More says that
// there are others after the last.
func (w *View) Results(ctx context.Context, q Question) (list []Result, more bool, err error) {
	err = w.Each(ctx, q, func(result *Result) (bool, error) {
		if more = q.Limit > 0 && len(list) == q.Limit; more {
			return false, nil
		}
		intervals, err := Intervals(ctx, w.newest, result.Recorded)
		if err != nil {
			return false, err
		}
		at := w.at.At().Captured
		for i := range intervals {
			v := &intervals[i]
			if v.Compliance == result.Compliance && result.FirstSeen == 0 {
				result.FirstSeen = v.From
			}
			if v.From <= at {
				result.Since = v.From
			}
		}
		list = append(list, *result)
		return true, nil
	})
	return list, more, err
}

// resultsPage is how many verdicts are read at once.
const resultsPage = 1024

// Each calls f with the verdicts at the moment in the order of Results, but for Since
// and FirstSeen, which sums have no need of, until it returns false. Limit does not
// count.
func (w *View) Each(ctx context.Context, q Question, f func(*Result) (bool, error)) error {
	waivers, err := w.Waivers(ctx)
	if err != nil {
		return err
	}
	pages := w.pages(&q)
	for more := true; more; {
		var items []history.Item
		if items, more, err = pages(ctx); err != nil {
			return err
		}
		for i := range items {
			item := &items[i]
			if !item.Exists() {
				continue
			}
			record, err := ReadRecord(item)
			if err != nil {
				return err
			}
			if !q.matches(&record) {
				continue
			}
			result := Result{Record: record, Recorded: item.Key, Revision: item.Revision, At: item.CapturedAt, Learned: item.RecordedAt}
			if result.Waived, err = w.waived(ctx, &record, waivers); err != nil {
				return err
			}
			if q.Waived != nil && *q.Waived != (result.Waived != nil) {
				continue
			}
			if on, err := f(&result); err != nil || !on {
				return err
			}
		}
	}
	return nil
}

func (q *Question) matches(v *Record) bool {
	return (q.Owner == nil || *q.Owner == v.Owner) && (q.Rule == "" || q.means(v.Rule)) && q.inPack(v) &&
		(q.Type == "" || q.Type == v.Key.Type) && (q.ID == "" || q.ID == v.Key.ID) &&
		(len(q.Compliance) == 0 || slices.Contains(q.Compliance, v.Compliance))
}

func (q *Question) means(recorded string) bool {
	return q.Rule == recorded || !q.Exact && rules.Means(q.Rule, recorded)
}

func (q *Question) inPack(v *Record) bool {
	pack, _ := rules.Unqualify(v.Rule)
	return q.Pack == "" || q.Pack == pack
}

// pages reads what may match, page by page. What is asked of one resource is read
// by the names of all rules, what is asked of one rule as a range.
func (w *View) pages(q *Question) func(context.Context) ([]history.Item, bool, error) {
	if q.Type != "" && q.ID != "" {
		return func(ctx context.Context) ([]history.Item, bool, error) {
			items, err := w.ofResource(ctx, q)
			return items, false, err
		}
	}
	query := history.Query{
		Type: rules.TypeVerdict, Account: q.Account, Region: q.Region, HasAccount: q.HasAccount, HasRegion: q.HasRegion,
		After: q.After, Limit: resultsPage,
	}
	begun := false
	return func(ctx context.Context) ([]history.Item, bool, error) {
		if !begun {
			begun = true
			var err error
			if query.IDPrefix, err = w.prefix(ctx, q); err != nil {
				return nil, false, err
			}
		}
		items, more, err := w.at.Items(ctx, query)
		if n := len(items); n > 0 {
			query.After = &items[n-1].Key
		}
		return items, more, err
	}
}

// prefix begins the ids of all verdicts that may match: those of the only rule that
// is meant, or of a pack.
func (w *View) prefix(ctx context.Context, q *Question) (string, error) {
	if q.Rule == "" {
		if q.Owner != nil && q.Pack != "" {
			return packPrefix(*q.Owner, q.Pack), nil
		}
		return "", nil
	}
	if q.Exact && q.Owner != nil {
		return q.typed(rulePrefix(*q.Owner, q.Rule)), nil
	}
	keys, err := w.ruleKeys(ctx)
	if err != nil {
		return "", err
	}
	keys = slices.DeleteFunc(slices.Clone(keys), func(k history.Key) bool {
		r := Record{Owner: rules.Owner{Account: k.Account, Region: k.Region}, Rule: k.ID}
		return !q.means(k.ID) || !q.inPack(&r) || q.Owner != nil && *q.Owner != r.Owner
	})
	if len(keys) != 1 {
		return "", nil
	}
	return q.typed(rulePrefix(rules.Owner{Account: keys[0].Account, Region: keys[0].Region}, keys[0].ID)), nil
}

// typed goes on with the type of the resources after what begins the ids of a rule's
// verdicts.
func (q *Question) typed(prefix string) string {
	if q.Type == "" {
		return prefix
	}
	return prefix + part(q.Type, 512) + "/"
}

func (w *View) ofResource(ctx context.Context, q *Question) ([]history.Item, error) {
	found := []history.Key{{Account: q.Account, Region: q.Region, Type: q.Type, ID: q.ID}}
	if !q.HasAccount || !q.HasRegion {
		var err error
		if found, err = w.newest.Find(ctx, q.Type, q.ID); err != nil {
			return nil, err
		}
	}
	known, err := w.ruleKeys(ctx)
	if err != nil {
		return nil, err
	}
	of := history.Query{Account: q.Account, Region: q.Region, HasAccount: q.HasAccount, HasRegion: q.HasRegion, Type: q.Type}
	var keys []history.Key
	for _, k := range found {
		if !of.MatchKey(k) {
			continue
		}
		for _, rule := range known {
			v := VerdictKey(rules.Owner{Account: rule.Account, Region: rule.Region}, rule.ID, k)
			if q.After == nil || v.Compare(*q.After) > 0 {
				keys = append(keys, v)
			}
		}
	}
	slices.SortFunc(keys, history.Key.Compare)
	return w.at.Get(ctx, keys, history.FieldsAll)
}

// ruleKeys are the resources of all rules that were ever put: one that was put
// after the moment may be effective before it.
func (w *View) ruleKeys(ctx context.Context) ([]history.Key, error) {
	return w.rules.once(func() (keys []history.Key, err error) {
		items, err := history.Few(ctx, w.newest, history.Query{Type: rules.TypeRule, Deleted: true, Fields: history.FieldsKey})
		for i := range items {
			keys = append(keys, items[i].Key)
		}
		return keys, err
	})
}
