package server

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
)

// knownSlack is how far ahead of our clock a moment of recording may lie: as
// much as clocks may differ. Further ahead, the answer would not stay the same.
const knownSlack = 5 * time.Minute

// reader is bound to what a question says of time: at, and known_at or, on later
// pages, the revision that the first one saw.
func (s *Server) reader(ctx context.Context, at *timestamppb.Timestamp, knownAt string, pinned history.Revision) (history.Reader, error) {
	captured, err := wire.AskedFromProto("at", at)
	if err != nil {
		return nil, err
	}
	return s.readerAt(ctx, captured, knownAt, pinned)
}

func (s *Server) readerAt(ctx context.Context, captured history.Moment, knownAt string, pinned history.Revision) (history.Reader, error) {
	known, err := wire.ParseKnownAt(knownAt)
	if err != nil {
		return nil, err
	}
	revision := pinned
	if pinned == 0 && known.Given {
		if revision, err = s.revision(ctx, known); err != nil {
			return nil, err
		}
		if revision == 0 {
			return nothing{history.At{Captured: captured}}, nil
		}
	}
	return s.store.AsOf(ctx, history.At{Captured: captured, Known: revision})
}

// revision is the newest one of what was known; zero if nothing was.
func (s *Server) revision(ctx context.Context, known wire.KnownAt) (history.Revision, error) {
	if known.Recorded == 0 {
		return known.Revision, nil
	}
	if s.ahead(known.Recorded) {
		return 0, &history.Error{Kind: history.Future, Field: "knownAt", Value: known.String(),
			Text: "lies in the future: what will be known then is not known yet"}
	}
	return s.store.KnownAt(ctx, known.Recorded)
}

// ahead reports whether a moment of recording lies further ahead than clocks differ.
func (s *Server) ahead(m history.Moment) bool {
	return m > history.MomentOf(s.opts.Now().Add(knownSlack))
}

// nothing is a reader from before anything was known, which history.At has no
// revision for.
type nothing struct {
	at history.At
}

func (n nothing) At() history.At { return n.at }

func (nothing) Get(_ context.Context, keys []history.Key, _ history.Fields) ([]history.Item, error) {
	items := make([]history.Item, len(keys))
	for i, k := range keys {
		items[i].Key = k
	}
	return items, nil
}

func (nothing) Version(context.Context, history.Key, uint32) (history.Item, error) {
	return history.Item{}, history.Errorf(history.NotFound, "nothing was known yet")
}

func (nothing) History(context.Context, history.Key, history.HistoryQuery) ([]history.Item, bool, error) {
	return nil, false, nil
}

func (nothing) Items(context.Context, history.Query) ([]history.Item, bool, error) {
	return nil, false, nil
}

func (nothing) Count(_ context.Context, _ history.Query, by history.GroupBy) ([]history.Group, error) {
	if by == history.ByNothing {
		return []history.Group{{}}, nil
	}
	return nil, nil
}

func (nothing) Find(context.Context, string, string) ([]history.Key, error) { return nil, nil }

func (nothing) Links(context.Context, history.LinkQuery) ([]history.Linked, bool, error) {
	return nil, false, nil
}
