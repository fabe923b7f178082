package feed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/varvehq/varve/history"
)

// Options of a source; the zero value works.
type Options struct {
	// CacheBytes is about how much memory the events that are kept take. Each
	// counts four times the bytes of its two versions, for what is worked out of
	// them is kept as well, and 4 KiB besides: so no more than CacheBytes/4096 are. One of more than an eighth of it is not. Default 64 MiB.
	CacheBytes int

	// PageBytes is about how many bytes of versions one page may hold before it
	// ends early. Default 16 MiB.
	PageBytes int
}

// Source tells the events of a store to any number of readers, at whatever pace
// each of them has. Who reads what another has just read, or is reading, gets it
// from memory. Its methods are safe for concurrent use.
type Source struct {
	store history.Store
	o     Options

	epoch atomic.Uint64

	mu    sync.Mutex
	cache *cache // replaced when what it holds may not be told any more
}

// NewSource makes a source of a store, which stays the caller's to close.
func NewSource(store history.Store, o Options) *Source {
	if o.CacheBytes <= 0 {
		o.CacheBytes = 64 << 20
	}
	if o.PageBytes <= 0 {
		o.PageBytes = 16 << 20
	}
	return &Source{store: store, o: o, cache: newCache(history.Floors{}, o.CacheBytes)}
}

// Events returns up to limit events after a position, as [history.Store.Changes]
// returns changes, and the position after the last of them: fewer than there are
// when they are large, but one at least. Nothing is read ahead. An event of a
// kind that this program does not know has the change and nothing else.
//
// Its errors are those of Changes, and DataLoss where a version is damaged; the
// events before it are returned first.
func (s *Source) Events(ctx context.Context, after history.Position, limit int, wait time.Duration) ([]*Event, history.Position, error) {
	changes, next, err := s.store.Changes(ctx, after, limit, wait)
	if err != nil || len(changes) == 0 {
		return nil, next, err
	}
	events, err := s.read(ctx, changes)
	if err != nil {
		return nil, "", err
	}
	return events, events[len(events)-1].Position, nil
}

// Chosen is Events, without waiting, for those who can say of most changes that
// they do not want their events, which are then not read. The position is that
// after the last change that was looked at or whose event is returned: it is the
// given one when there are no changes.
func (s *Source) Chosen(ctx context.Context, after history.Position, limit int, wanted func(*history.Change) bool) ([]*Event, history.Position, error) {
	changes, next, err := s.store.Changes(ctx, after, limit, 0)
	if err != nil {
		return nil, "", err
	}
	chosen := slices.DeleteFunc(changes, func(c history.Change) bool { return !wanted(&c) })
	if len(chosen) == 0 {
		return nil, next, nil
	}
	events, err := s.read(ctx, chosen)
	if err != nil {
		return nil, "", err
	}
	if len(events) < len(chosen) {
		next = events[len(events)-1].Position
	}
	return events, next, nil
}

// At returns the event of one sequence: NotFound if there is none yet, Compacted
// if its change is no longer kept, Unimplemented if the store cannot be asked for
// sequences (it is no [history.Descendant]).
func (s *Source) At(ctx context.Context, seq history.Seq) (*Event, error) {
	d, ok := history.Power[history.Descendant](s.store)
	if !ok {
		return nil, history.Errorf(history.Unimplemented, "this store cannot be asked for a sequence")
	}
	none := &history.Error{Kind: history.NotFound, Field: "sequence", Value: seq.String(), Text: "was not given yet; the first is 1"}
	if seq == 0 {
		return nil, none
	}
	changes, _, err := s.store.Changes(ctx, d.Lineage().Position(seq-1), 1, 0)
	switch {
	case errors.Is(err, history.Compacted):
		return nil, &history.Error{Kind: history.Compacted, Field: "sequence", Value: seq.String(), Text: "was pruned", Err: err}
	case errors.Is(err, history.ForeignToken), err == nil && len(changes) == 0: // our own position can only be ahead
		return nil, none
	case err != nil:
		return nil, err
	}
	events, err := s.read(ctx, changes)
	if err != nil {
		return nil, err
	}
	return events[0], nil
}

// Forget drops all that is kept. Who has erased a version calls it, since what
// that held must not be told any more: no call of Events or At that begins
// afterwards does. Floors that rise need no such call.
func (s *Source) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cache = newCache(s.cache.floors, s.o.CacheBytes)
	s.epoch.Add(1)
}

// Epoch says how often Forget was called. Who holds events for long asks for it
// before he reads them, and reads them again when it has changed.
func (s *Source) Epoch() uint64 { return s.epoch.Load() }

// present is the cache whose events may be told now: pruning makes what was read
// before it void.
func (s *Source) present(ctx context.Context) (*cache, error) {
	floors, err := s.floors(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !sameFloors(&floors, &s.cache.floors) {
		s.cache = newCache(floors, s.o.CacheBytes)
	}
	return s.cache, nil
}

func (s *Source) floors(ctx context.Context) (history.Floors, error) {
	pruner, ok := history.Power[history.Pruner](s.store)
	if !ok {
		return history.Floors{}, nil
	}
	floors, err := pruner.Floors(ctx)
	if err != nil {
		return floors, fmt.Errorf("feed: %w", err)
	}
	return floors, nil
}

func sameFloors(a, b *history.Floors) bool {
	return a.Captured == b.Captured && a.Revision == b.Revision && a.Seq == b.Seq &&
		maps.Equal(a.ByType, b.ByType) && maps.Equal(a.RevisionByType, b.RevisionByType)
}
