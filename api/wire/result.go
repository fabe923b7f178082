package wire

import (
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/varvehq/varve/api/internal/fault"
	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// ResultToProto writes what became of one observation.
func ResultToProto(r history.Result) *varvev1.RecordResult {
	p := &varvev1.RecordResult{}
	resultToProto(p, &timestamppb.Timestamp{}, &r)
	return p
}

// resultToProto writes to p, and to begins if there is a moment.
func resultToProto(p *varvev1.RecordResult, begins *timestamppb.Timestamp, r *history.Result) {
	if r.Err != nil {
		p.Outcome = varvev1.RecordResult_OUTCOME_REFUSED
		p.Error = fault.Status(r.Err).Proto()
		return
	}
	p.Outcome = varvev1.RecordResult_OUTCOME_RECORDED
	p.Version = r.Version
	p.Revision = uint64(r.Revision)
	p.Late = r.Late
	p.Sequence = uint64(r.Seq)
	if m := r.CapturedAt; m != 0 && m != history.Newest {
		t := m.Time()
		begins.Seconds, begins.Nanos = t.Unix(), int32(t.Nanosecond())
		p.CapturedAt = begins
	}
	if r.Unchanged {
		p.Outcome = varvev1.RecordResult_OUTCOME_UNCHANGED
		return
	}
	p.Kind = r.Kind.String()
}

// ResultFromProto reads what became of one observation. The error of a refused
// one is an *history.Error.
func ResultFromProto(p *varvev1.RecordResult) (history.Result, error) {
	if p.GetOutcome() == varvev1.RecordResult_OUTCOME_REFUSED {
		return history.Result{Err: domainError(status.FromProto(p.GetError()))}, nil
	}
	r := history.Result{
		Unchanged: p.GetOutcome() == varvev1.RecordResult_OUTCOME_UNCHANGED,
		Version:   p.GetVersion(),
		Revision:  history.Revision(p.GetRevision()),
		Seq:       history.Seq(p.GetSequence()),
		Kind:      parseChangeKind(p.GetKind()),
		Late:      p.GetLate(),
	}
	var err error
	r.CapturedAt, err = MomentFromProto("capturedAt", p.GetCapturedAt())
	return r, err
}

// ReceiptToProto writes what became of a batch.
func ReceiptToProto(r history.Receipt) *varvev1.BatchRecordResponse {
	p := &varvev1.BatchRecordResponse{
		Results:  make([]*varvev1.RecordResult, len(r.Results)),
		Revision: uint64(r.Revision),
		Position: string(r.Position),
	}
	results, moments := make([]varvev1.RecordResult, len(r.Results)), make([]timestamppb.Timestamp, len(r.Results))
	for i := range r.Results {
		p.Results[i] = &results[i]
		resultToProto(&results[i], &moments[i], &r.Results[i])
	}
	return p
}

// A Receipt message is the answer to a batch, on its own or within a stream.
type Receipt interface {
	GetResults() []*varvev1.RecordResult
	GetRevision() uint64
	GetPosition() string
}

// ReceiptFromProto reads what became of a batch.
func ReceiptFromProto(p Receipt) (history.Receipt, error) {
	r := history.Receipt{
		Results:  make([]history.Result, len(p.GetResults())),
		Revision: history.Revision(p.GetRevision()),
		Position: history.Position(p.GetPosition()),
	}
	for i, result := range p.GetResults() {
		var err error
		if r.Results[i], err = ResultFromProto(result); err != nil {
			return r, within(fmt.Sprintf("results[%d]", i), err)
		}
	}
	return r, nil
}

// Error gives a gRPC error its kind back: an *history.Error where the status
// tells of one, else err as it is.
func Error(err error) error {
	st, ok := status.FromError(err)
	if !ok || st.Code() == codes.OK {
		return err
	}
	if e := fault.Error(st); e != nil {
		return e
	}
	return err
}

func domainError(st *status.Status) error {
	if e := fault.Error(st); e != nil {
		return e
	}
	return history.Errorf(history.Internal, "%s", st.Message())
}
