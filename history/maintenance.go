package history

import (
	"context"
	"maps"
)

// What follows are optional powers of a store, each an interface of its own: a
// door asks for it by type assertion and answers Unimplemented without it.

// Power finds an optional power of a store, or of what it wraps: a wrapper has an
// Unwrap method that returns a Store.
func Power[T any](s Store) (T, bool) {
	for {
		if p, ok := s.(T); ok {
			return p, true
		}
		wrapper, ok := s.(interface{ Unwrap() Store })
		if !ok {
			var none T
			return none, false
		}
		s = wrapper.Unwrap()
	}
}

// Floors say what a store no longer keeps. What lies below one is refused with
// Compacted, at every door and for captures as well as for questions.
type Floors struct {
	Captured Moment            // of all types: no capture and no question before it; zero: none
	ByType   map[string]Moment // of types whose floor is higher than Captured

	Revision       Revision            // no question known at an earlier one
	RecordedAt     Moment              // of Revision
	RevisionByType map[string]Revision // of types whose floor is higher than Revision
	Seq            Seq                 // changes up to it are gone: positions before it cannot be resumed
}

// Of is the captured floor of a type.
func (f *Floors) Of(typ string) Moment { return max(f.Captured, f.ByType[typ]) }

// RevisionOf is the revision floor of a type.
func (f *Floors) RevisionOf(typ string) Revision { return max(f.Revision, f.RevisionByType[typ]) }

// Clone copies the floors, their maps included.
func (f *Floors) Clone() Floors {
	c := *f
	c.ByType, c.RevisionByType = maps.Clone(f.ByType), maps.Clone(f.RevisionByType)
	return c
}

// PruneRequest says what to forget.
type PruneRequest struct {
	Floor Moment // captured; the state at it is kept
	Type  string // only this type; "" prunes all of them, and with them the feed

	// Recorded is the moment of recording up to which beliefs are forgotten as
	// well: the revision floor becomes what was known then. Zero, or a moment
	// before Floor, means Floor. What was recorded after it stays answerable as
	// it was believed at each revision since, and such beliefs hold on to their
	// versions: history that was recorded long after it was captured, as by an
	// import, is dropped only once Recorded has passed its recording.
	Recorded Moment

	DryRun bool // count, and change nothing

	// Progress, if set, is called now and then with how many of the store's
	// resources have been looked at.
	Progress func(done, total uint64)
}

// Pruned is what pruning dropped, or with DryRun would drop.
type Pruned struct {
	Floors    Floors // as they stand afterwards
	Resources uint64 // that went entirely: deleted at the floor
	Versions  uint64 // of these and of others
	Sightings uint64 // those in runs are not counted
	Changes   uint64 // of the feed
}

// Pruner is a store that can forget its far past.
type Pruner interface {
	// Prune raises a floor and drops what no answer at or above it needs.
	//
	// Of each resource it keeps the version that stands at the floor, with its
	// number and times as they are, and all that begin later; history lists no
	// others. Answers at or above the floor stay the same, those known at an
	// earlier revision (at or above the revision floor) included; captures at
	// or above it are planned as if nothing had been pruned. A resource that is
	// deleted at the floor at every such revision, and of which nothing is known
	// after it, goes entirely: its key is free for a new resource, which begins
	// with version 1 and which no run has seen.
	//
	// Pruning raises the revision floor to what was known at the floor by the
	// clock of recording, or at Recorded. Pruning all types drops the changes of
	// the feed up to that revision as well. A collection run whose moment lies
	// below the floor deletes nothing any more.
	//
	// A floor below the present one changes nothing: floors never sink. The
	// floors are raised, durably and in order with what is recorded, before
	// anything is dropped: from then on answers are as if all had been dropped,
	// but for resources that are still to go. A prune that is cut short, by ctx
	// or by the end of the process, is finished by the next one. Writers and
	// readers go on meanwhile; readers made before are bound by the new floors.
	// The file may hold what was dropped for longer than any answer, as Erase says.
	// Future if Floor or Recorded lies after now, Invalid if Floor is none.
	Prune(ctx context.Context, r PruneRequest) (Pruned, error)

	// Floors tells the present floors.
	Floors(ctx context.Context) (Floors, error)
}

