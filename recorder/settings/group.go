package settings

import (
	"slices"
	"unicode/utf8"
)

// Group says which resource types a recorder records.
type Group struct {
	Strategy      Strategy `json:"strategy"`
	IncludeGlobal bool     `json:"include_global,omitempty"` // with AllSupported: the global IAM types, too
	Types         []string `json:"types,omitempty"`          // included, or excluded
}

// Strategy is how the types of a group are meant, in AWS Config's words.
type Strategy string

// The strategies of recording.
const (
	AllSupported Strategy = "ALL_SUPPORTED_RESOURCE_TYPES"
	Inclusion    Strategy = "INCLUSION_BY_RESOURCE_TYPES"
	Exclusion    Strategy = "EXCLUSION_BY_RESOURCE_TYPES"
)

// How often something is recorded, in AWS Config's words.
const (
	Continuous = "CONTINUOUS"
	Daily      = "DAILY"
)

// Override records some types at another frequency than the others.
type Override struct {
	Description string   `json:"description,omitempty"`
	Types       []string `json:"types"`
	Frequency   string   `json:"frequency"`
}

// globalIAM are the types that a group of all types includes only when asked to.
var globalIAM = []string{"AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"}

// Bounds of a group.
const (
	mostTypes    = 2000
	longestType  = 196 // characters, as of resources that are put
	mostOverride = 1
)

// Records reports whether the group takes a resource type. All types there are count
// as supported.
func (g *Group) Records(resourceType string) bool {
	switch g.Strategy {
	case Inclusion:
		return slices.Contains(g.Types, resourceType)
	case Exclusion:
		return !slices.Contains(g.Types, resourceType)
	}
	return g.IncludeGlobal || !slices.Contains(globalIAM, resourceType)
}

// check says BadGroup of what is no group.
func (g *Group) check() error {
	switch g.Strategy {
	case AllSupported:
		if len(g.Types) > 0 {
			return BadGroup.Of(g.Types[0])
		}
		return nil
	case Inclusion, Exclusion:
		if len(g.Types) == 0 {
			return BadGroup.Of(string(g.Strategy))
		}
		if bad, ok := typesHold(g.Types); !ok {
			return BadGroup.Of(bad)
		}
		return nil
	}
	return BadGroup.Of(string(g.Strategy))
}

// typesHold holds a list of types to its bounds, and returns what breaks them.
func typesHold(list []string) (bad string, ok bool) {
	if len(list) > mostTypes {
		return list[mostTypes], false
	}
	for _, t := range list {
		if n := utf8.RuneCountInString(t); n == 0 || n > longestType {
			return t, false
		}
	}
	return "", true
}

// record has the group record types from now on, or no longer: it names them, or ceases
// to, as its strategy has it.
func (g *Group) record(recorded bool, types []string) error {
	if g.Strategy == AllSupported {
		return FixedGroup.Of(string(g.Strategy))
	}
	if len(types) == 0 {
		return BadType.Of("")
	}
	for _, t := range types {
		switch {
		case g.Records(t) != recorded:
		case recorded:
			return TypeThere.Of(t)
		default:
			return TypeNotThere.Of(t)
		}
		if i := slices.Index(g.Types, t); i >= 0 {
			g.Types = slices.Delete(g.Types, i, i+1)
		} else {
			g.Types = append(g.Types, t)
		}
	}
	if len(g.Types) == 0 {
		return LastType.Of(types[0])
	}
	if bad, ok := typesHold(g.Types); !ok {
		return BadType.Of(bad)
	}
	return nil
}

func unique(list []string) []string {
	var once []string
	for _, s := range list {
		if !slices.Contains(once, s) {
			once = append(once, s)
		}
	}
	return once
}
