package server_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/internal/apitest"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func TestRuns(t *testing.T) {
	d := open(t, apitest.Options{})
	open := func(id string, run *varvev1.Run) *varvev1.Run {
		t.Helper()
		got, err := d.Runs.CreateRun(t.Context(), &varvev1.CreateRunRequest{RunId: id, Run: run})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	d.Record(t, seen("a", 2, `1`), seen("b", 2, `1`))

	t.Run("Complete", func(t *testing.T) {
		run := open("nightly", &varvev1.Run{Scope: &varvev1.Run_Scope{Types: []string{"T"}}, Moment: day(4)})
		if run.GetName() != "runs/nightly" || run.GetState() != varvev1.Run_STATE_OPEN || run.GetDeadline() == nil {
			t.Error(run)
		}
		o := seen("a", 2, `1`)
		o.CapturedAt = nil // the run's moment
		resp, err := d.Recorder.BatchRecord(t.Context(), &varvev1.BatchRecordRequest{Run: run.GetName(), Observations: []*varvev1.Observation{o}})
		if err != nil || resp.GetResults()[0].GetOutcome() != varvev1.RecordResult_OUTCOME_UNCHANGED {
			t.Fatal(resp, err)
		}
		run, err = d.Runs.CompleteRun(t.Context(), &varvev1.CompleteRunRequest{Name: run.GetName()})
		if err != nil || run.GetState() != varvev1.Run_STATE_COMPLETE || run.GetDeleted() != 1 || run.GetObserved() != 1 {
			t.Error(run, err)
		}
		_, err = d.History.LookupItem(t.Context(), &varvev1.LookupItemRequest{Type: "T", Id: "b"})
		refused(t, err, history.NotAlive)
		_, err = d.Runs.AbortRun(t.Context(), &varvev1.AbortRunRequest{Name: run.GetName()})
		refused(t, err, history.RunClosed)
	})
	t.Run("Abort", func(t *testing.T) {
		run := open("", nil)
		if len(strings.TrimPrefix(run.GetName(), "runs/")) != 36 {
			t.Error(run)
		}
		run, err := d.Runs.AbortRun(t.Context(), &varvev1.AbortRunRequest{Name: run.GetName(), Reason: "why not"})
		if err != nil || run.GetState() != varvev1.Run_STATE_ABORTED || run.GetReason() != "why not" {
			t.Error(run, err)
		}
	})
	t.Run("TooGreedy", func(t *testing.T) {
		for i := range 20 {
			d.Record(t, seen(fmt.Sprint("g", i), 5, `1`))
		}
		run := open("greedy", nil)
		_, err := d.Runs.CompleteRun(t.Context(), &varvev1.CompleteRunRequest{Name: run.GetName()})
		meta := refused(t, err, history.RunTooGreedy)
		wantCode(t, err, codes.FailedPrecondition)
		if meta["would_delete"] != "21" || meta["alive"] != "21" {
			t.Error(meta)
		}
		run, err = d.Runs.CompleteRun(t.Context(), &varvev1.CompleteRunRequest{Name: run.GetName(), Force: true})
		if err != nil || run.GetDeleted() != 21 {
			t.Error(run, err)
		}
	})
	t.Run("List", func(t *testing.T) {
		var names []string
		req := &varvev1.ListRunsRequest{PageSize: 2}
		for {
			resp, err := d.Runs.ListRuns(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			for _, run := range resp.GetRuns() {
				names = append(names, run.GetName())
			}
			if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		if len(names) != 3 || names[0] != "runs/greedy" || names[2] != "runs/nightly" {
			t.Error(names)
		}
		run, err := d.Runs.GetRun(t.Context(), &varvev1.GetRunRequest{Name: "runs/greedy"})
		if err != nil || run.GetState() != varvev1.Run_STATE_COMPLETE {
			t.Error(run, err)
		}
	})
	t.Run("Refused", func(t *testing.T) {
		_, err := d.Runs.CreateRun(t.Context(), &varvev1.CreateRunRequest{RunId: "greedy"})
		refused(t, err, history.AlreadyExists)
		_, err = d.Runs.CreateRun(t.Context(), &varvev1.CreateRunRequest{RunId: "a/b"})
		refused(t, err, history.Invalid)
		_, err = d.Runs.CreateRun(t.Context(), &varvev1.CreateRunRequest{Run: &varvev1.Run{Moment: &timestamppb.Timestamp{Seconds: -1}}})
		refused(t, err, history.Invalid)
		_, err = d.Runs.GetRun(t.Context(), &varvev1.GetRunRequest{Name: "runs/none"})
		refused(t, err, history.NotFound)
		_, err = d.Runs.GetRun(t.Context(), &varvev1.GetRunRequest{Name: "none"})
		refused(t, err, history.Invalid)
		_, err = d.Runs.CompleteRun(t.Context(), &varvev1.CompleteRunRequest{})
		refused(t, err, history.Invalid)
	})
}
