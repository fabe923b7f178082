package rulefile

import (
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/internal/node"
)

var (
	ruleKeys = []string{
		"name", "description", "identifier", "resourceTypes", "scope", "trigger", "period", "parameters", "inputParameters",
		"severity", "mode", "frameworks", "applicable", "compliant", "annotation", "external", "cases",
	}
	scopeKeys     = []string{"resourceTypes", "resourceIds", "tagKey", "tagValue", "accounts", "regions"}
	parameterKeys = []string{"type", "description", "default", "required"}
)

// reader takes members of a mapping one by one until one is wrong.
type reader struct {
	members map[string]node.Value
	err     error
}

func (r *reader) take(key string, use func(node.Value) error) {
	v, ok := r.members[key]
	if !ok || r.err != nil {
		return
	}
	r.err = v.Reject(use(v))
}

func (r *reader) text(key string, to *string) {
	r.take(key, func(v node.Value) (err error) { *to, err = v.Text(); return })
}

func (r *reader) texts(key string, to *[]string) {
	r.take(key, func(v node.Value) (err error) { *to, err = v.Texts(); return })
}

func (r *reader) bool(key string, to *bool) {
	r.take(key, func(v node.Value) (err error) { *to, err = v.Bool(); return })
}

// word reads a text that only some words are.
func word[T any](r *reader, key string, to *T, parse func(string) (T, error)) {
	r.take(key, func(v node.Value) error {
		text, err := v.Text()
		if err != nil {
			return err
		}
		*to, err = parse(text)
		return err
	})
}

func (d *Document) read() error {
	members, err := d.value.Known(ruleKeys...)
	if err != nil {
		return err
	}
	rule, r := &d.Rule, &reader{members: members}
	r.text("name", &rule.Name)
	r.text("description", &rule.Description)
	r.text("identifier", &rule.Identifier)
	r.take("scope", func(v node.Value) (err error) { rule.Scope, err = ReadScope(v); return })
	r.take("resourceTypes", func(v node.Value) (err error) {
		if rule.Scope.Types != nil {
			return v.Errorf("is given in scope too; leave one out")
		}
		rule.Scope.Types, err = v.Texts()
		return err
	})
	word(r, "trigger", &rule.Trigger, rules.ParseTrigger)
	word(r, "period", &rule.Period, rules.ParsePeriod)
	word(r, "severity", &rule.Severity, rules.ParseSeverity)
	word(r, "mode", &rule.Mode, rules.ParseMode)
	r.take("parameters", func(v node.Value) (err error) { rule.Parameters, err = readParameters(v); return })
	r.take("inputParameters", func(v node.Value) (err error) { rule.Arguments, err = readArguments(v); return })
	r.texts("frameworks", &rule.Frameworks)
	r.text("applicable", &rule.Applicable)
	r.text("compliant", &rule.Compliant)
	r.text("annotation", &rule.Annotation)
	r.bool("external", &rule.External)
	r.take("cases", func(v node.Value) error { d.Cases = &v; return nil })
	return r.err
}

// ReadScope reads a scope as it stands in a rule file.
func ReadScope(v node.Value) (rules.Scope, error) {
	members, err := v.Known(scopeKeys...)
	if err != nil {
		return rules.Scope{}, err
	}
	var s rules.Scope
	r := &reader{members: members}
	r.texts("resourceTypes", &s.Types)
	r.texts("resourceIds", &s.IDs)
	r.text("tagKey", &s.TagKey)
	r.text("tagValue", &s.TagValue)
	r.texts("accounts", &s.Accounts)
	r.texts("regions", &s.Regions)
	return s, r.err
}

func readParameters(v node.Value) ([]rules.Parameter, error) {
	declared, err := v.Members()
	if err != nil {
		return nil, err
	}
	var all []rules.Parameter
	for _, m := range declared {
		members, err := m.Known(parameterKeys...)
		if err != nil {
			return nil, err
		}
		p := rules.Parameter{Name: m.Key, Type: rules.ParameterString}
		r := &reader{members: members}
		r.text("type", (*string)(&p.Type))
		r.text("description", &p.Description)
		r.take("default", func(v node.Value) error {
			text, err := v.Text()
			p.Default = &text
			return err
		})
		r.bool("required", &p.Required)
		if r.err != nil {
			return nil, r.err
		}
		all = append(all, p)
	}
	return all, nil
}

func readArguments(v node.Value) (map[string]string, error) {
	members, err := v.Members()
	if err != nil {
		return nil, err
	}
	all := make(map[string]string, len(members))
	for _, m := range members {
		if all[m.Key], err = m.Text(); err != nil {
			return nil, err
		}
	}
	return all, nil
}
