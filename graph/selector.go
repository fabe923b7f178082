package graph

import (
	"cmp"
	"slices"
	"strings"
)

// Label is one label of what selectors choose from.
type Label struct{ Key, Value string }

// Operator relates a label to the values of a requirement.
type Operator uint8

// The operators of Kubernetes' label selectors. As there, NotIn holds where the
// label is missing.
const (
	In Operator = iota + 1
	NotIn
	Exists
	DoesNotExist
)

// ParseOperator reads Kubernetes' word; false for any other.
func ParseOperator(word string) (Operator, bool) {
	switch word {
	case "In":
		return In, true
	case "NotIn":
		return NotIn, true
	case "Exists":
		return Exists, true
	case "DoesNotExist":
		return DoesNotExist, true
	}
	return 0, false
}

// Requirement is what a selector asks of one label.
type Requirement struct {
	Key    string
	Op     Operator
	Values []string // sorted; empty for Exists and DoesNotExist
}

// Selector is a list of requirements, all of which must hold, in order of key,
// operator and values. The empty one chooses everything.
type Selector []Requirement

// normalize sorts s and drops what it asks twice.
func (s Selector) normalize() Selector {
	for i := range s {
		slices.Sort(s[i].Values)
		s[i].Values = slices.Compact(s[i].Values)
	}
	slices.SortFunc(s, compareRequirements)
	return slices.CompactFunc(s, func(a, b Requirement) bool { return compareRequirements(a, b) == 0 })
}

func compareRequirements(a, b Requirement) int {
	return cmp.Or(strings.Compare(a.Key, b.Key), cmp.Compare(a.Op, b.Op), slices.Compare(a.Values, b.Values))
}

// Matches reports whether labels, sorted by key, satisfy s.
func (s Selector) Matches(labels []Label) bool {
	for i := range s {
		if !s[i].holds(labels) {
			return false
		}
	}
	return true
}

func (r *Requirement) holds(labels []Label) bool {
	i, found := slices.BinarySearchFunc(labels, r.Key, func(l Label, key string) int { return strings.Compare(l.Key, key) })
	switch r.Op {
	case In:
		return found && slices.Contains(r.Values, labels[i].Value)
	case NotIn:
		return !found || !slices.Contains(r.Values, labels[i].Value)
	case Exists:
		return found
	case DoesNotExist:
		return !found
	}
	return false
}

// term is the term under which s is kept: that of a label which everything it
// chooses has, else that of the scope. Of several labels the longest is taken,
// since the names of applications are longer than those of environments.
func (s Selector) term(scope string) Term {
	best := -1
	for i, r := range s {
		if r.Op != In || len(r.Values) != 1 {
			continue
		}
		if best < 0 || len(r.Values[0]) > len(s[best].Values[0]) {
			best = i
		}
	}
	if best < 0 {
		return ScopeTerm(scope)
	}
	return LabelTerm(scope, s[best].Key, s[best].Values[0])
}
