package metrics_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/varvehq/varve/cmd/internal/metrics"
	"github.com/varvehq/varve/recorder/delivery"
)

// listed lists one subscription a page.
type listed struct {
	all []delivery.Status
	err error
}

func (l listed) List(_ context.Context, after string, _ int) ([]delivery.Status, bool, error) {
	for i, s := range l.all {
		if s.Subscription.Name > after {
			return l.all[i : i+1], i+1 < len(l.all), l.err
		}
	}
	return nil, false, l.err
}

func TestSubscriptions(t *testing.T) {
	all := []delivery.Status{
		{Subscription: delivery.Subscription{Name: "audit"}, State: delivery.Paused, Matched: 3, Delivered: 1, LagEvents: 7, Lag: 90 * time.Second, OldestUndelivered: 1_700_000_000_500_000},
		{Subscription: delivery.Subscription{Name: "ops"}, State: delivery.Failing, Failed: 5, Retried: 4, Outstanding: 2, DeadLetters: 1, DeadLettered: 6, Missed: 8},
	}
	t.Run("OK", func(t *testing.T) {
		m := metrics.New(metrics.Build{})
		m.Subscriptions(listed{all: all}, slog.New(slog.DiscardHandler))
		problems, err := testutil.GatherAndLint(m.Registry())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
		err = testutil.GatherAndCompare(m.Registry(), strings.NewReader(`
# HELP varve_subscription_deliveries_total Events that the receiver took.
# TYPE varve_subscription_deliveries_total counter
varve_subscription_deliveries_total{subscription="audit"} 1
varve_subscription_deliveries_total{subscription="ops"} 0
# HELP varve_subscription_failures_total Attempts at an event that failed.
# TYPE varve_subscription_failures_total counter
varve_subscription_failures_total{subscription="audit"} 0
varve_subscription_failures_total{subscription="ops"} 5
# HELP varve_subscription_lag_events Changes behind the newest: outstanding ones, and those not yet read.
# TYPE varve_subscription_lag_events gauge
varve_subscription_lag_events{subscription="audit"} 7
varve_subscription_lag_events{subscription="ops"} 0
# HELP varve_subscription_lag_seconds How long ago the oldest of these was recorded; 0 if there are none.
# TYPE varve_subscription_lag_seconds gauge
varve_subscription_lag_seconds{subscription="audit"} 90
varve_subscription_lag_seconds{subscription="ops"} 0
# HELP varve_subscription_oldest_undelivered_timestamp_seconds When that was, in seconds since 1970; 0 if there are none.
# TYPE varve_subscription_oldest_undelivered_timestamp_seconds gauge
varve_subscription_oldest_undelivered_timestamp_seconds{subscription="audit"} 1.7000000005e+09
varve_subscription_oldest_undelivered_timestamp_seconds{subscription="ops"} 0
# HELP varve_subscription_state 1 for the state of a subscription, 0 for the others.
# TYPE varve_subscription_state gauge
varve_subscription_state{state="active",subscription="audit"} 0
varve_subscription_state{state="active",subscription="ops"} 0
varve_subscription_state{state="disabled",subscription="audit"} 0
varve_subscription_state{state="disabled",subscription="ops"} 0
varve_subscription_state{state="failing",subscription="audit"} 0
varve_subscription_state{state="failing",subscription="ops"} 1
varve_subscription_state{state="paused",subscription="audit"} 1
varve_subscription_state{state="paused",subscription="ops"} 0
`), "varve_subscription_deliveries_total", "varve_subscription_failures_total", "varve_subscription_lag_events", "varve_subscription_lag_seconds",
			"varve_subscription_oldest_undelivered_timestamp_seconds", "varve_subscription_state")
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("Not told", func(t *testing.T) {
		var log strings.Builder
		m := metrics.New(metrics.Build{})
		m.Subscriptions(listed{all: all, err: errors.New("closed")}, slog.New(slog.NewTextHandler(&log, nil)))
		families, err := m.Registry().Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if strings.HasPrefix(f.GetName(), "varve_subscription_") {
				t.Errorf("%s is told", f.GetName())
			}
		}
		if !strings.Contains(log.String(), "err=closed") {
			t.Errorf("logged: %s", log.String())
		}
	})
}
