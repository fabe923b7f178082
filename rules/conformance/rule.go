package conformance

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/custom/cel"
)

// Bounds of lists: AWS's own, and far more than there are.
const (
	maxScopeTypes = 100
	maxControls   = 100
)

// rule reads a resource that is a rule, and adds it unless its condition is false.
func (l *loader) rule(r resource) error {
	rule := Rule{LogicalID: r.id, State: Active}
	unsupported := func(reason string) {
		if reason != "" && rule.State == Active {
			rule.State, rule.Reason = Unsupported, reason
		}
	}

	if n := r.attributes["Condition"]; n != nil {
		holds, reason, err := l.holds(n)
		if err != nil {
			return err
		}
		unsupported(reason)
		if !holds && reason == "" {
			l.pack.Notes = append(l.pack.Notes, l.note(n, "is false (%s), so the rule is left out", printable(n.Value)))
			return nil
		}
	}
	f, err := l.fields(r.properties, "ConfigRuleName", "Description", "Scope", "Source", "InputParameters", "MaximumExecutionFrequency", "EvaluationModes")
	if err != nil {
		return err
	}

	// What it is comes first, so that the reason named is that one.
	source, reason, err := l.resolved(f["Source"])
	if err != nil {
		return err
	}
	unsupported(reason)
	var managed Managed
	if reason == "" {
		if source == nil {
			return l.problem(r.properties, "has no Source")
		}
		if reason, err = l.source(&rule, source); err != nil {
			return err
		}
		unsupported(reason)
	}
	attested := rule.Identifier == rules.ProcessCheck
	if attested {
		if err := l.argumentNames(f["InputParameters"], nil); err != nil {
			return err
		}
		rule.Identifier, rule.External = "", true
	}
	if rule.Identifier != "" {
		known := false
		managed, known = l.managed(rule.Identifier)
		if !known {
			unsupported(rule.Identifier + " is no managed rule that this version computes")
		}
		unsupported(managed.Unsupported)
		if known {
			if err := l.argumentNames(f["InputParameters"], managed.Rule.Parameters); err != nil {
				return err
			}
		}
	}

	for _, part := range []struct {
		key  string
		read func(*Rule, *yaml.Node) error
	}{
		{"ConfigRuleName", l.ruleName}, {"Description", l.ruleDescription}, {"Scope", l.ruleScope},
		{"MaximumExecutionFrequency", l.rulePeriod}, {"EvaluationModes", l.ruleModes}, {"InputParameters", l.ruleArguments},
	} {
		value, reason, err := l.resolved(f[part.key])
		if err != nil {
			return err
		}
		unsupported(reason)
		if value == nil {
			continue
		}
		if err := part.read(&rule, value); err != nil {
			return err
		}
	}
	if rule.Name == "" {
		rule.Name = r.id
	}
	if attested {
		rule.Scope, rule.Period = rules.Scope{Types: []string{rules.AccountType}}, 0
	}
	if err := l.ruleControls(r, &rule); err != nil {
		return err
	}
	if err := l.ruleMetadata(r, &rule); err != nil {
		return err
	}
	if rule.State == Active && rule.Identifier != "" {
		reason, err := l.checkArguments(r, &rule, managed.Rule.Parameters)
		if err != nil {
			return err
		}
		unsupported(reason)
	}
	if rule.State == Active {
		rule.complete(&managed.Rule)
	}
	return l.addRule(r, &rule)
}

// complete gives a rule what the template leaves open.
func (r *Rule) complete(managed *rules.Rule) {
	r.Description = cmp.Or(r.Description, managed.Description)
	r.Trigger, r.Mode = managed.Trigger, cmp.Or(r.Mode, managed.Mode)
	r.Period = cmp.Or(r.Period, managed.Period)
	r.Severity = cmp.Or(r.Severity, managed.Severity)
	r.Frameworks = append(r.Frameworks, managed.Frameworks...)
	if len(r.Scope.Types) == 0 {
		r.Scope.Types = slices.Clone(managed.Scope.Types)
	}
	if r.Identifier == "" {
		for name := range r.Arguments {
			r.Parameters = append(r.Parameters, rules.Parameter{Name: name, Type: rules.ParameterString})
		}
	}
	r.Normalize()
}

func (l *loader) addRule(r resource, rule *Rule) error {
	i := slices.IndexFunc(l.pack.Rules, func(other Rule) bool { return other.Name == rule.Name })
	if i >= 0 {
		return l.problem(r.key, "has the name %s, as has %s; rules of a pack have names of their own", rule.Name, printable(l.pack.Rules[i].LogicalID))
	}

	// What is kept for show may have no judgement to check.
	checked := rule.Rule
	checked.External = rule.External || rule.Identifier == "" && rule.State == Unsupported
	if err := checked.Validate(); err != nil {
		return l.invalid(r.key, err)
	}
	if rule.Compliant != "" && rule.State == Active {
		if _, err := cel.Compile(&rule.Rule); err != nil {
			return l.invalid(r.key, err)
		}
	}
	l.resolver.values[r.id] = &rule.Name
	l.pack.Rules = append(l.pack.Rules, *rule)
	return nil
}

