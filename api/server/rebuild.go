package server

import (
	"google.golang.org/grpc"

	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func (s *graphService) RebuildGraph(_ *varvev1.RebuildGraphRequest, stream grpc.ServerStreamingServer[varvev1.RebuildGraphResponse]) error {
	relinker, ok := power[history.Relinker](s.store)
	if !ok {
		return lacks("read its relationships anew")
	}
	ctx, stop := s.untilDrained(stream.Context())
	defer stop()

	var resources uint64
	err := s.follow(ctx, stop, func(progress func(done, total uint64)) error {
		return relinker.Relink(ctx, func(done, total uint64) {
			resources = total
			progress(done, total)
		})
	}, func(done, total uint64) error {
		return stream.Send(&varvev1.RebuildGraphResponse{Part: &varvev1.RebuildGraphResponse_Progress_{
			Progress: &varvev1.RebuildGraphResponse_Progress{Done: done, Total: total},
		}})
	})
	if err != nil {
		return err
	}
	return stream.Send(&varvev1.RebuildGraphResponse{Part: &varvev1.RebuildGraphResponse_Result_{
		Result: &varvev1.RebuildGraphResponse_Result{Resources: resources},
	}})
}