// Eraser is a store that can forget what one version held.
type Eraser interface {
	// Erase destroys the content and origin of one version and leaves a
	// tombstone: the version keeps its place, number, times, status and hash, so
	// that the history reads as before and an equal observation is still known
	// as equal. Its State is empty but for Deleted, and Item.Erased is set; no
	// name and no tag matches it. This is durable when Erase returns.
	//
	// Versions of equal content are told apart by their numbers: each is erased
	// by itself. Where a late capture makes an erased version resume, the
	// resumed one takes its content from another version of equal state, and is
	// born erased if none has it. Erasing again changes nothing. NotFound if no
	// such version was ever recorded, or it was pruned.
	//
	// Not reached are free pages of the file and the samples of documents that a
	// store may keep to compress others by: either may hold, word for word, a
	// text that was erased or pruned, until the store is compacted. No answer
	// shows it, and no backup made afterwards holds it. Backups and copies made
	// before are not reached at all.
	Erase(ctx context.Context, k Key, version uint32) error
}

// Folder is a store that can fold sightings: of those that witness one version,
// recorded before a moment, the first and the last in captured time stay. So do
// those of runs, which tell what a run did not miss, those at the moment of a run
// that was not aborted, where they stand against a deletion, and those below the
// captured floor.
type Folder interface {
	// Fold returns how many sightings it dropped. A capture that arrives later
	// may then resume at a later evidence, and Item.LastSeenAt as known at
	// revisions before the folding is no longer promised. Nothing is dropped
	// when the moment does not lie after Floors.RecordedAt.
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

// Unwriter is a store that can tell whether an answer about links may have become
// another although nothing was recorded: whoever keeps answers forgets them then.
type Unwriter interface {
	// Unwritten rises with whatever is pruned or erased, before the call that does
	// so returns, when links are read anew or can be told again, and when the
	// store is closed. It is asked often, and costs no access to the disk.
	Unwritten() uint64
}

// Relinker is a store that can read the links of all versions anew. One that has
// none, as a copy, or whose Linker has changed begins to do so by itself when it is
// opened.
type Relinker interface {
	// Relink answers every later question for links as if all had been recorded
	// under the store's Linker; until then those are Unavailable. Recording and
	// other questions go on meanwhile. Progress, if set, is called now and then
	// with how many of the store's resources are done. Cut short by ctx or by the
	// end of the process, it is done by the next opening or the next call.
	Relink(ctx context.Context, progress func(done, total uint64)) error
}

// Prober is a store that may have stopped taking writes while it still answers.
type Prober interface {
	// Probe returns nil while writes are taken, else why they are not. A disk
	// without room is no reason: the next write is tried, and may be one that fits.
	// It is asked often, and costs no access to the disk.
	Probe(ctx context.Context) error
}

// Statter is a store that can tell of itself.
type Statter interface {
	Stats(ctx context.Context) (Stats, error)
}

// Stats are the sizes of a store and what it has done since it was opened.
// Counters only rise; bytes are bytes.
type Stats struct {
	Format uint32 // version of the form that the store is kept in; zero: it has none

	FileBytes int64 // on the disk; room that it was grown by ahead of its use included
	LiveBytes int64 // of pages in use
	FreeBytes int64 // of pages that were used, and will be again
	Buckets   []BucketStats

	Unmerged      uint64 // records of the log that are not yet merged
	UnmergedBytes uint64
	Apart         uint64 // resources of which nothing is merged since what was merged of them is damaged

	Commits      uint64
	Observations uint64 // accepted
	Unchanged    uint64 // of these
	Refused      uint64
	Merges       uint64
	MergeFailed  uint64
	MergeNanos   uint64 // spent merging
	StallNanos   uint64 // for which the writer waited for the merger
	CommitNanos  uint64 // spent in commits, planning included
	WithoutRoom  uint64 // writes that the disk had no room for, which left nothing behind

	CacheHits   map[string]uint64 // by cache
	CacheMisses map[string]uint64
}

// BucketStats is one part of the file.
type BucketStats struct {
	Name    string
	Entries uint64
	Bytes   int64 // of its pages
}
