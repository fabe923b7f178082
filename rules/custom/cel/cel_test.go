package cel_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/custom/cel"
)

var moment = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// item is a version with a configuration.
func item(configuration string) *rules.Decoded {
	canonical, err := jsontext.AppendFormat(nil, []byte(configuration), jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false), jsontext.ReorderRawObjects(true))
	if err != nil {
		panic(err)
	}
	return &rules.Decoded{Item: history.Item{
		Key:        history.Key{Account: "111122223333", Region: "eu-west-1", Type: "AWS::X::Y", ID: "y-1"},
		Version:    1,
		CapturedAt: history.MomentOf(moment.AddDate(0, 0, -1)),
		Status:     history.StatusOK,
		State: history.State{
			ARN: "arn:aws:x:::y-1", Name: "why", AvailabilityZone: "eu-west-1a",
			CreatedAt:     history.MomentOf(moment.AddDate(0, 0, -100)),
			Tags:          map[string]string{"env": "prod", "cost center": "7"},
			Configuration: canonical,
			Supplementary: map[string][]byte{"Policy": []byte(`"{\"Version\":\"1\",\"n\":null}"`), "Status": []byte(`{"on":true}`), "Text": []byte(`"plain"`)},
			Relationships: []history.Relationship{{Name: "Is attached to ", Type: "AWS::Z::Z", ID: "z"}},
		},
	}}
}

