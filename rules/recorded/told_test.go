package recorded_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/conformance"
	"github.com/varvehq/varve/rules/recorded"
)

// What a door tells of a pack stays with it as long as nobody puts it otherwise, and
// another version of the program puts it again with it.
func TestPacksAsTold(t *testing.T) {
	ctx := t.Context()
	s, store := shelf(t)
	s.Managed = younger("INCOMING_SSH_DISABLED")
	put := recorded.PackPut{Name: "base", Template: template("keys", "ssh"), AsTold: map[string][]byte{"door": []byte(`{"bucket":"b"}`)}}
	told := func() string {
		t.Helper()
		p, err := recorded.GetPack(ctx, newest(t, store), rules.Owner{}, "base")
		if err != nil {
			t.Fatal(err)
		}
		return string(p.AsTold["door"])
	}
	if _, _, err := s.PutPackAs(ctx, put); err != nil {
		t.Fatal(err)
	}
	if got := told(); got != `{"bucket":"b"}` {
		t.Errorf("told %q", got)
	}
	grown := recorded.New(store)
	if got := renewed(t, grown); !strings.Contains(got, "begun [ssh]") {
		t.Fatal(got)
	}
	if got := told(); got != `{"bucket":"b"}` {
		t.Errorf("put again by another version it is told as %q", got)
	}
	if got := renewed(t, grown); got != "" {
		t.Errorf("put again without need: %s", got)
	}
	if p, _, err := grown.PutPack(ctx, rules.Owner{}, "base", put.Template, nil); err != nil || p.Version != 3 || told() != "" {
		t.Errorf("put by who tells nothing: version %d, told %q, %v", p.Version, told(), err)
	}
}

func TestPacksOfManyRules(t *testing.T) {
	s, store := shelf(t)
	put := recorded.PackPut{Name: "base", Template: template("keys", "ssh", "none"), MostRules: 2}
	_, _, err := s.PutPackAs(t.Context(), put)
	var e *history.Error
	if !errors.As(err, &e) || e.Kind != history.TooLarge || e.Field != "Resources" {
		t.Error(err)
	}
	if got := names(t, store, nil, ""); got != "" {
		t.Errorf("a pack that is refused left %s", got)
	}
	put.MostRules = 3
	p, _, err := s.PutPackAs(t.Context(), put)
	if err != nil || p.Rule("none").State != conformance.Unsupported {
		t.Error(p, err)
	}
}
