package server

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder/delivery/feed"
	eventfilter "github.com/varvehq/varve/recorder/delivery/filter"
)

// A watcher reads a page of events when it has sent the one before: nothing
// gathers for a receiver that is slow, and it holds up nobody else.
const watchPage = 256

// A watcher tells how far it has looked when nothing comes for a second, after so
// many events that the filter did not choose, and in any case within aliveEvery,
// lest somebody in between takes the stream for dead.
const (
	quiet      = time.Second
	mostPassed = 1000
	aliveEvery = 15 * time.Second
)

var errWatchDraining = history.Errorf(history.Unavailable, "the daemon is stopping; go on from the last position")

type watchService struct {
	varvev1.UnimplementedWatchServiceServer
	*Server
}

func (s *watchService) WatchChanges(req *varvev1.WatchChangesRequest, stream varvev1.WatchService_WatchChangesServer) error {
	w := watcher{s: s.Server, stream: stream}
	switch req.GetView() {
	case varvev1.WatchChangesRequest_VIEW_UNSPECIFIED, varvev1.WatchChangesRequest_VIEW_FULL:
	case varvev1.WatchChangesRequest_VIEW_HEAD:
		w.head = true
	default:
		return &history.Error{Kind: history.Invalid, Field: "view", Value: req.GetView().String(), Text: "is not known"}
	}
	var err error
	if req.GetFilter() != "" {
		if w.filter, err = eventfilter.Compile(req.GetFilter()); err != nil {
			return err
		}
	}
	if w.after, err = s.watchedFrom(stream.Context(), req); err != nil {
		return err
	}
	return w.run(stream.Context())
}

// watchedFrom is the position that a request begins after, once it is known that
// the feed can be read from there.
func (s *watchService) watchedFrom(ctx context.Context, req *varvev1.WatchChangesRequest) (history.Position, error) {
	after, err := s.feedFrom(ctx, req)
	if err != nil {
		return "", err
	}
	if after == "" {
		head, err := s.store.Head(ctx)
		return head.Position, err
	}
	_, after, err = s.store.Changes(ctx, after, 0, 0)
	return after, err
}

// feedRequest is a question for changes.
type feedRequest interface {
	GetPosition() string
	GetSince() *timestamppb.Timestamp
}

// feedFrom is the position that a question for changes begins after; "" if it does
// not say.
func (s *Server) feedFrom(ctx context.Context, req feedRequest) (history.Position, error) {
	after := history.Position(req.GetPosition())
	if req.GetSince() == nil {
		return after, nil
	}
	if after != "" {
		return "", &history.Error{Kind: history.Invalid, Field: "since", Text: "and position are given; give one of them"}
	}
	since, err := wire.AskedFromProto("since", req.GetSince())
	if err != nil {
		return "", err
	}
	if err := s.passed(since); err != nil {
		return "", err
	}
	if _, err := s.store.KnownAt(ctx, since); err != nil { // what was recorded since is not all there
		return "", renamed(err, "since")
	}
	return s.store.PositionAt(ctx, since)
}

// passed refuses a moment since when changes are asked for that is still to come.
func (s *Server) passed(since history.Moment) error {
	if !s.ahead(since) {
		return nil
	}
	return &history.Error{Kind: history.Future, Field: "since", Value: since.String(),
		Text: "lies in the future: nothing was recorded since; name a moment that has passed, or now"}
}

// watcher is one stream of changes.
type watcher struct {
	s      *Server
	stream varvev1.WatchService_WatchChangesServer
	filter *eventfilter.Filter // nil: all of them
	head   bool                // heads only

	after    history.Position // all up to here was looked at
	told     history.Position // by the last message
	sent     time.Time        // the last message
	previous history.Seq      // that was sent
	passed   int              // events that were not, since the last message
}

// run reads and sends until ctx is done, or the server drains.
func (w *watcher) run(ctx context.Context) error {
	reading, stop := w.s.untilDrained(ctx)
	defer stop()
	err := w.progress()
	for err == nil {
		err = w.turn(reading)
	}
	if w.s.draining.Err() != nil && ctx.Err() == nil {
		if w.after != w.told {
			_ = w.progress() // the error below tells enough
		}
		return errWatchDraining
	}
	return err
}

// turn waits for a page of events and sends those that are chosen.
func (w *watcher) turn(ctx context.Context) error {
	wait := quiet
	if w.after == w.told {
		wait = max(quiet, aliveEvery-time.Since(w.sent))
	}
	epoch := w.s.feed.Epoch()
	events, next, err := w.s.feed.Events(ctx, w.after, watchPage, wait)
	if err != nil {
		return err
	}
	if w.filter == nil && !w.head {
		feed.WorkOut(events)
	}
	for _, e := range events {
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.s.feed.Epoch() != epoch {
			return nil // a version was erased while the receiver kept us waiting: read the rest again
		}
		if err := w.look(ctx, e); err != nil {
			return err
		}
	}
	w.after = next
	if len(events) == 0 || w.passed >= mostPassed || time.Since(w.sent) >= aliveEvery {
		return w.progress()
	}
	return nil
}

// look sends an event if it is chosen.
func (w *watcher) look(ctx context.Context, e *feed.Event) error {
	var undecided error
	if w.filter != nil {
		var chosen bool
		if chosen, undecided = w.filter.Match(ctx, e); !chosen {
			w.after = e.Position
			w.passed++
			return nil
		}
		if ctx.Err() != nil { // which may be all that it could not decide for
			return ctx.Err()
		}
	}
	p, err := w.write(e)
	if err != nil {
		return err
	}
	if p.Previous = uint64(w.previous); undecided != nil {
		p.FilterError = undecided.Error()
	}
	w.previous, w.after = e.Seq, e.Position
	return w.send(&varvev1.WatchChangesResponse{Part: &varvev1.WatchChangesResponse_Change{Change: p}})
}

// write writes an event, or if it is larger than a message may be what fits.
func (w *watcher) write(e *feed.Event) (*varvev1.ChangeEvent, error) {
	if w.head {
		return wire.EventHeadToProto(e), nil
	}
	p, err := wire.EventToProto(e)
	if err != nil || proto.Size(p) <= MaxMessage-1<<20 {
		return p, err
	}
	reduced := wire.EventHeadToProto(e)
	reduced.Reduced, reduced.Paths, reduced.Opened, reduced.Closed = true, p.GetPaths(), p.GetOpened(), p.GetClosed()
	if proto.Size(reduced) > MaxMessage-1<<20 {
		reduced.Paths, reduced.Opened, reduced.Closed = nil, nil, nil
	}
	return reduced, nil
}

func (w *watcher) progress() error {
	return w.send(&varvev1.WatchChangesResponse{Part: &varvev1.WatchChangesResponse_Progress_{
		Progress: &varvev1.WatchChangesResponse_Progress{Position: string(w.after)},
	}})
}

// send sends a message once the receiver has room for it.
func (w *watcher) send(m *varvev1.WatchChangesResponse) error {
	if err := w.stream.Send(m); err != nil {
		return err
	}
	w.told, w.sent, w.passed = w.after, time.Now(), 0
	return nil
}
