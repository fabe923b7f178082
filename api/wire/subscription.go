package wire

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/delivery"
)

const subscriptionPrefix = "subscriptions/"

// SubscriptionName is the resource name of a subscription,
// `subscriptions/{subscription}`.
func SubscriptionName(name string) string { return subscriptionPrefix + name }

// ParseSubscriptionName reads a resource name of a subscription. Which names
// subscriptions may have is not its business.
func ParseSubscriptionName(field, name string) (string, error) {
	id, ok := strings.CutPrefix(name, subscriptionPrefix)
	switch {
	case name == "":
		return "", invalid(field, "", "is required")
	case !ok:
		return "", invalid(field, strconv.Quote(shorten(name)), "is not the name of a subscription, subscriptions/NAME")
	}
	return id, nil
}

var subscriptionStates = map[delivery.State]varvev1.Subscription_State{
	delivery.Active:   varvev1.Subscription_STATE_ACTIVE,
	delivery.Failing:  varvev1.Subscription_STATE_FAILING,
	delivery.Paused:   varvev1.Subscription_STATE_PAUSED,
	delivery.Disabled: varvev1.Subscription_STATE_DISABLED,
}

// StatusToProto writes a subscription and how it stands. The values of secrets
// are left out.
func StatusToProto(s *delivery.Status) *varvev1.Subscription {
	d := &s.Subscription
	p := &varvev1.Subscription{
		Name:      SubscriptionName(d.Name),
		Target:    d.Target,
		Filter:    d.Filter,
		Format:    d.Format,
		Gzip:      d.Gzip,
		Batch:     int32(min(d.Batch, math.MaxInt32)),
		Timeout:   spanToProto(d.Timeout),
		RetryFor:  spanToProto(d.RetryFor),
		CreatedAt: MomentToProto(d.CreatedAt),
		UpdatedAt: MomentToProto(d.UpdatedAt),

		State:          subscriptionStates[s.State],
		DisabledReason: d.Disabled,
		Position:       string(s.Position),
		Sequence:       uint64(s.Seq),
		Previous:       uint64(s.Previous),

		Matched:      s.Matched,
		Delivered:    s.Delivered,
		Failed:       s.Failed,
		Retried:      s.Retried,
		DeadLettered: s.DeadLettered,
		DeadLetters:  count(s.DeadLetters),
		Dropped:      s.Dropped,
		Missed:       s.Missed,
		FilterErrors: s.FilterErrors,
		Outstanding:  count(s.Outstanding),

		LagEvents:           s.LagEvents,
		Lag:                 spanToProto(s.Lag),
		OldestUndeliveredAt: MomentToProto(s.OldestUndelivered),
		LastDeliveredAt:     MomentToProto(s.LastDelivered),
	}
	if d.Rotate.Bytes != 0 || d.Rotate.Keep != 0 {
		p.Rotation = &varvev1.Subscription_Rotation{Bytes: d.Rotate.Bytes, Keep: int32(min(d.Rotate.Keep, math.MaxInt32))}
	}
	for _, secret := range d.Secrets {
		p.Secrets = append(p.Secrets, &varvev1.Subscription_Secret{
			Since: MomentToProto(secret.Since), Until: MomentToProto(secret.Until),
		})
	}
	if f := s.LastFailure; f != nil {
		p.LastFailure = &varvev1.Subscription_Failure{At: MomentToProto(f.At), Sequence: uint64(f.Seq), Reason: f.Reason}
	}
	return p
}

// SubscriptionFromProto reads what a subscription is to be; its output is not
// looked at.
func SubscriptionFromProto(field string, p *varvev1.Subscription) (delivery.Subscription, error) {
	s := delivery.Subscription{
		Target: p.GetTarget(), Filter: p.GetFilter(), Format: p.GetFormat(), Gzip: p.GetGzip(), Batch: int(p.GetBatch()),
		Rotate: delivery.Rotation{Bytes: p.GetRotation().GetBytes(), Keep: int(p.GetRotation().GetKeep())},
	}
	var err error
	if s.Name, err = ParseSubscriptionName(field+".name", p.GetName()); err != nil {
		return s, err
	}
	for _, span := range []struct {
		name string
		from *durationpb.Duration
		to   *time.Duration
	}{{"timeout", p.GetTimeout(), &s.Timeout}, {"retryFor", p.GetRetryFor(), &s.RetryFor}} {
		if span.from == nil {
			continue
		}
		if err := span.from.CheckValid(); err != nil {
			return s, invalid(field+"."+span.name, fmt.Sprintf("%ds", span.from.GetSeconds()), "is not a duration")
		}
		*span.to = span.from.AsDuration()
	}
	return s, nil
}

// DeadLetterToProto writes an event that was given up.
func DeadLetterToProto(d *delivery.DeadLetter) *varvev1.DeadLetter {
	return &varvev1.DeadLetter{
		Sequence:       uint64(d.Seq),
		Previous:       uint64(d.Previous),
		Key:            KeyToProto(d.Key),
		RecordedAt:     MomentToProto(d.RecordedAt),
		Attempts:       count(d.Attempts),
		FirstFailureAt: MomentToProto(d.FirstFailure),
		LastFailureAt:  MomentToProto(d.LastFailure),
		Reason:         d.Reason,
		FilterError:    d.FilterError,
	}
}

// FromFromProto reads where a subscription begins: at most one of both is given.
func FromFromProto(p *varvev1.PutSubscriptionRequest) (delivery.From, error) {
	since, err := AskedFromProto("since", p.GetSince())
	if err != nil {
		return delivery.From{}, err
	}
	if since != 0 && p.GetPosition() != "" {
		return delivery.From{}, invalid("since", "", "does not go with position; give one of both")
	}
	return delivery.From{Position: history.Position(p.GetPosition()), Recorded: since}, nil
}

// count writes a number of things, none of which is negative.
func count(n int) uint32 { return Uint32(uint64(max(n, 0))) }

// spanToProto writes a length of time; zero is none.
func spanToProto(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}
