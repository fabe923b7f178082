package feed

import (
	"context"
	"errors"

	"github.com/varvehq/varve/history"
)

// firstChunk is how many events are read before it is known how large they are.
const firstChunk = 16

// read makes the events of changes, as many as a page may hold and one at least.
func (s *Source) read(ctx context.Context, changes []history.Change) ([]*Event, error) {
	c, err := s.present(ctx)
	if err != nil {
		return nil, err
	}
	load := func(change history.Change) (*Event, error) { return s.load(context.WithoutCancel(ctx), change) }
	events := make([]*Event, 0, len(changes))
	for bytes, chunk := 0, firstChunk; len(events) < len(changes) && bytes < s.o.PageBytes; {
		part := changes[len(events):]
		part = part[:min(chunk, len(part))]
		for _, f := range c.events(ctx, part, load) {
			switch {
			case f.err != nil && len(events) == 0:
				return nil, f.err
			case f.err != nil:
				return events, nil
			}
			events, bytes = append(events, f.event), bytes+f.event.bytes()
		}
		chunk = max(1, (s.o.PageBytes-bytes)/max(1, bytes/len(events)))
	}
	return events, nil
}

// load reads the versions on both sides of a change.
//
// Its own version is the last of its captured moment that was known at its
// revision, since of one moment the version learned later stands behind; and in
// front of it stands the version that preceded it. So a short question gives
// both, and a longer one would if it were otherwise.
func (s *Source) load(ctx context.Context, change history.Change) (*Event, error) {
	if change.Kind.String() == history.ChangeKind(0).String() { // not known here
		return bare(change), nil
	}
	r, err := s.store.AsOf(ctx, history.At{Known: change.Revision})
	if err != nil {
		return orCompacted(change, err)
	}
	var after history.Item
	for q := (history.HistoryQuery{To: change.CapturedAt, Limit: 2}); ; {
		items, more, err := r.History(ctx, change.Key, q)
		if err != nil {
			return orCompacted(change, err)
		}
		for _, item := range items {
			switch {
			case after.Version != 0:
				return New(change, item, after), nil
			case item.Version == change.Version:
				after = item
			}
			q.After = item.Version
		}
		if !more {
			break
		}
	}
	if after.Version == 0 {
		return compacted(change), nil
	}
	// Nothing precedes it, unless that was pruned: what stands at the floor is
	// all that is left of what was before.
	floors, err := s.floors(ctx)
	switch {
	case err != nil:
		return nil, err
	case after.CapturedAt <= floors.Of(change.Key.Type):
		return compacted(change), nil
	}
	return New(change, history.Item{}, after), nil
}

// orCompacted tells a change whose versions are gone, and passes on other errors.
// NotFound is a version that was pruned between two questions for it.
func orCompacted(change history.Change, err error) (*Event, error) {
	if errors.Is(err, history.Compacted) || errors.Is(err, history.NotFound) {
		return compacted(change), nil
	}
	return nil, err
}

// bare is the event of a change of which there is no more to tell.
func bare(change history.Change) *Event {
	return New(change, history.Item{}, history.Item{Key: change.Key})
}

func compacted(change history.Change) *Event {
	e := bare(change)
	e.Compacted = true
	return e
}
