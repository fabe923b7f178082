package server

import (
	"context"

	"github.com/google/uuid"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// GetStatus tells of floors, sizes and lag where the store can.
func (s *historyService) GetStatus(ctx context.Context, _ *varvev1.GetStatusRequest) (*varvev1.GetStatusResponse, error) {
	head, err := s.store.Head(ctx)
	if err != nil {
		return nil, err
	}
	resp := &varvev1.GetStatusResponse{
		StoreId:    uuid.UUID(head.StoreID).String(),
		Revision:   uint64(head.Revision),
		RecordedAt: wire.MomentToProto(head.RecordedAt),
		Position:   string(head.Position),
		Resources:  wire.Uint32(head.Resources),
		Version:    s.opts.Version,
	}
	if pruner, ok := power[history.Pruner](s.store); ok {
		floors, err := pruner.Floors(ctx)
		if err != nil {
			return nil, err
		}
		resp.Floors = floorsToProto(&floors)
	}
	if statter, ok := power[history.Statter](s.store); ok {
		stats, err := statter.Stats(ctx)
		if err != nil {
			return nil, err
		}
		resp.Sizes = &varvev1.GetStatusResponse_Sizes{
			FileBytes: bytesOf(stats.FileBytes), LiveBytes: bytesOf(stats.LiveBytes), FreeBytes: bytesOf(stats.FreeBytes),
		}
		resp.Lag = &varvev1.GetStatusResponse_Lag{Records: stats.Unmerged, Bytes: stats.UnmergedBytes, ResourcesApart: stats.Apart}
		resp.Format = stats.Format
	}
	return resp, nil
}

func bytesOf(n int64) uint64 { return uint64(max(n, 0)) }
