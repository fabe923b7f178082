// Package ingest sends observations to the daemon in bulk: batches on one
// stream, several under way, sent again with the same ids when the stream
// breaks. A batch counts once it is acknowledged, and then it is durable.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/varvehq/varve/cmd/internal/client"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// window is how many batches are under way. The daemon syncs its disk while the
// next ones are on their way; more only costs memory.
const window = 4

// Line says where an observation was read.
type Line struct {
	File string
	Line int
}

// Report is called once for each observation, in order, with what became of it.
type Report func(Line, *varvev1.RecordResult)

// Sender sends observations. Add and Close are for one goroutine, which reads
// the observations; Report is called from another.
type Sender struct {
	conn   *client.Conn
	run    string
	report Report

	in   chan entry
	done chan struct{} // closed when all is sent, or err is set
	err  error
}

// NewSender starts to send, into a run if its name is not empty. Cancelling ctx
// ends it without waiting for what is under way.
func NewSender(ctx context.Context, conn *client.Conn, run string, report Report) *Sender {
	s := &Sender{conn: conn, run: run, report: report, in: make(chan entry, 64), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.err = s.send(ctx)
	}()
	return s
}

// Add hands over an observation as wire.AppendObservation encodes it, and its
// memory with it, waiting while too much is under way. An error is the Sender's
// end, and Close returns it too.
func (s *Sender) Add(line Line, observation []byte) error {
	select {
	case s.in <- entry{line, observation}:
		return nil
	case <-s.done:
		return s.err
	}
}

// Close waits until everything is acknowledged.
func (s *Sender) Close() error {
	close(s.in)
	<-s.done
	return s.err
}

// send connects, again and again while the daemon is only away.
func (s *Sender) send(ctx context.Context) error {
	q := queue{run: s.run}
	var away client.Away
	for {
		err := s.converse(ctx, &q, &away)
		if err == nil {
			return nil
		}
		if err := away.Wait(ctx, s.conn, err); err != nil {
			return err
		}
	}
}

// converse holds one stream: it sends again what is not acknowledged, then what
// comes in, until there is no more (nil) or the stream breaks.
func (s *Sender) converse(ctx context.Context, q *queue, away *client.Away) error {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := s.conn.Record(ctx)
	if err != nil {
		cancel()
		return err
	}
	answers := receive(ctx, stream)
	defer func() {
		cancel()
		for range answers { // until the receiver is gone
		}
	}()

	// A request that cannot be sent is not the whole story: the answers before
	// the end, and why it ended, are with the receiver.
	broken := func() error {
		for a := range answers {
			if err := s.take(q, away, a); err != nil {
				return err
			}
		}
		return errEnded
	}
	for _, b := range q.underWay {
		if stream.Send(b.request(q.run)) != nil {
			return broken()
		}
	}
	for {
		for q.ready() {
			if stream.Send(q.dispatch().request(q.run)) != nil {
				return broken()
			}
		}
		if q.finished() {
			_ = stream.CloseSend()
			farewell(answers)
			return nil
		}
		in := s.in
		if q.full() {
			in = nil
		}
		select {
		case e, more := <-in:
			if !more {
				s.in, q.ended = nil, true
				break
			}
			q.add(e)
		case <-q.lingered():
			q.close()
		case a := <-answers:
			if err := s.take(q, away, a); err != nil {
				return err
			}
		}
	}
}

// errEnded is a daemon that ends the stream before we do: it is going down.
var errEnded = status.Error(codes.Unavailable, "the daemon ended the stream")

// answer is what comes back on a stream; its last one is an error.
type answer struct {
	response *varvev1.RecordResponse
	err      error
}

// receive hands on what comes in until the stream ends. Answers fit into the
// channel, as long as a request has one, so that the receiver does not wait for
// a sender which may be waiting to send.
func receive(ctx context.Context, stream varvev1.RecorderService_RecordClient) <-chan answer {
	answers := make(chan answer, window+1)
	go func() {
		defer close(answers)
		for {
			response, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				err = errEnded
			}
			select {
			case answers <- answer{response, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return answers
}

// take counts what a batch under way came to.
func (s *Sender) take(q *queue, away *client.Away, a answer) error {
	if a.err != nil {
		return a.err
	}
	if len(q.underWay) == 0 {
		return errors.New("the daemon acknowledged what was not sent")
	}
	b, results := q.underWay[0], a.response.GetResults()
	if len(results) != len(b.lines) {
		return fmt.Errorf("the daemon gave %d results for %d observations", len(results), len(b.lines))
	}
	for i, r := range results {
		s.report(b.lines[i], r)
	}
	q.acknowledged()
	s.conn.Progress(away)
	return nil
}

// farewell lets the daemon end the stream in its own time, but not for long:
// everything is acknowledged.
func farewell(answers <-chan answer) {
	select {
	case <-answers:
	case <-time.After(time.Second):
	}
}
