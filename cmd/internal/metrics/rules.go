package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/rules/engine"
)

const failing = "1 while evaluation cannot go on, 0 while it does."

// NoRules says that rules are not evaluated, though there may be some.
func (m *Metrics) NoRules() {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "varve_rules_failing", Help: failing},
		func() float64 { return 1 }))
}

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
		counter("left_out_total", "Times that something was not evaluated since what is recorded of it is damaged.", func(c engine.Counters) uint64 { return c.LeftOut }),
		gauge("active", "Rules that are in force now.", func() float64 { return float64(e.Active()) }),
		gauge("damaged", "Rules that are not evaluated, since what is recorded of them is damaged.", func() float64 { return float64(e.Damaged()) }),
		gauge("failing", failing, func() float64 {
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
