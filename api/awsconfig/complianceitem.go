package awsconfig

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/report"
)

// typeCompliance is the type of the items as which AWS Config records what a resource
// complies with. Here they are a view of the recorded verdicts: nothing is recorded
// twice.
const typeCompliance = "AWS::Config::ResourceCompliance"

// complianceItems shows them beside what a reader does. The id of one is the type of
// the resource, a slash, and its id; it lies where the resource does. Such items that
// are recorded, because they come from AWS, are told instead.
type complianceItems struct {
	history.Reader
	j *judged
}

// readerOf is reader, which shows them too where they are asked for.
func (d *Door) readerOf(ctx context.Context, c Caller, at cursor, asked bool) (history.Reader, error) {
	if !asked || d.o.Rules == nil {
		return d.reader(ctx, at)
	}
	j, err := d.judged(ctx, c, at)
	if err != nil {
		return nil, err
	}
	return &complianceItems{j.r, j}, nil
}

// recorded reports whether an item is.
func (v *complianceItems) recorded(ctx context.Context, k history.Key) (bool, error) {
	keys, err := v.Reader.Find(ctx, k.Type, k.ID)
	return slices.Contains(keys, k), err
}

// Find implements history.Reader.
func (v *complianceItems) Find(ctx context.Context, typ, id string) ([]history.Key, error) {
	keys, err := v.Reader.Find(ctx, typ, id)
	if err != nil || typ != typeCompliance || slices.ContainsFunc(keys, v.j.c.sees) {
		return keys, err
	}
	targets, err := v.targets(ctx, id)
	if err != nil {
		return nil, err
	}
	keys = nil
	for _, k := range targets {
		if of, err := v.versions(ctx, k); err != nil {
			return nil, err
		} else if len(of) > 0 {
			keys = append(keys, complianceKey(k))
		}
	}
	return keys, nil
}

func complianceKey(k history.Key) history.Key {
	return history.Key{Account: k.Account, Region: k.Region, Type: typeCompliance, ID: k.Type + "/" + k.ID}
}

// targets are the resources that an id may be about. Types and ids hold slashes: it
// is where something is recorded that it is cut, or else, for what is evaluated
// elsewhere, at the first one.
func (v *complianceItems) targets(ctx context.Context, id string) ([]history.Key, error) {
	for cut, b := range []byte(id) {
		if b != '/' || cut == 0 || cut == len(id)-1 {
			continue
		}
		found, err := v.Reader.Find(ctx, id[:cut], id[cut+1:])
		if err != nil {
			return nil, err
		}
		if found = slices.DeleteFunc(found, func(k history.Key) bool { return !v.j.c.sees(k) }); len(found) > 0 {
			return found, nil
		}
	}
	typ, id, ok := strings.Cut(id, "/")
	if !ok || typ == "" || id == "" {
		return nil, nil
	}
	return []history.Key{{Account: v.j.c.Account, Region: v.j.c.Region, Type: typ, ID: id}}, nil
}

// of are the versions of a compliance item, the newest first.
func (v *complianceItems) of(ctx context.Context, k history.Key) ([]history.Item, error) {
	targets, err := v.targets(ctx, k.ID)
	if err != nil {
		return nil, err
	}
	for _, target := range targets {
		if complianceKey(target) == k {
			list, err := v.versions(ctx, target)
			slices.Reverse(list)
			return list, err
		}
	}
	return nil, nil
}

// Get implements history.Reader.
func (v *complianceItems) Get(ctx context.Context, keys []history.Key, f history.Fields) ([]history.Item, error) {
	items, err := v.Reader.Get(ctx, keys, f)
	if err != nil {
		return nil, err
	}
	for i, k := range keys {
		if k.Type != typeCompliance || items[i].Version != 0 {
			continue
		}
		list, err := v.of(ctx, k)
		if err != nil {
			return nil, err
		}
		if len(list) > 0 {
			items[i] = f.Of(list[0])
		}
	}
	return items, nil
}

// History implements history.Reader.
func (v *complianceItems) History(ctx context.Context, k history.Key, q history.HistoryQuery) ([]history.Item, bool, error) {
	if is, err := v.recorded(ctx, k); err != nil || is || k.Type != typeCompliance {
		if err != nil {
			return nil, false, err
		}
		return v.Reader.History(ctx, k, q)
	}
	list, err := v.of(ctx, k)
	if err != nil {
		return nil, false, err
	}
	list = slices.DeleteFunc(list, func(i history.Item) bool {
		return i.CapturedAt < q.From || q.To != 0 && i.CapturedAt > q.To || q.After != 0 && i.Version >= q.After
	})
	more := q.Limit > 0 && len(list) > q.Limit
	if more {
		list = list[:q.Limit]
	}
	for i := range list {
		list[i] = q.Fields.Of(list[i])
	}
	return list, more, nil
}

