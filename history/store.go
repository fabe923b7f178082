package history

import (
	"context"
	"time"
)

// Store is a versioned store of configuration items. Every method is safe for
// concurrent use; none keeps or hands out memory that the other side may change.
//
// Guarantees of every backend: what a write method has returned without error
// is durable. An observation is recorded whole or not at all. Revisions rise
// strictly, and moments of recording never run backwards along them. A read at
// (captured, known) gives the same answer for ever. The feed is dense per
// partition and in the order of revisions.
type Store interface {
	// Append records a batch, item by item in its order; one refused item does
	// not hold up the others, its Result says why: DataLoss where what stands of
	// the resource is damaged. A batch whose Op was seen before is not recorded
	// again: the first receipt is returned. An error means that nothing is known
	// of the batch's fate; send it again with the same Op.
	Append(ctx context.Context, b Batch) (Receipt, error)

	// OpenRun opens a collection run: AlreadyExists if the id was used.
	// Zero Moment, OpenedAt and Deadline are filled in.
	OpenRun(ctx context.Context, r Run) (Run, error)

	// CloseRun completes or aborts a run. Closing it again the same way
	// returns it as it stands; the other way is RunClosed. A run with refused
	// items gives RunTainted, one that would delete too much RunTooGreedy with
	// the numbers in Meta (would_delete, alive), unless forced. The deletions
	// are one revision.
	CloseRun(ctx context.Context, id RunID, how Disposal, reason string) (Run, error)

	// Run returns a run as it stands: NotFound if the id is unknown.
	Run(ctx context.Context, id RunID) (Run, error)

	// Runs returns up to limit runs, latest opened first, after the given one
	// ("" = from the start), and whether there are more.
	Runs(ctx context.Context, after RunID, limit int) ([]Run, bool, error)

	// AsOf returns a reader bound to a moment on both axes. Future if Known is
	// not yet given, Compacted if either lies below its floor. The reader holds
	// no resources and needs no closing.
	AsOf(ctx context.Context, at At) (Reader, error)

	// KnownAt is the newest revision recorded at or before a moment; zero when
	// there is none, Compacted if the moment lies before Floors.RecordedAt.
	KnownAt(ctx context.Context, recorded Moment) (Revision, error)

	// Changes returns up to limit changes after a position ("" = the start of
	// what is kept of the feed) in feed order, and the position after the last
	// of them (the given one, made explicit, when there are none). With none at
	// hand it waits up to wait for the first. Compacted if a change after the
	// position is no longer kept.
	Changes(ctx context.Context, after Position, limit int, wait time.Duration) ([]Change, Position, error)

	// PositionAt is the position just before the first change kept that was
	// recorded at or after a moment; Newest gives the end of the feed.
	PositionAt(ctx context.Context, recorded Moment) (Position, error)

	// Head says how far the store has come.
	Head(ctx context.Context) (Head, error)

	// Close waits for what is under way. Later calls give Unavailable.
	Close() error
}

// Reader answers from one moment. Its methods are safe for concurrent use and
// see nothing that was recorded after its Known revision. Compacted when what
// is asked about has a floor above either moment: a question that covers all
// types is refused if any has.
type Reader interface {
	// At is the moment the reader is bound to, with both fields filled in.
	At() At

	// Get returns the version of each key at the moment, in the order asked;
	// deletions too. An item with Version 0 had no version then.
	Get(ctx context.Context, keys []Key, f Fields) ([]Item, error)

	// Version returns the version of that number: NotFound if it is not
	// visible at the Known revision, or was pruned. Captured is not looked at
	// but for floors.
	Version(ctx context.Context, k Key, number uint32) (Item, error)

	// History returns versions of one resource, newest first by (CapturedAt,
	// order of evidence), and whether there are more, of those that are kept.
	// Captured is not looked at but for floors; the query has its own range,
	// which may reach below them.
	History(ctx context.Context, k Key, q HistoryQuery) ([]Item, bool, error)

	// Items returns the inventory at the moment in key order, and whether
	// there is more. With DataLoss come, where FieldsKey is asked for, those that
	// stand before what is damaged.
	Items(ctx context.Context, q Query) ([]Item, bool, error)

	// Count counts what Items would return without Limit and After, by group,
	// in order of the group.
	Count(ctx context.Context, q Query, by GroupBy) ([]Group, error)

	// Find returns the keys of all resources of that type and id with any
	// version at the Known revision, in key order.
	Find(ctx context.Context, typ, id string) ([]Key, error)

	// Links returns what live versions say of terms, and whether there is more:
	// by term, and those of one term in an order of the store's own, the same
	// for every call that sees the same. What is pruned or erased has no links.
	// Empty from a store without a Linker. Unavailable, with the share done in
	// Meta ("done", "total": resources), while the store reads all links anew.
	Links(ctx context.Context, q LinkQuery) ([]Linked, bool, error)
}

