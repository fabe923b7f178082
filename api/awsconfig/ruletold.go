package awsconfig

import (
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/api/awsconfig/shape"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/recorded"
)

// asTold names, in a recorded rule, the shape in which it was put through this door.
const asTold = "aws"

// tell keeps with a rule what its shape says: a client that compares what it put
// with what it is answered finds no difference. The text of a policy is the rule's
// own.
func tell(r *recorded.Rule, in *shape.ConfigRule) error {
	said := *in
	said.ConfigRuleName, said.ConfigRuleARN, said.ConfigRuleID, said.ConfigRuleState = "", "", "", ""
	if details := said.Source.CustomPolicyDetails; details != nil {
		source, kept := *said.Source, *details
		kept.PolicyText = ""
		source.CustomPolicyDetails = &kept
		said.Source = &source
	}
	text, err := shape.Encode(&said)
	if err != nil {
		return err
	}
	canonical := jsontext.Value(text)
	if err := canonical.Canonicalize(); err != nil {
		return err
	}
	r.AsTold = map[string][]byte{asTold: canonical}
	return nil
}

// toldOf is what tell has kept; nil: nothing.
func toldOf(r *recorded.Rule) (*shape.ConfigRule, error) {
	text, ok := r.AsTold[asTold]
	if !ok {
		return nil, nil
	}
	said := &shape.ConfigRule{}
	var limits shape.Violations // it was within them when it was put
	if err := shape.Decode(text, said); err != nil && !errors.As(err, &limits) {
		return nil, &history.Error{Kind: history.DataLoss, Field: r.Recorded(), Text: "is not told as this version understands it", Err: err}
	}
	return said, nil
}

// conformsBy is who has made the rules of packs.
const conformsBy = "config-conforms.amazonaws.com"

// shaped is the rule as AWS Config describes it.
func (r *ruleSeen) shaped(c Caller) shape.ConfigRule {
	out := r.derived()
	if r.told != nil {
		out = *r.told
	}
	out.ConfigRuleName, out.ConfigRuleARN, out.ConfigRuleID = r.name, r.arn(c), r.id()
	out.ConfigRuleState = "ACTIVE"
	if r.Pack != "" {
		out.CreatedBy = conformsBy
	}
	if out.InputParameters == "" {
		out.InputParameters = "{}"
	}
	if len(out.EvaluationModes) == 0 {
		out.EvaluationModes = modesOf(r.Mode)
	}
	return out
}

// derived is the shape of a rule that was put through another door.
func (r *ruleSeen) derived() shape.ConfigRule {
	out := shape.ConfigRule{Description: r.Description, Source: &shape.Source{}, EvaluationModes: modesOf(r.Mode)}
	s := r.Scope
	scope := shape.Scope{ComplianceResourceTypes: s.Types, TagKey: s.TagKey, TagValue: s.TagValue}
	if len(s.IDs) == 1 {
		scope.ComplianceResourceID = s.IDs[0]
	}
	if len(s.Types) > 0 || s.TagKey != "" {
		out.Scope = &scope
	}
	if len(r.Arguments) > 0 {
		text, err := json.Marshal(r.Arguments, json.Deterministic(true))
		if err == nil {
			out.InputParameters = string(text)
		}
	}
	frequency := rules.PeriodWord(r.Period)
	switch {
	case r.Identifier != "":
		out.Source.Owner, out.Source.SourceIdentifier = ownerAWS, r.Identifier
		if r.Trigger&rules.Periodic != 0 {
			out.MaximumExecutionFrequency = frequency
		}
		return out
	case r.attested():
		out.Source.Owner, out.Source.SourceIdentifier = ownerAWS, rules.ProcessCheck
		return out
	case r.External:
		out.Source.Owner = ownerLambda
	default:
		out.Source.Owner, out.Source.CustomPolicyDetails = ownerPolicy, &shape.CustomPolicyDetails{PolicyRuntime: runtimeCEL}
	}
	if r.Trigger&rules.OnChange != 0 {
		out.Source.SourceDetails = append(out.Source.SourceDetails, shape.SourceDetail{EventSource: eventSource, MessageType: onChange})
	}
	if r.Trigger&rules.Periodic != 0 {
		out.Source.SourceDetails = append(out.Source.SourceDetails, shape.SourceDetail{EventSource: eventSource, MessageType: onSchedule, MaximumExecutionFrequency: frequency})
	}
	return out
}

func modesOf(m rules.Mode) (list []shape.EvaluationModeConfiguration) {
	if m&rules.Detective != 0 {
		list = append(list, shape.EvaluationModeConfiguration{Mode: detective})
	}
	if m&rules.Proactive != 0 {
		list = append(list, shape.EvaluationModeConfiguration{Mode: proactive})
	}
	return list
}

// argumentsOf reads the JSON text of InputParameters. Values are texts; a number and
// a truth value are taken for what they are written as.
func argumentsOf(text string) (map[string]string, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return nil, refuse("InvalidParameterValueException", "Invalid json %s passed in the inputParameters", text)
	}
	arguments := make(map[string]string, len(members))
	for name, value := range members {
		switch value.Kind() {
		case '"':
			var s string
			if err := json.Unmarshal(value, &s); err != nil {
				return nil, refuse("InvalidParameterValueException", "Invalid json %s passed in the inputParameters", text)
			}
			if s != "" && strings.TrimSpace(s) == "" {
				return nil, refuse("InvalidParameterValueException", "Blank spaces are not acceptable for input parameter: %s", name)
			}
			arguments[name] = s
		case '0', 't', 'f':
			arguments[name] = string(value)
		default:
			return nil, refuse("InvalidParameterValueException", "The inputParameters hold a value of %s that is no text; write it as one", name)
		}
	}
	return arguments, nil
}
