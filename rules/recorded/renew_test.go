package recorded_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/conformance"
	"github.com/varvehq/varve/rules/recorded"
)

// younger is a catalogue of a program that does not compute some rules yet.
func younger(lacks ...string) conformance.Catalogue {
	return func(identifier string) (conformance.Managed, bool) {
		for _, one := range lacks {
			if one == identifier {
				return conformance.Managed{}, false
			}
		}
		return conformance.Computed(identifier)
	}
}

// renewed is what Renew tells, without the reasons why something was left.
func renewed(t *testing.T, s *recorded.Shelf) string {
	t.Helper()
	list, err := s.Renew(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, r := range list {
		text += fmt.Sprint(r.Owner.Account, r.Name, " begun ", r.Begun, " ended ", r.Ended, " changed ", r.Changed, " unsupported ", r.Unsupported, " left ", r.Err != nil, "; ")
	}
	return text
}

// whole is all that is recorded of rules and packs, versions and moments included.
func whole(t *testing.T, s *memory.Store, at history.At) map[string]string {
	t.Helper()
	r, err := s.AsOf(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, typ := range []string{rules.TypeRule, recorded.TypePack} {
		items, _, err := r.Items(t.Context(), history.Query{Type: typ, Fields: history.FieldsAll})
		if err != nil {
			t.Fatal(err)
		}
		for i := range items {
			all[items[i].Key.String()] = fmt.Sprint(items[i].Version, items[i].CapturedAt, string(items[i].State.Configuration))
		}
	}
	return all
}

func TestRenew(t *testing.T) {
	ctx := t.Context()
	s, store := shelf(t)
	s.Managed = younger("INCOMING_SSH_DISABLED")
	text := template("keys", "ssh", "none")
	p, receipt, err := s.PutPack(ctx, rules.Owner{}, "base", text, map[string]string{"Age": "30"})
	if err != nil || p.Unsupported() != 2 {
		t.Fatal(p, err)
	}
	if _, receipt, err = s.PutPack(ctx, rules.Owner{Account: "1"}, "own", template("keys"), nil); err != nil {
		t.Fatal(err)
	}
	if got := renewed(t, s); got != "" {
		t.Errorf("the program that put them puts again %s", got)
	}
	if head, err := store.Head(ctx); err != nil || head.Position != receipt.Position {
		t.Errorf("something was recorded where nothing differs: %v, %v", head, err)
	}
	past, err := store.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	then := history.At{Captured: past.RecordedAt}
	before := whole(t, store, then)

	grown := recorded.New(store) // the next start, with all there is
	if got, want := renewed(t, grown), "base begun [ssh] ended [] changed [] unsupported 1 left false; "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if d := cmp.Diff(before, whole(t, store, then)); d != "" {
		t.Errorf("the past is altered (-before +after):\n%s", d)
	}
	p, err = recorded.GetPack(ctx, newest(t, store), rules.Owner{}, "base")
	if err != nil || p.Rule("ssh").State != conformance.Active || p.Unsupported() != 1 || *p.Parameters[0].Value != "30" || p.Template != string(text) {
		t.Errorf("%+v, %v", p, err)
	}
	ssh, err := recorded.GetRule(ctx, newest(t, store), rules.Owner{}, "base/ssh")
	if err != nil || ssh.From <= then.Captured || ssh.Version != 1 {
		t.Errorf("%+v, %v", ssh, err)
	}
	keys, err := recorded.GetRule(ctx, newest(t, store), rules.Owner{}, "base/keys")
	if err != nil || keys.Version != 1 || keys.Arguments["maxAccessKeyAge"] != "30" {
		t.Errorf("a rule that is as it was is put again: %+v, %v", keys, err)
	}
	head, _ := store.Head(ctx)
	if got := renewed(t, grown); got != "" {
		t.Errorf("a start more puts again %s", got)
	}
	if again, err := store.Head(ctx); err != nil || again.Revision != head.Revision {
		t.Errorf("a start more records something: %v", err)
	}

	t.Run("ChangedRule", func(t *testing.T) {
		s := recorded.New(store)
		s.Managed = func(identifier string) (conformance.Managed, bool) {
			m, ok := conformance.Computed(identifier)
			m.Rule.Severity = rules.SeverityCritical
			return m, ok
		}
		if got, want := renewed(t, s), "base begun [] ended [] changed [keys ssh] unsupported 1 left false; 1own begun [] ended [] changed [keys] unsupported 0 left false; "; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if keys, err := recorded.GetRule(ctx, newest(t, store), rules.Owner{}, "base/keys"); err != nil || keys.Version != 2 || keys.Severity != rules.SeverityCritical {
			t.Errorf("%+v, %v", keys, err)
		}
	})
	t.Run("FewerRules", func(t *testing.T) {
		s := recorded.New(store)
		s.Managed = younger("INCOMING_SSH_DISABLED", "ACCESS_KEYS_ROTATED")
		if got, want := renewed(t, s), "base begun [] ended [keys ssh] changed [] unsupported 3 left false; 1own begun [] ended [keys] changed [] unsupported 1 left false; "; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got := names(t, store, nil, ""); got != "" {
			t.Errorf("%s are judged", got)
		}
	})
	t.Run("RefusedParameter", func(t *testing.T) {
		s := recorded.New(store)
		s.Managed = func(identifier string) (conformance.Managed, bool) {
			m, ok := conformance.Computed(identifier)
			m.Rule.Parameters = nil
			return m, ok
		}
		was := whole(t, store, history.At{})
		if got, want := renewed(t, s), "base begun [] ended [] changed [] unsupported 0 left true; 1own begun [] ended [] changed [] unsupported 0 left true; "; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if d := cmp.Diff(was, whole(t, store, history.At{})); d != "" {
			t.Errorf("a pack that cannot be loaded was altered (-before +after):\n%s", d)
		}
	})
}

// failing is a store that dies at an append.
type failing struct {
	recorded.Store
	left int
}

var errDied = errors.New("died")

func (f *failing) Append(ctx context.Context, b history.Batch) (history.Receipt, error) {
	if f.left--; f.left < 0 {
		return history.Receipt{}, errDied
	}
	return f.Store.Append(ctx, b)
}

// TestRenewGoesOnAfterACrash: what one start did not come to, the next one does.
func TestRenewGoesOnAfterACrash(t *testing.T) {
	s, store := shelf(t)
	s.Managed = younger("INCOMING_SSH_DISABLED")
	for _, name := range []string{"a", "b", "c"} {
		if _, _, err := s.PutPack(t.Context(), rules.Owner{}, name, template("ssh"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := recorded.New(&failing{store, 1}).Renew(t.Context()); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	if got := names(t, store, nil, ""); got != "a/ssh" {
		t.Errorf("%s before the crash", got)
	}
	if got, want := renewed(t, recorded.New(store)), "b begun [ssh] ended [] changed [] unsupported 0 left false; c begun [ssh] ended [] changed [] unsupported 0 left false; "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
