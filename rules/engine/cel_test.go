package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/bolt"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/managed"
)

// celWorld is as the daemon puts it together.
func celWorld(t *testing.T) *world {
	w := boltWorldWith(t, bolt.Options{NoSync: true, Linker: graph.Linker{}})
	w.graph, w.language = realGraph{}, managed.Language{}
	w.clock.Advance(time.Hour)
	w.start()
	t.Cleanup(func() { w.stop() })
	return w
}

// rule records a rule that judges security groups.
func (w *world) rule(r rules.Rule, from history.Moment) {
	w.Helper()
	r.Scope.Types = []string{"AWS::EC2::SecurityGroup"}
	o, err := r.Observation(rules.Owner{}, from)
	if err != nil {
		w.Fatal(err)
	}
	w.record(o)
}

var group = history.Key{Account: "1", Region: "eu", Type: "AWS::EC2::SecurityGroup", ID: "sg-0123456789abcdef0"}

func (w *world) configured(k history.Key, n int, configuration string) {
	w.Helper()
	w.record(history.Observation{Key: k, CapturedAt: at(n), State: history.State{Configuration: []byte(configuration)}})
}

// timelineOf is a text of what is recorded of a rule on a resource, in seconds.
func (w *world) timelineOf(rule string, k history.Key) string {
	w.Helper()
	w.settle()
	r, err := w.store.AsOf(w.ctx, history.At{})
	if err != nil {
		w.Fatal(err)
	}
	list, err := engine.Intervals(w.ctx, r, engine.VerdictKey(rules.Owner{}, rule, k))
	if err != nil {
		w.Fatal(err)
	}
	var text string
	for _, i := range list {
		until := "now"
		if i.To != history.Newest {
			until = fmt.Sprint(int64((i.To - at(0)) / second))
		}
		text += fmt.Sprintf("%d %s %s; ", int64((i.From-at(0))/second), i.Compliance, until)
	}
	return text
}

func TestRulesInCEL(t *testing.T) {
	w := celWorld(t)
	w.rule(rules.Rule{Name: "closed", Compliant: `!resource.configuration.open`}, at(5))
	w.rule(rules.Rule{Name: "used", Compliant: `referrers("AWS::EC2::Instance").size() > 0`}, at(0))
	w.configured(group, 1, `{"groupId":"sg-0123456789abcdef0","open":false}`)
	w.configured(group, 9, `{"groupId":"sg-0123456789abcdef0","open":true}`)
	w.configured(group, 30, `{"groupId":"sg-0123456789abcdef0"}`)
	instance := history.Key{Account: "1", Region: "eu", Type: "AWS::EC2::Instance", ID: "i-0123456789abcdef0"}
	w.configured(instance, 12, `{"securityGroups":[{"groupId":"sg-0123456789abcdef0"}]}`)
	w.configured(instance, 20, `{"securityGroups":[]}`)
	if d := cmp.Diff("5 COMPLIANT 9; 9 NON_COMPLIANT 30; 30 ERROR now; ", w.timelineOf("closed", group)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff("1 NON_COMPLIANT 12; 12 COMPLIANT 20; 20 NON_COMPLIANT now; ", w.timelineOf("used", group)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	r, err := w.store.AsOf(w.ctx, history.At{Captured: at(15)})
	if err != nil {
		t.Fatal(err)
	}
	hits, err := graph.At(r).Uses(w.ctx, group, 3, 0)
	if err != nil || hits.Len() != 1 || hits.List()[0].Key != instance {
		t.Errorf("verdicts do not use what they are about: %+v, %v", hits, err)
	}
	// An instance is learned of late.
	late := instance
	late.ID = "i-0fedcba9876543210"
	w.configured(late, 15, `{"securityGroups":[{"groupId":"sg-0123456789abcdef0"}]}`)
	if d := cmp.Diff("1 NON_COMPLIANT 12; 12 COMPLIANT now; ", w.timelineOf("used", group)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