// Items implements history.Reader for the questions of this door, which are about one
// account and region. It lists recorded resources on which verdicts stand.
func (v *complianceItems) Items(ctx context.Context, q history.Query) ([]history.Item, bool, error) {
	if q.Type != typeCompliance {
		return v.Reader.Items(ctx, q)
	}
	recorded, more, err := v.Reader.Items(ctx, q)
	if err != nil || len(recorded) > 0 || q.Name != "" { // these have none
		return recorded, more, err
	}
	ask := history.Query{
		Account: q.Account, HasAccount: q.HasAccount, Region: q.Region, HasRegion: q.HasRegion,
		Fields: history.FieldsKey, Limit: resourcesFirst,
	}
	if q.After != nil {
		targets, err := v.targets(ctx, q.After.ID)
		if err != nil {
			return nil, false, err
		}
		ask.After = &history.Key{Account: q.After.Account, Region: q.After.Region}
		for _, k := range targets {
			if k.Account == q.After.Account && k.Region == q.After.Region {
				ask.After = &k
			}
		}
	}
	var list []history.Item
	for more := true; more; {
		var items []history.Item
		if items, more, err = v.Reader.Items(ctx, ask); err != nil {
			return nil, false, err
		}
		keys := make([]history.Key, len(items))
		for i := range items {
			keys[i] = items[i].Key
		}
		verdicts, err := v.j.on(ctx, keys)
		if err != nil {
			return nil, false, err
		}
		for i, k := range keys {
			if !slices.ContainsFunc(verdicts[i], func(s standing) bool { return s.Compliance != rules.NotApplicable }) {
				continue
			}
			if q.Limit > 0 && len(list) == q.Limit {
				return list, true, nil
			}
			versions, err := v.versions(ctx, k)
			if err != nil {
				return nil, false, err
			}
			if n := len(versions); n > 0 {
				list = append(list, q.Fields.Of(versions[n-1]))
			}
		}
		if n := len(items); n > 0 {
			ask.After, ask.Limit = &items[n-1].Key, min(2*ask.Limit, resourcesAtOnce)
		}
	}
	return list, false, nil
}

// versions are what a resource complied with over captured time, the oldest first:
// one for each time at which that became something else. What no rule has a result on
// any more is deleted.
func (v *complianceItems) versions(ctx context.Context, k history.Key) ([]history.Item, error) {
	all, err := v.j.view.OfResource(ctx, k)
	if err != nil {
		return nil, err
	}
	var moments []history.Moment
	all = slices.DeleteFunc(all, func(h engine.History) bool { return v.j.c.rank(placeOf(h.Owner)) < 0 })
	slices.SortFunc(all, func(a, b engine.History) int { return cmp.Compare(nameOf(a.Owner, a.Rule), nameOf(b.Owner, b.Rule)) })
	for i := range all {
		for _, one := range all[i].Intervals {
			moments = append(moments, one.From)
			if one.To != history.Newest {
				moments = append(moments, one.To)
			}
		}
	}
	slices.Sort(moments)
	var list []history.Item
	for _, m := range slices.Compact(moments) {
		state, revision, err := v.state(k, all, m)
		if err != nil {
			return nil, err
		}
		n := len(list)
		if n == 0 && state.Deleted || n > 0 && list[n-1].State.Deleted == state.Deleted && bytes.Equal(list[n-1].State.Configuration, state.Configuration) {
			continue
		}
		switch {
		case state.Deleted:
		case n == 0 || list[n-1].State.Deleted:
			state.Status = history.StatusDiscovered
		default:
			state.Status = history.StatusOK
		}
		if n > 0 {
			list[n-1].Until = m
		}
		list = append(list, history.Item{
			Key: complianceKey(k), Version: uint32(n + 1), CapturedAt: m, Until: history.Newest, Revision: revision, State: state, //nolint:gosec // few
		})
	}
	return list, nil
}

// The configuration of a compliance item, its members in canonical order.
type complianceDocument struct {
	Compliance string             `json:"complianceType"`
	Rules      []complianceOfRule `json:"configRuleList"`
	ID         string             `json:"targetResourceId"`
	Type       string             `json:"targetResourceType"`
}

type complianceOfRule struct {
	Compliance string `json:"complianceType"`
	ARN        string `json:"configRuleArn"`
	ID         string `json:"configRuleId"`
	Name       string `json:"configRuleName"`
}

// state is the state of a compliance item at a moment, and the newest revision that
// says so.
func (v *complianceItems) state(k history.Key, all []engine.History, m history.Moment) (s history.State, known history.Revision, err error) {
	d := complianceDocument{ID: k.ID, Type: k.Type}
	var counts report.Counts
	for i := range all {
		h := &all[i]
		for n := range h.Intervals {
			is := &h.Intervals[n]
			if is.From > m || m >= is.To || is.Compliance == rules.NotApplicable {
				continue
			}
			known = max(known, is.Opened)
			counts.Add(&report.Result{Verdict: is.Verdict})
			d.Rules = append(d.Rules, complianceOfRule{
				Compliance: compliance(is.Compliance), ARN: rules.ConfigRuleARN(h.Owner, h.Rule, v.j.c.Account, v.j.c.Region),
				ID: rules.ConfigRuleID(h.Owner, h.Rule), Name: nameOf(h.Owner, h.Rule),
			})
		}
	}
	if len(d.Rules) == 0 {
		return history.State{Deleted: true}, known, nil
	}
	d.Compliance = total(counts)
	s.Relationships = []history.Relationship{{Name: "Is associated with ", Type: k.Type, ID: k.ID}}
	s.Configuration, err = json.Marshal(d)
	return s, known, err
}
