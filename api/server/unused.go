package server

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/varvehq/varve/api/internal/paging"
	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func (s *graphService) ListUnused(ctx context.Context, req *varvev1.ListUnusedRequest) (*varvev1.ListUnusedResponse, error) {
	page, err := s.page(ctx, req)
	if err != nil {
		return nil, err
	}
	m, err := maskOf(req.GetReadMask())
	if err != nil {
		return nil, err
	}
	if req.GetType() == "" {
		return nil, &history.Error{Kind: history.Invalid, Field: "type", Text: "is required: that of the resources to look at"}
	}
	q := history.Query{Type: req.GetType()}
	if req.Account != nil {
		q.Account, q.HasAccount = req.GetAccount(), true
	}
	if req.Region != nil {
		q.Region, q.HasRegion = req.GetRegion(), true
	}
	if page.after != nil {
		if after, ok := readKey(page.after); ok {
			q.After = &after
		}
	}
	r, err := s.reader(ctx, req.GetAt(), req.GetKnownAt(), page.known)
	if err != nil {
		return nil, err
	}

	q.Limit = page.size
	unused, further, err := graph.At(r).Unused(ctx, q)
	if err != nil {
		return nil, err
	}
	resp := &varvev1.ListUnusedResponse{}
	more, err := paging.Fill(page.size, func(limit int) ([]history.Item, bool, error) {
		keys := make([]history.Key, min(limit, len(unused)))
		for i := range keys {
			keys[i] = unused[i].Key
		}
		unused = unused[len(keys):]
		items, err := r.Get(ctx, keys, m.fields())
		return items, len(unused) > 0, err
	}, func(item history.Item) int {
		p := m.prune(wire.ItemToProto(item))
		resp.Items = append(resp.Items, p)
		q.After = &item.Key
		return proto.Size(p)
	})
	if err != nil {
		return nil, err
	}
	if more || further {
		resp.NextPageToken = page.token(r.At().Known, appendKey(nil, *q.After))
	}
	if len(resp.GetItems()) == 0 && page.after == nil {
		if err := s.knownType(ctx, r, req.GetType()); err != nil {
			return nil, err
		}
		since, err := s.emptySince(ctx, r, q)
		if err != nil {
			return nil, err
		}
		resp.DataSince = wire.MomentToProto(since)
	}
	return resp, nil
}
