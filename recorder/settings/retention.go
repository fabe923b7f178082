package settings

import (
	"context"
	"strconv"

	"github.com/varvehq/varve/history"
)

// How many days of history are shown.
const (
	LeastDays   = 30
	DefaultDays = 2557 // seven years; the most, too
)

// retention is how long history is shown.
type retention struct {
	Days int `json:"days"`
}

// PutRetention sets how many days of history the owner is shown. BadRetention.
func (s *Settings) PutRetention(ctx context.Context, o Owner, days int) error {
	if days < LeastDays || days > DefaultDays {
		return BadRetention.Of(strconv.Itoa(days))
	}
	return s.edit(ctx, o, func(is *setup) ([]history.DocumentWrite, error) {
		is.Retention = &retention{days}
		return nil, nil
	})
}

// Retention is how many days of history the owner is shown. UnknownRetention: it was
// not set, and DefaultDays are.
func (s *Settings) Retention(ctx context.Context, o Owner) (days int, err error) {
	is, _, err := s.setup(ctx, o)
	switch {
	case err != nil:
		return 0, err
	case is.Retention == nil:
		return 0, UnknownRetention.Of(DefaultName)
	}
	return is.Retention.Days, nil
}

// DeleteRetention goes back to the default. UnknownRetention.
func (s *Settings) DeleteRetention(ctx context.Context, o Owner) error {
	return s.edit(ctx, o, func(is *setup) ([]history.DocumentWrite, error) {
		if is.Retention == nil {
			return nil, UnknownRetention.Of(DefaultName)
		}
		is.Retention = nil
		return nil, nil
	})
}

// HiddenBefore is the moment before which the owner is not shown what was, at a moment
// that is now: only what stood at it, and what came later. Nothing is deleted.
func (s *Settings) HiddenBefore(ctx context.Context, o Owner, now history.Moment) (history.Moment, error) {
	is, _, err := s.setup(ctx, o)
	if err != nil {
		return 0, err
	}
	days := DefaultDays
	if is.Retention != nil {
		days = is.Retention.Days
	}
	const day = 24 * 60 * 60 * 1_000_000 // in microseconds
	return max(0, now-history.Moment(days)*day), nil
}
