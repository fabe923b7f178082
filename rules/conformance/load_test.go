package conformance_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/conformance"
	"github.com/varvehq/varve/rules/managed"
)

func text(s string) *string { return &s }

// catalogue has a rule of each kind that packs may meet.
func catalogue(identifier string) (conformance.Managed, bool) {
	defined := func(types string, parameters ...rules.Parameter) conformance.Managed {
		return conformance.Managed{Rule: rules.Rule{
			Description: "as defined", Severity: rules.SeverityLow, Trigger: rules.OnChange | rules.Periodic, Frameworks: []string{"A.1", "own/1"},
			Scope: rules.Scope{Types: []string{types}}, Parameters: parameters,
		}}
	}
	managed, ok := map[string]conformance.Managed{
		"PLAIN":        defined("AWS::EC2::Volume"),
		"KEYS_ROTATED": defined("AWS::IAM::User", rules.Parameter{Name: "maxAccessKeyAge", Type: rules.ParameterInt, Required: true}),
		"PORTS": defined("AWS::EC2::SecurityGroup",
			rules.Parameter{Name: "account", Type: rules.ParameterString},
			rules.Parameter{Name: "blockedPort1", Type: rules.ParameterInt, Default: text("20")},
			rules.Parameter{Name: "ports", Type: rules.ParameterCSV},
			rules.Parameter{Name: "strict", Type: rules.ParameterBoolean},
		),
		"NOT_YET": {Unsupported: "NOT_YET is not implemented", Rule: rules.Rule{Parameters: []rules.Parameter{{Name: "age", Type: rules.ParameterInt}}}},
	}[identifier]
	return managed, ok
}

