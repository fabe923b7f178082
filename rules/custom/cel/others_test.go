package cel_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/custom/cel"
)

// neighbours tells what was asked, and answers.
type neighbours struct {
	asked []string
	items map[string][]*rules.Decoded // by what is asked
	err   error
}

func (n *neighbours) answer(asked string) ([]*rules.Decoded, error) {
	n.asked = append(n.asked, asked)
	return n.items[asked], n.err
}

func (n *neighbours) Related(_ context.Context, k history.Key, typ string) ([]*rules.Decoded, error) {
	return n.answer("related " + k.ID + " " + typ)
}

func (n *neighbours) Referrers(_ context.Context, k history.Key, typ string) ([]*rules.Decoded, error) {
	return n.answer("referrers " + k.ID + " " + typ)
}

func (n *neighbours) Inventory(_ context.Context, typ string) ([]*rules.Decoded, error) {
	return n.answer("inventory " + typ)
}

func TestOthers(t *testing.T) {
	other := item(`{"Open":true}`)
	other.Item.Key.ID = "z-1"
	items := map[string][]*rules.Decoded{
		"related y-1 Z": {other}, "referrers y-1 Z": {other}, "inventory Z": {other}, "related z-1 Y": {other},
	}
	for condition, asked := range map[string][]string{
		`related("Z").all(z, z.config.open == true && z.id == "z-1")`:       {"related y-1 Z"},
		`resource.related("Z").size() == 1`:                                 {"related y-1 Z"},
		`referrers("Z").exists(z, z.config.open == true)`:                   {"referrers y-1 Z"},
		`inventory("Z")[0].config.open == true`:                             {"inventory Z"},
		`related("Z").all(z, z.related("Y").all(y, y.config.open == true))`: {"related y-1 Z", "related z-1 Y"},
		`related("Z").all(resource, related("Z").size() == 1)`:              {"related y-1 Z", "related y-1 Z"},
		`related("none").size() == 0`:                                       {"related y-1 none"},
		`config.x == 1 || related("Z").size() == 0`:                         nil,
	} {
		n := &neighbours{items: items}
		v := judge(t, &rules.Rule{Compliant: condition}, &rules.Subject{Item: item(`{"x":1}`), Others: n})
		if v.Compliance != rules.Compliant || !slices.Equal(n.asked, asked) {
			t.Errorf("%s: %v, asked %q", condition, v, n.asked)
		}
	}
	t.Run("None", func(t *testing.T) {
		if got := say(t, `related("Z").size() + referrers("").size() + inventory("Z").size() == 0`, `{}`); got != "true" {
			t.Error(got)
		}
	})
	t.Run("WhatCannotBeReadIsNoVerdict", func(t *testing.T) {
		failure := errors.New("the disk is gone")
		j, err := cel.Compile(&rules.Rule{Compliant: `true || related("Z").size() == 0`, Applicable: `related("Z").size() == 0 || true`})
		if err != nil {
			t.Fatal(err)
		}
		_, err = j.Judge(context.Background(), &rules.Subject{Item: item(`{}`), Others: &neighbours{err: failure}})
		if !errors.Is(err, failure) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("Cancelled", func(t *testing.T) {
		j, err := cel.Compile(&rules.Rule{Compliant: `true`})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err = j.Judge(ctx, &rules.Subject{Item: item(`{}`)}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// Whatever an expression is, it stops with an error, soon.
func TestBounds(t *testing.T) {
	deep := strings.Repeat("(", 300) + "true" + strings.Repeat(")", 300)
	if _, err := cel.Compile(&rules.Rule{Compliant: deep}); !errors.Is(err, history.Invalid) {
		t.Errorf("deep nesting: %v", err)
	}
	long := "true" + strings.Repeat(" && true", 5000)
	if _, err := cel.Compile(&rules.Rule{Compliant: long}); !errors.Is(err, history.TooLarge) {
		t.Errorf("long text: %v", err)
	}
	if _, err := cel.Compile(&rules.Rule{Compliant: `config.text.matches("((((a{1,90}){1,90}){1,90}){1,90})+$")`}); !errors.Is(err, history.Invalid) {
		t.Errorf("large pattern: %v", err)
	}

	list := "[" + strings.TrimSuffix(strings.Repeat("1,", 1000), ",") + "]"
	text := `"` + strings.Repeat("a", 200_000) + `"`
	statements := func(n int) string {
		return `{"Statement":[` + strings.TrimSuffix(strings.Repeat(`{"Effect":"Allow"},`, n), ",") + `]}`
	}
	configuration := `{"document":` + statements(1500) + `,"large":` + strconv.Quote(statements(3000)) + `,"list":` + list +
		`,"policy":` + strconv.Quote(statements(1500)) + `,"text":` + text + `}`
	const stopped = "compliant: takes more than 2000000 steps"
	for condition, want := range map[string]string{
		`config.list.all(a, config.list.all(b, config.list.all(c, a + b + c > 0)))`: stopped,
		`config.list.all(a, config.text.matches("(a|aa)+b") == false)`:              stopped,
		`config.list.all(a, config.text.contains(config.text))`:                     stopped,
		`config.list.all(a, json("[" + config.text + "]") == a)`:                    stopped,
		`config.list.all(a, iam.statements(config.policy).size() == 1500)`:          stopped,
		`config.list.all(a, config.list.all(b, ageInDays("2026-01-01") > 1))`:       stopped,
		`config.list.all(a, iam.statements(config.document).size() == 1500)`:        stopped,
		`config.list.map(a, config.text + config.text).size() > 0`:                  "compliant: makes too large a value",
		`json(config.text) == 1`:                   "no JSON",
		`iam.statements(config.large).size() == 1`: "more than 2000 statements",
		`iam.match(config.text, config.text)`:      "more than 4096 bytes",
	} {
		start := time.Now()
		got := say(t, condition, configuration)
		t.Log(time.Since(start), condition)
		late := want == stopped && strings.Contains(got, "compliant: takes longer than") // of a slow machine
		if !late && !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", condition, got, want)
		}
	}
}
