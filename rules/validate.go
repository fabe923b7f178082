package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/varvehq/varve/history"
)

// Bounds of what a rule and a waiver may hold, in bytes and in number.
const (
	maxName        = 128
	maxText        = 1024 // a description, a reason
	maxExpression  = 16 << 10
	maxScoped      = 1000 // values of one list of a scope
	maxParameters  = 100
	maxArgument    = 4096
	maxFrameworks  = 500
	maxTagKey      = 128
	maxTagValue    = 256
	nameRemedy     = "may hold A-Z a-z 0-9 _ . - only, and 128 of them at most"
	identRemedy    = "may hold A-Z a-z 0-9 _ only, and not begin with a digit"
	requiredRemedy = "is required"
)

// Normalize puts a rule in the form that is recorded: what is not said is filled
// in, sets are sorted and hold nothing twice, and what is empty is nil.
func (r *Rule) Normalize() {
	if r.Trigger == 0 {
		r.Trigger = OnChange
	}
	if r.Period == 0 {
		r.Period = DefaultPeriod
	}
	if r.Severity == "" {
		r.Severity = SeverityMedium
	}
	if r.Mode == 0 {
		r.Mode = Detective
	}
	r.Scope.normalize()
	sortSet(&r.Frameworks)
	slices.SortStableFunc(r.Parameters, func(a, b Parameter) int { return strings.Compare(a.Name, b.Name) })
	if len(r.Parameters) == 0 {
		r.Parameters = nil
	}
	if len(r.Arguments) == 0 {
		r.Arguments = nil
	}
}

func (s *Scope) normalize() {
	for _, set := range []*[]string{&s.Types, &s.IDs, &s.Accounts, &s.Regions} {
		sortSet(set)
	}
}

func sortSet(set *[]string) {
	slices.Sort(*set)
	if *set = slices.Compact(*set); len(*set) == 0 {
		*set = nil
	}
}

// Validate says what of the rule cannot be accepted: history.Invalid about a field,
// named as in a rule file. It does not compile expressions, and of a managed rule,
// whose parameters are declared elsewhere, it does not check the arguments.
func (r *Rule) Validate() error {
	if err := CheckName("name", r.Name); err != nil {
		return err
	}
	if err := checkText("description", r.Description, maxText); err != nil {
		return err
	}
	if err := r.Scope.validate(); err != nil {
		return err
	}
	if r.Trigger&^(OnChange|Periodic) != 0 {
		return invalid("trigger", r.Trigger.String(), "is none; there are change, periodic and both")
	}
	if r.Mode&^(Detective|Proactive) != 0 {
		return invalid("mode", r.Mode.String(), "is none; there are detective, proactive and both")
	}
	if r.Period != 0 {
		if err := checkPeriod(r.Period); err != nil {
			return err
		}
	}
	if r.Severity != "" {
		if _, err := ParseSeverity(string(r.Severity)); err != nil {
			return err
		}
	}
	if err := checkList("frameworks", r.Frameworks, maxFrameworks, maxTagValue); err != nil {
		return err
	}
	if err := checkParameters(r.Parameters); err != nil {
		return err
	}
	if err := r.validateJudgement(); err != nil {
		return err
	}
	if r.Identifier != "" {
		return checkArgumentTexts(r.Arguments)
	}
	_, err := Bind(r.Parameters, r.Arguments)
	return err
}

// validateJudgement holds a rule to one way of being judged.
func (r *Rule) validateJudgement() error {
	if r.Identifier != "" {
		if !made(r.Identifier, maxName*2, upper+digits+"_") {
			return invalid("identifier", r.Identifier, "is none of a managed rule; these hold A-Z 0-9 _ only, such as INCOMING_SSH_DISABLED")
		}
		if r.External {
			return invalid("external", "", "is not for a managed rule, which is computed; leave one of external and identifier out")
		}
	}
	for _, e := range []struct{ field, text string }{
		{"compliant", r.Compliant}, {"applicable", r.Applicable}, {"annotation", r.Annotation},
	} {
		switch {
		case e.text == "":
		case r.Identifier != "":
			return invalid(e.field, "", "is given by the managed rule; leave it out, or leave identifier out")
		case r.External:
			return invalid(e.field, "", "is not for a rule whose verdicts are put; leave it out, or leave external out")
		}
		if err := checkText(e.field, e.text, maxExpression); err != nil {
			return err
		}
	}
	if r.Identifier == "" && !r.External && strings.TrimSpace(r.Compliant) == "" {
		return invalid("compliant", "", "is required: an expression that is true of what complies; or name a managed rule with identifier, or say external: true")
	}
	return nil
}

func (s *Scope) validate() error {
	for _, list := range []struct {
		field  string
		values []string
		length int
	}{
		{"scope.resourceTypes", s.Types, history.MaxType},
		{"scope.resourceIds", s.IDs, history.MaxID},
		{"scope.accounts", s.Accounts, history.MaxAccount},
		{"scope.regions", s.Regions, history.MaxRegion},
	} {
		if err := checkList(list.field, list.values, maxScoped, list.length); err != nil {
			return err
		}
	}
	for _, t := range s.Types {
		switch t {
		case TypeRule, TypeWaiver, TypeVerdict:
			return invalid("scope.resourceTypes", t, "is how rules and verdicts are recorded; no rule judges it")
		}
	}
	if len(s.IDs) > 0 && len(s.Types) != 1 {
		return invalid("scope.resourceIds", "", fmt.Sprintf("needs exactly one type in scope.resourceTypes; there are %d", len(s.Types)))
	}
	if s.TagValue != "" && s.TagKey == "" {
		return invalid("scope.tagValue", s.TagValue, "needs scope.tagKey")
	}
	if err := checkText("scope.tagKey", s.TagKey, maxTagKey*utf8.UTFMax); err != nil {
		return err
	}
	return checkText("scope.tagValue", s.TagValue, maxTagValue*utf8.UTFMax)
}

// CheckName holds the name of a rule or waiver to 1 to 128 of A-Z a-z 0-9 _ . -
func CheckName(field, name string) error {
	switch {
	case name == "":
		return invalid(field, "", requiredRemedy)
	case !made(name, maxName, upper+lower+digits+"_.-"):
		return invalid(field, name, nameRemedy)
	}
	return nil
}

const (
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

// made reports whether text is made of some characters, and not longer than most.
func made(text string, most int, of string) bool {
	return len(text) <= most && strings.Trim(text, of) == "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !strings.ContainsRune(of, r)
	})
}

func checkText(field, text string, most int) error {
	switch {
	case len(text) > most:
		return &history.Error{Kind: history.TooLarge, Field: field, Text: fmt.Sprintf("has %d bytes; at most %d are kept", len(text), most)}
	case !utf8.ValidString(text):
		return invalid(field, text, "is not valid UTF-8")
	case strings.IndexByte(text, 0) >= 0:
		return invalid(field, text, "holds a NUL character")
	}
	return nil
}

func checkList(field string, values []string, most, length int) error {
	if len(values) > most {
		return &history.Error{Kind: history.TooLarge, Field: field, Text: fmt.Sprintf("has %d values; at most %d are allowed", len(values), most)}
	}
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		if v == "" && field != "scope.accounts" && field != "scope.regions" {
			return invalid(field, "", "holds an empty value; leave it out")
		}
		if seen[v] {
			return invalid(field, v, "is given twice")
		}
		seen[v] = true
		if err := checkText(field, v, length); err != nil {
			return err
		}
	}
	return nil
}

func toValid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
