package engine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules"
	"github.com/varvehq/varve/rules/engine"
	"github.com/varvehq/varve/rules/managed"
)

// BenchmarkInventory judges one resource over the past by a rule that looks at all of
// a type, which changes as often as it has resources: by a function that only asks,
// and by a condition.
func BenchmarkInventory(b *testing.B) {
	condition, err := managed.Compile(&rules.Rule{Name: "r", Compliant: `inventory("U").all(u, u.config.open == false)`})
	if err != nil {
		b.Fatal(err)
	}
	asks := judge{rules.Needs{Others: true}, func(ctx context.Context, s *rules.Subject) (rules.Verdict, error) {
		_, err := s.Others.Inventory(ctx, "U")
		return rules.Verdict{Compliance: rules.Compliant}, err
	}}
	for _, n := range []int{250, 1000} {
		w := benchWorld(b, 0, "")
		one := func(n, moment int, text string) history.Observation {
			return history.Observation{
				Key: history.Key{Account: "1", Type: "U", ID: fmt.Sprint("u-", n)}, CapturedAt: at(moment),
				State: history.State{Configuration: []byte(text)},
			}
		}
		w.record(history.Observation{Key: history.Key{Account: "1", Type: "A", ID: "a"}, CapturedAt: at(0), State: content{V: "A"}.state()})
		var all []history.Observation
		for i := range n {
			all = append(all, one(i, 0, `{"open":false}`))
		}
		w.record(all...)
		for i := range n {
			w.record(one(i*7%n, 1+i, fmt.Sprintf(`{"generation":%d,"open":false}`, i)))
		}
		for name, j := range map[string]rules.Judge{"Asks": asks, "Condition": condition} {
			b.Run(fmt.Sprint(name, n), func(b *testing.B) {
				ruling := engine.Proposed(rules.Owner{}, rules.Rule{Name: "r", Scope: rules.Scope{Types: []string{"A"}}}, j)
				judged, began := 0, processor(b)
				for b.Loop() {
					if _, err := w.session().Backtest(w.ctx, ruling, at(0), at(3600), 1, func(*engine.Exposure) error { return nil }); err != nil {
						b.Fatal(err)
					}
					judged += n
				}
				perSecond(b, judged, processor(b)-began, "changes")
			})
		}
	}
}