func (l *loader) holds(n *yaml.Node) (holds bool, reason string, err error) {
	holds, err = l.resolver.condition(n.Value)
	var m *missing
	if errors.As(err, &m) {
		return false, m.Error(), nil
	}
	return holds, "", err
}

func (l *loader) ruleName(rule *Rule, n *yaml.Node) (err error) {
	if rule.Name, err = l.text(n); err != nil {
		return err
	}
	if err := rules.CheckName("name", rule.Name); err != nil {
		return l.invalid(n, err)
	}
	return nil
}

func (l *loader) ruleDescription(rule *Rule, n *yaml.Node) (err error) {
	rule.Description, err = l.text(n)
	return err
}

func (l *loader) ruleScope(rule *Rule, n *yaml.Node) error {
	f, err := l.fields(n, "ComplianceResourceTypes", "ComplianceResourceId", "TagKey", "TagValue")
	if err != nil {
		return err
	}
	if types := f["ComplianceResourceTypes"]; types != nil {
		if rule.Scope.Types, err = l.texts(types, maxScopeTypes); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		key string
		set func(string)
	}{
		{"ComplianceResourceId", func(v string) { rule.Scope.IDs = []string{v} }},
		{"TagKey", func(v string) { rule.Scope.TagKey = v }},
		{"TagValue", func(v string) { rule.Scope.TagValue = v }},
	} {
		if f[part.key] == nil {
			continue
		}
		v, err := l.text(f[part.key])
		if err != nil {
			return err
		}
		part.set(v)
	}
	return nil
}

func (l *loader) rulePeriod(rule *Rule, n *yaml.Node) error {
	text, err := l.text(n)
	if err != nil {
		return err
	}
	if !strings.HasSuffix(text, "_Hour") && !strings.HasSuffix(text, "_Hours") {
		return l.problem(n, "is %q, which is none; there are One_Hour, Three_Hours, Six_Hours, Twelve_Hours and TwentyFour_Hours", shorten(text, 80))
	}
	if rule.Period, err = rules.ParsePeriod(text); err != nil {
		return l.invalid(n, err)
	}
	return nil
}

func (l *loader) ruleModes(rule *Rule, n *yaml.Node) error {
	elements, err := l.list(n, 1, 2)
	if err != nil {
		return err
	}
	for _, e := range elements {
		f, err := l.fields(e, "Mode")
		if err != nil {
			return err
		}
		if f["Mode"] == nil {
			return l.problem(e, "has no Mode; there are DETECTIVE and PROACTIVE")
		}
		text, err := l.text(f["Mode"])
		if err != nil {
			return err
		}
		mode, err := rules.ParseMode(strings.ToLower(text))
		if err != nil || text != strings.ToUpper(text) || mode == rules.Detective|rules.Proactive {
			return l.problem(f["Mode"], "is %q, which is none; there are DETECTIVE and PROACTIVE", shorten(text, 80))
		}
		rule.Mode |= mode
	}
	return nil
}

func (l *loader) ruleControls(r resource, rule *Rule) (err error) {
	n := r.attributes["Controls"]
	if n == nil {
		return nil
	}
	if rule.Controls, err = l.texts(n, maxControls); err != nil {
		return err
	}
	rule.Frameworks = slices.Compact(slices.Sorted(slices.Values(rule.Controls)))
	return nil
}

// ruleMetadata reads what the package comment tells of.
func (l *loader) ruleMetadata(r resource, rule *Rule) error {
	metadata := r.attributes["Metadata"]
	if metadata == nil {
		return nil
	}
	all, err := l.fields(metadata)
	if err != nil || all["Varve"] == nil {
		return err
	}
	f, err := l.fields(all["Varve"], "Check", "Status", "Severity")
	if err != nil {
		return err
	}
	for _, part := range []struct {
		key string
		set func(string) error
	}{
		{"Check", func(v string) error { rule.Check = v; return nil }},
		{"Status", func(v string) (err error) { rule.Status, err = parseStatus(v); return err }},
		{"Severity", func(v string) (err error) { rule.Severity, err = rules.ParseSeverity(v); return err }},
	} {
		if f[part.key] == nil {
			continue
		}
		v, err := l.text(f[part.key])
		if err != nil {
			return err
		}
		if err := part.set(v); err != nil {
			return l.invalid(f[part.key], err)
		}
	}
	if (rule.Check == "") != (rule.Status == "") {
		return l.problem(all["Varve"], "has one of Check and Status; give both")
	}
	return nil
}
