package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestCompareUTF16(t *testing.T) {
	texts := []string{""}
	runes := []rune("ab\u07ff\u0800\ud7ff\ue000\uf000\uffff\U00010000\U0010ffff")
	for _, r := range runes {
		texts = append(texts, string(r))
		for _, s := range runes {
			texts = append(texts, string(r)+string(s))
		}
	}
	for _, a := range texts {
		for _, b := range texts {
			want := slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
			if got := compareUTF16(a, b); cmp.Compare(got, 0) != want {
				t.Errorf("%q %q: %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestAnchors(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"", "", ""},
		{"a", "b", ""},
		{"abc", "abc", "abc"},
		{"vwxyz", "zvxwy", "vwy"},
		{"aabc", "abc", "bc"},
		{"abcdef", "fedcba", "a"},
		{"xaybzc", "abc", "abc"},
	} {
		ids := func(s string) (out []int) {
			for _, r := range s {
				out = append(out, int(r))
			}
			return out
		}
		got := anchors(ids(c.a), ids(c.b))
		text, last := "", anchor{none, none}
		for _, g := range got {
			if c.a[g.a] != c.b[g.b] || g.a <= last.a || g.b <= last.b {
				t.Errorf("%s %s: %v", c.a, c.b, got)
			}
			text, last = text+c.a[g.a:g.a+1], g
		}
		if len(text) != len(c.want) {
			t.Errorf("%s %s: %s, want as many as %s", c.a, c.b, text, c.want)
		}
	}
}

// TestKeysTable reads keys.txt as a person would check it.
func TestKeysTable(t *testing.T) {
	rules, usual := builtin()
	if len(rules) < 50 || len(usual) < 10 {
		t.Fatalf("%d rules, %d usual names", len(rules), len(usual))
	}
	seen := map[string]bool{}
	for _, r := range append(rules, usual...) {
		line := fmt.Sprintf("%s %s %s", r.Type, r.Array, r.Keys)
		if seen[line] {
			t.Errorf("%s: stands twice", line)
		}
		seen[line] = true
		if r.Array != strings.Trim(r.Array, "/ ") || strings.Contains(r.Array, "//") {
			t.Errorf("%s: malformed array", line)
		}
		for _, key := range r.Keys {
			if name := strings.TrimSuffix(key, "?"); name == "" || strings.Contains(name, "?") || strings.Trim(name, "/") != name {
				t.Errorf("%s: malformed key %q", line, key)
			}
		}
	}
}

func TestKeyRuleFits(t *testing.T) {
	for _, c := range []struct {
		rule  KeyRule
		typ   string
		keys  string
		wants bool
	}{
		{KeyRule{Array: "ports"}, "", "spec ports", true},
		{KeyRule{Array: "containers/ports"}, "", "spec containers ports", true},
		{KeyRule{Array: "containers/ports"}, "", "spec ports", false},
		{KeyRule{Array: "containers/ports"}, "", "ports", false},
		{KeyRule{Array: "volumes/*/items"}, "", "volumes configMap items", true},
		{KeyRule{Array: "volumes/*/items"}, "", "volumes items", false},
		{KeyRule{Array: "ip_permissions"}, "", "IpPermissions", true},
		{KeyRule{Array: "ip-permissions"}, "", "ipPermission", false},
		{KeyRule{Array: "ipPermissions"}, "", "ip-permissions-", true},
		{KeyRule{Array: "defaultAcl"}, "", "metadata Default_ACL", true},
		{KeyRule{Array: "straße"}, "", "Straße", true},
		{KeyRule{}, "", "", true},
		{KeyRule{Array: "x"}, "", "", false},
		{KeyRule{Type: "Kubernetes::*", Array: "x"}, "Kubernetes::core::Pod", "x", true},
		{KeyRule{Type: "Kubernetes::*", Array: "x"}, "AWS::EC2::Instance", "x", false},
		{KeyRule{Type: "Kubernetes::*", Array: "x"}, "", "x", false},
		{KeyRule{Type: "AWS::EC2::Instance", Array: "x"}, "AWS::EC2::Instance", "x", true},
		{KeyRule{Type: "AWS::EC2::Instance", Array: "x"}, "AWS::EC2::InstanceX", "x", false},
		{KeyRule{Type: "*", Array: "x"}, "", "x", true},
	} {
		c.rule.Keys = []string{"id"}
		keys := strings.Fields(c.keys)
		for i := range keys {
			keys[i] = strings.ReplaceAll(keys[i], "_", " ")
		}
		if got := c.rule.fits(c.typ, keys); got != c.wants {
			t.Errorf("%+v, type %q, %s: %t", c.rule, c.typ, c.keys, got)
		}
	}
}
