package recorder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/varvehq/varve/history"
)

// TimedOut is the reason of runs that Sweep aborts.
const TimedOut = "timed out"

const (
	maxReason = 1024 // bytes of the reason of an abort
	maxScope  = 1000 // entries of each list of a scope
	sweepPage = 256
)

// OpenRun opens a collection run after a look at its id and scope, whose lists
// it sorts. See [history.Store].
func (r *Recorder) OpenRun(ctx context.Context, run history.Run) (history.Run, error) {
	if !run.ID.Valid() {
		return history.Run{}, badRunID(run.ID)
	}
	scope, err := checkScope(run.Scope)
	if err != nil {
		return history.Run{}, err
	}
	run.Scope = scope
	return r.store.OpenRun(ctx, run)
}

// CloseRun completes or aborts a run. The reason is that of an abort. See
// [history.Store].
func (r *Recorder) CloseRun(ctx context.Context, id history.RunID, how history.Disposal, reason string) (history.Run, error) {
	switch {
	case !id.Valid():
		return history.Run{}, badRunID(id)
	case how > history.Abort:
		return history.Run{}, &history.Error{Kind: history.Invalid, Field: "disposal", Value: fmt.Sprint(how),
			Text: "is neither complete nor abort"}
	case len(reason) > maxReason:
		return history.Run{}, &history.Error{Kind: history.TooLarge, Field: "reason",
			Text: fmt.Sprintf("is %d bytes long, at most %d are stored", len(reason), maxReason)}
	case !utf8.ValidString(reason):
		return history.Run{}, notUTF8("reason", "")
	}
	return r.store.CloseRun(ctx, id, how, reason)
}

// Run returns a run as it stands. See [history.Store].
func (r *Recorder) Run(ctx context.Context, id history.RunID) (history.Run, error) {
	if !id.Valid() {
		return history.Run{}, badRunID(id)
	}
	return r.store.Run(ctx, id)
}

// Runs lists runs, latest opened first. See [history.Store].
func (r *Recorder) Runs(ctx context.Context, after history.RunID, limit int) ([]history.Run, bool, error) {
	if after != "" && !after.Valid() {
		return nil, false, badRunID(after)
	}
	return r.store.Runs(ctx, after, limit)
}

// Sweep aborts the open runs whose deadline has come and returns how many. What
// keeps it from aborting one does not keep it from the others.
func (r *Recorder) Sweep(ctx context.Context) (int, error) {
	now := history.MomentOf(r.o.Now())
	var errs []error
	aborted := 0
	for after, more := history.RunID(""), true; more; {
		var page []history.Run
		var err error
		if page, more, err = r.store.Runs(ctx, after, sweepPage); err != nil {
			return aborted, errors.Join(append(errs, err)...)
		}
		for _, run := range page {
			after = run.ID
			if run.State != history.RunOpen || now < run.Deadline {
				continue
			}
			_, err := r.store.CloseRun(ctx, run.ID, history.Abort, TimedOut)
			switch {
			case err == nil:
				aborted++
			case !errors.Is(err, history.RunClosed): // by someone else, meanwhile
				errs = append(errs, fmt.Errorf("run %s: %w", run.ID, err))
			}
		}
		more = more && len(page) > 0
	}
	return aborted, errors.Join(errs...)
}

func checkScope(s history.Scope) (history.Scope, error) {
	for _, list := range []struct {
		field  string
		values *[]string
		max    int
		empty  bool // the empty string is a value
	}{
		{"scope/accounts", &s.Accounts, history.MaxAccount, true},
		{"scope/regions", &s.Regions, history.MaxRegion, true},
		{"scope/types", &s.Types, history.MaxType, false},
	} {
		if len(*list.values) > maxScope {
			return s, &history.Error{Kind: history.TooLarge, Field: list.field, Value: fmt.Sprint(len(*list.values)),
				Text: fmt.Sprintf("are more than %d; leave the list empty to mean all", maxScope)}
		}
		for _, value := range *list.values {
			e := &history.Error{Kind: history.Invalid, Field: list.field, Value: quote(value)}
			switch {
			case value == "" && !list.empty:
				e.Text = "is empty"
			case len(value) > list.max:
				e.Kind, e.Text = history.TooLarge, fmt.Sprintf("is %d bytes long, at most %d are stored", len(value), list.max)
			case !utf8.ValidString(value):
				e.Text = "is not valid UTF-8"
			case strings.IndexByte(value, 0) >= 0:
				e.Text = "holds a NUL character"
			default:
				continue
			}
			return s, e
		}
		sorted := slices.Clone(*list.values)
		slices.Sort(sorted)
		*list.values = slices.Compact(sorted)
	}
	return s, nil
}

func badRunID(id history.RunID) error {
	return &history.Error{Kind: history.Invalid, Field: "run", Value: quote(string(id)),
		Text: "must be 1 to 128 characters of a-z A-Z 0-9 . _ ~ -"}
}
