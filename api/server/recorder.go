package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/varvehq/varve/api/wire"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Largest batch.
const (
	MaxBatch      = 1000     // observations
	MaxBatchBytes = 32 << 20 // of the encoded message
)

// ahead is how many requests of a stream are received while one is recorded.
const ahead = 8

type recorderService struct {
	varvev1.UnimplementedRecorderServiceServer
	*Server
}

func (s *recorderService) BatchRecord(ctx context.Context, req *varvev1.BatchRecordRequest) (*varvev1.BatchRecordResponse, error) {
	receipt, err := s.record(ctx, req)
	if err != nil {
		return nil, err
	}
	return wire.ReceiptToProto(receipt), nil
}

// Record records the requests of a stream one after another, so that two
// batches about one resource apply in their order, and acknowledges each before
// it takes the next. What may take time besides the disk, receiving and decoding,
// goes on meanwhile.
func (s *recorderService) Record(stream varvev1.RecorderService_RecordServer) error {
	var broken error // why no more requests come; read after requests was closed
	requests := make(chan *varvev1.RecordRequest, ahead)
	ctx := stream.Context()
	go func() { // ends with the stream, at the latest when this method has returned
		defer close(requests)
		for {
			req, err := stream.Recv()
			if err != nil {
				broken = err
				return
			}
			select {
			case requests <- req:
			case <-ctx.Done():
				broken = ctx.Err()
				return
			}
		}
	}()

	for {
		select {
		case <-s.draining.Done():
			return errDraining
		case req, ok := <-requests:
			if !ok && errors.Is(broken, io.EOF) {
				return nil
			}
			if !ok {
				return broken
			}
			receipt, err := s.record(ctx, req)
			if err != nil {
				return err
			}
			answer := wire.ReceiptToProto(receipt)
			if err := stream.Send(&varvev1.RecordResponse{
				Results: answer.GetResults(), Revision: answer.GetRevision(), Position: answer.GetPosition(),
			}); err != nil {
				return err
			}
		}
	}
}

var errDraining = history.Errorf(history.Unavailable,
	"the daemon is stopping; send again from the first request that was not acknowledged")

// batchRequest is one batch, alone or within a stream.
type batchRequest interface {
	proto.Message
	GetObservations() []*varvev1.Observation
	GetRun() string
	GetRequestId() string
}

// record hands a batch to the recorder. Observations that cannot even be read
// are refused here; the receipt has the results of all in their order.
func (s *recorderService) record(ctx context.Context, req batchRequest) (history.Receipt, error) {
	batch, err := batchOf(req)
	if err != nil {
		return history.Receipt{}, err
	}
	refused := make([]error, len(req.GetObservations()))
	for i, p := range req.GetObservations() {
		o, err := wire.ObservationFromProto(p)
		if err != nil {
			refused[i] = err
			batch.Refused++
			continue
		}
		batch.Observations = append(batch.Observations, o)
	}
	receipt, err := s.recorder.Record(ctx, batch)
	if err != nil {
		return history.Receipt{}, err
	}
	if len(receipt.Results) != len(batch.Observations) {
		return history.Receipt{}, fmt.Errorf("server: %d results of %d observations", len(receipt.Results), len(batch.Observations))
	}
	if batch.Refused == 0 {
		return receipt, nil
	}
	taken := receipt.Results
	receipt.Results = make([]history.Result, len(refused))
	for i, err := range refused {
		if err != nil {
			receipt.Results[i].Err = err
			continue
		}
		receipt.Results[i], taken = taken[0], taken[1:]
	}
	return receipt, nil
}

// batchOf reads all of a request but its observations.
func batchOf(req batchRequest) (history.Batch, error) {
	var (
		b   history.Batch
		err error
	)
	switch n := len(req.GetObservations()); {
	case n == 0:
		return b, &history.Error{Kind: history.Invalid, Field: "observations", Text: "is empty"}
	case n > MaxBatch:
		return b, &history.Error{Kind: history.TooLarge, Field: "observations", Value: strconv.Itoa(n),
			Text: fmt.Sprintf("are too many, a batch takes %d", MaxBatch)}
	}
	if n := proto.Size(req); n > MaxBatchBytes {
		return b, &history.Error{Kind: history.TooLarge, Field: "observations", Value: strconv.Itoa(n) + " bytes",
			Text: fmt.Sprintf("are too large, a batch takes %d bytes", MaxBatchBytes)}
	}
	if req.GetRun() != "" {
		if b.Run, err = wire.ParseRunName("run", req.GetRun()); err != nil {
			return b, err
		}
	}
	if id := req.GetRequestId(); id != "" {
		op, err := uuid.Parse(id)
		if err != nil || op == uuid.Nil {
			return b, &history.Error{Kind: history.Invalid, Field: "requestId", Value: strconv.Quote(cut(id)), Text: "is not a UUID"}
		}
		b.Op = history.OpID(op)
	}
	return b, nil
}

// cut shortens a value that an error quotes.
func cut(text string) string {
	if len(text) > 64 {
		return text[:64] + "…"
	}
	return text
}
