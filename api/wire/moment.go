package wire

import (
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/history"
)

// MomentToProto writes a moment; none and Newest give nil.
func MomentToProto(m history.Moment) *timestamppb.Timestamp {
	if m == 0 || m == history.Newest {
		return nil
	}
	return timestamppb.New(m.Time())
}

// MomentFromProto reads a timestamp, cut to microseconds; nil gives the zero
// moment. Invalid unless it lies after the epoch and before the year 10000.
func MomentFromProto(field string, ts *timestamppb.Timestamp) (history.Moment, error) {
	if ts == nil {
		return 0, nil
	}
	if err := ts.CheckValid(); err != nil {
		return 0, invalid(field, fmt.Sprintf("%d.%09d", ts.GetSeconds(), ts.GetNanos()), "is not a timestamp")
	}
	return momentOf(field, ts.AsTime())
}

// AskedFromProto reads the moment that a question asks about; nil gives the zero
// moment. Other than a moment that is recorded it may lie at the epoch or before
// it: it then means before everything, and gives FirstMoment.
func AskedFromProto(field string, ts *timestamppb.Timestamp) (history.Moment, error) {
	if !ts.IsValid() {
		return MomentFromProto(field, ts) // none, or an error
	}
	return askedOf(field, ts.AsTime())
}

// ParseMoment reads RFC 3339 as a question has it: see AskedFromProto.
func ParseMoment(field, text string) (history.Moment, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, invalid(field, strconv.Quote(shorten(text)), "is not a time in RFC 3339, such as 2026-03-01T09:30:00Z")
	}
	return askedOf(field, t)
}

func askedOf(field string, t time.Time) (history.Moment, error) {
	if t.Before(history.FirstMoment.Time()) {
		return history.FirstMoment, nil
	}
	return momentOf(field, t)
}

func momentOf(field string, t time.Time) (history.Moment, error) {
	// UnixMicro would wrap around for a year that RFC 3339 cannot write.
	if s := t.Unix(); s < 0 || s > int64(history.LastMoment/1e6) || !history.MomentOf(t).Valid() {
		return 0, invalid(field, t.UTC().Format(time.RFC3339Nano),
			"is out of range: moments lie after 1970-01-01T00:00:00Z and before the year 10000")
	}
	return history.MomentOf(t), nil
}

// KnownAt bounds what is known: by a revision, or by a moment of recording.
// The zero KnownAt is all that is known now.
type KnownAt struct {
	Given    bool
	Recorded history.Moment   // zero: Revision says it
	Revision history.Revision // zero: before anything was known
}

// ParseKnownAt reads `known_at`: a revision in decimal or a time in RFC 3339.
func ParseKnownAt(text string) (KnownAt, error) {
	if text == "" {
		return KnownAt{}, nil
	}
	if isDecimal(text) {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return KnownAt{}, &history.Error{Kind: history.Future, Field: "knownAt", Value: shorten(text),
				Text: "is a revision that no store reaches"}
		}
		return KnownAt{Given: true, Revision: history.Revision(n)}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return KnownAt{}, invalid("knownAt", strconv.Quote(shorten(text)),
			"is neither a revision, such as 4711, nor a time in RFC 3339, such as 2026-03-01T09:30:00Z")
	}
	m, err := askedOf("knownAt", t)
	return KnownAt{Given: err == nil, Recorded: m}, err
}

// String is what ParseKnownAt reads.
func (k KnownAt) String() string {
	switch {
	case !k.Given:
		return ""
	case k.Recorded != 0:
		return k.Recorded.String()
	}
	return k.Revision.String()
}

func isDecimal(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

func invalid(field, value, text string) *history.Error {
	return &history.Error{Kind: history.Invalid, Field: field, Value: value, Text: text}
}

func shorten(text string) string {
	if len(text) > 64 {
		return text[:64] + "…"
	}
	return text
}

// momentField is a timestamp on its way into a moment.
type momentField struct {
	name string
	from *timestamppb.Timestamp
	to   *history.Moment
}

func readMoments(fields ...momentField) error {
	for _, f := range fields {
		m, err := MomentFromProto(f.name, f.from)
		if err != nil {
			return err
		}
		*f.to = m
	}
	return nil
}
