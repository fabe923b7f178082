package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/words"
	"github.com/varvehq/varve/rules"
)

// Options say for whom a template is read, and with what.
type Options struct {
	Name       string            // of the pack: 1 to 128 of A-Z a-z 0-9 _ . -
	Owner      rules.Owner       // what it gives AWS::AccountId, AWS::Region and AWS::Partition
	Parameters map[string]string // values of the pack's parameters
	Managed    Catalogue         // nil: Computed
}

// Load reads a template. Its error is history.Invalid or history.TooLarge, about the
// key in its Field, with "line" and "column" in its Meta where it has a place.
func Load(template []byte, o Options) (*Pack, error) {
	if err := rules.CheckName("name", o.Name); err != nil {
		return nil, err
	}
	d, err := parse(template)
	if err != nil {
		return nil, err
	}
	if o.Managed == nil {
		o.Managed = Computed
	}
	l := &loader{
		document: d, pack: &Pack{Name: o.Name}, managed: o.Managed,
		declared: make(map[string]*yaml.Node), names: make(map[string]string), users: make(map[string][]string),
	}
	if err := l.load(o); err != nil {
		return nil, err
	}
	return l.pack, nil
}

// loader is one template on its way to a pack.
type loader struct {
	*document
	*resolver
	pack    *Pack
	managed Catalogue

	declared map[string]*yaml.Node // keys of the parameters by name
	names    map[string]string     // of the rules, by their logical ids
	users    map[string][]string   // who would use a parameter without a value
}

// The types of resources.
const (
	ruleType        = "AWS::Config::ConfigRule"
	remediationType = "AWS::Config::RemediationConfiguration"
)

// resource is one of the template's, its form checked.
type resource struct {
	id         string
	key        *yaml.Node
	typ        string
	properties *yaml.Node // nil: none
	attributes map[string]*yaml.Node
}

func (l *loader) load(o Options) error {
	sections, err := l.fields(l.root, "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Conditions", "Resources", "Outputs")
	if err != nil {
		return err
	}
	if n := sections["Description"]; n != nil {
		if l.pack.Description, err = l.text(n); err != nil {
			return err
		}
	}
	if n := sections["Outputs"]; n != nil {
		l.pack.Notes = append(l.pack.Notes, l.note(n, "are of no use here and are passed over"))
	}
	if err := l.parameters(sections["Parameters"], o.Parameters); err != nil {
		return err
	}
	conditions := map[string]*yaml.Node{}
	if n := sections["Conditions"]; n != nil {
		if conditions, err = l.fields(n); err != nil {
			return err
		}
	}
	if sections["Resources"] == nil {
		return l.problem(l.root, "has no Resources; a pack has one rule at least")
	}
	resources, err := l.resources(sections["Resources"])
	if err != nil {
		return err
	}

	check := checker{document: l.document, names: l.referable(resources), conditions: conditions}
	if n := sections["Conditions"]; n != nil {
		for i := 1; i < len(n.Content); i += 2 {
			if err := check.truth(n.Content[i]); err != nil {
				return err
			}
		}
	}
	l.resolver = &resolver{document: l.document, values: l.values(o.Owner), conditions: conditions, truths: make(map[string]outcome), missed: make(map[string]bool)}
	if err := l.acyclic(sections["Conditions"]); err != nil {
		return err
	}
	for _, r := range resources {
		if err := l.checkResource(r, check, resources); err != nil {
			return err
		}
	}
	return l.readResources(resources)
}

// resources reads the outer form of the resources, in the order of the template.
func (l *loader) resources(n *yaml.Node) ([]resource, error) {
	if _, err := l.fields(n); err != nil {
		return nil, err
	}
	if len(n.Content) == 0 {
		return nil, l.problem(n, "are none; a pack has one rule at least")
	}
	var all []resource
	for i := 0; i < len(n.Content); i += 2 {
		r := resource{id: n.Content[i].Value, key: n.Content[i]}
		body := n.Content[i+1]
		f, err := l.fields(body, "Type", "Properties", "Condition", "DependsOn", "Metadata", "Controls", "DeletionPolicy", "UpdateReplacePolicy")
		if err != nil {
			return nil, err
		}
		if f["Type"] == nil {
			return nil, l.problem(body, "has no Type; there are %s and %s", ruleType, remediationType)
		}
		if r.typ, err = l.text(f["Type"]); err != nil {
			return nil, err
		}
		if r.typ != ruleType && r.typ != remediationType {
			return nil, l.problem(f["Type"], "is the type %q, which packs do not have%s", shorten(r.typ, 80), words.Remedy(r.typ, []string{ruleType, remediationType}))
		}
		r.properties, r.attributes = f["Properties"], f
		if r.properties == nil {
			return nil, l.problem(body, "has no Properties")
		}
		all = append(all, r)
	}
	return all, nil
}

