package server

import (
	"context"

	"github.com/varvehq/varve/api/internal/paging"
	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// absence says when a resource existed that does not at the reader's moment. It
// is nil if it does; NotFound if nothing is known of it at all.
func (s *Server) absence(ctx context.Context, r history.Reader, q subject, k history.Key) (*varvev1.Absence, error) {
	items, err := r.Get(ctx, []history.Key{k}, history.FieldsKey)
	if err != nil || items[0].Exists() {
		return nil, err
	}
	list, known, err := spans(ctx, r, k)
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, s.unknown(ctx, r, q)
	}
	a := &varvev1.Absence{Key: wire.KeyToProto(k)}
	if items[0].Version == 0 {
		since, err := s.since(ctx, r.At(), captureOf(k))
		if err != nil {
			return nil, err
		}
		a.DataSince = wire.MomentToProto(since)
	}
	for _, span := range nearest(list, r.At().Captured) {
		a.Existed = append(a.Existed, &varvev1.Absence_Interval{
			From: wire.MomentToProto(span.from), Until: wire.MomentToProto(span.to),
		})
	}
	return a, nil
}

// emptySince returns when the first of what a query asks for was captured, by
// what was known to the reader, if none was at its moment: else zero. Zero, too,
// if there is none at all.
func (s *Server) emptySince(ctx context.Context, r history.Reader, q history.Query) (history.Moment, error) {
	if _, ok := r.(nothing); ok {
		return 0, nil
	}
	q.Deleted, q.Fields, q.After, q.Limit = true, history.FieldsKey, nil, 1
	items, _, err := r.Items(ctx, q)
	if err != nil || len(items) > 0 {
		return 0, err
	}
	return s.since(ctx, r.At(), firstCapture(q))
}

// seeker returns the earliest capture among the versions that stand at a reader's
// moment; zero if none does.
type seeker func(ctx context.Context, r history.Reader) (history.Moment, error)

// captureOf looks at one resource.
func captureOf(k history.Key) seeker {
	return func(ctx context.Context, r history.Reader) (history.Moment, error) {
		items, err := r.Get(ctx, []history.Key{k}, history.FieldsKey)
		if err != nil || items[0].Version == 0 {
			return 0, err
		}
		return items[0].CapturedAt, nil
	}
}

// firstCapture looks at all that a query asks for.
func firstCapture(q history.Query) seeker {
	return func(ctx context.Context, r history.Reader) (first history.Moment, err error) {
		q := q
		q.Limit = paging.MaxChunk
		for more := true; more; {
			var items []history.Item
			if items, more, err = r.Items(ctx, q); err != nil || len(items) == 0 {
				return first, err
			}
			for i := range items {
				if at := items[i].CapturedAt; first == 0 || at < first {
					first = at
				}
			}
			q.After = &items[len(items)-1].Key
		}
		return first, nil
	}
}

// since returns the first moment at which a seeker finds anything, if it finds
// nothing at the one given; zero if it never does. No index tells: the moment is
// closed in upon from both sides, and as what stands at a moment tells since when
// it does, few steps are enough where captures come in runs.
func (s *Server) since(ctx context.Context, from history.At, find seeker) (history.Moment, error) {
	at := func(captured history.Moment) (history.Moment, error) {
		r, err := s.store.AsOf(ctx, history.At{Captured: captured, Known: from.Known})
		if err != nil {
			return 0, err
		}
		return find(ctx, r)
	}
	first, err := at(history.Newest)
	none := from.Captured              // nothing is there, so that it lies before the first
	for err == nil && first-none > 1 { // never, where there is none at all
		var earlier history.Moment
		if earlier, err = at(first - 1); err != nil || earlier == 0 {
			break
		}
		first = earlier
		middle := none + (first-none)/2
		if middle == none {
			break
		}
		if earlier, err = at(middle); earlier != 0 {
			first = earlier
		} else {
			none = middle
		}
	}
	return first, err
}
