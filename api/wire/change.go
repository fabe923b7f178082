package wire

import (
	"math"
	"strconv"

	"github.com/varvehq/varve/history"
	"github.com/varvehq/varve/history/diff"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// ChangeToProto writes an entry of the feed.
func ChangeToProto(c history.Change) *varvev1.Change {
	return &varvev1.Change{
		Position:   string(c.Position),
		Partition:  uint32(c.Partition),
		Sequence:   uint64(c.Seq),
		Revision:   uint64(c.Revision),
		Kind:       c.Kind.String(),
		Late:       c.Late,
		Key:        KeyToProto(c.Key),
		Version:    c.Version,
		CapturedAt: MomentToProto(c.CapturedAt),
		RecordedAt: MomentToProto(c.RecordedAt),
	}
}

// ChangeFromProto reads an entry of the feed. A kind that this program does not
// know is zero: skip the change.
func ChangeFromProto(p *varvev1.Change) (history.Change, error) {
	c := history.Change{
		Position: history.Position(p.GetPosition()),
		Seq:      history.Seq(p.GetSequence()),
		Revision: history.Revision(p.GetRevision()),
		Kind:     parseChangeKind(p.GetKind()),
		Late:     p.GetLate(),
		Version:  p.GetVersion(),
	}
	if p.GetPartition() > math.MaxUint16 {
		return c, invalid("partition", strconv.FormatUint(uint64(p.GetPartition()), 10), "is out of range")
	}
	c.Partition = uint16(p.GetPartition())

	var err error
	if c.Key, err = KeyFromProto(p.GetKey()); err != nil {
		return c, err
	}
	return c, readMoments(
		momentField{"capturedAt", p.GetCapturedAt(), &c.CapturedAt},
		momentField{"recordedAt", p.GetRecordedAt(), &c.RecordedAt},
	)
}

func parseChangeKind(text string) history.ChangeKind {
	for _, kind := range []history.ChangeKind{history.Created, history.Updated, history.Deleted} {
		if kind.String() == text {
			return kind
		}
	}
	return 0
}

// PatchToProto writes a difference.
func PatchToProto(patch diff.Patch) []*varvev1.PatchOperation {
	out := make([]*varvev1.PatchOperation, len(patch))
	for i, op := range patch {
		out[i] = &varvev1.PatchOperation{Op: op.Op, Path: op.Path, Value: JSONToProto(op.Value)}
		if op.Op == diff.OpMove || op.Op == diff.OpCopy {
			out[i].From = &op.From
		}
	}
	return out
}

// PatchFromProto reads a difference.
func PatchFromProto(list []*varvev1.PatchOperation) diff.Patch {
	var patch diff.Patch
	for _, p := range list {
		op := diff.Op{Op: p.GetOp(), Path: p.GetPath(), From: p.GetFrom()}
		if p.GetValue() != nil {
			op.Value = p.GetValue().GetRaw()
		}
		patch = append(patch, op)
	}
	return patch
}
