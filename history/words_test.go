package history_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"pgregory.net/rapid"
)

func TestMoment(t *testing.T) {
	t.Run("RoundTrips", rapid.MakeCheck(func(t *rapid.T) {
		m := history.Moment(rapid.Int64Range(int64(history.FirstMoment), int64(history.LastMoment)).Draw(t, "moment"))
		if got := history.MomentOf(m.Time()); got != m || !m.Valid() {
			t.Fatalf("%d: %d", m, got)
		}
		parsed, err := time.Parse(time.RFC3339Nano, m.String())
		if err != nil || history.MomentOf(parsed) != m {
			t.Fatalf("%s: %v, %v", m, parsed, err)
		}
	}))
	t.Run("Zero", func(t *testing.T) {
		if m := history.MomentOf(time.Time{}); m != 0 || m.Valid() || !m.Time().IsZero() || m.String() != "" {
			t.Fatal(m)
		}
	})
	t.Run("CutToMicroseconds", func(t *testing.T) {
		if m := history.MomentOf(time.Unix(1, 1999)); m != 1_000_001 {
			t.Fatal(int64(m))
		}
	})
	t.Run("Bounds", func(t *testing.T) {
		for _, m := range []history.Moment{-1, 0, history.LastMoment + 1, history.Newest} {
			if m.Valid() {
				t.Errorf("%d is valid", m)
			}
		}
		if got := history.LastMoment.String(); got != "9999-12-31T23:59:59.999999Z" {
			t.Error(got)
		}
		if got := history.Newest.String(); got != "now" {
			t.Error(got)
		}
	})
}

func TestRunID(t *testing.T) {
	for _, id := range []history.RunID{"a", "A.z_0~9-", "-", history.RunID(strings.Repeat("x", 128))} {
		if !id.Valid() {
			t.Errorf("%q is refused", id)
		}
	}
	for _, id := range []history.RunID{"", " ", "a b", "a/b", "a:b", "é", "a\x00", history.RunID(strings.Repeat("x", 129))} {
		if id.Valid() {
			t.Errorf("%q is taken", id)
		}
	}
}

func TestScopeCovers(t *testing.T) {
	k := history.Key{Account: "1", Type: "T", ID: "i"}
	for _, c := range []struct {
		scope history.Scope
		want  bool
	}{
		{history.Scope{}, true},
		{history.Scope{Accounts: []string{"2", "1"}}, true},
		{history.Scope{Accounts: []string{"2"}}, false},
		{history.Scope{Regions: []string{""}}, true},
		{history.Scope{Regions: []string{"r"}}, false},
		{history.Scope{Accounts: []string{"1"}, Regions: []string{"", "r"}, Types: []string{"T"}}, true},
		{history.Scope{Accounts: []string{"1"}, Types: []string{"U"}}, false},
	} {
		if got := c.scope.Covers(k); got != c.want {
			t.Errorf("%q covers %v: %t", c.scope, k, got)
		}
	}
}

func TestDeriveStatus(t *testing.T) {
	for _, c := range []struct {
		given          history.Status
		deleted, alive bool
		want           history.Status
	}{
		{"", false, false, history.StatusDiscovered},
		{"", false, true, history.StatusOK},
		{"", true, false, history.StatusDeleted},
		{"", true, true, history.StatusDeleted},
		{history.StatusNotRecorded, false, false, history.StatusNotRecorded},
		{history.StatusDeletedNotRecorded, true, true, history.StatusDeletedNotRecorded},
	} {
		if got := history.DeriveStatus(c.given, c.deleted, c.alive); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestStatus(t *testing.T) {
	for s, want := range map[history.Status][2]bool{ // known, deletes
		history.StatusOK: {true, false}, history.StatusDiscovered: {true, false}, history.StatusNotRecorded: {true, false},
		history.StatusDeleted: {true, true}, history.StatusDeletedNotRecorded: {true, true}, "": {}, "ok": {}, "Deleted": {},
	} {
		if got := [2]bool{s.Known(), s.Deletes()}; got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}

func TestQuery(t *testing.T) {
	k := history.Key{Account: "1", Region: "r", Type: "T", ID: "a/b"}
	nowhere := history.Key{Type: "T", ID: "-x"}
	for _, c := range []struct {
		q    history.Query
		key  history.Key
		want bool
	}{
		{history.Query{}, k, true},
		{history.Query{Type: "T", Account: "1", Region: "r", IDPrefix: "a/"}, k, true},
		{history.Query{Type: "t"}, k, false},
		{history.Query{Account: "2"}, k, false},
		{history.Query{HasAccount: true}, k, false},
		{history.Query{HasAccount: true, HasRegion: true, IDPrefix: "-"}, nowhere, true},
		{history.Query{Account: "1"}, nowhere, false},
		{history.Query{IDPrefix: "a/b/"}, k, false},
	} {
		if got := c.q.MatchKey(c.key); got != c.want {
			t.Errorf("%+v matches %v: %t", c.q, c.key, got)
		}
	}

	s := history.State{Name: "web", Tags: map[string]string{"a": "", "b": "1"}}
	for _, c := range []struct {
		q           history.Query
		want, needs bool
	}{
		{history.Query{Type: "T"}, true, false},
		{history.Query{Name: "web"}, true, true},
		{history.Query{Name: "we"}, false, true},
		{history.Query{Tags: map[string]string{"a": ""}}, true, true},
		{history.Query{Tags: map[string]string{"a": "", "b": "1"}}, true, true},
		{history.Query{Tags: map[string]string{"a": "", "b": "2"}}, false, true},
		{history.Query{Tags: map[string]string{"c": ""}}, false, true},
	} {
		if got := c.q.MatchState(&s); got != c.want || c.q.NeedsContent() != c.needs {
			t.Errorf("%+v matches: %t, needs content: %t", c.q, got, c.q.NeedsContent())
		}
	}
}

func TestError(t *testing.T) {
	t.Run("IsItsKindHoweverWrapped", func(t *testing.T) {
		cause := errors.New("disk full")
		err := fmt.Errorf("bolt: %w", &history.Error{Kind: history.NotFound, Field: "id", Value: "x", Text: "is unknown", Err: cause})
		if !errors.Is(err, history.NotFound) || errors.Is(err, history.Internal) || !errors.Is(err, cause) {
			t.Fatal(err)
		}
	})
	t.Run("MessageLeavesTheCauseOut", func(t *testing.T) {
		for want, e := range map[string]*history.Error{
			"id x: is unknown": {Field: "id", Value: "x", Text: "is unknown", Err: errors.New("secret")},
			"id is required":   {Field: "id", Text: "is required"},
			"is closed":        {Text: "is closed"},
		} {
			if got := e.Message(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
	t.Run("EveryKindHasANameOfItsOwn", func(t *testing.T) {
		names := map[string]bool{}
		for _, k := range history.Kinds() {
			name := k.Error()
			if name == "" || names[name] || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
				t.Errorf("kind %d: %q", k, name)
			}
			names[name] = true
		}
	})
}
