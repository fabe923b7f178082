package graph_test

import (
	"slices"
	"testing"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
)

func TestTargets(t *testing.T) {
	at := func(account, region string) graph.Bearer {
		return graph.Bearer{Key: history.Key{Account: account, Region: region, Type: "T", ID: "x"}}
	}
	owner := history.Key{Account: "a", Region: "r", Type: "O", ID: "o"}
	arn := graph.Bearer{Key: history.Key{Account: "a", Type: "T", ID: "arn:aws:t:s:a:x"}}
	for name, c := range map[string]struct {
		ref     graph.Reference
		bearers []graph.Bearer
		want    []graph.Bearer
	}{
		"OwnPlaceComesFirst":           {graph.Reference{}, []graph.Bearer{at("b", "r"), at("a", "r"), at("a", "s")}, []graph.Bearer{at("a", "r")}},
		"ASingleOneElsewhereCounts":    {graph.Reference{}, []graph.Bearer{at("b", "s")}, []graph.Bearer{at("b", "s")}},
		"OfSeveralElsewhereNone":       {graph.Reference{}, []graph.Bearer{at("b", "s"), at("a", "s")}, nil},
		"TheSameTwiceIsOne":            {graph.Reference{}, []graph.Bearer{at("b", "s"), at("b", "s")}, []graph.Bearer{at("b", "s")}},
		"WhatIsGivenCounts":            {graph.Reference{Account: "b", Region: "s"}, []graph.Bearer{at("a", "r"), at("b", "s")}, []graph.Bearer{at("b", "s")}},
		"WhatIsMissingIsTheOwners":     {graph.Reference{Account: "b"}, []graph.Bearer{at("b", "r"), at("b", "s")}, []graph.Bearer{at("b", "r")}},
		"WhatIsGivenIsNotContradicted": {graph.Reference{Account: "b"}, []graph.Bearer{at("c", "r"), at("b", "s")}, []graph.Bearer{at("b", "s")}},
		"NothingWhereItIsGiven":        {graph.Reference{Account: "b"}, []graph.Bearer{at("a", "r")}, nil},
		"NoRegionContradictsNone":      {graph.Reference{Region: "s"}, []graph.Bearer{at("a", ""), at("b", "r")}, []graph.Bearer{at("a", "")}},
		"SameAccountIsNotLeft":         {graph.Reference{Reach: graph.SameAccount}, []graph.Bearer{at("b", "r")}, nil},
		"SameAccountReachesRegions":    {graph.Reference{Reach: graph.SameAccount}, []graph.Bearer{at("b", "r"), at("a", "global")}, []graph.Bearer{at("a", "global")}},
		"SameRegionIsNotLeft":          {graph.Reference{Reach: graph.SameRegion}, []graph.Bearer{at("a", "s")}, nil},
		"SameRegionMayBeUnknown":       {graph.Reference{Reach: graph.SameRegion}, []graph.Bearer{at("a", "")}, []graph.Bearer{at("a", "")}},
		"AnARNTellsTheRegion":          {graph.Reference{Reach: graph.SameRegion}, []graph.Bearer{arn}, nil},
		"AllOfOnePlace": {graph.Reference{}, []graph.Bearer{at("a", "r"), {Key: history.Key{Account: "a", Region: "r", Type: "T", ID: "y"}}},
			[]graph.Bearer{at("a", "r"), {Key: history.Key{Account: "a", Region: "r", Type: "T", ID: "y"}}}},
		"NeverTheOwner": {graph.Reference{}, []graph.Bearer{{Key: owner}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.ref.Term = graph.IDTerm("T", "x")
			var want []history.Key
			for _, b := range c.want {
				want = append(want, b.Key)
			}
			if got := c.ref.Targets(owner, c.bearers); !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}

func TestSelectors(t *testing.T) {
	labels := []graph.Label{{Key: "app", Value: "web"}, {Key: "env", Value: ""}}
	for _, c := range []struct {
		key    string
		op     string
		values []string
		want   bool
	}{
		{"app", "In", []string{"db", "web"}, true},
		{"app", "In", []string{"db"}, false},
		{"app", "In", nil, false},
		{"tier", "In", []string{"web"}, false},
		{"env", "In", []string{""}, true},
		{"app", "NotIn", []string{"db"}, true},
		{"app", "NotIn", []string{"web"}, false},
		{"tier", "NotIn", []string{"web"}, true},
		{"env", "Exists", nil, true},
		{"tier", "Exists", nil, false},
		{"tier", "DoesNotExist", nil, true},
		{"app", "DoesNotExist", nil, false},
	} {
		op, ok := graph.ParseOperator(c.op)
		if !ok {
			t.Fatal(c.op)
		}
		s := graph.Selector{{Key: c.key, Op: op, Values: c.values}}
		if got := s.Matches(labels); got != c.want {
			t.Errorf("%s %s %q: %v", c.key, c.op, c.values, got)
		}
		if both := append(s, graph.Requirement{Key: "none", Op: graph.Exists}); both.Matches(labels) {
			t.Errorf("%s %s %q, and another that fails: chosen", c.key, c.op, c.values)
		}
	}
	if !(graph.Selector{}).Matches(nil) {
		t.Error("the empty selector does not choose what has no labels")
	}
	if _, ok := graph.ParseOperator("in"); ok {
		t.Error("in is an operator")
	}
	if (graph.Selector{{Key: "app"}}).Matches(labels) {
		t.Error("a requirement without an operator holds")
	}
}

// TestDamagedLinks: details that were cut or come from another version are
// refused.
func TestDamagedLinks(t *testing.T) {
	k, s := document(t)
	for _, l := range graph.Links(k, &s) {
		if l.Bears {
			continue
		}
		for n := range len(l.Detail) {
			cut := l
			cut.Detail = l.Detail[:n]
			if _, err := graph.ReadReferences(cut); err == nil {
				t.Fatalf("%q cut to %d bytes is read", l.Detail, n)
			}
		}
		other := l
		other.Detail = "\x63" + l.Detail[1:]
		if _, err := graph.ReadReferences(other); err == nil {
			t.Error("a detail of another version is read")
		}
		if _, err := graph.ReadLabels(l); err == nil {
			t.Error("a reference has labels")
		}
		l.Bears = true
		if _, err := graph.ReadReferences(l); err == nil {
			t.Error("what is borne has references")
		}
	}
}
