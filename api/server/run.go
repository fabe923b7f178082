package server

import (
	"context"
	"strconv"

	"github.com/google/uuid"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

type runService struct {
	varvev1.UnimplementedRunServiceServer
	*Server
}

func (s *runService) CreateRun(ctx context.Context, req *varvev1.CreateRunRequest) (*varvev1.Run, error) {
	asked, err := wire.RunFromProto(req.GetRun())
	if err != nil {
		return nil, err
	}
	run := history.Run{
		ID: history.RunID(req.GetRunId()), Scope: asked.Scope, Moment: asked.Moment, Deadline: asked.Deadline,
	}
	if run.ID == "" {
		run.ID = history.RunID(uuid.NewString())
	}
	if !run.ID.Valid() {
		return nil, &history.Error{Kind: history.Invalid, Field: "runId", Value: strconv.Quote(cut(req.GetRunId())),
			Text: "cannot name a run: 1 to 128 characters of a-z A-Z 0-9 . _ ~ -"}
	}
	return answer(s.recorder.OpenRun(ctx, run))
}

func (s *runService) GetRun(ctx context.Context, req *varvev1.GetRunRequest) (*varvev1.Run, error) {
	id, err := wire.ParseRunName("name", req.GetName())
	if err != nil {
		return nil, err
	}
	return answer(s.store.Run(ctx, id))
}

// ListRuns needs no pinned revision: runs are added in front of what is listed.
func (s *runService) ListRuns(ctx context.Context, req *varvev1.ListRunsRequest) (*varvev1.ListRunsResponse, error) {
	page, err := s.page(ctx, req)
	if err != nil {
		return nil, err
	}
	runs, more, err := s.store.Runs(ctx, history.RunID(page.after), page.size)
	if err != nil {
		return nil, err
	}
	resp := &varvev1.ListRunsResponse{Runs: make([]*varvev1.Run, len(runs))}
	for i, run := range runs {
		resp.Runs[i] = wire.RunToProto(run)
	}
	if more && len(runs) > 0 {
		resp.NextPageToken = page.token(0, []byte(runs[len(runs)-1].ID))
	}
	return resp, nil
}

func (s *runService) CompleteRun(ctx context.Context, req *varvev1.CompleteRunRequest) (*varvev1.Run, error) {
	how := history.Complete
	if req.GetForce() {
		how = history.CompleteForced
	}
	return s.close(ctx, req.GetName(), how, "")
}

func (s *runService) AbortRun(ctx context.Context, req *varvev1.AbortRunRequest) (*varvev1.Run, error) {
	return s.close(ctx, req.GetName(), history.Abort, req.GetReason())
}

func (s *runService) close(ctx context.Context, name string, how history.Disposal, reason string) (*varvev1.Run, error) {
	id, err := wire.ParseRunName("name", name)
	if err != nil {
		return nil, err
	}
	return answer(s.recorder.CloseRun(ctx, id, how, reason))
}

func answer(run history.Run, err error) (*varvev1.Run, error) {
	if err != nil {
		return nil, err
	}
	return wire.RunToProto(run), nil
}
