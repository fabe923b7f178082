package answer

import (
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/durationpb"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Subscription says which changes are sent where, and how that goes.
type Subscription struct {
	Name      string    `json:"name"`
	Target    string    `json:"target"`
	Filter    string    `json:"filter"`
	Format    string    `json:"format"`
	Gzip      bool      `json:"gzip,omitzero"`
	Batch     int32     `json:"batch,omitzero"`
	Timeout   string    `json:"timeout,omitzero"`
	RetryFor  string    `json:"retryFor,omitzero"`
	Rotation  *Rotation `json:"rotation,omitzero"`
	Secrets   []Secret  `json:"secrets"` // in force, the newest first
	CreatedAt string    `json:"createdAt"`
	UpdatedAt string    `json:"updatedAt"`

	State    string `json:"state"` // active, failing, paused or disabled
	Disabled string `json:"disabledReason,omitzero"`
	Position string `json:"position"`
	Sequence string `json:"sequence"`
	Previous string `json:"previous"`

	Matched      uint64 `json:"matched"`
	Delivered    uint64 `json:"delivered"`
	Failed       uint64 `json:"failed"`
	Retried      uint64 `json:"retried"`
	DeadLettered uint64 `json:"deadLettered"`
	DeadLetters  uint32 `json:"deadLetters"`
	Dropped      uint64 `json:"dropped"`
	Missed       uint64 `json:"missed"`
	FilterErrors uint64 `json:"filterErrors"`
	Outstanding  uint32 `json:"outstanding"`

	LagEvents         uint64   `json:"lagEvents"`
	LagSeconds        float64  `json:"lagSeconds"`
	OldestUndelivered string   `json:"oldestUndeliveredAt,omitzero"`
	LastDelivered     string   `json:"lastDeliveredAt,omitzero"`
	LastFailure       *Failure `json:"lastFailure,omitzero"`
}

// Rotation says when a file is closed and another one begun.
type Rotation struct {
	Bytes int64 `json:"bytes,omitzero"`
	Keep  int32 `json:"keep,omitzero"`
}

// Secret is one that signs; it is not told itself.
type Secret struct {
	Since string `json:"since"`
	Until string `json:"until,omitzero"`
}

// Failure is something that failed.
type Failure struct {
	At       string `json:"at"`
	Sequence string `json:"sequence"`
	Reason   string `json:"reason"`
}

// SubscriptionOf reads a subscription.
func SubscriptionOf(p *varvev1.Subscription) Subscription {
	s := Subscription{
		Name:      strings.TrimPrefix(p.GetName(), "subscriptions/"),
		Target:    p.GetTarget(),
		Filter:    p.GetFilter(),
		Format:    p.GetFormat(),
		Gzip:      p.GetGzip(),
		Batch:     p.GetBatch(),
		Timeout:   span(p.GetTimeout()),
		RetryFor:  span(p.GetRetryFor()),
		Secrets:   []Secret{},
		CreatedAt: Time(p.GetCreatedAt()),
		UpdatedAt: Time(p.GetUpdatedAt()),

		State:    strings.ToLower(strings.TrimPrefix(p.GetState().String(), "STATE_")),
		Disabled: p.GetDisabledReason(),
		Position: p.GetPosition(),
		Sequence: strconv.FormatUint(p.GetSequence(), 10),
		Previous: strconv.FormatUint(p.GetPrevious(), 10),

		Matched:      p.GetMatched(),
		Delivered:    p.GetDelivered(),
		Failed:       p.GetFailed(),
		Retried:      p.GetRetried(),
		DeadLettered: p.GetDeadLettered(),
		DeadLetters:  p.GetDeadLetters(),
		Dropped:      p.GetDropped(),
		Missed:       p.GetMissed(),
		FilterErrors: p.GetFilterErrors(),
		Outstanding:  p.GetOutstanding(),

		LagEvents:         p.GetLagEvents(),
		LagSeconds:        p.GetLag().AsDuration().Seconds(),
		OldestUndelivered: Time(p.GetOldestUndeliveredAt()),
		LastDelivered:     Time(p.GetLastDeliveredAt()),
	}
	if r := p.GetRotation(); r != nil {
		s.Rotation = &Rotation{Bytes: r.GetBytes(), Keep: r.GetKeep()}
	}
	for _, secret := range p.GetSecrets() {
		s.Secrets = append(s.Secrets, Secret{Since: Time(secret.GetSince()), Until: Time(secret.GetUntil())})
	}
	if f := p.GetLastFailure(); f != nil {
		s.LastFailure = &Failure{At: Time(f.GetAt()), Sequence: strconv.FormatUint(f.GetSequence(), 10), Reason: f.GetReason()}
	}
	return s
}

// DeadLetter is an event that was given up.
type DeadLetter struct {
	Sequence     string `json:"sequence"`
	Previous     string `json:"previous"`
	Account      string `json:"account"`
	Region       string `json:"region"`
	Type         string `json:"type"`
	ID           string `json:"id"`
	RecordedAt   string `json:"recordedAt"`
	Attempts     uint32 `json:"attempts"`
	FirstFailure string `json:"firstFailureAt"`
	LastFailure  string `json:"lastFailureAt"`
	Reason       string `json:"reason"`
	FilterError  string `json:"filterError,omitzero"`
}

// DeadLetterOf reads a dead letter.
func DeadLetterOf(p *varvev1.DeadLetter) DeadLetter {
	return DeadLetter{
		Sequence:     strconv.FormatUint(p.GetSequence(), 10),
		Previous:     strconv.FormatUint(p.GetPrevious(), 10),
		Account:      p.GetKey().GetAccount(),
		Region:       p.GetKey().GetRegion(),
		Type:         p.GetKey().GetType(),
		ID:           p.GetKey().GetId(),
		RecordedAt:   Time(p.GetRecordedAt()),
		Attempts:     p.GetAttempts(),
		FirstFailure: Time(p.GetFirstFailureAt()),
		LastFailure:  Time(p.GetLastFailureAt()),
		Reason:       p.GetReason(),
		FilterError:  p.GetFilterError(),
	}
}

// span is a length of time as Go writes it, 1m30s; "" for none.
func span(d *durationpb.Duration) string {
	if d == nil {
		return ""
	}
	return d.AsDuration().String()
}
