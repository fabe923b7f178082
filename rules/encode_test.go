package rules_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
)

var (
	words     = rapid.SliceOfNDistinct(rapid.StringN(1, 8, 16).Filter(noNUL), 0, 3, rapid.ID[string])
	anyText   = rapid.StringN(0, 20, 60).Filter(noNUL)
	names     = rapid.StringMatching(`[A-Za-z0-9_.-]{1,12}`)
	anyScopes = rapid.Custom(func(t *rapid.T) rules.Scope {
		s := rules.Scope{
			Types: words.Draw(t, "types"), Accounts: words.Draw(t, "accounts"), Regions: words.Draw(t, "regions"),
			TagKey: anyText.Draw(t, "key"),
		}
		if s.TagKey != "" {
			s.TagValue = anyText.Draw(t, "value")
		}
		if len(s.Types) == 1 {
			s.IDs = words.Draw(t, "ids")
		}
		return s
	})
)

func noNUL(s string) bool { return !strings.ContainsRune(s, 0) }

func TestRuleComesBackFromItsRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rules.Rule{
			Name: names.Draw(t, "name"), Description: anyText.Draw(t, "description"), Scope: anyScopes.Draw(t, "scope"),
			Trigger: rules.Trigger(rapid.IntRange(0, 3).Draw(t, "trigger")), Mode: rules.Mode(rapid.IntRange(0, 3).Draw(t, "mode")),
			Period:     time.Duration(rapid.IntRange(0, 1000).Draw(t, "period")) * time.Minute,
			Severity:   rapid.SampledFrom(append(rules.Severities(), "")).Draw(t, "severity"),
			Frameworks: words.Draw(t, "frameworks"),
		}
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			r.Identifier = "MANAGED"
			r.Arguments = rapid.MapOfN(anyText, anyText, 0, 3).Draw(t, "arguments")
		case 1:
			r.External = true
		case 2:
			r.Compliant, r.Applicable, r.Annotation = "x"+anyText.Draw(t, "compliant"), anyText.Draw(t, "applicable"), anyText.Draw(t, "annotation")
			for _, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,4}`), 0, 4, rapid.ID[string]).Draw(t, "parameters") {
				p := rules.Parameter{Name: name, Type: rules.ParameterString, Description: anyText.Draw(t, "about")}
				if rapid.Bool().Draw(t, "has default") {
					text := anyText.Draw(t, "default")
					p.Default = &text
				}
				r.Parameters = append(r.Parameters, p)
			}
		}
		r.Normalize()
		if err := r.Validate(); err != nil {
			t.Fatal(err)
		}
		owner := rules.Owner{Account: anyText.Draw(t, "account"), Region: anyText.Draw(t, "region")}
		from := history.Moment(rapid.Int64Range(0, int64(history.LastMoment)).Draw(t, "from"))
		put, err := r.Observation(owner, from)
		if err != nil {
			t.Fatal(err)
		}
		text := put.State.Configuration
		back, of, effective, err := rules.Read(&history.Item{Key: put.Key, State: put.State, CapturedAt: 7})
		if err != nil {
			t.Fatal(err)
		}
		wanted := from
		if from == 0 {
			wanted = 7 // as captured
		}
		if d := cmp.Diff(&r, back); d != "" || of != owner || effective != wanted || put.Key.Type != rules.TypeRule || put.Key.ID != r.Name {
			t.Fatal(d, of, effective)
		}
		again, err := rules.EncodeRule(back, from)
		if err != nil || !bytes.Equal(text, again) {
			t.Fatalf("%v\n%s\n%s", err, text, again)
		}
	})
}

func TestWaiverComesBackFromItsRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rules.Waiver{
			Name: names.Draw(t, "name"), Scope: anyScopes.Draw(t, "scope"), Reason: "r" + anyText.Draw(t, "reason"),
			Rules:   rapid.SliceOfNDistinct(names, 0, 3, rapid.ID[string]).Draw(t, "rules"),
			Author:  "a" + anyText.Draw(t, "author"),
			Expires: history.Moment(rapid.Int64Range(0, int64(history.LastMoment)).Draw(t, "expires")),
		}
		w.Normalize()
		if err := w.Validate(); err != nil {
			t.Fatal(err)
		}
		put, err := w.Observation(rules.Owner{Region: "r"})
		if err != nil {
			t.Fatal(err)
		}
		back, of, err := rules.ReadWaiver(&history.Item{Key: put.Key, State: put.State})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(&w, back); d != "" || of != (rules.Owner{Region: "r"}) || put.Key.Type != rules.TypeWaiver {
			t.Fatal(d, of)
		}
	})
}

// A record that is read for ever does not change its form unnoticed.
func TestRecordedForm(t *testing.T) {
	text := "20"
	r := rules.Rule{
		Name: "ports", Scope: rules.Scope{Types: []string{"B", "A"}}, Compliant: `a < "é"`,
		Parameters: []rules.Parameter{{Name: "p", Type: rules.ParameterInt, Default: &text, Required: true}},
		Arguments:  map[string]string{"p": "1"},
	}
	r.Normalize()
	got, err := rules.EncodeRule(&r, 1_000_001)
	const want = `{"compliant":"a < \"é\"","effectiveFrom":"1970-01-01T00:00:01.000001Z","inputParameters":{"p":"1"},"mode":"detective","name":"ports",` +
		`"parameters":[{"default":"20","name":"p","required":true,"type":"int"}],"periodMinutes":1440,` +
		`"scope":{"resourceTypes":["A","B"]},"severity":"medium","trigger":"change"}`
	if err != nil || string(got) != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
	}
}

func TestRecordThatIsNotUnderstood(t *testing.T) {
	for _, text := range []string{
		``, `{`, `{"name":"a"}`, `[]`,
		`{"name":"a","trigger":"change","periodMinutes":1440,"severity":"medium","mode":"detective","compliant":"true","more":1}`,
		`{"name":"","trigger":"change","periodMinutes":1440,"severity":"medium","mode":"detective","compliant":"true"}`,
	} {
		if _, _, err := rules.DecodeRule([]byte(text)); !errors.Is(err, history.DataLoss) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := rules.DecodeWaiver([]byte(`{"name":"a","reason":"r","author":"a","expires":"soon"}`)); !errors.Is(err, history.DataLoss) {
		t.Error(err)
	}
}

func TestAnnotationIsCut(t *testing.T) {
	long := string(bytes.Repeat([]byte("ä"), 300))
	v := rules.Annotate(rules.Error, long)
	if n := len([]rune(v.Annotation)); n != rules.MaxAnnotation {
		t.Errorf("%d characters", n)
	}
	if v := rules.Annotate(rules.Error, long[:512]); v.Annotation != long[:512] {
		t.Errorf("what fits is cut: %q", v.Annotation)
	}
	if v := rules.Annotate(rules.Error, "a\xffb"); v.Annotation != "a\uFFFDb" {
		t.Errorf("%q", v.Annotation)
	}
}
