package wire

import (
	"math"
	"strconv"
	"strings"

	"github.com/varvehq/varve/history"
	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

const runPrefix = "runs/"

// RunName is the resource name of a run, `runs/{run}`.
func RunName(id history.RunID) string { return runPrefix + string(id) }

// ParseRunName reads a resource name of a run.
func ParseRunName(field, name string) (history.RunID, error) {
	id, ok := strings.CutPrefix(name, runPrefix)
	switch {
	case name == "":
		return "", invalid(field, "", "is required")
	case !ok || !history.RunID(id).Valid():
		return "", invalid(field, strconv.Quote(shorten(name)), "is not the name of a run, runs/ID")
	}
	return history.RunID(id), nil
}

var runStates = map[history.RunState]varvev1.Run_State{
	history.RunOpen:     varvev1.Run_STATE_OPEN,
	history.RunComplete: varvev1.Run_STATE_COMPLETE,
	history.RunAborted:  varvev1.Run_STATE_ABORTED,
}

// RunToProto writes a run.
func RunToProto(r history.Run) *varvev1.Run {
	return &varvev1.Run{
		Name:     RunName(r.ID),
		Scope:    &varvev1.Run_Scope{Accounts: r.Scope.Accounts, Regions: r.Scope.Regions, Types: r.Scope.Types},
		Moment:   MomentToProto(r.Moment),
		State:    runStates[r.State],
		OpenedAt: MomentToProto(r.OpenedAt),
		Deadline: MomentToProto(r.Deadline),
		ClosedAt: MomentToProto(r.ClosedAt),
		Observed: Uint32(r.Observed),
		Refused:  Uint32(r.Refused),
		Deleted:  Uint32(r.Deleted),
		Reason:   r.Reason,
	}
}

// RunFromProto reads a run. It may have no name yet; without a state it is
// open.
func RunFromProto(p *varvev1.Run) (history.Run, error) {
	r := history.Run{
		Scope: history.Scope{
			Accounts: p.GetScope().GetAccounts(), Regions: p.GetScope().GetRegions(), Types: p.GetScope().GetTypes(),
		},
		Observed: uint64(p.GetObserved()),
		Refused:  uint64(p.GetRefused()),
		Deleted:  uint64(p.GetDeleted()),
		Reason:   p.GetReason(),
	}
	var err error
	if p.GetName() != "" {
		if r.ID, err = ParseRunName("name", p.GetName()); err != nil {
			return r, err
		}
	}
	for state, written := range runStates {
		if written == p.GetState() {
			r.State = state
		}
	}
	return r, readMoments(
		momentField{"moment", p.GetMoment(), &r.Moment},
		momentField{"openedAt", p.GetOpenedAt(), &r.OpenedAt},
		momentField{"deadline", p.GetDeadline(), &r.Deadline},
		momentField{"closedAt", p.GetClosedAt(), &r.ClosedAt},
	)
}

// Uint32 writes a count, which JSON shows as a number: one beyond its range
// gives the largest.
func Uint32(n uint64) uint32 { return uint32(min(n, math.MaxUint32)) }
