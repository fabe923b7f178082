package engine_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/canonical"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
)

// TestVerdictKeys makes keys of texts that want to be taken for one another.
func TestVerdictKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	text := func(most int) string {
		list := []string{"", "a", "/", "%2F", "#", "a/a", "//", "%", "é", "#" + strings.Repeat("0", 64), " ", "a?b", strings.Repeat("/", most), strings.Repeat("x", most)}
		return list[r.IntN(len(list))]
	}
	type asked struct {
		o    rules.Owner
		rule string
		k    history.Key
	}
	made := map[history.Key]asked{}
	for range 20_000 {
		a := asked{
			rules.Owner{Account: text(history.MaxAccount), Region: text(history.MaxRegion)}, someOf(r, "a", "b", strings.Repeat("r", 128)),
			history.Key{Account: text(history.MaxAccount), Region: text(history.MaxRegion), Type: "T" + text(history.MaxType-1), ID: "i"},
		}
		a.k.ID = text(history.MaxID) + text(1)
		if a.k.ID == "" || len(a.k.ID) > history.MaxID {
			a.k.ID = "i"
		}
		k := engine.VerdictKey(a.o, a.rule, a.k)
		if err := k.Validate(); err != nil {
			t.Fatal(err)
		}
		if other, ok := made[k]; ok && other != a {
			t.Fatalf("%+v and %+v have one key, %v", a, other, k)
		}
		made[k] = a
	}
}

func TestEvaluationIsReadAsItWasPut(t *testing.T) {
	w := memoryWorld(t)
	for i, c := range []struct {
		e    rules.Evaluation
		want string // annotation
	}{
		{rules.Evaluation{Verdict: rules.Verdict{Annotation: ""}}, ""},
		{rules.Evaluation{Verdict: rules.Verdict{Annotation: "<&>\u2028\" \x7f\t\u00e9 \U0001F512"}}, "<&>\u2028\" \x7f\t\u00e9 \U0001F512"},
		{rules.Evaluation{Verdict: rules.Verdict{Annotation: "a\xffb"}}, "a\ufffdb"},
		{rules.Evaluation{Verdict: rules.Verdict{Annotation: strings.Repeat("\u00e9", 300)}}, strings.Repeat("\u00e9", 255) + "…"},
		{rules.Evaluation{Owner: rules.Owner{Account: "a/b", Region: "r"}}, ""},
	} {
		c.e.Rule, c.e.Compliance, c.e.At = "rule", rules.NonCompliant, at(0)
		c.e.Key = history.Key{Account: "1", Type: "T", ID: fmt.Sprint("<\u2028>", i)}
		if err := engine.PutEvaluation(w.ctx, w.store, c.e); err != nil {
			t.Fatal(err)
		}
		r, err := w.store.AsOf(w.ctx, history.At{})
		if err != nil {
			t.Fatal(err)
		}
		items, err := r.Get(w.ctx, []history.Key{engine.EvaluationKey(c.e.Owner, "rule", c.e.Key)}, history.FieldsAll)
		if err != nil {
			t.Fatal(err)
		}
		got, err := engine.ReadRecord(&items[0])
		want := engine.Record{Owner: c.e.Owner, Rule: "rule", Key: c.e.Key, Verdict: rules.Verdict{Compliance: rules.NonCompliant, Annotation: c.want}}
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%v (-put +read):\n%s", err, d)
		}
		if text := items[0].State.Configuration; !canonical.IsCanonical(text) {
			t.Errorf("%s is not canonical", text)
		}
	}
}
