package server

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/semaphore"
	"google.golang.org/protobuf/proto"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// How far a stream runs ahead of the disk: so many requests and so many bytes,
// besides the request that is being received.
const (
	maxAhead      = 8
	maxAheadBytes = MaxBatchBytes
)

// Record records the requests of a stream one after another, so that two
// batches about one resource apply in their order, and acknowledges each before
// it records the next. What needs no turn goes on meanwhile: requests are
// received, decoded and got ready while others are on their way to the disk.
func (s *recorderService) Record(stream varvev1.RecorderService_RecordServer) error {
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	q := queue{s: s, stream: stream, turns: make(chan turn, maxAhead), room: semaphore.NewWeighted(maxAheadBytes)}
	go q.fill(ctx) // ends with the stream, at the latest when this method has returned

	for {
		select {
		case <-s.draining.Done():
			return errDraining
		case t, ok := <-q.turns:
			if !ok {
				return ctx.Err()
			}
			if errors.Is(t.err, io.EOF) {
				return nil
			}
			answer, err := q.take(ctx, t)
			if err != nil {
				return err
			}
			if err := stream.Send(answer); err != nil {
				return err
			}
		}
	}
}

var errDraining = history.Errorf(history.Unavailable,
	"the daemon is stopping; send again from the first request that was not acknowledged")

// queue is what a stream has ready.
type queue struct {
	s      *recorderService
	stream varvev1.RecorderService_RecordServer
	turns  chan turn
	room   *semaphore.Weighted // bytes that may still be ready
}

// turn is a request that has only to be recorded.
type turn struct {
	record func(context.Context) (history.Receipt, error)
	bytes  int64 // of the queue's room that it takes
	err    error // instead of record: no more will come. io.EOF at the end
}

// fill gets requests ready until one cannot be taken or ctx is done. Then it
// closes the channel.
func (q *queue) fill(ctx context.Context) {
	defer close(q.turns)
	for {
		t := q.next(ctx)
		select {
		case q.turns <- t:
		case <-ctx.Done():
			return
		}
		if t.err != nil {
			return
		}
	}
}

func (q *queue) next(ctx context.Context) (t turn) {
	req, err := q.stream.Recv()
	if err != nil {
		return turn{err: err}
	}
	size := proto.Size(req)
	t.bytes = min(int64(size), maxAheadBytes)
	if err := q.room.Acquire(ctx, t.bytes); err != nil {
		return turn{err: err}
	}
	t.record, t.err = q.s.ready(ctx, req, size)
	return t
}

// take records what has its turn.
func (q *queue) take(ctx context.Context, t turn) (*varvev1.RecordResponse, error) {
	if t.err != nil {
		return nil, t.err
	}
	defer q.room.Release(t.bytes)
	receipt, err := t.record(ctx)
	if err != nil {
		return nil, err
	}
	answer := wire.ReceiptToProto(receipt)
	return &varvev1.RecordResponse{Results: answer.GetResults(), Revision: answer.GetRevision(), Position: answer.GetPosition()}, nil
}
