package server

import (
	"cmp"
	"context"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/graph"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

type graphService struct {
	varvev1.UnimplementedGraphServiceServer
	*Server
}

// about is a question about the graph around one resource.
type about struct {
	reader history.Reader
	graph  *graph.Graph
	key    history.Key
	absent *varvev1.Absence // it does not exist at the moment: there is nothing to ask the graph
}

// aboutRequest is what such questions have in common.
type aboutRequest interface {
	GetType() string
	GetAt() *timestamppb.Timestamp
	GetKnownAt() string
}

func (s *graphService) about(ctx context.Context, req aboutRequest, who subject) (about, error) {
	r, err := s.reader(ctx, req.GetAt(), req.GetKnownAt(), 0)
	if err != nil {
		return about{}, err
	}
	return s.aboutAt(ctx, r, who)
}

func (s *graphService) aboutAt(ctx context.Context, r history.Reader, who subject) (about, error) {
	key, err := s.one(ctx, r, who)
	if err != nil {
		return about{}, err
	}
	absent, err := s.absence(ctx, r, who, key)
	return about{r, s.users.At(r), key, absent}, err
}

func (s *graphService) GetRelationships(ctx context.Context, req *varvev1.GetRelationshipsRequest) (*varvev1.GetRelationshipsResponse, error) {
	q, err := graphQuery(req)
	if err != nil {
		return nil, err
	}
	about, err := s.about(ctx, req, subject{req.GetType(), req.GetId(), req.Account, req.Region})
	if err != nil {
		return nil, err
	}
	resp := &varvev1.GetRelationshipsResponse{Key: wire.KeyToProto(about.key), Absent: about.absent}
	if about.absent != nil {
		return resp, nil
	}
	list, truncated, err := about.graph.Relationships(ctx, about.key, q)
	if err != nil {
		return nil, err
	}
	a := answering(truncated)
	resp.Edges = fit(a, list, wire.EdgeToProto)
	resp.Truncated = a.truncated
	return resp, nil
}

func (s *graphService) ListUses(ctx context.Context, req *varvev1.ListUsesRequest) (*varvev1.ListUsesResponse, error) {
	depth, err := depthOf(req.GetDepth(), 1, maxDepth)
	if err != nil {
		return nil, err
	}
	limit, err := limitOf(req.GetLimit(), defaultLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	about, err := s.about(ctx, req, subject{req.GetType(), req.GetId(), req.Account, req.Region})
	if err != nil {
		return nil, err
	}
	resp := &varvev1.ListUsesResponse{Key: wire.KeyToProto(about.key), Absent: about.absent}
	if about.absent != nil {
		return resp, nil
	}
	found, err := about.graph.Uses(ctx, about.key, depth, limit)
	if err != nil {
		return nil, err
	}
	hits := found.List()
	if err := about.graph.Name(ctx, hits); err != nil {
		return nil, err
	}
	slices.SortFunc(hits, func(a, b graph.Hit) int { return cmp.Or(a.Depth-b.Depth, a.Key.Compare(b.Key)) })
	a := answering(found.Truncated)
	resp.Hits = fit(a, hits, func(h *graph.Hit) *varvev1.ListUsesResponse_Hit { return hitToProto(about.key, h) })
	resp.Truncated = a.truncated
	return resp, nil
}

func hitToProto(used history.Key, h *graph.Hit) *varvev1.ListUsesResponse_Hit {
	return &varvev1.ListUsesResponse_Hit{
		Key: wire.KeyToProto(h.Key), Name: h.Name, Depth: wire.Uint32(uint64(h.Depth)), Path: wire.HopsToProto(used, h.Path()),
	}
}

func (s *graphService) FindPaths(ctx context.Context, req *varvev1.FindPathsRequest) (*varvev1.FindPathsResponse, error) {
	depth, err := depthOf(req.GetDepth(), defaultPathDepth, maxPathDepth)
	if err != nil {
		return nil, err
	}
	limit, err := limitOf(req.GetLimit(), defaultPaths, maxPaths)
	if err != nil {
		return nil, err
	}
	from, err := s.about(ctx, req, subject{req.GetType(), req.GetId(), req.Account, req.Region})
	if err != nil {
		return nil, err
	}
	to, err := s.aboutAt(ctx, from.reader, subject{req.GetToType(), req.GetToId(), req.ToAccount, req.ToRegion})
	if err != nil {
		return nil, err
	}
	resp := &varvev1.FindPathsResponse{From: wire.KeyToProto(from.key), To: wire.KeyToProto(to.key), Absent: absentOf(from, to)}
	if len(resp.GetAbsent()) > 0 {
		return resp, nil
	}
	paths, truncated, err := from.graph.Paths(ctx, from.key, to.key, depth, limit)
	if err != nil {
		return nil, err
	}
	a := answering(truncated)
	resp.Paths = fit(a, paths, func(p *[]graph.Hop) *varvev1.FindPathsResponse_Path {
		return &varvev1.FindPathsResponse_Path{Hops: wire.HopsToProto(from.key, *p)}
	})
	resp.Truncated = a.truncated
	return resp, nil
}

func absentOf(list ...about) (absent []*varvev1.Absence) {
	for i, a := range list {
		if a.absent != nil && (i == 0 || a.key != list[i-1].key) {
			absent = append(absent, a.absent)
		}
	}
	return absent
}

func (s *graphService) GetLastUsed(ctx context.Context, req *varvev1.GetLastUsedRequest) (*varvev1.GetLastUsedResponse, error) {
	limit, err := limitOf(req.GetLimit(), defaultLimit, maxLimit)
	if err != nil {
		return nil, err
	}
	about, err := s.about(ctx, req, subject{req.GetType(), req.GetId(), req.Account, req.Region})
	if err != nil {
		return nil, err
	}
	use, err := about.graph.LastUsed(ctx, about.key)
	if err != nil {
		return nil, err
	}
	a := answering(len(use.By) > limit)
	return &varvev1.GetLastUsedResponse{
		InUse: use.InUse, EndedAt: wire.MomentToProto(use.Ended),
		By: fit(a, use.By[:min(len(use.By), limit)], wire.EdgeToProto), Truncated: a.truncated,
		Absent: about.absent, Key: wire.KeyToProto(about.key),
	}, nil
}

// GetSubgraph answers about those that exist, if some do not.
func (s *graphService) GetSubgraph(ctx context.Context, req *varvev1.GetSubgraphRequest) (*varvev1.GetSubgraphResponse, error) {
	q, err := graphQuery(req)
	if err != nil {
		return nil, err
	}
	if len(req.GetIds()) == 0 {
		return nil, &history.Error{Kind: history.Invalid, Field: "ids", Text: "is required: the resources to begin with"}
	}
	r, err := s.reader(ctx, req.GetAt(), req.GetKnownAt(), 0)
	if err != nil {
		return nil, err
	}
	roots, absent, err := s.roots(ctx, r, "ids", req.GetType(), req.GetIds(), req.Account, req.Region)
	if err != nil {
		return nil, err
	}
	resp := &varvev1.GetSubgraphResponse{Absent: absent}
	if len(roots) == 0 {
		return resp, nil
	}
	sub, err := graph.At(r).Walk(ctx, roots, q)
	if err != nil {
		return nil, err
	}
	a := answering(sub.Truncated)
	resp.Nodes = fit(a, sub.Nodes, func(n *graph.Node) *varvev1.GetSubgraphResponse_Node {
		return &varvev1.GetSubgraphResponse_Node{Key: wire.KeyToProto(n.Key), Name: n.Name}
	})
	resp.Edges = fit(a, sub.Edges, wire.EdgeToProto)
	resp.Truncated = a.truncated
	return resp, nil
}

// maxRoots is how many resources a question may begin with.
const maxRoots = 1000

// roots finds the resources that a question begins with and which exist at the
// reader's moment, and of the others when they did.
func (s *graphService) roots(ctx context.Context, r history.Reader, field, typ string, ids []string, account, region *string) (roots []history.Key, absent []*varvev1.Absence, err error) {
	if len(ids) > maxRoots {
		return nil, nil, &history.Error{Kind: history.TooLarge, Field: field, Text: "are more than 1,000; ask in parts"}
	}
	for _, id := range ids {
		one, err := s.aboutAt(ctx, r, subject{typ, id, account, region})
		if err != nil {
			return nil, nil, err
		}
		if one.absent != nil {
			absent = append(absent, one.absent)
			continue
		}
		roots = append(roots, one.key)
	}
	return roots, absent, nil
}