// referable lists what Ref may name beside pseudo parameters: the parameters, and
// the rules, for which their names stand.
func (l *loader) referable(resources []resource) []string {
	var names []string
	for _, p := range l.pack.Parameters {
		names = append(names, p.Name)
	}
	for _, r := range resources {
		if r.typ == ruleType {
			names = append(names, r.id)
		}
	}
	return names
}

func (l *loader) values(owner rules.Owner) map[string]*string {
	values := make(map[string]*string)
	for _, p := range l.pack.Parameters {
		values[p.Name] = p.Value
	}
	if owner.Account != "" {
		values["AWS::AccountId"] = &owner.Account
	}
	if owner.Region != "" {
		values["AWS::Region"] = &owner.Region
		partition := "aws"
		switch {
		case strings.HasPrefix(owner.Region, "cn-"):
			partition = "aws-cn"
		case strings.HasPrefix(owner.Region, "us-gov-"):
			partition = "aws-us-gov"
		}
		values["AWS::Partition"] = &partition
	}
	return values
}

// acyclic evaluates every condition, so that one which depends on itself is found
// whether it is used or not.
func (l *loader) acyclic(n *yaml.Node) error {
	if n == nil {
		return nil
	}
	for i := 0; i < len(n.Content); i += 2 {
		var m *missing
		if _, err := l.condition(n.Content[i].Value); err != nil && !errors.As(err, &m) {
			return err
		}
	}
	clear(l.missed)
	return nil
}

func (l *loader) checkResource(r resource, check checker, resources []resource) error {
	check.lenient = r.typ == remediationType
	if err := check.value(r.properties); err != nil {
		return err
	}
	if n := r.attributes["Condition"]; n != nil {
		if err := check.condition(n); err != nil {
			return err
		}
	}
	n := r.attributes["DependsOn"]
	if n == nil {
		return nil
	}
	on := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		on = n.Content
	}
	for _, n := range on {
		name, err := l.text(n)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(resources, func(r resource) bool { return r.id == name }) {
			return l.problem(n, "names the resource %q, which there is not", shorten(name, 80))
		}
	}
	return nil
}

// readResources makes rules and then remediations, which refer to them.
func (l *loader) readResources(resources []resource) error {
	for _, typ := range []string{ruleType, remediationType} {
		for _, r := range resources {
			if r.typ != typ {
				continue
			}
			clear(l.missed)
			read := l.rule
			if typ == remediationType {
				read = l.remediation
			}
			if err := read(r); err != nil {
				return err
			}
			for name := range l.missed {
				l.users[name] = append(l.users[name], r.id)
			}
		}
	}
	for _, p := range l.pack.Parameters {
		if p.Value == nil {
			l.pack.Notes = append(l.pack.Notes, l.note(l.declared[p.Name], "has no value%s", l.consequence(p.Name)))
		}
	}
	slices.SortStableFunc(l.pack.Notes, func(a, b Note) int { return a.Line - b.Line })
	return nil
}

// consequence says what comes of a parameter that has no value.
func (l *loader) consequence(parameter string) string {
	var unjudged, others []string
	for _, id := range l.users[parameter] {
		i := slices.IndexFunc(l.pack.Rules, func(r Rule) bool { return r.LogicalID == id })
		if i >= 0 && strings.Contains(l.pack.Rules[i].Reason, (&missing{parameter}).Error()) {
			unjudged = append(unjudged, id)
		} else {
			others = append(others, id)
		}
	}
	switch {
	case len(unjudged) > 0:
		return fmt.Sprintf(", for want of which there is no judging by %s", strings.Join(unjudged, ", "))
	case len(others) > 0:
		return fmt.Sprintf("; only %s would use it, which nothing judges or runs", strings.Join(others, ", "))
	}
	return "; nothing uses it"
}

// resolved gives a node its values. If one is missing, it says so as the reason why
// a rule is not judged.
func (l *loader) resolved(n *yaml.Node) (value *yaml.Node, reason string, err error) {
	if n == nil {
		return nil, "", nil
	}
	value, err = l.resolver.value(n)
	var m *missing
	if errors.As(err, &m) {
		return nil, m.Error(), nil
	}
	return value, "", err
}

// invalid puts the place of a node to an error that has none.
func (l *loader) invalid(n *yaml.Node, err error) error {
	var e *history.Error
	if !errors.As(err, &e) {
		return l.problem(n, "%v", err)
	}
	return l.problem(n, "cannot be accepted: %s", e.Message())
}
