package awsconfig

import (
	"maps"
	"slices"
	"strings"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/managed"
)

// Words of the shapes of rules.
const (
	ownerAWS    = "AWS"
	ownerLambda = "CUSTOM_LAMBDA"
	ownerPolicy = "CUSTOM_POLICY"

	runtimeCEL = "cel" // our own, beside guard-2.x.x

	eventSource = "aws.config"
	onChange    = "ConfigurationItemChangeNotification"
	onOversized = "OversizedConfigurationItemChangeNotification"
	onSchedule  = "ScheduledNotification"
	onSnapshot  = "ConfigurationSnapshotDeliveryCompleted"

	detective = "DETECTIVE"
	proactive = "PROACTIVE"
)

func notParameter(text string, args ...any) error {
	return refuse("InvalidParameterValueException", text, args...)
}

// ruleOf is the rule that a shape asks for.
func ruleOf(name string, in *shape.ConfigRule) (*rules.Rule, error) {
	switch {
	case in.CreatedBy != "":
		return nil, notParameter("AWS Config populates the CreatedBy field for ServiceLinkedConfigRule. Try again without populating the CreatedBy field")
	case in.ConfigRuleState != "" && in.ConfigRuleState != "ACTIVE":
		return nil, notParameter("The ConfigRuleState %s is invalid. Only the following values are permitted: ACTIVE", in.ConfigRuleState)
	case in.RuleEvaluationVisibility != "":
		return nil, notParameter("RuleEvaluationVisibility is of rules that other services make; leave it out")
	}
	r := &rules.Rule{Name: name, Description: in.Description}
	if err := readScope(r, in.Scope); err != nil {
		return nil, err
	}
	arguments, err := argumentsOf(in.InputParameters)
	if err != nil {
		return nil, err
	}
	switch in.Source.Owner {
	case ownerAWS:
		err = managedRule(r, in, arguments)
	case ownerLambda:
		err = functionRule(r, in)
	default:
		err = policyRule(r, in, arguments)
	}
	if err != nil {
		return nil, err
	}
	return r, readModes(r, in.EvaluationModes)
}

func readScope(r *rules.Rule, in *shape.Scope) error {
	if in == nil {
		return nil
	}
	switch {
	case len(in.ServicePrincipals) > 0:
		return notParameter("ServicePrincipals in scope are of rules that other services make; leave them out")
	case in.TagValue != "" && in.TagKey == "":
		return notParameter("Tag key should not be empty when tag value is provided in scope")
	case in.TagKey != "" && (len(in.ComplianceResourceTypes) > 0 || in.ComplianceResourceID != ""):
		return notParameter("Scope cannot be applied to both resource and tag")
	case in.ComplianceResourceID != "" && len(in.ComplianceResourceTypes) != 1:
		return notParameter("A single resourceType should be provided when resourceId is provided in scope")
	}
	r.Scope = rules.Scope{Types: slices.Clone(in.ComplianceResourceTypes), TagKey: in.TagKey, TagValue: in.TagValue}
	if in.ComplianceResourceID != "" {
		r.Scope.IDs = []string{in.ComplianceResourceID}
	}
	return nil
}

// readModes says on what a rule is asked. One that is evaluated elsewhere is not
// asked about what is only proposed.
func readModes(r *rules.Rule, in []shape.EvaluationModeConfiguration) error {
	for _, mode := range in {
		switch mode.Mode {
		case detective:
			r.Mode |= rules.Detective
		case proactive:
			r.Mode |= rules.Proactive
		}
	}
	if r.Mode&rules.Proactive != 0 && r.External {
		return notParameter("The evaluation mode PROACTIVE is not available for a rule that is evaluated elsewhere; leave it out")
	}
	return nil
}

// managedRule makes a rule one of AWS Config's own.
func managedRule(r *rules.Rule, in *shape.ConfigRule, arguments map[string]string) error {
	identifier := in.Source.SourceIdentifier
	switch {
	case len(in.Source.SourceDetails) > 0:
		return notParameter("SourceDetails should be null/empty if the owner is AWS. A managed rule has a trigger of its own")
	case in.Source.CustomPolicyDetails != nil:
		return notParameter("CustomPolicyDetails should be null/empty if the owner is not CUSTOM_POLICY")
	case identifier == "":
		return notParameter("The sourceIdentifier should not be null/empty if the owner is AWS")
	case identifier == rules.ProcessCheck:
		return attested(r, in, arguments)
	}
	definition := managed.Find(identifier)
	if definition == nil {
		_, err := managed.Resolve(&rules.Rule{Identifier: identifier})
		return notParameter("The sourceIdentifier %s is invalid. Please refer to the documentation for a list of valid sourceIdentifiers that can be used when AWS is the Owner: %v", identifier, err)
	}
	if err := checkArguments(definition.Rule.Parameters, arguments, in.InputParameters); err != nil {
		return err
	}
	put, err := definition.New(r.Name, arguments)
	if err != nil {
		return err
	}
	put.Scope = r.Scope
	put.Mode = 0
	if r.Description != "" {
		put.Description = r.Description
	}
	if in.MaximumExecutionFrequency != "" {
		if put.Trigger&rules.Periodic == 0 {
			return notParameter("A maximum execution frequency is not allowed for the managed rule %s, whose trigger is a change of configuration", identifier)
		}
		if put.Period, err = rules.ParsePeriod(in.MaximumExecutionFrequency); err != nil {
			return err
		}
	}
	*r = *put
	return nil
}

