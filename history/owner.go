package history

import "slices"

// Owner is who has set something up, such as a rule or a configuration recorder, for
// an account, a region or both; the zero Owner is the whole installation.
type Owner struct {
	Account, Region string
}

// GlobalRegion is what AWS Config calls the region of what an account has once for all
// regions, such as its users.
const GlobalRegion = "global"

// Sees reports whether a resource is the owner's: of its account and region. What
// is of no account is of every one, and what is of no region, or global, is of every
// region.
func (o Owner) Sees(k Key) bool {
	return (o.Account == "" || k.Account == "" || o.Account == k.Account) &&
		(o.Region == "" || k.Region == "" || k.Region == GlobalRegion || o.Region == k.Region)
}

// Questions are the ones that find an owner's part of what one asks for, whose
// account and region are not set. Their answers follow each other in the order of
// keys; of an owner without an account they hold more than what Sees says.
func (o Owner) Questions(q Query) []Query {
	if o.Account == "" {
		return []Query{q}
	}
	accounts, regions := []string{"", o.Account}, []string{"", GlobalRegion, o.Region}
	slices.Sort(regions)
	regions = slices.Compact(regions)
	q.HasAccount = true
	var list []Query
	for _, q.Account = range accounts {
		if o.Region == "" {
			list = append(list, q)
			continue
		}
		q.HasRegion = true
		for _, q.Region = range regions {
			list = append(list, q)
		}
	}
	return list
}
