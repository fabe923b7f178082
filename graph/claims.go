package graph

import (
	"cmp"
	"slices"
	"strings"

	"github.com/varvehq/varve/history"
)

// Claims is what one version says of relationships: what it refers to, and what
// others may refer to it by. It is a pure function of the resource's key, its
// state and the tables of this package.
type Claims struct {
	References []Reference // sorted, no two alike but for their sources
	Bears      []Term      // sorted; without the term of the resource's own type and id
	Labels     []Label     // sorted by key: what selectors see of it, under the label terms it bears
}

// Reference says that its owner, the resource whose version holds it, uses
// whatever bears a term, or with Inverse is used by it.
type Reference struct {
	Term    Term
	Name    string // of the relationship, in the user's wording
	Inverse bool   // the owner is the used one

	// Account and Region are those which the shape or the identifier gives.
	// Where they are empty the owner's own come first, and Reach tells how far
	// from there the target may be; see Targets.
	Account string
	Region  string
	Reach   Reach

	Selector Selector // the whole of it, where Term is the label or the scope it is kept by
	Sources  []Reason // sorted, one at least; the first 64 of them
}

// Same reports whether two references of one owner tell the same edge, wherever
// each was read.
func (r *Reference) Same(o *Reference) bool {
	return r.Term == o.Term && r.Name == o.Name && r.Inverse == o.Inverse &&
		r.Account == o.Account && r.Region == o.Region && r.Reach == o.Reach &&
		slices.EqualFunc(r.Selector, o.Selector, func(a, b Requirement) bool { return compareRequirements(a, b) == 0 })
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Reach is how far from the place where it belongs a target may be.
type Reach uint8

// The reaches. Short names are unique in an account or in a region of it only:
// elsewhere the same name is another resource.
const (
	Anywhere Reach = iota
	SameAccount
	SameRegion // of the same account
)

// Bearer is a live resource that bears a term at the moment asked about.
type Bearer struct {
	Key    history.Key
	Labels []Label // with label terms: all of them, sorted by key
}

// Targets chooses from all live bearers of r's term those which r means when it
// stands in a version of owner.
//
// They are looked for in the account and region that r gives; what it does not
// give is the owner's own. If there is none, a single bearer elsewhere counts,
// as far as r reaches and as long as it does not contradict what r gives: a
// bearer without an account or region contradicts none. Of several elsewhere
// nobody knows which is meant. A selector means all bearers in the owner's
// account that satisfy it.
//
// Where a key has no region but an ARN for an id, the region is the ARN's.
//
// The owner itself is never among them. The answer is sorted and distinct.
func (r *Reference) Targets(owner history.Key, bearers []Bearer) []history.Key {
	var here, elsewhere []history.Key
	account, region := cmp.Or(r.Account, owner.Account), cmp.Or(r.Region, regionOf(owner))
	for i := range bearers {
		k := bearers[i].Key
		switch {
		case r.Term.selects():
			if k.Account == owner.Account && r.Selector.Matches(bearers[i].Labels) {
				here = append(here, k)
			}
		case k.Account == account && regionOf(k) == region:
			here = append(here, k)
		case r.Reach != Anywhere && k.Account != account, r.Reach == SameRegion && !agrees(region, regionOf(k)):
		case agrees(r.Account, k.Account) && agrees(r.Region, regionOf(k)):
			elsewhere = append(elsewhere, k)
		}
	}
	found := distinct(here)
	if len(found) == 0 {
		if found = distinct(elsewhere); len(found) > 1 {
			return nil
		}
	}
	return slices.DeleteFunc(found, func(k history.Key) bool { return k == owner })
}

func agrees(given, has string) bool { return given == "" || has == "" || given == has }

// regionOf is the region of a resource as far as its key tells.
func regionOf(k history.Key) string {
	if k.Region == "" && strings.HasPrefix(k.ID, "arn:") {
		if parts := strings.SplitN(k.ID, ":", 5); len(parts) == 5 {
			return parts[3]
		}
	}
	return k.Region
}

func distinct(keys []history.Key) []history.Key {
	slices.SortFunc(keys, history.Key.Compare)
	return slices.Compact(keys)
}