// checkArguments tells in AWS Config's words which arguments are one too many or
// one too few.
func checkArguments(parameters []rules.Parameter, arguments map[string]string, text string) error {
	for name := range arguments {
		if !slices.ContainsFunc(parameters, func(p rules.Parameter) bool { return p.Name == name }) {
			return notParameter("Unknown parameters provided in the inputParameters: %s", text)
		}
	}
	var missing []string
	for _, p := range parameters {
		if p.Required && p.Default == nil && arguments[p.Name] == "" {
			missing = append(missing, p.Name)
		}
	}
	if len(missing) > 0 {
		return notParameter("The required parameter [%s] is not present in the inputParameters", strings.Join(missing, ", "))
	}
	return nil
}

// attested makes a rule whose verdict on the account is put with
// PutExternalEvaluation.
func attested(r *rules.Rule, in *shape.ConfigRule, arguments map[string]string) error {
	switch {
	case in.MaximumExecutionFrequency != "":
		return notParameter("A maximum execution frequency is not allowed for the managed rule %s, which is evaluated by hand", rules.ProcessCheck)
	case len(arguments) > 0:
		return notParameter("Unknown parameters provided in the inputParameters: %s", in.InputParameters)
	case r.Scope.TagKey != "" || len(r.Scope.Types) > 0 && !slices.Equal(r.Scope.Types, []string{rules.AccountType}):
		return notParameter("The managed rule %s is about %s only; leave the scope out", rules.ProcessCheck, rules.AccountType)
	}
	r.External, r.Scope.Types = true, []string{rules.AccountType}
	return nil
}

// functionRule makes a rule one that a function of the user's evaluates, from which
// verdicts come with PutEvaluations.
func functionRule(r *rules.Rule, in *shape.ConfigRule) error {
	switch {
	case in.Source.CustomPolicyDetails != nil:
		return notParameter("CustomPolicyDetails should be null/empty if the owner is not CUSTOM_POLICY")
	case !strings.HasPrefix(in.Source.SourceIdentifier, "arn:") || !strings.Contains(in.Source.SourceIdentifier, ":lambda:"):
		return notParameter("The sourceIdentifier '%s' is not valid. It should be the Arn of a Lambda function if the owner is CUSTOM_LAMBDA", in.Source.SourceIdentifier)
	case len(in.Source.SourceDetails) == 0:
		return notParameter("SourceDetails should not be null/empty if the owner is CUSTOM_LAMBDA")
	}
	r.External = true
	return readTriggers(r, in)
}

// policyRule makes a rule of a policy in CEL.
func policyRule(r *rules.Rule, in *shape.ConfigRule, arguments map[string]string) error {
	details := in.Source.CustomPolicyDetails
	switch {
	case in.Source.SourceIdentifier != "":
		return notParameter("SourceIdentifier should be null/empty if the owner is CUSTOM_POLICY")
	case details == nil:
		return notParameter("CustomPolicyDetails should not be null/empty if the owner is CUSTOM_POLICY")
	case details.PolicyRuntime != runtimeCEL:
		return notParameter("The PolicyRuntime %s is not evaluated here: Guard is not offered. Write the policy in CEL, as a condition that is true of what complies, with the PolicyRuntime %s", details.PolicyRuntime, runtimeCEL)
	case strings.TrimSpace(details.PolicyText) == "":
		return notParameter("The PolicyText should not be empty")
	}
	r.Compliant, r.Arguments = details.PolicyText, arguments
	for _, name := range slices.Sorted(maps.Keys(arguments)) {
		r.Parameters = append(r.Parameters, rules.Parameter{Name: name, Type: rules.ParameterString})
	}
	return readTriggers(r, in)
}

// readTriggers reads what makes a rule of the user's be evaluated.
func readTriggers(r *rules.Rule, in *shape.ConfigRule) error {
	snapshots := false
	for _, details := range in.Source.SourceDetails {
		frequency := details.MaximumExecutionFrequency
		switch details.MessageType {
		case onChange, onOversized:
			if frequency != "" {
				return notParameter("A maximum execution frequency is not allowed if MessageType is %s or %s", onChange, onOversized)
			}
			r.Trigger |= rules.OnChange
			continue
		case onSchedule:
		case onSnapshot:
			snapshots = true
		default:
			return notParameter("Missing required parameter in ConfigRule.SourceDetails: \"MessageType\"")
		}
		r.Trigger |= rules.Periodic
		if frequency == "" {
			continue
		}
		period, err := rules.ParsePeriod(frequency)
		if err != nil {
			return err
		}
		r.Period = period
	}
	if in.MaximumExecutionFrequency == "" {
		return nil
	}
	if !snapshots {
		return notParameter("MaximumExecutionFrequency of a custom rule is given in its SourceDetails, with the MessageType %s", onSchedule)
	}
	var err error
	r.Period, err = rules.ParsePeriod(in.MaximumExecutionFrequency)
	return err
}
