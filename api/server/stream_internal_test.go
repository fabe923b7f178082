package server

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc"

	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// client is the other side of a stream: it has requests to send, and reads
// answers.
type client struct {
	grpc.ServerStream
	ctx      context.Context
	requests []*varvev1.RecordRequest
	received int
	answered chan *varvev1.RecordResponse
}

func (c *client) Context() context.Context { return c.ctx }

func (c *client) Recv() (*varvev1.RecordRequest, error) {
	if c.received == len(c.requests) {
		return nil, io.EOF
	}
	c.received++
	return c.requests[c.received-1], nil
}

func (c *client) Send(r *varvev1.RecordResponse) error {
	select {
	case c.answered <- r:
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// disk records nothing, and takes its time.
type disk struct {
	Recorder
	turn  chan struct{} // one for each batch
	ready int
}

func (d *disk) Ready(_ context.Context, b history.Batch) (func(context.Context) (history.Receipt, error), error) {
	d.ready++
	return func(ctx context.Context) (history.Receipt, error) {
		select {
		case <-d.turn:
			return history.Receipt{Results: make([]history.Result, len(b.Observations))}, nil
		case <-ctx.Done():
			return history.Receipt{}, ctx.Err()
		}
	}, nil
}

// TestStreamRunsAheadWithinBounds: requests that wait for the disk are bounded in
// number and in bytes, and each that is recorded makes room for others.
func TestStreamRunsAheadWithinBounds(t *testing.T) {
	for name, c := range map[string]struct {
		bytes          int // of each request
		ready, receive int // while the first one is being recorded
	}{
		"ByNumber": {1 << 10, maxAhead + 2, maxAhead + 2}, // one with the disk, maxAhead in the channel, one before it
		"ByBytes":  {maxAheadBytes / 4, 3, 4},             // the fourth has not enough room, with what is around documents
		"Largest":  {maxAheadBytes - 1<<10, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				here := &client{ctx: ctx, answered: make(chan *varvev1.RecordResponse)}
				for range 20 {
					here.requests = append(here.requests, &varvev1.RecordRequest{Observations: []*varvev1.Observation{
						{Key: &varvev1.ResourceKey{Type: "T", Id: "i"}, Configuration: &varvev1.Json{Raw: make([]byte, c.bytes)}},
					}})
				}
				slow := &disk{turn: make(chan struct{})}
				s := &recorderService{Server: &Server{recorder: slow, draining: context.Background()}}
				done := make(chan error, 1)
				go func() { done <- s.Record(here) }()

				for i := range here.requests {
					synctest.Wait()
					if ready, received := min(c.ready+i, 20), min(c.receive+i, 20); slow.ready != ready || here.received != received {
						t.Fatalf("after %d: %d received and %d ready, want %d and %d", i, here.received, slow.ready, received, ready)
					}
					slow.turn <- struct{}{}
					<-here.answered
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestStreamBreaks: when the client is gone nothing is left behind, whether the
// disk, the client or the queue was waited for.
func TestStreamBreaks(t *testing.T) {
	for name, recorded := range map[string]int{"BeforeTheDisk": 0, "BeforeTheAnswer": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // which waits for all goroutines
				ctx, cancel := context.WithCancel(t.Context())
				here := &client{ctx: ctx, answered: make(chan *varvev1.RecordResponse)}
				for range 50 {
					here.requests = append(here.requests, &varvev1.RecordRequest{Observations: []*varvev1.Observation{
						{Key: &varvev1.ResourceKey{Type: "T", Id: "i"}, Configuration: &varvev1.Json{Raw: []byte("1")}},
					}})
				}
				slow := &disk{turn: make(chan struct{}, 1)}
				s := &recorderService{Server: &Server{recorder: slow, draining: context.Background()}}
				done := make(chan error, 1)
				go func() { done <- s.Record(here) }()
				for range recorded {
					slow.turn <- struct{}{}
				}
				synctest.Wait()
				cancel()
				if err := <-done; !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		})
	}
}