func judge(t *testing.T, r *rules.Rule, s *rules.Subject) rules.Verdict {
	t.Helper()
	j, err := cel.Compile(r)
	if err != nil {
		t.Fatal(err)
	}
	if s.Now.IsZero() {
		s.Now, s.Moment = moment, history.MomentOf(moment)
	}
	v, err := j.Judge(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// say is what a condition says of a configuration: true, false, or the error.
func say(t *testing.T, condition, configuration string) string {
	t.Helper()
	switch v := judge(t, &rules.Rule{Name: "r", Compliant: condition}, &rules.Subject{Item: item(configuration)}); v.Compliance {
	case rules.Compliant:
		return "true"
	case rules.NonCompliant:
		return "false"
	case rules.Error:
		return v.Annotation
	default:
		return string(v.Compliance)
	}
}

type conditions []struct{ condition, want string }

// check evaluates conditions over one configuration; what is wanted of an error is a
// part of its text.
func (all conditions) check(t *testing.T, configuration string) {
	t.Helper()
	for _, c := range all {
		if got := say(t, c.condition, configuration); got != c.want && (c.want == "true" || c.want == "false" || !strings.Contains(got, c.want)) {
			t.Errorf("%s\ngot  %s\nwant %s", c.condition, got, c.want)
		}
	}
}

func TestVariables(t *testing.T) {
	conditions{
		{`resource.account == "111122223333" && resource.region == "eu-west-1" && resource.type == "AWS::X::Y" && resource.id == "y-1"`, "true"},
		{`resource.arn == "arn:aws:x:::y-1" && resource.name == "why" && resource.availabilityZone == "eu-west-1a" && resource.status == "OK"`, "true"},
		{`resource.tags.env == "prod" && resource.tags["cost center"] == "7"`, "true"},
		{`"env" in resource.tags && !("team" in resource.tags)`, "true"},
		{`resource.tags.team == "x"`, "no such key: team"},
		{`resource.tags.?team.orValue("none") == "none"`, "true"},
		{`resource.createdAt < resource.capturedAt && resource.capturedAt < now`, "true"},
		{`resource.relationships.exists(r, r.name == "Is attached to" && r.type == "AWS::Z::Z" && r.id == "z" && r.resourceName == "")`, "true"},
		{`resource.configuration.State == "on"`, "true"},
		{`resource.configuration.state == "on"`, "no such key: state"},
		{`resource.supplementary.Status.on == true`, "true"},
		{`resource.supplementary.Policy.startsWith("{")`, "true"},
		{`config.state == "on" && config.STATE == "on"`, "true"},
		{`supplement.policy.version == "1" && supplement.status.ON == true && supplement.text == "plain"`, "true"},
		{`has(supplement.policy.n)`, "false"},
	}.check(t, `{"State":"on"}`)
}

func TestWhatIsNotThereIsNeverCompliant(t *testing.T) {
	conditions{
		{`config.gone == false`, "no such key: gone"},
		{`config.gone != true`, "no such key: gone"},
		{`!(config.gone == true)`, "no such key: gone"},
		{`config.inner.gone.deeper == 1`, "no such key: gone"},
		{`config.nil == 1`, "no such key: nil"},
		{`config.text.x == 1`, "no such key: x"},
		{`config.list[7] == 1`, "index"},
		{`config.list.all(v, v.x == 1)`, "no such key: x"},
		{`has(config.gone) || has(config.nil)`, "false"},
		{`config.?gone.orValue(1) == 1 && config.?nil.orValue(1) == 1 && config.?inner.gone.deeper.orValue(1) == 1`, "true"},
		{`config.list[?7].orValue(1) == 1`, "true"},
		{`text(config.?gone) == "" && text(config.?nil.x) == "" && listOf(config.?gone).size() == 0 && !isTrue(config.?gone)`, "true"},
		{`text(config.number) == "12" && text(config.text) == "t" && listOf(config.text) == ["t"] && listOf(config.list) == [{}]`, "true"},
		{`isTrue(config.yes) && isTrue(config.Yes) && isTrue(config.text)`, "neither true nor false"},
		{`config.big == 1`, "has no exact value"},
		{`config.fraction == 1.5`, "true"},
		{`config.yes + 1 == 2`, "no such overload"},
		{`1 / (config.number - 12) == 1`, "division by zero"},
	}.check(t, `{"big":123456789012345678901234567890,"fraction":1.5,"inner":{},"list":[{}],"nil":null,"number":12,"text":"t","yes":"True"}`)
	t.Run("NoConfiguration", func(t *testing.T) {
		s := &rules.Subject{Item: &rules.Decoded{Item: history.Item{Version: 1, Status: history.StatusOK}}}
		if v := judge(t, &rules.Rule{Compliant: "config.x != 1"}, s); v.Compliance != rules.Error {
			t.Error(v)
		}
	})
	t.Run("AbsenceOfNothing", func(t *testing.T) {
		for _, configuration := range []string{"", `"text"`, `[]`, `7`} {
			for _, condition := range []string{
				`text(config.?a) == ""`, `!has(config.a)`, `listOf(config.?a).size() == 0`, `!isTrue(config.?a.b)`,
				`config.?a.orValue(1) == 1`, `!has(resource.config.a)`, `!("a" in config)`, `config[?"a"] == optional.none()`,
			} {
				s := &rules.Subject{Item: &rules.Decoded{Item: history.Item{Version: 1, State: history.State{Configuration: []byte(configuration)}}}}
				if v := judge(t, &rules.Rule{Compliant: condition}, s); v.Compliance != rules.Error {
					t.Errorf("%s of %q: %v", condition, configuration, v)
				}
			}
		}
	})
	t.Run("NotRecorded", func(t *testing.T) {
		s := &rules.Subject{Item: &rules.Decoded{Item: history.Item{Version: 1, Status: history.StatusNotRecorded}}}
		if v := judge(t, &rules.Rule{Compliant: "true"}, s); v.Compliance != rules.InsufficientData {
			t.Error(v)
		}
	})
	t.Run("Erased", func(t *testing.T) {
		s := &rules.Subject{Item: &rules.Decoded{Item: history.Item{Version: 1, Erased: true}}}
		if v := judge(t, &rules.Rule{Compliant: "true"}, s); v.Compliance != rules.InsufficientData {
			t.Error(v)
		}
	})
}

func TestNamesInEitherCase(t *testing.T) {
	for _, configuration := range []string{
		`{"ipPermissions":[{"fromPort":22,"ipRanges":[{"cidrIp":"::/0"}]}],"vpcId":"v"}`,
		`{"IpPermissions":[{"FromPort":22,"IpRanges":[{"CidrIp":"::/0"}]}],"VpcId":"v"}`,
		`{"VPCID":"v","ippermissions":[{"IPRanges":[{"cidrIP":"::/0"}],"fromport":22}]}`,
	} {
		conditions{
			{`config.vpcId == "v" && config["vpcId"] == "v" && has(config.vpcId) && config.?vpcId.hasValue() && "vpcId" in config`, "true"},
			{`config.ipPermissions.exists(p, p.fromPort == 22 && p.ipRanges.all(r, r.cidrIp == "::/0"))`, "true"},
			{`config.ipPermissions.map(p, p.fromPort) == [22] && config.ipPermissions[0].fromPort == 22 && config.ipPermissions.filter(p, p.fromPort == 22).size() == 1`, "true"},
			{`anycase(resource.configuration).vpcId == "v"`, "true"},
			{`config == resource.configuration && config.ipPermissions == resource.config.ipPermissions`, "true"},
			{`config.ipPermissions[0] in config.ipPermissions`, "true"},
			{`(config.ipPermissions + config.ipPermissions).all(p, p.fromPort == 22)`, "true"},
			{`config.exists(name, name.lowerAscii() == "vpcid")`, "true"},
			{`config.all(name, value, name != "x")`, "true"},
			{`config.ipPermissions.all(i, p, i == 0 && p.fromPort == 22)`, "true"},
		}.check(t, configuration)
	}
	conditions{
		{`config.name == "exact"`, "true"},
		{`config.NAME == "exact"`, "NAME and others differ by case alone"},
	}.check(t, `{"Name":"other","name":"exact"}`)
}

func TestParams(t *testing.T) {
	def := "4"
	r := rules.Rule{
		Name: "r",
		Parameters: []rules.Parameter{
			{Name: "days", Type: rules.ParameterInt, Default: &def}, {Name: "keys", Type: rules.ParameterCSV}, {Name: "logs", Type: rules.ParameterStringMap},
			{Name: "none", Type: rules.ParameterString}, {Name: "on", Type: rules.ParameterBoolean}, {Name: "share", Type: rules.ParameterDouble}, {Name: "word", Type: rules.ParameterString},
		},
		Arguments: map[string]string{"keys": "a,b", "logs": "x: y, z", "on": "true", "share": "0.5", "word": "12"},
		Compliant: `params.days == 4 && params.keys == ["a", "b"] && params.logs.x == ["y", "z"] && params.on && params.share < 1.0 &&
			params.word == "12" && !has(params.none) && params.?none.orValue("-") == "-" && params["days"] > 3`,
	}
	if v := judge(t, &r, &rules.Subject{Item: item(`{}`)}); v.Compliance != rules.Compliant {
		t.Error(v)
	}
	r.Compliant = `params.none == ""`
	if v := judge(t, &r, &rules.Subject{Item: item(`{}`)}); v.Compliance != rules.Error || !strings.Contains(v.Annotation, "no such key: none") {
		t.Error(v)
	}
	for _, condition := range []string{`params.key == 1`, `has(params.key)`, `params["key"] == 1`, `params.?key.orValue(1) == 1`, `params[?"key"].orValue(1) == 1`, `[1].all(x, params.key == x)`} {
		r.Compliant = condition
		_, err := cel.Compile(&r)
		if !errors.Is(err, history.Invalid) || !strings.Contains(err.Error(), "the rule declares no parameter key; did you mean keys?") {
			t.Errorf("%s: %v", condition, err)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		rule rules.Rule
		want rules.Verdict
	}{
		"Compliant":        {rules.Rule{Compliant: "true", Annotation: `"x"`}, rules.Verdict{Compliance: rules.Compliant}},
		"NotApplicable":    {rules.Rule{Compliant: "config.gone == 1", Applicable: "config.a == 2"}, rules.Verdict{Compliance: rules.NotApplicable}},
		"ApplicableErrs":   {rules.Rule{Compliant: "true", Applicable: "config.gone == 2"}, rules.Verdict{Compliance: rules.Error, Annotation: "applicable: line 1, column 7: no such key: gone"}},
		"Annotation":       {rules.Rule{Compliant: "false", Annotation: `"a is " + text(config.a)`}, rules.Verdict{Compliance: rules.NonCompliant, Annotation: "a is 1"}},
		"AnnotationErrs":   {rules.Rule{Compliant: "false", Annotation: `"a is " + config.gone`, Description: "A is none.\nMore."}, rules.Verdict{Compliance: rules.NonCompliant, Annotation: "does not comply: A is none."}},
		"NoAnnotation":     {rules.Rule{Name: "r", Compliant: "false"}, rules.Verdict{Compliance: rules.NonCompliant, Annotation: "does not comply with r"}},
		"EmptyAnnotation":  {rules.Rule{Name: "r", Compliant: "false", Annotation: `""`}, rules.Verdict{Compliance: rules.NonCompliant, Annotation: "does not comply with r"}},
		"LongAnnotation":   {rules.Rule{Compliant: "false", Annotation: `"` + strings.Repeat("x", 300) + `"`}, rules.Verdict{Compliance: rules.NonCompliant, Annotation: strings.Repeat("x", 255) + "…"}},
		"SecondLineErrs":   {rules.Rule{Compliant: "true &&\n  config.gone == 1"}, rules.Verdict{Compliance: rules.Error, Annotation: "compliant: line 2, column 9: no such key: gone"}},
		"ErrorOutvoted":    {rules.Rule{Compliant: "config.gone == 1 || true"}, rules.Verdict{Compliance: rules.Compliant}},
		"ErrorNotOutvoted": {rules.Rule{Compliant: "config.gone == 1 || false"}, rules.Verdict{Compliance: rules.Error, Annotation: "compliant: line 1, column 7: no such key: gone"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := judge(t, &c.rule, &rules.Subject{Item: item(`{"a":1}`)}); got != c.want {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

func TestCompileShowsThePlace(t *testing.T) {
	for name, c := range map[string]struct {
		rule rules.Rule
		want []string
	}{
		"Syntax":        {rules.Rule{Compliant: "config.a ==\n  == 1"}, []string{"compliant does not hold", "line 2, column 3", "  == 1\n    ^"}},
		"UnknownWord":   {rules.Rule{Compliant: "configuration.a == 1"}, []string{"there is no configuration; there are config, now, params, resource, supplement"}},
		"Member":        {rules.Rule{Compliant: "resource.owner == 1"}, []string{"line 1, column 9", "owner"}},
		"NotACondition": {rules.Rule{Compliant: `"text"`}, []string{"this is of type string, not true or false"}},
		"Applicable":    {rules.Rule{Compliant: "true", Applicable: "1"}, []string{"applicable does not hold"}},
		"Annotation":    {rules.Rule{Compliant: "true", Annotation: "1"}, []string{"annotation does not hold", "this is of type int, not a text"}},
		"AnyAnnotation": {rules.Rule{Compliant: "true", Annotation: "config.a"}, []string{"make it a text with string()"}},
		"Pattern":       {rules.Rule{Compliant: `resource.id.matches("(")`}, []string{"line 1, column"}},
		"None":          {rules.Rule{}, []string{"compliant is required"}},
		"External":      {rules.Rule{External: true}, []string{"external says that verdicts are put"}},
		"Argument":      {rules.Rule{Compliant: "true", Arguments: map[string]string{"x": "1"}}, []string{"inputParameters.x is no parameter"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cel.Compile(&c.rule)
			if !errors.Is(err, history.Invalid) {
				t.Fatalf("got %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v\nwant %s", err, want)
				}
			}
		})
	}
}

func TestNeeds(t *testing.T) {
	for condition, want := range map[string]rules.Needs{
		`config.a == 1`:                                        {},
		`now > resource.capturedAt`:                            {Clock: true},
		`ageInDays(config.a) > 1`:                              {Clock: true},
		`timeOf(config.a) < timestamp("2026-01-01T00:00:00Z")`: {},
		`config.now == 1`:                                      {},
		`related("T").size() > 0`:                              {Others: true},
		`referrers("T").size() > 0`:                            {Others: true},
		`inventory("T").exists(x, ageInDays(x.config.a) > 1)`:  {Clock: true, Others: true},
		`config.related == 1`:                                  {},
	} {
		for _, r := range []rules.Rule{{Compliant: condition}, {Compliant: "true", Applicable: condition}, {Compliant: "true", Annotation: "string(" + condition + ")"}} {
			j, err := cel.Compile(&r)
			if err != nil {
				t.Fatal(err)
			}
			if got := j.Needs(); got != want {
				t.Errorf("%s: got %+v", condition, got)
			}
		}
	}
}

// TestMapsAreInOrder goes through maps: always the same way, or a verdict would not
// be the same each time that it is worked out.
func TestMapsAreInOrder(t *testing.T) {
	many := map[string]string{}
	for _, name := range strings.Split("zq wx ce rv tb yn um ip oa l k j h g f d s a", " ") {
		many[name] = "v" + name
	}
	d := item(`{}`)
	d.State.Tags = many
	r := &rules.Rule{Name: "r", Compliant: `false`, Annotation: `resource.tags.map(k, k)[0] + resource.tags.map(k, k)[9] + resource.supplementary.map(k, k)[2]`}
	const want = "alText"
	for range 20 {
		if v := judge(t, r, &rules.Subject{Item: d}); v.Annotation != want {
			t.Fatalf("%q", v.Annotation)
		}
	}
}
