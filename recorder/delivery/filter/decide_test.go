package filter_test

import (
	"testing"

	"github.com/varvehq/varve/recorder/delivery/filter"
)

// What does not depend on the versions is decided without them, and nothing else.
func TestDecide(t *testing.T) {
	for _, test := range []struct {
		text             string
		matches, decided bool
	}{
		{``, true, true},
		{`type == "AWS::EC2::Instance"`, true, true},
		{`type == "AWS::EC2::Volume"`, false, true},
		{`type == "AWS::EC2::Volume" && tags.env == "prod"`, false, true},
		{`changed("/configuration/vpcId") && after.configuration.vpcId == "vpc-2" && kind == "deleted"`, false, true},
		{`kind == "updated" || before.name == "x"`, true, true},
		{`kind in ["created", "deleted"] && paths.exists(p, p.startsWith("/tags"))`, false, true},
		{`late ? tags.env == "prod" : account == "111122223333"`, true, true},
		{`type == "AWS::EC2::Instance" && tags.env == "prod"`, false, false},
		{`type == "AWS::EC2::Instance" && after.configuration.missing == 1`, false, false},
		{`version < 0 || before == null`, false, false},
		{`version < 0 || has(after.configuration.x)`, false, false},
		{`version < 0 || after.configuration.?x.orValue(1) == 1`, false, false},
		{`version < 0 || !changed("/tags")`, false, false},
		{`version < 0 || opened.all(r, r.inverse)`, false, false},
		{`version < 0 || cel.bind(c, after.configuration, c.x == c.y)`, false, false},
		{`version < 0 || size(tags) == 0`, false, false},
		{`version < 0 || [name] == ["a"]`, false, false},
		{`version < 0 || {"a": name}.a == "b"`, false, false},
		{`version < 0 || name in ["a", "b"]`, false, false},
		{`version < 0 || id in paths`, false, false},
		{`tags.env == "prod"`, false, false},
		{`version < 0 || ["a", "b"].exists_one(x, x == name)`, false, false},
		{`version < 0 || size(["a", "b"].filter(x, x == name)) == 0`, false, false},
		{`version < 0 || ["a", "b"].map(x, x + name) == ["a", "b"]`, false, false},
		{`version < 0 || matches(name, "a.*") || name.contains("a")`, false, false},
		{`version < 0 || "x" + name == "x"`, false, false},
		{`version < 0 || captured_at > after.capturedAt`, false, false},
	} {
		f, err := filter.Compile(test.text)
		if err != nil {
			t.Fatal(err)
		}
		if matches, decided := f.Decide(&updated().Change); matches != test.matches || decided != test.decided {
			t.Errorf("%s: %t, decided %t", test.text, matches, decided)
		}
	}
}
