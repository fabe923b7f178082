package answer

import (
	"strconv"

	varvev1 "github.com/varvehq/varve/proto/varve/v1"
)

// Status says how far a store has come, and how large it is.
type Status struct {
	StoreID    string  `json:"storeId"`
	Revision   string  `json:"revision"`
	RecordedAt string  `json:"recordedAt"`
	Position   string  `json:"position"`
	Resources  uint32  `json:"resources"`
	Version    string  `json:"version"` // of the daemon
	Format     uint32  `json:"format,omitzero"`
	Floors     *Floors `json:"floors,omitzero"`
	Sizes      *Sizes  `json:"sizes,omitzero"`
	Lag        *Lag    `json:"lag,omitzero"`
}

// Floors say what a store no longer keeps.
type Floors struct {
	Captured   string            `json:"captured"` // of all types; empty while there is none
	ByType     map[string]string `json:"byType"`   // where it is higher
	Revision   string            `json:"revision"`
	RecordedAt string            `json:"recordedAt"`
	Sequence   string            `json:"sequence"`
}

// Sizes are those of a store, in bytes.
type Sizes struct {
	File uint64 `json:"fileBytes"`
	Live uint64 `json:"liveBytes"`
	Free uint64 `json:"freeBytes"`
}

// Lag is what is not yet merged.
type Lag struct {
	Records uint64 `json:"records"`
	Bytes   uint64 `json:"bytes"`
	Apart   uint64 `json:"resourcesApart,omitzero"` // since what is merged of them is damaged
}

// StatusOf reads a status.
func StatusOf(p *varvev1.GetStatusResponse) Status {
	s := Status{
		StoreID: p.GetStoreId(), Revision: strconv.FormatUint(p.GetRevision(), 10), RecordedAt: Time(p.GetRecordedAt()),
		Position: p.GetPosition(), Resources: p.GetResources(), Version: p.GetVersion(), Format: p.GetFormat(),
	}
	if p.GetFloors() != nil {
		s.Floors = FloorsOf(p.GetFloors())
	}
	if z := p.GetSizes(); z != nil {
		s.Sizes = &Sizes{File: z.GetFileBytes(), Live: z.GetLiveBytes(), Free: z.GetFreeBytes()}
	}
	if l := p.GetLag(); l != nil {
		s.Lag = &Lag{Records: l.GetRecords(), Bytes: l.GetBytes(), Apart: l.GetResourcesApart()}
	}
	return s
}

// FloorsOf reads floors.
func FloorsOf(p *varvev1.Floors) *Floors {
	f := &Floors{
		Captured: Time(p.GetCaptured()), ByType: map[string]string{}, Revision: strconv.FormatUint(p.GetRevision(), 10),
		RecordedAt: Time(p.GetRecordedAt()), Sequence: strconv.FormatUint(p.GetSequence(), 10),
	}
	for _, t := range p.GetTypes() {
		f.ByType[t.GetType()] = Time(t.GetCaptured())
	}
	return f
}

// Pruned says what pruning dropped, or would drop.
type Pruned struct {
	DryRun    bool    `json:"dryRun"`
	Resources uint64  `json:"resources"` // that went entirely
	Versions  uint64  `json:"versions"`
	Sightings uint64  `json:"sightings"`
	Changes   uint64  `json:"changes"`
	Floors    *Floors `json:"floors"`
}

// PrunedOf reads the result of a prune.
func PrunedOf(p *varvev1.PruneResponse_Result, dryRun bool) Pruned {
	return Pruned{
		DryRun: dryRun, Resources: p.GetResources(), Versions: p.GetVersions(), Sightings: p.GetSightings(),
		Changes: p.GetChanges(), Floors: FloorsOf(p.GetFloors()),
	}
}
