package rules

import (
	"time"

	"github.com/varvehq/varve/history"
)

// Types of the resources that rules, waivers and verdicts are recorded as. The
// recorder takes them from nobody else, a collection run never misses them, and
// an inventory has them only where it is asked for the type.
const (
	TypeRule    = "Varve::Compliance::Rule"
	TypeWaiver  = "Varve::Compliance::Waiver"
	TypeVerdict = "Varve::Compliance::Verdict"
)

// Owner is whose rule it is.
type Owner = history.Owner

// Rule is one version of a rule. The zero values of Scope, Trigger, Period,
// Severity and Mode mean: everything, on change, 24 hours, medium, detective.
type Rule struct {
	Name        string // within its owner, 1 to 128 of A-Z a-z 0-9 _ . -
	Description string

	// Identifier names the managed rule that this is, as AWS Config does, such as
	// INCOMING_SSH_DISABLED; the judgement is then that one's. Empty otherwise.
	Identifier string

	Scope      Scope
	Trigger    Trigger
	Period     time.Duration // of the ticks of a rule that reads the clock, whole minutes
	Parameters []Parameter   // declared, sorted by name
	Arguments  map[string]string
	Severity   Severity
	Mode       Mode
	Frameworks []string // controls that the rule is evidence for, such as cis-aws-1.4/5.2

	// The judgement, in CEL (see package custom/cel); empty for managed rules and
	// for such as are evaluated elsewhere.
	Applicable string // bool: else NOT_APPLICABLE; empty: always
	Compliant  string // bool
	Annotation string // string: why not, for people; empty: a sentence from Description

	External bool // verdicts are put, not computed
}

// Scope selects the resources that a rule judges; empty lists select all, and
// what is given is joined by and. A rule over accounts has the type
// AWS::::Account: see AccountType.
type Scope struct {
	Types    []string
	IDs      []string // with exactly one type
	TagKey   string
	TagValue string // with TagKey; empty: any value
	Accounts []string
	Regions  []string
}

// AccountType is the type of the resource that stands for an account and its
// settings; its id is the account.
const AccountType = "AWS::::Account"

// ProcessCheck is the identifier of AWS Config's rule that nothing computes: people
// attest of an account that it complies. It is an external rule of AccountType here.
const ProcessCheck = "AWS_CONFIG_PROCESS_CHECK"

// Parameter is declared by a rule.
type Parameter struct {
	Name        string // case matters
	Type        ParameterType
	Description string
	Default     *string // nil: none
	Required    bool
}

// ParameterType is what the text of an argument must hold, in the words of AWS
// Config's rule list.
type ParameterType string

// The types of parameters.
const (
	ParameterString  ParameterType = "String"
	ParameterInt     ParameterType = "int"
	ParameterDouble  ParameterType = "double"
	ParameterBoolean ParameterType = "boolean"
	ParameterCSV     ParameterType = "CSV" // a list of texts, joined by commas

	// Names with lists of texts, such as "oracle: trace, audit; mysql: slowquery".
	ParameterStringMap ParameterType = "StringMap"
)

// Severity is how bad it is not to comply.
type Severity string

// The severities.
const (
	SeverityLow      Severity = "low"
	SeverityMedium   Severity = "medium"
	SeverityHigh     Severity = "high"
	SeverityCritical Severity = "critical"
)

// Mode says on what a rule may be asked: recorded resources, or ones that are
// only proposed.
type Mode uint8

// A rule has one mode at least.
const (
	Detective Mode = 1 << iota
	Proactive
)

// Trigger is what makes AWS Config evaluate a rule. Here every rule is evaluated on
// change, and at ticks if it reads the clock: see the package comment.
type Trigger uint8

// A rule has one trigger at least; they may be joined.
const (
	OnChange Trigger = 1 << iota
	Periodic
)

// Compliance is a verdict, in AWS Config's words where it has them.
type Compliance string

// An error is never taken for compliance.
const (
	Compliant        Compliance = "COMPLIANT"
	NonCompliant     Compliance = "NON_COMPLIANT"
	NotApplicable    Compliance = "NOT_APPLICABLE"
	InsufficientData Compliance = "INSUFFICIENT_DATA"
	Error            Compliance = "ERROR"
)

// Verdict is what an evaluation says.
type Verdict struct {
	Compliance Compliance
	Annotation string // why, for people: at most 256 characters
}

// Evaluation is one rule on one resource at one moment.
type Evaluation struct {
	Rule    string
	Owner   Owner
	Key     history.Key
	Version uint32         // of the resource
	At      history.Moment // captured
	Verdict
}
