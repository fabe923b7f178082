package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules/engine"
)

// Rules adds what the evaluation of rules tells of itself. Its lag is how much of
// what the store holds it has not seen.
func (m *Metrics) Rules(e *engine.Engine, s history.Store) {
	counter := func(name, help string, read func(engine.Counters) uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "varve_rules_" + name, Help: help},
			func() float64 { return float64(read(e.Counters())) })
	}
	gauge := func(name, help string, read func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "varve_rules_" + name, Help: help}, read)
	}
	m.registry.MustRegister(
		counter("evaluations_total", "Versions of resources that rules judged.", func(c engine.Counters) uint64 { return c.Evaluations }),
		counter("transitions_total", "States of verdicts that were recorded.", func(c engine.Counters) uint64 { return c.Transitions }),
		gauge("active", "Rules that are known, deleted ones included.", func() float64 { return float64(len(e.Rulings())) }),
		gauge("failing", "1 while evaluation cannot go on, 0 while it does.", func() float64 {
			if e.Failing() != nil {
				return 1
			}
			return 0
		}),
		gauge("lag_revisions", "Revisions that were recorded and are not evaluated.", func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			through := e.EvaluatedThrough()
			head, err := s.Head(ctx)
			if err != nil || head.Position == through.Position || head.Revision < through.Revision {
				return 0
			}
			return float64(head.Revision - through.Revision)
		}),
	)
}
