package engine

import (
	"slices"
	"sync"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

// Ruling is a rule through all of its versions, made ready. It is never changed,
// and not copied.
type Ruling struct {
	Owner    rules.Owner
	Name     string
	Versions []Version // in the order in which they were put

	once    sync.Once
	inForce []tenure
	prefix  string // of the ids of its verdicts
}

func (r *Ruling) prepare() *Ruling {
	r.once.Do(func() { r.inForce, r.prefix = r.listTenures(), rulePrefix(r.Owner, r.Name) })
	return r
}

// tenures lists when which version is in force, in order.
func (r *Ruling) tenures() []tenure { return r.prepare().inForce }

// verdictKey is VerdictKey.
func (r *Ruling) verdictKey(k history.Key) history.Key {
	return history.Key{Account: k.Account, Region: k.Region, Type: rules.TypeVerdict, ID: r.verdictPrefix() + resourceID(k)}
}

// verdictPrefix begins the ids of the rule's verdicts and evaluations.
func (r *Ruling) verdictPrefix() string { return r.prepare().prefix }

// Version is one put of a rule, or its deletion.
type Version struct {
	Number  uint32         // of the rule's resource; 0: the rule is not recorded
	From    history.Moment // effective from
	Deletes bool           // from then on there is no rule: the rest is empty
	Rule    rules.Rule
	Judge   rules.Judge // nil where Rule.External

	revision history.Revision // of the put
}

// DefaultPeriod is that of rules that give none.
const DefaultPeriod = 24 * time.Hour

func (v *Version) period() history.Moment {
	if v.Rule.Period <= 0 {
		return history.Moment(DefaultPeriod.Microseconds())
	}
	return history.Moment(v.Rule.Period.Microseconds())
}

func (v *Version) needs() rules.Needs {
	if v.Judge == nil {
		return rules.Needs{}
	}
	return v.Judge.Needs()
}

// tickAt is the newest multiple of a period at or before a moment.
func tickAt(m, period history.Moment) history.Moment { return m - m%period }

// tenure is a span of captured time in which one version is in force.
type tenure struct {
	*Version
	from, to history.Moment
}

// listTenures finds the version in force: at every moment it is the one put last
// among those whose effective-from is not after it. Where that is a deletion, none
// is.
func (r *Ruling) listTenures() []tenure {
	bounds := make([]history.Moment, 0, len(r.Versions)+1)
	for i := range r.Versions {
		bounds = append(bounds, r.Versions[i].From)
	}
	slices.Sort(bounds)
	bounds = append(slices.Compact(bounds), history.Newest)
	var list []tenure
	for i, from := range bounds[:len(bounds)-1] {
		var last *Version
		for n := range r.Versions {
			if r.Versions[n].From <= from {
				last = &r.Versions[n]
			}
		}
		if n := len(list) - 1; n >= 0 && list[n].Version == last {
			list[n].to = bounds[i+1] // a version put earlier began here, in vain
			continue
		}
		list = append(list, tenure{last, from, bounds[i+1]})
	}
	return slices.DeleteFunc(list, func(t tenure) bool { return t.Deletes })
}

// any reports whether a version says so of itself.
func (r *Ruling) any(says func(*Version) bool) bool {
	return slices.ContainsFunc(r.Versions, func(v Version) bool { return says(&v) })
}

// external reports whether a version is evaluated elsewhere.
func (r *Ruling) external() bool { return r.any(func(v *Version) bool { return v.Rule.External }) }

// mayJudge reports whether a version may have a resource of that key in scope.
func (r *Ruling) mayJudge(k history.Key) bool {
	return sees(r.Owner, k) && r.any(func(v *Version) bool { return !v.Deletes && admits(&v.Rule.Scope, k) })
}

// sees reports whether a resource is one of the owner's.
func sees(o rules.Owner, k history.Key) bool { return !history.Reserved(k.Type) && o.Sees(k) }

// admits is Scope.Selects but for what the content tells.
func admits(s *rules.Scope, k history.Key) bool {
	untagged := *s
	untagged.TagKey = ""
	return untagged.Selects(k, nil)
}
