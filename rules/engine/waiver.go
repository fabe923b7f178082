package engine

import (
	"context"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Waiver says that verdicts are accepted as they are: results it covers stay
// visible, as waived. It begins when it is put and ends with its expiry, or when
// it is deleted. It is recorded as a resource of type rules.TypeWaiver, in the
// owner's account and region, with its name for an id.
type Waiver struct {
	Owner   rules.Owner // it waives results of this owner's resources only
	Name    string
	Rules   []string    // names; empty: all
	Scope   rules.Scope // of the resources
	Reason  string
	Author  string
	Expires history.Moment // the first moment at which it no longer holds; zero: it does not lapse
}

// waiverDocument is the configuration of a waiver, its members in the order of
// the canonical form.
type waiverDocument struct {
	Accounts []string `json:"accounts,omitempty"`
	Author   string   `json:"author"`
	Expires  string   `json:"expires,omitempty"`
	IDs      []string `json:"ids,omitempty"`
	Reason   string   `json:"reason"`
	Regions  []string `json:"regions,omitempty"`
	Rules    []string `json:"rules,omitempty"`
	TagKey   string   `json:"tagKey,omitempty"`
	TagValue string   `json:"tagValue,omitempty"`
	Types    []string `json:"types,omitempty"`
}

// Key names the waiver's resource.
func (w *Waiver) Key() history.Key {
	return history.Key{Account: w.Owner.Account, Region: w.Owner.Region, Type: rules.TypeWaiver, ID: w.Name}
}

// Observation is what is to be appended to put the waiver. Invalid if it lacks what
// every waiver has: a name, a reason and an author.
func (w *Waiver) Observation() (history.Observation, error) {
	for _, f := range [...]struct{ field, value string }{{"name", w.Name}, {"reason", w.Reason}, {"author", w.Author}} {
		if f.value == "" {
			return history.Observation{}, &history.Error{Kind: history.Invalid, Field: f.field, Text: "of a waiver is required: say what is accepted, why and by whom"}
		}
	}
	switch {
	case len(w.Scope.IDs) > 0 && len(w.Scope.Types) != 1:
		return history.Observation{}, &history.Error{Kind: history.Invalid, Field: "ids", Text: "of a waiver go with exactly one type"}
	case w.Scope.TagValue != "" && w.Scope.TagKey == "":
		return history.Observation{}, &history.Error{Kind: history.Invalid, Field: "tagValue", Text: "of a waiver goes with a tag key"}
	case w.Expires != 0 && !w.Expires.Valid():
		return history.Observation{}, &history.Error{Kind: history.Invalid, Field: "expires", Text: "lies outside the years 1970 to 9999"}
	}
	configuration, err := json.Marshal(waiverDocument{
		Accounts: w.Scope.Accounts, Author: w.Author, Expires: w.Expires.String(), IDs: w.Scope.IDs, Reason: w.Reason,
		Regions: w.Scope.Regions, Rules: w.Rules, TagKey: w.Scope.TagKey, TagValue: w.Scope.TagValue, Types: w.Scope.Types,
	}, json.Deterministic(true))
	if err != nil {
		return history.Observation{}, &history.Error{Kind: history.Invalid, Field: "waiver", Value: w.Name, Text: "holds text that is not valid UTF-8", Err: err}
	}
	o := history.Observation{Key: w.Key(), State: history.State{Name: w.Name, Configuration: configuration}}
	return o, o.Key.Validate()
}

// ReadWaiver reads a version of a waiver.
func ReadWaiver(i *history.Item) (*Waiver, error) {
	damaged := func(err error) error {
		return &history.Error{Kind: history.DataLoss, Field: i.Key.String(), Text: "holds no waiver that can be read", Err: err}
	}
	var d waiverDocument
	if err := json.Unmarshal(i.State.Configuration, &d); err != nil {
		return nil, damaged(err)
	}
	w := &Waiver{
		Owner: rules.Owner{Account: i.Key.Account, Region: i.Key.Region}, Name: i.Key.ID,
		Rules: d.Rules, Reason: d.Reason, Author: d.Author,
		Scope: rules.Scope{Types: d.Types, IDs: d.IDs, TagKey: d.TagKey, TagValue: d.TagValue, Accounts: d.Accounts, Regions: d.Regions},
	}
	if d.Expires != "" {
		t, err := time.Parse(time.RFC3339Nano, d.Expires)
		if err != nil {
			return nil, damaged(err)
		}
		w.Expires = history.MomentOf(t)
	}
	return w, nil
}

// Waivers are those that hold at the moment, in key order.
func (w *View) Waivers(ctx context.Context) ([]*Waiver, error) {
	items, _, err := w.at.Items(ctx, history.Query{Type: rules.TypeWaiver})
	if err != nil {
		return nil, err
	}
	var list []*Waiver
	for i := range items {
		one, err := ReadWaiver(&items[i])
		if err != nil {
			return nil, err
		}
		if one.Expires == 0 || w.present < one.Expires {
			list = append(list, one)
		}
	}
	return list, nil
}

// waives reports whether a waiver covers a verdict; item reads the resource, where
// a tag is to be looked at.
func (w *Waiver) waives(v *Record, item func() (*history.Item, error)) (bool, error) {
	if !sees(w.Owner, v.Key) || len(w.Rules) > 0 && !slices.Contains(w.Rules, v.Rule) || !admits(&w.Scope, v.Key) {
		return false, nil
	}
	if w.Scope.TagKey == "" {
		return true, nil
	}
	i, err := item()
	return err == nil && covers(&w.Scope, i), err
}
