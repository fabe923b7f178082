package rules_test

import (
	"testing"

	"github.com/varvehq/varve/rules"
)

func TestRecordedNames(t *testing.T) {
	for _, c := range []struct{ pack, name, recorded string }{
		{"", "ssh", "ssh"}, {"base", "ssh", "base/ssh"},
	} {
		if got := rules.Qualify(c.pack, c.name); got != c.recorded {
			t.Errorf("%s in %q is recorded as %s", c.name, c.pack, got)
		}
		if pack, name := rules.Unqualify(c.recorded); pack != c.pack || name != c.name {
			t.Errorf("%s is %s in %q", c.recorded, name, pack)
		}
		if err := rules.CheckRecordedName("name", c.recorded); err != nil {
			t.Error(err)
		}
		if !rules.Means("ssh", c.recorded) || !rules.Means(c.recorded, c.recorded) || rules.Means("other/ssh", c.recorded) {
			t.Errorf("%s is meant by other names than its own", c.recorded)
		}
	}
	for _, bad := range []string{"", "/", "a/", "/b", "a/b/c", "ä"} {
		if rules.CheckRecordedName("name", bad) == nil {
			t.Errorf("%q is taken for a name", bad)
		}
	}
}