func load(t *testing.T, template string, parameters map[string]string) *conformance.Pack {
	t.Helper()
	p, err := conformance.Load([]byte(template), conformance.Options{Name: "pack", Parameters: parameters, Managed: catalogue})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// one is a template with one rule, some lines of which are given.
func one(identifier string, lines ...string) string {
	return `Resources:
  R:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: r
      Source: {Owner: AWS, SourceIdentifier: ` + identifier + "}\n" + strings.Join(lines, "\n") + "\n"
}

// custom is a template whose rule is no managed one.
func custom(source string) string {
	return strings.Replace(one("PLAIN"), "AWS, SourceIdentifier: PLAIN", source, 1)
}

const forms = `
AWSTemplateFormatVersion: '2010-09-09'
Description: every form
Parameters:
  Age: {Type: String, Default: '90'}
  Port: {Type: Number, Default: 22}
  Nothing: {Type: String, Default: ''}
  Which: {Type: String, Default: a, AllowedValues: [a, b]}
Conditions:
  hasAge:
    Fn::Not:
    - Fn::Equals:
      - ''
      - Ref: Age
  hasNothing: !Not [!Equals ['', !Ref Nothing]]
  isA: !Equals [a, !Ref Which]
  both: !And [!Condition hasAge, {Condition: isA}]
  either: {"Fn::Or": [!Condition hasNothing, !Condition isA]}
Resources:
  Rotated:
    Type: AWS::Config::ConfigRule
    Condition: both
    Controls: [B.2, A.1]
    Properties:
      ConfigRuleName: rotated
      Description: keys are renewed
      InputParameters:
        maxAccessKeyAge:
          Fn::If: [hasAge, {Ref: Age}, {Ref: 'AWS::NoValue'}]
      Source: {Owner: AWS, SourceIdentifier: KEYS_ROTATED}
  Ports:
    Type: AWS::Config::ConfigRule
    Properties:
      InputParameters: !If
        - either
        - blockedPort1: !Ref Port
          strict: True
          ports: !If [hasNothing, !Ref Nothing, !Ref AWS::NoValue]
          account: '012345678901'
        - !Ref AWS::NoValue
      Scope:
        ComplianceResourceTypes: [AWS::EC2::SecurityGroup, !If [hasNothing, AWS::EC2::Volume, !Ref AWS::NoValue]]
      MaximumExecutionFrequency: Six_Hours
      EvaluationModes: [{Mode: DETECTIVE}, {Mode: PROACTIVE}]
      Source: {Owner: AWS, SourceIdentifier: PORTS}
  OnlyForB:
    Type: AWS::Config::ConfigRule
    Condition: hasNothing
    Properties:
      Source: {Owner: AWS, SourceIdentifier: PLAIN}
  Tagged:
    Type: AWS::Config::ConfigRule
    DependsOn: Ports
    Properties:
      ConfigRuleName: tagged
      Scope: {TagKey: env, TagValue: prod}
      Source: {Owner: AWS, SourceIdentifier: PLAIN}
`

func TestForms(t *testing.T) {
	p := load(t, forms, nil)
	const both = rules.OnChange | rules.Periodic
	want := []conformance.Rule{
		{
			Rule: rules.Rule{Name: "rotated", Description: "keys are renewed", Identifier: "KEYS_ROTATED", Trigger: both, Period: 24 * time.Hour,
				Mode: rules.Detective, Severity: rules.SeverityLow, Scope: rules.Scope{Types: []string{"AWS::IAM::User"}},
				Arguments: map[string]string{"maxAccessKeyAge": "90"}, Frameworks: []string{"A.1", "B.2", "own/1"}},
			LogicalID: "Rotated", State: conformance.Active, Controls: []string{"B.2", "A.1"},
		},
		{
			Rule: rules.Rule{Name: "Ports", Description: "as defined", Identifier: "PORTS", Trigger: both, Period: 6 * time.Hour,
				Mode: rules.Detective | rules.Proactive, Severity: rules.SeverityLow, Scope: rules.Scope{Types: []string{"AWS::EC2::SecurityGroup"}},
				Arguments: map[string]string{"blockedPort1": "22", "strict": "true", "account": "012345678901"}, Frameworks: []string{"A.1", "own/1"}},
			LogicalID: "Ports", State: conformance.Active,
		},
		{
			Rule: rules.Rule{Name: "tagged", Description: "as defined", Identifier: "PLAIN", Trigger: both, Period: 24 * time.Hour,
				Mode: rules.Detective, Severity: rules.SeverityLow,
				Scope: rules.Scope{Types: []string{"AWS::EC2::Volume"}, TagKey: "env", TagValue: "prod"}, Frameworks: []string{"A.1", "own/1"}},
			LogicalID: "Tagged", State: conformance.Active,
		},
	}
	if diff := cmp.Diff(want, p.Rules); diff != "" {
		t.Error(diff)
	}
	if len(p.Notes) != 1 || p.Notes[0].Field != "Resources.OnlyForB.Condition" || p.Notes[0].Line != 48 {
		t.Errorf("notes %+v, want one of the rule that is left out", p.Notes)
	}
	if p.Description != "every form" || len(p.Parameters) != 4 {
		t.Errorf("description %q, %d parameters", p.Description, len(p.Parameters))
	}
}

func TestGivenValuesDecide(t *testing.T) {
	p := load(t, forms, map[string]string{"Age": "30", "Nothing": "80,443", "Which": "b"})
	var names []string
	for _, r := range p.Rules {
		names = append(names, r.LogicalID)
	}
	if diff := cmp.Diff([]string{"Ports", "OnlyForB", "Tagged"}, names); diff != "" {
		t.Error(diff)
	}
	if got := p.Rules[0].Arguments["ports"]; got != "80,443" {
		t.Errorf("ports %q", got)
	}
	if diff := cmp.Diff([]string{"AWS::EC2::SecurityGroup", "AWS::EC2::Volume"}, p.Rules[0].Scope.Types); diff != "" {
		t.Error(diff)
	}
	for _, given := range p.Parameters {
		if given.Given != (given.Name != "Port") {
			t.Errorf("%s: given %v", given.Name, given.Given)
		}
	}
}

func TestJSONIsYAML(t *testing.T) {
	p := load(t, `{
	"Parameters": {"Age": {"Type": "String", "Default": "90"}},
	"Conditions": {"hasAge": {"Fn::Not": [{"Fn::Equals": ["", {"Ref": "Age"}]}]}},
	"Resources": {"R": {"Type": "AWS::Config::ConfigRule", "Properties": {
		"ConfigRuleName": "r", "Source": {"Owner": "AWS", "SourceIdentifier": "KEYS_ROTATED"},
		"InputParameters": {"maxAccessKeyAge": {"Fn::If": ["hasAge", {"Ref": "Age"}, {"Ref": "AWS::NoValue"}]}}}}}
}`, nil)
	if got := p.Rules[0]; got.State != conformance.Active || got.Arguments["maxAccessKeyAge"] != "90" {
		t.Errorf("%+v", got)
	}
}

func TestOwnerGivesPseudoParameters(t *testing.T) {
	template := one("PORTS", "      InputParameters: {account: !Ref 'AWS::AccountId'}")
	p, err := conformance.Load([]byte(template), conformance.Options{Name: "p", Owner: rules.Owner{Account: "012345678901"}, Managed: catalogue})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Rules[0].Arguments["account"]; got != "012345678901" {
		t.Errorf("account %q", got)
	}
	if r := load(t, template, nil).Rules[0]; r.State != conformance.Unsupported || !strings.Contains(r.Reason, "AWS::AccountId has no value") {
		t.Errorf("without an owner: %s, %q", r.State, r.Reason)
	}
}

func TestTextsArePutTogether(t *testing.T) {
	for given, want := range map[string]string{
		"!Sub 'arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${P}'":          "arn:aws-cn:sns:cn-north-1:012345678901:p",
		"!Sub ['${ A }-${P}-${!P}', {A: !Join ['+', [x, !Ref P, !Ref AWS::NoValue, 7]]}]": "x+p+7-p-${P}",
		"{'Fn::Join': ['', []]}": "",
		"!Sub 'no ${ variable'":  "no ${ variable",
	} {
		template := "Parameters: {P: {Type: String, Default: p}}\n" + one("PORTS", "      InputParameters:\n        account: "+given)
		owner := rules.Owner{Account: "012345678901", Region: "cn-north-1"}
		p, err := conformance.Load([]byte(template), conformance.Options{Name: "p", Owner: owner, Managed: catalogue})
		if err != nil {
			t.Errorf("%s: %v", given, err)
			continue
		}
		if got := p.Rules[0].Arguments["account"]; got != want {
			t.Errorf("%s becomes %q, want %q", given, got, want)
		}
	}
}

func TestTextsAreAsAWSMakesThem(t *testing.T) {
	for given, want := range map[string]string{
		"6": "6", "-1": "-1", "1.0": "1.0", "True": "true", "no": "false", "On": "true", "'True'": "True", "!!str 010": "010",
		`"a\tb"`: "a\tb", "''": "", "2020-01-01": "2020-01-01", "|\n          x\n          y": "x\ny\n", "1,2": "1,2",
		`'{"a":1}'`: `{"a":1}`,
	} {
		p := load(t, one("PORTS", "      InputParameters:\n        account: "+given), nil)
		if got := p.Rules[0].Arguments["account"]; got != want {
			t.Errorf("%s becomes %q, want %q", given, got, want)
		}
	}
	for _, given := range []string{`'{"account": "a", "strict": true, "blockedPort1": 7}'`} {
		p := load(t, one("PORTS", "      InputParameters: "+given), nil)
		want := map[string]string{"account": "a", "strict": "true", "blockedPort1": "7"}
		if diff := cmp.Diff(want, p.Rules[0].Arguments); diff != "" {
			t.Error(diff)
		}
	}
}

func TestPolicyInCEL(t *testing.T) {
	p := load(t, custom("CUSTOM_POLICY, CustomPolicyDetails: {PolicyRuntime: cel, PolicyText: 'resource.name.startsWith(params.prefix)'}")+
		"      InputParameters: {prefix: prod-}\n", nil)
	r := p.Rules[0]
	if r.State != conformance.Active || r.Compliant != "resource.name.startsWith(params.prefix)" || r.Identifier != "" {
		t.Fatalf("%+v", r)
	}
	judge, err := managed.Compile(&r.Rule)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]rules.Compliance{"prod-1": rules.Compliant, "test-1": rules.NonCompliant} {
		item := &rules.Decoded{Item: history.Item{Key: history.Key{Type: "T", ID: "x"}}}
		item.State.Name = name
		if v, err := judge.Judge(t.Context(), &rules.Subject{Item: item}); err != nil || v.Compliance != want {
			t.Errorf("%s: %+v, %v, want %s", name, v, err, want)
		}
	}
}

