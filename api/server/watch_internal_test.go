package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/memory"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
	"github.com/varvehq/varve/recorder"
)

// sending is a stream that notes when something is sent.
type sending struct {
	grpc.ServerStream
	at        []time.Duration // since the start
	positions []string
	start     time.Time
}

func (s *sending) Send(m *varvev1.WatchChangesResponse) error {
	s.at = append(s.at, time.Since(s.start).Round(time.Second))
	s.positions = append(s.positions, m.GetProgress().GetPosition())
	return nil
}

// A watcher for whom there is nothing hears of that now and then.
func TestWatchIsNeverSilentForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New(memory.Options{})
		s := New(store, recorder.New(store, recorder.Options{}), Options{})
		defer s.Stop(t.Context())
		stream := &sending{start: time.Now()}
		ctx, stop := context.WithTimeout(t.Context(), 50*time.Second)
		defer stop()
		head, err := store.Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		w := watcher{s: s, stream: stream, after: head.Position}
		if err := w.run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		want := []time.Duration{0, 15 * time.Second, 30 * time.Second, 45 * time.Second}
		if len(stream.at) != len(want) {
			t.Fatalf("marks after %v", stream.at)
		}
		for i, at := range stream.at {
			if at != want[i] || history.Position(stream.positions[i]) != head.Position {
				t.Errorf("mark %d after %v at %s", i, at, stream.positions[i])
			}
		}
	})
}