// OpID makes an append repeatable; the zero OpID is none.
type OpID [16]byte

// OpRetention is how long the receipt of an operation is remembered. After that
// the same id is a new operation.
const OpRetention = 48 * time.Hour

// Batch is what one Append records.
type Batch struct {
	Op           OpID
	Run          RunID // the open run the observations belong to; "" for none
	Observations []Observation

	// Refused counts items that belonged to the batch but were refused before
	// they came here: the run must learn of them.
	Refused int
}

// Receipt is what became of a batch.
type Receipt struct {
	Results  []Result // one per observation, in order
	Revision Revision // the store's newest after the batch
	Position Position // the end of the feed after the batch
}

// Result is what became of one observation.
type Result struct {
	Err        error    // an *Error: refused; the rest is empty
	Unchanged  bool     // equal to what was known at its moment: kept as a sighting
	Version    uint32   // the version it made, or the one it witnesses
	CapturedAt Moment   // when that version begins
	Revision   Revision // of the observation
	Seq        Seq      // of its change; zero when unchanged
	Kind       ChangeKind
	Late       bool // older than the resource's newest evidence
}

// ChangeKind is what a change did to the resource.
type ChangeKind uint8

// Readers skip kinds they do not know.
const (
	Created ChangeKind = iota + 1 // nothing was known or alive before it in captured time
	Updated
	Deleted
)

// String is the kind in lower case.
func (k ChangeKind) String() string {
	switch k {
	case Created:
		return "created"
	case Updated:
		return "updated"
	case Deleted:
		return "deleted"
	}
	return "unknown"
}

// Change is one entry of the feed.
type Change struct {
	Partition  uint16
	Seq        Seq
	Position   Position // resumes after this change
	Revision   Revision
	RecordedAt Moment
	Kind       ChangeKind
	Late       bool
	Key        Key
	Version    uint32
	CapturedAt Moment
}

// Head says how far the store has come.
type Head struct {
	StoreID    [16]byte
	Revision   Revision
	RecordedAt Moment // of that revision
	Position   Position
	Resources  uint64 // ever recorded, deleted ones included
}

// Fields says how much of an item to read.
type Fields uint8

// FieldsAll reads everything. FieldsHead reads identity, times, numbers, status,
// hash and whether it is deleted, without touching the stored content. FieldsKey
// reads no more than which version of what there is: Key, Version, CapturedAt,
// Until, Revision and State.Deleted, for inventories of many resources.
const (
	FieldsAll Fields = iota
	FieldsHead
	FieldsKey
)

// Of is what is left of an item when no more than the fields is read.
func (f Fields) Of(i Item) Item {
	switch deleted := (State{Deleted: i.State.Deleted}); f {
	case FieldsHead:
		i.State, i.Origin = deleted, Origin{}
	case FieldsKey:
		i = Item{Key: i.Key, Version: i.Version, CapturedAt: i.CapturedAt, Until: i.Until, Revision: i.Revision, State: deleted}
	}
	return i
}

// HistoryQuery selects versions of one resource captured within [From, To];
// zero bounds are open.
type HistoryQuery struct {
	From, To Moment
	After    uint32 // continue after this version number; 0 = from the newest
	Limit    int    // 0 = all
	Fields   Fields
}

// Query selects resources; empty fields select all, but for reserved types, which
// only Type selects. Fields are joined by and.
type Query struct {
	Type, Account, Region string
	HasAccount, HasRegion bool // an empty Account or Region is meant as a value
	IDPrefix              string
	Name                  string
	Tags                  map[string]string // all must be borne
	Deleted               bool              // deleted resources too
	After                 *Key              // continue after this key
	Limit                 int               // 0 = all
	Fields                Fields
}

// GroupBy is what Count groups by.
type GroupBy uint8

// ByNothing gives one group with an empty name.
const (
	ByNothing GroupBy = iota
	ByType
	ByAccount
	ByRegion
)

// Group is one line of a count.
type Group struct {
	Name  string
	Count uint64
}
