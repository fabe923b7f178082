package answer

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Diff is the comparison of two states of a resource. From and To are null
// where it did not exist.
type Diff struct {
	From       *State      `json:"from"`
	To         *State      `json:"to"`
	Patch      []Operation `json:"patch"`
	Attributes []Operation `json:"attributes"`
}

// State says which version one side of a comparison is.
type State struct {
	Version    uint32 `json:"version"`
	Status     string `json:"status"`
	CapturedAt string `json:"capturedAt"`
	LastSeenAt string `json:"lastSeenAt"`
	RecordedAt string `json:"recordedAt"`
	Revision   string `json:"revision"`
	Cause      *Cause `json:"cause,omitzero"`
	Source     string `json:"source,omitempty"`
	Erased     bool   `json:"erased,omitzero"` // its content was: the patch tells nothing
	Lost       bool   `json:"lost,omitzero"`   // with erased: to damage
}

// StateFields are the fields of an item that a State is made of.
var StateFields = []string{"version", "status", "captured_at", "last_seen_at", "recorded_at", "revision", "cause", "source", "erased", "lost"}

// Operation is one of an RFC 6902 patch.
type Operation struct {
	Op    string         `json:"op"`
	From  *string        `json:"from,omitzero"`
	Path  string         `json:"path"`
	Value jsontext.Value `json:"value,omitzero"`
}

// DiffOf reads a comparison.
func DiffOf(p *varvev1.DiffItemResponse) Diff {
	return Diff{
		From:       stateOf(p.GetFrom()),
		To:         stateOf(p.GetTo()),
		Patch:      operations(p.GetPatch()),
		Attributes: operations(p.GetAttributes()),
	}
}

func stateOf(p *varvev1.Item) *State {
	if p == nil {
		return nil
	}
	return &State{
		Version:    p.GetVersion(),
		Status:     p.GetStatus(),
		CapturedAt: Time(p.GetCapturedAt()),
		LastSeenAt: Time(p.GetLastSeenAt()),
		RecordedAt: Time(p.GetRecordedAt()),
		Revision:   strconv.FormatUint(p.GetRevision(), 10),
		Cause:      causeOf(p),
		Source:     p.GetSource(),
		Erased:     p.GetErased(),
		Lost:       p.GetLost(),
	}
}

func operations(list []*varvev1.PatchOperation) []Operation {
	ops := make([]Operation, len(list)) // a patch without operations is []
	for i, p := range list {
		ops[i] = Operation{Op: p.GetOp(), From: p.From, Path: p.GetPath(), Value: p.GetValue().GetRaw()}
	}
	return ops
}
