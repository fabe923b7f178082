package history

import (
	"slices"
	"strings"
)

// State is what a resource looked like: the part of an observation that is
// compared. Two observations are of equal state if their States are, with
// relationships taken as a set. A State is in normal form when Normalize has
// been called and its JSON values are canonical; stores take no other.
type State struct {
	Deleted          bool
	ARN              string
	Name             string
	AvailabilityZone string
	CreatedAt        Moment
	Tags             map[string]string
	Configuration    []byte            // canonical JSON, never null; nil on deletions, or where the source says it was not recorded
	Supplementary    map[string][]byte // canonical JSON by name
	Relationships    []Relationship    // as declared by the source
	Status           Status            // as the source gave it; empty where it gave none
}

// Relationship is one declared, named edge from the resource to another.
// ID or ResourceName may be empty, not both.
type Relationship struct {
	Name         string // AWS Config's wording, such as "Is contained in Vpc"
	Type         string
	ID           string
	ResourceName string
	Account      string // where it differs from the resource's own
	Region       string
}

func (r Relationship) compare(o Relationship) int {
	for _, c := range [...][2]string{
		{r.Name, o.Name}, {r.Type, o.Type}, {r.ID, o.ID},
		{r.ResourceName, o.ResourceName}, {r.Account, o.Account}, {r.Region, o.Region},
	} {
		if d := strings.Compare(c[0], c[1]); d != 0 {
			return d
		}
	}
	return 0
}

// Status is a configuration item status in AWS Config's words.
type Status string

// The statuses of AWS Config.
// https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationItem.html
const (
	StatusOK                 Status = "OK"
	StatusDiscovered         Status = "ResourceDiscovered"
	StatusNotRecorded        Status = "ResourceNotRecorded"
	StatusDeleted            Status = "ResourceDeleted"
	StatusDeletedNotRecorded Status = "ResourceDeletedNotRecorded"
)

// Known reports whether s is one of AWS Config's words.
func (s Status) Known() bool {
	switch s {
	case StatusOK, StatusDiscovered, StatusNotRecorded, StatusDeleted, StatusDeletedNotRecorded:
		return true
	}
	return false
}

// Deletes reports whether s says that the resource is gone.
func (s Status) Deletes() bool { return s == StatusDeleted || s == StatusDeletedNotRecorded }

// Normalize sorts the relationships and drops repeated ones, turns empty
// collections into nil, and drops the status ResourceDeleted from a deletion,
// of which it says nothing more.
func (s *State) Normalize() {
	slices.SortFunc(s.Relationships, Relationship.compare)
	s.Relationships = slices.Compact(s.Relationships)
	if len(s.Relationships) == 0 {
		s.Relationships = nil
	}
	if len(s.Tags) == 0 {
		s.Tags = nil
	}
	if len(s.Supplementary) == 0 {
		s.Supplementary = nil
	}
	if s.Deleted && s.Status == StatusDeleted {
		s.Status = ""
	}
}

// Origin says how we know: kept with the version an observation made, never
// compared.
type Origin struct {
	Provider string // aws, gcp, kubernetes, terraform …
	Source   string // where the observation was taken from
	Run      RunID  // the collection run it belongs to
	Cause    Cause
	Extras   []byte // canonical JSON object of the source format's own members which have no field here
}

// Cause is who or what made the change, where the source tells.
type Cause struct {
	Actor    string
	EventID  string
	SourceIP string
}

// Observation is one piece of evidence: Key was in State at CapturedAt.
type Observation struct {
	Key        Key
	CapturedAt Moment // zero: the run's moment inside a run, else the moment of recording
	State      State
	Origin     Origin

	// Content, when set, is State as AppendContent writes it, and Hash that of
	// HashContent: whoever has them spares the store the work. Content is then
	// never changed any more, not even after the call.
	Content []byte
	Hash    Hash

	// Complete, when set, returns State, of which the observation holds no more
	// than Deleted and Status, and Hash: most observations bring nothing new, and
	// a store finds out by these. It is safe for concurrent use, and may be called
	// until Append has returned without an error. Its error, an *[Error], refuses
	// the observation if the state is needed.
	Complete func() (State, error)

	// Expect, when set, refuses the observation with Conflict unless the
	// newest state in captured time has this version number (0: the resource
	// is unknown).
	Expect *uint32
}

// Item is one version of one resource as a reader sees it.
type Item struct {
	Key        Key
	Version    uint32 // given once per resource in order of recording; zero: no version at that moment
	CapturedAt Moment // when the version begins
	LastSeenAt Moment // newest evidence of the version
	Until      Moment // when the next version begins; Newest while there is none
	RecordedAt Moment
	Revision   Revision
	Status     Status // given by the source, or derived
	State      State  // with FieldsHead and FieldsKey only Deleted is set
	Origin     Origin // with FieldsHead and FieldsKey empty
	Hash       Hash   // of the State
	Erased     bool   // its content was erased, or is lost: State and Origin are empty
	Lost       bool   // with Erased: to damage of the store, which was repaired; Hash may be zero and Status a guess
}

// Exists reports whether the item is a version of a live resource.
func (i *Item) Exists() bool { return i.Version != 0 && !i.State.Deleted }

// DeriveStatus is the status of a version whose source gave none; alive tells
// whether a live version precedes it in captured time.
func DeriveStatus(given Status, deleted, alive bool) Status {
	switch {
	case given != "":
		return given
	case deleted:
		return StatusDeleted
	case !alive:
		return StatusDiscovered
	}
	return StatusOK
}
