package conformance

import "go.yaml.in/yaml/v3"

// source reads who judges: a managed rule, a condition, or what cannot be asked here,
// with the reason.
func (l *loader) source(rule *Rule, n *yaml.Node) (reason string, err error) {
	f, err := l.fields(n, "Owner", "SourceIdentifier", "SourceDetails", "CustomPolicyDetails")
	if err != nil {
		return "", err
	}
	if f["Owner"] == nil {
		return "", l.problem(n, "has no Owner; it is AWS for a managed rule")
	}
	owner, err := l.text(f["Owner"])
	if err != nil {
		return "", err
	}
	switch owner {
	case "CUSTOM_POLICY":
		return l.policy(rule, n, f["CustomPolicyDetails"])
	case "CUSTOM_LAMBDA":
		return "it is evaluated by a function of the user's, which is not called from here; put it as a rule of its own, to which verdicts can be put, or write it in CEL", nil
	case "AWS":
	default:
		return "", l.problem(f["Owner"], "is %q, which is none; there are AWS, CUSTOM_POLICY and CUSTOM_LAMBDA", shorten(owner, 80))
	}
	if f["SourceIdentifier"] == nil {
		return "", l.problem(n, "has no SourceIdentifier, which a managed rule needs")
	}
	rule.Identifier, err = l.text(f["SourceIdentifier"])
	if err == nil && rule.Identifier == "" {
		err = l.problem(f["SourceIdentifier"], "is empty")
	}
	return "", err
}

// policy reads a policy of the user's, of which those in CEL are judged.
func (l *loader) policy(rule *Rule, source, n *yaml.Node) (reason string, err error) {
	if n == nil {
		return "", l.problem(source, "has no CustomPolicyDetails, which a custom policy needs")
	}
	f, err := l.fields(n, "PolicyRuntime", "PolicyText", "EnableDebugLogDelivery")
	if err != nil {
		return "", err
	}
	for _, required := range []string{"PolicyRuntime", "PolicyText"} {
		if f[required] == nil {
			return "", l.problem(n, "has no %s", required)
		}
	}
	runtime, err := l.text(f["PolicyRuntime"])
	switch {
	case err != nil:
		return "", err
	case runtime != "cel":
		return "its policy is written in Guard, which is not evaluated here; write the rule in CEL", nil
	}
	rule.Compliant, err = l.text(f["PolicyText"])
	return "", err
}
