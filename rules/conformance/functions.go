package conformance

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/varvehq/varve/history/words"
)

// noValue stands for the absence of what it is given to.
const noValue = "AWS::NoValue"

// CloudFormation's pseudo parameters and functions. Those that are not evaluated here
// are told apart from slips of the pen.
var (
	pseudoParameters = []string{noValue, "AWS::AccountId", "AWS::Region", "AWS::Partition",
		"AWS::StackId", "AWS::StackName", "AWS::URLSuffix", "AWS::NotificationARNs"}
	valueFunctions     = []string{"Ref", "Fn::If", "Fn::Join", "Fn::Sub"}
	conditionFunctions = []string{"Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or", "Condition"}
	otherFunctions     = []string{"Fn::Base64", "Fn::Cidr", "Fn::FindInMap", "Fn::ForEach", "Fn::GetAtt", "Fn::GetAZs",
		"Fn::ImportValue", "Fn::Length", "Fn::Select", "Fn::Split", "Fn::ToJsonString", "Fn::Transform"}
)

// call recognizes a function: a mapping of its name, alone, to its argument.
func call(n *yaml.Node) (name string, argument *yaml.Node, ok bool) {
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 {
		return "", nil, false
	}
	name = n.Content[0].Value
	return name, n.Content[1], name == "Ref" || strings.HasPrefix(name, "Fn::")
}

// checker holds functions to their form and their references to what there is,
// whatever branch will be taken.
type checker struct {
	*document
	names      []string // that Ref may have, but for pseudo parameters
	conditions map[string]*yaml.Node

	// lenient: a function that is not known is left as it is
	lenient bool
}

// value checks a node that gives a value.
func (c checker) value(n *yaml.Node) error {
	name, argument, ok := call(n)
	switch {
	case !ok:
		return c.plainValue(n)
	case name == "Ref":
		return c.ref(argument)
	case name == "Fn::If":
		parts, err := c.list(argument, 3, 3)
		if err != nil {
			return err
		}
		if err := c.condition(parts[0]); err != nil {
			return err
		}
		if err := c.value(parts[1]); err != nil {
			return err
		}
		return c.value(parts[2])
	case name == "Fn::Join":
		return c.join(argument)
	case name == "Fn::Sub":
		return c.sub(argument)
	case c.lenient || slices.Contains(otherFunctions, name):
		return nil
	case slices.Contains(conditionFunctions, name):
		return c.problem(n.Content[0], "gives no value; it may stand in Conditions only")
	}
	return c.problem(n.Content[0], "is a function that packs do not have here%s", words.Remedy(name, valueFunctions))
}

func (c checker) plainValue(n *yaml.Node) error {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if (child.Value == "Ref" || strings.HasPrefix(child.Value, "Fn::")) && !c.lenient {
				return c.problem(child, "is a function, which must stand alone in its mapping")
			}
			continue
		}
		if err := c.value(child); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) ref(argument *yaml.Node) error {
	name, err := c.text(argument)
	if err != nil {
		return err
	}
	return c.reference(argument, name)
}

func (c checker) reference(at *yaml.Node, name string) error {
	if slices.Contains(pseudoParameters, name) || slices.Contains(c.names, name) {
		return nil
	}
	return c.problem(at, "refers to %q, which is no parameter of the pack%s", shorten(name, 80), words.Remedy(name, c.names))
}

// join checks [delimiter, [value, …]].
func (c checker) join(argument *yaml.Node) error {
	parts, err := c.list(argument, 2, 2)
	if err != nil {
		return err
	}
	if _, err := c.text(parts[0]); err != nil {
		return err
	}
	if parts[1].Kind != yaml.SequenceNode {
		return c.problem(parts[1], "must be a list of what is to be joined")
	}
	return c.value(parts[1])
}

// sub checks a text with variables, or such a text and a mapping of variables.
func (c checker) sub(argument *yaml.Node) error {
	template, own := argument, map[string]*yaml.Node{}
	if argument.Kind == yaml.SequenceNode {
		parts, err := c.list(argument, 2, 2)
		if err != nil {
			return err
		}
		if own, err = c.fields(parts[1]); err != nil {
			return err
		}
		if err := c.value(parts[1]); err != nil {
			return err
		}
		template = parts[0]
	}
	text, err := c.text(template)
	if err != nil {
		return err
	}
	for _, v := range variable.FindAllStringSubmatch(text, -1) {
		name := strings.TrimSpace(v[1])
		// An attribute, of which the part before the dot is a resource, has no value here.
		if strings.HasPrefix(name, "!") || own[name] != nil || strings.Contains(name, ".") {
			continue
		}
		if err := c.reference(template, name); err != nil {
			return err
		}
	}
	return nil
}

// variable is one of Fn::Sub; one that begins with ! stands for itself.
var variable = regexp.MustCompile(`\$\{([^{}]*)\}`)

// condition checks the name of a condition.
func (c checker) condition(n *yaml.Node) error {
	name, err := c.text(n)
	if err != nil {
		return err
	}
	if c.conditions[name] == nil {
		return c.problem(n, "names the condition %q, which there is not%s", shorten(name, 80), words.Remedy(name, keys(c.conditions)))
	}
	return nil
}

// truth checks a node that is true or false.
func (c checker) truth(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 {
		return c.problem(n, "must be one of %s", strings.Join(conditionFunctions, ", "))
	}
	switch name, argument := n.Content[0].Value, n.Content[1]; name {
	case "Condition":
		return c.condition(argument)
	case "Fn::Equals":
		parts, err := c.list(argument, 2, 2)
		if err != nil {
			return err
		}
		for _, p := range parts {
			if err := c.compared(p); err != nil {
				return err
			}
		}
		return nil
	case "Fn::Not":
		return c.truths(argument, 1, 1)
	case "Fn::And", "Fn::Or":
		return c.truths(argument, 2, 10)
	default:
		return c.problem(n.Content[0], "is no function of conditions%s", words.Remedy(name, conditionFunctions))
	}
}

func (c checker) truths(n *yaml.Node, least, most int) error {
	parts, err := c.list(n, least, most)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := c.truth(p); err != nil {
			return err
		}
	}
	return nil
}

// compared checks what stands in Fn::Equals: a text, or a reference to one.
func (c checker) compared(n *yaml.Node) error {
	if name, argument, ok := call(n); ok && name == "Ref" {
		if argument.Value == noValue {
			return c.problem(argument, "is no text to compare")
		}
		return c.ref(argument)
	}
	_, err := c.text(n)
	return err
}

func keys(m map[string]*yaml.Node) []string {
	all := make([]string, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	return all
}
