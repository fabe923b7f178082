package conformance_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules/conformance"
)

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
