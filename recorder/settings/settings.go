package settings

import (
	"time"

	"github.com/varvehq/varve/history"
)

// Settings are those of all owners. Its methods are safe for concurrent use.
type Settings struct {
	documents history.Documents
	now       func() time.Time
}

// New keeps settings in a store's documents.
func New(d history.Documents, now func() time.Time) *Settings {
	return &Settings{documents: d, now: now}
}

// Owner is whose settings they are.
type Owner struct{ Account, Region string }

// Recorder is a configuration recorder; an owner has at most one.
type Recorder struct {
	Owner     Owner
	Name      string
	RoleARN   string
	Group     Group
	Frequency string // CONTINUOUS or DAILY
	Overrides []Override

	Recording     bool
	StartedAt     history.Moment // last; zero: never
	StoppedAt     history.Moment
	StatusChanged history.Moment
	CreatedAt     history.Moment
	Tags          map[string]string
}

// Group says which resource types a recorder records.
type Group struct {
	Strategy      Strategy
	IncludeGlobal bool     // with AllSupported: the global IAM types, too
	Types         []string // included, or excluded
}

// Strategy is how the types of a group are meant, in AWS Config's words.
type Strategy string

// The strategies of recording.
const (
	AllSupported Strategy = "ALL_SUPPORTED_RESOURCE_TYPES"
	Inclusion    Strategy = "INCLUSION_BY_RESOURCE_TYPES"
	Exclusion    Strategy = "EXCLUSION_BY_RESOURCE_TYPES"
)

// Override records some types at another frequency than the others.
type Override struct {
	Description string
	Types       []string
	Frequency   string
}

// Channel is a delivery channel; an owner has at most one.
type Channel struct {
	Owner     Owner
	Name      string
	Bucket    string
	KeyPrefix string
	KMSKeyARN string
	TopicARN  string
	Frequency string // of snapshots: One_Hour … TwentyFour_Hours; empty: none is made by itself

	Snapshot Delivery // the last of each
	History  Delivery
	Stream   Delivery
}

// Delivery is how the last delivery of one kind went.
type Delivery struct {
	Status     string         // SUCCESS, FAILURE, NOT_APPLICABLE; empty: there was none
	Error      string         // of a FAILURE: a code
	Text       string         // and what went wrong
	AttemptAt  history.Moment // last
	SuccessAt  history.Moment // last
	NextAt     history.Moment
	ChangedAt  history.Moment // of the status
	SnapshotID string         // of the last snapshot
}