func TestAttestedIsPut(t *testing.T) {
	for name, lines := range map[string]string{
		"Plain":     "",
		"Periodic":  "      MaximumExecutionFrequency: One_Hour",
		"WithScope": "      Scope: {ComplianceResourceTypes: ['AWS::S3::Bucket']}",
	} {
		t.Run(name, func(t *testing.T) {
			r := load(t, one("AWS_CONFIG_PROCESS_CHECK", lines), nil).Rules[0]
			if r.State != conformance.Active || !r.External || r.Identifier != "" || r.Trigger != rules.OnChange || strings.Join(r.Scope.Types, " ") != rules.AccountType {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestUnsupportedWithTheReason(t *testing.T) {
	lack := "Parameters: {P: {Type: String}}\n"
	for name, tt := range map[string]struct{ template, reason, note string }{
		"UnknownIdentifier":  {one("NEVER_HEARD", "      InputParameters: {anything: 1}"), "NEVER_HEARD is no managed rule that this version computes", ""},
		"NotImplemented":     {one("NOT_YET", "      InputParameters: {age: nonsense}"), "NOT_YET is not implemented", ""},
		"Guard":              {custom("CUSTOM_POLICY, CustomPolicyDetails: {PolicyRuntime: guard-2.x.x, PolicyText: x}"), "written in Guard", ""},
		"Function":           {custom("CUSTOM_LAMBDA, SourceIdentifier: 'arn:aws:lambda:x'"), "function of the user's", ""},
		"RequiredNotGiven":   {one("KEYS_ROTATED"), "maxAccessKeyAge is required", ""},
		"RequiredEmpty":      {one("KEYS_ROTATED", "      InputParameters: {maxAccessKeyAge: ''}"), "maxAccessKeyAge is required", ""},
		"ParameterWithout":   {lack + one("KEYS_ROTATED", "      InputParameters: {maxAccessKeyAge: !Ref P}"), "parameter P has no value", "for want of which there is no judging by R"},
		"OptionalWithout":    {lack + one("PORTS", "      InputParameters: {account: !Ref P}"), "parameter P has no value", "for want of which there is no judging by R"},
		"InUnsupported":      {lack + one("NEVER_HEARD", "      InputParameters: {account: !Ref P}"), "NEVER_HEARD is no managed rule", "only R would use it"},
		"InACondition":       {lack + "Conditions: {c: !Equals ['', !Ref P]}\n" + one("PLAIN", "    Condition: c"), "parameter P has no value", "no judging by R"},
		"InTheName":          {lack + strings.Replace(one("PLAIN"), "ConfigRuleName: r", "ConfigRuleName: !Ref P", 1), "parameter P has no value", "no judging by R"},
		"InTheSource":        {lack + strings.Replace(one("PLAIN"), "SourceIdentifier: PLAIN", "SourceIdentifier: !Ref P", 1), "parameter P has no value", "no judging by R"},
		"OtherFunction":      {one("PORTS", "      InputParameters: {account: !GetAtt Topic.Arn}"), "Fn::GetAtt is not evaluated here", ""},
		"Attribute":          {one("PORTS", "      InputParameters: {account: !Sub 'x${Topic.Arn}'}"), "Topic.Arn has no value here", ""},
		"Pseudo":             {one("PORTS", "      InputParameters: {account: !Ref AWS::StackName}"), "AWS::StackName has no value here", ""},
		"BehindAnotherIfNot": {lack + "Conditions: {c: !Equals [a, b]}\n" + one("PORTS", "      InputParameters: {account: !If [c, !Ref P, x]}"), "", "nothing uses it"},
	} {
		t.Run(name, func(t *testing.T) {
			p := load(t, tt.template, nil)
			if len(p.Rules) != 1 {
				t.Fatalf("%d rules", len(p.Rules))
			}
			r := p.Rules[0]
			want := conformance.Unsupported
			if tt.reason == "" {
				want = conformance.Active
			}
			if r.State != want || !strings.Contains(r.Reason, tt.reason) || (r.Reason == "") != (tt.reason == "") {
				t.Errorf("%s, %q, want %q", r.State, r.Reason, tt.reason)
			}
			var notes string
			for _, n := range p.Notes {
				notes += n.Field + " " + n.Text
			}
			if !strings.Contains(notes, tt.note) || (notes == "") != (tt.note == "") {
				t.Errorf("notes %q, want %q", notes, tt.note)
			}
		})
	}
}

func TestRemediationsAreKept(t *testing.T) {
	p := load(t, `Parameters: {Bucket: {Type: String}, Role: {Type: String, Default: r1}}
`+one("PLAIN")+`  Fix:
    Type: AWS::Config::RemediationConfiguration
    DependsOn: [R]
    Properties:
      ConfigRuleName: !Ref R
      TargetType: SSM_DOCUMENT
      TargetId: AWS-Fix
      TargetVersion: "1"
      Automatic: True
      MaximumAutomaticAttempts: 10
      Parameters:
        Role: {StaticValue: {Values: [!Ref Role, !Sub 'arn:aws:iam::${AWS::AccountId}:role/x']}}
        Bucket: {StaticValue: {Values: [!Ref Bucket, !Ref AWS::NoValue]}}
`, nil)
	want := []conformance.Remediation{{
		LogicalID: "Fix", Rule: "r", TargetType: "SSM_DOCUMENT", TargetID: "AWS-Fix",
		Properties: []byte(`{"ConfigRuleName":"r","TargetType":"SSM_DOCUMENT","TargetId":"AWS-Fix","TargetVersion":"1","Automatic":true,"MaximumAutomaticAttempts":10,` +
			`"Parameters":{"Role":{"StaticValue":{"Values":["r1",{"Fn::Sub":"arn:aws:iam::${AWS::AccountId}:role/x"}]}},"Bucket":{"StaticValue":{"Values":[{"Ref":"Bucket"}]}}}}`),
	}}
	if diff := cmp.Diff(want, p.Remediations); diff != "" {
		t.Error(diff)
	}
	if p.Rules[0].State != conformance.Active {
		t.Errorf("the rule is %s: %s", p.Rules[0].State, p.Rules[0].Reason)
	}
	if len(p.Notes) != 1 || p.Notes[0].Field != "Parameters.Bucket" || !strings.Contains(p.Notes[0].Text, "only Fix would use it") {
		t.Errorf("notes %+v", p.Notes)
	}
}

func TestPatternBeyondUsIsNoted(t *testing.T) {
	p := load(t, "Parameters: {P: {Type: String, Default: x, AllowedPattern: '(?!y).*'}}\n"+one("PLAIN"), nil)
	if len(p.Notes) != 1 || p.Notes[0].Field != "Parameters.P.AllowedPattern" {
		t.Errorf("notes %+v", p.Notes)
	}
}
