package recorded_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/conformance"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/recorded"
)

var start = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

// shelf is one over a store in memory whose clock goes on by a second at each look.
func shelf(t *testing.T) (*recorded.Shelf, *memory.Store) {
	t.Helper()
	now := start
	store := memory.New(memory.Options{Now: func() time.Time { now = now.Add(time.Second); return now }})
	t.Cleanup(func() { _ = store.Close() })
	return recorded.New(store), store
}

func newest(t *testing.T, s *memory.Store) history.Reader {
	t.Helper()
	r, err := s.AsOf(t.Context(), history.At{Captured: history.Newest})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func rule(name string) *rules.Rule {
	return &rules.Rule{Name: name, Scope: rules.Scope{Types: []string{"T"}}, Compliant: "true"}
}

func names(t *testing.T, s *memory.Store, o *rules.Owner, pack string) string {
	t.Helper()
	list, _, err := recorded.Rules(t.Context(), newest(t, s), o, pack, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range list {
		all = append(all, list[i].Recorded())
	}
	return strings.Join(all, " ")
}

func TestPutRules(t *testing.T) {
	ctx := t.Context()
	s, store := shelf(t)
	put, first, err := s.PutRules(ctx, rules.Owner{}, []*rules.Rule{rule("b"), rule("a")}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if put[0].Name != "b" || put[0].Version != 1 || put[0].From != put[0].PutAt || put[0].PutAt == 0 {
		t.Errorf("%+v", put[0])
	}

	t.Run("AgainChangesNothing", func(t *testing.T) {
		put, again, err := s.PutRules(ctx, rules.Owner{}, []*rules.Rule{rule("b")}, 0)
		if err != nil || put[0].Version != 1 || again.Position != first.Position {
			t.Errorf("%+v, %v", put, err)
		}
	})
	t.Run("EffectiveFromThePast", func(t *testing.T) {
		past := history.MomentOf(start.AddDate(-1, 0, 0))
		put, _, err := s.PutRules(ctx, rules.Owner{}, []*rules.Rule{rule("b")}, past)
		if err != nil || put[0].Version != 2 || put[0].From != past || put[0].PutAt <= past {
			t.Fatalf("%+v, %v", put, err)
		}
		// And it stays so, when it is put as it is.
		put, _, err = s.PutRules(ctx, rules.Owner{}, []*rules.Rule{rule("b")}, 0)
		if err != nil || put[0].Version != 2 || put[0].From != past {
			t.Errorf("%+v, %v", put, err)
		}
	})
	t.Run("NoneIfOneIsRefused", func(t *testing.T) {
		bad := rule("d")
		bad.Compliant = "nonsense("
		if _, _, err := s.PutRules(ctx, rules.Owner{}, []*rules.Rule{rule("c"), bad}, 0); !errors.Is(err, history.Invalid) {
			t.Error(err)
		}
		if got := names(t, store, nil, ""); got != "a b" {
			t.Error(got)
		}
	})
	t.Run("OwnersHaveNamesOfTheirOwn", func(t *testing.T) {
		mine := rules.Owner{Account: "1", Region: "r"}
		if _, _, err := s.PutRules(ctx, mine, []*rules.Rule{rule("a")}, 0); err != nil {
			t.Fatal(err)
		}
		if got := names(t, store, &mine, ""); got != "a" {
			t.Error(got)
		}
		if _, err := recorded.GetRule(ctx, newest(t, store), mine, "b"); !errors.Is(err, history.NotFound) || !strings.Contains(err.Error(), "of the whole installation") {
			t.Error(err)
		}
		if _, err := s.DeleteRule(ctx, mine, "a"); err != nil {
			t.Error(err)
		}
		if got := names(t, store, nil, ""); got != "a b" {
			t.Error(got)
		}
	})
	t.Run("ManagedHasItsTypes", func(t *testing.T) {
		r := &rules.Rule{Name: "ssh", Identifier: "INCOMING_SSH_DISABLED"}
		if err := recorded.Check(r); err != nil || len(r.Scope.Types) != 1 || r.Scope.Types[0] != "AWS::EC2::SecurityGroup" {
			t.Errorf("%v, %v", r.Scope.Types, err)
		}
	})
}

// template is a pack with so many rules of those there are: a managed one, one in CEL
// and one that is not judged.
func template(rules ...string) []byte {
	text := "Parameters: {Age: {Type: String, Default: '90'}}\nResources:\n"
	for _, r := range rules {
		text += map[string]string{
			"keys": "  Keys: {Type: 'AWS::Config::ConfigRule', Properties: {ConfigRuleName: keys, InputParameters: {maxAccessKeyAge: !Ref Age}, Source: {Owner: AWS, SourceIdentifier: ACCESS_KEYS_ROTATED}}}\n",
			"ssh":  "  Ssh: {Type: 'AWS::Config::ConfigRule', Properties: {ConfigRuleName: ssh, Source: {Owner: AWS, SourceIdentifier: INCOMING_SSH_DISABLED}}}\n",
			"none": "  None: {Type: 'AWS::Config::ConfigRule', Properties: {ConfigRuleName: none, Source: {Owner: AWS, SourceIdentifier: NO_SUCH}}}\n",
		}[r]
	}
	return []byte(text)
}

func TestPacks(t *testing.T) {
	ctx := t.Context()
	s, store := shelf(t)
	put := func(text []byte, parameters map[string]string) (recorded.Pack, history.Receipt) {
		t.Helper()
		p, receipt, err := s.PutPack(ctx, rules.Owner{}, "base", text, parameters)
		if err != nil {
			t.Fatal(err)
		}
		return p, receipt
	}
	p, first := put(template("keys", "ssh", "none"), nil)
	if p.Unsupported() != 1 || p.Rule("none").State != conformance.Unsupported || p.Rule("none").Reason == "" || p.Version != 1 {
		t.Errorf("%+v", p)
	}
	if got := names(t, store, nil, "base"); got != "base/keys base/ssh" {
		t.Error(got)
	}
	if _, again := put(template("keys", "ssh", "none"), nil); again.Position != first.Position {
		t.Error("the same pack was recorded once more")
	}

	if _, err := s.DeleteRule(ctx, rules.Owner{}, "base/ssh"); !errors.Is(err, history.Invalid) {
		t.Errorf("a rule of a pack was deleted: %v", err)
	}
	p, _ = put(template("keys"), map[string]string{"Age": "30"})
	if got := names(t, store, nil, "base"); got != "base/keys" || p.Version != 2 || *p.Parameters[0].Value != "30" || !p.Parameters[0].Given {
		t.Errorf("%s, %+v", got, p)
	}
	keys, err := recorded.GetRule(ctx, newest(t, store), rules.Owner{}, "base/keys")
	if err != nil || keys.Arguments["maxAccessKeyAge"] != "30" || keys.Pack != "base" || keys.Name != "keys" {
		t.Errorf("%+v, %v", keys, err)
	}
	if _, _, err := s.PutPack(ctx, rules.Owner{}, "base", []byte("Resources: {A: {Type: X}}"), nil); !errors.Is(err, history.Invalid) {
		t.Error(err)
	}
	if got := names(t, store, nil, "base"); got != "base/keys" {
		t.Errorf("a pack that is refused left %s", got)
	}

	if _, err := s.DeletePack(ctx, rules.Owner{}, "base"); err != nil {
		t.Fatal(err)
	}
	if got := names(t, store, nil, ""); got != "" {
		t.Error(got)
	}
	if _, err := recorded.GetPack(ctx, newest(t, store), rules.Owner{}, "base"); !errors.Is(err, history.NotFound) {
		t.Error(err)
	}
}

// What is put and deleted at once by many is there or gone as a whole.
func TestPacksAreWholeAmidPuts(t *testing.T) {
	s, store := shelf(t)
	done := make(chan error, 8)
	for i := range cap(done) {
		go func() {
			text := template("keys", "ssh")
			if i%2 == 0 {
				text = template("keys")
			}
			_, _, err := s.PutPack(context.Background(), rules.Owner{}, "base", text, nil)
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	p, err := recorded.GetPack(t.Context(), newest(t, store), rules.Owner{}, "base")
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]string{1: "base/keys", 2: "base/keys base/ssh"}[len(p.Rules)]
	if got := names(t, store, nil, "base"); got != want {
		t.Errorf("a pack of %d rules has %s", len(p.Rules), got)
	}
}

func TestWaivers(t *testing.T) {
	s, store := shelf(t)
	w := &engine.Waiver{Waiver: rules.Waiver{Name: "w", Rules: []string{"base/ssh", "keys"}, Reason: "r", Author: "a"}}
	put, _, err := s.PutWaiver(t.Context(), w)
	if err != nil || put.PutAt == 0 {
		t.Fatal(err)
	}
	items, err := newest(t, store).Get(t.Context(), []history.Key{{Type: rules.TypeWaiver, ID: "w"}}, history.FieldsAll)
	if err != nil {
		t.Fatal(err)
	}
	if back, _, err := rules.ReadWaiver(&items[0]); err != nil || !back.Excuses("base/ssh") || back.Excuses("other/ssh") || !back.Excuses("any/keys") {
		t.Errorf("%+v, %v", back, err)
	}
	if _, err := s.DeleteWaiver(t.Context(), rules.Owner{}, "v"); !errors.Is(err, history.NotFound) {
		t.Error(err)
	}
	if _, err := s.DeleteWaiver(t.Context(), rules.Owner{}, "w"); err != nil {
		t.Error(err)
	}
}
