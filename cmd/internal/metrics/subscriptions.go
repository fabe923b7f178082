package metrics

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/varvehq/varve/recorder/delivery"
)

// Subscriptions lists how subscriptions stand, as [delivery.Deliverer] does.
type Subscriptions interface {
	List(ctx context.Context, after string, limit int) ([]delivery.Status, bool, error)
}

// Subscriptions adds what subscriptions tell of themselves, each under its name.
func (m *Metrics) Subscriptions(s Subscriptions, log *slog.Logger) {
	m.registry.MustRegister(&subscriptionCollector{s, log})
}

type subscriptionCollector struct {
	subscriptions Subscriptions
	log           *slog.Logger
}

func ofSubscription(name, help string, more ...string) *prometheus.Desc {
	return prometheus.NewDesc("varve_subscription_"+name, help, append([]string{"subscription"}, more...), nil)
}

func subscriptionGauge(name, help string, read func(*delivery.Status) float64) measure[delivery.Status] {
	return measure[delivery.Status]{ofSubscription(name, help), prometheus.GaugeValue, read}
}

func subscriptionCounter(name, help string, read func(*delivery.Status) uint64) measure[delivery.Status] {
	return measure[delivery.Status]{ofSubscription(name, help), prometheus.CounterValue, func(s *delivery.Status) float64 { return float64(read(s)) }}
}

var ofStatus = []measure[delivery.Status]{
	subscriptionGauge("lag_events", "Changes behind the newest: outstanding ones, and those not yet read.",
		func(s *delivery.Status) float64 { return float64(s.LagEvents) }),
	subscriptionGauge("lag_seconds", "How long ago the oldest of these was recorded; 0 if there are none.",
		func(s *delivery.Status) float64 { return s.Lag.Seconds() }),
	subscriptionGauge("oldest_undelivered_timestamp_seconds", "When that was, in seconds since 1970; 0 if there are none.",
		func(s *delivery.Status) float64 { return float64(s.OldestUndelivered) / 1e6 }),
	subscriptionGauge("last_delivery_timestamp_seconds", "When the receiver last took something, in seconds since 1970; 0 if it never did.",
		func(s *delivery.Status) float64 { return float64(s.LastDelivered) / 1e6 }),
	subscriptionGauge("outstanding_events", "Events that matched, and were neither taken nor given up.",
		func(s *delivery.Status) float64 { return float64(s.Outstanding) }),
	subscriptionGauge("dead_letters", "Events that were given up, and are kept.",
		func(s *delivery.Status) float64 { return float64(s.DeadLetters) }),

	subscriptionCounter("matched_total", "Events that the filter chose.", func(s *delivery.Status) uint64 { return s.Matched }),
	subscriptionCounter("deliveries_total", "Events that the receiver took.", func(s *delivery.Status) uint64 { return s.Delivered }),
	subscriptionCounter("failures_total", "Attempts at an event that failed.", func(s *delivery.Status) uint64 { return s.Failed }),
	subscriptionCounter("retries_total", "Attempts at an event after its first one.", func(s *delivery.Status) uint64 { return s.Retried }),
	subscriptionCounter("dead_lettered_total", "Events that were given up.", func(s *delivery.Status) uint64 { return s.DeadLettered }),
	subscriptionCounter("dead_letters_dropped_total", "Dead letters that were dropped for newer ones.", func(s *delivery.Status) uint64 { return s.Dropped }),
	subscriptionCounter("missed_total", "Changes that were pruned before they could be read or sent.", func(s *delivery.Status) uint64 { return s.Missed }),
	subscriptionCounter("filter_errors_total", "Events sent because the filter could not decide.", func(s *delivery.Status) uint64 { return s.FilterErrors }),
}

var (
	subscriptionState  = ofSubscription("state", "1 for the state of a subscription, 0 for the others.", "state")
	subscriptionStates = []delivery.State{delivery.Active, delivery.Failing, delivery.Paused, delivery.Disabled}
)

// Describe implements prometheus.Collector.
func (c *subscriptionCollector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range ofStatus {
		out <- m.desc
	}
	out <- subscriptionState
}

// Collect implements prometheus.Collector. What cannot be told is left out, and
// logged.
func (c *subscriptionCollector) Collect(out chan<- prometheus.Metric) {
	const page = 1000
	ctx, cancel := context.WithTimeout(context.Background(), statsTime)
	defer cancel()
	for after := ""; ; {
		list, more, err := c.subscriptions.List(ctx, after, page)
		if err != nil {
			c.log.Warn("subscriptions do not tell how they stand", "err", err)
			return
		}
		for i := range list {
			c.send(out, &list[i])
		}
		if !more || len(list) == 0 {
			return
		}
		after = list[len(list)-1].Subscription.Name
	}
}

func (c *subscriptionCollector) send(out chan<- prometheus.Metric, s *delivery.Status) {
	name := s.Subscription.Name
	for _, m := range ofStatus {
		out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.read(s), name)
	}
	for _, state := range subscriptionStates {
		value := 0.0
		if s.State == state {
			value = 1
		}
		out <- prometheus.MustNewConstMetric(subscriptionState, prometheus.GaugeValue, value, name, string(state))
	}
}
