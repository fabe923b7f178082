package answer

import (
	"strconv"
	"strings"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Change is one entry of the feed.
type Change struct {
	Position   string `json:"position"`
	Partition  uint32 `json:"partition"`
	Sequence   string `json:"sequence"`
	Revision   string `json:"revision"`
	Kind       string `json:"kind"`
	Late       bool   `json:"late"`
	Account    string `json:"account"`
	Region     string `json:"region"`
	Type       string `json:"type"`
	ID         string `json:"id"`
	Version    uint32 `json:"version"`
	CapturedAt string `json:"capturedAt"`
	RecordedAt string `json:"recordedAt"`
}

// ChangeOf reads a change.
func ChangeOf(p *varvev1.Change) Change {
	return Change{
		Position:   p.GetPosition(),
		Partition:  p.GetPartition(),
		Sequence:   strconv.FormatUint(p.GetSequence(), 10),
		Revision:   strconv.FormatUint(p.GetRevision(), 10),
		Kind:       p.GetKind(),
		Late:       p.GetLate(),
		Account:    p.GetKey().GetAccount(),
		Region:     p.GetKey().GetRegion(),
		Type:       p.GetKey().GetType(),
		ID:         p.GetKey().GetId(),
		Version:    p.GetVersion(),
		CapturedAt: Time(p.GetCapturedAt()),
		RecordedAt: Time(p.GetRecordedAt()),
	}
}

// Run is one collection run.
type Run struct {
	ID       string `json:"id"`
	State    string `json:"state"` // open, complete or aborted
	Scope    Scope  `json:"scope"`
	Moment   string `json:"moment"`
	OpenedAt string `json:"openedAt"`
	Deadline string `json:"deadline"`
	ClosedAt string `json:"closedAt,omitempty"`
	Observed uint32 `json:"observed"`
	Refused  uint32 `json:"refused"`
	Deleted  uint32 `json:"deleted"`
	Reason   string `json:"reason,omitempty"`
}

// Scope says what a run collects; an empty list means all.
type Scope struct {
	Accounts []string `json:"accounts"`
	Regions  []string `json:"regions"`
	Types    []string `json:"types"`
}

// RunOf reads a run.
func RunOf(p *varvev1.Run) Run {
	return Run{
		ID:    RunID(p.GetName()),
		State: strings.ToLower(strings.TrimPrefix(p.GetState().String(), "STATE_")),
		Scope: Scope{
			Accounts: list(p.GetScope().GetAccounts()),
			Regions:  list(p.GetScope().GetRegions()),
			Types:    list(p.GetScope().GetTypes()),
		},
		Moment:   Time(p.GetMoment()),
		OpenedAt: Time(p.GetOpenedAt()),
		Deadline: Time(p.GetDeadline()),
		ClosedAt: Time(p.GetClosedAt()),
		Observed: p.GetObserved(),
		Refused:  p.GetRefused(),
		Deleted:  p.GetDeleted(),
		Reason:   p.GetReason(),
	}
}

// list is never null.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
