package awsconfig

import (
	"github.com/varvehq/varve/rules"
)

// A rule is recorded under a name of its own, or as PACK/NAME. What AWS Config's
// clients know of the latter is a name such as
//
//	restricted-ssh-conformance-pack-k3mm1pn2x
//
// with the same end for all rules of the pack, which is the id of the pack.

// longestName is how many characters the name of a rule has at most.
const longestName = 128

// nameOf is the name by which clients know a rule.
func nameOf(o rules.Owner, recorded string) string {
	pack, name := rules.Unqualify(recorded)
	if pack == "" {
		return name
	}
	end := "-" + rules.ConformancePackID(o, pack)
	if most := longestName - len(end); len(name) > most {
		id := rules.ConfigRuleID(o, recorded)
		id = id[len(id)-7:] // with its dash
		name = name[:most-len(id)] + id
	}
	return name + end
}
