package server

import (
	"context"
	"fmt"
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

type recorderService struct {
	varvev1.UnimplementedRecorderServiceServer
	*Server
}

func (s *recorderService) BatchRecord(ctx context.Context, req *varvev1.BatchRecordRequest) (*varvev1.BatchRecordResponse, error) {
	record, err := s.ready(ctx, req, proto.Size(req))
	if err != nil {
		return nil, err
	}
	receipt, err := record(ctx)
	if err != nil {
		return nil, err
	}
	return wire.ReceiptToProto(receipt), nil
}

// batchRequest is one batch, alone or within a stream.
type batchRequest interface {
	proto.Message
	GetObservations() []*varvev1.Observation
	GetRun() string
	GetRequestId() string
}

// ready does with a request of so many bytes all that needs not wait for its
// turn, and returns what records it. Observations that cannot even be read are
// refused here; the receipt has the results of all in their order.
func (s *recorderService) ready(ctx context.Context, req batchRequest, size int) (func(context.Context) (history.Receipt, error), error) {
	batch, err := batchOf(req, size)
	if err != nil {
		return nil, err
	}
	list := req.GetObservations()
	batch.Observations = make([]history.Observation, 0, len(list))
	refused := make([]error, len(list))
	for i, p := range list {
		o, err := wire.ObservationFromProto(p)
		if err != nil {
			refused[i] = err
			batch.Refused++
			continue
		}
		batch.Observations = append(batch.Observations, o)
	}
	record, err := s.recorder.Ready(ctx, batch)
	if err != nil || batch.Refused == 0 {
		return record, err
	}
	return func(ctx context.Context) (history.Receipt, error) {
		receipt, err := record(ctx)
		if err != nil {
			return history.Receipt{}, err
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
	}, nil
}

// batchOf reads all of a request but its observations.
func batchOf(req batchRequest, size int) (history.Batch, error) {
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
	if size > MaxBatchBytes {
		return b, &history.Error{Kind: history.TooLarge, Field: "observations", Value: strconv.Itoa(size) + " bytes",
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
