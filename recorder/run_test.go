package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	"github.com/varvehq/varve/recorder"
)

func TestRuns(t *testing.T) {
	ctx := context.Background()
	r := recorder.New(memory.New(memory.Options{}), recorder.Options{})

	run, err := r.OpenRun(ctx, history.Run{ID: "a", Scope: history.Scope{Accounts: []string{"2", "", "1", "2"}}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"", "1", "2"}, run.Scope.Accounts); diff != "" {
		t.Error(diff)
	}
	for name, bad := range map[string]history.Run{
		"id":             {},
		"scope/types":    {ID: "b", Scope: history.Scope{Types: []string{""}}},
		"scope/regions":  {ID: "b", Scope: history.Scope{Regions: []string{"\xff"}}},
		"scope/accounts": {ID: "b", Scope: history.Scope{Accounts: []string{"a\x00"}}},
		"scope/long":     {ID: "b", Scope: history.Scope{Regions: []string{strings.Repeat("x", 200)}}},
		"scope/many":     {ID: "b", Scope: history.Scope{Regions: make([]string, 1001)}},
	} {
		if _, err := r.OpenRun(ctx, bad); !errors.As(err, new(*history.Error)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.CloseRun(ctx, "a", history.Abort+1, ""); !errors.Is(err, history.Invalid) {
		t.Error(err)
	}
	if _, err := r.CloseRun(ctx, "a", history.Abort, strings.Repeat("x", 2000)); !errors.Is(err, history.TooLarge) {
		t.Error(err)
	}
	if _, err := r.CloseRun(ctx, "a", history.Abort, "\xff"); !errors.Is(err, history.Invalid) {
		t.Error(err)
	}
	if _, err := r.CloseRun(ctx, "", history.Abort, ""); !errors.Is(err, history.Invalid) {
		t.Error(err)
	}
	if _, err := r.Run(ctx, "/"); !errors.Is(err, history.Invalid) {
		t.Error(err)
	}
	if _, _, err := r.Runs(ctx, "/", 1); !errors.Is(err, history.Invalid) {
		t.Error(err)
	}
	if list, more, err := r.Runs(ctx, "", 10); err != nil || more || len(list) != 1 {
		t.Error(list, more, err)
	}
}

// runs is a store of runs, newest first, that leaves them open until they are
// closed. It does not close every one.
type runs struct {
	history.Store
	list []history.Run
	why  map[history.RunID]error
}

func (s *runs) Runs(_ context.Context, after history.RunID, limit int) ([]history.Run, bool, error) {
	from := 1 + slices.IndexFunc(s.list, func(r history.Run) bool { return r.ID == after })
	page := s.list[from:min(from+limit, len(s.list))]
	return slices.Clone(page), from+limit < len(s.list), nil
}

func (s *runs) CloseRun(_ context.Context, id history.RunID, how history.Disposal, reason string) (history.Run, error) {
	if err := s.why[id]; err != nil {
		return history.Run{}, err
	}
	i := slices.IndexFunc(s.list, func(r history.Run) bool { return r.ID == id })
	if how == history.Abort {
		s.list[i].State, s.list[i].Reason = history.RunAborted, reason
	}
	return s.list[i], nil
}

func TestSweep(t *testing.T) {
	ctx := context.Background()
	now := day.Time()
	store := &runs{}
	r := recorder.New(store, recorder.Options{Now: func() time.Time { return now }})

	// More than a page, a third of them due, half of those closed already.
	due := map[history.RunID]bool{}
	for i := range 600 {
		run := history.Run{ID: history.RunID(fmt.Sprint("run-", i)), Deadline: history.MomentOf(now.Add(time.Hour))}
		if i%3 == 0 {
			run.Deadline = history.MomentOf(now.Add(time.Minute))
			due[run.ID] = i%6 != 0
		}
		if i%6 == 0 {
			run.State = history.RunComplete
		}
		store.list = append(store.list, run)
	}
	if n, err := r.Sweep(ctx); n != 0 || err != nil {
		t.Errorf("early: %d, %v", n, err)
	}
	now = now.Add(time.Minute)
	if n, err := r.Sweep(ctx); n != 100 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := r.Sweep(ctx); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	for _, run := range store.list {
		if aborted := run.State == history.RunAborted && run.Reason == recorder.TimedOut; aborted != due[run.ID] {
			t.Errorf("%+v", run)
		}
	}
}

func TestSweepGoesOn(t *testing.T) {
	store := &runs{
		list: []history.Run{{ID: "a", Deadline: day}, {ID: "b", Deadline: day}, {ID: "c", Deadline: day}},
		why:  map[history.RunID]error{"a": errors.New("disk full"), "b": history.Errorf(history.RunClosed, "by others")},
	}
	r := recorder.New(store, recorder.Options{Now: day.Time})
	if n, err := r.Sweep(context.Background()); n != 1 || !errors.Is(err, store.why["a"]) || errors.Is(err, history.RunClosed) {
		t.Errorf("%d, %v", n, err)
	}
}
