package conformance

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/managed"
)

// Pack is a template with its parameters filled in.
type Pack struct {
	Name         string
	Description  string
	Parameters   []Parameter   // as all that follows in the order of the template
	Rules        []Rule        // each name once
	Remediations []Remediation // kept to be shown; nothing runs them
	Notes        []Note
}

// Parameter is an input of a pack.
type Parameter struct {
	Name        string
	Type        string // String, Number or CommaDelimitedList
	Description string
	Value       *string // given, else the default; nil: there is none
	Given       bool
}

// State tells whether a rule of a pack is judged.
type State string

// The states.
const (
	Active      State = "ACTIVE"
	Unsupported State = "UNSUPPORTED"
)

// Rule is a rule of a pack. If it is Active, it is normalized and can be recorded:
// what the template leaves open is as the managed rule has it, and the arguments are
// those of its parameters, each of its type; an empty one counts as not given. Its
// Frameworks are those of the managed rule and the Controls. If it is Unsupported, it
// has what the template says.
type Rule struct {
	rules.Rule
	LogicalID string // its key in the template
	State     State
	Reason    string   // why it is not judged; empty if Active
	Controls  []string // as the template has them

	Check  string // the check that it is part of; empty: none
	Status Status // of the check when the rule is not complied with
}

// Remediation is what the template would have AWS do about a rule's resources.
type Remediation struct {
	LogicalID  string
	Rule       string // name of the rule
	TargetType string // such as SSM_DOCUMENT
	TargetID   string // such as AWS-DisableS3BucketPublicReadWrite

	// Properties is all that the template says, as JSON; references to parameters
	// without a value, and functions that are not known, stand as they are.
	Properties jsontext.Value
}

// Note is something of a template that has no effect, for people to know.
type Note struct {
	Field        string // as Resources.Name.Condition
	Line, Column int
	Text         string // goes on after the field
}

// Catalogue tells of managed rules by their identifier; false: there is no such.
type Catalogue func(identifier string) (Managed, bool)

// Managed is what a pack must know of a managed rule.
type Managed struct {
	Rule        rules.Rule // as it is defined, its Parameters and Scope.Types among it
	Unsupported string     // why it cannot be judged; empty: it can
}

// Computed is the catalogue of the managed rules that this program computes.
func Computed(identifier string) (Managed, bool) {
	d := managed.Find(identifier)
	if d == nil {
		return Managed{}, false
	}
	return Managed{Rule: d.Rule}, true
}
