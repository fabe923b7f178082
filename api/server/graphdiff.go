package server

import (
	"context"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

func (s *graphService) DiffGraph(ctx context.Context, req *varvev1.DiffGraphRequest) (*varvev1.DiffGraphResponse, error) {
	limit, err := limitOf(req.GetLimit(), defaultLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	if err := checkRoots(req); err != nil {
		return nil, err
	}
	before, err := s.reader(ctx, req.GetFrom(), req.GetKnownAt(), 0)
	if err != nil {
		return nil, err
	}
	after, err := s.reader(ctx, req.GetTo(), req.GetKnownAt(), before.At().Known)
	if err != nil {
		return nil, err
	}
	roots, gone, err := s.roots(ctx, after, "rootIds", req.GetRootType(), req.GetRootIds(), req.Account, req.Region)
	if err != nil {
		return nil, err
	}
	for _, a := range gone { // they may have reached something before
		roots = append(roots, wire.KeyFromAnswer(a.GetKey()))
	}
	d, err := graph.Diff(ctx, graph.At(before), graph.At(after), roots, limit)
	if err != nil {
		return nil, err
	}
	since, err := s.emptySince(ctx, before, history.Query{})
	if err != nil {
		return nil, err
	}
	a := answering(d.Truncated)
	resp := &varvev1.DiffGraphResponse{
		NodesAdded: fit(a, d.NodesAdded, keyToProto), NodesRemoved: fit(a, d.NodesRemoved, keyToProto),
		EdgesAdded: fit(a, d.EdgesAdded, wire.EdgeToProto), EdgesRemoved: fit(a, d.EdgesRemoved, wire.EdgeToProto),
		Gained: fit(a, d.Gained, keyToProto), Lost: fit(a, d.Lost, keyToProto),
		DataSince: wire.MomentToProto(since),
	}
	resp.Truncated = a.truncated
	return resp, nil
}

// checkRoots refuses half a question.
func checkRoots(req *varvev1.DiffGraphRequest) error {
	refuse := func(field, text string) error {
		return &history.Error{Kind: history.Invalid, Field: field, Text: text}
	}
	roots := len(req.GetRootIds()) > 0
	switch {
	case req.GetFrom() == nil:
		return refuse("from", "is required: the moment before")
	case roots && req.GetRootType() == "":
		return refuse("rootType", "is required with rootIds")
	case !roots && req.GetRootType() != "":
		return refuse("rootIds", "is required with rootType: the resources whose reach is compared")
	case !roots && req.Account != nil:
		return refuse("account", "is that of the roots, and none is given")
	case !roots && req.Region != nil:
		return refuse("region", "is that of the roots, and none is given")
	}
	return nil
}

func keyToProto(k *history.Key) *varvev1.ResourceKey { return wire.KeyToProto(*k) }
