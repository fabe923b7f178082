package history

import "context"

// What follows are optional powers of a store, each an interface of its own: a
// door asks for it by type assertion and answers Unimplemented without it.

// Floors say what a store no longer keeps. What lies below one is refused with
// Compacted, at every door and for captures as well as for questions.
type Floors struct {
	Captured Moment            // of all types: no capture and no question before it; zero: none
	ByType   map[string]Moment // of types whose floor is higher than Captured

	Revision   Revision // no question known at an earlier one
	RecordedAt Moment   // of Revision
	Seq        Seq      // changes up to it are gone: positions before it cannot be resumed
}

// Of is the floor of a type.
func (f *Floors) Of(typ string) Moment { return max(f.Captured, f.ByType[typ]) }

// PruneRequest says what to forget.
type PruneRequest struct {
	Floor  Moment // captured; the state at it is kept
	Type   string // only this type; "" prunes all of them, and with them revisions and the feed
	DryRun bool   // count, and change nothing

	// Progress, if set, is called now and then with how many of the store's
	// resources have been looked at.
	Progress func(done, total uint64)
}

// Pruned is what pruning dropped, or with DryRun would drop.
type Pruned struct {
	Floors    Floors // as they stand afterwards
	Resources uint64 // that went entirely: deleted before the floor
	Versions  uint64
	Sightings uint64
	Changes   uint64 // of the feed
}

// Pruner is a store that can forget its far past.
type Pruner interface {
	// Prune raises a floor and drops what no answer at or above it needs.
	//
	// Of each resource it keeps the version that stands at the floor, with its
	// number and times as they are, and all that begin later; a resource that is
	// deleted at the floor, and of which nothing is known after it, goes
	// entirely: its key is free for a new resource. Answers at or above the
	// floor stay the same, those known at an earlier revision (at or above
	// Floors.Revision) included. Pruning all types raises Floors.Revision to
	// what was known at the floor by the clock of recording, and drops the
	// changes of the feed up to it.
	//
	// A floor below the present one changes nothing: floors never sink. The
	// floor is raised, durably, before anything is dropped; a prune that is cut
	// short is finished by the next one. Writers and readers go on meanwhile.
	// Future if the floor lies after now.
	Prune(ctx context.Context, r PruneRequest) (Pruned, error)

	// Floors tells the present floors.
	Floors(ctx context.Context) (Floors, error)
}

// Eraser is a store that can forget what one version held.
type Eraser interface {
	// Erase destroys the content and origin of one version and leaves a
	// tombstone: the version keeps its place, number, times, status and hash, so
	// that the history reads as before and an equal observation is still known
	// as equal. Its State is empty but for Deleted, and Item.Erased is set.
	// Versions of equal content are told apart by their numbers: each is erased
	// by itself. Erasing again changes nothing. NotFound if no such version was
	// ever recorded. What remains in free pages of the file, in backups and in
	// copies made before is not reached; compacting takes care of the file.
	Erase(ctx context.Context, k Key, version uint32) error
}

// Folder is a store that can fold sightings: of those that witness one version,
// recorded before a moment, the first and the last in captured time stay.
type Folder interface {
	// Fold returns how many sightings it dropped. A capture that arrives later
	// may then resume at a later evidence, and Item.LastSeenAt at revisions
	// before the moment is no longer promised.
	Fold(ctx context.Context, recordedBefore Moment) (dropped uint64, err error)
}

// Backuper is a store that can be copied while it is in use.
type Backuper interface {
	// Backup hands a copy of the store as of one revision, in chunks of up to a
	// MiB, to write, whose slowness holds up nobody else: no transaction lasts
	// longer than it takes to read a chunk. The chunks one after another are a
	// backup file, in a form of the backend's own that names its version and
	// ends with a checksum of the whole.
	Backup(ctx context.Context, write func(chunk []byte) error) error
}

// Prober is a store that may have stopped taking writes while it still answers.
type Prober interface {
	// Probe returns nil while writes are taken, else why they are not. It is
	// asked often, and costs no access to the disk.
	Probe(ctx context.Context) error
}

// Statter is a store that can tell of itself.
type Statter interface {
	Stats(ctx context.Context) (Stats, error)
}

// Stats are the sizes of a store and what it has done since it was opened.
// Counters only rise; bytes are bytes.
type Stats struct {
	FileBytes int64
	LiveBytes int64 // of pages in use
	FreeBytes int64 // of pages that will be used again
	Buckets   []BucketStats

	Unmerged      uint64 // records of the log that are not yet merged
	UnmergedBytes uint64

	Commits      uint64
	Observations uint64 // accepted
	Unchanged    uint64 // of these
	Refused      uint64
	Merges       uint64
	MergeFailed  uint64
	MergeNanos   uint64 // spent merging
	StallNanos   uint64 // for which the writer waited for the merger
	CommitNanos  uint64 // spent in commits, planning included

	CacheHits   map[string]uint64 // by cache
	CacheMisses map[string]uint64
}

// BucketStats is one part of the file.
type BucketStats struct {
	Name    string
	Entries uint64
	Bytes   int64 // of its pages
}
