package server

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/varvehq/varve/api/internal/paging"
	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// filter is what questions about the inventory have in common.
type filter interface {
	GetType() string
	GetIdPrefix() string
	GetName() string
	GetTags() []string
	GetShowDeleted() bool
}

func queryOf(f filter, account, region *string) (history.Query, error) {
	q := history.Query{Type: f.GetType(), IDPrefix: f.GetIdPrefix(), Name: f.GetName(), Deleted: f.GetShowDeleted()}
	if account != nil {
		q.Account, q.HasAccount = *account, true
	}
	if region != nil {
		q.Region, q.HasRegion = *region, true
	}
	var err error
	q.Tags, err = tagFilter(f.GetTags())
	return q, err
}

func (s *historyService) ListItems(ctx context.Context, req *varvev1.ListItemsRequest) (*varvev1.ListItemsResponse, error) {
	page, err := s.page(ctx, req)
	if err != nil {
		return nil, err
	}
	m, err := maskOf(req.GetReadMask())
	if err != nil {
		return nil, err
	}
	q, err := queryOf(req, req.Account, req.Region)
	if err != nil {
		return nil, err
	}
	q.Fields = m.fields()
	if page.after != nil {
		if after, ok := readKey(page.after); ok {
			q.After = &after
		}
	}
	r, err := s.reader(ctx, req.GetAt(), req.GetKnownAt(), page.known)
	if err != nil {
		return nil, err
	}

	resp := &varvev1.ListItemsResponse{}
	more, err := paging.Fill(page.size, func(limit int) ([]history.Item, bool, error) {
		q.Limit = limit
		return r.Items(ctx, q)
	}, func(item history.Item) int {
		p := m.prune(wire.ItemToProto(item))
		resp.Items = append(resp.Items, p)
		q.After = &item.Key
		return proto.Size(p)
	})
	if err != nil {
		return nil, err
	}
	if more {
		resp.NextPageToken = page.token(r.At().Known, appendKey(nil, *q.After))
	}
	return resp, nil
}

func (s *historyService) CountItems(ctx context.Context, req *varvev1.CountItemsRequest) (*varvev1.CountItemsResponse, error) {
	by, ok := map[varvev1.CountItemsRequest_GroupBy]history.GroupBy{
		varvev1.CountItemsRequest_GROUP_BY_UNSPECIFIED: history.ByNothing,
		varvev1.CountItemsRequest_GROUP_BY_TYPE:        history.ByType,
		varvev1.CountItemsRequest_GROUP_BY_ACCOUNT:     history.ByAccount,
		varvev1.CountItemsRequest_GROUP_BY_REGION:      history.ByRegion,
	}[req.GetGroupBy()]
	if !ok {
		return nil, &history.Error{Kind: history.Invalid, Field: "groupBy", Value: req.GetGroupBy().String(), Text: "is not known"}
	}
	q, err := queryOf(req, req.Account, req.Region)
	if err != nil {
		return nil, err
	}
	r, err := s.reader(ctx, req.GetAt(), req.GetKnownAt(), 0)
	if err != nil {
		return nil, err
	}
	groups, err := r.Count(ctx, q, by)
	if err != nil {
		return nil, err
	}
	var (
		resp  = &varvev1.CountItemsResponse{}
		total uint64
	)
	for _, g := range groups {
		total += g.Count
		if by != history.ByNothing {
			resp.Groups = append(resp.Groups, &varvev1.CountItemsResponse_Group{Name: g.Name, Count: wire.Uint32(g.Count)})
		}
	}
	resp.Count = wire.Uint32(total)
	return resp, nil
}

// slice is the size in bytes from which on a part of an export is sent.
const slice = 1 << 20

// ExportItems reads chunk after chunk at one revision, so that neither side
// holds the inventory and no read stays open while a slow client takes its time.
func (s *historyService) ExportItems(req *varvev1.ExportItemsRequest, stream varvev1.HistoryService_ExportItemsServer) error {
	ctx := stream.Context()
	r, err := s.reader(ctx, req.GetAt(), req.GetKnownAt(), 0)
	if err != nil {
		return err
	}
	var (
		part  = &varvev1.ExportItemsResponse{}
		size  int
		chunk = paging.FirstChunk
		q     history.Query
	)
	for more := true; more; {
		var items []history.Item
		q.Limit = chunk
		if items, more, err = r.Items(ctx, q); err != nil {
			return err
		}
		read := 0
		for _, item := range items {
			p := wire.ItemToProto(item)
			n := proto.Size(p)
			read, size = read+n, size+n
			if part.Items = append(part.Items, p); size >= slice {
				if err := stream.Send(part); err != nil {
					return err
				}
				part, size = &varvev1.ExportItemsResponse{}, 0
			}
		}
		if len(items) == 0 {
			break
		}
		q.After = &items[len(items)-1].Key
		chunk = paging.NextChunk(len(items), read)
	}
	if len(part.GetItems()) == 0 {
		return nil
	}
	return stream.Send(part)
}
