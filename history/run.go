package history

import "slices"

// RunID names a collection run: 1 to 128 characters of a-z A-Z 0-9 . _ ~ -.
type RunID string

// Valid reports whether the id can name a run.
func (id RunID) Valid() bool {
	if len(id) == 0 || len(id) > 128 {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '.', c == '_', c == '~', c == '-':
		default:
			return false
		}
	}
	return true
}

// Scope says which resources a run collects; an empty list means all, reserved
// types never.
type Scope struct {
	Accounts, Regions, Types []string
}

// Covers reports whether the resource lies in the scope.
func (s Scope) Covers(k Key) bool {
	in := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	return in(s.Accounts, k.Account) && in(s.Regions, k.Region) && in(s.Types, k.Type) && !Reserved(k.Type)
}

// RunState is where a run stands.
type RunState uint8

// A run is open until it is completed or aborted, for good.
const (
	RunOpen RunState = iota
	RunComplete
	RunAborted
)

// String is the state in lower case.
func (s RunState) String() string {
	return [...]string{"open", "complete", "aborted"}[s]
}

// Run is one collection run. Completing it makes absence evidence at Moment.
type Run struct {
	ID       RunID
	Scope    Scope
	Moment   Moment // when what it collects was true; default: OpenedAt
	State    RunState
	OpenedAt Moment
	Deadline Moment // an open run is aborted from then on
	ClosedAt Moment
	Observed uint64 // observations accepted
	Refused  uint64 // observations refused: such a run can only be aborted, or forced
	Deleted  uint64 // resources that its completion deleted
	Reason   string // why it was aborted
}

// Disposal is how to close a run.
type Disposal uint8

// Complete deletes what the run did not see; CompleteForced does so even if an
// item was refused or over half the scope would go; Abort deletes nothing.
const (
	Complete Disposal = iota
	CompleteForced
	Abort
)

// A run that would delete more than half of what lived in its scope, and more
// than this many resources, is refused unless forced.
const RunGreedAbove = 10
