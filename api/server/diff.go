package server

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/diff"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/delivery/feed"
)

// patchOptions give patches in which an element put into an array is one
// operation.
var patchOptions = diff.Options{LCS: true}

func (s *historyService) DiffItem(ctx context.Context, req *varvev1.DiffItemRequest) (*varvev1.DiffItemResponse, error) {
	m, err := maskOf(req.GetReadMask())
	if err != nil {
		return nil, err
	}
	if req.GetFrom() == "" {
		return nil, &history.Error{Kind: history.Invalid, Field: "from", Text: "is required"}
	}
	r, err := s.readerAt(ctx, 0, req.GetKnownAt(), 0)
	if err != nil {
		return nil, err
	}
	who := subject{req.GetType(), req.GetId(), req.Account, req.Region}
	key, err := s.one(ctx, r, who)
	if err != nil {
		return nil, err
	}
	from, err := s.side(ctx, r, key, "from", req.GetFrom())
	if err != nil {
		return nil, err
	}
	to, err := s.side(ctx, r, key, "to", req.GetTo())
	if err != nil {
		return nil, err
	}
	if from.Version == 0 && to.Version == 0 {
		if _, known, err := spans(ctx, r, key); err != nil || !known {
			return nil, orElse(err, s.unknown(ctx, r, who))
		}
	}

	patch, err := diff.Compute(from.State.Configuration, to.State.Configuration, patchOptions)
	if err != nil {
		return nil, err
	}
	before, err := feed.Attributes(&from)
	if err != nil {
		return nil, err
	}
	after, err := feed.Attributes(&to)
	if err != nil {
		return nil, err
	}
	others, err := diff.Compute(before, after, patchOptions)
	if err != nil {
		return nil, err
	}
	resp := &varvev1.DiffItemResponse{Patch: wire.PatchToProto(patch), Attributes: wire.PatchToProto(others)}
	if from.Version != 0 {
		resp.From = m.prune(wire.ItemToProto(from))
	}
	if to.Version != 0 {
		resp.To = m.prune(wire.ItemToProto(to))
	}
	return resp, nil
}

// side reads one side of a difference: a version such as v3, a moment, or the
// newest state. Its Version is 0 where there was none yet.
func (s *historyService) side(ctx context.Context, r history.Reader, key history.Key, field, text string) (history.Item, error) {
	if number, ok := strings.CutPrefix(text, "v"); ok {
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n == 0 {
			return history.Item{}, &history.Error{Kind: history.Invalid, Field: field, Value: strconv.Quote(cut(text)),
				Text: "is not a version, such as v3"}
		}
		item, err := r.Version(ctx, key, uint32(n))
		var e *history.Error
		if errors.As(err, &e) && e.Kind == history.NotFound {
			named := *e
			named.Field, named.Value = field, text
			return item, &named
		}
		return item, err
	}
	at := history.Newest
	if text != "" {
		var err error
		if at, err = wire.ParseMoment(field, text); err != nil {
			return history.Item{}, err
		}
	}
	if _, ok := r.(nothing); ok {
		return history.Item{Key: key}, nil
	}
	r, err := s.store.AsOf(ctx, history.At{Captured: at, Known: r.At().Known})
	if err != nil {
		return history.Item{}, err
	}
	items, err := r.Get(ctx, []history.Key{key}, history.FieldsAll)
	if err != nil {
		return history.Item{}, err
	}
	return items[0], nil
}
