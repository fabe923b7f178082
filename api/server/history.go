package server

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/varvehq/varve/api/internal/paging"
	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

type historyService struct {
	varvev1.UnimplementedHistoryServiceServer
	*Server
}

func (s *historyService) LookupItem(ctx context.Context, req *varvev1.LookupItemRequest) (*varvev1.Item, error) {
	m, err := maskOf(req.GetReadMask())
	if err != nil {
		return nil, err
	}
	r, err := s.reader(ctx, req.GetAt(), req.GetKnownAt(), 0)
	if err != nil {
		return nil, err
	}
	item, err := s.lookup(ctx, r, subject{req.GetType(), req.GetId(), req.Account, req.Region}, m.fields())
	if err != nil {
		return nil, err
	}
	return m.prune(wire.ItemToProto(item)), nil
}

// lookup returns the live version at the reader's moment. Which resource is
// meant does not depend on who lived then: an answer about another one's
// namesake would be taken for the resource's own.
func (s *Server) lookup(ctx context.Context, r history.Reader, q subject, f history.Fields) (history.Item, error) {
	key, err := s.one(ctx, r, q)
	if err != nil {
		return history.Item{}, err
	}
	items, err := r.Get(ctx, []history.Key{key}, f)
	if err != nil {
		return history.Item{}, err
	}
	if !items[0].Exists() {
		return history.Item{}, s.notAlive(ctx, r, q, key)
	}
	return items[0], nil
}

func (s *historyService) ListItemHistory(ctx context.Context, req *varvev1.ListItemHistoryRequest) (*varvev1.ListItemHistoryResponse, error) {
	page, err := s.page(ctx, req)
	if err != nil {
		return nil, err
	}
	m, err := maskOf(req.GetReadMask())
	if err != nil {
		return nil, err
	}
	q := history.HistoryQuery{Fields: m.fields()}
	if q.From, err = wire.AskedFromProto("from", req.GetFrom()); err != nil {
		return nil, err
	}
	if q.To, err = wire.AskedFromProto("to", req.GetTo()); err != nil {
		return nil, err
	}
	if page.after != nil {
		after, _ := binary.Uvarint(page.after)
		q.After = uint32(after)
	}
	r, err := s.reader(ctx, nil, req.GetKnownAt(), page.known)
	if err != nil {
		return nil, err
	}
	who := subject{req.GetType(), req.GetId(), req.Account, req.Region}
	key, err := s.one(ctx, r, who)
	if err != nil {
		return nil, err
	}

	if q.To != 0 {
		if err := s.keeps(ctx, key, q.To); err != nil {
			return nil, renamed(err, "to")
		}
	}

	resp := &varvev1.ListItemHistoryResponse{}
	more, err := paging.Fill(page.size, func(limit int) ([]history.Item, bool, error) {
		q.Limit = limit
		return r.History(ctx, key, q)
	}, func(item history.Item) int {
		p := m.prune(wire.ItemToProto(item))
		resp.Items = append(resp.Items, p)
		q.After = item.Version
		return proto.Size(p)
	})
	if err != nil {
		return nil, err
	}
	if len(resp.GetItems()) == 0 && page.after == nil {
		// Nothing in the range is an answer, nothing at all is not.
		if _, known, err := spans(ctx, r, key); err != nil || !known {
			return nil, orElse(err, s.unknown(ctx, r, who))
		}
	}
	if more {
		resp.NextPageToken = page.token(r.At().Known, binary.AppendUvarint(nil, uint64(q.After)))
	}
	if pruner, ok := power[history.Pruner](s.store); ok {
		floors, err := pruner.Floors(ctx)
		if err != nil {
			return nil, err
		}
		if floor := floors.Of(key.Type); q.From < floor {
			resp.Floor = wire.MomentToProto(floor)
		}
	}
	return resp, nil
}

// keeps refuses a moment before which nothing of a resource is kept any more: no
// answer is not the answer that there was nothing.
func (s *Server) keeps(ctx context.Context, k history.Key, captured history.Moment) error {
	r, err := s.store.AsOf(ctx, history.At{Captured: captured})
	if err == nil {
		_, err = r.Get(ctx, []history.Key{k}, history.FieldsKey)
	}
	if errors.Is(err, history.Compacted) {
		return err
	}
	return nil
}

func (s *historyService) ListChanges(ctx context.Context, req *varvev1.ListChangesRequest) (*varvev1.ListChangesResponse, error) {
	size, err := pageSize(req.GetPageSize())
	if err != nil {
		return nil, err
	}
	wait := req.GetWait().AsDuration()
	if wait < 0 {
		return nil, &history.Error{Kind: history.Invalid, Field: "wait", Value: wait.String(), Text: "is negative"}
	}
	after, err := s.feedFrom(ctx, req)
	if err != nil {
		return nil, err
	}
	changes, next, err := s.await(ctx, after, size, min(wait, maxWait))
	if err != nil {
		return nil, err
	}
	resp := &varvev1.ListChangesResponse{Changes: make([]*varvev1.Change, len(changes)), NextPosition: string(next)}
	for i, c := range changes {
		resp.Changes[i] = wire.ChangeToProto(c)
	}
	return resp, nil
}

// maxWait is how long a question for changes may wait.
const maxWait = time.Minute

// await reads changes and waits for the first, but not while we are asked to
// stop: then it answers with what there is.
func (s *historyService) await(ctx context.Context, after history.Position, limit int, wait time.Duration) ([]history.Change, history.Position, error) {
	if wait > 0 {
		waiting, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(s.draining, stop)()

		changes, next, err := s.store.Changes(waiting, after, limit, wait)
		if err == nil || waiting.Err() == nil || ctx.Err() != nil {
			return changes, next, err
		}
	}
	return s.store.Changes(ctx, after, limit, 0)
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// tagFilter reads `key=value` texts.
func tagFilter(list []string) (map[string]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	tags := make(map[string]string, len(list))
	for _, text := range list {
		k, v, ok := strings.Cut(text, "=")
		if !ok || k == "" {
			return nil, &history.Error{Kind: history.Invalid, Field: "tags", Value: strconv.Quote(cut(text)), Text: "is not key=value"}
		}
		if was, met := tags[k]; met && was != v {
			return nil, &history.Error{Kind: history.Invalid, Field: "tags", Value: strconv.Quote(cut(text)),
				Text: "asks for two values of one key, which no resource has"}
		}
		tags[k] = v
	}
	return tags, nil
}
