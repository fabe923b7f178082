package plan

import (
	"fmt"
	"time"

	"github.com/varvehq/varve/history"
)

// Defaults of the rules of admission.
const (
	DefaultFutureSlack = 5 * time.Minute
	DefaultRunTimeout  = 24 * time.Hour
)

// Admit fills in the captured moment that an observation left open and refuses
// what no resource can take: a key that cannot be stored, a moment out of range
// or more than slack after now.
func Admit(o *history.Observation, run *history.Run, now history.Moment, slack time.Duration) error {
	if err := o.Key.Validate(); err != nil {
		return err
	}
	switch {
	case o.CapturedAt == 0 && run != nil:
		o.CapturedAt = run.Moment
	case o.CapturedAt == 0:
		o.CapturedAt = now
	}
	if !o.CapturedAt.Valid() {
		return &history.Error{Kind: history.Invalid, Field: "capturedAt", Value: fmt.Sprint(int64(o.CapturedAt), " µs"),
			Text: "lies outside the years 1970 to 9999"}
	}
	if limit := now + history.Moment(slack.Microseconds()); o.CapturedAt > limit {
		return &history.Error{Kind: history.Future, Field: "capturedAt", Value: o.CapturedAt.String(),
			Text: fmt.Sprintf("is more than %v after now, %v; check the source's clock", slack, now)}
	}
	return nil
}

// OpenRun fills in what the opener of a run left open and refuses what cannot
// be a run.
func OpenRun(r history.Run, now history.Moment, slack time.Duration) (history.Run, error) {
	if !r.ID.Valid() {
		return r, &history.Error{Kind: history.Invalid, Field: "run", Value: fmt.Sprintf("%q", r.ID),
			Text: "must be 1 to 128 characters of a-z A-Z 0-9 . _ ~ -"}
	}
	run := history.Run{ID: r.ID, Scope: r.Scope, Moment: r.Moment, Deadline: r.Deadline, OpenedAt: now}
	if run.Moment == 0 {
		run.Moment = now
	}
	if run.Deadline == 0 {
		run.Deadline = now + history.Moment(DefaultRunTimeout.Microseconds())
	}
	if !run.Moment.Valid() {
		return r, &history.Error{Kind: history.Invalid, Field: "moment", Text: "lies outside the years 1970 to 9999"}
	}
	if run.Moment > now+history.Moment(slack.Microseconds()) {
		return r, &history.Error{Kind: history.Future, Field: "moment", Value: run.Moment.String(),
			Text: fmt.Sprintf("is more than %v after now, %v", slack, now)}
	}
	if !run.Deadline.Valid() || run.Deadline <= now {
		return r, &history.Error{Kind: history.Invalid, Field: "deadline", Value: run.Deadline.String(), Text: "is not after now"}
	}
	return run, nil
}

// Expire aborts a run that is open past its deadline. What a backend shows or
// closes has gone through it.
func Expire(r *history.Run, now history.Moment) {
	if r.State == history.RunOpen && now >= r.Deadline {
		r.State, r.ClosedAt, r.Reason = history.RunAborted, r.Deadline, "timed out"
	}
}

// Remembers reports whether an operation carried out at a moment is still known
// by its id; afterwards the same id is a new operation.
func Remembers(at, now history.Moment) bool {
	return now-at < history.Moment(history.OpRetention.Microseconds())
}

// Joins refuses observations of a run that no longer takes them.
func Joins(r *history.Run, now history.Moment) error {
	if r.State != history.RunOpen {
		return history.Errorf(history.RunClosed, "run %s is %s; open another", r.ID, r.State)
	}
	if now >= r.Deadline {
		return history.Errorf(history.RunClosed, "run %s timed out at %s; open another", r.ID, r.Deadline)
	}
	return nil
}

// Disposed says what closing a run in its present state means: done when it
// stands so already, an error when it cannot be.
func Disposed(r *history.Run, how history.Disposal, now history.Moment) (done bool, err error) {
	aborting := how == history.Abort
	switch {
	case r.State == history.RunComplete && !aborting, r.State == history.RunAborted && aborting:
		return true, nil
	case r.State != history.RunOpen:
		return false, history.Errorf(history.RunClosed, "run %s is %s already", r.ID, r.State)
	case aborting:
		return false, nil
	case now >= r.Deadline:
		return false, history.Errorf(history.RunClosed, "run %s timed out at %s; nothing was deleted", r.ID, r.Deadline)
	case r.Refused > 0 && how != history.CompleteForced:
		return false, &history.Error{Kind: history.RunTainted,
			Text: fmt.Sprintf("%d items of run %s were refused: abort it, or force its completion", r.Refused, r.ID),
			Meta: map[string]string{"refused": fmt.Sprint(r.Refused)}}
	}
	return false, nil
}

// Greedy refuses a completion that would delete more than half of what lived in
// the run's scope, and more than a handful.
func Greedy(r *history.Run, how history.Disposal, deletes, alive uint64) error {
	if how == history.CompleteForced || deletes <= history.RunGreedAbove || deletes*2 <= alive {
		return nil
	}
	return &history.Error{Kind: history.RunTooGreedy,
		Text: fmt.Sprintf("run %s would delete %d of the %d resources in its scope; check the scope, then force its completion", r.ID, deletes, alive),
		Meta: map[string]string{"would_delete": fmt.Sprint(deletes), "alive": fmt.Sprint(alive)}}
}
