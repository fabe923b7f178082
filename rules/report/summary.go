package report

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/varvehq/varve/rules"
)

// Counts are numbers of rule-resource pairs by verdict.
type Counts struct {
	Compliant, NonCompliant, NotApplicable, InsufficientData, Errors int

	Waived int // of NonCompliant
}

// Add counts a result.
func (c *Counts) Add(r *Result) {
	switch r.Compliance {
	case rules.Compliant:
		c.Compliant++
	case rules.NonCompliant:
		c.NonCompliant++
		if r.Waived != nil {
			c.Waived++
		}
	case rules.NotApplicable:
		c.NotApplicable++
	case rules.InsufficientData:
		c.InsufficientData++
	default:
		c.Errors++
	}
}

// Total is the number of pairs.
func (c Counts) Total() int {
	return c.Compliant + c.NonCompliant + c.NotApplicable + c.InsufficientData + c.Errors
}

// Compliance is what the pairs come to: NON_COMPLIANT if one is, else ERROR or
// INSUFFICIENT_DATA if one is, or there are none, else COMPLIANT, else
// NOT_APPLICABLE. A waived pair does not comply any more than another.
func (c Counts) Compliance() rules.Compliance {
	switch {
	case c.NonCompliant > 0:
		return rules.NonCompliant
	case c.Errors > 0:
		return rules.Error
	case c.InsufficientData > 0 || c.Total() == 0:
		return rules.InsufficientData
	case c.Compliant > 0:
		return rules.Compliant
	}
	return rules.NotApplicable
}

// Score is AWS's: the share of pairs that comply among all to which the rule
// applies, in per cent with two digits, cut off so that only all is 100.00; or
// INSUFFICIENT_DATA if there are none. Errors, missing data and waived pairs count
// among all.
func (c Counts) Score() string {
	all := c.Total() - c.NotApplicable
	if all == 0 {
		return string(rules.InsufficientData)
	}
	share := uint64(c.Compliant) * 10_000 / uint64(all)
	return fmt.Sprintf("%d.%02d", share/100, share%100)
}

// Group is what a summary says of one rule, type, account or pack.
type Group struct {
	Name string // empty: results that have none, such as no account
	Counts
}

// By names what a summary is grouped by. A result may belong to several groups, or
// to none.
type By func(*Result) iter.Seq[string]

// The groupings.
var (
	ByRule    By = one((*Result).RuleName)
	ByType    By = one(func(r *Result) string { return r.Resource.Type })
	ByAccount By = one(func(r *Result) string { return r.Resource.Account })
	ByPack    By = func(r *Result) iter.Seq[string] { return slices.Values(r.Packs) }
)

func one(name func(*Result) string) By {
	return func(r *Result) iter.Seq[string] {
		return func(yield func(string) bool) { yield(name(r)) }
	}
}

// Summarize counts results by group, in the order of names.
func Summarize(results []Result, by By) []Group {
	all := make(map[string]*Counts)
	for i := range results {
		for name := range by(&results[i]) {
			if all[name] == nil {
				all[name] = new(Counts)
			}
			all[name].Add(&results[i])
		}
	}
	groups := make([]Group, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		groups = append(groups, Group{name, *all[name]})
	}
	return groups
}

// Count counts all results.
func Count(results []Result) Counts {
	var c Counts
	for i := range results {
		c.Add(&results[i])
	}
	return c
}
