package awsconfig

import (
	"context"
	"errors"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/recorder/settings"
)

// recording returns the caller's recorder, which must run.
func (d *Door) recording(ctx context.Context, c Caller) (settings.Recorder, error) {
	r, err := d.o.Settings.Recorder(ctx, c.owner())
	if errors.Is(err, settings.UnknownRecorder) || err == nil && !r.Recording {
		return r, refuse("NoRunningConfigurationRecorderException", "There is no configuration recorder running in account %s and region %s; start one with StartConfigurationRecorder", c.Account, c.Region)
	}
	return r, err
}

// fresh refuses a question that found nothing, if it is because nothing was set
// up: the caller has no recorder, and of what he sees nothing was recorded by
// other doors either.
func (d *Door) fresh(ctx context.Context, c Caller, r history.Reader) error {
	_, err := d.o.Settings.Recorder(ctx, c.owner())
	if !errors.Is(err, settings.UnknownRecorder) {
		return err
	}
	for _, q := range c.owner().Questions(history.Query{Deleted: true, Limit: 1, Fields: history.FieldsKey}) {
		some, _, err := r.Items(ctx, q)
		if err != nil || len(some) > 0 {
			return err
		}
	}
	return refuse("NoAvailableConfigurationRecorderException", "There are no configuration recorders available to provide the role needed to describe your resources. Create a configuration recorder")
}

// hiddenBefore is the moment at which the history begins that a caller is shown.
func (d *Door) hiddenBefore(ctx context.Context, c Caller) (history.Moment, error) {
	return d.o.Settings.HiddenBefore(ctx, c.owner(), history.MomentOf(d.o.Now()))
}

// entries is how many entries a page has that was asked for with a limit, of an
// operation that has a name of its own for limits out of range.
func entries(limit int32, usual, most int) (int, error) {
	if limit < 0 {
		return 0, refuse("InvalidLimitException", "Value '%d' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 0", limit)
	}
	if int(limit) > most {
		return 0, refuse("InvalidLimitException", "Value '%d' at 'limit' failed to satisfy constraint: Member must have value less than or equal to %d", limit, most)
	}
	return pageOf(limit, usual), nil
}
