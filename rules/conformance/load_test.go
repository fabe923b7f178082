package conformance_test

import (
	"errors"
	"fmt"
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

// TestMistakes: a wrong template is named by key, line and column.
func TestMistakes(t *testing.T) {
	params := func(of string) string { return "Parameters:\n  P: " + of + "\n" + one("PLAIN") }
	conds := func(of string) string { return "Conditions:\n  c: " + of + "\n" + one("PLAIN") }
	for name, tt := range map[string]struct{ template, want string }{
		"Empty":             {"", "template is empty"},
		"NotYAML":           {"a: [", "template is no YAML from about line 1 on"},
		"NotUTF8":           {"a: \xff", "template is not valid UTF-8"},
		"NoMapping":         {"- a", "template (line 1, column 1) must be a mapping"},
		"TwoDocuments":      {one("PLAIN") + "---\na: b\n", "begins a second document"},
		"NoResources":       {"Description: x", "template (line 1, column 1) has no Resources"},
		"UnknownSection":    {"Resouces: {}", "Resouces (line 1, column 1) is not known here; did you mean Resources?"},
		"Alias":             {"Description: &a x\nMetadata: *a\n" + one("PLAIN"), "Metadata (line 2, column 11) is an alias"},
		"MergeKey":          {"Metadata: {a: &a {b: c}, <<: {d: e}}\n" + one("PLAIN"), "Metadata.<< (line 1, column 26) is a merge key"},
		"Null":              {"Description:\n" + one("PLAIN"), "Description (line 1, column 13) has no value"},
		"Twice":             {"Description: a\nDescription: b\n" + one("PLAIN"), "Description (line 2, column 1) is given twice, first in line 1"},
		"Binary":            {"Description: !!binary aGk=\n" + one("PLAIN"), "has the tag !!binary"},
		"UnknownType":       {"Resources:\n  R: {Type: 'AWS::S3::Bucket'}", `Resources.R.Type (line 2, column 13) is the type "AWS::S3::Bucket", which packs do not have`},
		"NoType":            {"Resources:\n  R: {Properties: {}}", "Resources.R (line 2, column 6) has no Type"},
		"NoProperties":      {"Resources:\n  R: {Type: 'AWS::Config::ConfigRule'}", "Resources.R (line 2, column 6) has no Properties"},
		"NoSource":          {"Resources:\n  R: {Type: 'AWS::Config::ConfigRule', Properties: {}}", "has no Source"},
		"NoIdentifier":      {strings.Replace(one("PLAIN"), ", SourceIdentifier: PLAIN", "", 1), "Resources.R.Properties.Source (line 6, column 15) has no SourceIdentifier"},
		"UnknownOwner":      {strings.Replace(one("PLAIN"), "Owner: AWS", "Owner: ME", 1), "Resources.R.Properties.Source.Owner (line 6, column 23)"},
		"BadIdentifier":     {one("p-l-a-i-n"), "Resources.R (line 2, column 3) cannot be accepted: identifier"},
		"UnknownProperty":   {one("PLAIN", "      Scop: {}"), "Resources.R.Properties.Scop (line 7, column 7) is not known here; did you mean Scope?"},
		"UnknownAttribute":  {one("PLAIN", "    Dependson: R"), "Resources.R.Dependson (line 7, column 5) is not known here; did you mean DependsOn?"},
		"DependsOnNothing":  {one("PLAIN", "    DependsOn: [Q]"), `Resources.R.DependsOn.0 (line 7, column 17) names the resource "Q", which there is not`},
		"UnknownArgument":   {one("PORTS", "      InputParameters: {blockedport1: 1}"), "Resources.R.Properties.InputParameters.blockedport1 (line 7, column 25) is no parameter of the managed rule; did you mean blockedPort1?"},
		"UnknownInBranch":   {conds("!Equals [a, b]") + "      InputParameters: !If [c, {zone: 1}, !Ref AWS::NoValue]\n", "zone (line 10, column 33) is no parameter of the managed rule"},
		"UnknownNotYet":     {one("NOT_YET", "      InputParameters: {agee: 1}"), "did you mean age?"},
		"UnknownInText":     {one("PORTS", `      InputParameters: '{"nope": 1}'`), "Resources.R.Properties.InputParameters (line 7, column 24) is no parameter of the managed rule"},
		"ArgumentText":      {one("PORTS", `      InputParameters: '[1]'`), "must be a mapping of names to values"},
		"ArgumentType":      {one("PORTS", "      InputParameters: {strict: maybe}"), `InputParameters.strict (line 7, column 33) is "maybe", which is neither true nor false`},
		"ArgumentList":      {one("PORTS", "      InputParameters: {ports: [1, 2]}"), "InputParameters.ports (line 7, column 32) must be a text, number or boolean, and is a list"},
		"ArgumentOctal":     {one("PORTS", "      InputParameters: {account: 012345670123}"), "changes when it is read (012345670123); quote it"},
		"Period":            {one("PLAIN", "      MaximumExecutionFrequency: Hourly"), `MaximumExecutionFrequency (line 7, column 34) is "Hourly"`},
		"PeriodNotAWSs":     {one("PLAIN", "      MaximumExecutionFrequency: 6h"), `MaximumExecutionFrequency (line 7, column 34) is "6h"`},
		"Mode":              {one("PLAIN", "      EvaluationModes: [{Mode: both}]"), `EvaluationModes.0.Mode (line 7, column 32) is "both"`},
		"PolicyNoDetails":   {custom("CUSTOM_POLICY"), "Source (line 6, column 15) has no CustomPolicyDetails"},
		"PolicyNoText":      {custom("CUSTOM_POLICY, CustomPolicyDetails: {PolicyRuntime: cel}"), "CustomPolicyDetails (line 6, column 59) has no PolicyText"},
		"PolicyEmpty":       {custom("CUSTOM_POLICY, CustomPolicyDetails: {PolicyRuntime: cel, PolicyText: ''}"), "Resources.R (line 2, column 3) cannot be accepted: compliant"},
		"PolicyUnbalanced":  {custom("CUSTOM_POLICY, CustomPolicyDetails: {PolicyRuntime: cel, PolicyText: '(1 == 1'}"), "Resources.R (line 2, column 3) cannot be accepted: compliant"},
		"PolicyParameter":   {custom("CUSTOM_POLICY, CustomPolicyDetails: {PolicyRuntime: cel, PolicyText: 'params.a == params.b'}") + "      InputParameters: {a: x}\n", "params.b"},
		"ScopeID":           {one("PLAIN", "      Scope: {ComplianceResourceTypes: [A, B], ComplianceResourceId: x}"), "Resources.R (line 2, column 3) cannot be accepted: scope.resourceIds"},
		"RuleName":          {strings.Replace(one("PLAIN"), "ConfigRuleName: r", "ConfigRuleName: 'r s'", 1), "ConfigRuleName (line 5, column 23) cannot be accepted: name"},
		"NameTwice":         {one("PLAIN") + "  Q:\n    Type: AWS::Config::ConfigRule\n    Properties: {ConfigRuleName: r, Source: {Owner: AWS, SourceIdentifier: PLAIN}}\n", "Resources.Q (line 8, column 3) has the name r, as has R"},
		"Ref":               {one("PORTS", "      InputParameters: {account: !Ref Q}"), `InputParameters.account.Ref (line 7, column 34) refers to "Q", which is no parameter of the pack`},
		"RefOfList":         {one("PORTS", "      InputParameters: {account: !Ref [a]}"), "must be a text, number or boolean, and is a list"},
		"JoinOfText":        {one("PORTS", "      InputParameters: {account: !Join [a, b]}"), "InputParameters.account.Fn::Join.1 (line 7, column 44) must be a list of what is to be joined"},
		"SubOfNothing":      {one("PORTS", "      InputParameters: {account: !Sub 'a${Q}'}"), `refers to "Q", which is no parameter of the pack`},
		"SubOfThree":        {one("PORTS", "      InputParameters: {account: !Sub [a, {}, b]}"), "has 3 elements; it must have 2"},
		"FunctionMisspelt":  {one("PORTS", "      InputParameters: {account: {Fn::if: [a, b, c]}}"), "did you mean Fn::If?"},
		"NotAlone":          {one("PORTS", "      InputParameters: {account: {Ref: R, a: b}}"), "is a function, which must stand alone"},
		"ConditionAsValue":  {one("PORTS", "      InputParameters: {account: !Equals [a, b]}"), "gives no value"},
		"IfOfTwo":           {conds("!Equals [a, b]") + "      InputParameters: !If [c, {}]\n", "Fn::If (line 10, column 24) has 2 elements; it must have 3"},
		"NoSuchCondition":   {one("PLAIN", "    Condition: c"), `Resources.R.Condition (line 7, column 16) names the condition "c", which there is not; there are none`},
		"ConditionText":     {conds("yes"), "Conditions.c (line 2, column 6) must be one of Fn::Equals, Fn::Not"},
		"EqualsOfThree":     {conds("!Equals [a, b, c]"), "Conditions.c.Fn::Equals (line 2, column 6) has 3 elements; it must have 2"},
		"EqualsOfLists":     {conds("!Equals [a, [b]]"), "Conditions.c.Fn::Equals.1 (line 2, column 18) must be a text"},
		"NotOfTwo":          {conds("!Not [{Condition: c}, {Condition: c}]"), "has 2 elements; it must have 1"},
		"AndOfOne":          {conds("!And [{Condition: c}]"), "has 1 elements; it must have 2 to 10"},
		"NoConditionOfThat": {conds("!Xor [a, b]"), "Fn::Xor (line 2, column 6) is no function of conditions"},
		"Circle":            {conds("!Not [{Condition: d}]\n  d: !Not [{Condition: c}]"), "depends on itself"},
		"ParameterType":     {params("{Type: Text}"), `Parameters.P.Type (line 2, column 13) is the type "Text"`},
		"ParameterNoType":   {params("{Default: x}"), "Parameters.P (line 2, column 6) has no Type"},
		"ParameterDefault":  {params("{Type: String, Default: c, AllowedValues: [a, b]}"), `Parameters.P.Default (line 2, column 30) is "c", which is none of the allowed values: a, b`},
		"ParameterPattern":  {params("{Type: String, Default: abc, AllowedPattern: '[a-b]+'}"), "does not match the allowed pattern"},
		"ParameterNumber":   {params("{Type: Number, Default: x}"), "is no number"},
		"ParameterMin":      {params("{Type: Number, Default: 3, MinValue: 4}"), "is less than 4"},
		"ParameterMax":      {params("{Type: Number, Default: 3, MaxValue: 2}"), "is more than 2"},
		"ParameterShort":    {params("{Type: String, Default: é, MinLength: 2}"), "is shorter than 2"},
		"ParameterLong":     {params("{Type: String, Default: abc, MaxLength: 2}"), "is longer than 2"},
		"ParameterBound":    {params("{Type: String, MaxLength: x}"), "Parameters.P.MaxLength (line 2, column 32) must be a number"},
		"ParameterReserved": {"Parameters: {'AWS::X': {Type: String}}\n" + one("PLAIN"), "stands for something already"},
		"RemediationOf":     {one("PLAIN") + "  F:\n    Type: AWS::Config::RemediationConfiguration\n    Properties: {TargetType: x, TargetId: y}\n", "Resources.F.Properties (line 10, column 17) has no ConfigRuleName"},
		"Status":            {one("PLAIN", "    Metadata: {Varve: {Check: c, Status: green}}"), "Metadata.Varve.Status (line 7, column 42) cannot be accepted"},
		"CheckAlone":        {one("PLAIN", "    Metadata: {Varve: {Check: c}}"), "has one of Check and Status; give both"},
		"Severity":          {one("PLAIN", "    Metadata: {Varve: {Severity: bad}}"), "Metadata.Varve.Severity (line 7, column 34) cannot be accepted"},
		"OddKey":            {"\"a\\nb\": c\n" + one("PLAIN"), `"a\nb" (line 1, column 1) is not known here`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := conformance.Load([]byte(tt.template), conformance.Options{Name: "p", Managed: catalogue})
			if !errors.Is(err, history.Invalid) {
				t.Fatalf("%v, want a mistake", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestGivenParametersAreChecked(t *testing.T) {
	template := "Parameters: {Age: {Type: String, AllowedPattern: '[0-9]+', ConstraintDescription: digits only}}\n" + one("PLAIN")
	many := make(map[string]string)
	for i := range 61 {
		many[fmt.Sprint(i)] = ""
	}
	for name, tt := range map[string]struct {
		given map[string]string
		want  string
		kind  history.Kind
	}{
		"Unknown":  {map[string]string{"age": "1"}, "parameters.age is no parameter of the pack; did you mean Age?", history.Invalid},
		"Pattern":  {map[string]string{"Age": "1x"}, `Parameters.Age (line 1, column 19) is given as "1x", which does not match the allowed pattern [0-9]+: digits only`, history.Invalid},
		"NotUTF8":  {map[string]string{"Age": "\xff"}, "is not valid UTF-8", history.Invalid},
		"TooLong":  {map[string]string{"Age": strings.Repeat("1", 4097)}, "is longer than 4096 bytes", history.Invalid},
		"TooMany":  {many, "parameters are 61; at most 60", history.TooLarge},
		"NoPacket": {map[string]string{"": "x"}, "is no parameter of the pack", history.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := conformance.Load([]byte(template), conformance.Options{Name: "p", Parameters: tt.given, Managed: catalogue})
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %v: %s", err, tt.kind, tt.want)
			}
		})
	}
}

func TestPatternBeyondUsIsNoted(t *testing.T) {
	p := load(t, "Parameters: {P: {Type: String, Default: x, AllowedPattern: '(?!y).*'}}\n"+one("PLAIN"), nil)
	if len(p.Notes) != 1 || p.Notes[0].Field != "Parameters.P.AllowedPattern" {
		t.Errorf("notes %+v", p.Notes)
	}
}

func TestPlaceIsInTheErrorsMeta(t *testing.T) {
	_, err := conformance.Load([]byte(one("PLAIN", "      Scop: {}")), conformance.Options{Name: "p", Managed: catalogue})
	var e *history.Error
	if !errors.As(err, &e) || e.Field != "Resources.R.Properties.Scop" || e.Meta["line"] != "7" || e.Meta["column"] != "7" {
		t.Errorf("%+v", e)
	}
	if _, err := conformance.Load([]byte(one("PLAIN")), conformance.Options{Name: "a b", Managed: catalogue}); !errors.Is(err, history.Invalid) {
		t.Errorf("a pack without a proper name: %v", err)
	}
}

// TestHostileTemplates: none takes long or much, whatever it asks for.
func TestHostileTemplates(t *testing.T) {
	laughs := "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := range 20 {
		laughs += fmt.Sprintf("a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i+1, i+1, i, i, i, i, i, i, i, i)
	}
	deep := func(open string) string { return one("PLAIN", "      Description: "+strings.Repeat(open, 140_000)) }
	chain := "Conditions:\n"
	for i := range 5000 {
		chain += fmt.Sprintf("  c%d: !And [{Condition: c%d}, {Condition: c%d}]\n", i, i+1, i+1)
	}
	chain += "  c5000: !Equals [a, a]\n" + one("PLAIN", "    Condition: c0")

	for name, template := range map[string]string{
		"Laughs": laughs, "DeepFlow": deep("["), "DeepMap": deep("{a: "), "DeepBlock": deep("- "), "TooLarge": strings.Repeat("# x\n", 80_000),
		"ManyRefs": "Parameters: {P: {Type: String, Default: " + strings.Repeat("x", 4096) + "}}\n" + one("PLAIN") + "  F:\n    Type: AWS::Config::RemediationConfiguration\n    Properties: {ConfigRuleName: r, TargetType: x, TargetId: y, Parameters: [" + strings.Repeat("!Ref P,", 30_000) + "]}\n",
		"LongSub":  "Parameters: {P: {Type: String, Default: " + strings.Repeat("x", 4096) + "}}\n" + one("PORTS", "      InputParameters: {account: !Sub '"+strings.Repeat("${P}", 50_000)+"'}"),
		"DeepIf":   "Conditions: {c: !Equals [a, a]}\n" + one("PORTS", "      InputParameters: "+strings.Repeat("!If [c, ", 5000)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := conformance.Load([]byte(template), conformance.Options{Name: "p", Managed: catalogue})
			if !errors.Is(err, history.Invalid) && !errors.Is(err, history.TooLarge) {
				t.Errorf("%v", err)
			}
			if len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
	t.Run("ConditionsOnEachOther", func(t *testing.T) {
		if p := load(t, chain, nil); len(p.Rules) != 1 {
			t.Errorf("%d rules", len(p.Rules))
		}
	})
}
